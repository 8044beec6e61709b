"""公示: opened by the diagram, closed by the diagram; objections are cases of their own."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import now
from workflows.base.errors import Conflict, Invalid
from workflows.cases.action import Action, begin
from workflows.cases.functions import current_publicity, open_objections
from workflows.cases.model import Case, CaseTimer, Objection, Publicity
from workflows.cases.reasons import state
from workflows.engine import runner

OBJECTION_UPHELD = "objection_upheld"
OBJECTIONS_SETTLED = "objections_settled"


def open_publicity(
    action: Action, *, kind: str, title: str, content: list[dict[str, str]], days: int, unit: str
) -> Publicity:
    """Publish. The end is fixed here and shown; it may move later, never earlier."""
    running = current_publicity(action)
    if running is not None and running.closed_at is None:
        raise Conflict("这个申请已有正在进行的公示。")
    publicity = Publicity(
        case_id=action.case.id,
        county_code=action.case.county_code,
        kind=kind,
        token=secrets.token_hex(8),
        title=title,
        content=content,
        opens_at=action.at,
        ends_at=action.calendar.deadline(action.at, days, unit),
        days=days,
        unit=unit,
    )
    action.session.add(publicity)
    action.record(
        "publicity-opened", (publicity,), publicity_kind=kind, ends_at=publicity.ends_at.isoformat()
    )
    return publicity


def end_publicity(action: Action, how: str) -> Publicity:
    """Close the running publicity: ``completed`` (only after its end, with no objection open) or ``cancelled``.

    This is where money and recognition are truly held: the operation that a diagram would call too early refuses.
    """
    publicity = current_publicity(action)
    if publicity is None or publicity.closed_at is not None:
        raise Conflict("没有正在进行的公示。")
    if how == "completed":
        if now() < publicity.ends_at:
            raise Conflict("公示期未满，不能结束公示。")
        if open_objections(action):
            raise Conflict("公示期间的异议尚未办结，不能结束公示。")
    publicity.closed_at = action.at
    publicity.closed_as = how
    action.record("publicity-closed", (publicity,), how=how)
    return publicity


def extend(session: Session, case_id: int, ends_at: datetime, actor_id: int | None, reason: str) -> Publicity:
    """Move a running publicity's end later, row and timer together; an earlier end is refused."""
    action = begin(session, case_id, actor_id)
    publicity = current_publicity(action)
    if publicity is None or publicity.closed_at is not None:
        raise Conflict("没有正在进行的公示。")
    if ends_at < publicity.ends_at:
        raise Invalid("公示截止时间只能延后，不能提前。")
    for timer in session.scalars(
        select(CaseTimer).where(
            CaseTimer.case_id == case_id,
            CaseTimer.closed_at.is_(None),
            CaseTimer.due_at == publicity.ends_at,
        )
    ):
        timer.due_at = ends_at
        action.case.state = runner.move(
            action.process.published, action.case.state, timer.task_id, ends_at
        ).state
    publicity.ends_at = ends_at
    action.record("publicity-extended", (publicity, state(action, reason)), ends_at=ends_at.isoformat())
    return publicity


def settle_objection(action: Action, result: str) -> None:
    """Settle the objection that this case handles, and tell the case that was objected to.

    :param result: ``rejected`` or ``upheld``.
    """
    objection = action.session.scalars(
        select(Objection).where(Objection.case_id == action.case.id)
    ).one_or_none()
    if objection is None or action.case.parent_id is None:
        raise Conflict("这件办理没有对应的异议。")
    objection.result = result
    objection.settled_at = action.at
    action.session.flush()
    parent = begin(action.session, action.case.parent_id, action.actor_id)
    parent.record("objection-settled", (objection,), result=result)
    publicity = current_publicity(parent)
    if publicity is None or publicity.closed_at is not None:
        return  # another objection has stopped the publicity: what this one found is in the file of the 会审
    if result == "upheld":
        action.messages.append(OBJECTION_UPHELD)
    elif open_objections(parent) == 0:
        action.messages.append(OBJECTIONS_SETTLED)


def running(session: Session, county_code: str | None = None) -> list[Publicity]:
    """What is public now: running publicities whose end has not passed."""
    query = select(Publicity).where(Publicity.closed_at.is_(None), Publicity.ends_at > now())
    if county_code:
        query = query.where(Publicity.county_code == county_code)
    return list(session.scalars(query.order_by(Publicity.ends_at)))


def objection_of(session: Session, case: Case) -> Objection | None:
    """The objection that an objection case handles."""
    return session.scalars(select(Objection).where(Objection.case_id == case.id)).one_or_none()
