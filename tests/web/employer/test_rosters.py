"""Rosters that are wrong, and materials: what is said, and what stays as it was."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import select

from tests.factories import workbook
from tests.web.client import Browser
from tests.web.employer.world import (
    GOOD_ROW,
    PDF,
    PNG,
    begin,
    people,
    sheet,
    upload,
    worker,
)
from workflows.base.session import Database
from workflows.cases.check import verify_everything
from workflows.cases.model import Attachment
from workflows.cases.process import newest
from workflows.cases.roster_model import Roster, RosterRow
from workflows.registers.demo_people import id_number


def _workbook(headings: list[str], rows: list[list[Any]], merge: str = "", formula: str = "") -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    page = book.add_worksheet("花名册")
    page.write_row(0, 0, headings)
    for number, row in enumerate(rows, start=1):
        page.write_row(number, 0, row)
    if merge:
        page.merge_range(merge, "王秀兰")
    if formula:
        page.write_formula(formula, "=1+1")
    book.close()
    return target.getvalue()


def _headings(database: Database) -> list[str]:
    with database.reading() as session:
        definition = newest(session, "workshop_recognition").roster
    assert definition is not None
    return [column.label for column in definition.columns]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"MZ\x90\x00" + b"\x00" * 200, "这不是表格，而是一个程序文件"),
        (b"", "请选择填好的花名册"),
        (b"PK\x03\x04 broken", "文件已损坏或不完整"),
    ],
    ids=["a renamed exe", "no file", "a broken file"],
)
def test_what_is_no_spreadsheet_is_refused_in_words(
    zheng: Browser, web_database: Database, content: bytes, said: str
) -> None:
    item = begin(zheng)
    if not content:
        upload(zheng, item, content, status=422)
        assert zheng.page is not None
        page = zheng.page
        assert page.errors
    else:
        upload(zheng, item, content)
        worker(web_database)
        page = zheng.get(f"/employer/steps/{item}/roster")
        assert "没有读成" in page.main
    assert said in page.main
    assert "上传花名册" in page.main


def test_an_empty_sheet_says_where_to_begin(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    upload(zheng, item, _workbook(_headings(web_database), []))
    worker(web_database)
    assert "没有人员" in zheng.get(f"/employer/steps/{item}/roster").main


def test_every_mistake_of_every_row_with_place_and_what_to_do(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    good = id_number(date(1980, 5, 6), 24)
    bad_number = good[:-1] + ("0" if good[-1] != "0" else "1")
    second = [*GOOD_ROW[:1], bad_number, *GOOD_ROW[2:]]
    third = ["李桂英", id_number(date(1981, 1, 1), 5), *GOOD_ROW[2:7], "三月初", *GOOD_ROW[8:]]
    rows = [GOOD_ROW, second, third, ["", id_number(date(1982, 1, 1), 5), *GOOD_ROW[2:]], GOOD_ROW]
    upload(zheng, item, _workbook(_headings(web_database), rows, formula="J4"))
    worker(web_database)
    page = zheng.get(f"/employer/steps/{item}/roster")
    said = page.main
    assert "需要改正" in said
    assert "第 3 行“身份证号”" in said  # the wrong check digit
    assert "第 4 行“合同起”" in said
    assert "第 4 行“近12个月实发工资”" in said  # a formula
    assert "公式" in said
    assert "第 5 行“姓名”" in said
    assert bad_number not in page.source  # shown in part
    assert bad_number[:6] in said
    # one kind alone, by its link
    kinds = {text: href for text, href in page.links().items() if "kind=" in href}
    assert kinds
    text, href = next((text, href) for text, href in kinds.items() if "公式" in text)
    alone = zheng.get(href.split("#")[0])
    assert f"只看“{text}”" in alone.main
    assert "第 5 行“姓名”" not in alone.main
    # the copy with remarks, and the file to begin with
    copy = zheng.fetch(f"/employer/steps/{item}/roster/annotated")
    assert zipfile.is_zipfile(io.BytesIO(copy.data))
    assert "attachment" in copy.headers["Content-Disposition"]
    blank = zheng.fetch(f"/employer/steps/{item}/roster/template")
    assert zipfile.is_zipfile(io.BytesIO(blank.data))


def test_merged_cells_are_named(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    second = ["", id_number(date(1981, 1, 1), 5), *GOOD_ROW[2:]]
    upload(zheng, item, _workbook(_headings(web_database), [GOOD_ROW, second], merge="A2:A3"))
    worker(web_database)
    assert "合并" in zheng.get(f"/employer/steps/{item}/roster").main


def test_a_corrected_upload_replaces_the_bad_rows_alone(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    second = ["李桂英", id_number(date(1981, 1, 1), 5), *GOOD_ROW[2:7], "三月初", *GOOD_ROW[8:]]
    headings = _headings(web_database)
    upload(zheng, item, _workbook(headings, [GOOD_ROW, second]))
    worker(web_database)
    assert "只替换有问题的行" in zheng.get(f"/employer/steps/{item}/roster").main
    # only the row that was wrong comes again
    upload(zheng, item, _workbook(headings, [[*second[:7], "2024-09-01", *second[8:]]]))
    worker(web_database)
    assert "花名册填写正确" in zheng.get(f"/employer/steps/{item}/roster").main
    with web_database.reading() as session:
        current = session.scalars(select(Roster).where(Roster.status == "current")).one()
        names = session.scalars(select(RosterRow).where(RosterRow.roster_id == current.id)).all()
        assert sorted(row.values["name"] for row in names) == ["李桂英", "王秀兰"]


def test_a_row_that_is_no_longer_claimed_can_be_left_out(zheng: Browser, web_database: Database) -> None:
    """A correction keeps what it does not mention, so that a wrong row could never be got rid of."""
    item = begin(zheng)
    headings = _headings(web_database)
    upload(zheng, item, _workbook(headings, [GOOD_ROW, ["合计", "", *GOOD_ROW[2:]]]))
    worker(web_database)
    address = f"/employer/steps/{item}/roster"
    assert "全部换成这份文件" in zheng.get(address).main
    changed = [*GOOD_ROW[:3], "新华镇前进村", *GOOD_ROW[4:]]
    upload(zheng, item, _workbook(headings, [changed]))
    worker(web_database)
    page = zheng.get(address)
    assert "需要改正 1 行" in page.main
    assert "第 2 行原来填写正确，这次填的不一样，没有采用" in page.main

    again = {"file": (io.BytesIO(_workbook(headings, [changed])), "花名册.xlsx"), "how": "whole"}
    zheng.post(address, again)
    worker(web_database)
    page = zheng.get(address)
    assert "花名册填写正确" in page.main
    assert "没有采用" not in page.main
    with web_database.reading() as session:
        current = session.scalars(select(Roster).where(Roster.status == "current")).one()
        rows = session.scalars(select(RosterRow).where(RosterRow.roster_id == current.id)).all()
        assert [row.values["village"] for row in rows] == ["新华镇前进村"]


def test_a_file_that_cannot_be_read_leaves_the_roster_that_is_there(
    zheng: Browser, web_database: Database
) -> None:
    item = begin(zheng)
    upload(zheng, item, sheet(web_database, people(web_database, {"kind": "qualified", "count": 3})))
    worker(web_database)
    upload(zheng, item, b"MZ nothing", "花名册.xlsx")
    worker(web_database)
    page = zheng.get(f"/employer/steps/{item}/roster")
    assert "没有读成" in page.main
    assert "上一次读成的花名册仍然有效" in page.main


def test_uploads_that_come_to_nothing_are_on_record(zheng: Browser, web_database: Database) -> None:
    """Else the auditor is told that somebody smuggled them in."""
    item = begin(zheng)
    good = sheet(web_database, people(web_database, {"kind": "qualified", "count": 3}))
    upload(zheng, item, b"MZ nothing", "花名册.xlsx")
    assert verify_everything(web_database) == []  # not yet read
    worker(web_database)
    upload(zheng, item, good)
    upload(zheng, item, good)  # before the first of the two is read
    worker(web_database)
    with web_database.reading() as session:
        found = session.scalars(select(Roster.status).order_by(Roster.id)).all()
    assert found == ["failed", "replaced", "current"]
    assert verify_everything(web_database) == []


def test_materials_one_bad_file_does_not_spoil_the_others(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    address = f"/employer/steps/{item}/materials"
    page = zheng.refused(
        address,
        {
            "license-upload": [(io.BytesIO(PDF), "营业执照.pdf"), (io.BytesIO(b"MZ"), "病毒.pdf")],
            "photos-upload": (io.BytesIO(PNG), "门头.png"),
            "stay": "license",
        },
    )
    assert len(page.errors) == 1
    assert "“病毒.pdf”没有上传" in page.errors[0]
    assert "营业执照.pdf" in page.main
    assert "门头.png" in page.main
    with web_database.reading() as session:
        keys = {row.material: row.id for row in session.scalars(select(Attachment))}
    page = zheng.submit(address, {"photos-remove": str(keys["photos"]), "stay": "photos"})
    assert "已删除 1 个文件" in page.main
    assert "门头.png" not in page.main
    shown = zheng.fetch(page.links()["营业执照.pdf"])
    assert shown.data == PDF


def test_a_wage_sheet_may_be_a_spreadsheet_and_is_only_downloaded(
    zheng: Browser, web_database: Database
) -> None:
    item = begin(zheng)
    address = f"/employer/steps/{item}/materials"
    wages = workbook(("姓名", "1月"), ("王秀兰", 3200))
    page = zheng.get(address)
    assert ".xlsx" in page.one("input", id="f-wage_proof").get("accept", "")
    assert ".xlsx" not in page.one("input", id="f-license").get("accept", "")
    macro = io.BytesIO(wages)
    with zipfile.ZipFile(macro, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    sent = {
        "wage_proof-upload": [
            (io.BytesIO(wages), "工资表.xlsx"),
            (io.BytesIO(macro.getvalue()), "带宏.xlsx"),
            (io.BytesIO(b"a,b"), "工资表.csv"),
        ],
        "license-upload": (io.BytesIO(wages), "执照.xlsx"),
        "photos-upload": (io.BytesIO(PDF), "照片.pdf"),
    }
    page = zheng.refused(address, sent)
    told = dict(zip(("license", "wage_proof", "photos"), page.errors, strict=True))
    assert "只接受 PDF、JPG、PNG 文件" in told["license"]
    assert "“带宏.xlsx”没有上传：表格带有宏" in told["wage_proof"]
    assert "“工资表.csv”没有上传：只接受 Excel（xlsx）、PDF、JPG、PNG 文件" in told["wage_proof"]
    assert "只接受 JPG、PNG 文件" in told["photos"]
    answer = zheng.fetch(page.links()["工资表.xlsx"])
    assert answer.data == wages
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
