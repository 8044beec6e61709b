"""Deciding against time: who was faster, forms sent twice and at once, drafts, sessions that end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from tests.web.client import Browser, Page, text_of
from tests.web.officer_cases import Filled, answered, at_once
from webapp import access
from workflows.base.session import Database
from workflows.cases.check import check
from workflows.cases.model import Case, Decision, Draft, WorkItem
from workflows.organisations.passwords import DEMO_PASSWORD

Enter = Callable[[str], Browser]
OPINION = "合同和银行流水都已核对，情况属实。"
REVIEW = {"contracts_checked": "12", "wages_checked": ["bank", "call"], "arrears_found": "no"}


@pytest.fixture
def review(cases: Filled) -> int:
    """县人社局's review, open and unclaimed."""
    return cases.items["reviewing", "hrss_review", "hrss"]


def decisions(database: Database, item: int) -> list[Decision]:
    with database.reading() as session:
        return list(session.scalars(select(Decision).where(Decision.work_item_id == item)))


def kept(page: Page) -> dict[str, str]:
    """What the page of a conflict gives back."""
    return {
        text_of(next(one.iter("dt"))): text_of(next(one.iter("dd")))
        for box in page.all("dl", class_="wg-summary")
        for one in box.iter("div")
    }


# Who was faster ------------------------------------------------------------------------------------------------------


def test_who_comes_second_learns_who_was_first_and_keeps_the_text(
    enter: Enter, review: int, officer_database: Database
) -> None:
    slow, fast = enter("renshe.b"), enter("renshe.a")
    page = slow.get(f"/work/{review}")
    sent = answered(page, outcome="return", opinion="工资表没有签字，请补签。", **REVIEW)
    quick = answered(fast.get(f"/work/{review}"), outcome="agree", rest_verdict="agree", **REVIEW)
    fast.submit(f"/work/{review}/decide", quick)
    late = slow.refused(f"/work/{review}/decide", sent, 409)
    assert "已由他人办理：通榆县人力资源和社会保障局任可心于3月2日 11:00 办理" in late.main
    assert kept(late)["意见"].startswith("工资表没有签字，请补签。")
    assert kept(late)["工资核对方式"].startswith("银行流水、电话询问本人")
    assert "选择的结果：退回申请单位修改" in late.main
    assert len(decisions(officer_database, review)) == 1


def test_a_page_from_before_a_reassignment_is_stale(enter: Enter, review: int, cases: Filled) -> None:
    browser, head = enter("renshe.a"), enter("renshe.head")
    sent = answered(browser.get(f"/work/{review}"), outcome="return", opinion=OPINION, **REVIEW)
    for to in ("renshe.b", "renshe.a"):
        head.submit(f"/work/{review}/reassign", {"user": str(cases.users[to]), "reason": "工作调整。"})
    late = browser.refused(f"/work/{review}/decide", sent, 409)
    assert "页面打开之后，这项工作有了变化" in late.main
    assert kept(late)["意见"].startswith(OPINION)
    assert "查看最新情况" in late.links()
    fresh = answered(browser.get(f"/work/{review}"), outcome="return", opinion=OPINION, **REVIEW)
    browser.submit(f"/work/{review}/decide", fresh)


def test_what_a_colleague_took_meanwhile_gives_the_text_back(enter: Enter, review: int) -> None:
    browser = enter("renshe.a")
    sent = answered(browser.get(f"/work/{review}"), outcome="return", opinion=OPINION, **REVIEW)
    enter("renshe.b").submit(f"/work/{review}/claim")
    late = browser.refused(f"/work/{review}/decide", sent, 409)
    assert "任思齐已领取这项工作" in late.main
    assert kept(late)["意见"].startswith(OPINION)


def test_a_list_of_defects_is_given_back_whole(enter: Enter, cases: Filled) -> None:
    item = cases.items["accepting", "township_acceptance", "township"]
    slow, fast = enter("shifan.head"), enter("shifan.clerk")
    sent = answered(
        slow.get(f"/work/{item}"),
        outcome="correct",
        **{
            "defects-0-field": "license",
            "defects-0-problem": "营业执照照片看不清。",
            "defects-0-action": "重新拍照上传。",
            "defects-2-problem": "印章不清。",
        },
    )
    fast.submit(f"/work/{item}/claim")
    late = slow.refused(f"/work/{item}/decide", sent, 409)
    given = kept(late)
    first, third = [text for label, text in given.items() if "项" in label]
    assert first.startswith(
        "涉及内容：营业执照（登记证书） 存在的问题：营业执照照片看不清。 需要怎么做：重新拍照上传。"
    )
    assert third.startswith("存在的问题：印章不清。")
    assert [label.rpartition(" 第 ")[2] for label in given if "项" in label] == ["1 项", "3 项"]


def test_the_address_of_a_decision_leads_to_its_item(enter: Enter, review: int) -> None:
    browser = enter("renshe.a")
    answer = browser.fetch(f"/work/{review}/decide")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/work/{review}")
    assert browser.fetch("/work/999999/decide").status_code == 404


def test_a_double_click_decides_once(
    officer_app: Flask, enter: Enter, review: int, officer_database: Database
) -> None:
    browser = enter("renshe.a")
    page = browser.get(f"/work/{review}")
    sent = answered(page, outcome="agree", opinion=OPINION, rest_verdict="agree", **REVIEW)
    answers = at_once(officer_app, [(browser, sent)] * 3, f"/work/{review}/decide")
    assert [one[:2] for one in answers] == [(303, f"/work/{review}/done")] * 3
    assert len(decisions(officer_database, review)) == 1
    assert check(officer_database) == []


