"""What the worker does: the outbox's kinds, due timers, overdue notes, the daily anchor, reviews that fall due."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from workflows.audit.anchors import make_anchor
from workflows.audit.model import Stream
from workflows.base.clock import now, today
from workflows.base.installation import installation
from workflows.base.outbox import Handler
from workflows.base.session import Database
from workflows.cases import rosters
from workflows.cases.action import Action, begin
from workflows.cases.advance import bindings, settle
from workflows.cases.hearing_payments import hear_payments
from workflows.cases.model import Case, CaseTimer, Notice, WorkItem
from workflows.cases.money_notices import notify_money
from workflows.cases.notices import notify_case, notify_department, notify_item, notify_overdue, notify_user
from workflows.cases.reviews import start_due
from workflows.documents.issue import Sign, produce
from workflows.documents.model import IssuedDocument
from workflows.engine import runner
from workflows.funds.answer_uploads import READ_ANSWER, take_over
from workflows.funds.answers import PAYMENTS_CHANGED
from workflows.funds.telling import MONEY_NOTICE
from workflows.organisations.actors import Actor
from workflows.organisations.model import User
from workflows.registers import identity_uploads
from workflows.registers.membership import load_actor

log = logging.getLogger(__name__)


def handlers(sign: Sign) -> dict[str, Handler]:
    """Outbox kind → what to do. Each may be called again after a crash and has one effect."""

    def render_document(database: Database, payload: dict[str, Any]) -> None:
        produce(database, int(payload["document"]), sign, _on_issued)

    def read_roster(database: Database, payload: dict[str, Any]) -> None:
        rosters.read(database, int(payload["roster"]), whole=bool(payload.get("whole")))

    def read_identities(database: Database, payload: dict[str, Any]) -> None:
        identity_uploads.read(database, int(payload["upload"]))

    def notice(database: Database, payload: dict[str, Any]) -> None:
        with database.transaction() as session:
            if "work_item" in payload:
                notify_item(session, int(payload["work_item"]))
            else:
                notify_case(
                    session,
                    int(payload["case"]),
                    str(payload.get("to", "employer")),
                    str(payload["text"]),
                    str(payload["key"]),
                )

    def tell_user(database: Database, payload: dict[str, Any]) -> None:
        with database.transaction() as session:
            notify_user(session, int(payload["user"]), str(payload["text"]), str(payload["key"]))

    def tell_department(database: Database, payload: dict[str, Any]) -> None:
        with database.transaction() as session:
            notify_department(session, int(payload["department"]), str(payload["text"]), str(payload["key"]))

    def payments_changed(database: Database, payload: dict[str, Any]) -> None:
        hear_payments(database, int(payload["case"]))

    def money_notice(database: Database, payload: dict[str, Any]) -> None:
        with database.transaction() as session:
            notify_money(session, str(payload["what"]), int(payload["row"]))

    def take_over_answer(database: Database, payload: dict[str, Any]) -> None:
        take_over(database, installation().files, int(payload["upload"]), _actor_of)

    return {
        READ_ANSWER: take_over_answer,
        PAYMENTS_CHANGED: payments_changed,
        MONEY_NOTICE: money_notice,
        "render_document": render_document,
        "read_roster": read_roster,
        identity_uploads.KIND: read_identities,
        "notice": notice,
        "notify-user": tell_user,
        "notify-department": tell_department,
    }


def _actor_of(session: Session, user_id: int) -> Actor:
    """Somebody with the posts held now."""
    return load_actor(session, session.get_one(User, user_id))


def _on_issued(session: Session, document: IssuedDocument) -> None:
    action = begin(session, document.case_id, None)
    action.record("document-issued", (document,), document=document.name, sha256=document.sha256)
    notify_case(
        session,
        document.case_id,
        "employer",
        f"文书“{document.title}”已生成，可以下载。",
        f"document-{document.id}",
    )


def fire_due_timers(database: Database, limit: int = 100) -> int:
    """Fire the timers whose time has come by our clock; returns how many. Several workers may do this at once."""
    with database.reading() as session:
        due = session.execute(
            select(CaseTimer.id, CaseTimer.case_id)
            .where(CaseTimer.closed_at.is_(None), CaseTimer.due_at <= now())
            .order_by(CaseTimer.due_at)
            .limit(limit)
        ).all()
    fired = 0
    failed: list[Exception] = []
    for timer_id, case_id in due:
        try:
            fired += _fire(database, timer_id, case_id)
        except Exception as error:  # one case that cannot go on must not keep the others waiting
            log.exception("timer %s of case %s failed", timer_id, case_id)
            failed.append(error)
    if failed:
        raise failed[0]
    return fired


def _fire(database: Database, timer_id: int, case_id: int) -> bool:
    with database.transaction() as session:
        if not _free(session, case_id):
            return False
        action = begin(session, case_id, None)
        timer = session.scalars(
            select(CaseTimer).where(CaseTimer.id == timer_id).execution_options(populate_existing=True)
        ).one()
        if timer.closed_at is not None or timer.due_at > now():
            return False
        fire(action, timer)
        return True


def _free(session: Session, case_id: int) -> bool:
    """Lock a case, its parent first as everyone does, unless someone acts on it now: the next sweep comes in seconds."""
    parent_id = session.scalar(select(Case.parent_id).where(Case.id == case_id))
    return all(
        session.scalars(select(Case.id).where(Case.id == one).with_for_update(skip_locked=True)).one_or_none()
        for one in (parent_id, case_id)
        if one is not None
    )


def fire(action: Action, timer: CaseTimer) -> None:
    """Fire one timer of a locked case."""
    timer.closed_at = action.at
    timer.closed_as = "fired"
    action.record("timer-fired", element=timer.element, due_at=timer.due_at.isoformat())
    result = runner.fire(action.process.published, action.case.state, timer.task_id, bindings(action))
    settle(action, result)


def note_overdue(database: Database, limit: int = 200) -> int:
    """Tell the heads of offices, once, of items past their deadline. Nothing passes by itself."""
    with database.reading() as session:
        late = session.execute(
            select(WorkItem.id, WorkItem.case_id).where(*_overdue()).order_by(WorkItem.due_at).limit(limit)
        ).all()
    return sum(_note(database, item_id, case_id) for item_id, case_id in late)


def _overdue() -> tuple[ColumnElement[bool], ...]:
    return (
        WorkItem.closed_at.is_(None),
        WorkItem.due_at <= now(),
        WorkItem.paused_at.is_(None),
        WorkItem.overdue_noted_at.is_(None),
    )


def _note(database: Database, item_id: int, case_id: int) -> bool:
    with database.transaction() as session:
        if not _free(
            session, case_id
        ):  # whoever acts on the case holds it, then its items: never the other way round
            return False
        item = session.scalars(select(WorkItem).where(WorkItem.id == item_id, *_overdue())).one_or_none()
        if item is None:
            return False
        item.overdue_noted_at = now()
        notify_overdue(session, item)
        return True


def chain_heads(session: Session, names: Collection[str] | None = None) -> Iterator[tuple[str, int, str]]:
    """Chains as they stand: name, sequence, head. ``names``: these alone."""
    cases = select(Case.id, Case.chain_seq, Case.chain_head)
    streams = select(Stream.name, Stream.chain_seq, Stream.chain_head)
    numbers = sorted(int(name[5:]) for name in names or () if name.startswith("case:"))
    parts = (numbers[begin : begin + 500] for begin in range(0, len(numbers), 500))
    wanted = [cases] if names is None else [cases.where(Case.id.in_(part)) for part in parts]
    for one in wanted:
        for key, seq, head in session.execute(one):
            yield f"case:{key}", seq, head
    for name, seq, head in session.execute(streams):  # as many as there are registers
        if names is None or name in names:
            yield name, seq, head


def anchor_today(database: Database, export: Callable[[str, str], None] | None = None) -> bool:
    """Seal the day's heads, once; ``export`` gets the day and the anchor as text, to be kept elsewhere."""
    with database.transaction() as session:
        anchor = make_anchor(session, lambda names: chain_heads(session, names))
        if anchor is None:
            return False
        day, text = anchor.day.isoformat(), f"{anchor.day.isoformat()} {anchor.hash} {anchor.previous}"
    if export is not None:
        export(day, text)
    return True


def unread(session: Session, user_id: int) -> int:
    """How many notices a user has not read, up to 100."""
    return len(
        session.scalars(
            select(Notice.id).where(Notice.user_id == user_id, Notice.read_at.is_(None)).limit(100)
        ).all()
    )


def open_due_reviews(database: Database) -> int:
    """Start the 年审 of every workshop whose review is due and that has none under way."""
    with database.transaction() as session:
        return start_due(session, today())
