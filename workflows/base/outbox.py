"""What must happen outside the database after a commit: rows written by the deciding transaction, drained by a worker.

At least once: a handler may be called again after a crash, so each row has an idempotency key and handlers are written
to have one effect. The table is the truth; a queue is only the nudge.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, Integer, String, Text, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from workflows.base.clock import now
from workflows.base.errors import WengangError
from workflows.base.model import Base, Identifier, JsonText, UtcDateTime
from workflows.base.session import Database

log = logging.getLogger(__name__)

Handler = Callable[[Database, dict[str, Any]], None]

MAX_ATTEMPTS = 12


class OutboxRow(Base):
    """One thing to be done outside. ``payload`` holds identifiers only, no personal data."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_waiting",
            "due_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JsonText)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def put(session: Session, kind: str, key: str, payload: dict[str, Any]) -> None:
    """Note a task for the worker, in the caller's transaction. Handlers find ``key`` in their payload."""
    session.add(OutboxRow(kind=kind, key=f"{kind}:{key}", payload={"key": key, **payload}))


def reason(error: Exception) -> str:
    """Why a task failed, as far as an administrator may know: words made for people, else the kind of error. What a driver or a
    library says may quote what somebody typed."""
    return error.message if isinstance(error, WengangError) else type(error).__name__


def drain(database: Database, handlers: dict[str, Handler], limit: int = 100) -> int:
    """Do what is due; returns how many rows were done. A failing row backs off (doubling, one hour at most)."""
    with database.reading() as session:
        due = list(
            session.scalars(
                select(OutboxRow.id)
                .where(
                    OutboxRow.done_at.is_(None), OutboxRow.due_at <= now(), OutboxRow.attempts < MAX_ATTEMPTS
                )
                .order_by(OutboxRow.due_at, OutboxRow.id)
                .limit(limit)
            )
        )
    return sum(_attempt(database, handlers, row_id) for row_id in due)


def _attempt(database: Database, handlers: dict[str, Handler], row_id: int) -> bool:
    """Claim, do, note. The claim moves ``due_at`` so that a second worker leaves the row alone for five minutes."""
    with database.transaction() as session:
        row = session.scalars(
            select(OutboxRow)
            .where(OutboxRow.id == row_id, OutboxRow.done_at.is_(None), OutboxRow.due_at <= now())
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if row is None:
            return False
        row.attempts += 1
        row.due_at = now() + timedelta(minutes=5)
        kind, payload, attempts = row.kind, row.payload, row.attempts
    try:
        handlers[kind](database, payload)
    except Exception as error:  # the row keeps the reason; the administrator sees it
        log.exception("outbox row %s (%s) failed", row_id, kind)
        with database.transaction() as session:
            failed = session.get_one(OutboxRow, row_id)
            failed.last_error = reason(error)
            failed.due_at = now() + timedelta(seconds=min(3600, 5 * 2**attempts))
        return False
    with database.transaction() as session:
        done = session.get_one(OutboxRow, row_id)
        done.done_at = now()
        done.last_error = None
    return True
