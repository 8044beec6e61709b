"""Files that somebody made to do harm: too large in one way or another, two things at once, or with a name that is a path."""

from __future__ import annotations

import io
import re
import resource
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from tests.web.client import Browser
from tests.web.employer.test_bad_rosters import book, in_force, person, read
from tests.web.employer.world import PDF, PNG, begin
from workflows.base.files import StoredFile
from workflows.base.session import Database

_SHEET = "xl/worksheets/sheet1.xml"


def with_sheet(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook whose sheet is another."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in source.namelist():
            made.writestr(name, change(source.read(name)) if name == _SHEET else source.read(name))
    return target.getvalue()


def with_rows(sheet: bytes, count: int, row: str) -> bytes:
    """So many rows more; ``row`` holds ``{n}`` for its number."""
    more = "".join(row.replace("{n}", str(number)) for number in range(3, count + 3))
    return (
        sheet.replace(b"</sheetData>", more.encode() + b"</sheetData>")
        .replace(b"<dimension ", b"<dimension_ ")
        .replace(b"dimension_ ref", b"dimension ref")
    )


@pytest.fixture
def web_database(published_database: Database) -> Database:
    return published_database


def large(headings: list[str], kind: str) -> bytes:
    good = book(headings, [person(1)])
    cells = {
        "a hundred thousand rows": (100_000, '<row r="{n}"><c><v>1</v></c></row>'),
        "a million empty cells": (50_000, '<row r="{n}">' + '<c s="1"/>' * 20 + "</row>"),
        "a row far away": (1, '<row r="1048570"><c r="XFD1048570" t="inlineStr"><is><t>x</t></is></c></row>'),
    }
    count, row = cells[kind]
    return with_sheet(good, lambda sheet: with_rows(sheet, count, row))


def bomb(headings: list[str], kind: str) -> bytes:
    good = book(headings, [person(1)])
    if kind == "it says how large it is":
        return with_sheet(good, lambda sheet: sheet + b" " * 250_000_000)
    packed = with_sheet(
        good, lambda sheet: sheet.replace(b"</sheetData>", b" " * 120_000_000 + b"</sheetData>")
    )
    # the directory and the part's own head say that it is small
    for place in [found.start() for found in re.finditer(re.escape(_SHEET.encode()), packed)]:
        for head, size in ((30, 22), (46, 24)):
            begins = place - head
            if packed[begins : begins + 4] in (b"PK\x03\x04", b"PK\x01\x02"):
                packed = packed[: begins + size] + (1_000).to_bytes(4, "little") + packed[begins + size + 4 :]
    return packed


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("a hundred thousand rows", "人员超过 5000 行"),
        ("a row far away", "第 1048570 行还有内容"),
        ("a million empty cells", "读到 1 人"),
    ],
)
def test_a_sheet_too_large_says_so_and_a_padded_one_is_read(
    zheng: Browser,
    web_database: Database,
    headings: list[str],
    kind: str,
    said: str,
) -> None:
    began = time.process_time()
    page = read(zheng, web_database, begin(zheng), large(headings, kind))
    assert said in page.main
    assert time.process_time() - began < 20, "of this process: the child has limits of its own"
    assert len(in_force(web_database)) == ("读到" in said)


@pytest.mark.parametrize("kind", ["it says how large it is", "it does not"])
def test_a_bomb_is_not_unpacked(
    zheng: Browser,
    web_database: Database,
    headings: list[str],
    kind: str,
) -> None:
    content = bomb(headings, kind)
    assert len(content) < 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    page = read(zheng, web_database, begin(zheng), content)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert "没有读成" in page.main
    assert in_force(web_database) == []
    assert grown < 100_000, "kilobytes"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../../etc/passwd.xlsx", "passwd.xlsx"),
        ("花名册\u202exslx.exe", "花名册xslx.exe"),
        ("花\u200b名\u0000册.xlsx", "花名册.xlsx"),
        ("<b>花名册</b>.xlsx", "b>.xlsx"),
        ("a'; filename=x.html", "a'; filename=x.html"),
        ("长" * 300 + ".xlsx", "长" * 100 + ".xlsx"),
        ("..", "未命名"),
    ],
)
def test_a_name_is_shown_and_nothing_else(
    zheng: Browser,
    web_database: Database,
    name: str,
    shown: str,
) -> None:
    item = begin(zheng)
    address = f"/employer/steps/{item}/materials"
    page = zheng.submit(address, {"license-upload": (io.BytesIO(PDF), name), "stay": "license"})
    assert shown in page.links()
    with web_database.reading() as session:
        stored = session.scalars(select(StoredFile).order_by(StoredFile.id.desc())).first()
    assert stored is not None
    assert stored.name == shown
    assert re.fullmatch(r"[\w-]{43}", stored.token), "where it lies has nothing to do with its name"
    answer = zheng.fetch(page.links()[shown])
    disposition = answer.headers["Content-Disposition"]
    assert re.match(r"(inline|attachment); filename", disposition)
    assert "\n" not in disposition
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


#: Content that is two things at once → what it is taken for, or why it is not taken.
POLYGLOTS = {
    "a page that is a PDF later on": (b"<html><script>alert(1)</script>" + PDF, None),
    "a PDF with a page inside": (
        PDF.replace(b"%%EOF", b"<script>alert(1)</script>\n%%EOF"),
        "application/pdf",
    ),
    "a picture with a page behind it": (PNG + b"<script>alert(1)</script>", "image/png"),
    "a picture that is a program": (b"GIF89a=1;alert(1)//", None),
    "a JPEG with an archive behind it": (b"\xff\xd8\xff\xe0" + b"PK\x03\x04" * 20, "image/jpeg"),
    "a drawing with a script": (
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        None,
    ),
    "a program called PDF": (b"MZ\x90\x00%PDF-1.4 %%EOF", None),
}


@pytest.mark.parametrize("kind", POLYGLOTS)
def test_what_is_two_things_at_once_is_served_as_the_harmless_one_or_not_taken(
    zheng: Browser,
    web_database: Database,
    kind: str,
) -> None:
    content, taken_for = POLYGLOTS[kind]
    item = begin(zheng)
    address = f"/employer/steps/{item}/materials"
    sent: dict[str, Any] = {"license-upload": (io.BytesIO(content), "执照.pdf"), "stay": "license"}
    if taken_for is None:
        page = zheng.refused(address, sent)
        assert "只接受 PDF、JPG、PNG 文件" in page.errors[0]
        return
    page = zheng.submit(address, sent)
    answer = zheng.fetch(page.links()["执照.pdf"])
    assert (answer.data, answer.mimetype) == (content, taken_for)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"], "nothing inside it runs"
