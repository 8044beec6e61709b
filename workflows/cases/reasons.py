"""Why somebody did what no decision row tells of: gave an item to somebody else, ended a case. People write names into
reasons, so the words stand in a row of their own, encrypted, and the event covers it by its digest."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from workflows.audit.model import append_only
from workflows.base.model import Base, Identifier, UtcDateTime
from workflows.base.privacy import EncryptedText
from workflows.cases.action import Action

#: What a reason may be long.
LENGTH = 500


class StatedReason(Base):
    """The words. Written once, for ever."""

    __tablename__ = "stated_reasons"
    __table_args__ = (Index("ix_stated_reasons_case", "case_id"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    text: Mapped[str] = mapped_column(EncryptedText)
    by: Mapped[int | None] = mapped_column(Identifier)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __audited__ = ("case_id", "text", "by")


append_only(StatedReason.__table__)  # type: ignore[arg-type]  # declarative calls its Table a FromClause


def state(action: Action, text: str) -> StatedReason:
    """Keep a reason; to be covered by the event of what was done."""
    row = StatedReason(case_id=action.case.id, text=text.strip()[:LENGTH], by=action.actor_id, at=action.at)
    action.session.add(row)
    return row


def stated(session: Session, case_id: int) -> dict[str, str]:
    """Key of the row, as events name it → the words."""
    return {
        str(row.id): row.text
        for row in session.scalars(select(StatedReason).where(StatedReason.case_id == case_id))
    }
