"""The application of the web tests: a filled county, and a browser for each person."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from tests.conftest import TEST_KEYRING
from tests.databases import PostgresHouse, SqliteHouse
from tests.web import money_cases, officer_cases
from tests.web import world as county
from tests.web.client import Browser
from tests.web.officer_cases import Filled
from tests.web.world import PASSWORD, World
from webapp.app import create_app
from webapp.config import Settings
from webapp.database import db
from workflows.base import clock as wengang_clock
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.session import Database
from workflows.cases import check, process
from workflows.cases.publishing import publish_all
from workflows.organisations import passwords
from workflows.organisations.passwords import DEMO_PASSWORD


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


@dataclass
class OfficerPlace:
    """Where cases for officers' pages lie: their files, their ids once they are made, and what makes them."""

    folder: Path
    filled: Filled | None = None
    template: str = "officer"
    fill: Callable[[Database], Filled] = officer_cases.fill


@pytest.fixture(scope="session")
def _officer_place(tmp_path_factory: pytest.TempPathFactory) -> OfficerPlace:
    folder = tmp_path_factory.mktemp("officer")
    TEST_KEYRING.save(folder / "keys.json")
    return OfficerPlace(folder)


@pytest.fixture
def officer_house(sqlite_house: SqliteHouse) -> SqliteHouse | PostgresHouse:
    """Where those cases lie; a module that shows something of PostgreSQL too overrides it, and their place."""
    return sqlite_house


@pytest.fixture
def officer_database(
    officer_house: SqliteHouse | PostgresHouse, _officer_place: OfficerPlace
) -> Iterator[Database]:
    """The demonstration county with cases at the steps that officers' pages are about."""

    def fill(database: Database) -> None:
        use_installation(Installation("http://localhost", True, FileStore(_officer_place.folder / "files")))
        _officer_place.filled = _officer_place.fill(database)

    process.forget()
    with officer_house.fresh(_officer_place.template, fill) as database:
        yield database
    process.forget()


@pytest.fixture
def cases(officer_database: Database, _officer_place: OfficerPlace) -> Filled:
    """Ids of those cases, by name."""
    assert _officer_place.filled is not None
    return _officer_place.filled


def demo_settings(folder: Path, url: str) -> Settings:
    """A demonstration whose data and keys lie in a folder, over a database."""
    return Settings(
        data_dir=folder,
        database_url=url,
        public_url="http://localhost",
        keys_file=folder / "keys.json",
        queue_url="memory://",
        demo=True,
    )


@pytest.fixture
def officer_settings(officer_database: Database, _officer_place: OfficerPlace, tmp_path: Path) -> Settings:
    """Those cases and a copy of their files."""
    data = tmp_path / "data"
    shutil.copytree(_officer_place.folder, data)
    return demo_settings(data, officer_database.url)


@pytest.fixture
def officer_app(officer_settings: Settings) -> Iterator[Flask]:
    """The application over those cases."""
    with _running(officer_settings) as made:
        yield made


@pytest.fixture
def move(cases: Filled) -> Iterator[Callable[[timedelta], None]]:
    """Time stands still two hours after the cases were made; call it to move on."""
    with wengang_clock.frozen(officer_cases.MONDAY + timedelta(hours=2)) as moved:
        yield moved


@pytest.fixture
def enter(officer_app: Flask, move: object) -> Callable[[str], Browser]:
    """A browser in which one of the demonstration's people has signed in: ``enter("renshe.a")``."""

    def entered(username: str) -> Browser:
        browser = Browser(officer_app)
        browser.login(username, DEMO_PASSWORD)
        return browser

    return entered


@pytest.fixture(scope="session")
def _money_place(tmp_path_factory: pytest.TempPathFactory) -> OfficerPlace:
    folder = tmp_path_factory.mktemp("money")
    TEST_KEYRING.save(folder / "keys.json")
    return OfficerPlace(folder)


@pytest.fixture
def money_database(
    sqlite_house: SqliteHouse, _money_place: OfficerPlace, request: pytest.FixtureRequest
) -> Iterator[Database]:
    """The demonstration county with claims at the steps that pages of money are about; checked whole at the end."""

    def fill(database: Database) -> None:
        use_installation(Installation("http://localhost", True, FileStore(_money_place.folder / "files")))
        _money_place.filled = money_cases.fill(database)

    process.forget()
    with sqlite_house.fresh("money", fill) as database:
        yield database
        if not request.node.get_closest_marker("tampers"):
            assert check.check(database) == []
    process.forget()


@pytest.fixture
def claims(money_database: Database, _money_place: OfficerPlace) -> Filled:
    """Ids of those claims, by name."""
    assert _money_place.filled is not None
    return _money_place.filled


@pytest.fixture
def money_app(money_database: Database, _money_place: OfficerPlace, tmp_path: Path) -> Iterator[Flask]:
    """The application over those claims and a copy of their files."""
    data = tmp_path / "data"
    shutil.copytree(_money_place.folder, data)
    settings = Settings(
        data_dir=data,
        database_url=money_database.url,
        public_url="http://localhost",
        keys_file=data / "keys.json",
        queue_url="memory://",
        demo=True,
    )
    with _running(settings) as made:
        yield made


@pytest.fixture
def later(claims: Filled) -> Iterator[Callable[[timedelta], None]]:
    """Time stands still 20 days after the claims were made; call it to move on."""
    with wengang_clock.frozen(officer_cases.MONDAY + timedelta(days=20)) as moved:
        yield moved


@pytest.fixture
def office(money_app: Flask, later: object) -> Callable[[str], Browser]:
    """A browser in which one of the demonstration's people has signed in: ``office("caizheng.clerk")``."""

    def entered(username: str) -> Browser:
        browser = Browser(money_app)
        browser.login(username, DEMO_PASSWORD)
        return browser

    return entered


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


class _Compiled(BytecodeCache):
    """Templates compiled once for all applications of this run: each test makes its own application."""

    codes: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.codes:
            bucket.bytecode_from_string(self.codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.codes[bucket.key] = bucket.bytecode_to_string()


@contextmanager
def _running(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.jinja_env.bytecode_cache = _Compiled()
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


@pytest.fixture
def zheng(sign_in: Callable[[str], Browser]) -> Browser:
    """The clerk of a small firm, signed in."""
    return sign_in("zheng")


@pytest.fixture
def headings(web_database: Database) -> list[str]:
    """The columns of 车间认定's roster."""
    with web_database.reading() as session:
        definition = process.newest(session, "workshop_recognition").roster
    assert definition is not None
    return [column.label for column in definition.columns]
