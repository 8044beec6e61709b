"""Walking a case through its process as its people would: the demonstration, the scenarios and the benchmarks all use
the same use cases that pages use; nothing is pushed past them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.errors import WengangError
from workflows.base.outbox import drain
from workflows.base.session import Database
from workflows.cases import attachments, claiming, rosters
from workflows.cases.access import acted_in
from workflows.cases.answering import parse_answers, step_form
from workflows.cases.completing import Completed, complete
from workflows.cases.jobs import fire_due_timers, handlers
from workflows.cases.model import Case, CaseTimer, WorkItem
from workflows.cases.process import process_of
from workflows.cases.roster_model import Roster
from workflows.cases.starting import start
from workflows.cases.verdicts import AGREE, current_roster
from workflows.documents.issue import Sign
from workflows.organisations.actors import Actor
from workflows.organisations.model import Assignment, Department, User
from workflows.organisations.permissions import conflict
from workflows.registers.membership import load_actor
from workflows.registers.model import Employer, EmployerMember


class Stuck(WengangError):
    """The walk asks for something that the case does not wait for."""


@dataclass
class StepTaken:
    """One action of a walk, for the report."""

    work_item: str
    office: str
    outcome: str


@dataclass
class Walk:
    """One case and the people who act in it.

    :param sign: how documents are signed when the outbox is drained.
    """

    database: Database
    sign: Sign
    case_id: int = 0
    taken: list[StepTaken] = field(default_factory=list)

    def begin(self, process: str, employer_id: int) -> int:
        """The employer starts a case."""
        with self.database.transaction() as session:
            employer = session.get_one(Employer, employer_id)
            actor = employers_actor(session, employer_id)
            case = start(session, actor, process, division_code=employer.division_code, employer=employer)
            self.case_id = case.id
        return self.case_id

    def upload(self, content: bytes, name: str = "花名册.xlsx") -> Roster:
        """The employer uploads a roster and the worker reads it."""
        with self.database.transaction() as session:
            item = self.item(session, None)
            roster_id = rosters.upload(session, self.actor_for(session, item), item.id, content, name).id
        self.work()
        with self.database.reading() as session:
            return session.get_one(Roster, roster_id)

    def attach(self, files: Mapping[str, tuple[bytes, str]], step: str | None = None) -> None:
        """Add what the open step has none of yet: key → content and name."""
        for material, (content, name) in files.items():
            with self.database.transaction() as session:
                item = self.item(session, step)
                if any(one.material == material for one in attachments.of_step(session, item)):
                    continue
                attachments.attach(session, self.actor_for(session, item), item.id, material, content, name)

    def act(
        self,
        step: str,
        outcome: str,
        answers: Mapping[str, Sequence[str]] | None = None,
        *,
        opinion: str = "",
        by: str | None = None,
        rest: str | None = AGREE,
        office: str | None = None,
    ) -> Completed:
        """Complete an open step (one office's part of it) with what its form is sent.

        :param answers: field → texts as a browser sends them, over what the form shows already.
        :param by: username; otherwise someone of the office who may.
        :param office: department kind, in a joint step.
        """
        with self.database.transaction() as session:
            item = self.item(session, step, office)
            actor = self.actor_named(session, by) if by else self.actor_for(session, item)
            case = session.get_one(Case, self.case_id)
            form = step_form(session, case, item)
            raw = {**form.raw, **{key: list(values) for key, values in (answers or {}).items()}}
            raw["outcome"] = [outcome]
            if opinion:
                raw["opinion"] = [opinion]
            parsed = parse_answers(session, case, item, raw, outcome)
            if parsed.errors:
                raise Stuck(f"“{form.step.title}”的填写有误：{parsed.errors}")
            name = item.department.name if item.department else "申请单位"
            done = complete(
                session,
                actor,
                item.id,
                outcome,
                parsed,
                seen_version=item.version,
                command_key=uuid.uuid4().hex,
                rest_verdict=rest if form.step.roster == "decide" else None,
            )
        self.taken.append(StepTaken(step, name, outcome))
        return done

    def claim(self, step: str, by: str) -> None:
        """Someone takes an open step."""
        with self.database.transaction() as session:
            item = self.item(session, step)
            claiming.claim(session, load_actor(session, user_named(session, by)), item.id)

    def work(self) -> int:
        """The worker comes by: the outbox, then due timers, until nothing is left."""
        done = 0
        while True:
            now_done = drain(self.database, handlers(self.sign)) + fire_due_timers(self.database)
            if not now_done:
                return done
            done += now_done

    def timer_due(self, element: str) -> datetime:
        """When the timer of an element falls due."""
        with self.database.reading() as session:
            due = session.scalars(
                select(CaseTimer.due_at).where(
                    CaseTimer.case_id == self.case_id,
                    CaseTimer.element == element,
                    CaseTimer.closed_at.is_(None),
                )
            ).first()
        if due is None:
            raise Stuck(f"没有等待“{element}”的期限。")
        return due

    def has_roster(self) -> bool:
        """Whether the case has a current roster."""
        with self.database.reading() as session:
            return current_roster(session, self.case_id) is not None

    def has_materials(self) -> bool:
        """Whether anything was attached to the case."""
        with self.database.reading() as session:
            return bool(attachments.listed(session, self.case_id))

    def next_timer(self) -> datetime:
        """When the case's next timer falls due."""
        with self.database.reading() as session:
            due = session.scalars(
                select(CaseTimer.due_at)
                .where(CaseTimer.case_id == self.case_id, CaseTimer.closed_at.is_(None))
                .order_by(CaseTimer.due_at)
            ).first()
        if due is None:
            raise Stuck("这个申请没有在等待的期限。")
        return due

    def open_steps(self) -> list[str]:
        """The steps that wait, in the order they opened."""
        with self.database.reading() as session:
            return list(
                session.scalars(
                    select(WorkItem.step)
                    .where(WorkItem.case_id == self.case_id, WorkItem.closed_at.is_(None))
                    .order_by(WorkItem.id)
                )
            )

    def status(self) -> str:
        """The case's status."""
        with self.database.reading() as session:
            return session.get_one(Case, self.case_id).status

    def item(self, session: Session, step: str | None, office: str | None = None) -> WorkItem:
        """The open item of a step (of an office)."""
        query = select(WorkItem).where(WorkItem.case_id == self.case_id, WorkItem.closed_at.is_(None))
        if step is not None:
            query = query.where(WorkItem.step == step)
        if office is not None:
            query = query.join(Department, Department.id == WorkItem.department_id).where(
                Department.kind == office
            )
        found = session.scalars(query.order_by(WorkItem.id)).unique().all()
        if not found:
            raise Stuck(f"环节“{step}”现在没有待办。")
        return found[0]

    def actor_named(self, session: Session, username: str) -> Actor:
        """The actor of that user name."""
        return load_actor(session, user_named(session, username))

    def actor_for(self, session: Session, item: WorkItem) -> Actor:
        """Whoever has the item, or may take it."""
        if item.employer_id is not None:
            return employers_actor(session, item.employer_id)
        if item.claimed_by is not None:
            return load_actor(session, session.get_one(User, item.claimed_by))
        return self.somebody(session, item)

    def somebody(self, session: Session, item: WorkItem) -> Actor:
        """Someone of the office who did nothing incompatible, as the office would choose."""
        case = session.get_one(Case, self.case_id)
        process = process_of(session, case.version_id)
        acted = acted_in(session, case.id)
        people = session.scalars(
            select(Assignment.user_id)
            .where(Assignment.department_id == item.department_id)
            .order_by(Assignment.id)
        )
        for user_id in people:
            if conflict(process.incompatible, acted.get(user_id, frozenset()), item.step) is None:
                return load_actor(session, session.get_one(User, user_id))
        raise Stuck("这个单位没有可以办理的人员。")


def employers_actor(session: Session, employer_id: int) -> Actor:
    """A confirmed member of an employer."""
    user_id = session.scalars(
        select(EmployerMember.user_id)
        .where(EmployerMember.employer_id == employer_id, EmployerMember.status == "confirmed")
        .order_by(EmployerMember.id)
    ).first()
    if user_id is None:
        raise Stuck("这个单位没有已确认的经办人。")
    return load_actor(session, session.get_one(User, user_id))


def user_named(session: Session, username: str) -> User:
    """The user of that name."""
    return session.scalars(select(User).where(User.username == username)).one()
