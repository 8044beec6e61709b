"""What runs inside the bounded process, tried inside this one."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from datetime import datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from forms import _sheet_reader
from forms._sheet_reader import Scan, column_number, heading, limit, plain, serve
from forms.sheet_process import _packages
from tests.unit.forms.files import SHEET, repacked, replacing
from tests.unit.forms.people import LABELS, line, saved, workbook

REQUEST: dict[str, Any] = {"labels": list(LABELS), "sheet": "花名册", "most_rows": 50_000}
GOOD = saved(workbook([line(1), line(2)]))


def served(data: bytes, **more: Any) -> list[Any]:
    out = io.BytesIO()
    serve(REQUEST | more, data, out)
    return [json.loads(one) for one in out.getvalue().splitlines()]


def problem(data: bytes) -> str:
    found = served(data)
    assert len(found) == 1
    return str(found[0]["problem"])


def test_facts_rows_and_end() -> None:
    facts, rows, end = served(GOOD)
    assert facts == {
        "sheet": "花名册",
        "last_row": 3,
        "formulas": [],
        "errors": [],
        "merged": [],
        "starts_in_1904": False,
    }
    assert [number for number, _ in rows] == [1, 2, 3]
    assert rows[1][1][0] == "王小明"
    assert end == {"end": True}


def test_rows_and_columns_count_from_the_corner() -> None:
    book = openpyxl.Workbook()
    book.active["C5"] = "姓名"
    book.active["D7"] = 3
    assert served(saved(book))[1] == [[5, [None, None, "姓名"]], [7, [None, None, None, 3]]]


def test_long_sheets_come_in_chunks() -> None:
    found = served(saved(workbook([line(number) for number in range(600)])))
    assert [len(chunk) for chunk in found[1:-1]] == [500, 101]


def test_an_empty_sheet() -> None:
    assert served(saved(openpyxl.Workbook()))[1:] == [[], {"end": True}]


def test_the_sheet_with_the_headings_is_chosen() -> None:
    book = workbook([line(1)], sheet="第二张")
    first = book.create_sheet("花名册", 0)
    first["A1"] = "说明"
    assert served(saved(book))[0]["sheet"] == "第二张"


def test_the_first_of_equal_sheets_is_chosen_and_pictures_are_no_concern() -> None:
    book = workbook([line(1)], labels=["姓名"], sheet="甲")
    book.create_sheet("乙")["A1"] = "姓名"
    data = repacked(saved(book), {"xl/media/photo.jpg": b"x"})
    assert served(data)[0]["sheet"] == "甲"


def test_hidden_sheets_are_passed_over() -> None:
    book = workbook([line(1)])
    book["花名册"].sheet_state = "hidden"
    book.create_sheet("可见")["A1"] = "x"
    book.create_chartsheet("图")
    assert served(saved(book))[0]["sheet"] == "可见"


def test_without_any_sheet_to_see() -> None:
    data = repacked(GOOD, {"xl/workbook.xml": replacing(b'state="visible"', b'state="hidden"')})
    assert problem(data) == "文件里没有可见的工作表。请取消隐藏，或下载模板填写"


def test_formulas_error_values_and_merged_cells_are_found() -> None:
    book = workbook([line(1), line(2)])
    page = book["花名册"]
    page["H2"] = "=1+1"
    page.merge_cells("A5:B6")
    page.formula_attributes = {}
    data = repacked(
        saved(book),
        {SHEET: replacing(b"</row></sheetData>", b'<c r="J3" t="e"><v>#N/A</v></c></row></sheetData>')},
    )
    facts = served(data)[0]
    assert facts["formulas"] == ["H2"]
    assert facts["errors"] == ["J3"]
    assert facts["merged"] == ["A5:B6"]


def scan(cells: str, tail: str = "", prefix: str = "") -> Scan:
    p = f"{prefix}:" if prefix else ""
    return Scan(
        f"<{p}worksheet><{p}sheetData><{p}row>{cells}</{p}row></{p}sheetData>{tail}</{p}worksheet>".encode()
    )


def test_scanning_the_xml() -> None:
    assert scan('<c r="A1"><f>1</f></c><c r="B1"><f t="array" ref="B1:B9">1</f></c>').formulas == [
        "A1",
        "B1:B9",
    ]
    assert scan('<c r="A1"><v>1</v></c><c><f>1</f></c>').formulas == [""]
    assert scan('<c r="A1"><cx/><f>1</f></c>').formulas == ["A1"]
    assert scan('<c><f>1</f></c><c r="B1"><v>1</v></c>').formulas == [""]
    assert scan('<c r="A1"><v>1</v></c>', "<formula1>1</formula1><f>").formulas == []
    assert scan('<c r="A1"><feed/></c>').formulas == []
    assert scan('<x:c r="C7"><x:f/><x:v>1</x:v></x:c>', prefix="x").formulas == ["C7"]
    assert scan('<x:c r="C7"><x:f/><x:v>1</x:v></x:c>', prefix="x").last_row == 7
    assert scan('<c r="A1" t="inlineStr"><is><t>x</t></is></c>').last_row == 1
    assert scan("<c><v>1</v></c>").last_row == 0
    assert scan("").last_row == 0
    assert Scan(b"nonsense").formulas == []
    assert scan('<c r="AB12" s="1"><v>1</v></c><c r="AC13" s="1"/>').far_column == (28, "AB12")
    assert scan('<c r="A1" t="e"><v>#N/A</v></c><x t="e"/>').errors == ["A1", "A1"]
    assert scan('<x t="e"/>').errors == []


def test_what_stands_far_below_is_not_only_in_the_tail() -> None:
    filler = "<c/>" * 20_000
    assert scan(f'<c r="A9"><v>1</v></c>{filler}').last_row == 9


def test_too_many_formulas() -> None:
    cells = '<c r="A1"><f/></c>' * 20_001
    data = repacked(
        GOOD, {SHEET: f"<worksheet><sheetData><row>{cells}</row></sheetData></worksheet>".encode()}
    )
    assert problem(data).startswith("表中的公式或错误值超过 20000 处")


def test_content_far_off_is_named() -> None:
    book = workbook([line(1)])
    book["花名册"]["A1048576"] = " "
    assert problem(saved(book)).startswith("“花名册”的第 1048576 行还有内容，超出了可以读取的范围")
    book = workbook([line(number) for number in range(400)])
    book["花名册"]["XFD9"] = "x"
    assert problem(saved(book)).startswith("“花名册”的XFD9 单元格还有内容")


def test_definitions_from_outside_are_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>'
    assert problem(repacked(GOOD, {SHEET: bomb})).startswith("文件里有外部定义，系统不予读取")


def test_another_encoding_is_refused() -> None:
    assert problem(repacked(GOOD, {SHEET: "<worksheet/>".encode("utf-16")})).startswith(
        "文件内部的文字编码不对"
    )


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET])
def test_broken_parts(part: str) -> None:
    for content in (b"<broken", None):
        assert problem(repacked(GOOD, {part: content})).startswith("表格内部已损坏，读不出内容")


def test_targets_may_start_at_the_root() -> None:
    relative = repacked(
        GOOD, {"xl/_rels/workbook.xml.rels": lambda xml: xml.replace(b'"/xl/worksheets', b'"worksheets')}
    )
    absolute = repacked(
        relative, {"xl/_rels/workbook.xml.rels": lambda xml: xml.replace(b'"worksheets', b'"/xl/worksheets')}
    )
    assert served(relative) == served(absolute)


def test_relations_without_a_name_and_sheets_without_a_relation() -> None:
    changed = repacked(
        GOOD,
        {
            "xl/_rels/workbook.xml.rels": lambda xml: xml.replace(
                b"</Relationships>", b"<Relationship/></Relationships>"
            ),
            "xl/workbook.xml": lambda xml: xml.replace(
                b"</sheets>", b'<sheet name="z" sheetId="9"/></sheets>'
            ),
        },
    )
    assert problem(changed).startswith("表格内部已损坏")


def test_days_that_count_from_1904() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"date_1904": True})
    page = book.add_worksheet("花名册")
    page.write_datetime(0, 0, datetime(2026, 1, 1), book.add_format({"num_format": "yyyy-mm-dd"}))
    book.close()
    facts, rows, _ = served(buffer.getvalue())
    assert facts["starts_in_1904"] is True
    assert rows == [[1, ["2026-01-01"]]]


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("", None),
        ("字" * 6000, "字" * 5000),
        (3.0, 3),
        (3.5, 3.5),
        (2.2082e17, 2.2082e17),
        (datetime(2026, 1, 2, 8, 30), "2026-01-02"),
        (datetime(2026, 1, 2).date(), "2026-01-02"),
        (True, "是"),
        (False, "否"),
        (7, 7),
        (time(8, 30), "08:30:00"),
    ],
)
def test_cells(cell: object, kept: object) -> None:
    assert plain(cell) == kept


def test_columns_and_headings() -> None:
    assert [column_number(one) for one in ("A", "Z", "AA", "XFD")] == [1, 26, 27, 16384]
    assert heading(" 身份证号*（必填） ") == "身份证号"


def test_limits_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, tuple[int, int]]] = []

    def note(kind: int, most: tuple[int, int]) -> None:
        asked.append((kind, most))
        if kind == resource.RLIMIT_AS:
            raise ValueError("this system does not know it")

    monkeypatch.setattr(resource, "setrlimit", note)
    limit(1000, 7)
    assert (resource.RLIMIT_AS, (1000, 1000)) in asked
    assert (resource.RLIMIT_CPU, (7, 7)) in asked
    assert (resource.RLIMIT_FSIZE, (0, 0)) in asked


def test_main_speaks_through_the_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    # looked up once a process, maybe by a test that is not measured: here it is asked itself
    request = REQUEST | {"size": len(GOOD), "memory": 0, "seconds": 0, "packages": _packages.__wrapped__()}
    out = io.BytesIO()
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(request).encode() + b"\n" + GOOD))
    )
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(_sheet_reader, "limit", lambda memory, seconds: None)
    _sheet_reader.main()
    assert out.getvalue().endswith(b'{"end": true}\n')


def test_the_process_imports_nothing_of_ours() -> None:
    source = Path(_sheet_reader.__file__)
    code = f"import sys, runpy; runpy.run_path({str(source)!r}); print([m for m in sys.modules if m.split('.')[0] in ('forms', 'workflows', 'wtforms', 'yaml')])"
    out = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
