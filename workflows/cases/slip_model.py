"""Pay slips: what a worker was told about a month's pay, and what the worker said to it.

Whoever has the slip's code and the last four characters of the ID number speaks for the worker; a signed sheet that the
contractor attached stands for those who did not speak.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from workflows.audit.model import append_only
from workflows.base.clock import now
from workflows.base.model import Base, Fen, Identifier, UtcDateTime
from workflows.base.privacy import EncryptedText

#: State of a slip → Chinese. ``void``: the sheet was corrected and another slip took its place.
SLIP_STATES = {
    "open": "待本人确认",
    "confirmed": "本人已确认",
    "signed": "已在工资表上签字",
    "disputed": "本人有异议",
    "void": "已作废",
}


class PaySlip(Base):
    """One worker's slip of one payroll. Its sum repeats what the roster's digest covers; its state, what was answered. ``code``: 12 characters, known to the worker; found by its digest."""

    __tablename__ = "pay_slips"
    __table_args__ = (
        Index("ix_pay_slips_case", "case_id", "state", "row_id"),
        Index("ix_pay_slips_person", "person_id", "id"),
        CheckConstraint("state in ('open','confirmed','signed','disputed','void')", name="state"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    row_id: Mapped[int] = mapped_column(Identifier)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    code: Mapped[str] = mapped_column(EncryptedText)
    code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    #: What the slip says is paid into the card, in fen: as it was when the slip was made.
    net_fen: Mapped[int] = mapped_column(Fen)
    state: Mapped[str] = mapped_column(String(12), default="open")
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    said_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SlipAnswer(Base):
    """What a worker said to a slip, and to which sum. Written once, for ever; the slip's state follows from the last."""

    __tablename__ = "slip_answers"
    __table_args__ = (
        Index("ix_slip_answers_slip", "slip_id", "id"),
        CheckConstraint("agrees OR words IS NOT NULL", name="words"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    slip_id: Mapped[int] = mapped_column(ForeignKey("pay_slips.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    row_id: Mapped[int] = mapped_column(Identifier)
    net_fen: Mapped[int] = mapped_column(Fen)
    agrees: Mapped[bool] = mapped_column(Boolean)
    #: What is wrong, in the worker's own words.
    words: Mapped[str | None] = mapped_column(EncryptedText)
    said_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __audited__ = ("slip_id", "case_id", "row_id", "net_fen", "agrees", "words", "said_at")


append_only(SlipAnswer.__table__)  # type: ignore[arg-type]  # declarative calls its Table a FromClause
