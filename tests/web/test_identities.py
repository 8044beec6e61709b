"""The page 身份名单: past lists, a list sent and read, what is wrong or doubtful, and who sees what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from tests.factories import PDF, workbook
from tests.web.client import Browser, Page, text_of
from workflows.base import clock
from workflows.base.outbox import drain
from workflows.base.session import Database
from workflows.cases.jobs import handlers
from workflows.registers.demo_people import id_number
from workflows.registers.model import IdentitySnapshot, IdentityUpload

PATH = "/officer/identities"
HEADINGS = ("姓名", "身份证号", "类别", "户籍村")
GIVEN = {"as_of": "2026-02-28", "source": "监测信息系统导出"}
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=clock.SHANGHAI)

SignIn = Callable[[str], Browser]


@pytest.fixture(autouse=True)
def move() -> Iterator[Callable[[timedelta], None]]:
    with clock.frozen(MONDAY) as moved:
        yield moved


@pytest.fixture
def zhou(sign_in: SignIn) -> Browser:
    """县乡村振兴局's clerk."""
    return sign_in("zhou")


def row(serial: int, village: str = "瞻榆镇向阳村", category: str = "脱贫人口") -> tuple[object, ...]:
    return (
        f"王秀{'兰英梅芳'[serial % 4]}",
        id_number(date(1979, 2, 3) + timedelta(days=serial), serial),
        category,
        village,
    )


def listed(count: int, headings: tuple[str, ...] = HEADINGS) -> bytes:
    return workbook(
        headings, *(row(n, category="防止返贫监测对象" if n % 10 == 9 else "脱贫人口") for n in range(count))
    )


def send(browser: Browser, content: bytes, status: int = 303, **given: str) -> None:
    data: dict[str, Any] = {**GIVEN, **given}
    if content:
        data["file"] = (BytesIO(content), "全县名单.xlsx")
    browser.post(PATH, data, status, content_type="multipart/form-data")


def work(database: Database) -> None:
    drain(database, handlers(lambda pdf, *_: pdf))


def read(browser: Browser, database: Database, content: bytes, **given: str) -> Page:
    """Send a list, let the worker read it, and look."""
    send(browser, content, **given)
    work(database)
    return browser.get(PATH)


def tables(page: Page) -> list[str]:
    return [text_of(one) for one in page.all("table")]


def test_the_first_list_of_a_county(zhou: Browser, web_database: Database) -> None:
    page = zhou.get(PATH)
    assert page.title == "身份名单"
    assert "还没有导入过名单" in page.main
    assert page.links()["身份名单"] == PATH
    book = openpyxl.load_workbook(BytesIO(zhou.fetch(f"{PATH}/template").data))
    assert "名单" in book.sheetnames
    send(zhou, listed(20))
    page = zhou.get(PATH)
    assert "正在读取名单" in page.main
    assert "2026年2月28日的名单“全县名单.xlsx”，周玉兰 3月2日 09:00 上传" in page.main
    assert page.all("input", name="file") == [], "one list at a time"
    state = zhou.fetch(f"{PATH}/progress", headers={"Accept": "application/json"}).json
    assert state == {
        "done": 0,
        "total": 0,
        "text": "正在排队，马上开始",
        "finished": False,
        "href": PATH,
    }
    work(web_database)
    assert zhou.fetch(f"{PATH}/progress").json["finished"]
    page = zhou.get(PATH)
    assert "2026年2月28日的名单已经导入，共 20 人" in page.main
    assert "最近一份名单 2026年2月28日" in page.main
    (table,) = tables(page)
    for part in ("2026年2月28日", "监测信息系统导出", "20", "18", "2", "周玉兰", "2026年3月2日 09:00"):
        assert part in table, part


def test_after_a_day_a_list_is_no_news_any_more(
    zhou: Browser, web_database: Database, move: Callable[[timedelta], None]
) -> None:
    assert "已经导入" in read(zhou, web_database, listed(3)).main
    move(timedelta(minutes=20))
    zhou.get(PATH)
    with clock.frozen(MONDAY + timedelta(days=2)):
        assert "名单已经导入，共" not in zhou.get(PATH).main


def test_the_same_file_twice_is_said(zhou: Browser, web_database: Database) -> None:
    content = listed(3)
    read(zhou, web_database, content)
    send(zhou, content, 422)
    assert zhou.page is not None
    assert zhou.page.errors == ["这份文件已经作为 2026年2月28日的名单导入过，共 3 人，不用再导入。"]
    assert "2026-02-28" in zhou.page.source
    assert "2026年1月31日的名单已经导入" in read(zhou, web_database, content, as_of="2026-01-31").main


