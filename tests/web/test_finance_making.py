"""Making a batch where hundreds of units wait: all in one act, by unit, by case; no choice is lost from page to page."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.web.client import Browser, Page, text_of
from tests.web.many_payments import pour
from tests.web.officer_cases import Filled
from tests.web.test_finance import batch_number
from webapp.finance.choosing import Place, pairs, written
from workflows.base.session import Database
from workflows.cases.batch_choices import waiting_cases
from workflows.cases.removing import remove_row
from workflows.cases.walking import user_named
from workflows.funds import batches
from workflows.funds.batch_model import BatchLine, PaymentBatch
from workflows.funds.model import Payable
from workflows.registers.membership import load_actor

Office = Callable[[str], Browser]
NEW = "/finance/batches/new"


def ids(page: Page, name: str) -> list[str]:
    """What may be ticked on the page."""
    return [one.get("value", "") for one in page.all("input", name=name)]


def ticked(page: Page, name: str) -> list[str]:
    return page.form("making").get(name, [])


def go(browser: Browser, page: Page, where: str, **changes: Any) -> Page:
    """Press a button that leads to another page of the list."""
    form: Mapping[str, Any] = {**page.form("making"), **changes, "go": where}
    browser.post(NEW, form, 200)
    assert browser.page is not None
    return browser.page


def button(page: Page, words: str) -> str:
    """Where the button with these words leads."""
    return next(
        one.get("value", "") for one in page.all("button", name="go") if text_of(one).startswith(words)
    )


def chosen(page: Page) -> str:
    return text_of(page.one("p", class_="wg-chosen"))


@pytest.fixture
def clerk(office: Office, claims: Filled, money_database: Database) -> Browser:
    """经办, with 120 units more: two cases of two people each."""
    pour(money_database, claims, 120, 2, 2)
    return office("caizheng.clerk")


@pytest.mark.tampers
def test_what_is_ticked_stays_over_pages_and_lists(clerk: Browser, money_database: Database) -> None:
    page = clerk.get(NEW)
    assert "121 个单位，241 件申请，483 笔，合计 483,000.00 元" in page.main
    assert "共 121 个单位，第 1 页，共 3 页" in page.main
    assert len(ids(page, "unit")) == 50
    assert chosen(page) == "还没有选"
    first = ids(page, "unit")[:2]
    page = go(clerk, page, button(page, "下一页"), unit=first, layout="rural_bank_xlsx")
    assert "已选 4 件，8 笔，合计 8,000.00 元" in chosen(page)
    assert ticked(page, "layout") == ["rural_bank_xlsx"]
    assert ticked(page, "unit") == []
    second = ids(page, "unit")[0]
    page = go(clerk, page, button(page, "上一页"), unit=[second])
    assert ticked(page, "unit") == first
    assert "已选 6 件，12 笔" in chosen(page)

    # one case of a third unit, by number
    third = ids(page, "unit")[5]
    page = go(clerk, page, f"cases:1:{third}", unit=first)
    assert "演示0005号单位的申请" in page.main
    case = ids(page, "case")[1]
    page = go(clerk, page, "units:1:0", case=[case])
    assert "已选 1 件" in page.main
    assert ticked(page, "unit") == first  # a unit of which some is chosen is not ticked, and keeps its part
    assert "已选 7 件，14 笔" in chosen(page)
    page = go(clerk, page, "units:1:0", unit=first[1:])  # the first unit is given back
    assert "已选 5 件，10 笔" in chosen(page)

    page = clerk.refused(NEW, {**page.form("making"), "make": "chosen", "layout": "none"})
    assert page.errors == ["请选择银行文件的格式。"]
    assert "已选 5 件，10 笔" in chosen(page)
    clerk.submit(NEW, {**page.form("making"), "make": "chosen", "layout": "standard"})
    assert batch_number(money_database).line_count == 10
    with money_database.reading() as session:
        taken = session.scalars(
            select(Payable.case_id).join(BatchLine, BatchLine.payable_id == Payable.id).distinct()
        ).all()
    assert int(case) in taken
    assert len(taken) == 5
    page = clerk.get(NEW)
    assert "236 件申请，473 笔" in page.main
    clerk.post(NEW, {**go(clerk, page, "units:1:0", unit=first).form("making"), "clear": "1"}, 200)
    assert clerk.page is not None
    assert chosen(clerk.page) == "还没有选"


@pytest.mark.tampers
def test_cases_that_cannot_be_paid_are_listed_with_their_reason(clerk: Browser) -> None:
    page = clerk.get(NEW)
    page = go(clerk, page, button(page, "看各件的原因"))
    assert "共 242 件，第 1 页，共 5 页" in page.main
    page = go(clerk, page, "cases:5:0")
    assert "公示期满、异议办结后转入待拨付" in page.main
    assert len(ids(page, "case")) == 41
    page = clerk.refused(NEW, {**page.form("making"), "make": "chosen"})
    assert page.errors == ["请先勾选单位或者申请，或者用“全部”生成。"]
    assert "共 5 页" in go(clerk, page, "cases:99:0").main
    assert "第 1 页" in go(clerk, page, "cases:x").main


@pytest.mark.tampers
def test_what_has_changed_since_the_page_was_drawn_is_shown_first(
    clerk: Browser, claims: Filled, money_database: Database
) -> None:
    page = clerk.get(NEW)
    mine = next(one for one in ids(page, "unit"))
    whole = {**page.form("making"), "make": "all"}
    page = go(clerk, page, button(page, "下一页"), unit=[mine])
    last = go(clerk, page, "units:3:0")
    unit = next(
        one
        for one in ids(last, "unit")
        if "晨曦" in str(last.one("input", name="unit", value=one).get("aria-label"))
    )
    with money_database.transaction() as session:
        row = session.scalars(select(Payable.row_id).where(Payable.case_id == claims.cases["ready"])).first()
        actor = load_actor(session, user_named(session, "renshe.a"))
        remove_row(session, actor, claims.cases["ready"], row or 0, "已离岗")
    page = clerk.refused(NEW, {**last.form("making"), "unit": [unit], "make": "chosen"}, 409)
    assert "有了变化" in page.errors[0]
    assert "已选 3 件，6 笔" in chosen(page)
    assert "有了变化" in clerk.refused(NEW, whole, 409).errors[0]
    # a case chosen on an earlier page, one of whose people can no longer be paid
    case_id = int(next(iter(pairs(page.form("making")["chosen"][0]))))
    with money_database.transaction() as session:
        ready = select(Payable).where(Payable.case_id == case_id, Payable.state == "ready")
        session.scalars(ready).first().state = "reserved"  # type: ignore[union-attr]  # it has some
    page = clerk.refused(NEW, {**page.form("making"), "make": "chosen"}, 409)
    assert "待拨付款项已经变化" in page.errors[0]
    with money_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PaymentBatch)) == 0
    # what it is now has been seen: the same button does it
    assert "已选 3 件，5 笔" in chosen(page)
    clerk.submit(NEW, {**page.form("making"), "make": "chosen"})
    assert batch_number(money_database).line_count == 5


@pytest.mark.tampers
def test_all_is_one_act_and_a_batch_takes_whole_cases(
    office: Office, claims: Filled, money_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pour(money_database, claims, 10, 2, 2)
    monkeypatch.setattr(batches, "MAX_LINES", 12)
    monkeypatch.setattr("workflows.cases.batch_choices.Waiting.first.__defaults__", (12,))
    clerk = office("caizheng.clerk")
    page = clerk.get(NEW)
    assert "一个批次最多 12 笔：先按申请编号生成前 11 笔" in page.main
    form = {**page.form("making"), "make": "all"}
    clerk.submit(NEW, form)
    assert clerk.post(NEW, form).headers["Location"] == clerk.path  # the same form again
    assert batch_number(money_database).line_count == 11
    page = clerk.get(NEW)
    over = ids(page, "unit")[:4]
    page = clerk.refused(NEW, {**page.form("making"), "unit": over, "make": "chosen"})
    assert "选了 16 笔，一个批次最多 12 笔" in page.errors[0]
    assert "已选 8 件，16 笔" in chosen(page)


def test_a_case_larger_than_a_batch_goes_in_parts(
    office: Office, claims: Filled, money_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_LINES", 2)
    monkeypatch.setattr("workflows.cases.batch_choices.Waiting.first.__defaults__", (2,))
    clerk = office("caizheng.clerk")
    for lines in (2, 1):
        clerk.submit(NEW, {**clerk.get(NEW).form("making"), "make": "all"})
        assert batch_number(money_database).line_count == lines


@pytest.mark.tampers
def test_a_page_of_five_thousand_people_is_drawn_at_once(
    office: Office, claims: Filled, money_database: Database
) -> None:
    pour(money_database, claims, 300, 4, 4)
    clerk = office("caizheng.clerk")
    clerk.get(NEW)
    began = time.perf_counter()
    page = clerk.get(NEW)
    assert time.perf_counter() - began < 3  # 1 200 cases, 4 800 payments; 0.3 s on two cores
    assert len(page.source) < 150_000
    with money_database.reading() as session:
        waiting = waiting_cases(session, 1, "one_time_reward")
    assert (len(waiting.units()), len(waiting.payable), waiting.people) == (301, 1201, 4803)


def test_what_a_form_says_of_a_choice_is_read_with_care() -> None:
    assert pairs("12:3,x,15:y,16,:,17:4") == {12: 3, 17: 4}
    assert written({17: 4, 12: 3}) == "12:3,17:4"
    assert Place.read("cases:2:17") == Place("cases", 2, 17)
    assert str(Place.read("cases:2:17")) == "cases:2:17"
    for text in ("", "people:1:0", "units:0:0", "units:1:x"):
        assert Place.read(text) == Place()
