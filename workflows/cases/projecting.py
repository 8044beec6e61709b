"""What diagrams of 以工代赈 do to the registers: enter a project, its people, close it, and post its 公示 on a board."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from workflows.base.clock import local
from workflows.base.errors import Conflict, Invalid
from workflows.cases.action import Action
from workflows.cases.functions import current_publicity, latest_answers
from workflows.cases.project_figures import figures_of
from workflows.cases.roster_model import RosterRow
from workflows.cases.verdicts import current_roster, refused_rows
from workflows.documents.numbering import next_number, official
from workflows.organisations.model import Division
from workflows.registers import employers, projects
from workflows.registers.projects import ProjectData, WorkerData, ratio_base_of


def register_project(action: Action, *, step: str) -> None:
    """Enter the project that a step's form describes; a case about one that is entered already amends it.

    :param step: whose answers describe it.
    """
    data = _described(action, latest_answers(action, step))
    if action.case.project_id is not None:
        projects.amend(action.session, action.case.project_id, data, actor_id=action.actor_id)
        action.record("project-changed", (), project=action.case.project_id)
        return
    county = action.session.get_one(Division, action.case.county_code).name
    year = local(action.at).year
    serial = next_number(action.session, f"project:{action.case.county_code}", year)
    project = projects.register(
        action.session,
        data,
        official(f"{county}以工代赈〔{{year}}〕{{serial}}号", year, serial),
        case_id=action.case.id,
        actor_id=action.actor_id,
    )
    action.case.project_id, action.case.employer_id = project.id, project.contractor_id
    action.record("project-entered", (action.case,), project=project.id)


def _described(action: Action, answers: dict[str, Any]) -> ProjectData:
    contractor = employers.find_by_credit_code(action.session, str(answers.get("contractor_code") or ""))
    if contractor is None or contractor.status != "confirmed":
        raise Invalid(
            "施工单位还没有注册。",
            {"contractor_code": "这个单位还没有在系统中注册并经乡镇确认。请先让它注册，再登记项目。"},
        )
    base = str(answers["ratio_base"])
    sums = {
        "central_fen": int(answers["central_fen"]),
        "local_fen": int(answers.get("local_fen") or 0),
        "construction_fen": int(answers.get("construction_fen") or 0),
    }
    return ProjectData(
        name=str(answers["name"]),
        division_code=action.case.division_code,
        villages=str(answers["villages"]),
        plan_document=str(answers["plan_document"]),
        fund_document=str(answers["fund_document"]),
        central_fen=sums["central_fen"],
        local_fen=sums["local_fen"],
        planned_labour_fen=int(answers["planned_labour_fen"]),
        required_ratio=int(Decimal(str(answers["required_ratio"])) * 100),
        ratio_base=base,
        ratio_base_fen=ratio_base_of(sums, base),
        ratio_basis=str(answers["ratio_basis"]),
        owner_department_id=int(answers["owner"]),
        contractor_id=contractor.id,
        wage_account=str(answers["wage_account"]),
        wage_bank=str(answers["wage_bank"]),
        supervision_phone=str(answers["supervision_phone"]),
        starts_on=date.fromisoformat(answers["starts_on"]),
        ends_on=date.fromisoformat(answers["ends_on"]),
    )


def enter_workers(action: Action) -> None:
    """Everybody whom the rules and the offices let pass may work on the project from now on."""
    roster = current_roster(action.session, action.case.id)
    if roster is None or action.case.project_id is None:
        raise Conflict("还没有实名名单，不能登记。")
    described = action.process.config["row_result"]
    rows = action.session.scalars(
        select(RosterRow)
        .where(
            RosterRow.roster_id == roster.id,
            RosterRow.bad.is_(False),
            RosterRow.result.in_((described["counts"], described["confirmable"])),
            RosterRow.id.not_in(refused_rows(roster.id)),
        )
        .order_by(RosterRow.number)
    ).all()
    if not rows:
        raise Conflict("没有可以登记的人员：名单上的人都没有通过审核。请退回修改。")
    entered = [_worker(row) for row in rows]
    projects.enter_workers(
        action.session, action.case.project_id, entered, case_id=action.case.id, actor_id=action.actor_id
    )
    action.record("workers-entered", (), people=len(entered))


def _worker(row: RosterRow) -> WorkerData:
    values = row.values
    identity = str(row.facts.get("identity_status") or "")
    return WorkerData(
        person_id=row.person_id or 0,
        name=str(values["name"]),
        id_number=str(values["id_number"]),
        phone=str(values.get("phone") or ""),
        card=str(values["card"]),
        bank=str(values.get("bank") or ""),
        village=str(values.get("village") or ""),
        identity=identity if identity in ("poverty_alleviated", "monitored") else "other",
        job=str(values.get("job") or ""),
        pay_mode=str(values["pay_mode"]),
        rate_fen=int(values["rate"]),
        agreement_from=date.fromisoformat(values["agreement_from"]),
        agreement_to=date.fromisoformat(values["agreement_to"]),
        row_id=row.id,
    )


def close_project(action: Action) -> None:
    """The project is settled: its entry is closed, if what the rules found still stands this very moment.

    :raises Conflict: something is unpaid or under way again, or the share of labour pay is missed.
    """
    project_id = action.case.project_id or 0
    project = projects.locked(action.session, project_id)
    now_so = figures_of(action.session, [project_id], but_case=action.case.id)[project_id]
    if now_so.open or now_so.ratio < project.required_ratio:
        raise Conflict(
            "现在不能办结：又有没有付清的劳务报酬、没有办结的申请，或者劳务报酬占比不足。请退回施工单位核对。"
        )
    projects.close(action.session, project_id, actor_id=action.actor_id)
    action.record("project-settled", (), project=project_id)


def post_publicity(action: Action, *, step: str, field: str) -> None:
    """The 公示 was posted on a board: it lasts its days from that day on. Its end moves later, never earlier.

    :param step: whose form says when. :param field: the day in it.
    """
    publicity = current_publicity(action)
    if publicity is None or publicity.closed_at is not None:
        raise Conflict("没有正在进行的公示。")
    posted = date.fromisoformat(str(latest_answers(action, step)[field]))
    opened = local(publicity.opens_at).date()
    late = max(0, (posted - opened).days)
    if late:
        publicity.ends_at = action.calendar.deadline(
            publicity.opens_at + timedelta(days=late), publicity.days, publicity.unit
        )
    status = action.process.config["publicity"][publicity.kind].get("status")
    if status:
        action.case.status = status
    action.record(
        "publicity-posted", (publicity,), posted_on=posted.isoformat(), ends_at=publicity.ends_at.isoformat()
    )