def test_a_form_sent_again_with_another_text_is_refused(
    enter: Enter, review: int, officer_database: Database
) -> None:
    browser = enter("renshe.a")
    page = browser.get(f"/work/{review}")
    sent = answered(page, outcome="agree", opinion=OPINION, rest_verdict="agree", **REVIEW)
    browser.submit(f"/work/{review}/decide", sent)
    again = browser.refused(f"/work/{review}/decide", {**sent, "opinion": "改主意了，不同意。"}, 422)
    assert "这个页面已经提交过，内容与上次不同" in again.main
    assert kept(again)["意见"].startswith("改主意了，不同意。")
    (decision,) = decisions(officer_database, review)
    assert decision.opinion == OPINION


def test_two_officers_at_the_same_moment(
    officer_app: Flask, enter: Enter, review: int, officer_database: Database
) -> None:
    both = []
    for username, opinion in (("renshe.a", "甲的意见，请核对合同。"), ("renshe.b", "乙的意见，请核对工资。")):
        browser = enter(username)
        page = browser.get(f"/work/{review}")
        both.append((browser, answered(page, outcome="return", opinion=opinion, **REVIEW)))
    answers = at_once(officer_app, both, f"/work/{review}/decide")
    assert sorted(status for status, _, _ in answers) == [303, 409]
    (decision,) = decisions(officer_database, review)
    loser = next(text for status, _, text in answers if status == 409)
    lost = next(sent["opinion"][0] for _, sent in both if sent["opinion"][0] != decision.opinion)
    assert lost in loser
    assert "已由他人办理" in loser
    assert check(officer_database) == []


# Drafts and sessions -------------------------------------------------------------------------------------------------


def test_what_is_typed_is_kept_as_typed_and_offered_again(
    enter: Enter, review: int, officer_database: Database
) -> None:
    browser = enter("renshe.a")
    sent = answered(
        browser.get(f"/work/{review}"), outcome="return", opinion="写到一半", contracts_checked="x"
    )
    answer = browser.client.post(
        f"/work/{review}/draft",
        data={"csrf_token": browser.token(), **sent},
        headers={"X-Requested-With": "fetch"},
    )
    assert answer.status_code == 200
    assert answer.json == {"saved_at": "11:00", "version": 1}
    again = browser.get(f"/work/{review}").form("decision")
    assert again["opinion"] == ["写到一半"]
    assert again["outcome"] == ["return"]
    assert again["contracts_checked"] == ["x"]
    assert decisions(officer_database, review) == []


def test_a_draft_of_what_is_done_says_so(enter: Enter, review: int) -> None:
    slow, fast = enter("renshe.b"), enter("renshe.a")
    slow.get(f"/work/{review}")
    page = fast.get(f"/work/{review}")
    fast.submit(f"/work/{review}/claim")
    taken = slow.client.post(
        f"/work/{review}/draft",
        data={"csrf_token": slow.token(), "opinion": "写到一半"},
        headers={"X-Requested-With": "fetch"},
    )
    assert (taken.status_code, "任可心已领取" in taken.json["error"]) == (409, True)  # type: ignore[index]
    fast.submit(f"/work/{review}/decide", answered(page, outcome="agree", rest_verdict="agree", **REVIEW))
    closed = slow.client.post(
        f"/work/{review}/draft",
        data={"csrf_token": slow.token(), "opinion": "写到一半"},
        headers={"X-Requested-With": "fetch"},
    )
    assert (closed.status_code, "草稿没有保存" in closed.json["error"]) == (409, True)  # type: ignore[index]


def test_a_session_that_ends_while_an_opinion_is_typed(
    enter: Enter, review: int, officer_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = enter("renshe.a")
    sent = answered(browser.get(f"/work/{review}"), outcome="return", opinion="前半段意见。", **REVIEW)
    token = browser.token()
    browser.client.post(f"/work/{review}/draft", data={"csrf_token": token, **sent})
    later = access._clock() + 3600
    monkeypatch.setattr(access, "_clock", lambda: later)
    whole = {**sent, "opinion": "前半段意见。后半段意见。"}
    came_from = {"Referer": f"http://localhost/work/{review}"}
    lost = browser.refused_with(f"/work/{review}/decide", {"csrf_token": token, **whole}, came_from, 401)
    assert "前半段意见。后半段意见。" in [one.text.strip() for one in lost.all("textarea") if one.text]
    login = lost.links()["重新登录"]
    assert decisions(officer_database, review) == []
    # the script that still saves meanwhile learns where to log in
    answer = browser.client.post(
        f"/work/{review}/draft",
        data={"csrf_token": token, **sent},
        headers={"X-Requested-With": "fetch", **came_from},
    )
    assert answer.status_code in (400, 401)
    browser.get(login)
    back = browser.submit(login, {"username": "renshe.a", "password": DEMO_PASSWORD})
    assert browser.path == f"/work/{review}"
    assert back.form("decision")["opinion"] == ["前半段意见。"], "what was saved before is offered again"
    assert back.form("decision")["outcome"] == ["return"]
    assert back.one("form", id="decision").get("data-keep") is not None, "the tab's own copy is offered, too"
    browser.submit(f"/work/{review}/decide", answered(back, opinion="前半段意见。后半段意见。"))
    (decision,) = decisions(officer_database, review)
    assert decision.opinion == "前半段意见。后半段意见。"
    with officer_database.reading() as session:
        assert session.get(Draft, review) is None or session.get_one(WorkItem, review).closed_at is not None
        assert session.get_one(Case, decision.case_id).finished_at is None
