"""Events and their chains.

A chain is a *stream*: one per case (its head lies on the case row, which every action locks anyway) or a named one
(organisation, registers …; its head is a row of ``streams``). There is no global chain: it would make every writer wait
for every other. A daily anchor hashes all heads that moved, chained to the anchor before it, and is exported.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import DDL, Date, Index, Integer, String, Table, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from workflows.base.model import Base, Identifier, JsonText, UtcDateTime


class Stream(Base):
    """The head of a named chain."""

    __tablename__ = "streams"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    chain_seq: Mapped[int] = mapped_column(Integer, default=0)
    chain_head: Mapped[str] = mapped_column(String(64), default="")

    @property
    def stream_name(self) -> str:
        return self.name


class Event(Base):
    """Something that happened, in the past tense. Never changed, never removed: triggers refuse both.

    ``payload`` and ``covers`` hold no personal text: ``covers`` lists ``[table, key, digest]`` where the digest is
    SHA-256 over ``salt`` and the row's audited columns in plaintext.
    """

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("stream", "seq"), Index("ix_events_at", "at"))

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    stream: Mapped[str] = mapped_column(String(60))
    seq: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(60))
    actor_id: Mapped[int | None] = mapped_column(Identifier)
    #: The office in whose name the actor acted.
    department_id: Mapped[int | None] = mapped_column(Identifier)
    payload: Mapped[dict[str, Any]] = mapped_column(JsonText)
    covers: Mapped[list[list[str]]] = mapped_column(JsonText)
    salt: Mapped[str] = mapped_column(String(32))
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class Anchor(Base):
    """A day's seal over the heads of all chains that moved since the anchor before."""

    __tablename__ = "anchors"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    day: Mapped[date] = mapped_column(Date, unique=True)
    heads: Mapped[list[list[Any]]] = mapped_column(JsonText)  # [stream, seq, head] sorted by stream
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


def append_only(table: Table) -> None:
    """Attach triggers that refuse UPDATE and DELETE on ``table``, on both databases, whoever asks."""
    for dialect in ("sqlite", "postgresql"):
        for statement in append_only_ddl(table.name, dialect):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy types it so
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def append_only_ddl(table: str, dialect: str) -> list[str]:
    """The statements themselves, for migrations too."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]


append_only(Event.__table__)  # type: ignore[arg-type]  # declarative calls its Table a FromClause
append_only(Anchor.__table__)  # type: ignore[arg-type]
