"""A later release comes: open cases go on to their end, and a migration that fails leaves the database as it was.

There is no later release yet, so one is made up: a second migration beside the first, and a process whose text changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from flask_migrate import upgrade
from sqlalchemy import inspect, select, text

from tests.conftest import TEST_KEYRING
from tests.databases import PostgresHouse, SqliteHouse
from tests.processes.conftest import BEFORE
from tests.processes.reward_stage import reward
from tests.processes.stage import MONDAY, bring_to, paper
from webapp.app import create_app
from webapp.config import Settings
from webapp.database import db
from workflows.base import clock
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.session import Database
from workflows.cases import check, process
from workflows.cases.model import Case, ProcessVersion
from workflows.cases.publishing import publish_all, publish_process
from workflows.documents import issue
from workflows.registers.demo_county import load

MIGRATIONS = Path(str(files("webapp"))) / "migrations"
LATER = '''"""a later release"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    with op.batch_alter_table("employers") as table:
        table.add_column(sa.Column("website", sa.Text(), nullable=True))
    op.execute("UPDATE employers SET website = 'https://example'")
    {then}
'''


@pytest.fixture
def settings(
    house: SqliteHouse | PostgresHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """A database made by the first migration, the county in it."""
    monkeypatch.setattr(issue, "render", paper)
    TEST_KEYRING.save(tmp_path / "keys.json")
    use_installation(Installation("http://localhost", True, FileStore(tmp_path / "files")))
    process.forget()
    with house.fresh("bare", None) as database:
        with database.engine.begin() as connection:
            drop(connection)
        made = Settings(
            data_dir=tmp_path,
            database_url=database.url,
            public_url="http://localhost",
            keys_file=tmp_path / "keys.json",
            queue_url="memory://",
            demo=True,
        )
        migrate(made, MIGRATIONS)
        with clock.frozen(BEFORE), database.transaction() as session:
            load(session, demonstration=True)
            publish_all(session)
        yield made
    process.forget()


def drop(connection) -> None:  # type: ignore[no-untyped-def]
    """Nothing is left of what the tests' template made: the migration makes everything."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        return
    connection.execute(text("PRAGMA foreign_keys = OFF"))
    for kind, name in connection.execute(
        text("SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'table') ORDER BY type DESC")
    ).all():
        if not name.startswith("sqlite_"):
            connection.execute(text(f"DROP {kind} {name}"))


def migrate(settings: Settings, folder: Path) -> None:
    app = create_app(settings)
    try:
        with app.app_context():
            upgrade(directory=str(folder))
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def later(tmp_path: Path, then: str = "pass") -> Path:
    """The migrations of the later release."""
    folder = tmp_path / "later"
    shutil.copytree(MIGRATIONS, folder)
    (folder / "versions" / "0002_later.py").write_text(LATER.format(then=then), encoding="utf-8")
    return folder


def opened(database: Database, move: Callable[[timedelta], None]) -> list[Callable[[], str]]:
    """Cases in the middle of their way, each with how it goes on to its end."""
    recognition = bring_to(database, move, "hrss_review")
    claim = reward(database, move, "recheck", employer=2, seed=2)

    def go_on(run, first: str) -> str:  # type: ignore[no-untyped-def]
        content = run.scenarios.get("straight")
        steps = [action.get("step") for action in content["walk"]]
        for action in content["walk"][steps.index(first) :]:
            run.take(action, content)
        run.walk.work()
        return str(run.walk.status())

    return [lambda: go_on(recognition, "hrss_review"), lambda: go_on(claim, "recheck")]


def test_open_cases_go_on_to_their_end(settings: Settings, tmp_path: Path) -> None:
    database = Database(settings.database_url)
    with clock.frozen(MONDAY) as move:
        ways = opened(database, move)
        migrate(settings, later(tmp_path))
        with database.engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM employers WHERE website IS NULL")) == 0
            assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0002"
        changed = tmp_path / "bpmn"
        shutil.copytree(str(files("bpmn")), changed)
        config = changed / "workshop_recognition" / "process.yaml"
        config.write_text(config.read_text("utf-8").replace("title: ", "title: 新版", 1), encoding="utf-8")
        with database.transaction() as session:
            version = publish_process(session, "workshop_recognition", bpmn=changed)
            assert version is not None
            assert version.number == 2
        process.forget()
        assert check.check(database) == []
        assert [go_on() for go_on in ways] == ["recognised", "paid"]
        with database.reading() as session:
            numbers = session.scalars(
                select(ProcessVersion.number).join(Case, Case.version_id == ProcessVersion.id)
            ).all()
        assert set(numbers) == {1}  # what began under a text ends under it
        assert check.check(database) == []
        assert check.verify_everything(database) == []
    database.close()


def test_a_migration_that_fails_leaves_everything_as_it_was(settings: Settings, tmp_path: Path) -> None:
    database = Database(settings.database_url)
    with clock.frozen(MONDAY) as move:
        ways = opened(database, move)
        with pytest.raises(ValueError, match="in the middle"):
            migrate(settings, later(tmp_path, "raise ValueError('in the middle')"))
        with database.engine.connect() as connection:
            assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0001"
            assert "website" not in {one["name"] for one in inspect(connection).get_columns("employers")}
        assert check.check(database) == []
        assert ways[1]() == "paid"
        shutil.rmtree(tmp_path / "later")
        migrate(replace(settings), later(tmp_path))
        assert ways[0]() == "recognised"
    database.close()
