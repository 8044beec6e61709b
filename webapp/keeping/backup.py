"""A backup: the database at one moment, every file that it names, and a manifest that is written last. Keys lie elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, select, text

from webapp.config import Settings
from webapp.keeping.rows import Print, copy, prints, tables
from webapp.progress import Progress
from workflows.base.clock import SHANGHAI, now
from workflows.base.errors import Invalid
from workflows.base.files import StoredFile
from workflows.base.session import Database

DATABASE, FILES, MANIFEST = "database.sqlite3", "files", "manifest.json"
FORMAT = 1


def back_up(settings: Settings, database: Database, folder: Path, progress: Progress | None = None) -> Path:
    """Write a backup into a new folder beneath ``folder``; people may work meanwhile.

    The database comes first: a file is stored before its row, and never changed. What was interrupted has no manifest.

    :returns: the backup's own folder.
    """
    moment = now()
    target = folder / f"wengang-{moment.astimezone(SHANGHAI):%Y%m%d-%H%M%S}"
    target.mkdir(parents=True, mode=0o700)
    copied = target / DATABASE
    if database.engine.dialect.name == "sqlite":
        _copy_pages(Path(str(database.engine.url.database)), copied)
    else:
        _copy_rows(database, copied)
    with opened(copied) as connection:
        sums = prints(connection, progress)
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
        tokens = connection.scalars(select(StoredFile.token).order_by(StoredFile.id)).all()
        anchor = connection.execute(text("SELECT day, hash FROM anchors ORDER BY day DESC LIMIT 1")).first()
    files = {token: _take(settings.files_dir, target / FILES, token) for token in tokens}
    manifest = {
        "format": FORMAT,
        "release": version("wengang"),
        "revision": revision,
        "made_at": moment.isoformat(),
        "database": {"sha256": sha256(copied), "tables": {name: asdict(one) for name, one in sums.items()}},
        "files": files,
        "keys": settings.load_keyring().fingerprints(),
        "anchor": {"day": str(anchor[0]), "hash": anchor[1]} if anchor else None,
    }
    draft = target / f"{MANIFEST}.draft"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(manifest, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(target / MANIFEST)
    return target


def _copy_pages(source: Path, target: Path) -> None:
    """SQLite's own way to copy a database that is written to: one moment of it, without stopping anybody."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")
    target.chmod(0o600)


def _copy_rows(database: Database, target: Path) -> None:
    """PostgreSQL at one moment (REPEATABLE READ), as rows in a file that either database can be restored from."""
    snapshot = database.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as source, opened(target) as new:
        tables()[0].metadata.create_all(new)
        new.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        revision = source.scalar(text("SELECT version_num FROM alembic_version"))
        new.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
        copy(source, new)
        new.commit()
    target.chmod(0o600)


@contextmanager
def opened(file: Path) -> Iterator[Connection]:
    """A connection to a backup's database: a plain file, with nothing beside it."""
    engine = create_engine(f"sqlite:///{file}")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _take(source: Path, target: Path, token: str) -> str:
    """Copy one stored file; its hash. Raises ``Invalid`` when it is not there: the installation itself is damaged."""
    place = target / token[:2] / token
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source / token[:2] / token, place)
    except FileNotFoundError:
        raise Invalid(
            f"数据目录里缺少文件 {token[:8]}…，备份没有完成。请先从以前的备份恢复这个文件，再重新备份。"
        ) from None
    return sha256(place)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a backup. Raises ``Invalid`` for a folder that is none, or one that was interrupted."""
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise Invalid(f"{folder} 不是完整的备份：没有清单（{MANIFEST}），可能备份时中断了。") from None
    if found.get("format") != FORMAT:
        raise Invalid(f"{folder} 的备份格式是 {found.get('format')}，这个版本的系统读不了。")
    return found


def examine(folder: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Check a backup against its manifest without any installation; the manifest.

    :raises Invalid: something is missing or was altered; the message names it.
    """
    manifest = read_manifest(folder)
    file = folder / DATABASE
    if not file.is_file() or sha256(file) != manifest["database"]["sha256"]:
        raise Invalid(f"{file} 不存在或者与清单不一致，这份备份不能用。")
    with opened(file) as connection:
        sums = prints(connection, progress)
    wanted = {name: Print(**one) for name, one in manifest["database"]["tables"].items()}
    wrong = [name for name in wanted if sums.get(name) != wanted[name]]
    for token, digest in manifest["files"].items():
        place = folder / FILES / token[:2] / token
        if not place.is_file() or sha256(place) != digest:
            wrong.append(f"文件 {token[:8]}…")
    if wrong:
        raise Invalid(f"备份与清单不一致：{'、'.join(wrong[:10])}，这份备份不能用。")
    return manifest


def made_at(manifest: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(manifest["made_at"])
