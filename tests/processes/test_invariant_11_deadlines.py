"""Invariant 11: a deadline survives restart, return, 补正 and a change of the holiday table; a timer fires by our clock
alone, once, whoever polls; and a late click does not win over one that is due."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text

from workflows.audit.model import Event
from workflows.base import clock
from workflows.base.errors import Conflict
from workflows.base.session import Database
from workflows.cases import check, jobs, process, recalling
from workflows.cases.action import lock_case
from workflows.cases.model import CaseTimer, Notice, WorkItem
from workflows.cases.scenarios import Run, Scenarios
from workflows.organisations.settings import set_calendar_day

from .stage import MONDAY, actor, bring_to, county_of, decide, open_item, run_of, unsigned, walk_on

pytestmark = pytest.mark.usefixtures("papers_unrendered")
CASE = 1
END = clock.midnight(date(2026, 3, 10))
SECOND = timedelta(seconds=1)
CORRECT = {"outcome": "correct"}


def due(database: Database, step: str) -> object:
    with database.reading() as session:
        return open_item(session, CASE, step).due_at


def midnight_after(day: date) -> object:
    return clock.midnight(day + timedelta(days=1))


def everything(database: Database) -> list[tuple[object, ...]]:
    with database.reading() as session:
        items = session.execute(
            select(WorkItem.id, WorkItem.due_at, WorkItem.paused_at).order_by(WorkItem.id)
        )
        timers = session.execute(select(CaseTimer.id, CaseTimer.due_at).order_by(CaseTimer.id))
        return [tuple(row) for row in items] + [tuple(row) for row in timers]


def test_a_restart_changes_no_deadline(at_publicity: Database) -> None:
    before = everything(at_publicity)
    process.forget()
    again = Database(at_publicity.engine.url.render_as_string(hide_password=False))
    try:
        assert everything(again) == before
        with clock.frozen(END - SECOND) as move:
            assert jobs.fire_due_timers(again) == 0
            move(SECOND)
            assert jobs.fire_due_timers(again) == 1
        assert check.check(again) == []
    finally:
        again.close()


def test_a_changed_calendar_moves_no_deadline_that_was_given(at_reviews: Database) -> None:
    before = everything(at_reviews)
    with clock.frozen(MONDAY), at_reviews.transaction() as session:
        for day in range(3, 14):
            set_calendar_day(
                session,
                actor(session, "guanli"),
                day=date(2026, 3, day),
                working=day % 2 == 0,
                note="县里的安排",
            )
    assert everything(at_reviews) == before


def test_the_clock_stands_still_during_a_correction(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = bring_to(published, move, "township_acceptance")
        assert due(published, "township_acceptance") == midnight_after(date(2026, 3, 9))
        move(timedelta(days=2))
        walk_on(run, "township_acceptance", scenario="corrected")
        given = due(published, "correction")
        move(timedelta(days=6))
        walk_on(run, "correction", scenario="corrected")
        # six days stood still: Monday the 9th becomes Sunday the 15th
        assert due(published, "township_acceptance") == midnight_after(date(2026, 3, 15))
        # taking the answer back wins no time, and the township's clock stands still again
        with published.transaction() as session:
            recalling.recall(session, actor(session, "qiye1"), CASE)
        assert due(published, "correction") == given
        move(timedelta(days=1))
        walk_on(run, "correction", scenario="corrected")
        assert due(published, "township_acceptance") == midnight_after(date(2026, 3, 16))
        assert check.check(published) == []


def test_a_second_submission_counts_from_its_own_day(published: Database) -> None:
    """Nothing was 补正: a draft taken back twice comes under the rules and the time of its last day."""
    with clock.frozen(MONDAY) as move:
        run = bring_to(published, move, "township_acceptance")
        for _ in range(2):
            with published.transaction() as session:
                case = recalling.recall(session, actor(session, "qiye1"), CASE)
                assert case.submitted_at is None
                assert case.status == "draft"
            move(timedelta(days=7))
            walk_on(run, "application")
        with published.reading() as session:
            item = open_item(session, CASE, "township_acceptance")
            assert item.case.submitted_at == MONDAY + timedelta(days=14)
            assert item.case.rules["day"] == "2026-03-16"
            assert item.due_at == midnight_after(date(2026, 3, 23))


def test_a_return_gives_what_was_left_and_a_new_round_a_whole_limit(at_reviews: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = run_of(at_reviews, move)
        assert due(at_reviews, "hrss_review") == midnight_after(date(2026, 3, 16))
        move(timedelta(days=4))
        walk_on(run, "hrss_review", "rural_review", "rework", scenario="returned_and_rectified")
        assert due(at_reviews, "hrss_review") == midnight_after(date(2026, 3, 16))
        # 整改 stops the clock of the site check; the reviews that the meeting asks for again are not after it
        walk_on(run, "hrss_review", "rural_review")
        walk_on(run, "site_check", scenario="returned_and_rectified")
        move(timedelta(days=20))
        walk_on(run, "rectification", scenario="returned_and_rectified")
        walk_on(run, "site_check")
        walk_on(run, "meeting", scenario="returned_and_rectified")
        assert clock.today() == date(2026, 3, 26)
        assert due(at_reviews, "hrss_review") == midnight_after(date(2026, 4, 10))
        assert check.check(at_reviews) == []


def test_only_our_clock_fires_a_timer(at_publicity: Database) -> None:
    """The machine's own clock is far from the case's: the engine's look at it moves nothing, either way."""
    for moment in (MONDAY.replace(year=2011), END - SECOND):
        with clock.frozen(moment):
            assert jobs.fire_due_timers(at_publicity) == 0
            assert check.check(at_publicity) == []
    with clock.frozen(END + timedelta(days=4000)):
        assert jobs.fire_due_timers(at_publicity) == 1
        assert jobs.fire_due_timers(at_publicity) == 0


