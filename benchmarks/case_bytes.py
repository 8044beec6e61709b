"""``case_bytes``: what a finished five-step case weighs in the database, its events and indexes included, against the floor's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from sqlalchemy import text

from benchmarks.clients import ACTIONS_A_CASE, actions, machine
from benchmarks.figures import Figure
from benchmarks.world import KINDS, World
from workflows.base.session import Database

GOAL = 2.5


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a database: kilobytes of one case, when so many have come to their end."""
    cases = 20 if quick else 400
    for kind in KINDS:
        with world.county(kind) as real, world.county(kind) as floor:
            mine, theirs = (
                _kilobytes(side, database, cases) for side, database in (("real", real), ("floor", floor))
            )
            yield Figure(f"case_bytes {kind}", mine, "KB", theirs, GOAL)


def _kilobytes(side: str, database: Database, cases: int) -> float:
    before = _size(database)
    walking = actions(machine(side, database), database)
    for _ in range(cases * ACTIONS_A_CASE):
        next(walking)
    return (_size(database) - before) / cases / 1024


def _size(database: Database) -> int:
    """Bytes in use after tidying up: what the rows and indexes need, not what the file happens to hold."""
    if database.engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(str(database.engine.url.database), isolation_level=None)) as raw:
            raw.execute("VACUUM")
            return int(
                raw.execute(
                    "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
                ).fetchone()[0]
            )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM FULL"))
        size = (
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        return int(connection.scalar(text(size)) or 0)
