"""The dated list of 脱贫人口 and 防止返贫监测对象, as the county's 乡村振兴 office imports it from Excel.

A snapshot says who held a category on its day, and by its silence who did not: a list with one bad row is therefore
refused whole, and one that may be another sheet, or a part of the list, waits for a person's word. Reading checks
everything first; storing then goes in transactions of at most 500 rows, so that SQLite's other writers get their turn,
and the snapshot counts only when the last row is in. A crash leaves an unfinished snapshot, which the same file sent
again completes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.clock import now, today
from workflows.base.errors import Invalid
from workflows.base.privacy import digest_id
from workflows.base.session import Database
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes, children, codes_below
from workflows.organisations.permissions import Facts, require
from workflows.registers.identity_list import Fault, IdentityRow, read_list
from workflows.registers.model import Identity, IdentitySnapshot, Person
from workflows.registers.people import people_for

#: Rows in one transaction.
CHUNK = 500
#: Strange headings that a doubt names.
NAMED = 20
#: The longest text that says where a list came from.
SOURCE_LENGTH = 200

#: Told again and again: rows done, rows altogether. Reading is the first half, storing the second.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ImportResult:
    """How an import went.

    :param problems: what is wrong with the list; nothing was stored.
    :param doubts: why somebody should look before it is imported, in Chinese; nothing was stored.
    :param people: category → people on the list.
    :param repeated: the same file was imported before; nothing was stored again.
    """

    snapshot_id: int | None
    rows: int
    problems: tuple[Fault, ...] = ()
    doubts: tuple[str, ...] = ()
    people: Mapping[str, int] = field(default_factory=dict)
    repeated: bool = False


def import_identities(
    database: Database,
    actor: Actor,
    content: bytes,
    *,
    division_code: str,
    as_of: date,
    source: str,
    confirmed: bool = False,
    progress: Progress | None = None,
) -> ImportResult:
    """Import a list (xlsx). Several transactions: for the worker and the command line, never inside another one.

    :param division_code: the county whose list this is.
    :param as_of: the day on which the list was true; not in the future.
    :param source: where it came from, in words, for the register.
    :param confirmed: somebody looked at the doubts and says that it is the list.
    :raises SheetRefused: when the file is no readable spreadsheet.
    """
    check_asked(as_of, source)
    sha256 = hashlib.sha256(content).hexdigest()
    with database.reading() as session:
        require(actor, "identities.import", Facts(division_chain=chain_codes(session, division_code)))
        known = find_snapshot(session, division_code, as_of, sha256)
        if known is not None and known.completed_at is not None:
            return ImportResult(known.id, known.row_count, repeated=True)
        villages = village_names(session, division_code)
        newest = newest_whole(session, division_code)
    tell = progress or (lambda done, total: None)
    reading = read_list(content, villages, today(), lambda done, total: tell(done // 2, total))
    rows, total = reading.rows, len(reading.rows)
    if reading.faults:
        return ImportResult(None, 0, problems=tuple(reading.faults))
    people = Counter(row.category for row in rows)
    doubts = doubts_of(total, reading.unknown, newest)
    if doubts and not confirmed:
        return ImportResult(None, total, doubts=doubts, people=people)
    with database.transaction() as session:
        snapshot_id = open_snapshot(
            session, actor, division_code=division_code, as_of=as_of, source=source, sha256=sha256
        ).id
    done = 0
    for chunk in _chunks(rows):
        with database.transaction() as session:
            add_rows(session, snapshot_id, chunk)
        done += len(chunk)
        tell((total + done) // 2, total)
    with database.transaction() as session:
        close_snapshot(session, actor, snapshot_id)
    return ImportResult(snapshot_id, total, people=people)


def check_asked(as_of: date, source: str) -> None:
    """Raise ``Invalid`` unless a list may carry this day and this source."""
    errors = {}
    if as_of > today():
        errors["as_of"] = "名单日期不能晚于今天。"
    if not source.strip():
        errors["source"] = "请填写名单来源，例如“全国防返贫监测信息系统导出”。"
    elif len(source.strip()) > SOURCE_LENGTH:
        errors["source"] = f"名单来源不能超过 {SOURCE_LENGTH} 个字。"
    if errors:
        raise Invalid("名单没有导入。", errors)


def doubts_of(people: int, unknown: Sequence[str], newest: IdentitySnapshot | None) -> tuple[str, ...]:
    """Why a list that reads well may be another sheet, or a part of the list only; in Chinese.

    :param people: how many it names.
    :param unknown: its headings that the template does not have.
    :param newest: the county's newest whole list.
    """
    doubts = []
    if unknown:
        named = "、".join(unknown[:NAMED]) + ("……" if len(unknown) > NAMED else "")
        doubts.append(
            f"表里有 {len(unknown)} 列不是模板里的，不会导入：{named}。"
            "请核对这是不是脱贫人口和防止返贫监测对象名单。"
        )
    if newest is not None and people * 2 < newest.row_count:
        day = newest.as_of
        doubts.append(
            f"这份名单 {people:,} 人，上一份 {day.year}年{day.month}月{day.day}日的有 {newest.row_count:,} 人，少了一半以上。"
            "请核对是不是只导出了一部分：没有列入的人，从名单日期起不再算脱贫人口或者监测对象。"
        )
    return tuple(doubts)


def newest_whole(session: Session, division_code: str) -> IdentitySnapshot | None:
    """The whole list of a county that is true of the latest day; of several of that day the last one imported."""
    return session.scalars(
        select(IdentitySnapshot)
        .where(IdentitySnapshot.division_code == division_code, IdentitySnapshot.completed_at.is_not(None))
        .order_by(IdentitySnapshot.as_of.desc(), IdentitySnapshot.id.desc())
        .limit(1)
    ).first()


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
            "work": row.work,
            "relocated": row.relocated,
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


#: Snapshots on a page.
SIZE = 20


@dataclass(frozen=True)
class SnapshotPage:
    """A page of imports. ``total``: of all pages."""

    number: int
    total: int
    entries: Sequence[IdentitySnapshot]


def snapshots_of(session: Session, actor: Actor, division_code: str, page: int = 1) -> SnapshotPage:
    """The imports of a county, or of all counties of a higher division, the newest list first.

    :param page: from 1.
    """
    require(actor, "identities.view", Facts(division_chain=chain_codes(session, division_code)))
    own = IdentitySnapshot.division_code.in_(codes_below(division_code))
    total = session.scalar(select(func.count()).select_from(IdentitySnapshot).where(own)) or 0
    number = min(max(1, page), max(1, -(-total // SIZE)))
    found = session.scalars(
        select(IdentitySnapshot)
        .where(own)
        .order_by(IdentitySnapshot.as_of.desc(), IdentitySnapshot.id.desc())
        .limit(SIZE)
        .offset((number - 1) * SIZE)
    )
    return SnapshotPage(number, total, found.all())


def category_counts(session: Session, snapshot_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """Snapshot → category → people, of several snapshots at once."""
    counts: dict[int, dict[str, int]] = {one: {} for one in snapshot_ids}
    rows = session.execute(
        select(Identity.snapshot_id, Identity.category, func.count())
        .where(Identity.snapshot_id.in_(counts))
        .group_by(Identity.snapshot_id, Identity.category)
    )
    for snapshot_id, category, count in rows:
        counts[snapshot_id][category] = count
    return counts


def _digest(session: Session, snapshot_id: int) -> tuple[int, str]:
    """Row count and SHA-256 of a snapshot; people by the HMAC of their number, so that key rotation changes nothing."""
    rows = session.execute(
        select(
            Person.id_digest,
            Identity.category,
            Identity.village_code,
            Identity.household,
            Identity.work,
            Identity.relocated,
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
