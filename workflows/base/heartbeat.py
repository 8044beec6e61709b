"""Signs of life: whoever must run beside the web says so here every few seconds, and ``/healthz`` reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from workflows.base.model import Base, UtcDateTime


class Heartbeat(Base):
    """When a process last said that it lives."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


def _instant() -> datetime:
    """The machine's own time: whether a process lives has nothing to do with the day that a demonstration plays."""
    return datetime.now(UTC)


def beat(session: Session, name: str) -> None:
    """Note that ``name`` lives now."""
    session.merge(Heartbeat(name=name, at=_instant()))


def silence(session: Session, name: str) -> float:
    """Seconds since ``name`` was heard of; -1 when it never was."""
    row = session.get(Heartbeat, name)
    return max(0.0, (_instant() - row.at).total_seconds()) if row is not None else -1


def lives(session: Session, name: str, within: timedelta = timedelta(seconds=60)) -> bool:
    """Whether ``name`` was heard of within that time."""
    return 0 <= silence(session, name) <= within.total_seconds()
