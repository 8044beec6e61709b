"""Sign-ins: what a session cookie points to, so that it can be ended from here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from workflows.base.clock import now
from workflows.base.model import Base, Identifier, UtcDateTime


class SignIn(Base):
    """One login on one device. The cookie holds a random token; here stands only its digest."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index("ix_sign_ins_user", "user_id", "id"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    session_version: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Attempts(Base):
    """How often something was tried from one place within a window of time. ``key`` is an HMAC."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(Integer, default=0)
    #: Seconds since 1970, by the machine's own clock.
    ends: Mapped[int] = mapped_column(Identifier)
