"""Rules over several fields."""

from __future__ import annotations

from forms.definition import Field, Rule
from forms.model import Value
from forms.rules import compile_rule
from tests.unit.forms.people import id_number

START = Field(key="a", label="开始", type="date")
END = Field(key="b", label="结束", type="date")


def said(
    name: str, one: Value, two: Value, first: Field = START, second: Field = END, months: int = 0
) -> str:
    return compile_rule(Rule(name=name, fields=("a", "b"), months=months), [first, second])(
        {"a": one, "b": two}
    )


def test_not_before() -> None:
    assert said("not_before", "2026-01-01", "2026-01-01") == ""
    assert said("not_before", "2026-01-02", "2026-01-01") == (
        "结束早于开始：开始是2026年1月2日，结束是2026年1月1日，请核对两个日期"
    )


def test_rules_are_silent_while_something_is_missing() -> None:
    assert said("not_before", None, "2026-01-01") == said("not_before", "2026-01-01", None) == ""


def test_at_most() -> None:
    part, whole = Field(key="a", label="脱贫人数"), Field(key="b", label="职工总数")
    assert said("at_most", 3, 3, part, whole) == ""
    assert (
        said("at_most", 4, 3, part, whole) == "脱贫人数多于职工总数：脱贫人数是 4，职工总数是 3，请核对两个数"
    )
    money = Field(key="b", label="总额", type="money")
    assert "总额是 0.03 元" in said("at_most", 4, 3, part, money)


def test_min_months_counts_full_months() -> None:
    assert said("min_months", "2026-03-01", "2026-05-31", months=3) == ""
    assert said("min_months", "2026-03-01", "2026-05-30", months=3) == (
        "期限不足 3 个月：从2026年3月1日到2026年5月30日，开始到结束应不少于 3 个月，请核对"
    )
    assert said("min_months", "2026-11-30", "2027-02-27", months=3) == ""
    assert said("min_months", "2026-03-01", "2026-02-01", months=3) == ""


def test_working_age() -> None:
    number = Field(key="a", label="身份证号", type="id_number")
    assert said("working_age", id_number(1, "20100301"), "2026-03-01", number, END) == ""
    assert said("working_age", id_number(1, "20100301"), "2026-02-28", number, END) == (
        "结束时未满 16 周岁：当时 15 周岁，请核对身份证号和结束"
    )


def test_different() -> None:
    assert said("different", "x", "y") == ""
    assert said("different", "x", "x") == "结束与开始相同：两项应不同，请核对"
