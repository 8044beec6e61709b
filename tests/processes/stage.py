"""Cases brought to where a test needs them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base import clock
from workflows.base.session import Database
from workflows.cases.answering import parse_answers, step_form
from workflows.cases.completing import Completed, complete
from workflows.cases.model import Case, WorkItem
from workflows.cases.scenarios import Run, Scenarios
from workflows.cases.walking import user_named
from workflows.organisations.actors import Actor
from workflows.registers.demo_county import DemoCounty, load
from workflows.registers.membership import load_actor

#: 09:00 of a Monday in a year whose calendar is published.
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=clock.SHANGHAI)
REVIEW = {
    "hrss_review": {"contracts_checked": ["3"], "wages_checked": ["bank"], "arrears_found": ["no"]},
    "rural_review": {"checked_against": ["导出名册"], "household_visited": ["yes"]},
    "township_acceptance": {"verified_with": ["committee"]},
}


def unsigned(pdf: bytes, reason: str, when: datetime) -> bytes:
    """Signing has tests of its own."""
    return pdf


def paper(*_: object) -> bytes:
    """Stands for a rendered document where the words on it are not what a test is about."""
    return b"%PDF-1.4\n%%EOF\n"


def county_of(database: Database) -> DemoCounty:
    """Handles on the demonstration county."""
    with database.reading() as session:
        return load(session, demonstration=True)


def run_of(database: Database, move: Callable[[timedelta], None], case_id: int = 1, employer: int = 1) -> Run:
    """The run of a recognition that was brought somewhere before: to walk on."""
    scenarios = Scenarios.read("workshop_recognition")
    county = county_of(database)
    run = Run(database, unsigned, scenarios, county.employers[employer].id, county.county_code, move)
    run.walk.case_id = case_id
    return run


def walk_on(run: Run, *steps: str, scenario: str = "straight", **changes: Any) -> None:
    """Take the named steps of a scenario; ``changes`` replace what its lines say (``outcome``, ``by``, ``answers``)."""
    content = run.scenarios.get(scenario)
    for step in steps:
        line = next(action for action in content["walk"] if action.get("step") == step)
        run.take({**line, **changes}, content)


def bring_to(
    database: Database,
    move: Callable[[timedelta], None],
    step: str,
    *,
    employer: int = 1,
    seed: int = 1,
    scenario: str = "straight",
) -> Run:
    """A recognition walked up to (and not including) a step; ``""`` walks to the end."""
    scenarios = Scenarios.read("workshop_recognition")
    county = county_of(database)
    run = Run(
        database, unsigned, scenarios, county.employers[employer].id, county.county_code, move, seed=seed
    )
    content = scenarios.get(scenario)
    run.prepare(content)
    run.walk.begin(scenarios.process, run.employer_id)
    for action in content["walk"]:
        if action.get("step") == step or (step == "advance" and "advance" in action):
            break
        run.take(action, content)
    return run


def actor(session: Session, username: str) -> Actor:
    """The actor of a demonstration account."""
    return load_actor(session, user_named(session, username))


def open_item(session: Session, case_id: int, step: str) -> WorkItem:
    """The open item of a step."""
    return session.scalars(
        select(WorkItem).where(
            WorkItem.case_id == case_id, WorkItem.step == step, WorkItem.closed_at.is_(None)
        )
    ).first()


def waiting_item(database: Database, case_id: int, step: str) -> int:
    """Its id, to be asked for in another transaction."""
    with database.reading() as session:
        return open_item(session, case_id, step).id


def decide(
    session: Session,
    username: str,
    item: WorkItem,
    outcome: str,
    answers: Mapping[str, Sequence[str]] | None = None,
    *,
    opinion: str = "属实",
    key: str | None = None,
    version: int | None = None,
    rest: str | None = "agree",
) -> Completed:
    """Complete an item in the caller's transaction, as a page would."""
    case = session.get_one(Case, item.case_id)
    form = step_form(session, case, item)
    raw: dict[str, Any] = {**form.raw, **REVIEW.get(item.step, {}), **(answers or {})}
    raw |= {"outcome": [outcome], "opinion": [opinion]}
    parsed = parse_answers(session, case, item, raw, outcome)
    return complete(
        session,
        actor(session, username),
        item.id,
        outcome,
        parsed,
        seen_version=item.version if version is None else version,
        command_key=key or uuid.uuid4().hex,
        rest_verdict=rest if form.step.roster == "decide" else None,
    )
