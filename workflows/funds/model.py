"""Appropriations, the ledger, payables and payment batches.

Money is whole fen. Each ledger entry moves an amount from one account of an appropriation to another, so the entries of
an appropriation always sum to nothing; the balance row repeats what they come to, is locked by whoever moves money, and
its CHECKs refuse a negative account whatever the code above does.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflows.audit.model import append_only
from workflows.base.clock import now
from workflows.base.model import Base, Fen, Identifier, JsonText, UtcDateTime
from workflows.base.privacy import EncryptedText

#: Accounts of an appropriation. ``source`` is where the money comes from: its balance is minus what was appropriated.
ACCOUNTS = {
    "source": "下达来源",
    "available": "可用",
    "reserved": "预占",
    "released": "已拨在途",
    "paid": "已支付",
}
#: What moves money: kind → (Chinese, from, to).
MOVES = {
    "appropriate": ("下达", "source", "available"),
    "lower": ("调减", "available", "source"),
    "carry_out": ("结转转出", "available", "source"),
    "carry_in": ("结转转入", "source", "available"),
    "reserve": ("预占", "available", "reserved"),
    "free": ("释放", "reserved", "available"),
    "release": ("拨付", "reserved", "released"),
    "pay": ("支付成功", "released", "paid"),
    "give_back": ("上级收回", "available", "source"),
    "bounce": ("退票", "released", "reserved"),
    "recover": ("追回", "paid", "available"),
}
FUND_SOURCES = {
    "rural_revitalisation": "衔接推进乡村振兴补助资金",
    "employment": "就业补助资金",
    "work_relief": "以工代赈专项资金",
    "local": "本级财政资金",
}
#: State of what is owed → Chinese.
PAYABLE_STATES = {
    "reserved": "预占（未到拨付条件）",
    "ready": "待拨付",
    "released": "已拨付，等待银行回执",
    "paid": "已支付",
    "bounced": "退票",
    "freed": "已释放",
    "recovered": "已追回",
}
PAYABLE_TRANSITIONS = {
    "reserved": ("ready", "freed"),
    "ready": ("released", "freed", "reserved"),
    "released": ("paid", "bounced"),
    "bounced": ("ready", "freed"),
    "paid": ("recovered",),
    "freed": (),
    "recovered": (),
}
RECOVERY_STATES = {
    "decided": "已决定",
    "demanded": "已送达，待退回",
    "received": "已收回",
    "cancelled": "已撤销",
}


class Appropriation(Base):
    """Money given to a county for a purpose in a year, under a document. ``enabled_from``: a grant is no right (「可」)
    until the county says from which day, and on whose decision, it pays it out of this money; empty until then."""

    __tablename__ = "appropriations"
    __table_args__ = (
        UniqueConstraint("county_code", "year", "source", "document_number"),
        CheckConstraint("total_fen >= 0", name="total"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    county_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"))
    year: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(String(24))
    document_number: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(120))
    #: What has been appropriated after all changes; the ledger's ``source`` account says the same.
    total_fen: Mapped[int] = mapped_column(Fen, default=0)
    #: Processes it may pay for, by key.
    processes: Mapped[list[str]] = mapped_column(JsonText)
    enabled_from: Mapped[date | None] = mapped_column(Date)
    enabled_basis: Mapped[str] = mapped_column(String(200), default="")
    closed_on: Mapped[date | None] = mapped_column(Date)
    closed_basis: Mapped[str] = mapped_column(String(200), default="")
    received_on: Mapped[date] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    created_by: Mapped[int | None] = mapped_column(Identifier)

    __audited__ = (
        "county_code",
        "year",
        "source",
        "document_number",
        "title",
        "total_fen",
        "processes",
        "enabled_from",
        "enabled_basis",
        "closed_on",
        "closed_basis",
        "received_on",
    )

    @property
    def stream_name(self) -> str:
        """Its chain: the head lies in a named stream."""
        return f"fund:{self.id}"


class Balance(Base):
    """What each account of an appropriation comes to. Locked by whoever moves money, never negative."""

    __tablename__ = "fund_balances"
    __table_args__ = tuple(
        CheckConstraint(f"{account}_fen >= 0", name=account)
        for account in ("available", "reserved", "released", "paid")
    )

    appropriation_id: Mapped[int] = mapped_column(ForeignKey("appropriations.id"), primary_key=True)
    available_fen: Mapped[int] = mapped_column(Fen, default=0)
    reserved_fen: Mapped[int] = mapped_column(Fen, default=0)
    released_fen: Mapped[int] = mapped_column(Fen, default=0)
    paid_fen: Mapped[int] = mapped_column(Fen, default=0)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class LedgerEntry(Base):
    """An amount moved from one account to another. Written once, for ever; a mistake is moved back by another entry."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        Index("ix_ledger_entries_fund", "appropriation_id", "id"),
        Index("ix_ledger_entries_case", "case_id"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("debit <> credit", name="accounts"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    appropriation_id: Mapped[int] = mapped_column(ForeignKey("appropriations.id"))
    kind: Mapped[str] = mapped_column(String(16))
    #: The account the amount leaves, and the one it comes to.
    credit: Mapped[str] = mapped_column(String(12))
    debit: Mapped[str] = mapped_column(String(12))
    amount_fen: Mapped[int] = mapped_column(Fen)
    case_id: Mapped[int | None] = mapped_column(Identifier)
    batch_id: Mapped[int | None] = mapped_column(Identifier)
    memo: Mapped[str] = mapped_column(String(200), default="")
    actor_id: Mapped[int | None] = mapped_column(Identifier)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    __audited__ = (
        "appropriation_id",
        "kind",
        "credit",
        "debit",
        "amount_fen",
        "case_id",
        "batch_id",
        "memo",
        "actor_id",
        "at",
    )


append_only(LedgerEntry.__table__)  # type: ignore[arg-type]  # declarative calls its Table a FromClause


class Payable(Base):
    """What is owed to one payee for one row of a case: reserved when approved, ready when nothing blocks it any more.

    Its state is not digested row by row: the ledger, the batch lines and the answers' digests say it, and
    ``workflows.funds.check`` compares them to the fen.
    """

    __tablename__ = "payables"
    __table_args__ = (
        Index(
            "uq_payables_row",
            "case_id",
            "row_id",
            unique=True,
            sqlite_where=text("state <> 'freed'"),
            postgresql_where=text("state <> 'freed'"),
        ),
        Index(
            "uq_payables_grant",
            "grant_id",
            unique=True,
            sqlite_where=text("state <> 'freed'"),
            postgresql_where=text("state <> 'freed'"),
        ),
        Index("ix_payables_fund", "appropriation_id", "state", "id"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint(
            "state in ('reserved','ready','released','paid','bounced','freed','recovered')", name="state"
        ),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    appropriation_id: Mapped[int] = mapped_column(ForeignKey("appropriations.id"))
    process: Mapped[str] = mapped_column(String(64))
    case_id: Mapped[int] = mapped_column(Identifier)
    case_number: Mapped[str] = mapped_column(String(40))
    row_id: Mapped[int] = mapped_column(Identifier)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("grants.id"))
    amount_fen: Mapped[int] = mapped_column(Fen)
    state: Mapped[str] = mapped_column(String(12), default="reserved")
    payee_name: Mapped[str] = mapped_column(EncryptedText)
    account_number: Mapped[str] = mapped_column(EncryptedText)
    bank_name: Mapped[str] = mapped_column(String(120), default="")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    __audited__ = (
        "appropriation_id",
        "case_id",
        "row_id",
        "grant_id",
        "amount_fen",
        "payee_name",
        "account_number",
        "bank_name",
    )


class AccountCorrection(Base):
    """A bounced payable's account corrected under two eyes: one enters, another confirms."""

    __tablename__ = "account_corrections"
    __table_args__ = (
        CheckConstraint("state in ('entered','confirmed','refused')", name="state"),
        CheckConstraint("decided_by IS NULL OR decided_by <> entered_by", name="two_eyes"),
        Index("ix_account_corrections_payable", "payable_id", "state"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    payable_id: Mapped[int] = mapped_column(ForeignKey("payables.id"))
    payee_name: Mapped[str] = mapped_column(EncryptedText)
    account_number: Mapped[str] = mapped_column(EncryptedText)
    bank_name: Mapped[str] = mapped_column(String(120), default="")
    reason: Mapped[str] = mapped_column(EncryptedText)
    state: Mapped[str] = mapped_column(String(12), default="entered")
    entered_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    payable: Mapped[Payable] = relationship()

    __audited__ = (
        "payable_id",
        "payee_name",
        "account_number",
        "bank_name",
        "reason",
        "state",
        "entered_by",
        "decided_by",
    )


class Recovery(Base):
    """追回 of a payment: decided, demanded, received. What was received returns to the appropriation."""

    __tablename__ = "recoveries"
    __table_args__ = (
        CheckConstraint("state in ('decided','demanded','received','cancelled')", name="state"),
        Index(
            "uq_recoveries_payable",
            "payable_id",
            unique=True,
            sqlite_where=text("state <> 'cancelled'"),
            postgresql_where=text("state <> 'cancelled'"),
        ),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    payable_id: Mapped[int] = mapped_column(ForeignKey("payables.id"))
    county_code: Mapped[str] = mapped_column(String(12), index=True)
    amount_fen: Mapped[int] = mapped_column(Fen)
    #: What was found, and by which article the money is demanded back; the letter quotes both.
    reason: Mapped[str] = mapped_column(EncryptedText)
    grounds: Mapped[str] = mapped_column(EncryptedText)
    #: The demand letter among the case's papers.
    document_id: Mapped[int | None] = mapped_column(Identifier)
    state: Mapped[str] = mapped_column(String(12), default="decided")
    due_on: Mapped[date] = mapped_column(Date)
    decided_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_on: Mapped[date | None] = mapped_column(Date)
    received_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    voucher: Mapped[str] = mapped_column(String(80), default="")

    payable: Mapped[Payable] = relationship()

    __audited__ = (
        "payable_id",
        "amount_fen",
        "reason",
        "grounds",
        "document_id",
        "state",
        "due_on",
        "decided_by",
        "received_on",
        "voucher",
    )
