"""Grants: what a person was claimed for, by whom, under which policy. The row that makes a second payment impossible.

The partial unique index ``uq_grants_slot`` is the guard: a person, a policy and a scope (an employer's credit code, a
course) have one living grant, for life and in the whole province, whatever the code above it does. ``people`` is unique
on the HMAC of the normalised ID number, so rotating keys or writing an old 15-digit number opens no second slot.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflows.base.clock import now
from workflows.base.model import Base, Fen, Identifier, UtcDateTime
from workflows.base.privacy import EncryptedText
from workflows.registers.model import Employer, Person

#: State → Chinese. Only ``freed`` gives the slot back, and only a grant that never paid may be freed.
GRANT_STATES = {
    "claimed": "申报中",
    "held": "暂缓",
    "approved": "已审定",
    "paid": "已发放",
    "recovered": "已追回",
    "freed": "已释放",
}
#: From → to. ``paid`` never goes back to ``freed``: history blocks for good, recovered or not.
GRANT_TRANSITIONS = {
    "claimed": ("held", "approved", "freed"),
    "held": ("claimed", "freed"),
    "approved": ("claimed", "paid", "freed"),
    "paid": ("recovered",),
    "recovered": (),
    "freed": (),
}
#: What stands in the way of a claim. The first refuses it, the others hold it until two offices lift the hold.
OBSTACLES = {
    "same_scope": "同一单位已享受",
    "other_employer": "其他单位已申报或享受",
    "affiliate": "关联单位已申报或享受",
    "other_policy": "已享受一次性吸纳就业补贴",
}
LIVING = text("state <> 'freed'")


class Grant(Base):
    """One person's place under a policy and scope.

    ``case_id`` and ``row_id`` name the claim it came from; an earlier payment that was imported has neither. A grant
    with a ``blocking_id`` was held: it leaves ``held`` only with the words of 人社 and 财政, by two people.
    """

    __tablename__ = "grants"
    __table_args__ = (
        Index(
            "uq_grants_slot",
            "person_id",
            "policy",
            "scope",
            unique=True,
            sqlite_where=LIVING,
            postgresql_where=LIVING,
        ),
        Index("ix_grants_case", "case_id", "row_id"),
        Index("ix_grants_county", "county_code", "state"),
        CheckConstraint(
            "state in ('claimed','held','approved','paid','recovered','freed')",
            name="state",
        ),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint(
            "blocking_id IS NULL OR state IN ('held','freed') OR (hrss_lifted_by IS NOT NULL AND"
            " finance_lifted_by IS NOT NULL AND hrss_lifted_by <> finance_lifted_by)",
            name="lifted",
        ),
        CheckConstraint("state NOT IN ('paid','recovered') OR paid_on IS NOT NULL", name="paid_on"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    policy: Mapped[str] = mapped_column(String(40))
    scope: Mapped[str] = mapped_column(String(64))
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employers.id"), index=True)
    #: As it was called then: an earlier payment's unit may never have registered here.
    employer_name: Mapped[str] = mapped_column(String(120))
    county_code: Mapped[str] = mapped_column(String(12))
    amount_fen: Mapped[int] = mapped_column(Fen)
    state: Mapped[str] = mapped_column(String(12))
    case_id: Mapped[int | None] = mapped_column(Identifier)
    row_id: Mapped[int | None] = mapped_column(Identifier)
    #: Number of the paper that granted it; of an earlier payment, as the list said.
    document_number: Mapped[str] = mapped_column(String(80), default="")
    paid_on: Mapped[date | None] = mapped_column(Date)
    obstacle: Mapped[str | None] = mapped_column(String(20))
    blocking_id: Mapped[int | None] = mapped_column(ForeignKey("grants.id"), index=True)
    hrss_lifted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    hrss_lift_reason: Mapped[str | None] = mapped_column(EncryptedText)
    finance_lifted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    finance_lift_reason: Mapped[str | None] = mapped_column(EncryptedText)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    person: Mapped[Person] = relationship()
    employer: Mapped[Employer | None] = relationship()
    blocking: Mapped[Grant | None] = relationship(remote_side="Grant.id")

    __audited__ = (
        "person_id",
        "policy",
        "scope",
        "employer_name",
        "county_code",
        "amount_fen",
        "state",
        "case_id",
        "document_number",
        "paid_on",
        "blocking_id",
        "hrss_lifted_by",
        "hrss_lift_reason",
        "finance_lifted_by",
        "finance_lift_reason",
    )


class GrantLookup(Base):
    """Somebody looked up one person's grants, and why."""

    __tablename__ = "grant_lookups"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(EncryptedText)
    found: Mapped[int] = mapped_column(Identifier, default=0)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    __audited__ = ("person_id", "user_id", "reason", "found")
