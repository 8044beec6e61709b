"""Lists as Excel workbooks. Every text is written as text: nothing that somebody typed is run as a formula."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import xlsxwriter

#: A column: heading, and ``text``, ``amount`` (fen), ``number`` or ``day``.
Column = tuple[str, str]


#: Name of a sheet, its columns, its rows.
Sheet = tuple[str, Sequence[Column], Sequence[Sequence[Any]]]


def sheet(title: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook of one sheet."""
    return book([(title, columns, rows)])


def book(sheets: Sequence[Sheet]) -> bytes:
    """A workbook; each sheet has a heading row that stays in view."""
    target = io.BytesIO()
    made = xlsxwriter.Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    bold = made.add_format({"bold": True, "bottom": 1})
    amount = made.add_format({"num_format": "#,##0.00"})
    for title, columns, rows in sheets:
        _write(made.add_worksheet(title), columns, rows, bold, amount)
    made.close()
    return target.getvalue()


def _write(
    page: Any, columns: Sequence[Column], rows: Sequence[Sequence[Any]], bold: Any, amount: Any
) -> None:
    for place, (heading, kind) in enumerate(columns):
        page.write_string(0, place, heading, bold)
        page.set_column(place, place, 16 if kind != "text" else 24, amount if kind == "amount" else None)
    for number, row in enumerate(rows, 1):
        for place, ((_, kind), value) in enumerate(zip(columns, row, strict=True)):
            if value is None:
                continue
            if kind == "amount":
                page.write_number(number, place, value / 100, amount)
            elif kind == "number":
                page.write_number(number, place, value)
            else:
                page.write_string(number, place, value.isoformat() if isinstance(value, date) else str(value))
    page.freeze_panes(1, 0)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
