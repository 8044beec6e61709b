"""Issued documents and their numbers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflows.base.files import StoredFile
from workflows.base.model import Base, Identifier, UtcDateTime
from workflows.base.privacy import EncryptedJson


class NumberSeries(Base):
    """The last number given in a series and year: no gaps, because the giving transaction holds the row."""

    __tablename__ = "number_series"

    series: Mapped[str] = mapped_column(String(80), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    last: Mapped[int] = mapped_column(Integer, default=0)


class IssuedDocument(Base):
    """A document as decided: its number, the chain head and the snapshot it is rendered from are fixed for ever.

    The worker renders and signs; the file's hash is what the public verification compares.
    """

    __tablename__ = "issued_documents"
    __table_args__ = (
        Index("ix_issued_documents_case", "case_id", "id"),
        UniqueConstraint("series", "year", "serial"),
        CheckConstraint("status in ('pending','issued','revoked')", name="status"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    case_id: Mapped[int] = mapped_column(Identifier)
    process: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(120))
    number: Mapped[str] = mapped_column(String(80))
    series: Mapped[str] = mapped_column(String(80))
    year: Mapped[int] = mapped_column(Integer)
    serial: Mapped[int] = mapped_column(Integer)
    #: 32 characters of 160 random bits: what the QR carries.
    token: Mapped[str] = mapped_column(String(40), unique=True)
    chain_head: Mapped[str] = mapped_column(String(64))
    context: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    status: Mapped[str] = mapped_column(String(12), default="pending")
    issued_on: Mapped[date] = mapped_column(Date)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    rendered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)

    file: Mapped[StoredFile | None] = relationship()

    __audited__ = ("case_id", "name", "number", "token", "chain_head", "context", "status", "sha256")
