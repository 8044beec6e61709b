"""The demonstration county with claims at the steps that pages of money are about. All people are fictional."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.web import officer_cases
from tests.web.officer_cases import MONDAY, Filled, found, picture, unsigned
from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import scenario_answers
from workflows.cases.publishing import publish_all
from workflows.cases.scenarios import Run, Scenarios
from workflows.documents import issue
from workflows.registers.demo_county import load

#: Case → unit, and how far it goes: up to the publicity, its end, or the first review.
CASES: Mapping[str, tuple[int, str]] = {
    "shown": (3, "publicity"),
    "ready": (1, "ready"),
    "early": (5, "review"),
}


def fill(database: Database) -> Filled:
    """Make county and cases in an empty database: 50 000 元, three people whose money is ready, three in 公示."""
    before = scenario_answers.IMAGE, issue.render
    scenario_answers.IMAGE, issue.render = picture(), lambda *_: b"%PDF-1.4\n%%EOF\n"  # type: ignore[assignment]  # laying papers out has tests of its own
    try:
        with clock.frozen(MONDAY) as move:
            with database.transaction() as session:
                county = load(session, demonstration=True)
                publish_all(session)
                employers = {number: one.id for number, one in county.employers.items()}
            made = Scenarios.read("one_time_reward")
            cases = {}
            for seed, name in enumerate(("ready", "shown", "early"), start=1):
                unit, stop = CASES[name]
                run = Run(database, unsigned, made, employers[unit], "220822", move, seed=seed)
                run.run(_until(made.get("straight"), stop, funded=name == "ready"))
                cases[name] = run.walk.case_id
        return found(database, cases)
    finally:
        scenario_answers.IMAGE, issue.render = before


def _until(scenario: Mapping[str, Any], stop: str, *, funded: bool) -> dict[str, Any]:
    """The straight scenario as far as it is wanted."""
    walk = []
    for action in scenario["walk"]:
        if "pay" in action or (stop == "publicity" and "advance" in action):
            break
        if stop == "review" and action.get("step") == "hrss_review":
            break
        walk.append(action)
    return {**scenario, "walk": walk, "funds": scenario["funds"] if funded else None}


def worker(database: Database) -> None:
    """The worker comes by."""
    officer_cases.worker(database)
