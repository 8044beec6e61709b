"""One action on one case: what the engine's functions and operations see while a transaction runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session, undefer

from workflows.audit import record
from workflows.audit.record import Link
from workflows.base.calendar import WorkingCalendar
from workflows.base.clock import now
from workflows.base.errors import NotFound
from workflows.base.model import Base
from workflows.cases.model import Case, CaseTimer, Draft, WorkItem
from workflows.cases.process import Process, process_of

# Prepared once: building a statement costs as much as running it, and every action of every case comes through here.
_LOCKED = (
    select(Case)
    .options(undefer(Case.state), undefer(Case.passed))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_LOCK_CASE = _LOCKED.where(Case.id == bindparam("case_id"))
_cases, _items = Case.__table__, WorkItem.__table__
_PARENT = select(_cases.c.parent_id).where(_cases.c.id == bindparam("case_id"))
_OF_ITEM = select(_items.c.case_id).where(_items.c.id == bindparam("item_id"))
_LOCK_ORPHAN_OF_ITEM = _LOCKED.where(Case.id == _OF_ITEM.scalar_subquery(), Case.parent_id.is_(None))
_OPEN_ITEMS = (
    select(WorkItem, Draft.work_item_id)
    .outerjoin(Draft, Draft.work_item_id == WorkItem.id)
    .where(WorkItem.case_id == bindparam("case_id"), WorkItem.closed_at.is_(None))
    .order_by(WorkItem.id)
    .execution_options(populate_existing=True)
)
_OPEN_TIMERS = select(CaseTimer).where(
    CaseTimer.case_id == bindparam("case_id"), CaseTimer.closed_at.is_(None)
)


@dataclass
class Action:
    """The case is locked, the process is loaded, the actor is known."""

    session: Session
    case: Case
    process: Process
    actor_id: int | None
    department_id: int | None = None
    at: datetime = field(default_factory=now)
    #: Messages for the parent case, sent once this one is saved.
    messages: list[str] = field(default_factory=list)
    #: Step → outcome of the round that this action closed.
    outcomes: dict[str, str] = field(default_factory=dict)
    #: The case begins with this action: it has no past to ask about.
    beginning: bool = False

    def __post_init__(self) -> None:
        #: The status that the last event covering the case saw: whoever changes it later owes an event.
        self.recorded_status = self.case.status

    @cached_property
    def calendar(self) -> WorkingCalendar:
        with self.session.no_autoflush:
            return WorkingCalendar.read(self.session)

    @cached_property
    def _items(self) -> dict[WorkItem, bool]:
        """Item → whether something is typed for it."""
        if self.beginning:
            return {}
        rows = self.session.execute(_OPEN_ITEMS, {"case_id": self.case.id})
        return {item: draft is not None for item, draft in rows}

    @property
    def open_items(self) -> list[WorkItem]:
        """The items that wait, as this action has left them so far. Read once, under the lock."""
        return [item for item in self._items if item.closed_at is None]

    def drop_draft(self, item: WorkItem) -> None:
        """What was typed for an item goes with it."""
        if self._items.get(item, True):
            self.session.execute(delete(Draft).where(Draft.work_item_id == item.id))

    @cached_property
    def _timers(self) -> list[CaseTimer]:
        if self.beginning or not self.process.has_timers:
            return []
        return list(self.session.scalars(_OPEN_TIMERS, {"case_id": self.case.id}))

    @property
    def open_timers(self) -> list[CaseTimer]:
        """The timers that wait, as this action has left them so far."""
        return [timer for timer in self._timers if timer.closed_at is None]

    def opened(self, row: WorkItem | CaseTimer) -> None:
        """Add an item or a timer that this action opens."""
        self.session.add(row)
        if isinstance(row, WorkItem):
            self._items[row] = False
        else:
            self._timers.append(row)

    def record(self, kind: str, covers: tuple[Base, ...] = (), **payload: Any) -> Link:
        """One event on the case's chain."""
        if self.case in covers:
            self.recorded_status = self.case.status
        return record(
            self.session,
            self.case,
            kind,
            actor_id=self.actor_id,
            department_id=self.department_id,
            payload=payload,
            covers=covers,
        )

    def parameter(self, key: str) -> Any:
        """A parameter's value as it was when the case began."""
        return self.case.rules["parameters"][key]["value"]


def lock_case(session: Session, case_id: int) -> Case:
    """The case, locked until the transaction ends and read afresh."""
    case = session.scalars(_LOCK_CASE, {"case_id": case_id}).one_or_none()
    if case is None:
        raise NotFound("没有这个申请。")
    return case


def begin(session: Session, case_id: int, actor_id: int | None, department_id: int | None = None) -> Action:
    """Lock a case and prepare an action on it.

    A case with a parent (an objection) locks the parent first: it may send it a message, and the order parent before
    child, kept by everyone, is what makes deadlocks impossible.
    """
    parent_id = session.scalar(_PARENT, {"case_id": case_id})
    if parent_id is not None:
        lock_case(session, parent_id)
    return _action(session, lock_case(session, case_id), actor_id, department_id)


def begin_on_item(session: Session, item_id: int, actor_id: int | None) -> tuple[Action, WorkItem]:
    """The same for the case of a work item, and the item as it stands under the lock."""
    case = session.scalars(_LOCK_ORPHAN_OF_ITEM, {"item_id": item_id}).one_or_none()
    if case is not None:
        action = _action(session, case, actor_id)
    else:  # a case with a parent, whose lock comes first; or no such item
        case_id = session.scalar(_OF_ITEM, {"item_id": item_id})
        if case_id is None:
            raise NotFound("没有这项工作。")
        action = begin(session, case_id, actor_id)
    item = next((one for one in action.open_items if one.id == item_id), None)
    return action, item or session.get_one(WorkItem, item_id, populate_existing=True)


def _action(session: Session, case: Case, actor_id: int | None, department_id: int | None = None) -> Action:
    return Action(session, case, process_of(session, case.version_id), actor_id, department_id)
