"""年审: started from the register when it is due, or by an officer."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import today
from workflows.base.errors import Conflict, Invalid
from workflows.cases.action import begin
from workflows.cases.model import Case
from workflows.cases.reasons import state
from workflows.cases.starting import start
from workflows.organisations.actors import SYSTEM, Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.permissions import Facts, require
from workflows.registers.model import Workshop

PROCESS = "workshop_review"


def is_early(workshop: Workshop, day: date) -> bool:
    """Whether a 年审 begun on ``day`` would come before its time. To restore a revoked workshop is no question of time."""
    return workshop.status != "revoked" and (workshop.review_due is None or workshop.review_due > day)


def start_review(session: Session, actor: Actor, workshop: Workshop, reason: str = "") -> Case:
    """Open a review case for a workshop; one at a time.

    :param reason: why it comes before its time; required then, and kept in the timeline.
    :raises Conflict: one is under way already; the message names it.
    """
    require(
        actor,
        "case.start_review",
        Facts(division_chain=chain_codes(session, workshop.division_code), employer_id=workshop.employer_id),
    )
    locked = session.scalars(
        select(Workshop).where(Workshop.id == workshop.id).with_for_update(of=Workshop)
    ).one()
    running = session.scalars(
        select(Case).where(Case.workshop_id == locked.id, Case.process == PROCESS, Case.finished_at.is_(None))
    ).first()
    if running is not None:
        raise Conflict(f"该车间已有正在办理的年审（{running.number}），办结后才能再次发起。")
    early = is_early(locked, today())
    if early and not reason.strip():
        raise Invalid(
            "年审还没有到期，请填写提前发起的理由。",
            {"reason": "年审还没有到期，请填写提前发起的理由，例如：群众反映车间已停产。"},
        )
    case = start(
        session,
        actor,
        PROCESS,
        division_code=locked.division_code,
        employer=locked.employer,
        workshop=locked,
        start_key="restore" if locked.status == "revoked" else "annual",
    )
    if early:
        action = begin(session, case.id, actor.user_id)
        action.record("review-brought-forward", (state(action, reason),))
    return case


def start_due(session: Session, day: date, limit: int = 50) -> int:
    """Start the reviews that are due on ``day``; returns how many."""
    under_way = select(Case.workshop_id).where(Case.process == PROCESS, Case.finished_at.is_(None))
    due = session.scalars(
        select(Workshop)
        .where(
            Workshop.review_due.is_not(None),
            Workshop.review_due <= day,
            Workshop.status != "revoked",
            Workshop.id.not_in(under_way.where(Case.workshop_id.is_not(None))),
        )
        .order_by(Workshop.review_due, Workshop.id)
        .limit(limit)
    ).all()
    for workshop in due:
        start_review(session, SYSTEM, workshop)
    return len(due)
