"""From the site's notes to the month's sheet: who is registered, with what was noted, in the sheet's own columns."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.amounts import hundredths, yuan
from forms.sheet_template import template
from workflows.base.errors import Conflict, NotFound
from workflows.cases import days
from workflows.cases.facts import CaseView
from workflows.cases.filling import Filling
from workflows.cases.rosters import typed_answers
from workflows.organisations.actors import Actor
from workflows.registers.attendance import marks_between
from workflows.registers.project_model import PAY_MODES, Project, ProjectWorker


def own_project(session: Session, actor: Actor, project_id: int) -> Project:
    """A project of one of the actor's units; for anybody else it does not exist."""
    project = session.get(Project, project_id)
    if project is None or project.contractor_id not in actor.employer_ids:
        raise NotFound("没有这个项目，或者不是本单位的项目。")
    return project


def own_projects(session: Session, actor: Actor) -> list[Project]:
    """The running projects of the actor's units."""
    return list(
        session.scalars(
            select(Project)
            .where(Project.contractor_id.in_(actor.employer_ids), Project.status == "running")
            .order_by(Project.id)
        )
    )


def noted_sheet(found: Filling) -> bytes:
    """The month's sheet, filled in with everybody registered and with what the site noted of their days.

    :raises NotFound: the process pays no days. :raises Conflict: the month has not been chosen, or nobody is registered for it.
    """
    session, case = found.session, found.case
    if not found.process.config.get("days") or found.process.roster is None:
        raise NotFound("这个事项没有考勤表。")
    view = CaseView.of(session, case, found.process, typed_answers(session, case, found.process))
    month = days.month_of(view)
    if month is None:
        raise Conflict("请先在“月份”里选定是哪个月的工资，再用登记的人员和考勤填表。")
    first = date(*month, 1)
    last = date(*month, calendar.monthrange(*month)[1])
    workers = session.scalars(
        select(ProjectWorker)
        .where(
            ProjectWorker.project_id == case.project_id,
            ProjectWorker.agreement_from <= last,
            ProjectWorker.agreement_to >= first,
        )
        .order_by(ProjectWorker.id)
    ).all()
    if not workers:
        raise Conflict("这个月没有登记在册的人员。请先办理人员实名登记。")
    noted = marks_between(session, case.project_id or 0, first, last)
    prefix = str(found.process.config["days"]["calendar"])
    rows = [_row(one, noted.get(one.person_id, {}), prefix) for one in workers]
    return template(found.process.roster, lists=found.form.lists, examples=[], rows=rows)


def _row(one: ProjectWorker, noted: dict[date, int], prefix: str) -> dict[str, Any]:
    return {
        "name": one.name,
        "id_number": one.id_number,
        "village": one.village,
        "phone": one.phone,
        "job": one.job,
        "pay_mode": PAY_MODES[one.pay_mode],
        "rate": yuan(one.rate_fen),
        "card": one.card,
        "bank": one.bank,
        **{f"{prefix}_{day.day:02d}": hundredths(value) for day, value in noted.items() if value},
    }
