"""The bank's answer as a file: its columns and its reading. Every error of every line at once, with row and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import xlsxwriter

from forms.model import Column, Option, RosterDefinition
from forms.rows import Row
from forms.sheets import read_roster
from workflows.base.errors import Invalid

PAID, BOUNCED = "paid", "bounced"

ANSWER = RosterDefinition(
    file="answer_file.py",
    title="银行回执",
    sheet="回执",
    max_rows=20_000,
    match_on="seq",
    columns=(
        Column(key="batch", label="批次号", required=True, max_length=40, example="ZF220822-2026-1-001"),
        Column(key="seq", label="序号", type="integer", required=True, unique=True, minimum=1, example="1"),
        Column(
            key="amount", label="金额（元）", type="money", required=True, also=("金额",), example="1000.00"
        ),
        Column(
            key="result",
            label="处理结果",
            type="choice",
            required=True,
            also=("结果",),
            options=(
                Option(value=PAID, label="成功"),
                Option(value=BOUNCED, label="退票"),
            ),
            example="成功",
        ),
        Column(key="reason", label="退票原因", max_length=200, also=("失败原因",), example=""),
        Column(key="reference", label="银行流水号", max_length=60, example="2026030200001"),
    ),
    extra_checks=("bounce_says_why",),
)


@dataclass(frozen=True)
class AnswerLine:
    """What the bank says of one line. ``row``: where it stands in the file; ``amount_fen``: whole fen."""

    row: int
    batch: str
    seq: int
    amount_fen: int
    paid: bool
    reason: str
    reference: str


def read_answer(
    content: bytes, today: date, progress: Callable[[int, int], None] | None = None
) -> list[AnswerLine]:
    """Read an answer, XLSX or CSV (UTF-8 or GB18030).

    :param progress: called now and then with how many lines are read, of how many.
    :raises Invalid: with every problem in ``errors["file"]``, one sentence a line.
    :raises forms.sheet_guard.SheetRefused: when the file is no spreadsheet.
    """
    reading = read_roster(
        ANSWER,
        _as_xlsx(content),
        today=today,
        extra_checks={"bounce_says_why": _bounce_says_why},
        progress=progress,
    )
    problems = [*reading.problems, *reading.lines(ANSWER)]
    if problems:
        raise Invalid(
            f"银行回执没有导入：有 {len(problems)} 处需要改正。", {"file": "\n".join(problems[:200])}
        )
    return [
        AnswerLine(
            row.number,
            str(row.values["batch"]),
            int(str(row.values["seq"])),
            int(str(row.values["amount"])),
            row.values["result"] == PAID,
            str(row.values.get("reason") or ""),
            str(row.values.get("reference") or ""),
        )
        for row in reading.rows
    ]


def _bounce_says_why(rows: list[Row]) -> None:
    for row in rows:
        if row.values.get("result") == BOUNCED and not row.values.get("reason"):
            row.add_error("reason", "退票没有写明原因：请按银行回单填写，例如“户名不符”")


def _as_xlsx(content: bytes) -> bytes:
    """A CSV as the one reader knows it; anything else as it came."""
    if content[:2] == b"PK" or b"\0" in content[:4096]:
        return content
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        return content
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet(ANSWER.sheet)
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text), strict=True)):
            for column, cell in enumerate(cells[:60]):
                sheet.write_string(number, column, cell[:1000])
    except csv.Error:
        raise Invalid(
            "银行回执没有导入。", {"file": "文件不是完整的 CSV：可能传输中被截断，请向银行重新索取。"}
        ) from None
    book.close()
    return target.getvalue()
