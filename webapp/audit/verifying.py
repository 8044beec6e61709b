"""Verifying everything in the background, with progress that a page can show."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy.orm import Session

from webapp.audit.model import Verification
from workflows.base import outbox
from workflows.base.clock import now
from workflows.base.outbox import Handler
from workflows.base.session import Database
from workflows.cases.check import verify_everything
from workflows.organisations.actors import Actor
from workflows.organisations.permissions import require

KIND = "verify_everything"
#: Findings kept: who altered a thousand rows is found by the first hundred.
MOST_FINDINGS = 500


def ask(session: Session, actor: Actor) -> Verification:
    """Let the worker verify everything."""
    require(actor, "audit.verify_all")
    row = Verification(asked_by=actor.user_id, findings=[])
    session.add(row)
    session.flush()
    outbox.put(session, KIND, str(row.id), {"verification": row.id})
    return row


def verification_handler() -> dict[str, Handler]:
    """What the worker does with it. Begun again after a crash, it starts over: nothing but its own row is written."""

    def verify(database: Database, payload: dict[str, Any]) -> None:
        number = int(payload["verification"])
        written = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal written
            if time.monotonic() - written > 1:
                written = time.monotonic()
                _write(database, number, done=done, total=total)

        found = [one.as_dict() for one in verify_everything(database, progress)]
        _write(database, number, findings=found[:MOST_FINDINGS], finished_at=now())

    return {KIND: verify}


def _write(database: Database, number: int, **values: Any) -> None:
    with database.transaction() as session:
        row = session.get_one(Verification, number)
        for name, value in values.items():
            setattr(row, name, value)
