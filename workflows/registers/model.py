"""People, their identity snapshots, employers and workshops."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflows.audit.model import append_only
from workflows.base.clock import now
from workflows.base.files import StoredFile
from workflows.base.model import Base, Fen, Identifier, JsonText, UtcDateTime
from workflows.base.privacy import EncryptedJson, EncryptedText

#: 脱贫人口 and 防止返贫监测对象: both count (notice, art. 一（一）).
IDENTITY_CATEGORIES = {"poverty_alleviated": "脱贫人口", "monitored": "防止返贫监测对象"}
#: 务工情况 of a list → Chinese. The first three are at work; ``unable`` has no labour to offer.
WORK = {
    "county": "县内务工",
    "province": "县外省内务工",
    "outside": "省外务工",
    "none": "未务工",
    "unable": "无劳动能力",
}
AT_WORK = ("county", "province", "outside")
WORKSHOP_MODES = {"factory": "工厂式", "home": "居家式", "base": "基地式", "integrated": "融合式"}
WORKSHOP_STATUSES = {"active": "有效", "rectifying": "整改中", "revoked": "已撤销"}


class Person(Base):
    """A person, once: unique on the HMAC of the normalised ID number and on nothing else."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    id_digest: Mapped[str] = mapped_column(String(64), unique=True)
    id_number: Mapped[str] = mapped_column(EncryptedText)
    name: Mapped[str] = mapped_column(EncryptedText)
    born_on: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class IdentitySnapshot(Base):
    """One import of the list of 脱贫人口 / 监测对象 as it stood on a day."""

    __tablename__ = "identity_snapshots"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    as_of: Mapped[date] = mapped_column(Date)
    division_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"))
    source: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    row_count: Mapped[int] = mapped_column(Integer, default=0)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    imported_by: Mapped[int | None] = mapped_column(Identifier)
    #: Rows come in many transactions; until the last one the snapshot counts for nothing.
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: SHA-256 over the rows in plaintext, in order: one audit digest covers them all.
    rows_digest: Mapped[str] = mapped_column(String(64), default="")

    __table_args__ = (Index("ix_identity_snapshots_division", "division_code", "as_of"),)
    __audited__ = ("as_of", "division_code", "sha256", "row_count", "rows_digest")


