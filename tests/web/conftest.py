"""The application of the web tests: a filled county, and a browser for each person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask

from tests.conftest import TEST_KEYRING
from tests.databases import SqliteHouse
from tests.web import world as county
from tests.web.client import Browser
from tests.web.world import PASSWORD, World
from webapp.app import create_app
from webapp.config import Settings
from webapp.database import db
from workflows.base.session import Database
from workflows.cases.publishing import publish_all
from workflows.organisations import passwords


@pytest.fixture(scope="session", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    """Hashes that cost nothing: hundreds of logins are not what these tests measure."""
    before = passwords._hasher
    passwords.use_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield
    passwords.use_hasher(before)


@pytest.fixture(scope="session")
def _worlds() -> dict[str, World]:
    return {}


@pytest.fixture
def web_database(sqlite_house: SqliteHouse, _worlds: dict[str, World]) -> Iterator[Database]:
    """A copy of the filled county."""

    def fill(database: Database) -> None:
        _worlds["web"] = county.fill(database)

    with sqlite_house.fresh("web", fill) as database:
        yield database


@pytest.fixture
def published_database(sqlite_house: SqliteHouse, _worlds: dict[str, World]) -> Iterator[Database]:
    """The same county with every process published; a test module overrides ``web_database`` with it."""

    def fill(database: Database) -> None:
        _worlds["web"] = county.fill(database)
        with database.transaction() as session:
            publish_all(session)

    with sqlite_house.fresh("web_published", fill) as database:
        yield database


@pytest.fixture
def world(web_database: Database, _worlds: dict[str, World]) -> World:
    """Who lives in the county: ids by name."""
    return _worlds["web"]


@pytest.fixture
def settings(web_database: Database, tmp_path: Path) -> Settings:
    keys = tmp_path / "keys.json"
    TEST_KEYRING.save(keys)
    return Settings(
        data_dir=tmp_path,
        database_url=web_database.url,
        public_url="http://localhost",
        keys_file=keys,
        queue_url="memory://",
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The whole application over the filled county."""
    with _running(settings) as made:
        yield made


@pytest.fixture
def demo_app(settings: Settings) -> Iterator[Flask]:
    """The same in the mode of the demonstration."""
    with _running(replace(settings, demo=True)) as made:
        yield made


@contextmanager
def _running(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False  # errors are answered, as for people
    try:
        yield app
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def guest(app: Flask) -> Browser:
    """Somebody who is not signed in."""
    return Browser(app)


@pytest.fixture
def sign_in(app: Flask) -> Callable[[str], Browser]:
    """A browser in which the named person has signed in: ``sign_in("zhao")``."""

    def signed_in(username: str) -> Browser:
        browser = Browser(app)
        browser.login(username, PASSWORD)
        return browser

    return signed_in
