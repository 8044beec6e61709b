"""Cases and everything that hangs on one: work items, decisions, timers, publicities, rosters, materials."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from workflows.audit.model import append_only
from workflows.base.clock import now
from workflows.base.files import StoredFile
from workflows.base.model import Base, Identifier, JsonText, UtcDateTime
from workflows.base.privacy import EncryptedJson, EncryptedText
from workflows.organisations.model import Department, User
from workflows.registers.model import Employer
from workflows.registers.project_model import Project

OPEN = text("closed_at IS NULL")
#: The deadline of a step without a limit: never NULL, so that one index serves the order of every work list.
NO_LIMIT = datetime(9999, 12, 31, tzinfo=UTC)


class ProcessVersion(Base):
    """A published process: never changed. ``package`` is the engine's own dump (specification, texts, digest)."""

    __tablename__ = "process_versions"
    __table_args__ = (UniqueConstraint("process", "number"), UniqueConstraint("process", "digest"))

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    process: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(64))
    package: Mapped[str] = deferred(mapped_column(Text))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    __audited__ = ("process", "number", "digest", "package")


class Case(Base):
    """One application on its way. The head of its event chain lies here: every action locks this row anyway."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_employer", "employer_id", "id"),
        Index("ix_cases_county", "county_code", "process", "status"),
        Index("ix_cases_parent", "parent_id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    process: Mapped[str] = mapped_column(String(64))
    version_id: Mapped[int] = mapped_column(ForeignKey("process_versions.id"))
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employers.id"))
    #: The township of the 经营地址; the county's departments act above it.
    division_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"))
    county_code: Mapped[str] = mapped_column(ForeignKey("divisions.code"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    #: What the case is about beyond its employer: a workshop of the register.
    workshop_id: Mapped[int | None] = mapped_column(ForeignKey("workshops.id"))
    #: … or a project of the register.
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"), index=True)
    status: Mapped[str] = mapped_column(String(40))
    stage: Mapped[str] = mapped_column(String(40), default="")
    #: The basis and the parameters in force when it began; it keeps them to its end.
    rules: Mapped[dict[str, Any]] = mapped_column(JsonText)
    state: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    passed: Mapped[list[str]] = deferred(mapped_column(JsonText))
    #: Messages the case waits for (an objection upheld, all objections settled).
    waiting: Mapped[list[str]] = mapped_column(JsonText, default=list)
    started_by: Mapped[int | None] = mapped_column(Identifier)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end: Mapped[str | None] = mapped_column(String(64))
    chain_seq: Mapped[int] = mapped_column(Integer, default=0)
    chain_head: Mapped[str] = mapped_column(String(64), default="")

    employer: Mapped[Employer | None] = relationship()
    project: Mapped[Project | None] = relationship()
    version: Mapped[ProcessVersion] = relationship()

    __audited__ = (
        "number",
        "process",
        "version_id",
        "employer_id",
        "workshop_id",
        "project_id",
        "division_code",
        "rules",
        "status",
        "end",
    )

    @property
    def stream_name(self) -> str:
        return f"case:{self.id}"


class WorkItem(Base):
    """A step that waits for someone: an office, or the employer. A joint step has one for each office that signs.

    Deadline: ``due_at`` moves later by whatever time the clock stood still (``paused_at``).
    """

    __tablename__ = "work_items"
    __table_args__ = (
        Index(
            "ix_work_items_department_open",
            "department_id",
            "due_at",
            "id",
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        Index("ix_work_items_employer_open", "employer_id", "id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_work_items_case", "case_id", "id"),
        Index("ix_work_items_came", "department_id", "opened_at"),
        Index("ix_work_items_due_open", "due_at", sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    task_id: Mapped[str] = mapped_column(String(36))
    step: Mapped[str] = mapped_column(String(64))
    lane: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(80))
    round: Mapped[int] = mapped_column(Integer, default=1)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employers.id"))
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=NO_LIMIT)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    overdue_noted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Grows with every change that a page could have missed: a stale page gets 409.
    version: Mapped[int] = mapped_column(Integer, default=1)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: done, withdrawn (撤回), cancelled (终止 or the diagram moved on)
    closed_as: Mapped[str | None] = mapped_column(String(12))

    case: Mapped[Case] = relationship()
    department: Mapped[Department | None] = relationship()
    claimant: Mapped[User | None] = relationship()


class Decision(Base):
    """What somebody decided on a work item: outcome, opinion, answers, the rules that fired. Written once."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("ix_decisions_case", "case_id", "id"),
        Index("ix_decisions_office", "department_id", "decided_at"),
        Index("ix_decisions_item", "work_item_id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    work_item_id: Mapped[int] = mapped_column(ForeignKey("work_items.id"))
    step: Mapped[str] = mapped_column(String(64))
    form: Mapped[str] = mapped_column(String(64))
    round: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(40))
    opinion: Mapped[str] = mapped_column(EncryptedText)
    answers: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)

    actor: Mapped[User | None] = relationship()
    department: Mapped[Department | None] = relationship()
    work_item: Mapped[WorkItem] = relationship()

    __audited__ = (
        "case_id",
        "work_item_id",
        "step",
        "form",
        "round",
        "outcome",
        "opinion",
        "answers",
        "actor_id",
        "department_id",
        "decided_at",
    )


