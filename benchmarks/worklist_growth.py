"""``worklist_growth``: a page of twenty with the count shown, from a thousand to a million open work items of one office."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import insert, select

from benchmarks.figures import Figure, middle
from benchmarks.people import clerks
from benchmarks.world import KINDS, PROCESS, World, analyse
from workflows.base.clock import now
from workflows.base.session import Database
from workflows.cases import worklist
from workflows.cases.model import Case, WorkItem
from workflows.cases.process import newest

GOAL = 1.5
SIZES = (1_000, 10_000, 100_000, 1_000_000)
QUICK = (1_000, 10_000)
#: So many are made one by one, each with a case of its own; the rest are copies of them, made by the database.
ORIGINALS = 10_000
_COLUMNS = [column for column in WorkItem.__table__.columns if column.name != "id"]


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a database and size; the floor is the same page in a database of the first size, in turns."""
    first, *sizes = QUICK if quick else SIZES
    for kind in KINDS:
        with world.county(kind) as small, world.county(kind) as large:
            few, many = Fill(small), Fill(large)
            few.up_to(first)
            for size in sizes:
                many.up_to(size)
                pairs = [(_page(few), _page(many)) for _ in range(110)][10:]
                yield Figure(
                    f"worklist_growth {kind} {size}",
                    middle([there for _, there in pairs]) * 1000,
                    "ms",
                    middle([here for here, _ in pairs]) * 1000,
                    GOAL,
                )


class Fill:
    """Open items for 县人社局, spread over a hundred days of deadlines."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.people = clerks(database, PROCESS)
        self.department_id = self.people.offices["hrss"]
        self.there = 0
        with database.reading() as session:
            self.version_id = newest(session, PROCESS).version_id

    def up_to(self, size: int) -> None:
        with self.database.transaction() as session:
            if self.there < ORIGINALS:
                number = min(size, ORIGINALS) - self.there
                session.execute(insert(Case.__table__), [self._case(self.there + n) for n in range(number)])
                ids = session.scalars(
                    select(Case.id).where(Case.number >= _number(self.there)).order_by(Case.number)
                )
                session.execute(
                    insert(WorkItem.__table__), [self._item(case_id, n) for n, case_id in enumerate(ids)]
                )
                self.there += number
            while self.there < size:
                number = min(self.there, size - self.there)
                copies = select(*_COLUMNS).order_by(WorkItem.id).limit(number)
                names = [column.name for column in _COLUMNS]
                session.execute(insert(WorkItem.__table__).from_select(names, copies))
                self.there += number
        analyse(self.database)

    def _case(self, serial: int) -> dict[str, object]:
        at = now()
        return {
            "number": _number(serial),
            "process": PROCESS,
            "version_id": self.version_id,
            "employer_id": self.people.employer_id,
            "division_code": self.people.township,
            "county_code": self.people.county,
            "status": "reviewing",
            "stage": "review",
            "rules": {},
            "state": b"",
            "passed": [],
            "waiting": [],
            "started_at": at,
            "changed_at": at,
            "chain_seq": 0,
            "chain_head": "",
        }

    def _item(self, case_id: int, serial: int) -> dict[str, object]:
        at = now()
        return {
            "case_id": case_id,
            "task_id": f"bench-{case_id}",
            "step": "hrss",
            "lane": "lane_hrss",
            "title": "人社审核",
            "round": 1,
            "department_id": self.department_id,
            "opened_at": at,
            "due_at": at + timedelta(days=serial * 37 % 100),
            "version": 1,
        }


def _number(serial: int) -> str:
    return f"WL{serial:09d}"


def _page(filled: Fill) -> float:
    """Seconds for what looking through the list reads: the first page, its count, and the page after it."""
    begun = time.perf_counter()
    with filled.database.reading() as session:
        page = worklist.page(session, [filled.department_id])
        for item in page.items:
            _ = (item.case.number, item.case.employer, worklist.light(item))
        worklist.page(session, [filled.department_id], after=page.next_after)
    return time.perf_counter() - begun
