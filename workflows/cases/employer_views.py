"""What an employer's pages read: what waits for it, its cases, and of a case what concerns it.

An employer learns every outcome. Opinions and lists of defects it reads when they were sent back to it, and what the
documents say; the offices' words among themselves stay with the offices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from workflows.audit.model import Event
from workflows.cases import page
from workflows.cases.model import Case, Decision, Notice, WorkItem
from workflows.cases.officer_views import holders
from workflows.cases.process import Process
from workflows.cases.worklist import Light, light
from workflows.documents.model import IssuedDocument
from workflows.organisations.actors import Actor

#: Cases on a page of the list.
PAGE = 20
#: Events an employer wants to see; claiming, rules and other inner matters are left out.
_SHOWN = frozenset(
    {
        "case-started",
        "case-submitted",
        "case-recalled",
        "case-terminated",
        "case-finished",
        "step-decided",
        "timer-fired",
        "publicity-opened",
        "publicity-closed",
        "publicity-corrected",
        "publicity-extended",
        "row-removed",
        "objection-received",
        "objection-settled",
        "document-fixed",
        "document-revoked",
        "document-restored",
    }
)


@dataclass(frozen=True)
class Task:
    """A step that waits for the employer. ``draft``: the case was never submitted."""

    item: WorkItem
    case: Case
    light: Light
    draft: bool


@dataclass(frozen=True)
class OwnCases:
    """A page of the employer's cases, newest first, with who has each."""

    cases: Sequence[Case]
    holders: dict[int, list[tuple[str, str]]]
    page: int
    total: int


@dataclass(frozen=True)
class Submission:
    """What the employer handed in with a form, the last time."""

    title: str
    at: datetime
    sections: list[tuple[str, list[tuple[str, str]]]]


def tasks(session: Session, actor: Actor) -> list[Task]:
    """What waits for the actor's employers, the earliest deadline first."""
    items = session.scalars(
        select(WorkItem)
        .where(WorkItem.employer_id.in_(actor.employer_ids), WorkItem.closed_at.is_(None))
        .options(joinedload(WorkItem.case).joinedload(Case.employer))
        .order_by(WorkItem.due_at, WorkItem.id)
    )
    return [Task(item, item.case, light(item), item.case.submitted_at is None) for item in items]


def task_count(session: Session, actor: Actor) -> int:
    """How many steps wait for the actor's employers."""
    if not actor.employer_ids:
        return 0
    return (
        session.scalar(
            select(func.count(WorkItem.id)).where(
                WorkItem.employer_id.in_(actor.employer_ids), WorkItem.closed_at.is_(None)
            )
        )
        or 0
    )


