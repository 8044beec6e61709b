"""Numbers without gaps, given by the transaction that decides."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from workflows.documents.model import NumberSeries


def next_number(session: Session, series: str, year: int) -> int:
    """The next number of a series in a year, from 1. The row stays locked until the transaction ends: a rollback gives
    the number back, so that a gap means that something was removed."""
    table = NumberSeries.__table__
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(NumberSeries)
        .values(series=series, year=year, last=1)
        .on_conflict_do_update(index_elements=["series", "year"], set_={"last": table.c["last"] + 1})
        .returning(table.c["last"])
    )
    return int(session.execute(statement).scalar_one())


def official(pattern: str, year: int, serial: int) -> str:
    """A document's number as printed, e.g. ``通榆人社帮车认〔2026〕1号``.

    :param pattern: with ``{year}`` and ``{serial}``.
    """
    return pattern.replace("{year}", str(year)).replace("{serial}", str(serial))