class Identity(Base):
    """A person's category in one snapshot; looked up by the day that a rule names (the contract's first day)."""

    __tablename__ = "identities"
    __table_args__ = (
        UniqueConstraint("snapshot_id", "person_id"),
        Index("ix_identities_person", "person_id", "snapshot_id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("identity_snapshots.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    category: Mapped[str] = mapped_column(String(24))
    village_code: Mapped[str | None] = mapped_column(String(12))
    #: Since when the person holds the category, where the list says so.
    since: Mapped[date | None] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    household: Mapped[str | None] = mapped_column(String(40))
    #: Where the person works, of :data:`WORK`; None where the list does not say.
    work: Mapped[str | None] = mapped_column(String(12))
    #: Whether the household was relocated (易地搬迁); None where the list does not say.
    relocated: Mapped[bool | None] = mapped_column(Boolean)


class IdentityUpload(Base):
    """A list as somebody sent it: read by the worker, then imported, or not, for the reasons that stand here.

    ``doubtful`` waits for a person who says that it is the list after all; ``dropped`` was said not to be it;
    ``replaced``: another one was sent before anything came of it.
    """

    __tablename__ = "identity_uploads"
    __table_args__ = (
        CheckConstraint(
            "status in ('reading','failed','doubtful','imported','dropped','replaced')", name="status"
        ),
        Index("ix_identity_uploads_division", "division_code", "id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    division_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"))
    as_of: Mapped[date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(200))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"))
    status: Mapped[str] = mapped_column(String(12), default="reading")
    total: Mapped[int] = mapped_column(Integer, default=0)
    done: Mapped[int] = mapped_column(Integer, default=0)
    #: What is wrong with the sheet as a whole, in Chinese; single cells stand in ``identity_problems``.
    problems: Mapped[list[str]] = mapped_column(EncryptedJson, default=list)
    #: What is wrong with cells, by kind: [title, how many, the first one's row].
    kinds: Mapped[list[list[Any]]] = mapped_column(EncryptedJson, default=list)
    #: Why somebody has to look before it is imported. Headings are quoted, and may be anything.
    doubts: Mapped[list[str]] = mapped_column(EncryptedJson, default=list)
    #: Category → people.
    people: Mapped[dict[str, int]] = mapped_column(JsonText, default=dict)
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("identity_snapshots.id"))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    uploaded_by: Mapped[int] = mapped_column(Identifier)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_by: Mapped[int | None] = mapped_column(Identifier)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    file: Mapped[StoredFile] = relationship()

    __audited__ = ("division_code", "as_of", "source", "file_id", "status", "snapshot_id", "confirmed_by")


class IdentityProblem(Base):
    """A cell of a list that is wrong. Its message quotes what stands there; it goes when another list is sent."""

    __tablename__ = "identity_problems"
    __table_args__ = (Index("ix_identity_problems_upload", "upload_id", "id"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("identity_uploads.id"))
    #: The place of its kind in the upload's ``kinds``.
    kind: Mapped[int] = mapped_column(Integer)
    row: Mapped[int] = mapped_column(Integer)
    #: The column as Excel names it, and its heading.
    letter: Mapped[str] = mapped_column(String(3))
    column: Mapped[str] = mapped_column(String(40))
    message: Mapped[str] = mapped_column(EncryptedText)


class Employer(Base):
    """A unit with a 统一社会信用代码. Confirmed by its township before it may apply: credit codes are public."""

    __tablename__ = "employers"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    credit_code: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(24), default="company")
    legal_representative: Mapped[str] = mapped_column(String(60), default="")
    #: HMAC of the legal representative's ID number: finds affiliates and the owner on his own roster.
    legal_id_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    contact_name: Mapped[str] = mapped_column(EncryptedText)
    contact_phone: Mapped[str] = mapped_column(EncryptedText)
    address: Mapped[str] = mapped_column(String(200), default="")
    #: The township (or village) of the 经营地址: who receives its applications.
    division_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"), index=True)
    status: Mapped[str] = mapped_column(String(12), default="pending")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_by: Mapped[int | None] = mapped_column(Identifier)

    __table_args__ = (CheckConstraint("status in ('pending','confirmed','refused')", name="status"),)
    __audited__ = ("credit_code", "name", "division_code", "status")


class EmployerCorrection(Base):
    """What a township put right in the data of an employer, by the 营业执照, and why. Written once, for ever."""

    __tablename__ = "employer_corrections"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    employer_id: Mapped[int] = mapped_column(ForeignKey("employers.id"), index=True)
    #: Column → what stood there, what stands there now.
    changes: Mapped[dict[str, list[str]]] = mapped_column(EncryptedJson)
    reason: Mapped[str] = mapped_column(EncryptedText)
    by: Mapped[int | None] = mapped_column(Identifier)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    __audited__ = ("employer_id", "changes", "reason", "by")


append_only(EmployerCorrection.__table__)  # type: ignore[arg-type]  # declarative calls its Table a FromClause


class EmployerMember(Base):
    """A user who acts for an employer. The first is confirmed by the township from a 授权书, further ones by the first."""

    __tablename__ = "employer_members"
    __table_args__ = (
        UniqueConstraint("employer_id", "user_id"),
        CheckConstraint("status in ('pending','confirmed','refused','ended')", name="status"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    employer_id: Mapped[int] = mapped_column(ForeignKey("employers.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[str] = mapped_column(String(12), default="clerk")  # owner: may confirm further members
    status: Mapped[str] = mapped_column(String(12), default="pending")
    authorisation_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(Identifier)
    #: Why it was refused.
    reason: Mapped[str] = mapped_column(EncryptedText, default="")

    employer: Mapped[Employer] = relationship(lazy="joined")

    __audited__ = ("employer_id", "user_id", "role", "status", "reason")


class Workshop(Base):
    """A recognised 就业帮扶车间 (or another carrier) in the register."""

    __tablename__ = "workshops"
    __table_args__ = (
        CheckConstraint("status in ('active','rectifying','revoked')", name="status"),
        Index("ix_workshops_county", "county_code", "status"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    employer_id: Mapped[int] = mapped_column(ForeignKey("employers.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(Identifier)
    name: Mapped[str] = mapped_column(String(120))
    carrier_type: Mapped[str] = mapped_column(String(24), default="workshop")
    mode: Mapped[str] = mapped_column(String(24))
    number: Mapped[str] = mapped_column(String(60), unique=True)
    address: Mapped[str] = mapped_column(String(200))
    division_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"))
    county_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"))
    worker_count: Mapped[int] = mapped_column(Integer, default=0)
    annual_income_fen: Mapped[int | None] = mapped_column(Fen)
    recognised_on: Mapped[date] = mapped_column(Date)
    #: First recognition of the carrier; a renaming keeps it (the indicator "新建" counts this).
    first_recognised_on: Mapped[date] = mapped_column(Date)
    resettlement: Mapped[bool] = mapped_column(Boolean, default=False)
    status: Mapped[str] = mapped_column(String(12), default="active")
    review_due: Mapped[date | None] = mapped_column(Date)
    revoked_on: Mapped[date | None] = mapped_column(Date)

    employer: Mapped[Employer] = relationship(lazy="joined")

    __audited__ = (
        "employer_id",
        "name",
        "mode",
        "number",
        "recognised_on",
        "status",
        "review_due",
        "revoked_on",
    )
