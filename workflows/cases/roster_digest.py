"""The two digests of a roster: what stood in its rows, and what the rules said of them.

An audit event covers the roster's one row, and with it thousands of people: a row altered past the system no longer
fits. The rows are digested in the order of their keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, defer

from workflows.audit.digest import canonical
from workflows.cases.roster_model import Roster, RosterRow

#: What stood in the sheet, and what was made of it; together with the row's place, all that a row says.
_READ = ("number", "values", "raw")
_JUDGED = ("number", "person_id", "id_digest", "bad", "result", "facts", "fired")


def digested(roster_id: int) -> Select[RosterRow]:
    """A roster's rows in the order of the digests, without the messages, which no digest reads: five thousand rows cost what
    is deciphered of them."""
    return (
        select(RosterRow)
        .where(RosterRow.roster_id == roster_id)
        .order_by(RosterRow.id)
        .options(*(defer(column) for column in (RosterRow.errors, RosterRow.warnings, RosterRow.across)))
    )


class RosterDigest:
    """Both digests, grown row by row while a roster is staged or looked through."""

    def __init__(self) -> None:
        self._read, self._judged = hashlib.sha256(), hashlib.sha256()
        self.count = 0

    def add(self, **columns: Any) -> None:
        """One row by its columns."""
        self._read.update(canonical([columns[name] for name in _READ]).encode())
        self._judged.update(canonical([columns[name] for name in _JUDGED]).encode())
        self.count += 1

    def add_rows(self, rows: Iterable[RosterRow]) -> None:
        """Rows as they are stored."""
        for row in rows:
            self.add(**{name: getattr(row, name) for name in {*_READ, *_JUDGED}})

    @property
    def read(self) -> str:
        return self._read.hexdigest()

    @property
    def judged(self) -> str:
        return self._judged.hexdigest()


def altered(session: Session, roster: Roster) -> list[str]:
    """What no longer fits the roster's digests, in Chinese; nothing when all stands as it was read and judged."""
    found = RosterDigest()
    try:
        with closing(session.scalars(digested(roster.id).execution_options(yield_per=500))) as stored:
            found.add_rows(stored)
    except Exception:  # a row that no longer decrypts was altered
        return ["花名册的人员无法读取：被改动。"]
    problems = []
    if (found.read, found.count) != (roster.digest, roster.total):
        problems.append("花名册的人员与读取时的摘要不符：被改动。")
    if found.judged != roster.judged:
        problems.append("花名册的审核结果与规则运行时的摘要不符：被改动。")
    return problems
