"""What an employer may start by itself, as process.yaml's ``start`` says it, and the starting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.errors import Conflict, NotFound
from workflows.cases.model import Case
from workflows.cases.process import Process, newest
from workflows.cases.starting import start
from workflows.organisations.actors import Actor
from workflows.organisations.permissions import Facts, require
from workflows.registers.model import Employer, Workshop


@dataclass(frozen=True)
class Offer:
    """Something that can be started for an employer (about a workshop, where one is named)."""

    process: Process
    key: str
    title: str
    employer: Employer
    workshop: Workshop | None = None


def offers(session: Session, actor: Actor, known: Sequence[Process]) -> list[Offer]:
    """Everything the actor may start now, in the order of the processes."""
    found = []
    for process in known:
        for described in _starts(process):
            for employer in _employers(session, actor):
                if "workshop_status" not in described:
                    found.append(Offer(process, described["key"], described["title"], employer))
                    continue
                found += [
                    Offer(process, described["key"], described["title"], employer, workshop)
                    for workshop in _workshops(session, employer, described["workshop_status"])
                    if running(session, process.key, workshop.id) is None
                ]
    return found


def offer(
    session: Session, actor: Actor, process_key: str, key: str, employer_id: int, workshop_id: int | None
) -> Offer:
    """One of :func:`offers`; raises ``NotFound`` for anything else."""
    for one in offers(session, actor, [newest(session, process_key)]):
        same_workshop = (one.workshop.id if one.workshop else None) == workshop_id
        if one.key == key and one.employer.id == employer_id and same_workshop:
            return one
    raise NotFound("现在不能发起这项申请。请回到“我的申请”，查看可以办理的事项。")


def begin_own(
    session: Session,
    actor: Actor,
    process_key: str,
    key: str,
    employer_id: int,
    workshop_id: int | None = None,
) -> Case:
    """Start what the employer asks for. A second click finds the draft that the first one opened.

    :raises Conflict: the workshop's matter is under way already.
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
    if "workshop_status" not in described:
        return _draft(session, process_key, employer_id) or start(
            session,
            actor,
            process_key,
            division_code=employer.division_code,
            employer=employer,
            start_key=key,
        )
    workshop = next(
        (one for one in _workshops(session, employer, described["workshop_status"]) if one.id == workshop_id),
        None,
    )
    if workshop is None:
        raise Conflict("这个车间现在的状态不能办理这项申请，请回到“我的申请”查看。")
    under_way = running(session, process_key, workshop.id)
    if under_way is not None:
        raise Conflict(f"这个车间已有正在办理的申请（{under_way.number}），办结后才能再次申请。")
    return start(
        session,
        actor,
        process_key,
        division_code=workshop.division_code,
        employer=employer,
        workshop=workshop,
        start_key=key,
    )


def running(session: Session, process_key: str, workshop_id: int) -> Case | None:
    """The case of this kind that is under way for a workshop."""
    return session.scalars(
        select(Case)
        .where(Case.workshop_id == workshop_id, Case.process == process_key, Case.finished_at.is_(None))
        .limit(1)
    ).one_or_none()


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


def _draft(session: Session, process_key: str, employer_id: int) -> Case | None:
    """A draft that was begun and never submitted: going on with it is better than a second one."""
    return session.scalars(
        select(Case)
        .where(
            Case.process == process_key,
            Case.employer_id == employer_id,
            Case.submitted_at.is_(None),
            Case.finished_at.is_(None),
            Case.workshop_id.is_(None),
        )
        .order_by(Case.id.desc())
        .limit(1)
    ).one_or_none()