def side_by_side(work: Callable[[], int], workers: int = 4) -> list[int]:
    start, results = threading.Barrier(workers), []

    def run() -> None:
        start.wait(10)
        results.append(work())

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_two_workers_fire_a_timer_once(at_publicity: Database) -> None:
    with clock.frozen(END):
        fired = side_by_side(lambda: jobs.fire_due_timers(at_publicity))
        assert (len(fired), sum(fired)) == (4, 1)
        with at_publicity.reading() as session:
            noted = select(func.count()).select_from(Event).where(Event.kind == "timer-fired")
            assert session.scalar(noted) == 1
            assert open_item(session, CASE, "joint_issue") is not None
        assert check.check(at_publicity) == []


@pytest.mark.postgres
def test_a_worker_skips_a_case_that_somebody_holds(postgres_at_publicity: Database) -> None:
    """It does not wait behind an officer: other cases' timers are due as well, and the next sweep comes in seconds."""
    database = postgres_at_publicity
    with clock.frozen(END):
        with database.transaction() as session:
            lock_case(session, CASE)
            assert side_by_side(lambda: jobs.fire_due_timers(database), 1) == [0]
        assert jobs.fire_due_timers(database) == 1


def test_a_case_that_cannot_go_on_holds_up_no_other(at_publicity: Database) -> None:
    with clock.frozen(MONDAY) as move:
        bring_to(at_publicity, move, "advance", employer=2, seed=2)
        with at_publicity.transaction() as session:
            session.execute(
                text("UPDATE case_timers SET due_at = '2026-03-02 16:00:00+00:00' WHERE case_id = 1")
            )
            session.execute(
                text("UPDATE publicities SET ends_at = '2026-03-20 16:00:00+00:00' WHERE case_id = 1")
            )
        move(END - clock.now())
        with pytest.raises(Conflict, match="公示期未满"):
            jobs.fire_due_timers(at_publicity)
        with at_publicity.reading() as session:
            assert open_item(session, 2, "joint_issue") is not None
            assert open_item(session, CASE, "joint_issue") is None


def report_due(database: Database, move: Callable[[timedelta], None]) -> Run:
    """A 年审 whose employer has not reported until the last second."""
    scenarios = Scenarios.read("workshop_review")
    county = county_of(database)
    run = Run(database, unsigned, scenarios, county.employers[1].id, county.county_code, move)
    content = scenarios.get("kept")
    run.begin(content)
    run.take(content["walk"][0], content)
    move(run.walk.next_timer() - clock.now() - SECOND)
    return run


def test_a_late_click_does_not_win_over_a_due_timer(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = report_due(published, move)
        move(SECOND)
        with published.transaction() as session, pytest.raises(Conflict, match="期限已到"):
            decide(session, "qiye1", open_item(session, CASE, "review_report"), "submit")
        assert run.walk.open_steps() == ["review_report"]
        assert jobs.fire_due_timers(published) == 1
        assert run.walk.open_steps() == ["township_check"]
        assert check.check(published) == []


def test_a_click_in_the_last_second_counts(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = report_due(published, move)
        content = run.scenarios.get("kept")
        run.take(content["walk"][1], content)
        assert run.walk.open_steps() == ["township_check"]
        move(timedelta(days=1))
        assert jobs.fire_due_timers(published) == 0
        assert check.check(published) == []


def test_being_late_tells_the_head_once_and_passes_nothing(at_reviews: Database) -> None:
    with clock.frozen(MONDAY) as move:
        assert jobs.note_overdue(at_reviews) == 0
        move(midnight_after(date(2026, 3, 16)) - clock.now() - SECOND)
        assert jobs.note_overdue(at_reviews) == 0
        move(SECOND)
        told = side_by_side(lambda: jobs.note_overdue(at_reviews), 2)
        assert sum(told) + jobs.note_overdue(at_reviews) == 2
        assert jobs.note_overdue(at_reviews) == 0
        move(timedelta(days=200))
        assert jobs.note_overdue(at_reviews) == 0
        with at_reviews.reading() as session:
            late = session.scalars(select(Notice).where(Notice.urgent)).all()
            heads = {actor(session, name).user_id for name in ("renshe.head", "xiangcun.head")}
            assert {notice.user_id for notice in late} == heads
            assert len(late) == 2
            assert open_item(session, CASE, "hrss_review") is not None
            assert open_item(session, CASE, "rural_review") is not None
        assert check.check(at_reviews) == []


def test_a_sweep_of_late_items_and_an_officer_do_not_lock_each_other(at_reviews: Database) -> None:
    """The sweep takes the case before its items, as everyone does: it gives way to whoever holds the case."""
    with clock.frozen(MONDAY + timedelta(days=40)):
        if at_reviews.engine.dialect.name != "sqlite":
            with at_reviews.transaction() as session:
                lock_case(session, CASE)
                assert side_by_side(lambda: jobs.note_overdue(at_reviews), 1) == [0]
        assert jobs.note_overdue(at_reviews) == 2
