"""Auditors: events with filters, chains that hold, and alterations that are named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.web.client import Browser
from tests.web.world import World
from webapp.audit.model import Verification
from webapp.audit.verifying import verification_handler
from workflows.base.outbox import drain
from workflows.base.session import Database

SignIn = Callable[[str], Browser]


@pytest.fixture
def auditor(sign_in: SignIn) -> Browser:
    return sign_in("shen")


def test_events_are_listed_and_filtered(auditor: Browser) -> None:
    page = auditor.follow(auditor.fetch("/"))
    assert page.title == "操作记录"
    assert "确认单位账号" in page.main
    page = auditor.get("/audit/events?kind=post-assigned&who=&from=2020-01-01&to=2099-01-01")
    rows = [row for row in page.all("tr") if row.get("class") != "wg-table-empty"]
    assert len(rows) > 5
    assert "单位登记" not in " ".join("".join(row.itertext()) for row in rows[1:])
    assert "没有符合条件的记录" in auditor.get("/audit/events?who=无此人").main
    assert "没有符合条件的记录" in auditor.get("/audit/events?to=2020-01-01").main


def test_filters_that_make_no_sense_are_explained(auditor: Browser) -> None:
    assert "没有这个编号的办件" in auditor.get("/audit/events?case=NONE", 422).errors[0]
    assert "日期格式不对" in auditor.get("/audit/events?from=gestern", 422).errors[0]


def test_older_events_are_one_link_away(auditor: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    from webapp.audit import routes

    monkeypatch.setattr(routes, "PER_PAGE", 3)
    page = auditor.get("/audit/events")
    older = auditor.get(page.links()["更早的记录"])
    assert "最新的记录" in older.links()
    assert older.main != page.main


def run_worker(database: Database) -> None:
    assert drain(database, verification_handler()) == 1


def test_everything_is_verified_in_the_background(auditor: Browser, web_database: Database) -> None:
    auditor.get("/audit/verification")
    page = auditor.submit("/audit/verification")
    assert "正在核验" in page.main
    answer = auditor.client.get(page.path, headers={"Accept": "application/json"})
    assert answer.json["finished"] is False
    run_worker(web_database)
    assert "记录完整" in auditor.get(page.path).main
    assert "完整" in auditor.get("/audit/verification").main


def test_an_altered_row_is_named(auditor: Browser, web_database: Database) -> None:
    with web_database.transaction() as session:
        session.execute(
            text("update employers set name = '改动后的名称' where credit_code = '91220822MA0Y2LKX58'")
        )
    page = auditor.submit("/audit/verification")
    run_worker(web_database)
    page = auditor.get(page.path)
    assert "1 处不符" in page.main
    assert "用人单位（编号 1）" in page.main
    assert "被改动" in page.main
    assert "employers" not in page.main
    with web_database.reading() as session:
        assert len(session.scalars(select(Verification)).one().findings) == 1


def test_what_is_not_there_is_not_found(auditor: Browser, world: World, app: Flask) -> None:
    auditor.get("/audit/verification?case=NONE", 404)
    auditor.get("/audit/verification/999", 404)
