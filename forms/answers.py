"""The WTForms fields that definitions compile to. They know the checks, the day and what is held; nothing of Flask."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from markupsafe import Markup, escape
from wtforms import Field as BaseField
from wtforms import Form as BaseForm
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, TextArea, TextInput, html_params

from forms.checks import compile_choices, compile_field, missing
from forms.choices import Lists, options_of
from forms.identifiers import Checked
from forms.model import Field, Section, ShowIf, Value
from forms.text import clean, clean_lines, message

#: Field types whose value never comes from the browser.
NOT_POSTED = frozenset({"roster"})

_FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_DEFECT_PARTS = ("field", "problem", "action")
_MOST_DEFECTS = 200


@dataclass(frozen=True)
class Context:
    """What a form is judged by, beside what was typed.

    :param editable: keys that this step may change; None means all.
    :param held: values known already: of fields read from elsewhere, rosters, files, fields of other steps.
    """

    today: date
    outcome: str | None = None
    requires: frozenset[str] = frozenset()
    editable: frozenset[str] | None = None
    held: Mapping[str, Value] = field(default_factory=dict)
    lists: Lists = field(default_factory=dict)


def is_posted(definition: Field, editable: frozenset[str] | set[str] | None) -> bool:
    """Whether the browser may give this field's value."""
    return (
        definition.type not in NOT_POSTED
        and not definition.read_from
        and (editable is None or definition.key in editable)
    )


def holds(condition: ShowIf | None, values: Mapping[str, Value], outcome: str | None) -> bool:
    """Whether a show_if is met by the answers given so far."""
    if condition is None:
        return True
    value = outcome if condition.field == "outcome" else values.get(condition.field)
    if isinstance(value, list):
        return any(one in condition.values for one in value)
    return any(value == one and type(value) is type(one) for one in condition.values)


def is_shown(section: Section, definition: Field, values: Mapping[str, Value], outcome: str | None) -> bool:
    """Whether a field is asked, given the answers before it."""
    return holds(section.show_if, values, outcome) and holds(definition.show_if, values, outcome)


def empty(value: Value) -> bool:
    """Whether a typed value counts as no answer."""
    return value is None or value == "" or value == [] or value == {}


class CompiledForm(BaseForm):  # type: ignore[misc]  # WTForms has no types
    """The base of all compiled forms: :meth:`judge` it, then read ``values`` and ``notes``."""

    context: Context
    draft: bool = False

    def judge(self, context: Context) -> bool:
        """Check everything typed; the errors stand at the fields, the answers in ``values``."""
        self.context = context
        self.values: dict[str, Value] = {}
        self.notes: dict[str, str] = {}
        return bool(self.validate())


class Answer(BaseField):  # type: ignore[misc]  # WTForms has no types
    """One question with one answer."""

    widget = TextInput()

    def __init__(self, *, definition: Field, section: Section, **kwargs: object) -> None:
        super().__init__(label=definition.label, description=definition.hint, **kwargs)
        self.definition = definition
        self.section = section
        self.typed: list[str] = []
        self._check = None if definition.options_from else self.compile({})

    def compile(self, lists: Lists) -> Callable[[date], Checked]:
        """The check of what was typed, for the lists of the moment."""
        check = compile_field(self.definition, lists)
        return lambda today: check(self.typed[-1] if self.typed else None, today)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Keep what was typed, as it was typed, for showing it again."""
        self.typed = list(valuelist)

    def _value(self) -> str:
        return self.typed[-1] if self.typed else ""

    def pre_validate(self, form: CompiledForm) -> None:
        """Judge the answer with the form's context; hidden and read-only questions are passed over."""
        context, key = form.context, self.definition.key
        known = {**context.held, **form.values}
        if not is_shown(self.section, self.definition, known, context.outcome):
            return
        needed = not form.draft and (self.definition.required or key in context.requires)
        if not is_posted(self.definition, context.editable):
            own = self.definition.read_from or self.definition.type in NOT_POSTED
            asked_here = context.editable is None or key in context.editable
            if own and needed and asked_here and empty(context.held.get(key)):
                raise ValidationError(missing(self.definition))
            return
        check = self._check or self.compile(context.lists)
        value, error, warning = check(context.today)
        value = self.kept(value, context)
        if value is None and self.blank():
            error = missing(self.definition) if needed else ""
        if error:
            raise ValidationError(error)
        if value is not None:
            form.values[key] = self.data = value
        if warning:
            form.notes[key] = warning

    def blank(self) -> bool:
        """Whether nothing at all was typed."""
        return not any(map(clean, self.typed))

    def kept(self, value: Value, context: Context) -> Value:
        """The value, or what stands in for it when the browser sent nothing."""
        return value


class LongAnswer(Answer):
    """Text of several lines."""

    widget = TextArea()


class TickAnswer(Answer):
    """A box to tick; without a tick the browser sends nothing."""

    widget = CheckboxInput()

    @property
    def checked(self) -> bool:
        """Whether to draw the tick."""
        return not self.blank()


