"""Rosters of demonstration people as workbooks."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import openpyxl

from workflows.registers.demo_people import people
from workflows.registers.demo_roster import person_values, roster_workbook

COLUMNS = [
    ("name", "姓名"),
    ("id_number", "身份证号"),
    ("identity_category", "类别"),
    ("contract_from", "合同开始"),
    ("wage", "月工资"),
    ("post", "岗位"),
]


def test_a_workbook_holds_what_was_said_with_numbers_of_people_as_text() -> None:
    person = people(6)[0]
    row = person_values(person, "示范镇前进村") | {"contract_from": date(2026, 1, 1), "wage": 2500}
    page = openpyxl.load_workbook(BytesIO(roster_workbook(COLUMNS, [row], title="花名册"))).active
    cells = [[cell.value for cell in line] for line in page.iter_rows()]
    assert cells[0][0] == "花名册"
    assert cells[1] == [label for _, label in COLUMNS]
    assert cells[2][:3] == [person.name, person.id_number, "脱贫人口"]
    assert cells[2][3].date() == date(2026, 1, 1)
    assert cells[2][4:] == [2500, None]


def test_without_a_title_the_headings_come_first() -> None:
    page = openpyxl.load_workbook(BytesIO(roster_workbook(COLUMNS, [], sheet="名单"))).active
    assert page.title == "名单"
    assert page["A1"].value == "姓名"


def test_an_ordinary_villager_has_no_category() -> None:
    ordinary = next(person for person in people(6) if person.category is None)
    assert person_values(ordinary)["identity_category"] == ""
