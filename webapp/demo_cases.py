"""Cases at every step for the demonstration county, walked there by its people through the use cases that pages use.

They begin in the past, so that what waits now has waited for a believable time; one office is late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select

from workflows.base import clock
from workflows.base.clock import SHANGHAI, today
from workflows.base.session import Database
from workflows.cases.model import Case
from workflows.cases.process import newest
from workflows.cases.scenario_people import day_of, kind_of, worked
from workflows.cases.scenarios import Run, Scenarios
from workflows.documents.issue import Sign
from workflows.registers.demo_cast import UNITS
from workflows.registers.demo_county import DemoCounty
from workflows.registers.demo_people import DemoPerson, listed
from workflows.registers.demo_roster import person_values, roster_workbook

PROCESS = "workshop_recognition"


@dataclass(frozen=True)
class Plan:
    """One case: whose, how long ago it began, along which scenario, and where it stops.

    :param stop: the step before which it stops; ``publicity`` stops while one runs, ``""`` walks to the end.
    """

    unit: int
    days_ago: int
    stop: str
    workshop: str
    scenario: str = "straight"
    objection: str = ""


#: Oldest first: numbers grow with time.
PLANS = (
    Plan(1, 60, "", "晨曦服装加工帮扶车间"),
    Plan(4, 27, "hrss_review", "鹤乡食品分拣帮扶车间"),
    Plan(3, 22, "joint_issue", "巧手草编居家帮扶车间"),
    Plan(6, 14, "rectification", "瑞和手套帮扶车间", scenario="returned_and_rectified"),
    Plan(2, 9, "correction", "绿野杂粮分选帮扶车间", scenario="corrected"),
    Plan(8, 8, "publicity", "向海木业帮扶车间", objection="听说名单里有一个人早就去外地打工了，请核实。"),
    Plan(7, 7, "meeting", "前进村合作社帮扶车间"),
    Plan(5, 6, "site_check", "惠民劳务合作社帮扶车间"),
    Plan(2, 2, "township_acceptance", "绿野杂粮包装帮扶车间"),
    Plan(1, 1, "application", "晨曦服装加工二车间"),
)
#: People on each roster.
PEOPLE = 6

Progress = Callable[[int, int], None]


def load(database: Database, sign: Sign, county: DemoCounty, progress: Progress | None = None) -> int:
    """Walk the planned cases, unless there are any; returns how many."""
    with database.reading() as session:
        if session.scalar(select(func.count()).select_from(Case)):
            return 0
        employers = {unit.number: county.employers[unit.number].id for unit in UNITS}
    scenarios = Scenarios.read(PROCESS)
    everybody = listed(county.people)
    for place, plan in enumerate(PLANS):
        people = everybody[place * PEOPLE : (place + 1) * PEOPLE]
        _walk(database, sign, scenarios, plan, employers[plan.unit], county, people)
        if progress is not None:
            progress(place + 1, len(PLANS))
    return len(PLANS)


def _walk(
    database: Database,
    sign: Sign,
    scenarios: Scenarios,
    plan: Plan,
    employer_id: int,
    county: DemoCounty,
    people: list[DemoPerson],
) -> None:
    begins = datetime.combine(today() - timedelta(days=plan.days_ago), time(9), SHANGHAI)
    unit = next(one for one in UNITS if one.number == plan.unit)
    # Everybody on these rosters is told apart by the register, not by the scenario.
    scenario = {
        **scenarios.get(plan.scenario),
        "application": {
            "employer_kind": unit.kind,
            "workshop_name": plan.workshop,
            "contact_name": unit.contact,
            "eligible_count": len(people),
        },
    }
    with clock.frozen(begins) as move:
        run = Run(database, sign, scenarios, employer_id, county.county_code, move, seed=plan.unit)
        run.walk.begin(PROCESS, employer_id)
        run.walk.upload(roster(database, scenarios, county, people))
        for action in scenario["walk"]:
            if action.get("step") == plan.stop or (plan.stop == "publicity" and "advance" in action):
                break
            run.take({key: value for key, value in action.items() if key != "rows"}, scenario)
            if "in" not in action:
                move(timedelta(days=1))
        if plan.objection:
            run.take({"objection": {"name": "first", "content": plan.objection}}, scenario)
        run.walk.work()


def roster(
    database: Database,
    scenarios: Scenarios,
    county: DemoCounty,
    people: list[DemoPerson],
    kind: str = "qualified",
    **columns: str | date,
) -> bytes:
    """People of the county's list as a kind of the process's scenarios; ``columns`` replace cells of all."""
    with database.reading() as session:
        definition = newest(session, scenarios.process).roster
    if definition is None:
        raise LookupError(f"{scenarios.process} has no roster")
    usual: Mapping[str, Any] = worked(kind_of(scenarios.content["people"], kind)["row"])
    labels = {column.key: {one.value: one.label for one in column.options} for column in definition.columns}
    rows = []
    for person in people:
        cells: dict[str, Any] = {key: day_of(value, today()) for key, value in usual.items()}
        cells |= {
            key: value for key, value in person_values(person, county.village_of(person)).items() if value
        } | columns
        if person.category is None:
            cells["identity_category"] = "other"
        rows.append(
            {
                key: labels.get(key, {}).get(value, value) if isinstance(value, str) else value
                for key, value in cells.items()
            }
        )
    return roster_workbook(
        [(column.key, column.label) for column in definition.columns], rows, sheet=definition.sheet
    )
