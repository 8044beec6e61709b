"""What somebody wants to know first: how much came, went and is late. Counts alone, each one statement."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflows.base.clock import now
from workflows.cases.model import Case, Decision, WorkItem
from workflows.organisations.divisions import codes_below


def came_and_went(session: Session, department_ids: Collection[int], since: datetime) -> tuple[int, int]:
    """Steps that came to these offices since then, and that they finished."""
    own = WorkItem.department_id.in_(department_ids)
    came = session.scalar(select(func.count()).select_from(WorkItem).where(own, WorkItem.opened_at >= since))
    went = session.scalar(
        select(func.count())
        .select_from(Decision)
        .where(Decision.department_id.in_(department_ids), Decision.decided_at >= since)
    )
    return came or 0, went or 0


def late_below(session: Session, code: str | None) -> int:
    """Steps of offices that are overdue in a division and below it."""
    return (
        session.scalar(
            select(func.count())
            .select_from(WorkItem)
            .join(Case, Case.id == WorkItem.case_id)
            .where(
                WorkItem.closed_at.is_(None),
                WorkItem.paused_at.is_(None),
                WorkItem.department_id.is_not(None),
                WorkItem.due_at < now(),
                Case.county_code.in_(codes_below(code)),
            )
        )
        or 0
    )


def begun_and_ended(session: Session, code: str | None, since: datetime) -> tuple[int, int]:
    """Cases of a division and below it that were handed in since then, and that ended."""
    here = Case.county_code.in_(codes_below(code))
    begun = session.scalar(select(func.count()).select_from(Case).where(here, Case.submitted_at >= since))
    ended = session.scalar(select(func.count()).select_from(Case).where(here, Case.finished_at >= since))
    return begun or 0, ended or 0


def spoken_on(session: Session, employer_ids: Collection[int], since: datetime) -> int:
    """What offices decided on the cases of these employers since then."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Decision)
            .join(Case, Case.id == Decision.case_id)
            .where(
                Case.employer_id.in_(employer_ids),
                Decision.department_id.is_not(None),
                Decision.decided_at >= since,
            )
        )
        or 0
    )
