"""Invariant 3: one action, one effect: double click, replay, two officers at once, a stale page."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from workflows.base import clock
from workflows.base.errors import Conflict, Forbidden, Invalid
from workflows.base.session import Database
from workflows.cases import check, claiming
from workflows.cases.model import Decision, WorkItem

from .stage import MONDAY, actor, bring_to, decide, open_item, waiting_item

pytestmark = pytest.mark.usefixtures("papers_unrendered")


def count(database: Database, case_id: int, step: str) -> int:
    with database.reading() as session:
        return session.scalar(
            select(func.count())
            .select_from(Decision)
            .where(Decision.case_id == case_id, Decision.step == step)
        )


def test_the_same_form_twice_has_one_effect_and_the_same_answer(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = bring_to(published, move, "township_acceptance")
        waiting = waiting_item(published, run.walk.case_id, "township_acceptance")
        with published.transaction() as session:
            item = session.get_one(WorkItem, waiting)
            first = decide(session, "shifan.clerk", item, "accept", key="k1", version=1)
        with published.transaction() as session:
            item = session.get_one(WorkItem, waiting)
            again = decide(session, "shifan.clerk", item, "accept", key="k1", version=1)
        assert again.replayed
        assert again.decision_id == first.decision_id
        assert count(published, run.walk.case_id, "township_acceptance") == 1
        assert check.check(published) == []


def test_the_same_key_with_another_body_is_refused(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = bring_to(published, move, "township_acceptance")
        waiting = waiting_item(published, run.walk.case_id, "township_acceptance")
        with published.transaction() as session:
            item = session.get_one(WorkItem, waiting)
            decide(session, "shifan.clerk", item, "accept", key="k1", version=1)
        with published.transaction() as session:
            item = session.get_one(WorkItem, waiting)
            with pytest.raises(Invalid, match="已经提交过"):
                decide(session, "shifan.clerk", item, "accept", key="k1", version=1, opinion="另一条意见")
        assert count(published, run.walk.case_id, "township_acceptance") == 1


def test_the_same_key_for_another_item_is_refused(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = bring_to(published, move, "hrss_review")
        hrss, rural = (
            waiting_item(published, run.walk.case_id, step) for step in ("hrss_review", "rural_review")
        )
        with published.transaction() as session:
            decide(session, "renshe.a", session.get_one(WorkItem, hrss), "agree", key="k1", version=1)
        with published.transaction() as session:
            item = session.get_one(WorkItem, rural)
            with pytest.raises(Invalid, match="已经提交过"):
                decide(session, "xiangcun.a", item, "agree", key="k1", version=1)
            session.rollback()
        assert count(published, run.walk.case_id, "rural_review") == 0
        assert check.check(published) == []


def test_of_two_officers_at_once_one_wins_and_the_other_learns_who(published: Database) -> None:
    """Two threads, two officers of one office, one item: exactly one decision; the loser is told who and when."""
    with clock.frozen(MONDAY) as move:
        run = bring_to(published, move, "hrss_review")
        start = threading.Barrier(2)
        results: dict[str, object] = {}

        def act(username: str) -> None:
            waiting = waiting_item(published, run.walk.case_id, "hrss_review")
            start.wait(10)
            try:
                with published.transaction() as session:
                    fresh = session.get_one(WorkItem, waiting)
                    results[username] = decide(session, username, fresh, "agree", version=1)
            except Exception as error:
                results[username] = error

        threads = [threading.Thread(target=act, args=(name,)) for name in ("renshe.a", "renshe.b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        losers = [error for error in results.values() if isinstance(error, Exception)]
        assert len(losers) == 1, results
        assert isinstance(losers[0], Conflict)
        assert "已由他人办理" in losers[0].message
        assert "人力资源和社会保障局" in losers[0].message
        assert count(published, run.walk.case_id, "hrss_review") == 1
        assert check.check(published) == []


def test_a_stale_page_is_refused(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = bring_to(published, move, "hrss_review")
        waiting = waiting_item(published, run.walk.case_id, "hrss_review")
        with published.transaction() as session:
            claiming.claim(session, actor(session, "renshe.a"), waiting)
        with published.transaction() as session:
            b = actor(session, "renshe.b")
            claiming.reassign(session, actor(session, "renshe.head"), waiting, b.user_id, "外出培训")
        with published.transaction() as session, pytest.raises(Conflict, match="任思齐已领取"):
            decide(session, "renshe.a", session.get_one(WorkItem, waiting), "agree", version=1)
        with published.transaction() as session, pytest.raises(Conflict, match="页面打开之后"):
            decide(session, "renshe.b", session.get_one(WorkItem, waiting), "agree", version=1)
        with published.transaction() as session:
            decide(session, "renshe.b", session.get_one(WorkItem, waiting), "agree")


def test_nobody_of_another_office_acts(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = bring_to(published, move, "hrss_review")
        for stranger in ("xiangcun.a", "taonan.renshe", "caizheng.clerk", "shenji", "guanli", "qiye1"):
            with published.transaction() as session:
                item = open_item(session, run.walk.case_id, "hrss_review")
                with pytest.raises(Forbidden):
                    decide(session, stranger, item, "agree")
        assert count(published, run.walk.case_id, "hrss_review") == 0
