"""A county with a running 公示, a certificate and a register, in place of the one of the other web tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TEST_KEYRING
from tests.databases import SqliteHouse
from tests.web import public_world
from tests.web.public.world import Mover
from tests.web.public_world import PublicWorld
from webapp.config import Settings
from workflows.base import clock as wengang_clock
from workflows.base.session import Database
from workflows.cases import process


@pytest.fixture(scope="session")
def _public_worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, PublicWorld]]:
    folder = tmp_path_factory.mktemp("public")
    TEST_KEYRING.save(folder / "keys.json")
    return folder, {}


@pytest.fixture
def web_database(
    sqlite_house: SqliteHouse, _public_worlds: tuple[Path, dict[str, PublicWorld]]
) -> Iterator[Database]:
    """In place of the county of the other web tests: one with a running 公示 and a certificate."""
    folder, worlds = _public_worlds

    def make(database: Database) -> None:
        worlds["public"] = public_world.fill(database, folder)

    process.forget()
    with sqlite_house.fresh("public", make) as database:
        yield database
    process.forget()


@pytest.fixture
def public(web_database: Database, _public_worlds: tuple[Path, dict[str, PublicWorld]]) -> PublicWorld:
    return _public_worlds[1]["public"]


@pytest.fixture
def settings(
    web_database: Database, _public_worlds: tuple[Path, dict[str, PublicWorld]], tmp_path: Path
) -> Settings:
    data = tmp_path / "data"
    shutil.copytree(_public_worlds[0], data)
    return Settings(
        data_dir=data,
        database_url=web_database.url,
        public_url="http://localhost",
        keys_file=data / "keys.json",
        queue_url="memory://",
    )


@pytest.fixture(autouse=True)
def move(public: PublicWorld) -> Iterator[Mover]:
    """Time stands still while the 公示 runs; move it on by calling."""
    with wengang_clock.frozen(public.at) as moved:
        yield moved
