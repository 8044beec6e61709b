"""What every layer of tests shares: keys, a settable clock, fresh databases. A layer's own fixtures lie beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from tests.databases import PostgresHouse, SqliteHouse
from workflows.base import clock as wengang_clock
from workflows.base.files import FileStore
from workflows.base.privacy import Keyring, use_keyring
from workflows.base.session import Database
from workflows.funds.check import check_funds
from workflows.organisations.passwords import use_hasher
from workflows.registers.demo_county import load

#: Keys of the tests. Fixed, so that a failure can be repeated; worth nothing anywhere else.
TEST_KEYRING = Keyring({"test": bytes(range(32))}, bytes(range(32, 64)))
#: 2026-03-02, a Monday, 09:00 in Shanghai: a working day in a year whose calendar is published.
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=wengang_clock.SHANGHAI)


@pytest.fixture(scope="session", autouse=True)
def keyring() -> Keyring:
    """The process's keys: set once for the whole run."""
    use_keyring(TEST_KEYRING)
    return TEST_KEYRING


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """argon2id with the least work it allows: the tests are about what happens, not about how long it takes."""
    use_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def clock() -> Iterator[Callable[[timedelta], None]]:
    """Time stands still at ``MONDAY``; call the fixture with a timedelta to move on."""
    with wengang_clock.frozen(MONDAY) as move:
        yield move


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """A folder for stored files."""
    return FileStore(tmp_path / "files")


@pytest.fixture(scope="session")
def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> SqliteHouse:
    return SqliteHouse(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_house() -> Iterator[PostgresHouse]:
    """The real PostgreSQL of this run, started by the first test that asks."""
    house = PostgresHouse()
    yield house
    house.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest) -> SqliteHouse | PostgresHouse:
    """Both kinds of database, one after the other: a test that asks for it (or for ``database``) runs twice."""
    found: SqliteHouse | PostgresHouse = request.getfixturevalue(f"{request.param}_house")
    return found


@pytest.fixture
def database(house: SqliteHouse | PostgresHouse) -> Iterator[Database]:
    """An empty database with all tables, for one test: ``with database.transaction() as session: …``."""
    with house.fresh("empty", None) as fresh:
        yield fresh


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing transaction on an empty database, rolled back at the end: for tests that need no commit."""
    with database.sessions() as session:
        session.connection(execution_options={"wengang_write": True})
        yield session
        session.rollback()


@pytest.fixture
def sqlite_database(sqlite_house: SqliteHouse) -> Iterator[Database]:
    """As ``database``, SQLite alone: where the kind of database cannot matter."""
    with sqlite_house.fresh("empty", None) as fresh:
        yield fresh


def _demonstration(database: Database) -> None:
    with wengang_clock.frozen(MONDAY), database.transaction() as session:
        load(session, demonstration=True)


@pytest.fixture
def county_database(house: SqliteHouse | PostgresHouse) -> Iterator[Database]:
    """A database with the demonstration county, for one test; ``load(session, demonstration=True)`` gives its handles."""
    with house.fresh("county", _demonstration) as fresh:
        yield fresh


@pytest.fixture
def county_session(county_database: Database, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A writing transaction on the demonstration county, rolled back at the end; its money still agrees by then."""
    with county_database.sessions() as session:
        session.connection(execution_options={"wengang_write": True})
        yield session
        # a statement that the database refused has taken everything back: there is nothing to be checked
        if session.is_active and not request.node.get_closest_marker("tampers"):
            session.flush()
            assert list(check_funds(session)) == []
        session.rollback()
