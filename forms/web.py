"""The web side of a form: compile it to a WTForms class, parse what a browser sent, show what is stored.

Pages render themselves from the definition; :func:`parse` is the way in, :func:`display` the way out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, TypeAlias

from forms.answers import FIELDS, Answer, CompiledForm, Context, DefectsAnswer, is_posted
from forms.choices import Lists
from forms.model import FormDefinition, Outcome, Value
from forms.rules import compile_rule
from forms.show import COMPLETE, EMPTY, STARTED, completeness, display, to_raw
from forms.text import clean_lines, message

__all__ = [
    "COMPLETE",
    "EMPTY",
    "STARTED",
    "Mode",
    "Parsed",
    "completeness",
    "display",
    "form_class",
    "parse",
    "parse_draft",
    "to_raw",
]

Mode: TypeAlias = Literal["submit", "draft"]
OPINION_LENGTH = 2000

# What no database keeps as text: NUL and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Parsed:
    """What came of a POST.

    :param values: typed answers by field key, fit for JSON (dates ISO text, money integer fen); ``opinion`` beside.
    :param raw: everything typed into known fields, to show it again; keys as posted (``defects-0-problem``).
    :param errors: key as posted → Chinese message.
    :param warnings: field key → Chinese message; they do not stop anything.
    """

    values: dict[str, Value]
    raw: dict[str, list[str]]
    errors: dict[str, str]
    warnings: dict[str, str]

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors


class _Posted(dict[str, list[str]]):
    """A mapping of lists in the manner that WTForms reads."""

    def getlist(self, key: str) -> list[str]:
        return self.get(key, [])


@lru_cache(maxsize=256)
def form_class(definition: FormDefinition, mode: Mode = "submit") -> type[CompiledForm]:
    """A WTForms class whose validation is the definition's; ``draft`` leaves out that answers are required.

    Attributes are ``answer_KEY`` (a field may be called ``data`` or ``errors``), names in HTML are the plain keys.
    """
    attributes: dict[str, object] = {"draft": mode == "draft"}
    for section in definition.sections:
        for one in section.fields:
            kind = FIELDS.get(one.type, Answer)
            attributes[f"answer_{one.key}"] = kind(name=one.key, definition=one, section=section)
    return type("DefinedForm", (CompiledForm,), attributes)


def parse(
    definition: FormDefinition,
    data: Mapping[str, Sequence[str]],
    *,
    today: date,
    editable: Collection[str] | None = None,
    outcome: str | None = None,
    held: Mapping[str, Value] | None = None,
    lists: Lists | None = None,
) -> Parsed:
    """Check a submitted form.

    :param data: what the browser sent; keys that the definition does not know are dropped.
    :param editable: the fields that this step may change, None for all; others are dropped.
    :param outcome: the button pressed, for definitions with outcomes.
    :param held: values known already, see :class:`forms.answers.Context`.
    :param lists: the lists behind ``options_from``.
    """
    return _parse(definition, data, "submit", today, editable, outcome, held, lists)


def parse_draft(
    definition: FormDefinition,
    data: Mapping[str, Sequence[str]],
    *,
    today: date,
    editable: Collection[str] | None = None,
    outcome: str | None = None,
    held: Mapping[str, Value] | None = None,
    lists: Lists | None = None,
) -> Parsed:
    """Like :func:`parse`, for autosave: nothing is required yet, and ``raw`` keeps whatever is wrong or hidden."""
    return _parse(definition, data, "draft", today, editable, outcome, held, lists)


def _parse(
    definition: FormDefinition,
    data: Mapping[str, Sequence[str]],
    mode: Mode,
    today: date,
    editable: Collection[str] | None,
    outcome: str | None,
    held: Mapping[str, Value] | None,
    lists: Lists | None,
) -> Parsed:
    chosen = next((one for one in definition.outcomes if one.key == outcome), None)
    may_edit = None if editable is None else frozenset(editable)
    raw = _known(definition, data, may_edit)
    form = form_class(definition, mode)(_Posted(raw))
    form.judge(
        Context(
            today=today,
            outcome=outcome if chosen else None,
            requires=frozenset(chosen.requires if chosen else ()),
            editable=may_edit,
            held=held or {},
            lists=lists or {},
        )
    )
    errors: dict[str, str] = {}
    for answer in form:
        if answer.errors:
            errors[answer.name] = str(answer.errors[0])
        if isinstance(answer, DefectsAnswer):
            errors |= answer.wrong
    values, warnings = form.values, form.notes
    _apply_rules(definition, {**(held or {}), **values}, raw, errors, warnings)
    if definition.outcomes:
        _decide(chosen, mode, raw, values, errors)
    return Parsed(values, raw, _in_page_order(definition, errors), warnings)


def _in_page_order(definition: FormDefinition, errors: Mapping[str, str]) -> dict[str, str]:
    """Errors in the order in which the fields stand on the page, the decision last."""
    place = {one.key: index for index, one in enumerate(definition.fields)}
    return dict(sorted(errors.items(), key=lambda item: place.get(item[0].split("-", 1)[0], len(place))))


def _known(
    definition: FormDefinition, data: Mapping[str, Sequence[str]], editable: frozenset[str] | None
) -> dict[str, list[str]]:
    """What was typed into fields that exist and may be changed."""
    posted = {one.key: one for one in definition.fields if is_posted(one, editable)}
    lists = tuple(f"{key}-" for key, one in posted.items() if one.type == "defects")
    beside = {"opinion", "outcome"} if definition.outcomes else set()
    return {
        key: [_UNSTORABLE.sub("", text) for text in texts]
        for key, texts in data.items()
        if key in posted or key in beside or (lists and key.startswith(lists))
    }


def _apply_rules(
    definition: FormDefinition,
    known: Mapping[str, Value],
    raw: Mapping[str, list[str]],
    errors: dict[str, str],
    warnings: dict[str, str],
) -> None:
    for rule in definition.rules:
        text = compile_rule(rule, [definition.field(key) for key in rule.fields])(known)
        # The message stands at the last field that can be changed here; else nobody could act on it.
        place = next((key for key in reversed(rule.fields) if key in raw), None)
        if text and place is not None:
            (errors if rule.level == "error" else warnings).setdefault(place, text)


def _decide(
    chosen: Outcome | None,
    mode: Mode,
    raw: Mapping[str, list[str]],
    values: dict[str, Value],
    errors: dict[str, str],
) -> None:
    """The outcome and the opinion written beside it."""
    opinion = clean_lines("\n".join(raw.get("opinion", [])[-1:]))
    if opinion and not (chosen and chosen.opinion == "none"):
        values["opinion"] = opinion
    if len(opinion) > OPINION_LENGTH:
        errors["opinion"] = message("意见过长", f"共 {len(opinion)} 字", f"最多 {OPINION_LENGTH} 字，请缩短")
    if mode == "draft":
        return
    if chosen is None:
        errors["outcome"] = message("没有选择办理结果", "", "请选择一个办理结果")
    elif chosen.opinion == "required" and not opinion:
        errors["opinion"] = message("没有填写意见", "", f"选择“{chosen.label}”时，请写明意见和理由")
