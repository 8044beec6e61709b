"""Named people and a roster for the tests of this room. All of them are invented."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import openpyxl

from forms.definition import Option, RosterDefinition, load_roster
from forms.identifiers import id_check_digit

TODAY = date(2026, 11, 24)

ROSTER = """
title: 务工人员花名册
notes: [一人一行，不要合并单元格。, 身份证号按文本填写。]
match_on: id_number
name_column: name
columns:
  - {key: name, label: 姓名, required: true, check: [person_name], example: 张三, width: 12}
  - {key: id_number, label: 身份证号, type: id_number, required: true, check: [worker_age], unique: true,
     example: "220822199001011232", also: [证件号码], width: 22}
  - {key: category, label: 人员类别, type: choice, required: true, example: 脱贫人口,
     options: [{value: poverty, label: 脱贫人口}, {value: monitored, label: 监测对象}]}
  - {key: village, label: 户籍村, options_from: villages}
  - {key: phone, label: 联系电话, type: phone, shared: true}
  - {key: start, label: 合同开始, type: date, required: true, hint: 合同上写的日期}
  - {key: end, label: 合同结束, type: date, required: true}
  - {key: wages, label: 工资总额, type: money}
  - {key: insured, label: 是否参保, type: boolean}
  - {key: insurance_no, label: 参保编号, required: true, show_if: {field: insured, equals: true}}
row_checks:
  - {check: not_before, fields: [start, end]}
  - {check: min_months, fields: [start, end], months: 3, level: warning}
"""

VILLAGES = {"villages": [Option("v1", "东升村"), Option("v2", "西岭村")]}

LABELS = (
    "姓名",
    "身份证号",
    "人员类别",
    "户籍村",
    "联系电话",
    "合同开始",
    "合同结束",
    "工资总额",
    "是否参保",
    "参保编号",
)


def roster() -> RosterDefinition:
    """The roster above."""
    return load_roster(ROSTER, "roster.yaml")


def id_number(serial: int, born: str = "19900101") -> str:
    """A checksum-valid ID number of nobody."""
    first17 = f"220822{born}{serial:03d}"
    return first17 + id_check_digit(first17)


def line(serial: int, **changes: Any) -> dict[str, Any]:
    """A good line of the roster, by key."""
    return {
        "name": "王小明",
        "id_number": id_number(serial),
        "category": "脱贫人口",
        "village": "东升村",
        "phone": f"1380438{serial:04d}",
        "start": "2026-03-01",
        "end": "2027-02-28",
        "wages": "4,000.00",
        "insured": "否",
        "insurance_no": None,
    } | changes


def workbook(
    lines: Sequence[Mapping[str, Any]],
    *,
    labels: Sequence[str] = LABELS,
    above: Sequence[Sequence[Any]] = (),
    sheet: str = "花名册",
) -> openpyxl.Workbook:
    """A workbook with headings and these lines."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for row in (*above, labels, *(list(one.values()) for one in lines)):
        page.append(list(row))
    return book


def saved(book: openpyxl.Workbook) -> bytes:
    """The workbook as a file."""
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
