"""Invariant 10: a 公示 cannot be cut short, and nothing goes on before it has ended with no objection open."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from workflows.base import clock
from workflows.base.errors import Conflict, Forbidden, Invalid
from workflows.base.session import Database
from workflows.cases import check, publicity, recalling
from workflows.cases.action import begin
from workflows.cases.jobs import fire_due_timers
from workflows.cases.model import Case, CaseTimer, Objection, Publicity, WorkItem
from workflows.cases.objections import object_to
from workflows.cases.operations import open_publicity
from workflows.organisations.settings import set_calendar_day

from .stage import MONDAY, actor, bring_to, decide, open_item, run_of, walk_on

pytestmark = pytest.mark.usefixtures("papers_unrendered")
CASE = 1
#: Five working days after 2026-03-02: 24:00 of the Monday after.
END = clock.midnight(date(2026, 3, 10))
SECOND = timedelta(seconds=1)
#: Published → last day of five working days; every line crosses something.
PERIODS = {
    "a weekend": (date(2026, 3, 2), date(2026, 3, 9)),
    "春节, with a Saturday worked for it": (date(2026, 2, 13), date(2026, 2, 27)),
    "劳动节, ending on a Saturday worked for it": (date(2026, 4, 29), date(2026, 5, 9)),
    "中秋 and 国庆": (date(2026, 9, 24), date(2026, 10, 9)),
    "国庆 of 2025, with a Sunday worked for it": (date(2025, 9, 26), date(2025, 10, 10)),
    "the end of a year, with a Sunday worked for it": (date(2025, 12, 29), date(2026, 1, 6)),
    "the end of a year whose calendar nobody has published": (date(2028, 12, 28), date(2029, 1, 4)),
}


def running(session: Session) -> Publicity:
    return session.scalars(select(Publicity).order_by(Publicity.id.desc())).first()


def steps(database: Database) -> set[str]:
    with database.reading() as session:
        return set(
            session.scalars(
                select(WorkItem.step).where(WorkItem.case_id == CASE, WorkItem.closed_at.is_(None))
            )
        )


def objection(database: Database) -> int:
    """A neighbour objects; the number of the objection's case."""
    with database.transaction() as session:
        return object_to(
            session, running(session).token, name="钱守义", phone="", content="场地是借用的。"
        ).case_id


def settle(database: Database, case_id: int, outcome: str) -> None:
    """Three officers handle an objection to its end."""
    answers = {
        "about": ["people"],
        "contacted": ["yes"],
        "investigated_on": [clock.today().isoformat()],
        "investigators": ["任可心、任思齐"],
        "facts": ["已查明。"],
        "employer_response": ["属实。"],
        "proposal": [outcome],
        "finding": ["经查，情况如上。"],
    }
    for step, who, word in (
        ("acknowledge", "renshe.a", "accept"),
        ("investigate", "renshe.a", "report"),
        ("conclude", "renshe.head", outcome),
    ):
        with database.transaction() as session:
            decide(session, who, open_item(session, case_id, step), word, answers)


@pytest.mark.parametrize("crossing", PERIODS)
def test_the_end_counts_working_days(at_reviews: Database, crossing: str) -> None:
    opened, last = PERIODS[crossing]
    for hour in (time(0, 0), time(9, 0), time(23, 59, 59)):
        with (
            clock.frozen(datetime.combine(opened, hour, clock.SHANGHAI)),
            at_reviews.sessions() as session,
        ):
            session.connection(execution_options={"wengang_write": True})
            open_publicity(begin(session, CASE, None), kind="recognition")
            assert running(session).ends_at == clock.midnight(last + timedelta(days=1))
            session.rollback()


