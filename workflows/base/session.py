"""Engines, sessions and the one transaction an action gets.

SQLite and PostgreSQL differ in how writers meet; the difference lives here alone:

* SQLite: a reader begins deferred; a writer first takes a fair file lock and then ``BEGIN IMMEDIATE``. Without the
  file lock SQLite's own back-off starves a writer for seconds; with ``IMMEDIATE`` everywhere a page view would block
  all writers; a deferred transaction that turns to writing fails at once when another wrote in between.
* PostgreSQL: ordinary transactions; use cases lock the rows they decide on (``FOR UPDATE``).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

WRITE = {"wengang_write": True}


def configure_engine(engine: Engine) -> Engine:
    """Attach what a dialect needs; returns the engine. Idempotent per engine."""
    if engine.dialect.name != "sqlite" or getattr(engine, "_wengang_configured", False):
        return engine

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # money: a power cut must not lose a commit
            "foreign_keys=ON",
            "busy_timeout=30000",
            "temp_store=MEMORY",
            "cache_size=-32768",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        write = connection.get_execution_options().get("wengang_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    engine._wengang_configured = True  # type: ignore[attr-defined]  # a mark on the object, not an attribute of the class
    return engine


@contextmanager
def writers_turn(engine: Engine) -> Iterator[None]:
    """The fair queue before SQLite's writer lock: the kernel wakes ``flock`` waiters in the order they came."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        yield
        return
    handle = os.open(f"{name}.writer", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def transaction(session: Session) -> Iterator[Session]:
    """One action = one transaction. Commits at the end, rolls back on any exception.

    Whatever was read on ``session`` before is forgotten: on SQLite the read transaction that loading the user began
    must end before the writer's begins, and what is decided must be read under the lock.
    """
    session.rollback()
    session.expire_all()
    engine = session.get_bind()
    if not isinstance(engine, Engine):  # a test's connection: already inside its own transaction
        raise TypeError("transaction() needs a session bound to an engine")
    with writers_turn(engine):
        session.connection(execution_options=WRITE)
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


class Database:
    """A database without a web: for the worker, the command line, tests and benchmarks.

    :param url: SQLAlchemy URL, ``sqlite:///…`` or ``postgresql+psycopg://…``.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self.url = url
        if url.startswith("sqlite:///") and url != "sqlite:///:memory:":
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        self.engine = configure_engine(create_engine(url, **options))
        self.sessions = sessionmaker(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A new session in its one writing transaction."""
        with self.sessions() as session, transaction(session):
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A new session to read with; whatever it did is rolled back. What was read stays readable afterwards."""
        with self.sessions() as session:
            try:
                yield session
            finally:
                session.expunge_all()
                session.rollback()

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()
