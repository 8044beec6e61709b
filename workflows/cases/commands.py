"""One action, one effect: a form carries a key; the same form sent again is answered with what the first one did."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from workflows.audit.digest import canonical
from workflows.base.clock import now
from workflows.base.errors import Invalid
from workflows.cases.model import Command

USED = "这个页面已经提交过，内容与上次不同。请刷新页面，按最新内容办理。"


class KeyUsed(Invalid):
    """The key was used for something else: nothing was done, and what was done before stands."""

    def __init__(self) -> None:
        super().__init__(USED)


_REMEMBER = insert(Command.__table__)  # type: ignore[arg-type]  # declarative calls its Table a FromClause
_commands = Command.__table__.c
_OF_KEY = select(_commands.digest, _commands.result).where(_commands.key == bindparam("key"))


def body_digest(body: Any) -> str:
    """SHA-256 of what the form says."""
    return hashlib.sha256(canonical(body).encode()).hexdigest()


def replayed(session: Session, key: str, digest: str) -> dict[str, Any] | None:
    """What this key's first use did, or ``None`` when it is new. The same key with another body is refused.

    Call it after the lock that serialises the action, so that two copies of one form cannot both be first.
    """
    command = session.execute(_OF_KEY, {"key": key}).one_or_none()
    if command is None:
        return None
    if command.digest != digest:
        raise KeyUsed
    result: dict[str, Any] = command.result
    return result


def remember(
    session: Session, key: str, digest: str, actor_id: int | None, case_id: int | None, result: dict[str, Any]
) -> None:
    """Keep the key with what was done, in the transaction that did it; a key that was used elsewhere is refused."""
    values = {
        "key": key,
        "digest": digest,
        "actor_id": actor_id,
        "case_id": case_id,
        "result": result,
        "at": now(),
    }
    try:
        session.connection().execute(_REMEMBER, values)  # nobody asks the session for it again
    except IntegrityError as error:
        raise KeyUsed from error
