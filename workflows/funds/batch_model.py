"""Payment batches, their lines, and what the bank answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    bindparam,
    exists,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflows.base.clock import now
from workflows.base.files import StoredFile
from workflows.base.model import Base, Fen, Identifier, UtcDateTime
from workflows.base.privacy import EncryptedJson, EncryptedText
from workflows.funds.model import Appropriation, Payable

BATCH_STATES = {
    "made": "待复核",
    "returned": "复核退回",
    "checked": "待拨付",
    "released": "已拨付，等待银行回执",
    "settled": "已对账",
    "cancelled": "已作废",
}


class PaymentBatch(Base):
    """Payables paid together. Three acts by at least two people: 经办 ≠ 拨付 and 复核 ≠ 经办, refused by CHECKs too."""

    __tablename__ = "payment_batches"
    __table_args__ = (
        Index("ix_payment_batches_county", "county_code", "state", "id"),
        CheckConstraint(
            "state in ('made','returned','checked','released','settled','cancelled')", name="state"
        ),
        CheckConstraint("checked_by IS NULL OR checked_by <> made_by", name="checked_by"),
        CheckConstraint("released_by IS NULL OR released_by <> made_by", name="released_by"),
        CheckConstraint("released_at IS NULL OR checked_by IS NOT NULL", name="order"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    county_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"))
    appropriation_id: Mapped[int] = mapped_column(ForeignKey("appropriations.id"))
    process: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default="made")
    line_count: Mapped[int] = mapped_column(Integer)
    total_fen: Mapped[int] = mapped_column(Fen)
    #: SHA-256 over the lines in plaintext, in order.
    lines_digest: Mapped[str] = mapped_column(String(64))
    layout: Mapped[str] = mapped_column(String(40))
    made_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    checked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    check_opinion: Mapped[str] = mapped_column(EncryptedText, default="")
    released_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The bank file: written once, the same bytes for ever.
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    file_sha256: Mapped[str] = mapped_column(String(64), default="")
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    appropriation: Mapped[Appropriation] = relationship()

    __audited__ = (
        "number",
        "county_code",
        "appropriation_id",
        "process",
        "state",
        "line_count",
        "total_fen",
        "lines_digest",
        "made_by",
        "checked_by",
        "released_by",
        "released_at",
        "file_sha256",
    )


class BatchLine(Base):
    """One payable in one batch. A payable stands in one living line at a time: a bounced one may stand in a later batch."""

    __tablename__ = "batch_lines"
    __table_args__ = (
        UniqueConstraint("batch_id", "seq"),
        Index(
            "uq_batch_lines_payable",
            "payable_id",
            unique=True,
            sqlite_where=text("state in ('waiting','paid')"),
            postgresql_where=text("state in ('waiting','paid')"),
        ),
        CheckConstraint("state in ('waiting','paid','bounced','dropped')", name="state"),
        CheckConstraint("amount_fen > 0", name="amount"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("payment_batches.id"))
    payable_id: Mapped[int] = mapped_column(ForeignKey("payables.id"))
    seq: Mapped[int] = mapped_column(Integer)
    amount_fen: Mapped[int] = mapped_column(Fen)
    payee_name: Mapped[str] = mapped_column(EncryptedText)
    account_number: Mapped[str] = mapped_column(EncryptedText)
    bank_name: Mapped[str] = mapped_column(String(120), default="")
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    answer_id: Mapped[int | None] = mapped_column(ForeignKey("bank_answers.id"))
    bank_reference: Mapped[str] = mapped_column(String(60), default="")
    bounce_reason: Mapped[str] = mapped_column(String(200), default="")

    batch: Mapped[PaymentBatch] = relationship()
    payable: Mapped[Payable] = relationship()


class BankAnswer(Base):
    """A bank's answer to a batch, imported once: the same file again is refused by its digest."""

    __tablename__ = "bank_answers"
    __table_args__ = (UniqueConstraint("sha256"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("payment_batches.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    paid_count: Mapped[int] = mapped_column(Integer)
    paid_fen: Mapped[int] = mapped_column(Fen)
    bounced_count: Mapped[int] = mapped_column(Integer)
    bounced_fen: Mapped[int] = mapped_column(Fen)
    #: SHA-256 over the answered lines in plaintext, in order.
    lines_digest: Mapped[str] = mapped_column(String(64))
    value_date: Mapped[date] = mapped_column(Date)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    imported_by: Mapped[int] = mapped_column(ForeignKey("users.id"))

    __audited__ = (
        "batch_id",
        "sha256",
        "paid_count",
        "paid_fen",
        "bounced_count",
        "bounced_fen",
        "lines_digest",
        "value_date",
    )


class AnswerUpload(Base):
    """A large answer on its way: handed in by somebody, read and booked by the worker. What became of it stays.

    ``done`` of ``total`` lines: half of the way is reading, the other half the one transaction that books them all.
    """

    __tablename__ = "answer_uploads"
    __table_args__ = (
        CheckConstraint("state in ('waiting','reading','booking','done','refused')", name="state"),
        Index(
            "uq_answer_uploads_batch",
            "batch_id",
            unique=True,
            sqlite_where=text("state in ('waiting','reading','booking')"),
            postgresql_where=text("state in ('waiting','reading','booking')"),
        ),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("payment_batches.id"))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"))
    value_date: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    total: Mapped[int] = mapped_column(Integer, default=0)
    done: Mapped[int] = mapped_column(Integer, default=0)
    #: Why it was refused, a sentence a line; they quote the file.
    problems: Mapped[list[str]] = mapped_column(EncryptedJson, default=list)
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    file: Mapped[StoredFile] = relationship()


def in_no_batch() -> ColumnElement[bool]:
    """Payables that stand in no living batch: asked for each, so that the lines of all years before are not read."""
    # The words themselves, not parameters: SQLite takes the index of the living lines only when it sees them.
    living: BindParameter[Any] = bindparam(
        "living", ("waiting", "paid"), expanding=True, literal_execute=True
    )
    return ~exists().where(BatchLine.payable_id == Payable.id, BatchLine.state.in_(living))
