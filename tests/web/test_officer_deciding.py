"""Deciding: what a case rests on, outcomes and opinions, mistakes that lose nothing typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.web.client import Browser, Page, text_of
from tests.web.officer_cases import Filled, answered, worker
from workflows.base.session import Database
from workflows.cases.check import check
from workflows.cases.model import Decision

Enter = Callable[[str], Browser]
Mover = Callable[[timedelta], None]
OPINION = "合同和银行流水都已核对，情况属实。"
REVIEW = {"contracts_checked": "12", "wages_checked": ["bank", "call"], "arrears_found": "no"}


@pytest.fixture
def review(cases: Filled) -> int:
    """县人社局's review, open and unclaimed."""
    return cases.items["reviewing", "hrss_review", "hrss"]


@pytest.fixture
def acceptance(cases: Filled) -> int:
    """The township's acceptance, open and unclaimed."""
    return cases.items["accepting", "township_acceptance", "township"]


def parts(page: Page) -> dict[str, str]:
    """Section of the case page → what it says."""
    return {one.get("id", ""): text_of(one) for one in page.all("section", class_="wg-part")}


def decisions(database: Database, item: int) -> list[Decision]:
    with database.reading() as session:
        return list(session.scalars(select(Decision).where(Decision.work_item_id == item)))


# What it rests on ----------------------------------------------------------------------------------------------------


def test_everything_a_decision_rests_on_is_at_hand(enter: Enter, review: int) -> None:
    page = enter("renshe.a").get(f"/work/{review}")
    shown = parts(page)
    assert list(shown) == [
        "reasons",
        "application",
        "roster",
        "materials",
        "opinions",
        "timeline",
    ], "nothing has to be hunted for"
    assert "吉人社联〔2022〕81号 第二条第（六）项" in shown["reasons"]
    assert "同时符合三项条件的人数 6 人" in shown["reasons"]
    assert "向阳服装厂就业帮扶车间" in shown["application"]
    assert "近12个月在本单位实发工资不足4000元。" in shown["roster"]
    assert "劳动合同或者就业协议.pdf" in shown["materials"]
    assert "示范镇人民政府" in shown["opinions"]
    assert "材料齐全，予以受理。" in shown["opinions"]
    assert "提交申请" in shown["timeline"]
    assert "花名册有 3 人“待核实”" in page.main, "what is unusual stands above everything"
    jumps = [one.get("href") for one in page.one("nav", aria_label="本页内容").iter("a")]
    assert jumps == [f"#{key}" for key in shown]
    diagram = enter("renshe.a").get(page.links()["流程图"])
    assert "<svg" in diagram.source
    assert "审核合同、工资与用工" in diagram.main


def test_numbers_of_people_are_masked(enter: Enter, review: int, officer_database: Database) -> None:
    page = enter("renshe.a").get(f"/work/{review}")
    assert "220899********0219" in page.main
    assert "138****0001" in page.main
    digits = [
        word for word in page.source.replace('"', " ").split() if word.isdigit() and len(word) in (11, 18)
    ]
    assert digits == []


def test_outcomes_say_what_follows_and_offer_stock_phrases(enter: Enter, review: int) -> None:
    page = enter("renshe.a").get(f"/work/{review}")
    said = {one.get("value"): one.get("aria-describedby", "") for one in page.all("input", name="outcome")}
    assert set(said) == {"agree", "return", "propose_refuse"}
    assert text_of(page.one("span", id=said["agree"])) == "县乡村振兴局也通过的，转入联合现场核查。"
    phrases = {
        one.get("data-phrases-for"): [text_of(line) for line in one.iter("li")]
        for one in page.all("ul", class_="wg-phrase-list")
    }
    assert "合同、工资真实，审核通过。" in phrases["agree"]
    assert phrases["return"]
    assert phrases["propose_refuse"]
    assert "“退回申请单位修改”必填" in page.main
    assert "任可心，通榆县人力资源和社会保障局" in page.main, "in whose name it will stand"


# Deciding ------------------------------------------------------------------------------------------------------------


def test_a_decision_leads_on(enter: Enter, review: int, cases: Filled, officer_database: Database) -> None:
    browser = enter("renshe.a")
    page = browser.get(f"/work/{review}")
    done = browser.submit(
        f"/work/{review}/decide",
        answered(page, outcome="agree", opinion=OPINION, rest_verdict="agree", **REVIEW),
    )
    assert browser.path == f"/work/{review}/done"
    assert "已办理：审核通过" in done.main
    assert "通榆县乡村振兴局：核对人员身份" in done.main, "who has it now"
    assert f"下一件：{cases.numbers['site']}" in done.links()
    (decision,) = decisions(officer_database, review)
    assert (decision.outcome, decision.opinion) == ("agree", OPINION)
    assert decision.answers["wages_checked"] == ["bank", "call"]
    assert decision.actor_id == cases.users["renshe.a"]
    case = browser.get(f"/cases/{cases.numbers['reviewing']}")
    assert OPINION in parts(case)["opinions"]
    assert OPINION in parts(case)["timeline"]
    closed = browser.follow(browser.fetch(f"/work/{review}"))
    assert "已经办结" in closed.text
    worker(officer_database)
    assert check(officer_database) == []


