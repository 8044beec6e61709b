"""Recording events: one for each change, in the transaction of the change."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import event, insert, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from workflows.audit.digest import event_hash, row_digest, row_key
from workflows.audit.model import Event, Stream
from workflows.base.clock import now
from workflows.base.model import Base

_APPEND = insert(Event.__table__)  # type: ignore[arg-type]  # declarative calls its Table a FromClause
#: Where a session keeps the events that its next flush writes, all at once, beside the heads of their chains.
_WAITING = "events to append"


@event.listens_for(Session, "before_flush")
def _append(session: Session, _context: object, _instances: object) -> None:
    """Recording moves the head of a chain, so there is always something to flush."""
    waiting = session.info.pop(_WAITING, None)
    if waiting:
        session.connection().execute(_APPEND, waiting)


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, _transaction: object) -> None:
    """A transaction that ends without a flush did nothing."""
    session.info.pop(_WAITING, None)


class Link(NamedTuple):
    """Where an event stands in its chain."""

    seq: int
    previous: str
    hash: str


class Chain(Protocol):
    """Whatever carries the head of a chain: a case's row or a named stream's. The caller has locked it."""

    chain_seq: Any
    chain_head: Any

    @property
    def stream_name(self) -> str: ...


def stream(session: Session, name: str) -> Stream:
    """The named stream, locked until the transaction ends; created when new."""
    wanted = select(Stream).where(Stream.name == name).with_for_update()
    session.flush()  # what this transaction noted on the row itself must not be read over
    row = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        # two transactions may be the first at once: the second insert gives way and waits for the first
        insert_into = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(
            insert_into(Stream).values(name=name, chain_seq=0, chain_head="").on_conflict_do_nothing()
        )
        row = session.scalars(wanted).one()
    return row


def record(
    session: Session,
    chain: Chain,
    kind: str,
    *,
    actor_id: int | None,
    department_id: int | None = None,
    payload: dict[str, Any] | None = None,
    covers: Sequence[Base] = (),
) -> Link:
    """Append an event to a chain.

    :param kind: past tense, kebab-case: ``case-started``, ``step-decided``.
    :param payload: what happened, in identifiers and codes; never a person's data.
    :param covers: the rows this event stands for; new ones are flushed first, since their keys are named.
    """
    if any(inspect(row).pending for row in covers):
        session.flush()
    salt = secrets.token_hex(16)
    body: dict[str, Any] = {
        "stream": chain.stream_name,
        "seq": chain.chain_seq + 1,
        "at": now(),
        "kind": kind,
        "actor_id": actor_id,
        "department_id": department_id,
        "payload": payload or {},
        "covers": [[*row_key(row), row_digest(row, salt)] for row in covers],
        "salt": salt,
        "previous": chain.chain_head,
    }
    sealed = event_hash(**body)
    session.info.setdefault(_WAITING, []).append({**body, "hash": sealed})
    chain.chain_seq, chain.chain_head = body["seq"], sealed
    return Link(body["seq"], body["previous"], sealed)
