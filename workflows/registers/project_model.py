"""以工代赈 projects, their real-name workers, and the days that were worked.

A day of a person is paid once in the whole province: ``uq_work_days_paid`` is a partial unique index over person and day,
whatever the code above it does. Days of a sheet that was only read stand as ``staged`` and bind nobody.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflows.base.clock import now
from workflows.base.model import Base, Fen, Identifier, UtcDateTime
from workflows.base.privacy import EncryptedText
from workflows.organisations.model import Department
from workflows.registers.model import Employer

#: What the required share of labour pay is a share of. Fund documents differ, so each project says which it is.
RATIO_BASES = {
    "central": "中央资金",
    "central_and_local": "中央资金与地方资金之和",
    "construction": "项目施工总投资",
}
#: How a worker is paid → Chinese.
PAY_MODES = {"day": "按日", "hour": "按小时", "piece": "计件"}
CLAIMED = text("state = 'claimed'")


class Project(Base):
    """A project that pays local people for their labour, as its fund document says.

    Amounts are whole fen. ``required_ratio``: hundredths of a percent (3000 is 30 %) of ``ratio_base_fen``, the sum that
    ``ratio_base`` names; both with ``ratio_basis``, the document that says so: no share is the same everywhere.
    """

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("status in ('running','closed')", name="status"),
        CheckConstraint("required_ratio between 1 and 10000", name="ratio"),
        CheckConstraint("ratio_base_fen > 0", name="ratio_base"),
        CheckConstraint("ends_on >= starts_on", name="period"),
        Index("ix_projects_county", "county_code", "status"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    number: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    county_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"))
    #: The township in which it lies: who checks its people and posts its 公示.
    division_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"))
    villages: Mapped[str] = mapped_column(String(300), default="")
    plan_document: Mapped[str] = mapped_column(String(80))
    #: Number of the document that gave the money: wages are reserved in the appropriation of that number and no other.
    fund_document: Mapped[str] = mapped_column(String(80))
    central_fen: Mapped[int] = mapped_column(Fen)
    local_fen: Mapped[int] = mapped_column(Fen, default=0)
    planned_labour_fen: Mapped[int] = mapped_column(Fen)
    required_ratio: Mapped[int] = mapped_column(Integer)
    ratio_base: Mapped[str] = mapped_column(String(24))
    ratio_base_fen: Mapped[int] = mapped_column(Fen)
    ratio_basis: Mapped[str] = mapped_column(String(200))
    owner_department_id: Mapped[int] = mapped_column(ForeignKey("departments.id"))
    contractor_id: Mapped[int] = mapped_column(ForeignKey("employers.id"), index=True)
    wage_account: Mapped[str] = mapped_column(EncryptedText)
    wage_bank: Mapped[str] = mapped_column(String(120))
    supervision_phone: Mapped[str] = mapped_column(String(40))
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    status: Mapped[str] = mapped_column(String(12), default="running")
    #: The case that registered it.
    case_id: Mapped[int | None] = mapped_column(Identifier)
    registered_on: Mapped[date] = mapped_column(Date)
    closed_on: Mapped[date | None] = mapped_column(Date)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    contractor: Mapped[Employer] = relationship(lazy="joined")
    owner: Mapped[Department] = relationship(lazy="joined")

    __audited__ = (
        "number",
        "name",
        "county_code",
        "division_code",
        "villages",
        "plan_document",
        "fund_document",
        "central_fen",
        "local_fen",
        "planned_labour_fen",
        "required_ratio",
        "ratio_base",
        "ratio_base_fen",
        "ratio_basis",
        "owner_department_id",
        "contractor_id",
        "wage_account",
        "wage_bank",
        "supervision_phone",
        "starts_on",
        "ends_on",
        "status",
        "closed_on",
    )

    @property
    def stream_name(self) -> str:
        """Its chain: the head lies in a named stream."""
        return f"project:{self.id}"


class ProjectWorker(Base):
    """Somebody with an agreement who may work on a project (《保障农民工工资支付条例》 art. 28: no contract, no entry).

    ``case_id`` and ``row_id`` name the real-name registration; its roster's digest covers what stands here.
    """

    __tablename__ = "project_workers"
    __table_args__ = (
        UniqueConstraint("project_id", "person_id"),
        CheckConstraint("pay_mode in ('day','hour','piece')", name="pay_mode"),
        CheckConstraint("rate_fen > 0", name="rate"),
        CheckConstraint("agreement_to >= agreement_from", name="agreement"),
        Index("ix_project_workers_person", "person_id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(EncryptedText)
    id_number: Mapped[str] = mapped_column(EncryptedText)
    phone: Mapped[str] = mapped_column(EncryptedText)
    card: Mapped[str] = mapped_column(EncryptedText)
    bank: Mapped[str] = mapped_column(String(120))
    village: Mapped[str] = mapped_column(String(60))
    #: poverty_alleviated, monitored, other: as the register of identities said on the agreement's first day.
    identity: Mapped[str] = mapped_column(String(24))
    job: Mapped[str] = mapped_column(String(40))
    pay_mode: Mapped[str] = mapped_column(String(8))
    #: Fen for a day, an hour or a piece.
    rate_fen: Mapped[int] = mapped_column(Fen)
    agreement_from: Mapped[date] = mapped_column(Date)
    agreement_to: Mapped[date] = mapped_column(Date)
    case_id: Mapped[int | None] = mapped_column(Identifier)
    row_id: Mapped[int | None] = mapped_column(Identifier)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class AttendanceMark(Base):
    """What the site noted of a worker's day, on a phone or at a desk: the month's sheet is made of it, nothing is paid by it.

    ``hundredths``: of a day, or of an hour for those paid by the hour. Nought is a day on which somebody was not there.
    """

    __tablename__ = "attendance_marks"
    __table_args__ = (
        UniqueConstraint("project_id", "person_id", "day"),
        CheckConstraint("hundredths between 0 and 2400", name="hundredths"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    day: Mapped[date] = mapped_column(Date)
    hundredths: Mapped[int] = mapped_column(Integer)
    marked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    marked_by: Mapped[int | None] = mapped_column(Identifier)


class WorkDay(Base):
    """A day of a payroll's row: staged when the sheet was read, claimed when it was handed in, freed when it is not paid."""

    __tablename__ = "work_days"
    __table_args__ = (
        Index(
            "uq_work_days_paid",
            "person_id",
            "day",
            unique=True,
            sqlite_where=CLAIMED,
            postgresql_where=CLAIMED,
        ),
        Index("ix_work_days_roster", "roster_id", "row_id"),
        Index("ix_work_days_case", "case_id", "state", "day"),
        CheckConstraint("state in ('staged','claimed','freed')", name="state"),
        CheckConstraint("hundredths between 1 and 2400", name="hundredths"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    day: Mapped[date] = mapped_column(Date)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    case_id: Mapped[int] = mapped_column(Identifier)
    roster_id: Mapped[int] = mapped_column(Identifier)
    row_id: Mapped[int] = mapped_column(Identifier)
    hundredths: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(8), default="staged")
