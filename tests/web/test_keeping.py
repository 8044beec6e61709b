"""Backed up while people work, restored, moved: every row and file the same, and whoever tampers or interrupts is found out."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tests.conftest import TEST_KEYRING
from tests.databases import PostgresHouse, SqliteHouse
from tests.processes.conftest import _published
from tests.processes.stage import MONDAY, bring_to, paper, run_of
from tests.web.conftest import demo_settings
from webapp.cli import main
from webapp.config import Settings
from webapp.keeping import restore as restoring
from webapp.keeping.backup import DATABASE, FILES, MANIFEST, back_up, examine
from webapp.keeping.restore import move, restore
from webapp.keeping.rows import prints
from workflows.base import clock, installation
from workflows.base.errors import Conflict, Invalid
from workflows.base.files import FileStore, StoredFile
from workflows.base.installation import Installation, use_installation
from workflows.base.model import Base
from workflows.base.privacy import use_keyring
from workflows.base.session import Database
from workflows.cases import check, process
from workflows.cases.model import Case
from workflows.documents import issue


def with_cases(database: Database) -> None:
    """The county with a recognition under way: rows, files, papers, chains."""
    from webapp import models  # noqa: F401  # makes the metadata whole

    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        session.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    _published(database)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    TEST_KEYRING.save(tmp_path / "data" / "keys.json")
    return demo_settings(tmp_path / "data", "")


@pytest.fixture
def running(
    house: SqliteHouse | PostgresHouse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Database, Callable[[timedelta], None]]]:
    monkeypatch.setattr(issue, "render", paper)
    use_installation(Installation("http://localhost", True, FileStore(settings.files_dir)))
    process.forget()
    with house.fresh("kept", with_cases) as database, clock.frozen(MONDAY) as moved:
        bring_to(database, moved, "hrss_review")
        yield database, moved
    process.forget()


@pytest.fixture
def other(settings: Settings, tmp_path: Path) -> Settings:
    """Another machine: an empty place with the same keys."""
    TEST_KEYRING.save(tmp_path / "other" / "keys.json")
    return replace(
        settings,
        data_dir=tmp_path / "other",
        keys_file=tmp_path / "other" / "keys.json",
        database_url=f"sqlite:///{tmp_path / 'other' / 'wengang.db'}",
    )


@pytest.fixture
def empty_postgres(postgres_house: PostgresHouse) -> Iterator[str]:
    """A database in which nobody has made a table."""
    with postgres_house.fresh("bare", None) as database:
        with database.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        yield database.url


def whole(place: Settings) -> None:
    """The restored installation holds, every file can be read, and the case goes on to its end."""
    database = Database(place.database_url)
    process.forget()
    try:
        assert check.check(database) == []
        assert check.verify_everything(database) == []
        store = FileStore(place.files_dir)
        use_installation(Installation("http://localhost", True, store))
        with database.reading() as session:
            for row in session.scalars(select(StoredFile)):
                assert store.read(row)
        run = run_of(database, lambda _: None)
        content = run.scenarios.get("straight")
        line = next(one for one in content["walk"] if one.get("step") == "hrss_review")
        run.take(line, content)
        with database.reading() as session:
            assert session.get_one(Case, 1).chain_seq > 0
        assert check.check(database) == []
    finally:
        database.close()


@pytest.mark.parametrize("to", ["sqlite", "postgres"])
def test_a_backup_is_restored_to_either_database(
    running: tuple[Database, Callable[[timedelta], None]],
    settings: Settings,
    other: Settings,
    empty_postgres: str,
    tmp_path: Path,
    to: str,
) -> None:
    database, _ = running
    made = back_up(replace(settings, database_url=database.url), database, tmp_path / "backups")
    manifest = examine(made)
    assert manifest["files"]
    assert not list(made.rglob("*keys*"))
    place = other if to == "sqlite" else replace(other, database_url=empty_postgres)
    restore(place, made)
    with database.engine.connect() as old:
        before = prints(old)
    restored = Database(place.database_url)
    with restored.engine.connect() as new:
        assert prints(new) == before
    with (
        pytest.raises(DBAPIError),  # the triggers came along
        restored.transaction() as session,
    ):
        session.execute(text("UPDATE events SET kind = 'x'"))
    restored.close()
    whole(place)
    with pytest.raises(Conflict, match="已有文件"):
        restore(place, made)
    shutil.rmtree(place.files_dir)
    with pytest.raises(Conflict, match="不是空的"):
        restore(place, made)


def test_what_was_tampered_with_or_interrupted_is_found_out(
    running: tuple[Database, Callable[[timedelta], None]], settings: Settings, other: Settings, tmp_path: Path
) -> None:
    database, _ = running
    installed = replace(settings, database_url=database.url)
    made = back_up(installed, database, tmp_path / "backups")
    file = next((made / FILES).glob("??/*"))
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(Invalid, match="文件"):
        restore(other, made)
    file.unlink()
    with pytest.raises(Invalid, match="文件"):
        examine(made)
    file.write_bytes(content)
    assert examine(made)
    copy = made / DATABASE
    whole_copy = copy.read_bytes()
    copy.write_bytes(whole_copy[:-1] + b"\1")
    with pytest.raises(Invalid, match="与清单不一致"):
        examine(made)
    copy.write_bytes(whole_copy)
    manifest = json.loads((made / MANIFEST).read_text())
    manifest["database"]["tables"]["cases"]["rows"] += 1
    (made / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(Invalid, match="cases"):
        examine(made)
    (made / MANIFEST).write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(Invalid, match="格式"):
        examine(made)
    (made / MANIFEST).unlink()
    with pytest.raises(Invalid, match="不是完整的备份"):
        restore(other, made)


def test_other_keys_and_lost_files_are_said(
    running: tuple[Database, Callable[[timedelta], None]], settings: Settings, other: Settings, tmp_path: Path
) -> None:
    database, _ = running
    installed = replace(settings, database_url=database.url)
    made = back_up(installed, database, tmp_path / "backups")
    other.keys_file.unlink()
    type(TEST_KEYRING).generate().save(other.keys_file)
    with pytest.raises(Invalid, match="密钥文件里没有这份备份用的密钥"):
        restore(other, made)
    next(settings.files_dir.glob("??/*")).unlink()
    with pytest.raises(Invalid, match="缺少文件"):
        back_up(installed, database, tmp_path / "later")
    with pytest.raises(Invalid, match="不是完整的备份"):
        examine(next((tmp_path / "later").iterdir()))


@contextmanager
def people_working(database: Database, moved: Callable[[timedelta], None]) -> Iterator[None]:
    """Cases are begun and files attached all the time; some are, and none fails."""
    stop, failed, done = threading.Event(), [], [0]

    def work() -> None:
        number = 2
        while not stop.is_set():
            try:
                bring_to(database, moved, "township_acceptance", employer=number % 8 + 1, seed=number)
                done[0] += 1
            except Exception as error:
                failed.append(error)
                return
            number += 1

    crew = threading.Thread(target=work)
    crew.start()
    try:
        yield
        while not done[0] and crew.is_alive():  # whatever was quick: they were at it
            time.sleep(0.05)
    finally:
        stop.set()
        crew.join(60)
    assert failed == []
    assert done[0] > 0


def test_people_work_while_the_backup_runs(
    running: tuple[Database, Callable[[timedelta], None]], settings: Settings, other: Settings, tmp_path: Path
) -> None:
    """The picture is of one moment, and holds."""
    database, moved = running
    installed = replace(settings, database_url=database.url)
    with people_working(database, moved):
        backups = [back_up(installed, database, tmp_path / f"b{n}") for n in range(3)]
    counts = [examine(one)["database"]["tables"]["cases"]["rows"] for one in backups]
    assert counts == sorted(counts)
    restore(other, backups[-1])
    whole(other)


def test_a_county_moves_from_sqlite_to_postgres(
    sqlite_house: SqliteHouse, settings: Settings, empty_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issue, "render", paper)
    use_installation(Installation("http://localhost", True, FileStore(settings.files_dir)))
    process.forget()
    with sqlite_house.fresh("kept", with_cases) as database, clock.frozen(MONDAY) as moved:
        bring_to(database, moved, "hrss_review")
        installed = replace(settings, database_url=database.url)
        there = move(installed, database, empty_postgres)
        with database.engine.connect() as old:
            assert prints(old) == there
        whole(replace(settings, database_url=empty_postgres))
        with pytest.raises(Conflict, match="不是空的"):
            move(installed, database, empty_postgres)
        postgres = Database(empty_postgres)
        with pytest.raises(Invalid, match="只支持从 SQLite"):
            move(installed, postgres, database.url)
        postgres.close()
    process.forget()


def test_a_restore_that_died_is_begun_again(
    running: tuple[Database, Callable[[timedelta], None]],
    settings: Settings,
    other: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database, _ = running
    made = back_up(replace(settings, database_url=database.url), database, tmp_path / "backups")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(restoring, "require_same", die)
        with pytest.raises(KeyboardInterrupt):
            restore(other, made)
    restore(other, made)
    whole(other)


def wengang(*arguments: object, status: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert result.exit_code == status, f"{result.output}\n{result.exception!r}"
    return result


def test_the_commands_of_a_night_and_of_the_morning_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """backup with the keys apart, check-backup, restore elsewhere."""
    before = installation._installation
    monkeypatch.setenv("WENGANG_DEMO", "1")
    monkeypatch.setenv("WENGANG_DATA_DIR", str(tmp_path / "one"))
    wengang("init-keys")
    wengang("migrate")
    assert (
        "不能和备份放在同一个文件夹"
        in wengang("backup", tmp_path / "b", "--keys", tmp_path / "b", status=1).stderr
    )
    made = json.loads(wengang("backup", tmp_path / "b", "--keys", tmp_path / "k").stdout)
    (kept,) = (tmp_path / "k").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert made["rows"] > 10
    assert "备份完整" in wengang("check-backup", made["backup"]).stderr
    monkeypatch.setenv("WENGANG_DATA_DIR", str(tmp_path / "two"))
    assert "密钥文件不存在" in wengang("restore", made["backup"], status=1).stderr
    (tmp_path / "two").mkdir(exist_ok=True)
    shutil.copy(kept, tmp_path / "two" / "keys.json")
    assert json.loads(wengang("restore", made["backup"]).stdout)["rows"] == made["rows"]
    assert json.loads(wengang("audit", "verify").stdout)["ok"]
    assert "只支持从 SQLite" not in wengang("move", "--to", "mysql://nowhere", status=1).stderr
    use_keyring(TEST_KEYRING)
    installation._installation = before
