"""A backup put back, or the rows of one database moved to another: into an empty place only, and proved afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import Connection

from webapp.app import create_app
from webapp.config import Settings
from webapp.database import db
from webapp.keeping.backup import DATABASE, FILES, examine, opened
from webapp.keeping.rows import Print, copy, prints, require_empty, require_same
from webapp.progress import Progress
from workflows.base.errors import Conflict, Invalid
from workflows.base.session import WRITE, Database, writers_turn


def restore(settings: Settings, folder: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Put a backup into the empty database and the empty folder of ``settings``; the backup's manifest.

    :raises Invalid: the backup is damaged, or its keys are not here. :raises Conflict: the place is not empty.
    """
    manifest = examine(folder, progress)
    lacking = sorted(set(manifest["keys"]) - set(settings.load_keyring().fingerprints()))
    if lacking:
        raise Invalid(
            f"密钥文件里没有这份备份用的密钥（{'、'.join(lacking)}），恢复后数据无法读取。"
            f"请先把与这份备份一起保管的密钥文件放到 {settings.keys_file}。"
        )
    if settings.files_dir.is_dir() and any(settings.files_dir.glob("??/*")):
        raise Conflict(f"{settings.files_dir} 里已有文件，没有改动。请指定一个空的数据目录。")
    with opened(folder / DATABASE) as source:
        wanted = {name: Print(**one) for name, one in manifest["database"]["tables"].items()}
        fill(settings, source, wanted, str(manifest["revision"]), progress)
    for token in manifest["files"]:
        place = settings.files_dir / token[:2] / token
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / FILES / token[:2] / token, place)
        place.chmod(0o600)
    return manifest


def move(
    settings: Settings, database: Database, url: str, progress: Progress | None = None
) -> dict[str, Print]:
    """Copy an SQLite installation into the empty database at ``url``; nobody can write meanwhile, and the source stays as it is.

    Files and keys stay where they are: only the database changes.
    """
    if database.engine.dialect.name != "sqlite":
        raise Invalid("只支持从 SQLite 迁移。PostgreSQL 之间请用 backup 和 restore。")
    with writers_turn(database.engine), database.engine.connect().execution_options(**WRITE) as source:
        wanted = prints(source, progress)
        fill(replace(settings, database_url=url), source, wanted, "head", progress)
    return wanted


def fill(
    settings: Settings,
    source: Connection,
    wanted: dict[str, Print],
    revision: str,
    progress: Progress | None,
) -> None:
    """Make the tables of a revision in an empty database, copy every row in one transaction, and compare."""
    target = Database(settings.database_url)
    try:
        with target.engine.connect() as connection:
            require_empty(connection)
        _make_tables(settings, revision)
        with _writing(target) as connection:
            copy(source, connection, progress)
            require_same(wanted, prints(connection))
            connection.commit()
    finally:
        target.close()


@contextmanager
def _writing(target: Database) -> Iterator[Connection]:
    with writers_turn(target.engine), target.engine.connect().execution_options(**WRITE) as connection:
        yield connection


def _make_tables(settings: Settings, revision: str) -> None:
    app = create_app(settings)
    with app.app_context():
        upgrade(directory=f"{app.root_path}/migrations", revision=revision)
        db.engine.dispose()
