"""以工代赈 in the demonstration county: one project with a month paid and the next under way, one whose wages are late.

They are registered, entered and paid by the county's people through the use cases that pages use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from webapp.demo_cases import roster
from workflows.base import clock
from workflows.base.clock import SHANGHAI, today
from workflows.base.session import Database
from workflows.cases import scenario_projects
from workflows.cases.model import Case
from workflows.cases.scenario_money import enter_funds
from workflows.cases.scenarios import Run, Scenarios
from workflows.cases.starting import start
from workflows.cases.walking import employers_actor
from workflows.documents.issue import Sign
from workflows.registers import attendance
from workflows.registers.demo_cast import UNITS
from workflows.registers.demo_county import DemoCounty
from workflows.registers.demo_people import DemoPerson, listed
from workflows.registers.project_model import Project

REGISTRATION, ENTRY, PAYROLL = "work_relief_project", "work_relief_entry", "work_relief_payroll"
#: Days before today: of the registration, of the people's agreements and their entry.
REGISTERED, ENTERED = 130, 125
#: Days of this month on which the site has noted who was there.
NOTED = 2


@dataclass(frozen=True)
class Month:
    """The wages of the month before the day on which they are handed in. ``stop``: the step before which they wait."""

    days_ago: int
    stop: str


@dataclass(frozen=True)
class Plan:
    """One project. Amounts in 元, as they are typed.

    :param people: from which to which villager it employs. :param others: those of no list beside them.
    """

    unit: int
    name: str
    serial: int
    villages: str
    central: str
    planned: str
    ratio: str
    people: tuple[int, int]
    others: int
    months: tuple[Month, ...]


PLANS = (
    Plan(
        5,
        "向前河堤防修复以工代赈工程（虚构）",
        31,
        "前进村、和顺村",
        "280000",
        "90000",
        "30",
        (60, 68),
        3,
        (Month(55, ""), Month(6, "township_check")),
    ),
    Plan(
        2,
        "团结村通村道路以工代赈工程（虚构）",
        32,
        "团结村",
        "200000",
        "44000",
        "20",
        (68, 73),
        1,
        (Month(45, "confirmation"),),
    ),
)


def load(database: Database, sign: Sign, county: DemoCounty) -> None:
    """Walk the planned projects, unless there are any."""
    with database.reading() as session:
        if session.scalars(select(Case.id).where(Case.process == REGISTRATION)).first() is not None:
            return
    for plan in PLANS:
        _Demonstration(database, sign, county, plan).walk()


class _Demonstration:
    """One project from its registration to the month that waits."""

    def __init__(self, database: Database, sign: Sign, county: DemoCounty, plan: Plan) -> None:
        self.database, self.sign, self.county, self.plan = database, sign, county, plan
        self.employer_id = county.employers[plan.unit].id
        others = [one for one in county.people if one.category is None and one.number > UNITS[-1].legal]
        first = sum(one.others for one in PLANS[: PLANS.index(plan)])
        self.people: list[DemoPerson] = [
            *listed(county.people)[slice(*plan.people)],
            *others[first : first + plan.others],
        ]
        self.fund_document = f"演示财农〔{today().year}〕{plan.serial}号"
        self.project_id = 0

    def walk(self) -> None:
        self._register()
        self._enter()
        for month in self.plan.months:
            self._pay(month)
        self._note()

    def _register(self) -> None:
        plan, day = self.plan, today()
        with clock.frozen(_morning(REGISTERED)) as move:
            run = self._run(REGISTRATION, move)
            run.walk.case_id = scenario_projects.begin_in_office(
                self.database, REGISTRATION, {"by": "ndrc", "start": "register"}, self.employer_id
            )
            document = f"演示发改〔{day.year}〕{plan.serial - 28}号"
            answers = {
                "name": plan.name,
                "villages": plan.villages,
                "plan_document": document,
                "fund_document": self.fund_document,
                "central_fen": plan.central,
                "planned_labour_fen": plan.planned,
                "required_ratio": plan.ratio,
                "ratio_basis": f"{document}（虚构）：劳务报酬不低于中央资金的{plan.ratio}%",
                "starts_on": (day - timedelta(days=ENTERED)).isoformat(),
                "ends_on": (day + timedelta(days=100)).isoformat(),
            }
            run.take({"step": "registration", "by": "ndrc", "outcome": "submit", "answers": answers}, {})
            move(timedelta(days=1))
            run.take({"step": "confirmation", "by": "ndrc_head", "outcome": "agree"}, {})
            run.walk.work()
            with self.database.reading() as session:
                self.project_id = session.get_one(Case, run.walk.case_id).project_id or 0

    def _enter(self) -> None:
        day = today()
        with clock.frozen(_morning(ENTERED)) as move:
            run = self._run(ENTRY, move)
            agreed = {
                "agreement_from": day - timedelta(days=ENTERED),
                "agreement_to": day + timedelta(days=100),
            }
            self._begin(run, "enter", "listed", agreed)
            for action in run.scenarios.get("straight")["walk"][:1]:
                run.take(action, {})
            move(timedelta(days=1))
            run.take({"step": "township_check", "by": "township", "outcome": "agree"}, {})
            run.walk.work()

    def _pay(self, month: Month) -> None:
        with clock.frozen(_morning(month.days_ago)) as move:
            last = today().replace(day=1) - timedelta(days=1)
            with self.database.transaction() as session:
                funds = int(self.plan.planned) * 100
                enter_funds(session, self.county.county_code, PAYROLL, funds, self.fund_document)
            run = self._run(PAYROLL, move)
            self._begin(run, "month", "daily", {})
            scenario = {**run.scenarios.get("straight"), "application": {"month": f"{last:%Y-%m}"}}
            for action in scenario["walk"]:
                if "slip" in action or "pay" in action:
                    continue
                if action.get("step") == month.stop:
                    break
                run.take(action, scenario)
                move(timedelta(days=1))
            else:
                run.take({"pay": {}}, scenario)
            run.walk.work()

    def _note(self) -> None:
        """The site has noted its last days on the phone."""
        with self.database.transaction() as session:
            project = session.get_one(Project, self.project_id)
            present = {self.county.person_ids[person.number]: 100 for person in self.people}
            for back in range(NOTED):
                attendance.mark(session, project, today() - timedelta(days=back), present, actor_id=None)

    def _begin(self, run: Run, key: str, kind: str, columns: Mapping[str, date]) -> None:
        """The contractor begins a case about the project and uploads its people."""
        with self.database.transaction() as session:
            project = session.get_one(Project, self.project_id)
            actor = employers_actor(session, self.employer_id)
            run.walk.case_id = start(
                session,
                actor,
                run.scenarios.process,
                division_code=project.division_code,
                employer=project.contractor,
                project=project,
                start_key=key,
            ).id
        run.walk.upload(roster(self.database, run.scenarios, self.county, self.people, kind=kind, **columns))

    def _run(self, process: str, move: Any) -> Run:
        return Run(
            self.database,
            self.sign,
            Scenarios.read(process),
            self.employer_id,
            self.county.county_code,
            move,
            seed=self.plan.unit,
        )


def _morning(days_ago: int) -> datetime:
    return datetime.combine(today() - timedelta(days=days_ago), time(9), SHANGHAI)
