"""The web's hold on the database: one session a request to read with, one transaction an action."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.orm import Session

from webapp.services import services
from workflows.base.model import Base
from workflows.base.outbox import OutboxRow
from workflows.base.session import configure_engine
from workflows.base.session import transaction as one_transaction

db = SQLAlchemy(metadata=Base.metadata)


def install(app: Flask) -> None:
    """Bind the session to the application's database."""
    db.init_app(app)
    with app.app_context():
        configure_engine(db.engine)
        event.listen(db.session, "after_flush", _see_outbox)


def reading() -> Session:
    """The request's session, for pages: read, never write. What it did is rolled back when the request ends."""
    return db.session()


@contextmanager
def transaction() -> Iterator[Session]:
    """The one transaction of an action; only ids cross into it, everything is read again under its lock.

    Commits at the end, rolls back on any exception. What it left in the outbox wakes the worker.
    """
    session = db.session()
    session.info.pop("outbox", None)
    with one_transaction(session):
        yield session
    if session.info.pop("outbox", False):
        services().nudge()


def _see_outbox(session: Session, _context: Any) -> None:
    if any(isinstance(row, OutboxRow) for row in session.new):
        session.info["outbox"] = True
