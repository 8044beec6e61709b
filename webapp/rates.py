"""How often something may be tried from one address: counted in the database, so that all processes agree."""

from __future__ import annotations

import time

from flask import request
from sqlalchemy import delete, text

from webapp.auth.model import Attempts
from webapp.database import reading, transaction
from workflows.base.errors import WengangError
from workflows.base.privacy import keyring

#: Both databases know it, and two at once count as two.
_COUNT = text(
    "INSERT INTO attempts (key, count, ends) VALUES (:key, 1, :ends) "
    "ON CONFLICT (key) DO UPDATE SET count = attempts.count + 1"
)


class TooMany(WengangError):
    """Tried too often (HTTP 429)."""

    status = 429


def _clock() -> float:
    return time.time()


def _key(purpose: str, seconds: int, subject: str | None) -> tuple[str, int]:
    window = int(_clock()) // seconds
    place = subject if subject is not None else request.remote_addr or "-"
    return keyring().digest(f"{purpose}\0{place}\0{window}", "rate"), (window + 1) * seconds


def check(purpose: str, limit: int, seconds: int, subject: str | None = None) -> None:
    """Raise :class:`TooMany` when ``limit`` attempts were noted in this window. Reads only.

    :param subject: whose attempts; the caller's address when left out.
    """
    row = reading().get(Attempts, _key(purpose, seconds, subject)[0])
    if row is not None and row.count >= limit:
        minutes = max(1, -(-(row.ends - int(_clock())) // 60))
        raise TooMany(f"操作过于频繁，请 {minutes} 分钟后再试。")


def note(purpose: str, seconds: int, subject: str | None = None) -> None:
    """Count one attempt, in a transaction of its own: it stands whatever becomes of the attempt."""
    key, ends = _key(purpose, seconds, subject)
    with transaction() as session:
        session.execute(delete(Attempts).where(Attempts.ends < int(_clock())))
        session.execute(_COUNT, {"key": key, "ends": ends})


def limited(purpose: str, limit: int, seconds: int, subject: str | None = None) -> None:
    """:func:`check`, then :func:`note`: for what may not be tried often, whether it succeeds or not."""
    check(purpose, limit, seconds, subject)
    note(purpose, seconds, subject)
