"""``cockpit``: the overview page of a county's 财政局 over HTTP, in a database of one county's year and of the province's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table, func, insert, literal, select
from sqlalchemy.orm import Session

from benchmarks.browsing import browser, seconds
from benchmarks.figures import Figure, middle
from benchmarks.world import KINDS, World, analyse
from tests.processes.stage import paper, unsigned
from webapp import demo_scale
from webapp.demo_scale import Size
from workflows.base.session import Database
from workflows.cases.model import Case
from workflows.documents import issue
from workflows.funds.batch_model import BatchLine, PaymentBatch
from workflows.funds.model import Appropriation, Balance, LedgerEntry, Payable
from workflows.organisations.model import Division
from workflows.registers import demo_county
from workflows.registers.demo_cast import COUNTY
from workflows.registers.grant_model import Grant

GOAL = 1.5
WHO, PAGE = "caizheng.clerk", "/finance"
YEAR, QUICK = Size(), Size(employers=24, people=4, batches=4)
#: Added to every key of the second county's rows, twice to the third's, and so on.
APART = 10_000_000
#: Tables whose rows multiply with the counties, with the columns that are keys of one another.
_COPIED: dict[Table, tuple[str, ...]] = {
    Appropriation.__table__: ("id",),  # type: ignore[dict-item]  # declarative calls its Table a FromClause
    Balance.__table__: ("appropriation_id",),  # type: ignore[dict-item]
    Case.__table__: ("id",),  # type: ignore[dict-item]
    Grant.__table__: ("id", "case_id"),  # type: ignore[dict-item]
    Payable.__table__: ("id", "appropriation_id", "case_id", "grant_id"),  # type: ignore[dict-item]
    PaymentBatch.__table__: ("id", "appropriation_id"),  # type: ignore[dict-item]
    BatchLine.__table__: ("id", "batch_id", "payable_id"),  # type: ignore[dict-item]
    LedgerEntry.__table__: ("id", "appropriation_id", "case_id", "batch_id"),  # type: ignore[dict-item]
}


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a database; the floor is the same page in the county's database, in turns."""
    size = QUICK if quick else YEAR
    issue.render = paper  # what papers look like is not asked here
    for kind in KINDS:
        with world.county(kind) as one, world.county(kind) as all_of_them:
            for database in (one, all_of_them):
                _year(database, size)
            counties = _copies(all_of_them)
            for database in (one, all_of_them):
                analyse(database)
            here, there = (browser(place, world.folder, WHO) for place in (one, all_of_them))
            pairs = [(seconds(here, PAGE), seconds(there, PAGE)) for _ in range(10 if quick else 45)][5:]
            yield Figure(
                f"cockpit {kind} {counties} counties",
                middle([far for _, far in pairs]) * 1000,
                "ms",
                middle([near for near, _ in pairs]) * 1000,
                GOAL,
            )


def _year(database: Database, size: Size) -> None:
    with database.transaction() as session:
        county = demo_county.load(session, demonstration=True)
        session.expunge_all()
    demo_scale.load(database, unsigned, county, "county", size=size)


def _copies(database: Database) -> int:
    """Every other county gets a copy of the year, made by the database; returns how many counties there are."""
    with database.transaction() as session:
        others = session.scalars(
            select(Division.code).where(Division.level == "county", Division.code != COUNTY)
        ).all()
        highest = {
            table: session.scalar(select(func.max(table.c[keys[0]]))) for table, keys in _COPIED.items()
        }
        for number, code in enumerate(others, 1):
            for table, keys in _COPIED.items():
                _copy(session, table, keys, highest[table] or 0, number, code)
    return len(others) + 1


def _copy(
    session: Session, table: Table, keys: tuple[str, ...], highest: int, number: int, code: str
) -> None:
    values: dict[str, Any] = {}
    for column in table.columns:
        if column.name in keys:
            values[column.name] = column + number * APART
        elif column.name == "county_code":
            values[column.name] = literal(code)
        elif column.name in ("number", "scope", "document_number"):
            values[column.name] = column + literal(f"/{number}")
        else:
            values[column.name] = column
    rows = select(*values.values()).where(table.c[keys[0]] <= highest)
    session.execute(insert(table).from_select(list(values), rows))
