"""Rosters as a clerk fills them in: into the template that was downloaded."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import openpyxl

from workflows.base.session import Database
from workflows.registers.demo_county import load
from workflows.registers.demo_people import DemoPerson, listed
from workflows.registers.demo_roster import person_values

#: What everybody on the roster has in common.
USUAL = {
    "岗位": "编织工",
    "合同类型": "就业协议",
    "合同起": "2025-08-01",
    "合同止": "2026-07-31",
    "近12个月实发工资": "9600.00",
    "已发工资月数": "8",
    "月均工资": "1200.00",
    "一年约干几个月": "8",
}


def villagers(database: Database, first: int, count: int) -> list[dict[str, Any]]:
    """People of the county's list, as rows of the roster by heading."""
    with database.reading() as session:
        county = load(session, demonstration=True)
        return [
            _row(person, county.village_of(person)) for person in listed(county.people)[first : first + count]
        ]


def claimants(database: Database, first: int, count: int) -> list[dict[str, Any]]:
    """The same people as rows of a claim for 一次性奖补."""
    kept = ("姓名", "身份证号", "类别", "户籍村", "联系电话", "岗位", "合同类型", "合同起", "合同止")
    paid = {"已发工资月份": "2025-10、2025-11、2026-01", "上述月份实发工资合计": "3600.00"}
    return [{**{key: row[key] for key in kept}, **paid} for row in villagers(database, first, count)]


def _row(person: DemoPerson, village: str) -> dict[str, Any]:
    values = person_values(person, village)
    return {
        "姓名": values["name"],
        "身份证号": values["id_number"],
        "类别": values["identity_category"],
        "户籍村": values["village"],
        "联系电话": values["phone"],
        **USUAL,
    }


def fill_template(template: Path, rows: list[dict[str, Any]], target: Path) -> Path:
    """Write the rows under the template's own headings and its example."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl drops what it does not know of a sheet; Excel would not
        book = openpyxl.load_workbook(template)
    sheet = book.active
    top, places = next(
        (cells[0].row, {str(cell.value).rstrip("*"): cell.column for cell in cells if cell.value})
        for cells in sheet.iter_rows()
        if any(str(cell.value).rstrip("*") == "姓名" for cell in cells)
    )
    for number, row in enumerate(rows, start=top + 2):
        for heading, value in row.items():
            sheet.cell(number, places[heading], value)
    book.save(target)
    return target
