"""Verifications of everything: asked for on a page, done by the worker, kept with what they found."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflows.base.clock import now
from workflows.base.model import Base, Identifier, JsonText, UtcDateTime
from workflows.organisations.model import User


class Verification(Base):
    """One run over all chains. ``findings``: ``[{"subject", "message"}]``, empty when everything holds."""

    __tablename__ = "verifications"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    asked_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    findings: Mapped[list[dict[str, str]]] = mapped_column(JsonText, default=list)

    asker: Mapped[User] = relationship()
