"""Months as people list them in a cell."""

from __future__ import annotations

from datetime import date

import pytest

from forms.checks import compile_field
from forms.model import Column
from forms.months import parse_months

TODAY = date(2026, 3, 2)
CHECK = compile_field(Column(key="paid_months", label="已发工资月份", checks=("months_list",)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-01、2026-02", [(2026, 1), (2026, 2)]),
        ("2025年10月，2025年11月", [(2025, 10), (2025, 11)]),
        ("202510 202511", [(2025, 10), (2025, 11)]),
        ("2026/1;2026.2", [(2026, 1), (2026, 2)]),
        ("", []),
    ],
)
def test_the_usual_ways_to_write_them(text: str, found: list[tuple[int, int]]) -> None:
    assert parse_months(text) == found


@pytest.mark.parametrize("part", ["一月", "2026-13", "1999-01", "2026-00", "26-1"])
def test_what_is_no_month_is_named(part: str) -> None:
    with pytest.raises(ValueError, match=part):
        parse_months(f"2026-01、{part}")


def test_a_cell_is_kept_in_one_form() -> None:
    assert CHECK("2026年2月，2025-12", TODAY) == ("2025-12、2026-02", "", "")
    assert CHECK(None, TODAY) == (None, "", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [("2026-01、正月", "月份写法不对"), ("2026-01、2026-1", "写了两次"), ("2026-04", "还没有到")],
)
def test_a_wrong_cell_says_what_to_do(text: str, said: str) -> None:
    value, error, warning = CHECK(text, TODAY)
    assert value is None
    assert said in error
    assert not warning
