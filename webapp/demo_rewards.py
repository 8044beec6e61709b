"""A claim of 一次性奖补 in the demonstration county, its 公示 over: 财政 finds money to pay out when it first signs in."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from webapp.demo_cases import PEOPLE, roster
from workflows.base import clock
from workflows.base.clock import SHANGHAI, today
from workflows.base.session import Database
from workflows.cases.model import Case
from workflows.cases.scenario_money import enter_funds
from workflows.cases.scenarios import Run, Scenarios
from workflows.documents.issue import Sign
from workflows.registers.demo_county import DemoCounty
from workflows.registers.demo_people import listed

PROCESS = "one_time_reward"
#: The unit whose workshop the demonstration has recognised, and the days since it began to claim.
UNIT, DAYS_AGO = 1, 30
FUNDS_FEN = 20_000_000


def load(database: Database, sign: Sign, county: DemoCounty) -> None:
    """Appropriate money and walk the claim to where it waits for its payment, unless there is one."""
    with database.reading() as session:
        if session.scalars(select(Case.id).where(Case.process == PROCESS)).first() is not None:
            return
        employer_id = county.employers[UNIT].id
    scenarios = Scenarios.read(PROCESS)
    begins = datetime.combine(today() - timedelta(days=DAYS_AGO), time(9), SHANGHAI)
    people = listed(county.people)[:PEOPLE]
    with clock.frozen(begins) as move:
        with database.transaction() as session:
            enter_funds(session, county.county_code, PROCESS, FUNDS_FEN)
        scenario = {
            **scenarios.get("straight"),
            "application": {"claimed_count": len(people), "claim_year": today().year},
        }
        run = Run(database, sign, scenarios, employer_id, county.county_code, move, seed=UNIT)
        run.start_for_workshop(scenario)
        run.walk.upload(
            roster(database, scenarios, county, people, paid_months="、".join(_months_before(today(), 4)))
        )
        for action in scenario["walk"]:
            if "pay" in action:
                break
            run.take(action, scenario)
            move(timedelta(days=1))
        run.walk.work()


def _months_before(day: date, count: int) -> list[str]:
    months = [day.year * 12 + day.month - 1 - back for back in range(count, 0, -1)]
    return [f"{month // 12}-{month % 12 + 1:02d}" for month in months]
