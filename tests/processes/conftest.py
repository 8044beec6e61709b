"""Processes: the demonstration county with everything published, and a signer that costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from workflows.base import clock
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.session import Database
from workflows.cases import process
from workflows.cases.publishing import publish_all
from workflows.documents import issue
from workflows.registers.demo_county import DemoCounty, load

from .stage import MONDAY, bring_to, paper

#: When the county was set up, before every scenario.
BEFORE = datetime(2025, 1, 6, 9, 0, tzinfo=clock.SHANGHAI)


@pytest.fixture(autouse=True)
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Files of one test; the cache of processes belongs to one database."""
    made = Installation("http://127.0.0.1:8000", True, FileStore(tmp_path / "files"))
    use_installation(made)
    process.forget()
    yield made
    process.forget()


@pytest.fixture
def papers_unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents are fixed and issued, but not laid out."""
    monkeypatch.setattr(issue, "render", paper)


def _published(database: Database) -> None:
    with clock.frozen(BEFORE), database.transaction() as session:
        load(session, demonstration=True)
        publish_all(session)


@pytest.fixture
def published(house) -> Iterator[Database]:  # type: ignore[no-untyped-def]
    """The demonstration county with all processes published, on SQLite and on PostgreSQL."""
    with house.fresh("published", _published) as fresh:
        yield fresh


@pytest.fixture
def published_sqlite(sqlite_house) -> Iterator[Database]:  # type: ignore[no-untyped-def]
    """The same on SQLite alone."""
    with sqlite_house.fresh("published", _published) as fresh:
        yield fresh


@pytest.fixture
def county(published_sqlite: Database) -> DemoCounty:
    """Handles on the county of ``published_sqlite``."""
    with published_sqlite.reading() as session:
        return load(session, demonstration=True)


def _brought_to(step: str) -> Callable[[Database], None]:
    def fill(database: Database) -> None:
        _published(database)
        with clock.frozen(MONDAY) as move:
            bring_to(database, move, step)

    return fill


@pytest.fixture
def at_reviews(house) -> Iterator[Database]:  # type: ignore[no-untyped-def]
    """One case, number 1, that lies with both reviews since ``MONDAY``; on both databases."""
    with house.fresh("at_reviews", _brought_to("hrss_review")) as fresh:
        yield fresh


@pytest.fixture
def at_publicity(house) -> Iterator[Database]:  # type: ignore[no-untyped-def]
    """One case, number 1, whose 公示 has begun at ``MONDAY``; on both databases."""
    with house.fresh("at_publicity", _brought_to("advance")) as fresh:
        yield fresh