def test_the_other_office_reads_the_opinion(enter: Enter, review: int, cases: Filled) -> None:
    browser = enter("renshe.a")
    page = browser.get(f"/work/{review}")
    browser.submit(
        f"/work/{review}/decide",
        answered(page, outcome="return", opinion="工资凭证不全，请补齐后再报。", **REVIEW),
    )
    other = enter("xiangcun.a").get(f"/work/{cases.items['reviewing', 'rural_review', 'rural']}")
    assert "工资凭证不全，请补齐后再报。" in parts(other)["opinions"]
    assert "任可心" in parts(other)["opinions"]


def test_a_correction_names_its_defects_and_stops_the_clock(
    enter: Enter, acceptance: int, cases: Filled, officer_database: Database
) -> None:
    browser = enter("shifan.clerk")
    page = browser.get(f"/work/{acceptance}")
    sent = answered(
        page,
        outcome="correct",
        **{
            "defects-0-field": "license",
            "defects-0-problem": "营业执照照片看不清。",
            "defects-0-action": "重新拍照上传。",
        },
    )
    done = browser.submit(f"/work/{acceptance}/decide", sent)
    assert "补正材料通知书" in done.main
    case = browser.get(f"/cases/{cases.numbers['accepting']}")
    assert "待补正" in case.main
    assert "营业执照照片看不清。" in parts(case)["opinions"]
    assert "通榆县晨曦服装加工有限公司" in case.main
    assert "3月16日 前办结" in case.main, "the employer's own ten working days"
    assert "没有待办" in browser.get("/work?tab=all").main, "nothing waits for the office meanwhile"


def test_a_row_more_for_defects_without_script(enter: Enter, acceptance: int) -> None:
    browser = enter("shifan.clerk")
    page = browser.get(f"/work/{acceptance}")
    sent = answered(page, outcome="correct", opinion="请一次补齐。", **{"defects-0-problem": "印章不清。"})
    browser.post(f"/work/{acceptance}/decide", {**sent, "add_row": "defects"}, 200)
    assert browser.page is not None
    again = browser.page.form("decision")
    assert again["defects-0-problem"] == ["印章不清。"]
    assert again["opinion"] == ["请一次补齐。"]
    rows = [key for key in again if key.endswith("-problem")]
    assert len(rows) > len([key for key in sent if key.endswith("-problem")])


# Mistakes ------------------------------------------------------------------------------------------------------------


def test_every_mistake_at_once_and_everything_typed_is_kept(
    enter: Enter, review: int, officer_database: Database
) -> None:
    browser = enter("renshe.a")
    page = browser.get(f"/work/{review}")
    sent = answered(page, outcome="agree", opinion=OPINION, contracts_checked="十二", wages_checked=["call"])
    sent.pop("arrears_found", None)
    refused = browser.refused(f"/work/{review}/decide", sent)
    assert len(refused.errors) >= 2
    again = refused.form("decision")
    assert again["contracts_checked"] == ["十二"]
    assert again["wages_checked"] == ["call"]
    assert again["opinion"] == [OPINION]
    assert again["outcome"] == ["agree"]
    assert again["command_key"] == page.form("decision")["command_key"]
    wrong = [one.get("id") for one in refused.root.iter() if one.get("aria-invalid") == "true"]
    assert "f-contracts_checked" in wrong
    assert decisions(officer_database, review) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcome": "agree", "rest_verdict": None}, "还有 12 人没有逐人审核"),
        ({"outcome": "return", "opinion": ""}, "意见"),
        ({"outcome": None, "rest_verdict": "agree"}, "请选择"),
        ({"outcome": "approve_all", "rest_verdict": "agree"}, "请选择"),
        ({"outcome": "agree", "rest_verdict": "agree", "command_key": "short"}, "请刷新页面"),
        ({"outcome": "agree", "rest_verdict": "refuse"}, "不同意须逐人写明理由"),
    ],
    ids=["rows left", "no opinion", "no outcome", "an outcome that is none", "no key", "all refused at once"],
)
def test_what_is_lacking_is_said(
    enter: Enter, review: int, officer_database: Database, changes: dict[str, Any], said: str
) -> None:
    browser = enter("renshe.a")
    sent = answered(browser.get(f"/work/{review}"), **{**REVIEW, "opinion": OPINION, **changes})
    sent = {key: texts for key, texts in sent.items() if texts != [None]}
    refused = browser.refused(f"/work/{review}/decide", sent)
    assert any(said in one for one in refused.errors), refused.errors
    assert decisions(officer_database, review) == []


def test_a_defect_without_its_cure_is_refused_beside_its_field(enter: Enter, acceptance: int) -> None:
    browser = enter("shifan.clerk")
    page = browser.get(f"/work/{acceptance}")
    refused = browser.refused(
        f"/work/{acceptance}/decide", answered(page, outcome="correct", opinion="请按所列内容一次补齐。")
    )
    assert refused.errors
    assert refused.form("decision")["opinion"] == ["请按所列内容一次补齐。"]
