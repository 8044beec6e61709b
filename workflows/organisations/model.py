"""Divisions, departments, users and the posts they hold."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflows.base.clock import now
from workflows.base.model import Base, Identifier, UtcDateTime
from workflows.base.privacy import EncryptedText

#: Kinds of department. The Chinese names are defaults: offices merge and are renamed, so the name is a column.
DEPARTMENT_KINDS = {
    "township": "乡镇人民政府",
    "hrss": "人力资源和社会保障局",
    "rural": "乡村振兴局",
    "ndrc": "发展和改革局",
    "finance": "财政局",
    "owner": "项目业主单位",
}
#: Several of one place own projects: 水利局, 交通局, 镇政府.
ONE_OF_A_KIND = text("kind <> 'owner'")
POSTS = {"clerk": "经办人", "head": "负责人"}
#: What a user is. Officers act through posts; employers' people through membership.
USER_KINDS = ("officer", "employer", "auditor", "admin")


class Division(Base):
    """An administrative division. ``code``: GB/T 2260 (6 digits), townships 9, villages 12; local codes are flagged."""

    __tablename__ = "divisions"

    code: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(20))
    level: Mapped[str] = mapped_column(String(12))  # province, prefecture, county, township, village
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("divisions.code"), index=True)
    #: Whom it reports to, where that is not the parent (梅河口, 公主岭 in some matters).
    reports_to_code: Mapped[str | None] = mapped_column(ForeignKey("divisions.code"))
    national_code: Mapped[bool] = mapped_column(Boolean, default=True)
    key_county: Mapped[bool] = mapped_column(Boolean, default=False)  # 省级乡村振兴重点帮扶县
    resettlement: Mapped[bool] = mapped_column(Boolean, default=False)  # 易地搬迁集中安置区

    __table_args__ = (
        CheckConstraint("level in ('province','prefecture','county','township','village')", name="level"),
    )
    __audited__ = ("code", "name", "level", "parent_code", "reports_to_code")


class Department(Base):
    """An office that reviews: one of each kind in a division. Of those that own projects there may be several."""

    __tablename__ = "departments"
    __table_args__ = (
        Index(
            "uq_departments_kind_division_code",
            "kind",
            "division_code",
            unique=True,
            sqlite_where=ONE_OF_A_KIND,
            postgresql_where=ONE_OF_A_KIND,
        ),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    division_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"))
    name: Mapped[str] = mapped_column(String(80))
    phone: Mapped[str] = mapped_column(String(30), default="")
    address: Mapped[str] = mapped_column(String(120), default="")

    division: Mapped[Division] = relationship(lazy="joined")

    __audited__ = ("kind", "division_code", "name")


class User(Base):
    """Someone who signs in. ``session_version`` grows when every session of theirs must end."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    username: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(12))
    password_hash: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(EncryptedText)
    email: Mapped[str | None] = mapped_column(EncryptedText)
    #: For auditors and administrators: the division they look after, and all below it. For others: whose
    #: administrator keeps the account.
    division_code: Mapped[str | None] = mapped_column(ForeignKey("divisions.code"))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    must_change_password: Mapped[bool] = mapped_column(Boolean, default=False)
    failed_logins: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    session_version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    __table_args__ = (CheckConstraint("kind in ('officer','employer','auditor','admin')", name="kind"),)
    __audited__ = ("username", "kind", "division_code", "active")


class SecondFactor(Base):
    """What somebody's telephone and the system both know, to make a code of six digits every thirty seconds (RFC 6238)."""

    __tablename__ = "second_factors"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    secret: Mapped[str] = mapped_column(EncryptedText)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    #: When the first code was right; before that it is asked of nobody.
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The newest step of thirty seconds whose code was used: none is taken twice.
    last_step: Mapped[int] = mapped_column(Identifier, default=0)


class RecoveryCode(Base):
    """One of the codes for whoever lost the telephone; each opens once. ``digest`` is an HMAC."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index("ix_recovery_codes_user", "user_id"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    digest: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Assignment(Base):
    """A post in a department, from a day to a day; ``substitute_for`` names whom it stands in for."""

    __tablename__ = "assignments"
    __table_args__ = (
        Index("ix_assignments_user", "user_id"),
        Index("ix_assignments_department", "department_id"),
        CheckConstraint("post in ('clerk','head')", name="post"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    department_id: Mapped[int] = mapped_column(ForeignKey("departments.id"))
    post: Mapped[str] = mapped_column(String(12))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    substitute_for: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    department: Mapped[Department] = relationship(lazy="joined")
    user: Mapped[User] = relationship(foreign_keys=[user_id])

    __audited__ = ("user_id", "department_id", "post", "valid_from", "valid_to", "substitute_for")
