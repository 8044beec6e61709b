"""The register of 以工代赈 projects and of the people who may work on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.clock import now, today
from workflows.base.errors import Conflict, Invalid, NotFound
from workflows.organisations.divisions import county_of
from workflows.organisations.model import Department
from workflows.registers.model import Employer
from workflows.registers.project_model import Project, ProjectWorker

#: Most keys in one statement.
CHUNK = 5_000


@dataclass(frozen=True)
class ProjectData:
    """What 发改 enters. Amounts: whole fen. ``required_ratio``: hundredths of a percent of ``ratio_base_fen``."""

    name: str
    division_code: str
    villages: str
    plan_document: str
    fund_document: str
    central_fen: int
    local_fen: int
    planned_labour_fen: int
    required_ratio: int
    ratio_base: str
    ratio_base_fen: int
    ratio_basis: str
    owner_department_id: int
    contractor_id: int
    wage_account: str
    wage_bank: str
    supervision_phone: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class WorkerData:
    """One line of a real-name registration. ``rate_fen``: fen for a day, an hour or a piece, as ``pay_mode`` says."""

    person_id: int
    name: str
    id_number: str
    phone: str
    card: str
    bank: str
    village: str
    identity: str
    job: str
    pay_mode: str
    rate_fen: int
    agreement_from: date
    agreement_to: date
    row_id: int


def ratio_base_of(data: Mapping[str, int], base: str) -> int:
    """The sum in fen that a share of labour pay is a share of.

    :param data: ``central_fen``, ``local_fen`` and ``construction_fen``.
    :param base: a key of ``RATIO_BASES``.
    """
    if base == "central":
        return data["central_fen"]
    if base == "central_and_local":
        return data["central_fen"] + data["local_fen"]
    return data.get("construction_fen", 0)


def register(
    session: Session, data: ProjectData, number: str, *, case_id: int | None, actor_id: int | None
) -> Project:
    """Enter a project.

    :raises Invalid: contractor or owner are not what they must be.
    """
    _check(session, data)
    project = Project(
        **asdict(data),
        number=number,
        county_code=county_of(session, data.division_code).code,
        status="running",
        case_id=case_id,
        registered_on=today(),
    )
    session.add(project)
    session.flush()
    _record(session, "project-registered", actor_id, project)
    return project


def amend(session: Session, project_id: int, data: ProjectData, *, actor_id: int | None) -> Project:
    """What 发改 puts right by a later document: everything but the number, the county and what was paid."""
    project = locked(session, project_id)
    _check(session, data)
    if project.status != "running":
        raise Conflict("项目已经办结，不能再变更。")
    if data.contractor_id != project.contractor_id:
        raise Invalid("施工单位不能变更。", {"contractor_code": "更换施工单位的，请另行登记项目。"})
    if county_of(session, data.division_code).code != project.county_code:
        raise Invalid("项目不能改到别的县。", {"division": "项目所在地须在本县，跨县的请由项目所在县登记。"})
    for key, value in asdict(data).items():
        setattr(project, key, value)
    project.changed_at = now()
    _record(session, "project-amended", actor_id, project)
    return project


def close(session: Session, project_id: int, *, actor_id: int | None) -> Project:
    """Everything is paid and settled: nobody works on it, nothing is paid for it any more.

    :raises Conflict: it is closed already.
    """
    project = locked(session, project_id)
    if project.status != "running":
        raise Conflict("项目已经办结。")
    project.status, project.closed_on, project.changed_at = "closed", today(), now()
    _record(session, "project-closed", actor_id, project)
    return project


def _check(session: Session, data: ProjectData) -> None:
    contractor = session.get(Employer, data.contractor_id)
    if contractor is None or contractor.status != "confirmed":
        raise Invalid(
            "施工单位还没有注册。",
            {"contractor_code": "这个单位还没有在系统中注册并经乡镇确认，请先让它注册。"},
        )
    owner = session.get(Department, data.owner_department_id)
    if owner is None or owner.kind != "owner":
        raise Invalid("业主单位不对。", {"owner": "请从列表中选择业主单位；没有的请联系系统管理员添加。"})


def project_of(session: Session, project_id: int) -> Project:
    """The project; raises ``NotFound``."""
    project = session.get(Project, project_id)
    if project is None:
        raise NotFound("没有这个项目。")
    return project


def locked(session: Session, project_id: int) -> Project:
    """The project, locked until the transaction ends."""
    project = session.scalars(
        select(Project).where(Project.id == project_id).with_for_update(of=Project)
    ).one_or_none()
    if project is None:
        raise NotFound("没有这个项目。")
    return project


def of_contractor(session: Session, employer_id: int, statuses: Sequence[str]) -> list[Project]:
    """A contractor's projects in some status, in the order of their registration."""
    return list(
        session.scalars(
            select(Project)
            .where(Project.contractor_id == employer_id, Project.status.in_(statuses))
            .order_by(Project.id)
        )
    )


def enter_workers(
    session: Session, project_id: int, rows: Sequence[WorkerData], *, case_id: int, actor_id: int | None
) -> int:
    """Enter people into a project's real-name register; who is there already gets the new agreement. Returns how many."""
    project = locked(session, project_id)
    if project.status != "running":
        raise Conflict("项目已经办结，不能再登记人员。")
    known = set(
        session.scalars(select(ProjectWorker.person_id).where(ProjectWorker.project_id == project_id))
    )
    at = now()
    new = [
        {**asdict(one), "project_id": project_id, "case_id": case_id, "changed_at": at}
        for one in rows
        if one.person_id not in known
    ]
    if new:
        session.execute(insert(ProjectWorker), new)
    for one in rows:
        if one.person_id in known:
            values = asdict(one)
            person = values.pop("person_id")
            session.execute(
                update(ProjectWorker)
                .where(ProjectWorker.project_id == project_id, ProjectWorker.person_id == person)
                .values(**values, case_id=case_id, changed_at=at)
            )
    _record(session, "project-workers-entered", actor_id, project, people=len(rows), case=case_id)
    return len(rows)


def workers_by_person(session: Session, project_id: int, people: Sequence[int]) -> dict[int, ProjectWorker]:
    """Person → registration on this project, for many at once."""
    found: dict[int, ProjectWorker] = {}
    for start in range(0, len(people), CHUNK):
        for one in session.scalars(
            select(ProjectWorker).where(
                ProjectWorker.project_id == project_id,
                ProjectWorker.person_id.in_(people[start : start + CHUNK]),
            )
        ):
            found[one.person_id] = one
    return found


def worker_counts(session: Session, project_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Project → (people registered, of whom 脱贫人口 and 监测对象)."""
    poor = ProjectWorker.identity.in_(("poverty_alleviated", "monitored"))
    return {
        project: (int(all_), int(some or 0))
        for project, all_, some in session.execute(
            select(ProjectWorker.project_id, func.count(), func.count().filter(poor))
            .where(ProjectWorker.project_id.in_(project_ids))
            .group_by(ProjectWorker.project_id)
        )
    }


def _record(session: Session, kind: str, actor_id: int | None, project: Project, **payload: int) -> None:
    session.flush()
    record(
        session,
        stream(session, project.stream_name),
        kind,
        actor_id=actor_id,
        payload={"project": project.id, **payload},
        covers=(project,),
    )
