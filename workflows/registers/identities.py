"""The dated list of 脱贫人口 and 防止返贫监测对象, as the county's 乡村振兴 office imports it from Excel.

A snapshot says who held a category on its day, and by its silence who did not: a list with one bad row is therefore
refused whole. Reading checks everything first; storing then goes in transactions of at most 500 rows, so that SQLite's
other writers get their turn, and the snapshot counts only when the last row is in. A crash leaves an unfinished
snapshot, which the same file sent again completes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.clock import now, today
from workflows.base.errors import Invalid
from workflows.base.privacy import digest_id
from workflows.base.session import Database
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes, children
from workflows.organisations.permissions import Facts, require
from workflows.registers.identity_list import IdentityRow, read_list
from workflows.registers.model import Identity, IdentitySnapshot, Person
from workflows.registers.people import people_for

#: Rows in one transaction.
CHUNK = 500

#: Told after every chunk: rows stored, rows altogether.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ImportResult:
    """How an import went. With ``problems`` nothing was stored; ``repeated``: the same file was imported before."""

    snapshot_id: int | None
    rows: int
    problems: tuple[str, ...] = ()
    repeated: bool = False


def import_identities(
    database: Database,
    actor: Actor,
    content: bytes,
    *,
    division_code: str,
    as_of: date,
    source: str,
    progress: Progress | None = None,
) -> ImportResult:
    """Import a list (xlsx). Several transactions: for the worker and the command line, never inside another one.

    :param division_code: the county whose list this is.
    :param as_of: the day on which the list was true; not in the future.
    :param source: where it came from, in words, for the register.
    """
    if as_of > today():
        raise Invalid("名单没有导入。", {"as_of": "名单日期不能晚于今天。"})
    if not source.strip():
        raise Invalid("名单没有导入。", {"source": "请填写名单来源，例如“全国防返贫监测信息系统导出”。"})
    with database.reading() as session:
        require(actor, "identities.import", Facts(division_chain=chain_codes(session, division_code)))
        known = find_snapshot(session, division_code, as_of, hashlib.sha256(content).hexdigest())
        if known is not None and known.completed_at is not None:
            return ImportResult(known.id, known.row_count, repeated=True)
        villages = village_names(session, division_code)
    rows, problems = read_list(content, villages, today())
    if problems:
        return ImportResult(None, 0, tuple(problems))
    with database.transaction() as session:
        snapshot_id = open_snapshot(
            session,
            actor,
            division_code=division_code,
            as_of=as_of,
            source=source,
            sha256=hashlib.sha256(content).hexdigest(),
        ).id
    done = 0
    for chunk in _chunks(rows):
        with database.transaction() as session:
            add_rows(session, snapshot_id, chunk)
        done += len(chunk)
        if progress is not None:
            progress(done, len(rows))
    with database.transaction() as session:
        close_snapshot(session, actor, snapshot_id)
    return ImportResult(snapshot_id, len(rows))


def village_names(session: Session, county_code: str) -> dict[str, str | None]:
    """How a list may name a village of the county → its code; ``None`` where two townships have one of that name."""
    known: dict[str, str | None] = {}
    for township in children(session, county_code):
        for village in children(session, township.code):
            known[village.name] = None if village.name in known else village.code
            known[township.name + village.name] = village.code
    return known


def find_snapshot(session: Session, division_code: str, as_of: date, sha256: str) -> IdentitySnapshot | None:
    """The snapshot that this file made for that county and day, finished or not."""
    return session.scalars(
        select(IdentitySnapshot).where(
            IdentitySnapshot.division_code == division_code,
            IdentitySnapshot.as_of == as_of,
            IdentitySnapshot.sha256 == sha256,
        )
    ).first()


def open_snapshot(
    session: Session, actor: Actor, *, division_code: str, as_of: date, source: str, sha256: str
) -> IdentitySnapshot:
    """Begin a snapshot, or go on with the unfinished one of the same file."""
    require(actor, "identities.import", Facts(division_chain=chain_codes(session, division_code)))
    chain = stream(
        session, "registers"
    )  # locked first: two imports of one file meet here, not in two snapshots
    known = find_snapshot(session, division_code, as_of, sha256)
    if known is not None:
        return known
    snapshot = IdentitySnapshot(
        division_code=division_code,
        as_of=as_of,
        source=source.strip(),
        sha256=sha256,
        imported_by=actor.user_id,
    )
    session.add(snapshot)
    record(session, chain, "identities-import-started", actor_id=actor.user_id, covers=[snapshot])
    return snapshot


def add_rows(session: Session, snapshot_id: int, rows: Sequence[IdentityRow]) -> None:
    """Store rows of an unfinished snapshot; a person who is in already stays as stored."""
    people = people_for(session, [(row.id_number, row.name) for row in rows])
    present = set(
        session.scalars(
            select(Identity.person_id).where(
                Identity.snapshot_id == snapshot_id, Identity.person_id.in_(people.values())
            )
        )
    )
    new = [
        {
            "snapshot_id": snapshot_id,
            "person_id": person_id,
            "category": row.category,
            "village_code": row.village_code,
            "household": row.household,
            "since": row.since,
            "until": row.until,
        }
        for row in rows
        if (person_id := people[digest_id(row.id_number)]) not in present
    ]
    if new:
        session.execute(insert(Identity), new)


def close_snapshot(session: Session, actor: Actor, snapshot_id: int) -> IdentitySnapshot:
    """Make a snapshot count: its rows are all there, and their digest is recorded."""
    chain = stream(session, "registers")
    snapshot = session.get_one(IdentitySnapshot, snapshot_id)
    if snapshot.completed_at is None:
        snapshot.row_count, snapshot.rows_digest = _digest(session, snapshot_id)
        snapshot.completed_at = now()
        record(session, chain, "identities-imported", actor_id=actor.user_id, covers=[snapshot])
    return snapshot


def altered_snapshots(session: Session) -> list[IdentitySnapshot]:
    """Whole snapshots whose rows are no longer those that were imported."""
    whole = session.scalars(
        select(IdentitySnapshot)
        .where(IdentitySnapshot.completed_at.is_not(None))
        .order_by(IdentitySnapshot.id)
    ).all()
    return [
        snapshot
        for snapshot in whole
        if (snapshot.row_count, snapshot.rows_digest) != _digest(session, snapshot.id)
    ]


def snapshots_of(session: Session, actor: Actor, division_code: str) -> list[IdentitySnapshot]:
    """The imports of a county, newest first."""
    require(actor, "identities.view", Facts(division_chain=chain_codes(session, division_code)))
    return list(
        session.scalars(
            select(IdentitySnapshot)
            .where(IdentitySnapshot.division_code == division_code)
            .order_by(IdentitySnapshot.as_of.desc(), IdentitySnapshot.id.desc())
        )
    )


def category_counts(session: Session, snapshot_id: int) -> dict[str, int]:
    """Category → people in a snapshot."""
    rows = session.execute(
        select(Identity.category, func.count())
        .where(Identity.snapshot_id == snapshot_id)
        .group_by(Identity.category)
    )
    return {str(category): int(count) for category, count in rows}


def _digest(session: Session, snapshot_id: int) -> tuple[int, str]:
    """Row count and SHA-256 of a snapshot; people by the HMAC of their number, so that key rotation changes nothing."""
    rows = session.execute(
        select(
            Person.id_digest,
            Identity.category,
            Identity.village_code,
            Identity.household,
            Identity.since,
            Identity.until,
        )
        .join(Person, Person.id == Identity.person_id)
        .where(Identity.snapshot_id == snapshot_id)
        .order_by(Person.id_digest)
    )
    total, digest = 0, hashlib.sha256()
    for row in rows:
        total += 1
        digest.update(("\x1f".join("" if part is None else str(part) for part in row) + "\n").encode())
    return total, digest.hexdigest()


def _chunks(rows: Sequence[IdentityRow]) -> Iterator[Sequence[IdentityRow]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