def test_nothing_goes_on_before_the_last_second_has_passed(at_publicity: Database) -> None:
    with clock.frozen(MONDAY) as move:
        while clock.now() < END:
            assert fire_due_timers(at_publicity) == 0
            assert steps(at_publicity) == set()
            with at_publicity.reading() as session:
                assert len(publicity.running(session)) == 1
            with at_publicity.transaction() as session, pytest.raises(Conflict, match="公示期未满"):
                publicity.end_publicity(begin(session, CASE, None), "completed")
            move(min(timedelta(hours=13), max(END - SECOND - clock.now(), SECOND)))
        assert clock.now() == END
        with at_publicity.reading() as session:
            assert publicity.running(session) == []  # taken down although nobody has polled
        assert fire_due_timers(at_publicity) == 1
        assert steps(at_publicity) == {"joint_issue"}
        with at_publicity.reading() as session:
            assert (running(session).closed_at, running(session).closed_as) == (END, "completed")
        assert check.check(at_publicity) == []


def test_over_a_long_holiday_it_waits_every_day(published: Database) -> None:
    friday, last = PERIODS["春节, with a Saturday worked for it"]
    with clock.frozen(datetime.combine(friday, time(9), clock.SHANGHAI)) as move:
        bring_to(published, move, "advance")
        while clock.today() <= last:
            assert fire_due_timers(published) == 0
            assert steps(published) == set()
            move(timedelta(days=1))
        assert fire_due_timers(published) == 1
        assert steps(published) == {"joint_issue"}


def test_a_timer_moved_past_the_system_cuts_nothing_short(at_publicity: Database) -> None:
    with clock.frozen(MONDAY + timedelta(days=1)):
        with at_publicity.transaction() as session:
            session.execute(text("UPDATE case_timers SET due_at = '2026-03-02 16:00:00+00:00'"))
        with pytest.raises(Conflict, match="公示期未满"):
            fire_due_timers(at_publicity)
        assert steps(at_publicity) == set()
        with at_publicity.reading() as session:
            assert running(session).closed_at is None


@pytest.mark.parametrize(
    "changes",
    [
        {date(2026, 3, 7): True, date(2026, 3, 8): True},
        {date(2026, 3, 4): False, date(2026, 3, 5): False, date(2026, 3, 6): False},
    ],
    ids=["more working days", "fewer working days"],
)
def test_a_changed_calendar_leaves_a_published_end_alone(
    at_publicity: Database, changes: dict[date, bool]
) -> None:
    with clock.frozen(MONDAY + timedelta(days=1)) as move:
        with at_publicity.transaction() as session:
            for day, working in changes.items():
                set_calendar_day(
                    session, actor(session, "guanli"), day=day, working=working, note="县里的安排"
                )
        with at_publicity.reading() as session:
            assert running(session).ends_at == END
            assert session.scalars(select(CaseTimer.due_at)).one() == END
        move(END - clock.now() - SECOND)
        assert fire_due_timers(at_publicity) == 0
        move(SECOND)
        assert fire_due_timers(at_publicity) == 1
        assert check.check(at_publicity) == []


def test_an_end_moves_later_and_never_earlier(at_publicity: Database) -> None:
    with clock.frozen(MONDAY) as move:
        with at_publicity.transaction() as session, pytest.raises(Invalid, match="只能延后"):
            publicity.extend(session, CASE, END - SECOND, None, "节假日调整")
        later = END + timedelta(days=2)
        with at_publicity.transaction() as session:
            publicity.extend(session, CASE, later, None, "节假日调整")
        assert check.check(at_publicity) == []  # row, timer and engine moved together
        move(END - clock.now())
        assert fire_due_timers(at_publicity) == 0
        move(later - clock.now())
        assert fire_due_timers(at_publicity) == 1
        assert steps(at_publicity) == {"joint_issue"}
        with at_publicity.transaction() as session, pytest.raises(Conflict, match="没有正在进行的公示"):
            publicity.extend(session, CASE, later, None, "太晚了")


