"""Bad rosters over HTTP: each is answered in words that say where and what to do, and nothing typed is lost.

The other tests of this folder upload single ones on the way through an application; here is the list of them all.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import select

from tests.web.client import Browser, Page
from tests.web.employer.world import GOOD_ROW, SECTIONS, begin, fill_in, upload, worker
from workflows.base.session import Database
from workflows.cases import rosters
from workflows.cases.model import Draft
from workflows.cases.roster_model import Roster, RosterRow
from workflows.registers.demo_people import id_number

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
NUMBER, CONTRACT_FROM, CONTRACT_TO, INCOME = 1, 7, 8, 9


def person(number: int, **changes: Any) -> list[Any]:
    """A row as it should be; ``changes``: by place, as ``c1="…"``."""
    row = list(GOOD_ROW)
    row[0], row[NUMBER] = (
        f"王秀{'兰英梅芳'[number % 4]}",
        id_number(date(1980, 5, 6) + timedelta(days=number // 500), 100 + number % 500),
    )
    row[4] = f"138{number:08d}"
    for place, value in changes.items():
        row[int(place[1:])] = value
    return row


def book(
    headings: list[str], rows: list[list[Any]], shape: Callable[[Any, Any], None] | None = None
) -> bytes:
    """A workbook as Excel writes it; ``shape`` does to it what people do."""
    target = io.BytesIO()
    workbook = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = workbook.add_worksheet("花名册")
    day = workbook.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(0, 0, headings)
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            if isinstance(value, datetime):
                sheet.write_datetime(number, place, value, day)
            else:
                sheet.write(number, place, value)
    if shape is not None:
        shape(workbook, sheet)
    workbook.close()
    return target.getvalue()


def read(browser: Browser, database: Database, item: int, content: bytes, name: str = "花名册.xlsx") -> Page:
    """Upload, let the worker read, and look."""
    upload(browser, item, content, name)
    worker(database)
    return browser.get(f"/employer/steps/{item}/roster")


def in_force(database: Database) -> list[str]:
    """The names on the roster that counts."""
    with database.reading() as session:
        roster = session.scalars(select(Roster).where(Roster.status == "current")).one_or_none()
        if roster is None:
            return []
        rows = session.scalars(
            select(RosterRow).where(RosterRow.roster_id == roster.id).order_by(RosterRow.number)
        )
        return [str(row.raw.get("name") or row.values.get("name", "")) for row in rows]


def zipped(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return target.getvalue()


# Files that are no roster --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"MZ\x90\x00" + b"\x00" * 200, "花名册.xlsx", "这不是表格，而是一个程序文件"),
        (b"\x7fELF" + b"\x00" * 200, "花名册.xlsx", "这不是表格，而是一个程序文件"),
        (OLE + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600, "花名册.xlsx", "表格设有打开密码"),
        (OLE + b"\0" * 600, "花名册.xls", "这是旧版表格"),
        (b"%PDF-1.7\n", "花名册.xlsx", "这不是表格，而是一个 PDF 文件"),
        (b"\x89PNG\r\n\x1a\n", "花名册.xlsx", "这不是表格，而是一张图片"),
        ("姓名,身份证号\n王秀兰,1\n".encode("gb18030"), "花名册.csv", "这是文本文件（如 CSV）"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "花名册.xls", "这是网页格式的表格"),
        (b"PK\x03\x04 broken", "花名册.xlsx", "文件已损坏或不完整"),
        (zipped(word__document_dot_xml=b"<w/>"), "花名册.xlsx", "而是一个 Word 文档"),
        (zipped(photo_dot_jpg=b"x"), "花名册.xlsx", "这是压缩包，不是表格"),
        (
            zipped(
                xl__workbook_dot_xml=b"<x/>",
                **{"[Content_Types]_dot_xml": b"<x/>", "xl__vbaProject_dot_bin": b"x"},
            ),
            "花名册.xlsm",
            "表格带有宏",
        ),
    ],
    ids=["exe", "elf", "password", "xls", "pdf", "png", "csv", "html", "broken", "docx", "zip", "macros"],
)
def test_every_kind_of_file_is_called_by_its_name(
    zheng: Browser, web_database: Database, content: bytes, name: str, said: str
) -> None:
    item = begin(zheng)
    page = read(zheng, web_database, item, content, name)
    assert said in page.main
    assert "没有读成" in page.main
    assert "上传花名册" in page.main, "one can go on at once"
    assert in_force(web_database) == []
    assert "上次上传的文件没有读成" in zheng.get(f"/employer/steps/{item}").main


def test_sheets_without_people_or_without_headings(
    zheng: Browser, web_database: Database, headings: list[str]
) -> None:
    item = begin(zheng)
    assert "没有人员" in read(zheng, web_database, item, book(headings, [])).main
    assert "没有人员" in read(zheng, web_database, item, book(headings, [[""] * 13, [" "] * 13])).main
    for rows in ([], [person(1)]):
        page = read(zheng, web_database, item, book(["第一列", "第二列"], rows))
        assert "没有读成" in page.main
        assert "模板" in page.main
    missing = [one for one in headings if one != "身份证号"]
    page = read(zheng, web_database, item, book(missing, [person(1)]))
    assert "身份证号" in page.main
    assert "没有读成" in page.main
    assert in_force(web_database) == []


# Cells ---------------------------------------------------------------------------------------------------------------


def wrong_digit(number: str) -> str:
    return number[:-1] + ("0" if number[-1] != "0" else "1")


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        ({"c1": wrong_digit(id_number(date(1980, 5, 6), 777))}, "第 3 行“身份证号”", "校验"),
        ({"c1": "22082219800506"}, "第 3 行“身份证号”", "18"),
        ({"c1": 220822198005061230}, "第 3 行“身份证号”", "文本"),
        ({"c1": ""}, "第 3 行“身份证号”", "填"),
        ({"c0": ""}, "第 3 行“姓名”", "填"),
        ({"c7": "三月初"}, "第 3 行“合同起”", "2"),
        ({"c7": "2024-02-30"}, "第 3 行“合同起”", ""),
        ({"c8": "2024-01-01"}, "第 3 行“合同止”", ""),
        ({"c9": "九千六"}, "第 3 行“近12个月实发工资”", ""),
        ({"c2": "贫困户"}, "第 3 行“", "脱贫"),
        ({"c6": "口头"}, "第 3 行“合同类型”", "就业协议"),
    ],
    ids=[
        "check digit",
        "too short",
        "number as a number",
        "no number",
        "no name",
        "no date",
        "no such day",
        "ends before it begins",
        "no amount",
        "no such category",
        "no such contract",
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column(
    zheng: Browser,
    web_database: Database,
    headings: list[str],
    change: dict[str, Any],
    place: str,
    said: str,
) -> None:
    item = begin(zheng)
    page = read(zheng, web_database, item, book(headings, [person(1), person(2, **change), person(3)]))
    assert place in page.main
    assert said in page.main
    assert "需要改正" in page.main
    assert len(in_force(web_database)) == 3, "the right rows stay as they are"
    assert "2 行" not in page.one("h1").itertext()


def test_dates_are_understood_however_they_are_typed(
    zheng: Browser, web_database: Database, headings: list[str]
) -> None:
    item = begin(zheng)
    typed = ["2024-09-01", "2024/9/1", "2024.9.1", "2024年9月1日", "20240901", datetime(2024, 9, 1)]
    rows = [person(number, c7=one) for number, one in enumerate(typed)]
    page = read(zheng, web_database, item, book(headings, rows))
    assert "花名册填写正确" in page.main
    with web_database.reading() as session:
        found = {str(row.values["contract_from"]) for row in session.scalars(select(RosterRow))}
    assert found == {"2024-09-01"}


def test_the_same_person_twice_names_the_other_row(
    zheng: Browser, web_database: Database, headings: list[str]
) -> None:
    item = begin(zheng)
    twice = [person(1), person(2), person(1, c0="王秀兰")]
    page = read(zheng, web_database, item, book(headings, twice))
    assert "第 4 行“身份证号”" in page.main
    assert "第 2 行" in page.main
    assert id_number(date(1980, 5, 6), 101) not in page.source, "the number itself is shown in part"


def test_formulas_and_merged_cells_are_named(
    zheng: Browser, web_database: Database, headings: list[str]
) -> None:
    item = begin(zheng)

    def shaped(workbook: Any, sheet: Any) -> None:
        sheet.write_formula("J2", "=800*12")
        sheet.merge_range("A3:A4", "王秀英")

    page = read(zheng, web_database, item, book(headings, [person(1), person(2), person(3)], shaped))
    assert "第 2 行“近12个月实发工资”" in page.main
    assert "公式" in page.main
    assert "合并" in page.main


def test_what_is_wrong_in_the_file_leaves_the_form_alone(
    zheng: Browser, web_database: Database, headings: list[str]
) -> None:
    item = begin(zheng)
    fill_in(zheng, item)
    good = read(zheng, web_database, item, book(headings, [person(1), person(2), person(3)]))
    assert "花名册填写正确" in good.main
    with web_database.reading() as session:
        typed = dict(session.get_one(Draft, item).raw)
    page = read(zheng, web_database, item, b"MZ nothing")
    assert "上一次读成的花名册仍然有效" in page.main
    upload(zheng, item, b"", status=422)
    assert len(in_force(web_database)) == 3
    with web_database.reading() as session:
        assert session.get_one(Draft, item).raw == typed
    section = zheng.get(f"/employer/steps/{item}/form/premises")
    assert section.one("input", name="industry").get("value") == SECTIONS["premises"]["industry"]


# Many ----------------------------------------------------------------------------------------------------------------


def test_five_thousand_rows_with_progress(
    zheng: Browser, web_database: Database, headings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    item = begin(zheng)
    rows = [person(number) for number in range(5000)]
    rows[4000][CONTRACT_FROM] = "三月初"
    upload(zheng, item, book(headings, rows))
    waiting = zheng.get(f"/employer/steps/{item}/roster")
    assert waiting.title.startswith("正在读取花名册") or "正在读取花名册" in waiting.text
    assert waiting.all("progress")
    seen: list[dict[str, Any]] = []
    stage = rosters._stage

    def looked(*arguments: Any) -> None:
        answer = zheng.client.get(f"/employer/steps/{item}/roster/progress")
        seen.append(answer.json)  # type: ignore[arg-type]
        stage(*arguments)

    monkeypatch.setattr(rosters, "_stage", looked)
    worker(web_database)
    done = [one["done"] for one in seen]
    assert len(done) == 5000 / rosters.CHUNK, "in pieces, so that others get their turn"
    assert done == sorted(done)
    assert done[0] < done[-1] < 5000
    assert {one["total"] for one in seen} == {5000}
    assert not any(one["finished"] for one in seen)
    last = zheng.client.get(f"/employer/steps/{item}/roster/progress").json
    assert last is not None
    assert (last["finished"], last["done"], last["total"]) == (True, 5000, 5000)
    page = zheng.get(last["href"])
    assert "第 4002 行“合同起”" in page.main
    assert len(in_force(web_database)) == 5000
