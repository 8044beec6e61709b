"""The demonstration county with a payroll whose workers are being asked. All people are fictional."""

from __future__ import annotations

from tests.web import officer_cases
from tests.web.officer_cases import Filled, found, picture, unsigned
from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import scenario_answers
from workflows.cases.publishing import publish_all
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.documents import issue
from workflows.registers.demo_county import load

MADE = Scenarios.read("work_relief_payroll")
#: When the month's sheet was handed in.
OPENED = opening_instant(MADE.get("straight"))
#: Two by the day, one by the hour with overtime and an advance, one by the piece.
ROSTER = [
    {"kind": "daily", "count": 2},
    {"kind": "hourly", "count": 1},
    {"kind": "by_piece", "count": 1},
    {"kind": "by_hand", "count": 1},
]


def fill(database: Database) -> Filled:
    """County and one payroll of unit 5, handed in: case ``asked``."""
    before = scenario_answers.IMAGE, issue.render
    scenario_answers.IMAGE, issue.render = picture(), lambda *_: b"%PDF-1.4\n%%EOF\n"  # type: ignore[assignment]  # laying papers out has tests of its own
    try:
        with clock.frozen(OPENED) as move:
            with database.transaction() as session:
                county = load(session, demonstration=True)
                publish_all(session)
                employer = county.employers[5].id
            run = Run(database, unsigned, MADE, employer, "220822", move, seed=1)
            walk = [{"step": "payroll", "by": "employer", "outcome": "submit"}]
            run.run({**MADE.get("straight"), "roster": ROSTER, "walk": walk})
        return found(database, {"asked": run.walk.case_id})
    finally:
        scenario_answers.IMAGE, issue.render = before


def worker(database: Database) -> None:
    """The worker comes by."""
    officer_cases.worker(database)
