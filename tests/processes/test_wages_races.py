"""Two contractors hand in the same people's days at the same moment, each in a process of its own, on both databases: every
day goes to one of them, whoever came second is told which day and which project, and nothing is half-done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import func, select

from workflows.base import clock
from workflows.base.errors import Conflict
from workflows.base.session import Database
from workflows.cases import check, days
from workflows.cases.model import Case, Decision
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.scenarios import Run
from workflows.cases.slip_model import PaySlip
from workflows.registers import work_days
from workflows.registers.grant_model import Grant
from workflows.registers.project_model import Project, WorkDay

from .racing import Work, place, race
from .wage_stage import OPENED, SUBMIT, Mover, days_paid, month_of, runner, upload, with_rows

pytestmark = pytest.mark.usefixtures("papers_unrendered")
NAMES = {1: "向前村道路以工代赈工程（虚构）", 2: "和平村水渠以工代赈工程（虚构）"}
Rows = list[Mapping[str, Any]]


def hand_in(database: Database, move: Any, given: tuple[int, int]) -> int:
    """Submit a payroll that stands ready. ``given``: case, unit."""
    case_id, unit = given
    run = runner(database, move, unit=unit)
    run.walk.case_id = case_id
    run.take(SUBMIT, {**month_of([])})
    return unit


def hand_in_unguarded(database: Database, move: Any, given: tuple[int, int]) -> int:
    """The mutant: nobody waits, and whoever looks sees nothing of the other. The process is its own: so is the change."""

    def look(*_: object) -> dict[int, list[work_days.Clash]]:
        time.sleep(0.5)
        return {}

    days.lock_people = lambda *_: None  # type: ignore[attr-defined]
    work_days.staged_clashes = look  # type: ignore[assignment]
    return hand_in(database, move, given)


def ready(database: Database, move: Mover, unit: int, rows: Rows) -> Run:
    """A payroll of a project of its own that waits to be submitted: the same people for both units."""
    scenarios, roster = with_rows(rows)
    run = runner(database, move, unit=unit, scenarios=scenarios)
    run.begin(month_of(roster, name=NAMES[unit]))
    upload(database, run)
    return run


def meet(database: Database, work: Work, *rows: Rows) -> tuple[list[Run], list[Any], list[tuple[str, str]]]:
    with clock.frozen(OPENED) as move:
        runs = [ready(database, move, unit, some) for unit, some in enumerate(rows, 1)]
        given = [(run.walk.case_id, unit) for unit, run in enumerate(runs, 1)]
        won, refused = race(place(database, OPENED), *((work, one) for one in given))
    return runs, won, refused


BOTH: tuple[Rows, Rows] = (
    [{"days": {"from": 1, "to": 5}}, {"days": {"from": 3, "to": 8}}],
    [{"days": {"from": 1, "to": 5}}, {"days": {"from": 3, "to": 8}}],
)
PARTLY: tuple[Rows, Rows] = (
    [{"days": {"from": 1, "to": 5}}, {"days": {"from": 10, "to": 12}}],
    [{"days": {"from": 4, "to": 8}}, {"days": {"from": 20, "to": 22}}],
)


def untouched(database: Database, run: Run) -> None:
    """As if it had never been handed in."""
    with database.reading() as session:
        case = session.get_one(Case, run.walk.case_id)
        assert (case.submitted_at, case.status) == (None, "draft")
        for model in (Decision, Grant, PaySlip):
            found = select(func.count()).select_from(model).where(model.case_id == case.id)
            assert session.scalar(found) == 0, model
        states = select(WorkDay.state).where(WorkDay.case_id == case.id, WorkDay.state != "staged")
        assert session.scalars(states).all() == []


def test_of_two_who_claim_the_same_days_one_wins_and_the_other_reads_why(published: Database) -> None:
    runs, won, refused = meet(published, hand_in, *BOTH)
    assert (len(won), [kind for kind, _ in refused]) == (1, ["Conflict"])
    winner, loser = runs[won[0] - 1], runs[2 - won[0]]
    words = refused[0][1]
    assert "没有可以发放的人员，没有提交" in words
    assert f"4月1日：已在“{NAMES[won[0]]}”（" in words
    assert "还有 4 天相同" in words
    untouched(published, loser)
    assert set(days_paid(published).values()) == {1}
    assert len(days_paid(published)) == 11
    with clock.frozen(OPENED), pytest.raises(Conflict, match=NAMES[won[0]][:5]):
        loser.take(SUBMIT, month_of([]))  # and again, when everybody has gone
    assert winner.walk.open_steps() == ["confirmation"]
    assert check.check(published) == []


def test_who_loses_one_person_hands_in_the_others(published: Database) -> None:
    """The row that came second is refused with both projects named; the rows beside it go on."""
    runs, won, refused = meet(published, hand_in, *PARTLY)
    assert (sorted(won), refused) == ([1, 2], [])
    assert set(days_paid(published).values()) == {1}
    with published.reading() as session:
        rows = session.execute(
            select(RosterRow, Case, Project.name)
            .join(Roster, Roster.id == RosterRow.roster_id)
            .join(Case, Case.id == Roster.case_id)
            .join(Project, Project.id == Case.project_id)
            .order_by(Case.id, RosterRow.number)
        ).all()
        lost = [(row, name) for row, _, name in rows if row.result == "not"]
        assert len(lost) == 1
        row, name = lost[0]
        other = next(one for one in NAMES.values() if one != name)
        said = "；".join(one["annotation"] for one in row.fired)
        assert f"4月4日：已在“{other}”（" in said
        assert f"4月5日：已在“{other}”（" in said
        assert "同一天只在一个项目计酬" in said
    assert [run.walk.open_steps() for run in runs] == [["confirmation"]] * 2
    assert check.check(published) == []


def test_the_index_alone_keeps_a_day_from_being_claimed_twice(published: Database) -> None:
    """Without the wait and without the look: the database refuses the second, and what it did goes with it."""
    runs, won, refused = meet(published, hand_in_unguarded, BOTH[0][:1], BOTH[1][:1])
    assert (len(won), [kind for kind, _ in refused]) == (1, ["Conflict"])
    assert "没有提交" in refused[0][1] or "不能提交" in refused[0][1]
    untouched(published, runs[2 - won[0]])
    assert set(days_paid(published).values()) == {1}
    assert check.check(published) == []
