"""Dated parameters with their basis: what a county may set, from when, and on whose authority."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Index, String, Text, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from workflows.base.clock import now
from workflows.base.model import Base, Identifier, JsonText, UtcDateTime


class Parameter(Base):
    """A value in force in a division (and below it) from a day on. Rows are added, never changed: the past stays."""

    __tablename__ = "parameters"
    __table_args__ = (Index("ix_parameters_key", "process", "key", "division_code"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    process: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64))
    division_code: Mapped[str] = mapped_column(String(12), default="")
    value: Mapped[Any] = mapped_column(JsonText)
    basis: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    entered_by: Mapped[int | None] = mapped_column(Identifier)

    __audited__ = ("process", "key", "division_code", "value", "basis", "valid_from", "valid_to")


_SET = select(
    Parameter.id,
    Parameter.key,
    Parameter.division_code,
    Parameter.value,
    Parameter.basis,
    Parameter.valid_from,
    Parameter.valid_to,
).where(
    Parameter.process == bindparam("process"),
    Parameter.division_code.in_(bindparam("divisions", expanding=True)),
    Parameter.valid_from <= bindparam("day"),
)


@dataclass(frozen=True)
class Value:
    """A parameter as it is in force: the value, its basis, and where it was set (``""`` = the process's own default)."""

    value: Any
    basis: str
    division_code: str = ""


def in_force(
    session: Session, process: str, division_chain: list[str], day: date, defaults: dict[str, Value]
) -> dict[str, Value]:
    """All parameters of a process on ``day``.

    :param division_chain: codes from the case's division upwards; the nearest setting wins, then the newest.
    :param defaults: what process.yaml says.
    """
    rank = {code: position for position, code in enumerate([*division_chain, ""])}
    rows = session.execute(_SET, {"process": process, "divisions": list(rank), "day": day})
    best: dict[str, tuple[tuple[int, int, int], Value]] = {}
    for row in rows:
        if row.valid_to is not None and row.valid_to < day:
            continue
        order = (-rank[row.division_code], row.valid_from.toordinal(), row.id)
        if row.key not in best or order > best[row.key][0]:
            best[row.key] = (order, Value(row.value, row.basis, row.division_code))
    return defaults | {key: value for key, (_, value) in best.items()}
