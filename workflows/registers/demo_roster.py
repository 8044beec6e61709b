"""A roster of demonstration people as a workbook, for tests, the scenario runner and the demonstration script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from io import BytesIO

import xlsxwriter

from workflows.registers.demo_people import DemoPerson
from workflows.registers.model import IDENTITY_CATEGORIES

#: What a cell may hold. Dates are written as dates, text as text: an ID number stays whole.
Cell = str | int | float | date | None


def person_values(person: DemoPerson, village: str = "") -> dict[str, Cell]:
    """What any roster asks of a person, by the keys its columns usually have."""
    return {
        "name": person.name,
        "id_number": person.id_number,
        "identity_category": IDENTITY_CATEGORIES.get(person.category or "", ""),
        "village": village,
        "household": person.household,
        "phone": person.phone,
        "bank_account": person.bank_account,
        "card": person.bank_account,
    }


def roster_workbook(
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Mapping[str, Cell]],
    *,
    sheet: str = "花名册",
    title: str = "",
) -> bytes:
    """An xlsx file with one sheet: a title if given, the headings, one row a person.

    :param columns: key and heading of each column.
    :param rows: key → cell; a key without a column is left out, a column without a value stays empty.
    """
    target = BytesIO()
    book = xlsxwriter.Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    page = book.add_worksheet(sheet)
    text, day = book.add_format({"num_format": "@"}), book.add_format({"num_format": "yyyy-mm-dd"})
    top = 0
    if title:
        page.write_string(0, 0, title)
        top = 1
    for place, (key, label) in enumerate(columns):
        page.write_string(top, place, label)
        for number, row in enumerate(rows, start=top + 1):
            value = row.get(key)
            if value is None:
                continue
            if isinstance(value, str):
                page.write_string(number, place, value, text)
            elif isinstance(value, date):
                page.write_datetime(number, place, value, day)
            else:
                page.write_number(number, place, value)
    book.close()
    return target.getvalue()
