"""Checks over several fields of one form or one row, by the names that definitions use.

A rule sees typed values and is silent while one of its fields is empty or wrong: that was said already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from forms import amounts
from forms.identifiers import ADULT, age_on, id_birth
from forms.model import Field, Rule, Value
from forms.text import message

Finding: TypeAlias = Callable[[Mapping[str, Value]], str]


def compile_rule(rule: Rule, fields: Sequence[Field]) -> Finding:
    """The rule as a function of the answers that returns a Chinese message, empty when all is well.

    :param fields: the fields the rule names, in its order.
    """
    first, second = fields
    if rule.name == "needs":
        return _needs(first, second)
    check = _RULES[rule.name](rule, first, second)

    def finding(values: Mapping[str, Value]) -> str:
        one, two = values.get(first.key), values.get(second.key)
        return "" if one is None or two is None else check(one, two)

    return finding


def _needs(first: Field, second: Field) -> Finding:
    """Who answers the first owes the second: an amount changed by hand its reason."""

    def finding(values: Mapping[str, Value]) -> str:
        if not values.get(first.key) or values.get(second.key) not in (None, ""):
            return ""
        return message(f"没有填写{second.label}", f"填了{first.label}", f"请写明{second.label}")

    return finding


_Check: TypeAlias = Callable[[Value, Value], str]


def _not_before(rule: Rule, first: Field, second: Field) -> _Check:
    def check(start: str, end: str) -> str:
        if end >= start:
            return ""
        return message(
            f"{second.label}早于{first.label}",
            f"{first.label}是{_shown(start)}，{second.label}是{_shown(end)}",
            "请核对两个日期",
        )

    return check


def _at_most(rule: Rule, first: Field, second: Field) -> _Check:
    def check(part: int | str, whole: int | str) -> str:
        if Decimal(part) <= Decimal(whole):
            return ""
        return message(
            f"{first.label}多于{second.label}",
            f"{first.label}是 {_amount(first, part)}，{second.label}是 {_amount(second, whole)}",
            "请核对两个数",
        )

    return check


def _min_months(rule: Rule, first: Field, second: Field) -> _Check:
    def check(start: str, end: str) -> str:
        # An end before the start is not_before's to report.
        if end >= amounts.term_end(start, rule.months) or end < start:
            return ""
        return message(
            f"期限不足 {rule.months} 个月",
            f"从{_shown(start)}到{_shown(end)}",
            f"{first.label}到{second.label}应不少于 {rule.months} 个月，请核对",
        )

    return check


def _working_age(rule: Rule, first: Field, second: Field) -> _Check:
    def check(number: str, day: str) -> str:
        birth = id_birth(number)
        age = age_on(birth, date.fromisoformat(day)) if birth else ADULT
        if age >= ADULT:
            return ""
        return message(
            f"{second.label}时未满 {ADULT} 周岁", f"当时 {age} 周岁", f"请核对{first.label}和{second.label}"
        )

    return check


def _different(rule: Rule, first: Field, second: Field) -> _Check:
    def check(one: Value, two: Value) -> str:
        if one != two:
            return ""
        return message(f"{second.label}与{first.label}相同", "", "两项应不同，请核对")

    return check


def _shown(day: str) -> str:
    return amounts.chinese_date(date.fromisoformat(day))


def _amount(field: Field, number: int | str) -> str:
    return f"{amounts.yuan(int(number))} 元" if field.type == "money" else str(number)


_RULES: Mapping[str, Callable[[Rule, Field, Field], _Check]] = {
    "not_before": _not_before,
    "at_most": _at_most,
    "min_months": _min_months,
    "working_age": _working_age,
    "different": _different,
}
