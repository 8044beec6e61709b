"""After approval fewer people need no fresh 公示, and everything says so; more people need the whole way anew.

There is no way to add a person to a claim that the offices have: an upload is refused at every step that is not the
employer's own, and from such a step the claim goes through reviews, 复核 and a 公示 of its own before a fen is paid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from workflows.base import clock
from workflows.base.errors import Conflict, Forbidden, NotFound
from workflows.base.installation import installation
from workflows.base.session import Database
from workflows.cases import check, rosters
from workflows.cases.finance_views import payments
from workflows.cases.model import Case, Publicity, WorkItem
from workflows.cases.paying import blocked_cases
from workflows.cases.process import newest
from workflows.cases.public_views import publicity_notice
from workflows.cases.removing import remove_row
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.scenario_money import finance_officers, pay
from workflows.cases.scenario_people import sheet_of
from workflows.cases.scenarios import Run
from workflows.documents.model import IssuedDocument
from workflows.funds import batches
from workflows.funds.model import Appropriation, Payable

from .reward_stage import PROCESS, reward
from .stage import MONDAY, actor

pytestmark = pytest.mark.usefixtures("papers_unrendered")
Mover = Callable[[timedelta], None]
THREE = [{"kind": "qualified", "count": 3}]
TWO = [{"kind": "qualified", "count": 2}]


def silent(database: Database) -> None:
    assert check.check(database) == []
    assert check.verify_everything(database) == []


def owed(database: Database, case_id: int) -> list[str]:
    with database.reading() as session:
        rows = session.scalars(select(Payable).where(Payable.case_id == case_id).order_by(Payable.id))
        return [one.state for one in rows]


def publicities(database: Database, case_id: int) -> list[Publicity]:
    with database.reading() as session:
        rows = session.scalars(select(Publicity).where(Publicity.case_id == case_id).order_by(Publicity.id))
        return list(rows)


def papers(database: Database, name: str) -> list[tuple[str, int, int]]:
    """Of one kind, in the order of issue: status, people and fen that it states."""
    with database.reading() as session:
        found = session.scalars(
            select(IssuedDocument).where(IssuedDocument.name == name).order_by(IssuedDocument.id)
        )
        return [(one.status, one.context["money"]["people"], one.context["money"]["total"]) for one in found]


def uphold(run: Run) -> None:
    """Somebody objects, and is right."""
    run.take({"objection": {"name": "first", "content": "有一个人没有在车间干活。"}}, {})
    lines: tuple[Mapping[str, Any], ...] = (
        {"step": "acknowledge", "by": "hrss", "outcome": "accept"},
        {"step": "investigate", "by": "hrss", "outcome": "report", "answers": {"proposal": "uphold"}},
        {"step": "conclude", "by": "hrss_head", "outcome": "uphold", "answers": {"finding": "情况属实。"}},
    )
    for line in lines:
        run.take({"in": "first", **line}, {})


# More people ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["township_check", "hrss_review", "recheck", "advance", "pay"])
def test_the_employer_adds_nobody_while_an_office_has_the_claim(published: Database, at: str) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, at, roster=TWO)
        with published.reading() as session:
            definition = newest(session, PROCESS).roster
            items = session.scalars(select(WorkItem.id).where(WorkItem.case_id == run.walk.case_id)).all()
            before = session.scalars(select(Roster.id)).all()
        assert definition is not None
        content = sheet_of(definition, run.people)
        for item in items:  # the employer's own of the past, and the office's of now
            with pytest.raises((Conflict, Forbidden, NotFound)), published.transaction() as session:
                rosters.upload(session, actor(session, "qiye1"), item, content, "花名册.xlsx")
        with published.reading() as session:
            assert session.scalars(select(Roster.id)).all() == before
        silent(published)


def test_whoever_is_added_after_an_upheld_objection_goes_through_a_publicity_of_their_own(
    published: Database,
) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "application", roster=THREE)
        content = {**run.scenarios.get("straight"), "roster": TWO}
        for step, by, outcome in (
            ("application", "employer", "submit"),
            ("township_check", "township", "agree"),
            ("hrss_review", "hrss", "agree"),
            ("rural_review", "rural", "agree"),
            ("recheck", "hrss_head", "approve"),
        ):
            run.take({"step": step, "by": by, "outcome": outcome}, content)
        case_id = run.walk.case_id
        assert owed(published, case_id) == ["reserved"] * 2
        uphold(run)
        assert owed(published, case_id) == ["freed"] * 2
        back = {"step": "recheck", "by": "hrss_head", "outcome": "return", "opinion": "请重新核实人员。"}
        run.take(back, content)
        run.take({"step": "rural_review", "by": "rural", "outcome": "agree"}, content)
        back = {"step": "hrss_review", "by": "hrss", "outcome": "return", "opinion": "请核对花名册。"}
        run.take(back, content)
        run.take(
            {
                "step": "rework",
                "by": "employer",
                "outcome": "submit",
                "answers": {"reply": "补充一人。", "claimed_count": 3},
                "roster": THREE,
            },
            content,
        )
        for step, by in (("hrss_review", "hrss"), ("rural_review", "rural")):
            run.take({"step": step, "by": by, "outcome": "agree"}, content)
        run.take({"step": "recheck", "by": "hrss_head", "outcome": "approve"}, content)
        first, second = publicities(published, case_id)
        assert (first.closed_as, second.closed_as) == ("cancelled", None)
        assert second.content[1:] == [
            {"label": "拟奖补人数", "value": "3 人"},
            {"label": "拟奖补金额", "value": "3,000.00 元"},
        ]
        with published.reading() as session:
            shown = publicity_notice(session, second.token).running
            assert shown is not None
            assert len(shown.people) == 3
            assert "公示还没有结束" in blocked_cases(session, [case_id])[case_id]
        move(timedelta(days=9))
        run.walk.work()
        assert owed(published, case_id).count("reserved") == 3  # the first 公示 would be over by now
        run.take({"advance": {"to": "publicity_ended"}}, {})
        assert owed(published, case_id).count("ready") == 3
        silent(published)


def test_a_claim_that_was_sent_back_begins_its_reviews_and_its_publicity_anew(published: Database) -> None:
    """Sent back at 复核: what was agreed before is no word on the people who came in since."""
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "recheck", roster=TWO)
        content = run.scenarios.get("straight")
        run.take({"step": "recheck", "by": "hrss_head", "outcome": "return", "opinion": "请核实。"}, content)
        assert run.walk.open_steps() == ["hrss_review", "rural_review"]
        assert publicities(published, run.walk.case_id) == []
        assert owed(published, run.walk.case_id) == []
        silent(published)


# Fewer people ---------------------------------------------------------------------------------------------------------


def take_out(database: Database, run: Run, place: int = 0) -> str:
    """人社 takes out one person; returns the name."""
    with database.transaction() as session:
        rows = session.scalars(select(RosterRow).order_by(RosterRow.number)).all()
        name = str(rows[place].values["name"])
        remove_row(session, actor(session, "renshe.head"), run.walk.case_id, rows[place].id, "本人已离岗")
    run.walk.work()
    return name


def test_a_running_publicity_says_what_is_left(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "advance", roster=THREE)
        case_id = run.walk.case_id
        (before,) = publicities(published, case_id)
        name = take_out(published, run)
        take_out(published, run, 1)
        (after,) = publicities(published, case_id)
        assert (after.ends_at, after.token) == (before.ends_at, before.token)  # no fresh one for fewer people
        assert after.content[1:] == [
            {"label": "拟奖补人数", "value": "1 人"},
            {"label": "拟奖补金额", "value": "1,000.00 元"},
            {"label": "公示期间剔除", "value": "2 人，不再奖补"},
        ]
        with published.reading() as session:
            shown = publicity_notice(session, after.token).running
            assert shown is not None
            assert len(shown.people) == 1
            assert name not in {one.name for one in shown.people}
            sums = payments(session, case_id)
            assert sums is not None
            assert (sums.people, sums.total_fen) == (1, 100_000)
        run.take({"advance": {"to": "publicity_ended"}}, {})
        assert papers(published, "payment_form") == [("issued", 1, 100_000)]
        silent(published)


def test_papers_page_and_batch_say_the_new_total(published: Database) -> None:
    """Taken out after the papers were issued and a batch was made: the old papers fall, the batch is made anew."""
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "pay", roster=THREE)
        case_id = run.walk.case_id
        with published.transaction() as session:
            maker, checker, releaser = finance_officers(session, "220822")[:3]
            fund = session.scalars(select(Appropriation.id)).one()
            made = batches.make(session, maker, fund, PROCESS, blocked=blocked_cases).id
        take_out(published, run)
        for name in ("approval_form", "payment_form"):
            assert papers(published, name) == [("revoked", 3, 300_000), ("issued", 2, 200_000)]
        (over,) = publicities(published, case_id)
        assert over.content[1]["value"] == "3 人"  # what was published then, and is over
        with published.transaction() as session:
            batches.check(session, checker, made, True, "")
        with pytest.raises(Conflict, match="有 1 笔已被停止"), published.transaction() as session:
            batches.release(session, releaser, made, installation().files, blocked=blocked_cases)
        with published.transaction() as session:
            batches.cancel(session, maker, made)
        assert pay(published, "220822", PROCESS) == (2, 200_000)
        run.walk.work()
        assert papers(published, "payment_list") == [("issued", 2, 200_000)]
        with published.reading() as session:
            assert session.get_one(Case, case_id).status == "paid"
        silent(published)


def test_when_nobody_is_left_the_papers_fall_and_none_is_drawn_up(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "pay", roster=[{"kind": "qualified", "count": 1}])
        take_out(published, run)
        assert papers(published, "payment_form") == [("revoked", 1, 100_000)]
        with published.reading() as session:
            assert session.get_one(Case, run.walk.case_id).status == "nobody_left"
        silent(published)
