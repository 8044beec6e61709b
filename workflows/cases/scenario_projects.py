"""Projects in scenarios: one that is registered already with its people, cases that an office begins, workers who speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.amounts import parse_fen
from workflows.base.clock import today
from workflows.base.privacy import digest_id
from workflows.base.session import Database
from workflows.cases.office_starts import begin_in_office as begin
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenario_people import ScenarioPerson
from workflows.cases.slip_model import PaySlip
from workflows.cases.slips import LAST, answer_slip
from workflows.cases.starting import start
from workflows.cases.walking import Stuck, employers_actor
from workflows.organisations.model import Assignment, Department
from workflows.registers import projects, work_days
from workflows.registers.membership import load_actor
from workflows.registers.model import Employer
from workflows.registers.people import people_for
from workflows.registers.project_model import Project
from workflows.registers.projects import ProjectData, WorkerData

#: What a scenario's project is unless it says otherwise.
PLANNED = {
    "name": "向前河堤防修复以工代赈工程（虚构）",
    "plan_document": "演示发改〔2026〕3号",
    "fund_document": "演示财农〔2026〕31号",
    "central_fen": 60_000_000,
    "local_fen": 0,
    "planned_labour_fen": 20_000_000,
    "required_ratio": 3000,
    "ratio_base": "central",
    "ratio_basis": "演示发改〔2026〕3号：劳务报酬占中央资金的比例不低于30%（虚构）",
}


def meant(database: Database, word: str, employer_id: int) -> str | None:
    """What ``@owner_office`` and ``@contractor`` stand for."""
    with database.reading() as session:
        if word == "@owner_office":
            return str(_owner(session, session.get_one(Employer, employer_id)).id)
        if word == "@contractor":
            return session.get_one(Employer, employer_id).credit_code
    return None


def _owner(session: Session, employer: Employer) -> Department:
    return (
        session.scalars(
            select(Department)
            .where(
                Department.kind == "owner", Department.division_code.startswith(employer.division_code[:6])
            )
            .order_by(Department.id)
        ).first()
        or _missing()
    )


def _missing() -> Department:
    raise Stuck("这个县没有项目业主单位。")


def project_for(
    session: Session,
    employer: Employer,
    described: Mapping[str, Any],
    people: Sequence[ScenarioPerson],
    seed: int,
) -> Project:
    """A running project of the employer, with everybody whose kind is not ``unregistered`` on its register."""
    found = session.scalars(
        select(Project).where(Project.contractor_id == employer.id, Project.status == "running")
    ).first()
    project = found or _register(session, employer, described, seed)
    own = [one for one in people if one.cells.get("card") and not one.unregistered]
    keys = people_for(session, [(one.id_number, one.name) for one in own])
    projects.enter_workers(
        session,
        project.id,
        [_worker(one, keys[digest_id(one.id_number)], project) for one in own],
        case_id=0,
        actor_id=None,
    )
    return project


def _register(session: Session, employer: Employer, described: Mapping[str, Any], seed: int) -> Project:
    planned = {**PLANNED, **{key: value for key, value in described.items() if key in PLANNED}}
    base = {"central": planned["central_fen"]}.get(
        planned["ratio_base"], planned["central_fen"] + planned["local_fen"]
    )
    return projects.register(
        session,
        ProjectData(
            **planned,
            ratio_base_fen=base,
            division_code=employer.division_code[:9],
            villages="前进村",
            owner_department_id=_owner(session, employer).id,
            contractor_id=employer.id,
            wage_account="6222600260001072444",
            wage_bank="示范银行通榆支行",
            supervision_phone="0436-0000000",
            starts_on=today() - timedelta(days=120),
            ends_on=today() + timedelta(days=int(described.get("days_left", 120))),
        ),
        f"情景以工代赈〔{today().year}〕{employer.id}-{seed}号",
        case_id=None,
        actor_id=None,
    )


def _worker(one: ScenarioPerson, person_id: int, project: Project) -> WorkerData:
    cells = one.cells
    return WorkerData(
        person_id=person_id,
        name=one.name,
        id_number=one.id_number,
        phone=str(cells["phone"]),
        card=str(cells["card"]),
        bank="示范银行通榆支行",
        village=str(cells["village"]),
        identity=one.identity or "other",
        job=str(cells.get("job", "普工")),
        pay_mode=str(cells["pay_mode"]),
        rate_fen=parse_fen(str(cells.get("agreed") or cells["rate"])) or 0,
        agreement_from=project.starts_on,
        agreement_to=project.ends_on,
        row_id=0,
    )


def begin_about_project(
    database: Database,
    process: str,
    scenario: Mapping[str, Any],
    employer_id: int,
    people: Sequence[ScenarioPerson],
    seed: int,
) -> int:
    """The contractor begins a case about its project; what ``earlier`` says was paid by a payroll before. Its key."""
    with database.transaction() as session:
        employer = session.get_one(Employer, employer_id)
        project = project_for(session, employer, scenario["project"], people, seed)
        for day in scenario["project"].get("taken", []):
            _take_elsewhere(session, employer, people, day)
        return start(
            session,
            employers_actor(session, employer_id),
            process,
            division_code=project.division_code,
            employer=employer,
            project=project,
            start_key=str(scenario["start"]),
        ).id


def _take_elsewhere(
    session: Session, employer: Employer, people: Sequence[ScenarioPerson], described: Mapping[str, Any]
) -> None:
    """Another unit's project has claimed a day of everybody of a kind."""
    other = session.scalars(
        select(Employer)
        .where(Employer.id != employer.id, Employer.status == "confirmed")
        .order_by(Employer.id)
    ).first()
    if other is None:
        raise Stuck("没有另一个单位。")
    project = _register(session, other, {"name": "邻村道路以工代赈工程（虚构）"}, 99)
    some = [one for one in people if one.kind == described["kind"]]
    keys = people_for(session, [(one.id_number, one.name) for one in some])
    work_days.stage(
        session,
        [
            {
                "person_id": keys[digest_id(one.id_number)],
                "day": date.fromisoformat(str(described["day"])),
                "project_id": project.id,
                "case_id": 0,
                "roster_id": 0,
                "row_id": number,
                "hundredths": 100,
            }
            for number, one in enumerate(some)
        ],
    )
    work_days.claim(session, 0, 0, ())


