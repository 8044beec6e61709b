"""Months of wages brought to where a test needs them, and the days that are paid, counted from the sheets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.session import Database
from workflows.cases.facts import CaseView
from workflows.cases.model import Case
from workflows.cases.process import newest
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.scenario_people import sheet_of
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.registers.grant_model import Grant
from workflows.registers.project_model import WorkDay

from .stage import county_of, unsigned

Mover = Callable[[timedelta], None]
MADE = Scenarios.read("work_relief_payroll")
STRAIGHT = MADE.get("straight")
OPENED = opening_instant(STRAIGHT)
SUBMIT = STRAIGHT["walk"][0]


def runner(
    database: Database, move: Mover, *, unit: int = 1, seed: int = 1, scenarios: Scenarios = MADE
) -> Run:
    county = county_of(database)
    return Run(database, unsigned, scenarios, county.employers[unit].id, county.county_code, move, seed=seed)


def with_rows(kinds: list[Mapping[str, Any]]) -> tuple[Scenarios, list[Mapping[str, Any]]]:
    """The scenarios with a kind of person for each of these rows, and the roster of all."""
    base = MADE.content["people"]["daily"]
    people = {f"kind{number}": {**base, "row": {**base["row"], **row}} for number, row in enumerate(kinds)}
    content = {**MADE.content, "people": {**MADE.content["people"], **people}}
    return Scenarios("work_relief_payroll", content), [{"kind": key, "count": 1} for key in people]


def upload(database: Database, run: Run) -> None:
    """The sheet of a run's people."""
    with database.reading() as session:
        definition = newest(session, "work_relief_payroll").roster
    assert definition is not None
    run.walk.upload(sheet_of(definition, run.people))


def days_paid(database: Database) -> Counter[tuple[int, date]]:
    """(person, day) of every row that holds a living slot, counted from the sheets and not from the register of days."""
    counted: Counter[tuple[int, date]] = Counter()
    with database.reading() as session:
        for row, case in session.execute(
            select(RosterRow, Case)
            .join(Roster, Roster.id == RosterRow.roster_id)
            .join(Case, Case.id == Roster.case_id)
            .join(Grant, (Grant.case_id == Case.id) & (Grant.row_id == RosterRow.id))
            .where(Grant.state.in_(("claimed", "approved", "paid", "recovered")))
        ):
            year, month = (int(part) for part in _month(session, case).split("-"))
            for key, value in row.values.items():
                if key.startswith("day_") and value:
                    counted[row.person_id or 0, date(year, month, int(key[4:]))] += 1
        claimed = session.execute(
            select(WorkDay.person_id, WorkDay.day).where(WorkDay.state == "claimed")
        ).all()
        assert len(claimed) == len(set(claimed))
        assert {(person, day) for person, day in claimed} == set(counted)
    return counted


def _month(session: Session, case: Case) -> str:
    process = newest(session, "work_relief_payroll")
    return str(CaseView.of(session, case, process).answers("payroll_form")["month"])


def month_of(roster: list[Mapping[str, Any]], batch: str = "regular", **project: Any) -> dict[str, Any]:
    """A scenario: that roster, handed in as that batch; ``project`` says what its project is called."""
    more = {} if batch == "regular" else {"supplement_reason": "补发。"}
    return {
        **STRAIGHT,
        "roster": roster,
        "application": {"batch": batch, **more},
        "project": {**STRAIGHT["project"], **project},
        "walk": [],
    }