def own_cases(session: Session, actor: Actor, number: int = 1) -> OwnCases:
    """A page of the cases of the actor's employers, newest first."""
    mine = Case.employer_id.in_(actor.employer_ids)
    total = session.scalar(select(func.count(Case.id)).where(mine)) or 0
    number = min(max(1, number), max(1, -(-total // PAGE)))
    cases = session.scalars(
        select(Case)
        .where(mine)
        .options(joinedload(Case.employer))
        .order_by(Case.id.desc())
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    ).all()
    return OwnCases(cases, holders(session, cases), number, total)


def unread_notices(session: Session, actor: Actor, most: int = 3) -> list[Notice]:
    """The newest notices that the actor has not read."""
    return list(
        session.scalars(
            select(Notice)
            .where(Notice.user_id == actor.user_id, Notice.read_at.is_(None))
            .order_by(Notice.id.desc())
            .limit(most)
        )
    )


# One case ------------------------------------------------------------------------------------------------------------


def own_open_item(session: Session, actor: Actor, case: Case) -> WorkItem | None:
    """The step of a case that waits for the actor's employer."""
    return session.scalars(
        select(WorkItem)
        .where(
            WorkItem.case_id == case.id,
            WorkItem.closed_at.is_(None),
            WorkItem.employer_id.in_(actor.employer_ids),
        )
        .order_by(WorkItem.id)
        .limit(1)
    ).one_or_none()


def sent_to_employer(session: Session, case: Case, process: Process) -> set[int]:
    """The decisions that were sent back to the employer: those that a step of its own answers (``remarks_from``)."""
    decisions = list(
        session.execute(
            select(
                Decision.id,
                Decision.step,
                Decision.outcome,
                Decision.decided_at,
                Decision.work_item_id,
                Decision.department_id,
                WorkItem.task_id,
                WorkItem.closed_as,
            )
            .join(WorkItem, WorkItem.id == Decision.work_item_id)
            .where(Decision.case_id == case.id, Decision.outcome != "sent_back")
            .order_by(Decision.id)
        )
    )
    own = {row.work_item_id: row.id for row in decisions if row.department_id is None}
    found: set[int] = set()
    answered = 0  # the employer's own decision before: what came earlier was for an earlier step
    for item in session.scalars(
        select(WorkItem)
        .where(WorkItem.case_id == case.id, WorkItem.employer_id.is_not(None))
        .order_by(WorkItem.id)
    ):
        sources = process.step(item.step).config.get("remarks_from", [])
        before = own.get(item.id)
        latest = {
            row.step: row.id
            for row in decisions
            if row.step in sources
            and answered < row.id
            and (row.id < before if before is not None else row.decided_at <= item.opened_at)
        }
        # of a joint step the words of all who signed, not those of the last one alone
        signed = {(row.task_id, row.outcome) for row in decisions if row.id in latest.values()}
        found |= {
            row.id
            for row in decisions
            if (row.task_id, row.outcome) in signed and row.closed_as != "withdrawn"
        }
        answered = before or answered
    return found


def opinions(session: Session, case: Case, process: Process) -> list[page.OpinionView]:
    """What offices decided, the newest first: words and answers only of what was sent back to the employer."""
    sent = sent_to_employer(session, case, process)
    return [
        one if one.decision.id in sent else replace(one, opinion="", answers=[])
        for one in page.opinions(session, case, process)
        if one.decision.department_id is not None and one.decision.outcome != "sent_back"
    ]


def timeline(session: Session, case: Case, process: Process) -> list[page.TimelineEntry]:
    """What happened, without the offices' inner matters and words."""
    sent = {str(key) for key in sent_to_employer(session, case, process)}
    events = {
        seq: (kind, {key for table, key, _ in covers if table == "decisions"}, department)
        for seq, kind, covers, department in session.execute(
            select(Event.seq, Event.kind, Event.covers, Event.department_id).where(
                Event.stream == case.stream_name
            )
        )
    }
    entries = []
    for entry in page.timeline(session, case, process):
        kind, decisions, department = events[entry.seq]
        if kind not in _SHOWN:
            continue
        inner = kind == "step-decided" and department is not None and not decisions & sent
        entries.append(replace(entry, text="") if inner else entry)
    return entries


def documents(session: Session, case: Case, process: Process) -> list[IssuedDocument]:
    """The papers addressed to the employer or to everybody; papers for the file once the case ended well."""
    wanted = {"employer", "public"}
    if case.finished_at is not None and process.status_tone(case.status) == "good":
        wanted.add("file")
    config = process.config.get("documents", {})
    return [one for one in page.documents(session, case) if config.get(one.name, {}).get("to") in wanted]


def submissions(session: Session, case: Case, process: Process) -> list[Submission]:
    """What the employer handed in, each form as it was the last time, in the order of the process."""
    newest: dict[str, Decision] = {}
    for decision in session.scalars(
        select(Decision)
        .where(Decision.case_id == case.id, Decision.department_id.is_(None))
        .order_by(Decision.id)
    ):
        newest[decision.form] = decision
    return [
        Submission(
            process.forms[form].title if form in process.forms else form,
            decision.decided_at,
            page.show_answers(session, case, process, form, dict(decision.answers)),
        )
        for form, decision in newest.items()
    ]


def words_are_out(session: Session, case: Case) -> bool:
    """Whether the offices' words on single rows may be read: a round has ended, or the case has."""
    if case.finished_at is not None:
        return True
    waits = select(WorkItem.id).where(
        WorkItem.case_id == case.id, WorkItem.closed_at.is_(None), WorkItem.employer_id.is_not(None)
    )
    return session.scalars(waits.limit(1)).one_or_none() is not None
