"""复核 on its page: the office meeting is asked for above the county's threshold and not below it."""

from __future__ import annotations

import copy
from collections.abc import Callable

from sqlalchemy import select

from tests.web.client import Browser, text_of
from tests.web.officer_cases import Filled, answered, unsigned
from workflows.base.session import Database
from workflows.cases.model import Case, Decision, WorkItem
from workflows.cases.walking import Walk

Office = Callable[[str], Browser]
MEETING = ("会议日期", "参加人员", "会议纪要编号", "议定事项")


def at_recheck(database: Database, claims: Filled, limit: int) -> int:
    """The claim that waits for its reviews, brought to 复核 in a county with this threshold (fen); its item."""
    case_id = claims.cases["early"]
    with database.transaction() as session:
        case = session.get_one(Case, case_id)
        rules = copy.deepcopy(case.rules)
        rules["parameters"]["meeting_over_fen"]["value"] = limit
        case.rules = rules
    walk = Walk(database, unsigned, case_id)
    walk.act("hrss_review", "agree", {"contracts_checked": ["3"], "wages_checked": ["bank"]}, by="renshe.a")
    walk.act("rural_review", "agree", {"checked_against": ["全国防返贫监测信息系统"]})
    with database.reading() as session:
        return session.scalars(
            select(WorkItem.id).where(
                WorkItem.case_id == case_id, WorkItem.step == "recheck", WorkItem.closed_at.is_(None)
            )
        ).one()


def test_above_the_threshold_the_meeting_is_asked_for_and_nothing_typed_is_lost(
    office: Office, claims: Filled, money_database: Database
) -> None:
    item = at_recheck(money_database, claims, 299_999)
    head = office("renshe.head")
    page = head.get(f"/work/{item}")
    assert "拟奖补金额超过县级规定，复核通过前须经局会议研究" in text_of(
        page.one("section", aria_label="需要留意")
    )
    panel = text_of(page.one("form", id="decision"))
    for words in (*MEETING, "本件拟奖补金额 3,000.00 元", "超过多少金额须经局会议研究 2,999.99 元"):
        assert words in panel
    form = answered(page, outcome="approve", attendees="局长周建国（主持）、分管副局长")
    page = head.refused(f"/work/{item}/decide", form)
    assert page.errors == ["没有填写：请填写会议日期", "没有填写：请填写会议纪要编号"]
    assert page.form("decision")["attendees"] == ["局长周建国（主持）、分管副局长"]
    form = answered(page, held_on="2026-03-20", minutes_number="通人社局纪〔2026〕3号")
    head.submit(f"/work/{item}/decide", form)
    page = head.get(f"/cases/{claims.numbers['early']}")
    assert "通人社局纪〔2026〕3号" in text_of(page.one("section", id="opinions"))


def test_below_it_nothing_is_asked(office: Office, claims: Filled, money_database: Database) -> None:
    item = at_recheck(money_database, claims, 300_000)
    head = office("renshe.head")
    page = head.get(f"/work/{item}")
    assert not page.all("section", aria_label="需要留意")
    panel = text_of(page.one("form", id="decision"))
    assert "不须经局会议研究" in panel
    assert not any(words in panel for words in MEETING)
    # what is sent all the same is nobody's answer
    head.submit(
        f"/work/{item}/decide",
        answered(page, outcome="approve", held_on="2026-03-20", meeting_needed="required"),
    )
    with money_database.reading() as session:
        assert session.scalars(select(Decision).where(Decision.work_item_id == item)).one().answers == {}
