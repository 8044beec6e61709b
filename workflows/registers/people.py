"""People, once each, and the category they held on a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from forms.identifiers import id_birth
from workflows.base.clock import now
from workflows.base.privacy import digest_id, normalise_id
from workflows.registers.model import Identity, IdentitySnapshot, Person

#: Most identifiers in one statement: SQLite takes 32 766 parameters, PostgreSQL 65 535.
BATCH = 10_000

T = TypeVar("T")


def get_or_create(session: Session, id_number: str, name: str) -> Person:
    """The person with that ID number (15 or 18 digits); added under ``name`` when new. The number is not checked here."""
    return session.get_one(Person, people_for(session, [(id_number, name)])[digest_id(id_number)])


def people_for(session: Session, found: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Digest → key for many (ID number, name) at once; unknown people are added, known ones keep their name.

    Two transactions that add the same person at once end with one row: the second insert gives way.
    """
    wanted = {digest_id(number): (normalise_id(number), name) for number, name in found}
    known: dict[str, int] = {}
    for digests in _batches(wanted):
        _look_up(session, digests, known)
        missing = [digest for digest in digests if digest not in known]
        if missing:
            _insert(session, {digest: wanted[digest] for digest in missing})
            _look_up(session, missing, known)
    return known


def _look_up(session: Session, digests: Sequence[str], known: dict[str, int]) -> None:
    rows = session.execute(select(Person.id_digest, Person.id).where(Person.id_digest.in_(digests)))
    known.update((digest, key) for digest, key in rows)


def _insert(session: Session, new: Mapping[str, tuple[str, str]]) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(Person).on_conflict_do_nothing(index_elements=["id_digest"]),
        [
            {
                "id_digest": digest,
                "id_number": number,
                "name": name,
                "born_on": id_birth(number),
                "created_at": now(),
            }
            for digest, (number, name) in new.items()
        ],
    )


@dataclass(frozen=True)
class IdentityOn:
    """The category a person held on a day, and the snapshot that says so."""

    category: str
    as_of: date
    snapshot_id: int
    village_code: str | None
    household: str | None
    since: date | None


def identity_on(session: Session, person_ids: Iterable[int], day: date) -> dict[int, IdentityOn]:
    """Who of the people held a category on ``day``. Two statements for five thousand people."""
    return identities_on(session, dict.fromkeys(person_ids, day))


def identities_on(session: Session, wanted: Mapping[int, date]) -> dict[int, IdentityOn]:
    """Person → category on that person's own day (the first day of the contract); absent when there was none.

    Of each division the newest whole snapshot taken on or before the day speaks: who is no longer on it holds nothing.
    For a day before the first snapshot the first one speaks, for those of whom it says since when.
    """
    divisions = _snapshots(session)
    speaking = {
        day: [_speaks(snapshots, day) for snapshots in divisions.values()] for day in set(wanted.values())
    }
    needed = {as_of.id: as_of for snapshots in speaking.values() for as_of in snapshots}
    if not needed:
        return {}
    found: dict[int, IdentityOn] = {}
    by_day = {day: {snapshot.id for snapshot in snapshots} for day, snapshots in speaking.items()}
    for people in _batches(wanted):
        rows = session.execute(
            select(
                Identity.snapshot_id,
                Identity.person_id,
                Identity.category,
                Identity.village_code,
                Identity.household,
                Identity.since,
                Identity.until,
            ).where(Identity.snapshot_id.in_(needed), Identity.person_id.in_(people))
        )
        for snapshot_id, person_id, category, village, household, since, until in rows:
            day = wanted[person_id]
            as_of = needed[snapshot_id].as_of
            if snapshot_id not in by_day[day] or not _held(day, as_of, since, until):
                continue
            held = IdentityOn(category, as_of, snapshot_id, village, household, since)
            if person_id not in found or _order(held) > _order(found[person_id]):
                found[person_id] = held
    return found


def has_list(session: Session, county_code: str, day: date) -> bool:
    """Whether a whole list of the county, or of a place in it, was taken on or before ``day``."""
    return (
        session.scalars(
            select(IdentitySnapshot.id)
            .where(
                IdentitySnapshot.completed_at.is_not(None),
                IdentitySnapshot.as_of <= day,
                IdentitySnapshot.division_code.startswith(county_code, autoescape=True),
            )
            .limit(1)
        ).first()
        is not None
    )


@dataclass(frozen=True)
class _Snapshot:
    id: int
    as_of: date


def _snapshots(session: Session) -> dict[str, list[_Snapshot]]:
    """The whole snapshots of each division, oldest first."""
    divisions: dict[str, list[_Snapshot]] = {}
    rows = session.execute(
        select(IdentitySnapshot.division_code, IdentitySnapshot.id, IdentitySnapshot.as_of)
        .where(IdentitySnapshot.completed_at.is_not(None))
        .order_by(IdentitySnapshot.as_of, IdentitySnapshot.id)
    )
    for code, key, as_of in rows:
        divisions.setdefault(code, []).append(_Snapshot(key, as_of))
    return divisions


def _speaks(snapshots: Sequence[_Snapshot], day: date) -> _Snapshot:
    earlier = [snapshot for snapshot in snapshots if snapshot.as_of <= day]
    if earlier:
        return earlier[-1]
    # Of several imports of the first day the last one stands, as it does later on.
    return [snapshot for snapshot in snapshots if snapshot.as_of == snapshots[0].as_of][-1]


def _held(day: date, as_of: date, since: date | None, until: date | None) -> bool:
    if since is None:
        began = as_of <= day
    else:
        began = since <= day
    return began and (until is None or day <= until)


def _order(held: IdentityOn) -> tuple[date, int]:
    return held.as_of, held.snapshot_id


def _batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
