"""Invariant 8: nobody holds two incompatible posts in one case, over rounds, reassigning and substitutes; the same step
goes first to the same officer; an employer never reviews."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base import clock
from workflows.base.errors import Conflict, Forbidden, Invalid
from workflows.base.session import Database
from workflows.cases import check, claiming, verdicts
from workflows.cases.model import Case, Decision, WorkItem
from workflows.cases.process import newest
from workflows.cases.publishing import process_keys
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.cases.walking import user_named
from workflows.organisations.model import Assignment, User
from workflows.organisations.offices import end_assignment, name_substitute
from workflows.registers.membership import load_actor

from .stage import MONDAY, actor, county_of, decide, open_item, run_of, unsigned, walk_on

pytestmark = pytest.mark.usefixtures("papers_unrendered")
CASE = 1
#: Walks that come to the later step of each pair after its earlier one; the objection lies inside the first.
WALKS = (
    ("workshop_recognition", "returned_and_rectified"),
    ("workshop_review", "hearing_changes_the_outcome"),
    ("workshop_review", "restored"),
    ("one_time_reward", "mixed"),
    ("training_allowance", "mixed"),
    ("work_relief_project", "straight"),
    ("work_relief_entry", "straight"),
    ("work_relief_closeout", "straight"),
    ("work_relief_payroll", "mixed"),
)
#: Processes in which a month must have begun, and how many days after their scenario's own they begin here: the clock
#: of the one fund does not go back.
MONTHS = {"work_relief_closeout": 0, "work_relief_payroll": 90}
Pair = tuple[str, str, str]


def who_decided(session: Session, case_id: int, step: str) -> int:
    """The user who decided a step last."""
    return session.scalars(
        select(Decision.actor_id)
        .where(Decision.case_id == case_id, Decision.step == step)
        .order_by(Decision.id.desc())
    ).first()


def appoint(session: Session, user_id: int, department_id: int) -> None:
    """Give somebody a post in an office, past every rule about posts."""
    session.add(
        Assignment(user_id=user_id, department_id=department_id, post="head", valid_from=date(2022, 6, 6))
    )
    session.flush()


def refuse_pairs(database: Database, run: Run, open_pairs: set[Pair]) -> None:
    """Whoever did the one step of a pair is given a post and the item of the other, and is refused all the same."""
    with database.reading() as session:
        case = session.get_one(Case, run.walk.case_id)
        decided = set(session.scalars(select(Decision.step).where(Decision.case_id == case.id)))
        waiting = set(
            session.scalars(
                select(WorkItem.step).where(WorkItem.case_id == case.id, WorkItem.closed_at.is_(None))
            )
        )
        key = case.process
    ready = {pair for pair in open_pairs if pair[0] == key and pair[1] in decided and pair[2] in waiting}
    for pair in ready:
        _, earlier, later = pair
        with database.transaction() as session:
            item = open_item(session, run.walk.case_id, later)
            user = session.get_one(User, who_decided(session, run.walk.case_id, earlier))
            appoint(session, user.id, item.department_id)
            item.claimed_by, item.claimed_at = user.id, clock.now()
            session.flush()
            outcome = newest(session, key).form(later).outcomes[0].key
            words = "岗位分离" if user.kind == "officer" else "不由您的岗位办理"
            with pytest.raises(Forbidden, match=words):
                decide(session, user.username, item, outcome)
            session.rollback()
    open_pairs -= ready


def test_every_pair_is_guarded(published_sqlite: Database) -> None:
    every_pair_is_guarded(published_sqlite)


@pytest.mark.long
def test_every_pair_is_guarded_on_both_databases(published: Database) -> None:
    every_pair_is_guarded(published)


def every_pair_is_guarded(published: Database) -> None:
    """Whoever did one thing of a pair is refused the other, for each pair of each process."""
    with published.reading() as session:
        left = {
            (key, first, second)
            for key in process_keys()
            for first, second in newest(session, key).config.get("incompatible", [])
        }
    assert {key for key, _, _ in left} == set(process_keys())
    county = county_of(published)
    for key, name in WALKS:
        scenarios = Scenarios.read(key)
        content = scenarios.get(name)
        # a month's wages are claimed when the month has begun
        begins = opening_instant(content) + timedelta(days=MONTHS[key]) if key in MONTHS else MONDAY
        with clock.frozen(begins) as move:
            # a project that other walks have left unsettled cannot be closed: this one has a unit of its own
            unit = county.employers[2 if key == "work_relief_closeout" else 1].id
            run = Run(published, unsigned, scenarios, unit, county.county_code, move)
            run.seed = len(left)
            run.begin(content)
            for action in content["walk"]:
                run.take(action, content)
                for one in (run, *run.named.values()):
                    refuse_pairs(published, one, left)
    assert not left, "no walk comes to these pairs"
    assert check.check(published) == []


def test_the_two_reviews_need_two_people(at_reviews: Database) -> None:
    """Somebody with posts in both offices speaks for one of them."""
    with clock.frozen(MONDAY):
        with at_reviews.transaction() as session:
            rural = open_item(session, CASE, "rural_review")
            appoint(session, user_named(session, "renshe.a").id, rural.department_id)
            decide(session, "renshe.a", open_item(session, CASE, "hrss_review"), "agree")
        with at_reviews.transaction() as session, pytest.raises(Forbidden, match="岗位分离"):
            decide(session, "renshe.a", open_item(session, CASE, "rural_review"), "agree")
        with at_reviews.transaction() as session:
            decide(session, "xiangcun.a", open_item(session, CASE, "rural_review"), "agree")
        assert check.check(at_reviews) == []


def test_a_joint_step_needs_two_people(at_reviews: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = run_of(at_reviews, move)
        walk_on(run, "hrss_review", "rural_review")
        walk_on(run, "site_check", by="hrss")
        with at_reviews.transaction() as session:
            item = open_item(session, CASE, "site_check")
            signed = session.get_one(User, who_decided(session, CASE, "site_check"))
            appoint(session, signed.id, item.department_id)
            with pytest.raises(Forbidden, match="不同人员"):
                decide(session, signed.username, item, "pass")


def to_the_meeting(database: Database, move: Callable[[timedelta], None]) -> Run:
    """The meeting is open; renshe.a did the review."""
    run = run_of(database, move)
    with database.transaction() as session:
        decide(session, "renshe.a", open_item(session, CASE, "hrss_review"), "agree")
    walk_on(run, "rural_review", "site_check")
    return run


def test_reassigning_does_not_lift_it(at_reviews: Database) -> None:
    with clock.frozen(MONDAY) as move:
        to_the_meeting(at_reviews, move)
        with at_reviews.transaction() as session:
            item = open_item(session, CASE, "meeting")
            head, a = actor(session, "renshe.head"), actor(session, "renshe.a")
            with pytest.raises(Invalid) as refused:
                claiming.reassign(session, head, item.id, a.user_id, "外出培训")
        assert "任可心在本案已办理" in refused.value.errors["user"]
        with at_reviews.transaction() as session, pytest.raises(Forbidden, match="岗位分离"):
            claiming.claim(session, actor(session, "renshe.a"), open_item(session, CASE, "meeting").id)


def substitute(session: Session, absent: str, by: str) -> None:
    post = session.scalars(
        select(Assignment).where(Assignment.user_id == user_named(session, absent).id)
    ).first()
    name_substitute(
        session,
        actor(session, "guanli"),
        assignment_id=post.id,
        by_user_id=user_named(session, by).id,
        valid_from=date(2026, 3, 2),
        valid_to=date(2026, 3, 31),
    )


def test_a_substitute_brings_along_what_he_did_himself(at_reviews: Database) -> None:
    with clock.frozen(MONDAY) as move:
        to_the_meeting(at_reviews, move)
        with at_reviews.transaction() as session:
            item = open_item(session, CASE, "meeting")
            claiming.claim(session, actor(session, "renshe.head"), item.id)
            substitute(session, "renshe.head", "renshe.a")
            substitute(session, "renshe.head", "renshe.b")
        with at_reviews.transaction() as session, pytest.raises(Forbidden, match="岗位分离"):
            decide(session, "renshe.a", open_item(session, CASE, "meeting"), "refuse", {"facts": ["无。"]})
        with at_reviews.transaction() as session:
            decide(
                session,
                "renshe.b",
                open_item(session, CASE, "meeting"),
                "return",
                {"held_on": ["2026-03-02"], "attendees": ["任思齐"], "minutes": ["请再核对。"]},
            )
        # and what was done as a substitute stays with the person: no review by him in the next round
        with at_reviews.transaction() as session:
            item = open_item(session, CASE, "hrss_review")
            item.claimed_by = None
            session.flush()
            with pytest.raises(Forbidden, match="岗位分离"):
                decide(session, "renshe.b", item, "agree")


def next_round(database: Database, move: Callable[[timedelta], None]) -> None:
    """Round one by renshe.b and xiangcun.b, returned and handed in again."""
    for step, who, outcome in (
        ("hrss_review", "renshe.b", "return"),
        ("rural_review", "xiangcun.b", "agree"),
    ):
        with database.transaction() as session:
            decide(session, who, open_item(session, CASE, step), outcome)
    walk_on(run_of(database, move), "rework", scenario="returned_and_rectified")


def test_a_later_round_goes_first_to_the_same_officer(at_reviews: Database) -> None:
    with clock.frozen(MONDAY) as move:
        next_round(at_reviews, move)
        with at_reviews.transaction() as session:
            hrss, rural = open_item(session, CASE, "hrss_review"), open_item(session, CASE, "rural_review")
            assert (hrss.round, hrss.claimed_by) == (2, user_named(session, "renshe.b").id)
            assert (rural.round, rural.claimed_by) == (2, user_named(session, "xiangcun.b").id)
            with pytest.raises(Conflict, match="任思齐已领取"):
                decide(session, "renshe.a", hrss, "agree")
        with at_reviews.transaction() as session:
            b = actor(session, "renshe.b")
            claiming.unclaim(session, b, open_item(session, CASE, "hrss_review").id)
            decide(session, "renshe.a", open_item(session, CASE, "hrss_review"), "agree")


@pytest.mark.parametrize("why", ["his post has ended", "his account is closed"])
def test_who_left_the_office_is_not_waited_for(at_reviews: Database, why: str) -> None:
    with clock.frozen(MONDAY) as move:
        for step, who, outcome in (
            ("hrss_review", "renshe.b", "return"),
            ("rural_review", "xiangcun.b", "agree"),
        ):
            with at_reviews.transaction() as session:
                decide(session, who, open_item(session, CASE, step), outcome)
        with at_reviews.transaction() as session:
            user = user_named(session, "renshe.b")
            if why == "his account is closed":
                user.active = False
            else:
                post = session.scalars(select(Assignment).where(Assignment.user_id == user.id)).one()
                end_assignment(session, actor(session, "guanli"), post.id, date(2026, 3, 1))
        walk_on(run_of(at_reviews, move), "rework", scenario="returned_and_rectified")
        with at_reviews.transaction() as session:
            item = open_item(session, CASE, "hrss_review")
            assert (item.round, item.claimed_by) == (2, None)
            decide(session, "renshe.a", item, "agree")


def test_an_employer_never_reviews(at_reviews: Database) -> None:
    """Not its own case, not another's, not even with a post in the office."""
    with clock.frozen(MONDAY):
        for name in ("qiye1", "qiye1.clerk", "qiye2"):
            for step in ("hrss_review", "rural_review"):
                with at_reviews.transaction() as session:
                    item = open_item(session, CASE, step)
                    user = user_named(session, name)
                    appoint(session, user.id, item.department_id)
                    assert load_actor(session, user).department_ids == frozenset()
                    with pytest.raises(Forbidden):
                        claiming.claim(session, load_actor(session, user), item.id)
                    with pytest.raises(Forbidden):
                        decide(session, name, item, "agree")
                    session.rollback()


@pytest.mark.parametrize(
    "who", ["caizheng.clerk", "caizheng.head", "qiye1", "shenji", "guanli", "shifan.head"]
)
def test_nobody_but_the_reviewing_offices_edits_rows(at_reviews: Database, who: str) -> None:
    with clock.frozen(MONDAY), at_reviews.transaction() as session:
        rows = list(session.scalars(select(RosterRow.id)))
        assert len(rows) == 3
        for step in ("hrss_review", "rural_review"):
            item = open_item(session, CASE, step)
            with pytest.raises(Forbidden):
                verdicts.give(session, actor(session, who), item.id, rows, "refuse", "不属实")