def test_an_objection_of_the_last_second_holds_it(at_publicity: Database) -> None:
    with clock.frozen(END - SECOND) as move:
        case_id = objection(at_publicity)
        move(SECOND)
        with at_publicity.transaction() as session, pytest.raises(Conflict, match="公示期已经结束"):
            object_to(session, running(session).token, name="匿名", phone="", content="晚了一秒的异议。")
        assert fire_due_timers(at_publicity) == 1
        assert steps(at_publicity) == set()
        with at_publicity.transaction() as session, pytest.raises(Conflict, match="异议尚未办结"):
            publicity.end_publicity(begin(session, CASE, None), "completed")
        move(timedelta(days=30))
        assert fire_due_timers(at_publicity) == 0
        assert steps(at_publicity) == set()
        settle(at_publicity, case_id, "reject")
        assert steps(at_publicity) == {"joint_issue"}
        assert check.check(at_publicity) == []


def test_a_rejected_objection_shortens_nothing(at_publicity: Database) -> None:
    with clock.frozen(MONDAY) as move:
        settle(at_publicity, objection(at_publicity), "reject")
        assert steps(at_publicity) == set()
        move(END - clock.now() - SECOND)
        assert fire_due_timers(at_publicity) == 0
        move(SECOND)
        assert fire_due_timers(at_publicity) == 1
        assert steps(at_publicity) == {"joint_issue"}


def test_an_upheld_objection_before_a_late_poll_leads_back_to_the_meeting(at_publicity: Database) -> None:
    """The end has passed, no worker has come: the conclusion still counts, and the end then finds nothing to do."""
    with clock.frozen(MONDAY) as move:
        case_id = objection(at_publicity)
        move(END - clock.now())
        settle(at_publicity, case_id, "uphold")
        assert steps(at_publicity) == {"meeting"}
        assert fire_due_timers(at_publicity) == 0
        assert check.check(at_publicity) == []


def test_an_objection_is_owed_its_answer_whatever_became_of_another(at_publicity: Database) -> None:
    """Two objections; one is upheld, the meeting agrees again: the second 公示 still waits for the other."""
    with clock.frozen(MONDAY) as move:
        first, second = objection(at_publicity), objection(at_publicity)
        settle(at_publicity, first, "uphold")
        walk_on(run_of(at_publicity, move), "meeting")
        assert steps(at_publicity) == set()
        move(timedelta(days=20))
        assert fire_due_timers(at_publicity) == 1
        assert steps(at_publicity) == set()
        settle(at_publicity, second, "reject")
        assert steps(at_publicity) == {"joint_issue"}
        assert check.check(at_publicity) == []


def test_the_first_objection_upheld_during_the_second_publicity_stops_it(at_publicity: Database) -> None:
    with clock.frozen(MONDAY) as move:
        first, second = objection(at_publicity), objection(at_publicity)
        settle(at_publicity, first, "uphold")
        walk_on(run_of(at_publicity, move), "meeting")
        settle(at_publicity, second, "uphold")
        assert steps(at_publicity) == {"meeting"}
        assert check.check(at_publicity) == []


def test_the_employer_may_give_up_but_not_take_back(at_publicity: Database) -> None:
    with clock.frozen(MONDAY) as move:
        case_id = objection(at_publicity)
        with at_publicity.transaction() as session, pytest.raises(Forbidden, match="不能再撤回"):
            recalling.recall(session, actor(session, "qiye1"), CASE)
        with at_publicity.transaction() as session:
            recalling.terminate(session, actor(session, "qiye1"), CASE, "不再申请。")
        with at_publicity.reading() as session:
            assert publicity.running(session) == []
            assert running(session).closed_as == "cancelled"
            assert session.get_one(Case, case_id).status == "terminated"
        move(timedelta(days=30))
        assert fire_due_timers(at_publicity) == 0
        assert steps(at_publicity) == set()
        assert check.check(at_publicity) == []


def test_an_objection_cannot_be_made_to_disappear(at_publicity: Database) -> None:
    """Ended by the head without a conclusion, it would hold up the case for ever, or be heard by nobody."""
    with clock.frozen(MONDAY):
        case_id = objection(at_publicity)
        with at_publicity.transaction() as session, pytest.raises(Conflict, match="应当作出结论"):
            recalling.terminate(session, actor(session, "renshe.head"), case_id, "不想办。")
        with at_publicity.reading() as session:
            assert session.scalars(select(Objection.result)).one() is None
            assert open_item(session, case_id, "acknowledge") is not None
