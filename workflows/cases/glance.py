"""What somebody wants to know first: how much came, went and is late. Counts alone, each one statement."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ScalarSelect, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from workflows.base.clock import now
from workflows.cases.model import Case, Decision, WorkItem
from workflows.organisations.divisions import codes_below


def _since(table: type[WorkItem] | type[Decision], at: InstrumentedAttribute[datetime]) -> ScalarSelect[int]:
    own = table.department_id.in_(bindparam("departments", expanding=True))
    found = select(func.count()).select_from(table).where(own, at >= bindparam("since"))
    return found.scalar_subquery()


_CAME_AND_WENT = select(_since(WorkItem, WorkItem.opened_at), _since(Decision, Decision.decided_at))


def came_and_went(session: Session, department_ids: Collection[int], since: datetime) -> tuple[int, int]:
    """Steps that came to these offices since then, and that they finished."""
    came, went = session.execute(_CAME_AND_WENT, {"departments": list(department_ids), "since": since}).one()
    return came, went


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
