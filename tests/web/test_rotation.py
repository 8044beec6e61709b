"""Keys rotate while people work: everything is under the new key, nothing is lost, every chain verifies as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from tests.conftest import TEST_KEYRING
from tests.web.test_keeping import other, people_working, running, settings, whole
from webapp.config import Settings
from webapp.keeping import rotation
from webapp.keeping.backup import back_up
from webapp.keeping.restore import restore
from workflows.base import privacy
from workflows.base.errors import Conflict, Invalid
from workflows.base.files import FileStore, StoredFile
from workflows.base.privacy import Keyring, keyring, unseal, use_keyring
from workflows.base.session import Database
from workflows.cases import check
from workflows.cases.model import Decision

__all__ = ["other", "running", "settings"]


@pytest.fixture(autouse=True)
def _keys_of_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rotation, "SETTLE", 0.0)
    yield
    use_keyring(TEST_KEYRING)


@pytest.fixture
def placed(running: tuple[Database, Callable[[timedelta], None]], settings: Settings) -> Settings:
    database, _ = running
    return replace(settings, database_url=database.url)


def old_rows(database: Database, name: str) -> int:
    """Cells under a key."""
    mark = Keyring.mark(name)
    with database.engine.connect() as connection:
        return sum(
            str(value).startswith(mark)
            for table in rotation.enciphered()
            for row in connection.execute(select(*rotation.columns_of(table)))
            for value in row
            if value is not None
        )


@pytest.mark.parametrize("crypto", ["standard", "gm"])
def test_everything_comes_under_the_new_key(
    running: tuple[Database, Callable[[timedelta], None]], placed: Settings, crypto: str
) -> None:
    database, _ = running
    placed = replace(placed, crypto=crypto)
    before = old_rows(database, "test")
    assert before > 50
    done = rotation.rotate(placed, database)
    assert (done.rows, done.unused) == (before, ("test",))
    assert done.files > 0
    assert (old_rows(database, "test"), old_rows(database, done.key) >= before) == (0, True)
    assert placed.keys_file.stat().st_mode & 0o777 == 0o600
    assert placed.load_keyring().suite == crypto
    whole(placed)
    with pytest.raises(DBAPIError), database.transaction() as session:  # the guard is back in its place
        session.execute(update(Decision).values(step="x"))
    rotation.retire(placed, database, "test")
    assert placed.load_keyring().names == (done.key,)
    with database.reading() as session:
        store = FileStore(placed.files_dir)
        assert all(store.read(row) for row in session.scalars(select(StoredFile)))
    with pytest.raises(Invalid, match="不是可以停用的密钥"):
        rotation.retire(placed, database, done.key)


def test_what_was_interrupted_is_finished_with_the_key_it_made(
    running: tuple[Database, Callable[[timedelta], None]], placed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = running

    def die(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_file", die)
        with pytest.raises(KeyboardInterrupt):
            rotation.rotate(placed, database)
    names = placed.load_keyring().names
    assert len(names) == 2
    with pytest.raises(Conflict, match="处使用旧密钥"):
        rotation.retire(placed, database, "test")
    assert rotation.rotate(placed, database).key == names[-1]
    assert placed.load_keyring().names == names
    assert (names[-1], rotation.rotate(placed, database).key) == ("k0001", "k0002")
    assert check.verify_everything(database) == []


def test_people_write_while_the_keys_rotate(
    running: tuple[Database, Callable[[timedelta], None]], placed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, moved = running
    monkeypatch.setattr(rotation, "BATCH", 5)
    with people_working(database, moved):
        made = rotation.rotate(placed, database)
    assert old_rows(database, "test") == 0
    assert made.rows > 50
    assert check.check(database) == []
    assert check.verify_everything(database) == []


def test_a_process_learns_of_a_key_from_the_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.json"
    Keyring.generate().save(file)
    use_keyring(Keyring.load(file), file)
    newer = Keyring.load(file).with_new_key()
    sealed = newer.encrypt("赵晓梅".encode())
    with pytest.raises(KeyError):
        unseal(sealed)
    newer.save(file, replace=True)
    assert unseal(sealed).decode() == "赵晓梅"  # at once, though it looked a moment ago
    assert keyring().names == newer.names
    newest = newer.with_new_key()
    newest.save(file, replace=True)
    monkeypatch.setattr(privacy._current, "looked", 0.0)
    assert keyring().names == newest.names == ("k1", "k0002", "k0003")
    with pytest.raises(ValueError, match="k0003"):
        newest.without("k0003")


def test_a_backup_of_before_is_restored_with_its_key(
    running: tuple[Database, Callable[[timedelta], None]], placed: Settings, other: Settings, tmp_path: Path
) -> None:
    database, _ = running
    made = back_up(placed, database, tmp_path / "backups")
    done = rotation.rotate(placed, database)
    kept = placed.keys_file.read_bytes()
    rotation.retire(placed, database, "test")
    other.keys_file.write_bytes(placed.keys_file.read_bytes())
    with pytest.raises(Invalid, match="test:"):
        restore(other, made)
    other.keys_file.write_bytes(kept)
    restore(other, made)
    restored = Database(other.database_url)
    use_keyring(other.load_keyring(), other.keys_file)
    assert (old_rows(restored, "test") > 50, old_rows(restored, done.key)) == (True, 0)
    with restored.reading() as session:
        assert session.execute(text("SELECT count(*) FROM people")).scalar()
    restored.close()
