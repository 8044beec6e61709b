"""One action on one case: what the engine's functions and operations see while a transaction runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from workflows.audit import record
from workflows.audit.model import Event
from workflows.base.calendar import WorkingCalendar
from workflows.base.clock import now
from workflows.base.errors import NotFound
from workflows.base.model import Base
from workflows.cases.model import Case
from workflows.cases.process import Process, process_of


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

    def __post_init__(self) -> None:
        #: The status that the last event covering the case saw: whoever changes it later owes an event.
        self.recorded_status = self.case.status

    @cached_property
    def calendar(self) -> WorkingCalendar:
        return WorkingCalendar.read(self.session)

    def record(self, kind: str, covers: tuple[Base, ...] = (), **payload: Any) -> Event:
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
    case = session.scalars(
        select(Case)
        .where(Case.id == case_id)
        .options(undefer(Case.state), undefer(Case.passed))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if case is None:
        raise NotFound("没有这个申请。")
    return case


def begin(session: Session, case_id: int, actor_id: int | None, department_id: int | None = None) -> Action:
    """Lock a case and prepare an action on it.

    A case with a parent (an objection) locks the parent first: it may send it a message, and the order parent before
    child, kept by everyone, is what makes deadlocks impossible.
    """
    parent_id = session.scalar(select(Case.parent_id).where(Case.id == case_id))
    if parent_id is not None:
        lock_case(session, parent_id)
    case = lock_case(session, case_id)
    return Action(session, case, process_of(session, case.version_id), actor_id, department_id)
