"""Lists as Excel workbooks. Every text is written as text: nothing that somebody typed is run as a formula."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

import xlsxwriter
from flask import Response

from workflows.base.files import XLSX

#: A column: heading, and ``text``, ``amount`` (fen), ``number`` or ``day``.
Column = tuple[str, str]


def sheet(title: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> bytes:
    """One sheet with a heading row that stays in view."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    page = book.add_worksheet(title)
    bold = book.add_format({"bold": True, "bottom": 1})
    amount = book.add_format({"num_format": "#,##0.00"})
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
    book.close()
    return target.getvalue()


def download(content: bytes, name: str) -> Response:
    """The workbook as an attachment."""
    answer = Response(content, mimetype=XLSX)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return answer
