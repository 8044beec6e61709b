"""What exactly is hashed: rows in plaintext, events in one canonical form.

The digest of a row is over plaintext, so that rotating the encryption keys changes nothing; it is salted, so that an
exported chain tells nothing about a short text such as a name.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from workflows.base.model import Base


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | Decimal):
        return str(value)
    raise TypeError(f"not auditable: {type(value).__name__}")


def canonical(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, dates in ISO and UTC."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def _versions(row: Base) -> list[tuple[str, ...]]:
    """The lists of columns that events of a row's class have covered, the first one first.

    A release that covers other columns moves the old list to ``__audited_before__``: what was recorded under it
    keeps verifying, and new events say which list they mean.
    """
    before: tuple[tuple[str, ...], ...] = getattr(type(row), "__audited_before__", ())
    return [*before, getattr(type(row), "__audited__", ())]


def audited_columns(row: Base) -> tuple[str, ...]:
    """The columns that an event covers when it covers the row today."""
    return _versions(row)[-1]


def row_key(row: Base) -> tuple[str, str]:
    """Table and primary key, as events name a row."""
    mapper = type(row).__mapper__
    return str(type(row).__tablename__), "/".join(
        str(value) for value in mapper.primary_key_from_instance(row)
    )


def row_digest(row: Base, salt: str) -> str:
    """``N:`` and SHA-256 over the salt and the audited columns in plaintext; N is the list of columns that it covers."""
    versions = _versions(row)
    return _digest(row, salt, len(versions), versions[-1])


def fits(row: Base, salt: str, noted: str) -> bool:
    """Whether a row still says what an event noted, over the columns of the event's day."""
    number = int(noted.partition(":")[0])
    versions = _versions(row)
    return 0 < number <= len(versions) and _digest(row, salt, number, versions[number - 1]) == noted


def _digest(row: Base, salt: str, number: int, columns: tuple[str, ...]) -> str:
    values = {name: getattr(row, name) for name in columns}
    digest = hashlib.sha256(f"{salt}\0{canonical(values)}".encode()).hexdigest()
    return f"{number}:{digest}"


def event_hash(
    *,
    stream: str,
    seq: int,
    at: datetime,
    kind: str,
    actor_id: int | None,
    department_id: int | None,
    payload: dict[str, Any],
    covers: list[list[str]],
    salt: str,
    previous: str,
) -> str:
    """SHA-256 over everything an event says, the hash before it included."""
    body = [stream, seq, at, kind, actor_id, department_id, payload, covers, salt, previous]
    return hashlib.sha256(canonical(body).encode()).hexdigest()
