"""After the engine moved: its state, the work items and the timers are written together, so that they say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from workflows.base import outbox
from workflows.base.clock import today
from workflows.cases.action import Action, begin
from workflows.cases.deadlines import Earlier, due, pause, resume
from workflows.cases.functions import FUNCTIONS
from workflows.cases.model import CaseTimer, Decision, WorkItem
from workflows.cases.offices import offices_of
from workflows.cases.operations import OPERATIONS
from workflows.cases.rules import evaluate
from workflows.engine import Bindings, OpenTask, OpenTimer, RunResult, runner
from workflows.organisations.model import Assignment, User

_items = WorkItem.__table__.c
_EARLIER = (
    select(_items.id, _items.step, _items.task_id, _items.due_at, _items.closed_at, _items.closed_as)
    .where(_items.case_id == bindparam("case_id"), _items.step.in_(bindparam("steps", expanding=True)))
    .order_by(_items.id.desc())
)


def bindings(action: Action) -> Bindings:
    """What the diagram's names mean for this action."""
    return Bindings(
        functions={name: partial(function, action) for name, function in FUNCTIONS.items()},
        operations={name: partial(operation, action) for name, operation in OPERATIONS.items()},
        evaluate=partial(evaluate, action),
    )


def settle(action: Action, result: RunResult) -> None:
    """Write what the engine's run left: state, passed elements, items, timers; then tell the parent."""
    case = action.case
    case.state = result.state
    known = set(case.passed)
    case.passed = [*case.passed, *(element for element in result.passed if element not in known)]
    case.waiting = sorted({message.message for message in result.messages})
    case.changed_at = action.at
    _sync_items(action, result.tasks)
    _sync_timers(action, result.timers)
    if case.status != action.recorded_status:
        action.record("status-set", (case,), status=case.status)
    if result.finished and case.finished_at is None:
        case.finished_at = action.at
        case.end = result.end
        action.record("case-finished", (case,), end=result.end, status=case.status)
    action.session.flush()
    for message in action.messages:
        deliver(action.session, case.parent_id, message)


def deliver(session: Session, case_id: int | None, message: str) -> bool:
    """Send a message to a case if it waits for it; returns whether it did. The case is locked by the caller's begin."""
    if case_id is None:
        return False
    parent = begin(session, case_id, None)
    if message not in parent.case.waiting:
        return False
    result = runner.send(parent.process.published, parent.case.state, message, bindings(parent))
    parent.record("message-received", message=message)
    settle(parent, result)
    return True


def _sync_items(action: Action, tasks: Sequence[OpenTask]) -> None:
    open_items = action.open_items
    present = {task.task_id for task in tasks}
    for item in open_items:
        if item.task_id not in present:
            close_item(action, item, "cancelled")
    waiting = {item.task_id for item in open_items}
    new = [task for task in tasks if task.task_id not in waiting]
    if new:
        earlier = _earlier(action, {task.element for task in new})
        offices = offices_of(action.session, action.case, _kinds(action, new) - {"employer"})
        for task in new:
            _open(action, task, [one for one in earlier if one.step == task.element], offices)


def _kinds(action: Action, tasks: Sequence[OpenTask]) -> set[str]:
    """Who acts in some steps: the offices that sign, or the one of the lane."""
    process = action.process
    steps = [process.step(task.element) for task in tasks]
    return {kind for step in steps for kind in step.signatories or (process.lanes[step.lane].department,)}


def _earlier(action: Action, steps: set[str]) -> Sequence[Earlier]:
    """What earlier rounds of some steps left, the latest first."""
    session = action.session
    if action.beginning:
        return []
    changed = {row.id: row for row in session.dirty if isinstance(row, WorkItem)}  # and not written yet
    with session.no_autoflush:
        rows = session.execute(_EARLIER, {"case_id": action.case.id, "steps": sorted(steps)})
        found = [changed.get(row.id, row) for row in rows]
    return [Earlier(one.step, one.task_id, one.due_at, one.closed_at, one.closed_as) for one in found]


def close_item(action: Action, item: WorkItem, how: str) -> None:
    """Close an item: ``done``, ``withdrawn`` or ``cancelled``; its draft goes; other items' clocks go on."""
    item.closed_at = action.at
    item.closed_as = how
    item.version += 1
    action.drop_draft(item)
    if action.process.step(item.step).pauses_clock:
        resume(action)


def _open(action: Action, task: OpenTask, before: Sequence[Earlier], offices: Mapping[str, int]) -> None:
    step = action.process.step(task.element)
    case, session = action.case, action.session
    number = len({item.task_id for item in before if item.closed_as == "done"} - {task.task_id}) + 1
    if step.pauses_clock:
        pause(action)
    for kind in step.signatories or (action.process.lanes[step.lane].department,):
        item = WorkItem(
            case_id=case.id,
            task_id=task.task_id,
            step=step.key,
            lane=step.lane,
            title=step.title,
            round=number,
            opened_at=action.at,
            due_at=due(action, step, before),
            version=1,
        )
        if kind == "employer":
            item.employer_id = case.employer_id
        else:
            item.department_id = offices[kind]
            if before:
                _return_to_same_officer(action, item)
        action.opened(item)
        if kind == "employer" and case.submitted_at is not None:
            session.flush()  # the message names the item
            outbox.put(session, "notice", f"item-{item.id}", {"work_item": item.id})
    if step.stage:
        case.stage = step.stage
    if step.config.get("status"):
        case.status = step.config["status"]


def _return_to_same_officer(action: Action, item: WorkItem) -> None:
    """A later round of a step goes first to the officer who decided the earlier one, if he still holds the post."""
    officer = action.session.scalars(
        select(Decision.actor_id)
        .where(
            Decision.case_id == action.case.id,
            Decision.step == item.step,
            Decision.department_id == item.department_id,
        )
        .order_by(Decision.id.desc())
        .limit(1)
    ).first()
    if officer is None:
        return
    day = today()
    still = action.session.scalars(
        select(Assignment.id)
        .join(User, User.id == Assignment.user_id)
        .where(
            User.active,
            Assignment.user_id == officer,
            Assignment.department_id == item.department_id,
            Assignment.valid_from <= day,
            (Assignment.valid_to.is_(None)) | (Assignment.valid_to >= day),
        )
    ).first()
    if still is not None:
        item.claimed_by = officer
        item.claimed_at = action.at


def _sync_timers(action: Action, timers: Sequence[OpenTimer]) -> None:
    open_timers = {timer.task_id: timer for timer in action.open_timers}
    present = {timer.task_id for timer in timers}
    for task_id, row in open_timers.items():
        if task_id not in present:
            row.closed_at = action.at
            row.closed_as = "cancelled"
    for timer in timers:
        if timer.task_id not in open_timers:
            action.opened(
                CaseTimer(
                    case_id=action.case.id, task_id=timer.task_id, element=timer.element, due_at=timer.due
                )
            )
