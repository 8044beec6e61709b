"""A new key for everything that is enciphered, beside people's work.

The keys file is replaced first; every process that runs follows within a second, and reads what is under an unknown key by looking
at the file again. Then each row under an older key is enciphered anew, in small transactions that change nothing that changed
meanwhile. What stands in the chains is a digest of the plain text: they verify as before.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import DDL, ColumnElement, Connection, Row, Table, and_, func, or_, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from webapp.config import Settings
from webapp.keeping.rows import tables
from webapp.progress import Progress
from workflows.audit.model import append_only_ddl
from workflows.audit.record import record, stream
from workflows.base.errors import Conflict, Invalid
from workflows.base.model import Base
from workflows.base.privacy import EncryptedJson, EncryptedText, Keyring, unseal, use_keyring
from workflows.base.session import Database

BATCH = 200
#: Seconds after which every process has seen the new file: they look once a second.
SETTLE = 2.5
PASSES, ATTEMPTS = 10, 5


@dataclass(frozen=True)
class Rotated:
    """The key that everything is under now, how many rows and files were changed, and the keys that nothing uses any more."""

    key: str
    rows: int
    files: int
    unused: tuple[str, ...]


def rotate(settings: Settings, database: Database, progress: Progress | None = None) -> Rotated:
    """Make a new key and encipher everything anew; one that was interrupted is finished with the key it made."""
    ring = settings.load_keyring()
    if len(ring.names) == 1 or not _behind(database, settings.files_dir, ring.names[-1]):
        ring = ring.with_new_key(settings.crypto)
        ring.save(settings.keys_file, replace=True)
    use_keyring(ring, settings.keys_file)
    time.sleep(SETTLE)
    newest, rows = ring.names[-1], 0
    total = _behind(database, settings.files_dir, newest)
    for _ in range(PASSES):
        before = rows
        for table in enciphered():
            for changed in _anew(database, table, ring):
                rows += changed
                if progress:
                    progress(min(rows, total), total)
        if rows == before:
            break
    files = sum(_file(path, ring) for path in _stored(settings.files_dir))
    if progress:
        progress(max(total, 1), max(total, 1))
    left = _behind(database, settings.files_dir, newest)
    if left:
        raise Conflict(f"还有 {left} 处使用旧密钥，请再执行一次 wengang rotate-keys。")
    with database.transaction() as session:
        record(
            session,
            stream(session, "organisation"),
            "keys-rotated",
            actor_id=None,
            payload={"key": newest, "rows": rows, "files": files},
        )
    return Rotated(newest, rows, files, ring.names[:-1])


def retire(settings: Settings, database: Database, name: str) -> None:
    """Take an old key out of the keys file. Raises ``Invalid`` for the newest and ``Conflict`` while anything uses it."""
    ring = settings.load_keyring()
    try:
        smaller = ring.without(name)
    except ValueError:
        known = "、".join(ring.names[:-1]) or "（没有）"
        raise Invalid(f"{name} 不是可以停用的密钥。可以停用的旧密钥：{known}。") from None
    used = _behind(database, settings.files_dir, ring.names[-1])
    if used:
        raise Conflict(f"还有 {used} 处使用旧密钥，请先执行 wengang rotate-keys。")
    smaller.save(settings.keys_file, replace=True)
    use_keyring(smaller, settings.keys_file)


def enciphered() -> list[Table]:
    """The tables that hold enciphered texts, as they are stored."""
    return [table for table in tables() if columns_of(table)]


def columns_of(table: Table) -> list[Any]:
    """A table's enciphered columns."""
    model = Base.metadata.tables[table.name]
    return [table.c[one.name] for one in model.columns if isinstance(one.type, EncryptedText | EncryptedJson)]


def _older(table: Table, newest: str) -> ColumnElement[bool]:
    mark = Keyring.mark(newest)
    return or_(*(column.not_like(f"{mark}%") for column in columns_of(table)))


