"""Verification: every chain recomputed, every covered row compared, every anchor held against what is there now.

Altering a row shows as a digest that no longer fits; removing an event, the newest included, as a gap or a head that
fits no event; removing a whole chain as an anchor that names it. What is younger than the last anchor and removed whole
with its head is found by the registers' own counts (``wengang check``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from workflows.audit.anchors import anchor_hash
from workflows.audit.digest import event_hash, fits
from workflows.audit.model import Anchor, Event, Stream
from workflows.audit.record import Chain
from workflows.base.model import Base


@dataclass(frozen=True)
class Problem:
    """One thing that does not hold. ``stream``: which chain; ``where``: event or row; ``message``: Chinese."""

    stream: str
    where: str
    message: str


def _tables() -> dict[str, type[Base]]:
    return {
        str(mapper.class_.__tablename__): mapper.class_
        for mapper in Base.registry.mappers
        if getattr(mapper.class_, "__audited__", None)
    }


#: Table and key of a row → the newest event that covers it, with the digest noted there.
_Covered = dict[tuple[str, str], tuple[Event, str]]
_PARSE: dict[type, Callable[[str], Any]] = {int: int, date: date.fromisoformat}


def _identity(model: type[Base], key: str) -> tuple[Any, ...]:
    columns = inspect(model).primary_key
    return tuple(
        _PARSE.get(column.type.python_type, str)(part)
        for column, part in zip(columns, key.split("/"), strict=True)
    )


def _read(session: Session, what: Any, key: Any, *where: Any) -> Sequence[tuple[int, Any]]:
    """Keys and what stands there, in the keys' order; ``None`` for what can no longer be read: somebody altered it."""
    try:
        rows = session.execute(select(key, what).where(*where).order_by(key)).all()
        return [(one, found) for one, found in rows]
    except Exception:  # one of them no longer parses: which?
        keys = session.scalars(select(key).where(*where).order_by(key)).all()
    single: list[tuple[int, Any]] = []
    for one in keys:
        try:
            single.append((one, session.scalars(select(what).where(key == one, *where)).one()))
        except Exception:
            single.append((one, None))
    return single


def _triples(value: Any) -> list[tuple[str, str, str]]:
    """What an event says it covers; nothing when somebody wrote something else there."""
    try:
        return [(str(table), str(key), str(digest)) for table, key, digest in value]
    except (TypeError, ValueError):
        return []


def verify_chain(session: Session, chain: Chain) -> list[Problem]:
    """All problems of one chain: links, head, and the rows its events cover."""
    name = chain.stream_name
    problems: list[Problem] = []
    previous, seq = "", 0
    latest: _Covered = {}
    for number, event in _read(session, Event, Event.seq, Event.stream == name):
        seq += 1
        where = f"第 {number} 条记录"
        if number != seq:
            problems.append(Problem(name, where, f"应为第 {seq} 条：之前的记录被删除。"))
            seq = number
        if event is None:
            problems.append(Problem(name, where, "内容无法读取：记录被改动。"))
            continue
        if event.previous != previous:
            problems.append(Problem(name, where, "与上一条记录的摘要不相连。"))
        computed = event_hash(
            stream=event.stream,
            seq=event.seq,
            at=event.at,
            kind=event.kind,
            actor_id=event.actor_id,
            department_id=event.department_id,
            payload=event.payload,
            covers=event.covers,
            salt=event.salt,
            previous=event.previous,
        )
        if computed != event.hash:
            problems.append(Problem(name, where, "内容与摘要不符：记录被改动。"))
        previous = event.hash
        for table, key, digest in _triples(event.covers):
            latest[table, key] = event, digest
    if (chain.chain_seq, chain.chain_head) != (seq, previous):
        problems.append(
            Problem(
                name,
                "链头",
                f"登记为第 {chain.chain_seq} 条，实际到第 {seq} 条：最新的记录被删除或链头被改动。",
            )
        )
    return problems + list(_verify_rows(session, name, latest))


def _verify_rows(session: Session, name: str, latest: _Covered) -> Iterator[Problem]:
    models = _tables()
    for (table, key), (event, noted) in latest.items():
        where = f"{table} {key}"
        try:
            row = session.get(models[table], _identity(models[table], key))
            if row is None:
                yield Problem(name, where, "登记过的数据行被删除。")
                continue
            session.refresh(row)
            same = fits(row, event.salt, noted)
        except (
            Exception
        ):  # a value that no longer decrypts or parses was altered, or the event that names the row
            same = False
        if not same:
            yield Problem(name, where, f"数据行与第 {event.seq} 条记录的摘要不符：被改动。")


def verify_uncovered(session: Session) -> list[Problem]:
    """Rows of audited tables that no event covers: inserted past the system."""
    covered: dict[str, set[str]] = {}
    for _, covers in _read(session, Event.covers, Event.id):
        for table, key, _ in _triples(covers):
            covered.setdefault(table, set()).add(key)
    problems = []
    for table, model in _tables().items():
        keys = session.execute(select(*inspect(model).primary_key))
        present = {"/".join(str(part) for part in key) for key in keys}
        for key in sorted(present - covered.get(table, set())):
            problems.append(Problem("-", f"{table} {key}", "数据行没有任何记录：绕过系统插入。"))
    return problems


def verify_anchors(session: Session, heads: Callable[[str], tuple[int, str] | None]) -> list[Problem]:
    """The anchors' own chain, and that every head they sealed still stands.

    :param heads: stream name → its present ``(seq, head)``, or ``None`` when the stream is gone.
    """
    problems: list[Problem] = []
    previous = ""
    sealed: dict[str, tuple[int, str]] = {}
    for number, anchor in _read(session, Anchor, Anchor.id):
        if anchor is None:
            problems.append(Problem("anchors", f"第 {number} 个锚点", "内容无法读取：锚点被改动。"))
            continue
        whole = anchor_hash(anchor.day, anchor.heads, anchor.previous) == anchor.hash
        if not whole or anchor.previous != previous:
            problems.append(Problem("anchors", f"锚点 {anchor.day}", "锚点被改动，或之前的锚点被删除。"))
        previous = anchor.hash
        if whole:
            sealed.update({name: (seq, head) for name, seq, head in anchor.heads})
    for name, (seq, head) in sealed.items():
        present = heads(name)
        if present is None:
            problems.append(Problem(name, "整条链", "已封存的链不存在：整件被删除。"))
            continue
        found = session.scalar(select(Event.hash).where(Event.stream == name, Event.seq == seq))
        if found != head:
            problems.append(Problem(name, f"第 {seq} 条记录", "与封存的锚点不符：记录被删除或重写。"))
    return problems


def verify_streams(session: Session) -> Iterable[Problem]:
    """All named streams."""
    for row in session.scalars(select(Stream).order_by(Stream.name)):
        yield from verify_chain(session, row)
