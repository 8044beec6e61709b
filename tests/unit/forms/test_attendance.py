"""Attendance as sites write it, the 31 columns of a month, and what a payroll's form and rows ask for."""

from __future__ import annotations

from typing import Any

import pytest

from forms.checks import Cell, compile_field
from forms.definition import Field, load_roster
from forms.rules import compile_rule
from forms.show import display
from tests.unit.forms.people import TODAY
from workflows.base.errors import CatalogueError

SHEET = """
title: 考勤
columns:
  - {key: name, label: 姓名, required: true}
  - {key: day, label: 日, type: attendance, calendar: true, width: 5}
  - {key: other, label: 其他扣款, type: money}
  - {key: other_name, label: 其他扣款名称}
row_checks:
  - {check: needs, fields: [other, other_name]}
"""


def checked(kind: str, cell: Cell, **more: Any) -> tuple[Any, str, str]:
    return compile_field(Field(key="k", label="甲项", type=kind, **more))(cell, TODAY)


@pytest.mark.parametrize(
    ("cell", "hundredths"),
    [
        ("√", 100),
        ("1", 100),
        (1, 100),
        (0.5, 50),
        ("半", 50),
        ("7.25小时", 725),
        ("×", None),
        ("休", None),
        (0, None),
        ("", None),
    ],
)
def test_a_day_as_a_site_writes_it(cell: Cell, hundredths: int | None) -> None:
    assert checked("attendance", cell) == (hundredths, "", "")


@pytest.mark.parametrize(
    ("cell", "error"),
    [("来了", "考勤写法不对"), ("0.333", "考勤写法不对"), (25, "数值过大"), ("-1", "数值过小")],
)
def test_a_day_that_is_none(cell: Cell, error: str) -> None:
    value, said, _ = checked("attendance", cell)
    assert value is None
    assert said.startswith(error)


@pytest.mark.parametrize(
    ("cell", "value", "error"),
    [
        ("2026-05", "2026-05", ""),
        ("2026年5月", "2026-05", ""),
        ("五月", None, "月份写法不对"),
        ("2026-04、2026-05", None, "月份写法不对"),
        ("2099-01", None, "这个月还没有到"),
    ],
)
def test_one_month(cell: str, value: str | None, error: str) -> None:
    found, said, _ = checked("text", cell, checks=("month",))
    assert found == value
    assert said.startswith(error)


def test_a_month_has_31_columns_and_shows_days_as_people_write_them() -> None:
    roster = load_roster(SHEET, "check.yaml")
    days = roster.calendar("day")
    assert [column.day for column in days] == list(range(1, 32))
    assert (days[0].key, days[0].label, days[30].key) == ("day_01", "1日", "day_31")
    assert roster.calendar("night") == ()
    assert [display(days[0], value) for value in (100, 50, 725)] == ["1", "0.5", "7.25"]


def test_only_attendance_is_spread_over_a_month() -> None:
    with pytest.raises(CatalogueError, match="calendar"):
        load_roster(SHEET.replace("type: attendance", "type: integer"), "check.yaml")


def test_who_fills_in_the_one_owes_the_other() -> None:
    roster = load_roster(SHEET, "check.yaml")
    finding = compile_rule(roster.rules[0], [roster.column("other"), roster.column("other_name")])
    assert finding({}) == ""
    assert finding({"other": 500, "other_name": "工具费"}) == ""
    assert finding({"other": 500}).startswith("没有填写其他扣款名称")
