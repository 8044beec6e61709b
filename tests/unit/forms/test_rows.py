"""Rows as they are kept, and errors grouped for a page."""

from __future__ import annotations

import json

from forms.rows import ErrorGroup, Row, group_errors, place_of
from tests.unit.forms.people import roster

ROSTER = roster()


def test_what_other_rows_say_can_be_taken_back() -> None:
    row = Row(3, warnings={"phone": "甲"}, errors={"name": "没有填写"})
    row.add_warning("phone", "乙")
    row.add_error("id_number", "重复")
    row.add_error("name", "丙")
    assert row.warnings == {"phone": "甲；乙"}
    assert row.errors == {"name": "没有填写；丙", "id_number": "重复"}
    kept = Row.from_json(json.loads(json.dumps(row.to_json())))
    assert kept == row
    kept.forget_across()
    assert kept == Row(3, warnings={"phone": "甲"}, errors={"name": "没有填写"})


def test_errors_by_kind_then_by_row() -> None:
    rows = [
        Row(5, errors={"id_number": "身份证号校验不通过：填的是 1", "name": "没有填写：请填写姓名"}),
        Row(4, errors={"id_number": "身份证号校验不通过：填的是 2；查无此人：x"}),
        Row(
            9,
            errors={"village": "没有填写：请填写户籍村"},
            warnings={"phone": "联系电话与他人相同：x", "gone": "y"},
        ),
    ]
    assert group_errors(ROSTER, rows) == [
        ErrorGroup("身份证号校验不通过", 2, (4, 5)),
        ErrorGroup("身份证号：查无此人", 1, (4,)),
        ErrorGroup("姓名：没有填写", 1, (5,)),
        ErrorGroup("户籍村：没有填写", 1, (9,)),
    ]
    assert group_errors(ROSTER, rows, warnings=True) == [
        ErrorGroup("联系电话与他人相同", 1, (9,)),
        ErrorGroup("gone：y", 1, (9,)),
    ]


def test_places() -> None:
    assert place_of(5, ROSTER.column("name"), "A") == "第 5 行 A 列“姓名”"
    assert place_of(5, ROSTER.column("name")) == "第 5 行“姓名”"
