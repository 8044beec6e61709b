"""The functions a diagram's conditions and timers may call. They read rows, never the engine's data.

A decision kept in the engine's data is overwritten at a join by whichever branch finishes last; rows are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select

from workflows.base.errors import WengangError
from workflows.cases.action import Action
from workflows.cases.model import Decision, Objection, Publicity, RuleResult, WorkItem
from workflows.cases.payment_state import held_rows, paid_people, payments_open


class StaleDecision(WengangError):
    """A condition asked for a decision that this round has not taken. The action is refused: nothing moves on it."""

    status = 500


_LATEST_TASK = (
    select(WorkItem.task_id)
    .where(WorkItem.case_id == bindparam("case_id"), WorkItem.step == bindparam("step"))
    .order_by(WorkItem.id.desc())
    .limit(1)
    .scalar_subquery()
)
_LATEST_ITEMS = (
    select(WorkItem)
    .where(WorkItem.case_id == bindparam("case_id"), WorkItem.task_id == _LATEST_TASK)
    .order_by(WorkItem.id.desc())
)
_decisions = Decision.__table__.c
_LATEST_OUTCOME = (
    select(_decisions.outcome)
    .where(_decisions.work_item_id.in_(bindparam("items", expanding=True)))
    .order_by(_decisions.id.desc())
    .limit(1)
)


def latest_items(action: Action, step: str) -> list[WorkItem]:
    """The work items of the latest round of a step: one, or one for each office that signs."""
    return list(action.session.scalars(_LATEST_ITEMS, {"case_id": action.case.id, "step": step}))


def outcome(action: Action, step: str) -> str:
    """The outcome of the latest round of a step. Open, withdrawn or missing: refused, never an older round's word."""
    if step in action.outcomes:
        return action.outcomes[step]
    with action.session.no_autoflush:  # decisions are flushed when recorded; items answer for themselves
        return _outcome(action, step)


def _outcome(action: Action, step: str) -> str:
    items = latest_items(action, step)
    if not items or any(item.closed_at is None for item in items):
        raise StaleDecision("本轮还有意见没有作出，流程不能继续。请联系管理员。")
    found = action.session.scalar(_LATEST_OUTCOME, {"items": [item.id for item in items]})
    if found is None:
        raise StaleDecision("本轮还有意见没有作出，流程不能继续。请联系管理员。")
    return str(found)


def any_outcome(action: Action, value: str, *steps: str) -> bool:
    """Whether one of the steps ended with ``value`` in its latest round. All of them are read: each must be decided."""
    return value in [outcome(action, step) for step in steps]


def visited(action: Action, step: str) -> bool:
    """Whether a step was ever open."""
    return bool(
        action.session.scalar(
            select(func.count())
            .select_from(WorkItem)
            .where(WorkItem.case_id == action.case.id, WorkItem.step == step)
        )
    )


def decided(action: Action, decision: str, output: str) -> Any:
    """An output of the latest run of a rule table on this case."""
    result = action.session.scalars(
        select(RuleResult)
        .where(RuleResult.case_id == action.case.id, RuleResult.decision == decision)
        .order_by(RuleResult.id.desc())
        .limit(1)
    ).one_or_none()
    if result is None:
        raise StaleDecision("规则还没有运行，流程不能继续。请联系管理员。")
    return result.outputs[output]


def latest_answers(action: Action, name: str) -> dict[str, Any]:
    """The latest answers to a step, or to a form that several steps share; empty when never given."""
    column = Decision.step if name in action.process.steps else Decision.form
    found = action.session.scalars(
        select(Decision)
        .where(Decision.case_id == action.case.id, column == name)
        .order_by(Decision.id.desc())
        .limit(1)
    ).one_or_none()
    return dict(found.answers) if found else {}


def answer(action: Action, name: str, field: str) -> Any:
    """One answer; ``None`` when not given."""
    return latest_answers(action, name).get(field)


def current_publicity(action: Action) -> Publicity | None:
    """The publicity that runs, or the last that ran."""
    return action.session.scalars(
        select(Publicity).where(Publicity.case_id == action.case.id).order_by(Publicity.id.desc()).limit(1)
    ).one_or_none()


def publicity_end(action: Action) -> datetime:
    """When the running publicity ends, as published."""
    publicity = current_publicity(action)
    if publicity is None or publicity.closed_at is not None:
        raise StaleDecision("没有正在进行的公示，无法确定公示截止时间。请联系管理员。")
    return publicity.ends_at


def open_objections(action: Action) -> int:
    """Objections that are not settled, to whichever publicity of the case: each is owed its answer first."""
    return sum(
        result is None
        for result in action.session.scalars(
            select(Objection.result)
            .join(Publicity, Publicity.id == Objection.publicity_id)
            .where(Publicity.case_id == action.case.id)
        )
    )


def upheld_objections(action: Action) -> int:
    """Objections to the latest publicity that were upheld."""
    publicity = current_publicity(action)
    return sum(
        result == "upheld"
        for result in action.session.scalars(
            select(Objection.result).where(
                Objection.publicity_id == (publicity.id if publicity is not None else None)
            )
        )
    )


def param(action: Action, key: str) -> Any:
    """A parameter as it was when the case began."""
    return action.parameter(key)


def days_from_now(action: Action, days: int, unit: str) -> datetime:
    """24:00 of the last of ``days`` working or calendar days."""
    return action.calendar.deadline(action.at, days, unit)


def due_date(action: Action, step: str) -> datetime:
    """The deadline of the latest item of a step."""
    items = latest_items(action, step)
    if not items:
        raise StaleDecision("没有这一步的时限。请联系管理员。")
    return items[0].due_at


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        outcome,
        any_outcome,
        visited,
        decided,
        answer,
        publicity_end,
        open_objections,
        upheld_objections,
        param,
        days_from_now,
        due_date,
        held_rows,
        payments_open,
        paid_people,
    )
}
