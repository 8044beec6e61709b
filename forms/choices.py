"""Answers out of a list: one, several, yes or no, and the box that must be ticked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeAlias

from forms.identifiers import Checked
from forms.model import Field, Option
from forms.text import clean, compact, half, message, quoted

Inner: TypeAlias = Callable[[str, date], Checked]
#: Run-time lists by the name a definition gives them in ``options_from``.
Lists: TypeAlias = Mapping[str, Sequence[Option]]

#: What separates several choices in one cell.
SEPARATORS = re.compile(r"[、，,;；/|\n]+")
_TRUE = frozenset({"是", "yes", "true", "1", "on", "y", "对", "√", "✓"})
_FALSE = frozenset({"否", "no", "false", "0", "off", "n", "不是", "×"})
_SHOWN_OPTIONS = 12


def missing(field: Field) -> str:
    """The message for a required answer that is not there."""
    if field.type == "declaration":
        return message("没有勾选", f"请阅读“{field.label}”，同意后勾选")
    if field.type in ("files", "roster"):
        return message("没有上传", f"请上传{field.label}")
    verb = (
        "选择" if field.type in ("choice", "multichoice", "boolean", "division") or field.options else "填写"
    )
    return message(f"没有{verb}", f"请{verb}{field.label}")


def options_of(field: Field, lists: Lists) -> tuple[Option, ...]:
    """The options of a field at the moment; none when its list was not handed in."""

    return tuple(lists.get(field.options_from, ())) if field.options_from else field.options


def _by_name(options: Sequence[Option]) -> dict[str, str]:
    """Value of each option by its value, its label and its label without spaces and in half width."""
    loose = {compact(one.label): one.value for one in options}
    return loose | {one.label: one.value for one in options} | {one.value: one.value for one in options}


def _allowed(options: Sequence[Option]) -> str:
    labels = [one.label for one in options]
    if not labels:
        return "目前没有可以选的"
    if len(labels) <= _SHOWN_OPTIONS:
        return f"只能填：{'、'.join(labels)}"
    return f"请从下拉列表的 {len(labels)} 项中选择，如：{'、'.join(labels[:3])}"


def choice(field: Field, options: Sequence[Option]) -> Inner:
    """One of the options, by its value or label."""

    known = _by_name(options)
    allowed = _allowed(options)

    def inner(text: str, today: date) -> Checked:
        value = known.get(text) or known.get(compact(text))
        if value is None:
            return None, message("不在可选范围内", f"填的是{quoted(text)}", allowed), ""
        return value, "", ""

    return inner


def choices(field: Field, options: Sequence[Option]) -> Callable[[Sequence[str], date], Checked]:
    """Several of the options, each once, in the order given."""

    one = choice(field, options)
    low, high = field.minimum, field.maximum

    def inner(texts: Sequence[str], today: date) -> Checked:
        values: list[str] = []
        for text in filter(None, map(clean, texts)):
            value, error, _ = one(text, today)
            if error:
                return None, error, ""
            values.append(value)
        values = list(dict.fromkeys(values))
        if not values:
            return None, missing(field) if field.required else "", ""
        if isinstance(low, int) and len(values) < low:
            return None, message("选得太少", f"选了 {len(values)} 项", f"至少选 {low} 项"), ""
        if isinstance(high, int) and len(values) > high:
            return None, message("选得太多", f"选了 {len(values)} 项", f"最多选 {high} 项"), ""
        return values, "", ""

    return inner


def boolean(field: Field, lists: Lists) -> Inner:
    """Yes or no."""

    def inner(text: str, today: date) -> Checked:
        name = half(text).lower()
        if name in _TRUE:
            return True, "", ""
        if name in _FALSE:
            return False, "", ""
        return None, message("不在可选范围内", f"填的是{quoted(text)}", "只能填：是、否"), ""

    return inner


def declaration(field: Field, lists: Lists) -> Inner:
    """A box that must be ticked."""

    yes_no = boolean(field, lists)

    def inner(text: str, today: date) -> Checked:
        value = yes_no(text, today)[0]
        return (True, "", "") if value else (None, missing(field), "")

    return inner
