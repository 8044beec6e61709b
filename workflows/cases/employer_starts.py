"""What an employer may start by itself, as process.yaml's ``start`` says it, and the starting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.errors import Conflict, NotFound
from workflows.cases.model import Case
from workflows.cases.process import Process, newest
from workflows.cases.starting import start
from workflows.organisations.actors import Actor
from workflows.organisations.permissions import Facts, require
from workflows.registers.model import Employer, Workshop
from workflows.registers.project_model import Project
from workflows.registers.projects import of_contractor

S = TypeVar("S", Workshop, Project)


@dataclass(frozen=True)
class Offer:
    """Something that can be started for an employer: about a workshop or a project, where one is named."""

    process: Process
    key: str
    title: str
    employer: Employer
    workshop: Workshop | None = None
    project: Project | None = None

    @property
    def about(self) -> str:
        """The name of what it is about; empty when it is about the employer itself."""
        subject = self.workshop or self.project
        return subject.name if subject is not None else ""

    @property
    def division_code(self) -> str:
        """The place whose offices will receive it."""
        return (self.workshop or self.project or self.employer).division_code


def offers(session: Session, actor: Actor, known: Sequence[Process]) -> list[Offer]:
    """Everything the actor may start now, in the order of the processes."""
    found = []
    for process in known:
        for described in _starts(process):
            for employer in _employers(session, actor):
                found += _about(session, process, described, employer)
    return found


def _about(
    session: Session, process: Process, described: Mapping[str, Any], employer: Employer
) -> list[Offer]:
    """One offer, or one for each workshop or project that it can be about."""
    key, title = described["key"], described["title"]
    if "workshop_status" in described:
        return [
            Offer(process, key, title, employer, workshop)
            for workshop in _workshops(session, employer, described["workshop_status"])
            if running(session, process.key, workshop_id=workshop.id) is None
        ]
    if "project_status" in described:
        return [
            Offer(process, key, title, employer, project=project)
            for project in of_contractor(session, employer.id, described["project_status"])
            if described.get("several") or running(session, process.key, project_id=project.id) is None
        ]
    return [Offer(process, key, title, employer)]


def offer(
    session: Session,
    actor: Actor,
    process_key: str,
    key: str,
    employer_id: int,
    workshop_id: int | None = None,
    project_id: int | None = None,
) -> Offer:
    """One of :func:`offers`; raises ``NotFound`` for anything else."""
    for one in offers(session, actor, [newest(session, process_key)]):
        subject = (one.workshop.id if one.workshop else None, one.project.id if one.project else None)
        if one.key == key and one.employer.id == employer_id and subject == (workshop_id, project_id):
            return one
    raise NotFound("现在不能发起这项申请。请回到“我的申请”，查看可以办理的事项。")


def begin_own(
    session: Session,
    actor: Actor,
    process_key: str,
    key: str,
    employer_id: int,
    workshop_id: int | None = None,
    project_id: int | None = None,
) -> Case:
    """Start what the employer asks for. A second click finds the draft that the first one opened.

    :raises Conflict: the matter of the workshop or of the project is under way already.
    """
    require(actor, "case.start", Facts(employer_id=employer_id))
    # Two clicks at once: the second waits here and then sees the first one's draft.
    employer = session.scalars(
        select(Employer).where(Employer.id == employer_id).with_for_update(of=Employer)
    ).one_or_none()
    process = newest(session, process_key)
    described = next((one for one in _starts(process) if one["key"] == key), None)
    if employer is None or described is None:
        raise NotFound("没有这个办理事项。")
    draft = _draft(session, process_key, employer_id, workshop_id, project_id)
    if draft is not None:
        return draft
    workshop = _chosen(_workshops(session, employer, described.get("workshop_status", ())), workshop_id)
    project = _chosen(of_contractor(session, employer.id, described.get("project_status", ())), project_id)
    if "workshop_status" in described and workshop is None:
        raise Conflict("这个车间现在的状态不能办理这项申请，请回到“我的申请”查看。")
    if "project_status" in described and project is None:
        raise Conflict("这个项目现在的状态不能办理这项申请，请回到“我的申请”查看。")
    under_way = (
        running(
            session,
            process_key,
            workshop_id=workshop.id if workshop else None,
            project_id=project.id if project else None,
        )
        if (workshop or project) and not described.get("several")
        else None
    )
    if under_way is not None:
        what = "车间" if workshop else "项目"
        raise Conflict(f"这个{what}已有正在办理的申请（{under_way.number}），办结后才能再次申请。")
    return start(
        session,
        actor,
        process_key,
        division_code=(workshop or project or employer).division_code,
        employer=employer,
        workshop=workshop,
        project=project,
        start_key=key,
    )


def running(
    session: Session, process_key: str, *, workshop_id: int | None = None, project_id: int | None = None
) -> Case | None:
    """The case of this kind that is under way for a workshop or a project."""
    same = Case.workshop_id == workshop_id if workshop_id is not None else Case.project_id == project_id
    return session.scalars(
        select(Case).where(same, Case.process == process_key, Case.finished_at.is_(None)).limit(1)
    ).one_or_none()


def _chosen(some: Sequence[S], wanted: int | None) -> S | None:
    return next((one for one in some if one.id == wanted), None)


def _starts(process: Process) -> list[Mapping[str, Any]]:
    return [one for one in process.config.get("start", []) if "employer" in one.get("by", ())]


def _employers(session: Session, actor: Actor) -> list[Employer]:
    return list(
        session.scalars(select(Employer).where(Employer.id.in_(actor.employer_ids)).order_by(Employer.id))
    )


def _workshops(session: Session, employer: Employer, statuses: Sequence[str]) -> list[Workshop]:
    return list(
        session.scalars(
            select(Workshop)
            .where(Workshop.employer_id == employer.id, Workshop.status.in_(statuses))
            .order_by(Workshop.id)
        )
    )


def _draft(
    session: Session, process_key: str, employer_id: int, workshop_id: int | None, project_id: int | None
) -> Case | None:
    """A draft that was begun and never submitted: going on with it is better than a second one."""
    return session.scalars(
        select(Case)
        .where(
            Case.process == process_key,
            Case.employer_id == employer_id,
            Case.submitted_at.is_(None),
            Case.finished_at.is_(None),
            Case.workshop_id.is_(None) if workshop_id is None else Case.workshop_id == workshop_id,
            Case.project_id.is_(None) if project_id is None else Case.project_id == project_id,
        )
        .order_by(Case.id.desc())
        .limit(1)
    ).one_or_none()