def _behind(database: Database, files: Path, newest: str) -> int:
    """Rows and files under an older key."""
    with database.engine.connect() as connection:
        rows = sum(
            connection.scalar(select(func.count()).select_from(table).where(_older(table, newest))) or 0
            for table in enciphered()
        )
    return rows + sum(_name(path) != newest for path in _stored(files))


def _stored(folder: Path) -> list[Path]:
    return [path for path in folder.glob("??/*") if path.suffix != ".new"]


def _name(path: Path) -> str:
    with path.open("rb") as file:
        return Keyring.name_of(file.read(256))


def _anew(database: Database, table: Table, ring: Keyring) -> Iterator[int]:
    """Encipher the older rows of a table, some at a time; how many each time."""
    keys, columns = list(table.primary_key.columns), columns_of(table)
    last: Row[Any] | None = None
    while True:
        wanted = select(*keys, *columns).where(_older(table, ring.names[-1])).order_by(*keys).limit(BATCH)
        if last is not None:
            wanted = wanted.where(_after(keys, last))
        with database.engine.connect() as connection:
            rows = connection.execute(wanted).all()
        if not rows:
            return
        yield _batch(database, table, rows, ring)
        last = rows[-1]


def _batch(database: Database, table: Table, rows: Sequence[Row[Any]], ring: Keyring) -> int:
    """Some rows in a transaction of their own."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with database.transaction() as session:
                return _write(session, table, rows, ring)
        except OperationalError:  # somebody's action met ours the other way round: theirs goes first
            if attempt == ATTEMPTS:
                raise
            time.sleep(0.2 * attempt)
    raise AssertionError("the last attempt returns or raises")


def _after(keys: list[Any], last: Row[Any]) -> ColumnElement[bool]:
    """Rows behind one in the order of the key."""
    return or_(
        *(
            and_(*(one == last._mapping[one.name] for one in keys[:place]), key > last._mapping[key.name])
            for place, key in enumerate(keys)
        )
    )


def _write(session: Session, table: Table, rows: Sequence[Row[Any]], ring: Keyring) -> int:
    connection = session.connection()
    changed = 0
    with _unlocked(connection, table):
        for row in rows:
            for column in columns_of(table):
                old = row._mapping[column.name]
                if old is None or old.startswith(Keyring.mark(ring.names[-1])):
                    continue
                new = base64.b64encode(ring.encrypt(unseal(base64.b64decode(old)))).decode()
                same = [key == row._mapping[key.name] for key in table.primary_key.columns]
                # a row that somebody wrote meanwhile is left: it is under the new key
                changed += connection.execute(
                    update(table).where(*same, column == old).values({column.name: new})
                ).rowcount
    return changed


@contextmanager
def _unlocked(connection: Connection, table: Table) -> Iterator[None]:
    """A table that refuses changes takes this one: its plain text stays, and the guard is back before the transaction ends."""
    names = _guards(connection, table)
    for name in names:
        on = f" ON {table.name}" if connection.dialect.name == "postgresql" else ""
        connection.execute(text(f"DROP TRIGGER {name}{on}"))
    yield
    for statement in append_only_ddl(table.name, connection.dialect.name) if names else ():
        if statement.startswith("CREATE TRIGGER"):
            connection.execute(DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]  # SQLAlchemy types it so


def _guards(connection: Connection, table: Table) -> list[str]:
    if connection.dialect.name == "sqlite":
        found = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    else:
        found = text("SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND NOT tgisinternal")
    return [
        name
        for name in connection.scalars(found, {"table": table.name})
        if "append_only" in name or "_no_" in name
    ]


def _file(path: Path, ring: Keyring) -> bool:
    """Encipher one stored file anew, whole or not at all; whether it was under an older key."""
    if _name(path) == ring.names[-1]:
        return False
    draft = path.with_name(f"{path.name}.new")
    handle = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(ring.encrypt(unseal(path.read_bytes())))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return True
