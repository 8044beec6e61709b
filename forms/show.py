"""Stored answers as a person reads them, as a form offers them again, and how far a draft has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from forms import amounts
from forms.answers import empty, is_shown
from forms.choices import Lists, options_of
from forms.model import Field, FormDefinition, Value
from forms.text import masked

EMPTY, STARTED, COMPLETE = "未填", "填写中", "已完成"


def display(field: Field, value: Value, *, lists: Lists | None = None, reveal: bool = False) -> str:
    """A stored value in Chinese: 1,000.00 元, 2026年11月23日, the option's label, 220822********1234.

    :param reveal: show a sensitive value whole; the caller has the right and has logged the reason.
    :return: ``未填`` when there is none.
    """
    if empty(value):
        return EMPTY
    if field.sensitive and not reveal:
        return masked(field.type, str(value))
    if field.type == "money":
        return f"{amounts.yuan(value)} 元"
    if field.type == "date":
        return amounts.chinese_date(date.fromisoformat(value))
    if field.type == "attendance":
        return amounts.hundredths(value)
    if field.type in ("boolean", "declaration"):
        return _yes_no(field, value)
    if field.type == "files":
        return f"{len(value)} 个文件"
    if field.type == "roster":
        return f"{value['rows']} 人" if isinstance(value, Mapping) and "rows" in value else "已上传"
    if field.type == "defects":
        return "\n".join(_defect(field, row, lists or {}) for row in value)
    if isinstance(value, list):
        return "、".join(_label(field, one, lists or {}) for one in value)
    return _label(field, value, lists or {})


def _yes_no(field: Field, value: bool) -> str:
    if field.type == "declaration":
        return "已承诺" if value else "未承诺"
    return "是" if value else "否"


def _label(field: Field, value: Value, lists: Lists) -> str:
    labels = {one.value: one.label for one in options_of(field, lists)}
    grouped = isinstance(value, int) and field.unit != "年"  # a year is no quantity
    text = labels.get(str(value), f"{value:,}" if grouped else str(value))
    return f"{text} {field.unit}" if field.unit else text


def _defect(field: Field, row: Mapping[str, str], lists: Lists) -> str:
    labels = {one.value: one.label for one in options_of(field, lists)}
    place = labels.get(row["field"], row["field"])
    text = f"{place}：{row['problem']}" if place else row["problem"]
    return f"{text}（{row['action']}）" if row["action"] else text


def to_raw(definition: FormDefinition, values: Mapping[str, Value]) -> dict[str, list[str]]:
    """Stored answers as a form would have posted them, for offering them again; unknown keys are left out."""
    raw: dict[str, list[str]] = {}
    for one in definition.fields:
        value: Value = values.get(one.key)
        if empty(value) or one.type == "roster":
            continue
        if one.type == "defects":
            for index, row in enumerate(value):
                raw |= {f"{one.key}-{index}-{part}": [text] for part, text in row.items()}
        elif isinstance(value, list):
            raw[one.key] = list(value)
        elif isinstance(value, bool):
            raw[one.key] = ["yes" if value else "no"]
        else:
            raw[one.key] = [amounts.yuan(value).replace(",", "") if one.type == "money" else str(value)]
    return raw


def completeness(
    definition: FormDefinition,
    values: Mapping[str, Value],
    *,
    raw: Mapping[str, Sequence[str]] | None = None,
    outcome: str | None = None,
) -> dict[str, str]:
    """Section key → 未填, 填写中 or 已完成, for the task list; sections that are not asked are left out.

    A section is complete when every required question that is asked has a valid answer, nothing wrong stands in
    ``raw``, and at least one question is answered. A roster counts once it holds rows and ``errors`` is zero.

    :param values: typed answers, those held included.
    :param raw: what was typed, so that a wrong answer counts as begun.
    """
    states: dict[str, str] = {}
    for section in definition.sections:
        asked = [one for one in section.fields if is_shown(section, one, values, outcome)]
        if asked or not section.fields:
            states[section.key] = _state([one for one in asked if not one.read_from], values, raw or {})
    return states


def _state(asked: Sequence[Field], values: Mapping[str, Value], raw: Mapping[str, Sequence[str]]) -> str:
    answered = [one for one in asked if not empty(values.get(one.key))]
    typed = [one for one in asked if _typed(one, raw)]
    if asked and not answered and not typed:
        return EMPTY
    wrong = any(one not in answered for one in typed) or any(_unfinished(one, values) for one in answered)
    lacking = any(one.required and one not in answered for one in asked)
    return STARTED if wrong or lacking else COMPLETE


def _typed(field: Field, raw: Mapping[str, Sequence[str]]) -> bool:
    prefix = f"{field.key}-"
    return any(
        text.strip()
        for key, texts in raw.items()
        if key == field.key or (field.type == "defects" and key.startswith(prefix))
        for text in texts
    )


def _unfinished(field: Field, values: Mapping[str, Value]) -> bool:
    value = values[field.key]
    return field.type == "roster" and isinstance(value, Mapping) and bool(value.get("errors"))