def draw_choices(answer: ChoiceAnswer, **attributes: object) -> Markup:
    """A <select>. WTForms' own is bound to its SelectField by private methods."""
    options = "".join(
        f"<option {html_params(value=one.value, selected=one.value in answer.typed)}>{escape(one.label)}</option>"
        for one in options_of(answer.definition, {})
    )
    attributes.setdefault("id", answer.id)
    html = (
        f"<select {html_params(name=answer.name, multiple=answer.several, **attributes)}>{options}</select>"
    )
    return Markup(html)  # noqa: S704 - every part is escaped above


class ChoiceAnswer(Answer):
    """One of a list."""

    widget = staticmethod(draw_choices)
    several = False


class ChoicesAnswer(ChoiceAnswer):
    """Several of a list."""

    several = True

    def compile(self, lists: Lists) -> Callable[[date], Checked]:
        """The check of all that was chosen."""
        check = compile_choices(self.definition, lists)
        return lambda today: check(self.typed, today)


class FilesAnswer(Answer):
    """Stored files, by id. What is held already counts as long as the browser names no files."""

    def compile(self, lists: Lists) -> Callable[[date], Checked]:
        """The check of the ids and of how many there are. Whose files they are is the caller's to check."""
        low, high = self.definition.minimum, self.definition.maximum

        def check(today: date) -> Checked:
            ids = list(dict.fromkeys(text.strip() for text in self.typed if text.strip()))
            if not all(_FILE_ID.match(one) for one in ids):
                return None, message("文件没有传上来", "", "请重新上传"), ""
            if ids and isinstance(low, int) and len(ids) < low:
                return None, message("文件太少", f"上传了 {len(ids)} 个", f"至少 {low} 个"), ""
            if isinstance(high, int) and len(ids) > high:
                return None, message("文件太多", f"上传了 {len(ids)} 个", f"最多 {high} 个"), ""
            return ids or None, "", ""

        return check

    def kept(self, value: Value, context: Context) -> Value:
        """The files held already, when the browser named none."""
        return (value or context.held.get(self.definition.key) or None) if self.blank() else value


class HeldAnswer(Answer):
    """Something that is kept elsewhere and never posted, such as a roster."""

    def compile(self, lists: Lists) -> Callable[[date], Checked]:
        """There is nothing to check in what a browser sends."""
        return lambda today: (None, "", "")


class DefectsAnswer(Answer):
    """A list that grows: what is wrong with which field or material, and what to do about it."""

    def process(self, formdata: Mapping[str, Sequence[str]] | None, *args: object, **kwargs: object) -> None:
        """Gather ``KEY-0-field``, ``KEY-0-problem``, ``KEY-0-action``, in the order of their numbers."""
        super().process(formdata, *args, **kwargs)
        shape = re.compile(re.escape(self.name) + r"-(\d{1,4})-(field|problem|action)\Z", re.ASCII)
        self.parts: dict[int, dict[str, str]] = {}
        for key, texts in (formdata or {}).items():
            match = shape.match(key)
            if match and texts and texts[-1].strip():
                self.parts.setdefault(int(match.group(1)), {})[match.group(2)] = texts[-1]
        self.wrong: dict[str, str] = {}

    def blank(self) -> bool:
        """Whether no line has any text."""
        return not self.parts

    def compile(self, lists: Lists) -> Callable[[date], Checked]:
        """The check of every line; errors of single parts stand in ``wrong`` by their posted key."""
        known = {one.value: one.label for one in options_of(self.definition, lists)}
        limit = self.definition.max_length

        def check(today: date) -> Checked:
            if len(self.parts) > _MOST_DEFECTS:
                return None, message("条目太多", f"共 {len(self.parts)} 条", f"最多 {_MOST_DEFECTS} 条"), ""
            rows = []
            for number, typed in sorted(self.parts.items()):
                row = {part: clean_lines(typed.get(part, "")) for part in _DEFECT_PARTS}
                prefix = f"{self.name}-{number}"
                if not row["problem"]:
                    self.wrong[f"{prefix}-problem"] = message("没有填写", "请写明存在什么问题")
                if known and row["field"] not in known:
                    self.wrong[f"{prefix}-field"] = message("没有选择", "请选择是哪一项内容或材料")
                for part in ("problem", "action"):
                    if len(row[part]) > limit:
                        self.wrong[f"{prefix}-{part}"] = message(
                            "内容过长", f"共 {len(row[part])} 字", f"最多 {limit} 字，请缩短"
                        )
                rows.append(row)
            if self.wrong:
                return None, message("有条目没有填完整", "", "请逐条补充"), ""
            return rows or None, "", ""

        return check


FIELDS: Mapping[str, type[Answer]] = {
    "textarea": LongAnswer,
    "declaration": TickAnswer,
    "choice": ChoiceAnswer,
    "multichoice": ChoicesAnswer,
    "files": FilesAnswer,
    "defects": DefectsAnswer,
    "roster": HeldAnswer,
}
