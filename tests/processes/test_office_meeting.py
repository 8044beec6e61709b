"""局会议: above the county's threshold 复核 approves only what an office meeting has decided; below it nobody is asked.
The sum is that of the rows the offices approved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import check
from workflows.cases.answering import step_form
from workflows.cases.facts import CaseView, case_facts_of
from workflows.cases.model import Case, Decision, RuleResult
from workflows.cases.process import process_of
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenarios import Run
from workflows.cases.verdicts import give
from workflows.cases.walking import Stuck
from workflows.documents.model import IssuedDocument
from workflows.funds.model import Payable

from .reward_stage import reward
from .stage import MONDAY, actor, open_item

pytestmark = pytest.mark.usefixtures("papers_unrendered")
Mover = Callable[[timedelta], None]
MEETING = {"held_on", "attendees", "minutes_number"}


def before_recheck(database: Database, move: Mover, limit: int) -> Run:
    """A claim of three people whose county holds a meeting above so many fen, brought to 复核."""
    run = reward(
        database,
        move,
        "hrss_review",
        roster=[{"kind": "qualified", "count": 3}],
        parameters={"meeting_over_fen": limit},
    )
    content = run.scenarios.get("straight")
    run.take({"step": "hrss_review", "by": "hrss", "outcome": "agree"}, content)
    run.take({"step": "rural_review", "by": "rural", "outcome": "agree"}, content)
    return run


def approve(run: Run, **answers: str) -> None:
    """复核 approves, with nothing filled in but these."""
    empty = dict.fromkeys((*MEETING, "minutes"), "")
    run.take(
        {"step": "recheck", "by": "hrss_head", "outcome": "approve", "answers": {**empty, **answers}},
        run.scenarios.get("straight"),
    )


def latest(database: Database, case_id: int) -> RuleResult:
    with database.reading() as session:
        return session.scalars(
            select(RuleResult)
            .where(RuleResult.case_id == case_id, RuleResult.decision == "office_meeting")
            .order_by(RuleResult.id.desc())
        ).first()  # type: ignore[return-value]  # there is one


def test_at_the_threshold_nothing_is_asked(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = before_recheck(published, move, 300_000)
        found = latest(published, run.walk.case_id)
        assert found.outputs == {"result": "not_required"}
        assert found.facts == {
            "approved_fen": 300_000,
            "meeting_limit_fen": 300_000,
            "over_meeting_limit": False,
        }
        approve(run, minutes_number="没有人问的编号")
        with published.reading() as session:
            kept = session.scalars(select(Decision).where(Decision.step == "recheck")).one().answers
        assert not MEETING & set(kept)
        assert check.check(published) == []


def test_above_it_no_fen_is_reserved_without_a_meeting(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = before_recheck(published, move, 299_999)
        with pytest.raises(Stuck) as refused:
            approve(run)
        for label in ("会议日期", "参加人员", "会议纪要编号"):
            assert f"请填写{label}" in str(refused.value)
        with pytest.raises(Stuck, match="日期过晚"):
            approve(run, held_on="2026-03-03", attendees="局长", minutes_number="3号")  # not held yet
        with published.reading() as session:
            assert session.scalars(select(Payable)).all() == []
        approve(run, held_on="2026-03-02", attendees="局长、副局长", minutes_number="通人社局纪〔2026〕3号")
        run.take({"advance": {"to": "publicity_ended"}}, {})
        with published.reading() as session:
            paper = session.scalars(
                select(IssuedDocument).where(IssuedDocument.name == "approval_form")
            ).one()
            assert paper.context["meeting_number"] == "通人社局纪〔2026〕3号"
            assert paper.context["meeting_on"] == "2026-03-02"
        assert check.check(published) == []


def test_to_send_back_or_refuse_needs_no_meeting(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = before_recheck(published, move, 1)
        content = run.scenarios.get("straight")
        empty = {"held_on": "", "attendees": "", "minutes_number": "", "minutes": ""}
        back = {"step": "recheck", "by": "hrss_head", "outcome": "return", "opinion": "请再核实。"}
        run.take({**back, "answers": empty}, content)
        for step, office in (("rural_review", "rural"), ("hrss_review", "hrss")):
            run.take({"step": step, "by": office, "outcome": "agree"}, content)
        refusal = {"step": "recheck", "by": "hrss_head", "outcome": "refuse", "opinion": "用工不真实。"}
        run.take({**refusal, "answers": {**empty, "facts": "经核实不在车间务工。"}}, content)
        with published.reading() as session:
            assert session.get_one(Case, run.walk.case_id).status == "refused"


def test_the_sum_is_of_the_rows_that_are_approved(published: Database) -> None:
    """Three were claimed, one of them the offices refused: two thousand, and the meeting is above two."""
    with clock.frozen(MONDAY) as move:
        run = before_recheck(published, move, 200_000)
        assert latest(published, run.walk.case_id).outputs == {"result": "required"}
        content = run.scenarios.get("straight")
        run.take(
            {"step": "recheck", "by": "hrss_head", "outcome": "return", "opinion": "请再核实。"}, content
        )
        run.take({"step": "rural_review", "by": "rural", "outcome": "agree"}, content)
        refuse_one(published, run)
        run.take({"step": "hrss_review", "by": "hrss", "outcome": "agree"}, content)
        found = latest(published, run.walk.case_id)
        assert (found.facts["approved_fen"], found.outputs) == (200_000, {"result": "not_required"})
        with published.reading() as session:
            case = session.get_one(Case, run.walk.case_id)
            process = process_of(session, case.version_id)
            view = CaseView.of(session, case, process)
            assert case_facts_of(process, view, ["approved_fen"]) == {"approved_fen": 200_000}
            shown = step_form(session, case, open_item(session, case.id, "recheck")).held
        assert shown["meeting_needed"] == "not_required"
        assert shown["approved_sum"] == 200_000
        assert shown["meeting_limit"] == 200_000
        assert shown["meeting_limit_basis"] == "情景设定"


def refuse_one(database: Database, run: Run) -> None:
    """人社 refuses the first person of the roster by name."""
    with database.transaction() as session:
        item = open_item(session, run.walk.case_id, "hrss_review")
        row = session.scalars(select(RosterRow.id).order_by(RosterRow.number).limit(1)).one()
        give(session, actor(session, "renshe.a"), item.id, [row], "refuse", "未实际用工")


def test_an_objection_upheld_asks_the_rule_anew(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = before_recheck(published, move, 299_999)
        meeting = {"held_on": "2026-03-02", "attendees": "局长", "minutes_number": "3号"}
        approve(run, **meeting)
        run.take({"objection": {"name": "first", "content": "有一个人没有在车间干活。"}}, {})
        for line in (
            {"step": "acknowledge", "by": "hrss", "outcome": "accept"},
            {"step": "investigate", "by": "hrss", "outcome": "report", "answers": {"proposal": "uphold"}},
            {
                "step": "conclude",
                "by": "hrss_head",
                "outcome": "uphold",
                "answers": {"finding": "情况属实。"},
            },
        ):
            run.take({"in": "first", **line}, {})
        with pytest.raises(Stuck, match="会议日期"):
            approve(run)
        approve(run, **meeting)
        assert check.check(published) == []
