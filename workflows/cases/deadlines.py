"""Time limits of work items: set, stopped during 补正, moved on by the time that stood still."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select

from workflows.base.clock import local, midnight
from workflows.cases.action import Action
from workflows.cases.model import NO_LIMIT, WorkItem
from workflows.cases.process import Step


class Earlier(NamedTuple):
    """An item of an earlier round, as far as a new one asks about it."""

    step: str
    task_id: str
    due_at: datetime
    closed_at: datetime | None
    closed_as: str | None


def pause(action: Action) -> None:
    """Stop the limits of the offices' open items."""
    for item in _others(action):
        if item.paused_at is None:
            item.paused_at = action.at


def resume(action: Action) -> None:
    """Let them run again, later by the time they stood still."""
    for item in _others(action):
        if item.paused_at is not None:
            item.due_at = later(item.due_at, action.at - item.paused_at)
            item.paused_at = None


def _others(action: Action) -> list[WorkItem]:
    return [item for item in action.open_items if item.department_id is not None]


def later(due_at: datetime, by: timedelta) -> datetime:
    """A deadline moved by the time the clock stood still, to the end of that day."""
    if due_at == NO_LIMIT:
        return NO_LIMIT
    moved = due_at + by
    day = local(moved).date()
    return moved if moved == midnight(day) else midnight(day + timedelta(days=1))


def due(action: Action, step: Step, before: Sequence[Earlier]) -> datetime:
    """The deadline of a new item. Straight after a step that stopped the clock (补正), what was left of the earlier limit."""
    if step.limit is None:
        return NO_LIMIT
    days = int(action.parameter(step.limit_parameter)) if step.limit_parameter else step.limit.days
    fresh = action.calendar.deadline(action.at, days, step.limit.unit)
    last = next((item for item in before if item.closed_at is not None), None)
    if last is None or last.closed_at is None or last.due_at == NO_LIMIT or step.pauses_clock:
        return fresh
    came_from = action.session.scalars(
        select(WorkItem.step)
        .where(WorkItem.case_id == action.case.id, WorkItem.closed_as == "done")
        .order_by(WorkItem.closed_at.desc(), WorkItem.id.desc())
        .limit(1)
    ).first()
    if came_from is None or not action.process.step(came_from).pauses_clock:
        return fresh
    return later(last.due_at, action.at - last.closed_at)
