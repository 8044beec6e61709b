"""The county as a site needs it: with the tables of the web, on either database, and a clock that every process reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest

from tests.databases import PostgresHouse, SqliteHouse
from tests.processes.conftest import _published
from tests.processes.stage import MONDAY, paper
from workflows.base import clock
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.model import Base
from workflows.base.session import Database
from workflows.cases import process
from workflows.documents import issue

from .site import Site
from .storm import Storm, fill

Stormy = Callable[..., AbstractContextManager[Storm]]


def with_the_web(database: Database) -> None:
    """The county, and the tables that the web alone has."""
    from webapp import models  # noqa: F401  # makes the metadata whole

    Base.metadata.create_all(database.engine)
    _published(database)


@pytest.fixture
def seed() -> int:
    """Chance, to be tried again: ``FAULT_SEED=… script/test tests/faults``."""
    return int(os.environ.get("FAULT_SEED") or SystemRandom().randrange(10**6))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """The folder of the site, whose files the test's own process shares."""
    folder = tmp_path / "site"
    use_installation(Installation("http://127.0.0.1:8000", True, FileStore(folder / "files")))
    process.forget()
    yield folder
    process.forget()


@pytest.fixture
def county(house: SqliteHouse | PostgresHouse, place: Path) -> Iterator[Database]:
    """On SQLite, and on PostgreSQL."""
    with house.fresh("site", with_the_web) as database:
        yield database


@pytest.fixture
def sqlite_county(sqlite_house: SqliteHouse, place: Path) -> Iterator[Database]:
    """On SQLite alone: what is slow and the same on both."""
    with sqlite_house.fresh("site", with_the_web) as database:
        yield database


@pytest.fixture
def postgres_county(postgres_house: PostgresHouse, place: Path) -> Iterator[Database]:
    """On PostgreSQL alone."""
    with postgres_house.fresh("site", with_the_web) as database:
        yield database


@pytest.fixture
def stormy(place: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> Stormy:
    """``with stormy(database, 3) as storm``: a site on which three claims wait at the township."""

    @contextmanager
    def begin(
        database: Database, count: int, kind: type[Storm] = Storm, until: str = "township_check", **site: Any
    ) -> Iterator[Storm]:
        print(f"FAULT_SEED={seed}")
        with clock.frozen(MONDAY) as move, monkeypatch.context() as patch:
            patch.setattr(issue, "render", paper)
            cases = fill(database, move, count, until)
            offset = (clock.now() - datetime.now(UTC)).total_seconds()
        made = Site(place, database, offset, **site)
        monkeypatch.setenv("WENGANG_CLOCK_FILE", str(made.clock))
        with made:
            yield kind(made, seed, cases)

    return begin
