"""Who reads and who moves the money of a county: its 财政 acts, its other offices and its auditors read, nobody else."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests.web.client import text_of
from tests.web.test_finance import Office, made
from workflows.base.session import Database
from workflows.funds.batch_model import PaymentBatch
from workflows.funds.model import LedgerEntry, Payable
from workflows.organisations.model import User


@pytest.mark.parametrize(
    "path", ["", "/funds/1", "/batches", "/batches/1", "/bounced", "/reconciliation", "/recoveries"]
)
def test_who_reads_the_money_of_a_county(office: Office, money_database: Database, path: str) -> None:
    made(office("caizheng.clerk"))
    for username in ("caizheng.head", "renshe.a", "xiangcun.a", "shenji"):
        office(username).get(f"/finance{path}")
    stranger = office("taonan.caizheng")
    one = path.count("/") == 2
    stranger.get(f"/finance{path}", 403 if one else 200)
    assert "ZF220822" not in (stranger.page.source if stranger.page else "")
    office("shifan.clerk").get(f"/finance{path}", 403)
    office("taonan.shenji").get(f"/finance{path}", 403 if one else 200)


def test_who_does_not_act_on_the_money_of_a_county(office: Office, money_database: Database) -> None:
    path = made(office("caizheng.clerk"))
    with money_database.reading() as session:
        payable = session.scalars(select(Payable.id)).first()
        entries = session.scalar(select(func.count()).select_from(LedgerEntry))
    for username in ("renshe.a", "xiangcun.a", "taonan.caizheng", "shifan.clerk"):
        browser = office(username)
        for act in ("amount", "carry", "enable", "give-back", "close"):
            browser.get(f"/finance/funds/1/{act}", 403)
            browser.refused(f"/finance/funds/1/{act}", {"memo": "x", "day": "2026-03-01"}, 403)
        browser.get(f"/finance/bounced/{payable}", 403)
        for post in ("check", "return", "release", "cancel", "answer"):
            browser.refused(f"{path}/{post}", {"opinion": "x"}, 403)
        assert browser.client.get(f"{path}/file").status_code in (403, 404)
        assert browser.client.get(f"{path}/answer/progress").status_code == 403
        if username != "taonan.caizheng":
            browser.get("/finance/funds/new", 403)
            browser.get("/finance/batches/new", 403)
    form = {"fund": "1", "process": "one_time_reward", "make": "all", "layout": "standard"}
    office("taonan.caizheng").refused("/finance/batches/new", form, 403)
    with money_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == entries
        assert session.scalars(select(PaymentBatch.state)).all() == ["made"]


def test_the_menu_leads_there_and_counts_what_waits(office: Office, money_database: Database) -> None:
    made(office("caizheng.clerk"))
    assert "资金" in text_of(office("renshe.a").get("/cases").one("nav", aria_label="主菜单"))
    assert "资金1" in text_of(office("caizheng.b").get("/finance").one("nav", aria_label="主菜单"))
    assert "资金" not in text_of(office("shifan.clerk").get("/cases").one("nav", aria_label="主菜单"))


def test_an_auditor_of_the_province_reads_every_county_by_name(
    office: Office, money_database: Database
) -> None:
    made(office("caizheng.clerk"))
    with money_database.transaction() as session:
        for code, username in (("220000", "shenji"), ("220800", "taonan.shenji")):
            session.scalars(select(User).where(User.username == username)).one().division_code = code
    for username in ("shenji", "taonan.shenji"):
        auditor = office(username)
        assert "通榆县" in text_of(auditor.get("/finance").one("section", aria_labelledby="h-funds"))
        assert "通榆县" in auditor.get("/finance/batches").main
        assert auditor.client.get("/finance/batches/1/file").status_code == 403