append_only(Decision.__table__)  # type: ignore[arg-type]  # declarative calls its Table a FromClause


class RuleResult(Base):
    """A rule table applied to the facts of a case: what came out, which rows fired, on which basis."""

    __tablename__ = "rule_results"
    __table_args__ = (Index("ix_rule_results_case", "case_id", "decision", "id"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    decision: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]] = mapped_column(JsonText)
    outputs: Mapped[Any] = mapped_column(JsonText)
    #: [{"id", "citation", "annotation"}]
    fired: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    evaluated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __audited__ = ("case_id", "decision", "facts", "outputs", "fired")


class CaseTimer(Base):
    """A wait that moves the case. This row is the only truth about when; the engine's own timers never fire by themselves."""

    __tablename__ = "case_timers"
    __table_args__ = (
        Index("ix_case_timers_waiting", "due_at", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_case_timers_case", "case_id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    task_id: Mapped[str] = mapped_column(String(36))
    element: Mapped[str] = mapped_column(String(64))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_as: Mapped[str | None] = mapped_column(String(12))  # fired, cancelled


class Publicity(Base):
    """A 公示: from, to, and how it ended. The published end never moves earlier."""

    __tablename__ = "publicities"
    __table_args__ = (
        Index("ix_publicities_case", "case_id", "id"),
        Index("ix_publicities_running", "county_code", "ends_at", sqlite_where=OPEN, postgresql_where=OPEN),
        CheckConstraint("ends_at > opens_at", name="period"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    county_code: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str] = mapped_column(String(40))
    token: Mapped[str] = mapped_column(String(24), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    #: What the public page shows while it runs: [{"label", "value"}]; removed from view afterwards.
    content: Mapped[list[dict[str, str]]] = mapped_column(JsonText)
    opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    days: Mapped[int] = mapped_column(Integer)
    unit: Mapped[str] = mapped_column(String(12))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_as: Mapped[str | None] = mapped_column(String(12))  # completed, cancelled

    case: Mapped[Case] = relationship()

    __audited__ = ("case_id", "kind", "title", "content", "opens_at", "ends_at", "closed_as")


class Objection(Base):
    """What somebody said against a running 公示; its handling is a case of its own."""

    __tablename__ = "objections"
    __table_args__ = (Index("ix_objections_publicity", "publicity_id"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    publicity_id: Mapped[int] = mapped_column(ForeignKey("publicities.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), unique=True)
    objector_name: Mapped[str] = mapped_column(EncryptedText)
    objector_phone: Mapped[str] = mapped_column(EncryptedText)
    content: Mapped[str] = mapped_column(EncryptedText)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    result: Mapped[str | None] = mapped_column(String(12))  # rejected, upheld
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    publicity: Mapped[Publicity] = relationship()

    __audited__ = ("publicity_id", "case_id", "objector_name", "objector_phone", "content", "result")


class Draft(Base):
    """What has been typed for an open work item and not yet decided. Overwritten by autosave, gone when it is done."""

    __tablename__ = "drafts"

    work_item_id: Mapped[int] = mapped_column(ForeignKey("work_items.id"), primary_key=True)
    #: The form as typed: field → list of strings, errors and all.
    raw: Mapped[dict[str, list[str]]] = mapped_column(EncryptedJson)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_by: Mapped[int | None] = mapped_column(Identifier)


class Attachment(Base):
    """A material of a case: which requirement it answers, and the file."""

    __tablename__ = "attachments"
    __table_args__ = (Index("ix_attachments_case", "case_id", "material"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    work_item_id: Mapped[int | None] = mapped_column(ForeignKey("work_items.id"))
    material: Mapped[str] = mapped_column(String(40))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    added_by: Mapped[int | None] = mapped_column(Identifier)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    file: Mapped[StoredFile] = relationship()

    __audited__ = ("case_id", "material", "sha256", "removed_at")


class Command(Base):
    """An idempotency key that was used: the same form sent again answers the same and does nothing."""

    __tablename__ = "commands"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    actor_id: Mapped[int | None] = mapped_column(Identifier)
    digest: Mapped[str] = mapped_column(String(64))
    case_id: Mapped[int | None] = mapped_column(Identifier)
    result: Mapped[dict[str, Any]] = mapped_column(JsonText)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Notice(Base):
    """A message in the application. ``text`` names case and step, no person."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_user", "user_id", "read_at"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    #: Where it leads when it is about no case: ``batch:ID``, ``bounced``, ``recoveries``; else empty.
    about: Mapped[str] = mapped_column(String(40), default="")
    text: Mapped[str] = mapped_column(String(300))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    urgent: Mapped[bool] = mapped_column(Boolean, default=False)
    #: When its sending by mail and by short message began. Whatever died after that may have sent it: it is not sent again.
    mail_begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sms_begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Unmasking(Base):
    """Somebody looked at a whole ID number, phone or account, and why."""

    __tablename__ = "unmaskings"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    row_id: Mapped[int | None] = mapped_column(ForeignKey("roster_rows.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(EncryptedText)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    day: Mapped[date] = mapped_column(Date)

    __audited__ = ("case_id", "row_id", "user_id", "reason")
