"""All rows of an installation, from one database to another, as they are stored: nothing is deciphered, no key is needed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, func, insert, inspect, select, text
from sqlalchemy.types import TypeDecorator, TypeEngine

from webapp.models import MODELS
from webapp.progress import Progress
from workflows.base.errors import Conflict
from workflows.base.model import Base, UtcDateTime

CHUNK = 1_000
_MODULUS = 2**256

assert MODELS  # noqa: S101  # imported for the tables it names


@dataclass(frozen=True)
class Print:
    """How many rows a table has, and one number for all of them in whatever order they come: the sum of their SHA-256."""

    rows: int
    sha256: str


@cache
def tables() -> tuple[Table, ...]:
    """Every table, those before whom others point to; columns as they are stored, enciphered texts as texts."""
    plain = MetaData()
    return tuple(
        Table(
            table.name,
            plain,
            *(
                Column(column.name, _stored(column.type), primary_key=column.primary_key)
                for column in table.columns
            ),
        )
        for table in Base.metadata.sorted_tables
    )


def _stored(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type beneath; instants stay what they are, since each database keeps them in its own way."""
    if isinstance(kind, TypeDecorator) and not isinstance(kind, UtcDateTime):
        return kind.impl_instance
    return kind


def read(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table in the order of its key, some at a time."""
    ordered = select(table).order_by(*table.primary_key.columns)
    result = connection.execution_options(yield_per=CHUNK).execute(ordered)
    for part in result.mappings().partitions(CHUNK):
        yield [dict(row) for row in part]


def prints(connection: Connection, progress: Progress | None = None) -> dict[str, Print]:
    """Table → its print, as this connection's transaction sees it."""
    found = {}
    for number, table in enumerate(tables(), 1):
        rows, total = 0, 0
        for part in read(connection, table):
            rows += len(part)
            total = (total + sum(map(_digest, part))) % _MODULUS
        found[table.name] = Print(rows, f"{total:064x}")
        if progress:
            progress(number, len(tables()))
    return found


def _digest(row: dict[str, Any]) -> int:
    whole = json.dumps([_plain(value) for value in row.values()], ensure_ascii=False, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(whole.encode("utf-8", "surrogatepass")).digest())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


def copy(source: Connection, target: Connection, progress: Progress | None = None) -> None:
    """Write every row of ``source`` into the empty tables of ``target``, in the target's present transaction."""
    for number, table in enumerate(tables(), 1):
        for part in read(source, table):
            target.execute(insert(table), part)
        if progress:
            progress(number, len(tables()))
    if target.dialect.name == "postgresql":
        _count_on(target)


def _count_on(target: Connection) -> None:
    """Let PostgreSQL's own counters go on after the highest key."""
    for table in tables():
        for column in table.primary_key.columns:
            sequence = target.scalar(
                text("SELECT pg_get_serial_sequence(:table, :column)"),
                {"table": table.name, "column": column.name},
            )
            highest = target.scalar(select(func.max(column))) if sequence else None
            if highest is not None:
                target.execute(text("SELECT setval(:name, :value)"), {"name": sequence, "value": highest})


def require_empty(connection: Connection) -> None:
    """Refuse a database in which anything stands. Raises ``Conflict``."""
    there = set(inspect(connection).get_table_names())
    full = [
        table.name
        for table in tables()
        if table.name in there and connection.execute(select(table).limit(1)).first() is not None
    ]
    if full:
        raise Conflict(
            f"目标数据库不是空的（{'、'.join(full[:5])}{'等' if len(full) > 5 else ''}里已有数据），没有改动。"
            "请指定一个空的数据库。"
        )


def require_same(one: dict[str, Print], other: dict[str, Print]) -> None:
    """Refuse two databases that do not say the same. Raises ``Conflict`` naming the tables."""
    wrong = [name for name in one if one[name] != other.get(name)]
    if wrong:
        raise Conflict(f"核对没有通过：{'、'.join(wrong)} 的内容与来源不一致，请不要使用这个数据库。")
