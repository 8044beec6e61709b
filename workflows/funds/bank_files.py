"""The file a bank gets: one line a payment, control totals and a digest in front. Layouts are configuration
(``layouts.yaml``); what a spreadsheet would run as a formula is written as text."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import Any

import xlsxwriter

from workflows.base import yaml_text
from workflows.base.files import XLSX

CSV = "text/csv"


@dataclass(frozen=True)
class BankLine:
    """One payment. ``amount_fen``: whole fen."""

    seq: int
    amount_fen: int
    payee_name: str
    account_number: str
    bank_name: str


@dataclass(frozen=True)
class Layout:
    """How a bank wants its file. ``columns``: (key, title) in order."""

    key: str
    title: str
    format: str
    encoding: str
    columns: tuple[tuple[str, str], ...]


def _read() -> Mapping[str, Layout]:
    raw = yaml_text.load(files("workflows.funds").joinpath("layouts.yaml").read_text(encoding="utf-8"))
    return {
        key: Layout(
            key,
            one["title"],
            one["format"],
            one.get("encoding", "utf-8"),
            tuple((column["key"], column["title"]) for column in one["columns"]),
        )
        for key, one in raw.items()
    }


LAYOUTS = _read()


def write(layout_key: str, batch: str, day: date, lines: Sequence[BankLine]) -> tuple[bytes, str, str]:
    """The file of a batch: content, name, media type. The same lines give the same bytes."""
    layout = LAYOUTS[layout_key]
    rows = [[_cell(key, batch, day, line) for key, _ in layout.columns] for line in lines]
    digest = hashlib.sha256("\n".join("\t".join(row) for row in rows).encode()).hexdigest()
    totals = [
        "控制数",
        batch,
        str(len(lines)),
        _yuan(sum(line.amount_fen for line in lines)),
        digest,
    ]
    titles = [title for _, title in layout.columns]
    if layout.format == "xlsx":
        return _xlsx(totals, titles, rows, day), f"{batch}.xlsx", XLSX
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerows([totals, titles, *rows])
    return target.getvalue().encode(layout.encoding), f"{batch}.csv", CSV


def _cell(key: str, batch: str, day: date, line: BankLine) -> str:
    values = {
        "batch": batch,
        "seq": str(line.seq),
        "name": line.payee_name,
        "account": line.account_number,
        "bank": line.bank_name,
        "amount": _yuan(line.amount_fen),
        "amount_fen": str(line.amount_fen),
        "day": day.isoformat(),
    }
    text = values[key]
    # names and banks are typed by people: a leading sign would be run as a formula by a spreadsheet
    return f"'{text}" if text[:1] in "=+-@\t\r" and key in ("name", "bank", "account") else text


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _xlsx(totals: Sequence[str], titles: Sequence[str], rows: Sequence[Sequence[str]], day: date) -> bytes:
    target = io.BytesIO()
    options: dict[str, Any] = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(target, options)
    # a clock inside the file would make two writings differ
    book.set_properties({"created": datetime.combine(day, time(), UTC)})
    sheet = book.add_worksheet("支付明细")
    for number, row in enumerate([totals, titles, *rows]):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text)
    sheet.set_column(0, len(titles), 22)
    book.close()
    return target.getvalue()