def test_nothing_typed_is_lost_and_everything_missing_is_said_at_once(zhou: Browser) -> None:
    send(zhou, b"", 422, as_of="", source="")
    assert zhou.page is not None
    assert len(zhou.page.errors) == 3
    send(zhou, listed(1), 422, as_of="2026-03-03", source="省局下发的名单")
    assert zhou.page.errors[0].startswith("名单日期") or "今天" in zhou.page.errors[0]
    assert zhou.page.one("input", name="source").get("value") == "省局下发的名单"
    assert zhou.page.one("input", name="as_of").get("value") == "2026-03-03"
    assert "请重新选择文件" in zhou.page.main
    send(zhou, PDF, 422, source="省局下发的名单")
    assert "PDF 文件" in zhou.page.errors[0]
    assert zhou.page.one("input", name="source").get("value") == "省局下发的名单"


def test_everything_wrong_stands_there_with_its_place(zhou: Browser, web_database: Database) -> None:
    rows = [row(n, "别处的村") for n in range(60)]
    rows[3] = ("", *rows[3][1:])
    page = read(zhou, web_database, workbook(HEADINGS, *rows), source="省局下发的名单")
    assert "没有导入：有 61 处需要改正" in page.main
    assert "户籍村：本县没有这个村 60 处，第一处在第 2 行" in page.main
    assert "第 2 行 D 列“户籍村”" in page.main
    assert "别处的村" in page.main
    assert "第 58 行" not in page.main
    assert "第 58 行 D 列“户籍村”" in zhou.get(f"{PATH}?cells=2").main
    page = zhou.get(f"{PATH}?kind=2")
    assert "只看“姓名：没有填写”" in page.main
    assert "别处的村" not in page.main
    assert page.one("input", name="source").get("value") == "省局下发的名单"
    assert page.one("input", name="as_of").get("value") == "2026-02-28"
    page = read(zhou, web_database, workbook(("姓名", "身份证号"), row(1)[:2]))
    assert "标题缺少这些列：类别、户籍村" in page.main
    with web_database.reading() as session:
        assert session.scalars(select(IdentitySnapshot)).all() == []


def test_a_doubtful_list_is_confirmed_or_dropped(zhou: Browser, web_database: Database) -> None:
    read(zhou, web_database, listed(50), as_of="2025-12-31")
    page = read(zhou, web_database, listed(12, (*HEADINGS[:3], "户籍村", "开户银行")), source="只有一个镇")
    assert "这份名单 12 人，上一份 2025年12月31日的有 50 人，少了一半以上" in page.main
    assert "表里有 1 列不是模板里的，不会导入：“开户银行”（E 列）" in page.main
    assert "读到 12 人，填写没有错误，但有 2 处疑问，还没有导入" in page.main
    assert page.one("input", name="source").get("value") == "只有一个镇"
    assert len(tables(page)) == 1
    with web_database.reading() as session:
        key = session.scalars(select(IdentityUpload.id).where(IdentityUpload.status == "doubtful")).one()
    page = zhou.submit(f"{PATH}/{key}/drop")
    assert "没有导入，原来的名单不变" in page.main
    assert page.one("input", name="source").get("value") == "只有一个镇"
    zhou.refused(f"{PATH}/{key}/confirm", status=409)
    read(zhou, web_database, listed(12))
    page = zhou.submit(f"{PATH}/{key + 1}/confirm")
    assert "正在导入名单" in page.main
    work(web_database)
    assert "2026年2月28日的名单已经导入，共 12 人" in zhou.get(PATH).main


def test_two_lists_at_once_and_one_that_takes_too_long(
    zhou: Browser, web_database: Database, move: Callable[[timedelta], None]
) -> None:
    send(zhou, listed(3))
    send(zhou, listed(4), 409)
    assert zhou.page is not None
    assert "正在读取" in zhou.page.main
    assert GIVEN["source"] in zhou.page.main, "what was typed is given back"
    move(timedelta(minutes=6))
    page = zhou.get(PATH)
    assert "已经读了较长时间" in page.main
    send(zhou, listed(4))
    work(web_database)
    assert "共 4 人" in zhou.get(PATH).main


def test_an_unfinished_import_is_told_of(zhou: Browser, web_database: Database) -> None:
    with web_database.transaction() as session:
        session.add(
            IdentitySnapshot(as_of=date(2025, 6, 30), division_code="220822", source="命令行", sha256="-")
        )
    page = zhou.get(PATH)
    assert "没有导入完" in page.main
    assert "系统管理员" in page.main


def test_auditors_see_the_page_and_send_nothing(
    sign_in: SignIn, zhou: Browser, web_database: Database
) -> None:
    read(zhou, web_database, workbook(HEADINGS, row(1, "别处的村")))
    read(zhou, web_database, listed(3))
    auditor = sign_in("shen")
    page = auditor.get(PATH)
    assert page.links()["身份名单"] == PATH
    assert "监测信息系统导出" in page.main
    assert page.all("form", enctype="multipart/form-data") == []
    auditor.refused(PATH, GIVEN, 403)
    for username in ("sun", "zhao", "wubo", "chen"):
        other = sign_in(username)
        other.get(PATH, 403)
        other.refused(PATH, GIVEN, 403)
        assert "身份名单" not in other.get("/work").links()
    assert "上传身份名单" in auditor.get("/audit/events").main