def begin_in_office(database: Database, process: str, scenario: Mapping[str, Any], employer_id: int) -> int:
    """Somebody of the office that process.yaml names begins a case for the employer's township. Its key."""
    with database.transaction() as session:
        employer = session.get_one(Employer, employer_id)
        kind = str(scenario.get("by", "ndrc"))
        post = session.scalars(
            select(Assignment)
            .join(Department, Department.id == Assignment.department_id)
            .where(Department.kind == kind, Department.division_code.startswith(employer.division_code[:6]))
            .order_by(Assignment.id)
        ).first()
        if post is None:
            raise Stuck("没有可以发起的单位。")
        project = (
            project_for(session, employer, scenario["project"], (), 1) if "project" in scenario else None
        )
        return begin(
            session,
            load_actor(session, post.user),
            process,
            str(scenario["start"]),
            division_code=employer.division_code[:9],
            project_id=project.id if project else None,
        ).id


def speak(
    database: Database, case_id: int, people: Sequence[ScenarioPerson], described: Mapping[str, Any]
) -> None:
    """The workers of a kind answer their slips: ``{kind, agrees, words}``."""
    wanted = {one.id_number for one in people if one.kind == described["kind"]}
    with database.transaction() as session:
        for code, row in session.execute(
            select(PaySlip.code, RosterRow)
            .join(RosterRow, RosterRow.id == PaySlip.row_id)
            .where(PaySlip.case_id == case_id, PaySlip.state != "void")
            .order_by(PaySlip.id)
        ).all():
            number = str(row.values["id_number"])
            if number in wanted:
                answer_slip(
                    session,
                    code,
                    number[-LAST:],
                    agrees=bool(described.get("agrees", True)),
                    words=str(described.get("words", "")),
                )
