"""The floor of the benchmark stays honest: for one case it writes the same kinds and numbers of rows as the system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from benchmarks.clients import ACTIONS_A_CASE, actions, machine
from benchmarks.world import publish_county
from workflows.audit.model import Event
from workflows.audit.verify import verify_chain
from workflows.base.model import Base
from workflows.base.session import Database
from workflows.cases import process
from workflows.cases.model import Case, Decision, WorkItem


@pytest.fixture
def five_steps(house: Any) -> Iterator[Database]:
    """The benchmark's county, on both databases."""
    process.forget()
    with house.fresh("five_steps", publish_county) as database:
        yield database
    process.forget()


def rows(database: Database) -> Counter[str]:
    """Table → rows; events by their kinds too."""
    found: Counter[str] = Counter()
    with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            found[table.name] = session.scalar(select(func.count()).select_from(table)) or 0
        for kind, number in session.execute(select(Event.kind, func.count()).group_by(Event.kind)):
            found[f"event {kind}"] = number
    return found


def written_by(side: str, database: Database) -> tuple[Counter[str], int]:
    """What one whole case adds, and the case."""
    walking = actions(machine(side, database), database)
    for _ in range(ACTIONS_A_CASE):  # the first case also begins the year's series of numbers
        next(walking)
    before = rows(database)
    for _ in range(ACTIONS_A_CASE):
        next(walking)
    with database.reading() as session:
        newest = session.scalars(select(Case.id).order_by(Case.id.desc())).first()
    return rows(database) - before, newest or 0


def told(database: Database, case_id: int) -> dict[str, object]:
    """What a case's rows say, apart from times and keys."""
    with database.reading() as session:
        case = session.get_one(Case, case_id)
        items = session.scalars(
            select(WorkItem).where(WorkItem.case_id == case_id).order_by(WorkItem.step)
        ).all()
        decisions = session.scalars(select(Decision).where(Decision.case_id == case_id).order_by(Decision.id))
        return {
            "case": (case.status, case.stage, case.end, case.rules, case.finished_at is not None),
            "items": [
                (one.step, one.lane, one.title, one.round, one.department_id, one.employer_id, one.closed_as)
                for one in items
            ],
            "decisions": [
                (one.step, one.form, one.outcome, one.opinion, one.answers, one.actor_id, one.department_id)
                for one in decisions
            ],
            "broken": verify_chain(session, case),
        }


def test_the_floor_writes_the_same_rows_as_the_system(five_steps: Database) -> None:
    real, real_case = written_by("real", five_steps)
    floor, floor_case = written_by("floor", five_steps)
    assert floor == real
    assert real["decisions"] == 5
    assert real["events"] > 5
    assert real["outbox"] == 1
    assert told(five_steps, floor_case) == told(five_steps, real_case)
    assert told(five_steps, floor_case)["broken"] == []
