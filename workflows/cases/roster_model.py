"""The list of people of a case: the spreadsheet, its rows, and what each office said about a row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflows.base.files import StoredFile
from workflows.base.model import Base, Identifier, JsonText, UtcDateTime
from workflows.base.privacy import EncryptedJson, EncryptedText


class Roster(Base):
    """A list of people that came as a spreadsheet. Staged while it is read, then swapped in as the case's current one."""

    __tablename__ = "rosters"
    __table_args__ = (Index("ix_rosters_case", "case_id", "id"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    status: Mapped[str] = mapped_column(String(12))  # reading, failed, current, replaced
    total: Mapped[int] = mapped_column(Integer, default=0)
    done: Mapped[int] = mapped_column(Integer, default=0)
    good: Mapped[int] = mapped_column(Integer, default=0)
    bad: Mapped[int] = mapped_column(Integer, default=0)
    #: Sheet-level problems in Chinese: nothing could be read.
    problems: Mapped[list[str]] = mapped_column(JsonText, default=list)
    #: SHA-256 over what stood in the rows, in order: one audit digest covers five thousand rows.
    digest: Mapped[str] = mapped_column(String(64), default="")
    #: The same over what the rules said of each row; anew whenever they ran (``roster_digest``).
    judged: Mapped[str] = mapped_column(String(64), default="")
    #: The case's answers that the row rules read, when they last ran: other answers, another run.
    judged_by: Mapped[dict[str, Any]] = mapped_column(EncryptedJson, default=dict)
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    uploaded_by: Mapped[int | None] = mapped_column(Identifier)

    file: Mapped[StoredFile | None] = relationship()

    #: ``total`` grows while the file is read; it is held against the rows.
    __audited__ = ("case_id", "status", "digest", "judged")


class RosterRow(Base):
    """One person on a roster. Personal values are encrypted; what rules and lists need stands in columns."""

    __tablename__ = "roster_rows"
    __table_args__ = (
        UniqueConstraint("roster_id", "number"),
        Index("ix_roster_rows_result", "roster_id", "result", "bad"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    roster_id: Mapped[int] = mapped_column(ForeignKey("rosters.id"))
    number: Mapped[int] = mapped_column(Integer)  # the row of the sheet
    values: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    raw: Mapped[dict[str, str]] = mapped_column(EncryptedJson)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    id_digest: Mapped[str | None] = mapped_column(String(64))
    #: Messages quote what was found in the cell: as personal as the cell.
    errors: Mapped[dict[str, str]] = mapped_column(EncryptedJson, default=dict)
    warnings: Mapped[dict[str, str]] = mapped_column(EncryptedJson, default=dict)
    across: Mapped[list[list[str]]] = mapped_column(EncryptedJson, default=list)
    #: What the row rules decided (output ``result``), their facts and the rows that fired; empty until run.
    result: Mapped[str] = mapped_column(String(24), default="")
    bad: Mapped[bool] = mapped_column(Boolean, default=False)
    facts: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    fired: Mapped[list[dict[str, Any]]] = mapped_column(JsonText, default=list)


class RowVerdict(Base):
    """An office's word on one row. A row without one follows the office's word on the rest (``Draft``/decision)."""

    __tablename__ = "row_verdicts"
    __table_args__ = (UniqueConstraint("row_id", "department_id"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    row_id: Mapped[int] = mapped_column(ForeignKey("roster_rows.id"))
    department_id: Mapped[int] = mapped_column(ForeignKey("departments.id"))
    verdict: Mapped[str] = mapped_column(String(12))  # agree, refuse
    #: None: agreed without a word.
    reason: Mapped[str | None] = mapped_column(EncryptedText)
    by: Mapped[int | None] = mapped_column(Identifier)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __audited__ = ("row_id", "department_id", "verdict", "reason")
