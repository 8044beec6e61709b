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
CHUNK = 10_000


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a database and size; the floor is the page at the first size."""
    sizes = QUICK if quick else SIZES
    for kind in KINDS:
        with world.county(kind) as database:
            fill = _Fill(database)
            first = 0.0
            for size in sizes:
                fill.up_to(size)
                analyse(database)
                taken = middle([_page(database, fill.department_id) for _ in range(60)][10:])
                first = first or taken
                if size != sizes[0]:
                    yield Figure(f"worklist_growth {kind} {size}", taken * 1000, "ms", first * 1000, GOAL)


def _page(database: Database, department_id: int) -> float:
    """Seconds for what opening the list reads: the first page, its count, and the page after it."""
    begun = time.perf_counter()
    with database.reading() as session:
        page = worklist.page(session, [department_id])
        for item in page.items:
            _ = (item.case.number, item.case.employer, worklist.light(item))
        worklist.page(session, [department_id], after=page.next_after)
    return time.perf_counter() - begun


class _Fill:
    """Cases with one open item each for 县人社局, spread over a hundred days of deadlines; written in bulk."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.people = clerks(database, PROCESS)
        self.department_id = self.people.offices["hrss"]
        self.there = 0
        with database.reading() as session:
            self.version_id = newest(session, PROCESS).version_id

    def up_to(self, size: int) -> None:
        while self.there < size:
            number = min(CHUNK, size - self.there)
            with self.database.transaction() as session:
                session.execute(insert(Case.__table__), [self._case(self.there + n) for n in range(number)])
                session.flush()
                ids = session.scalars(
                    select(Case.id).where(Case.number >= _number(self.there)).order_by(Case.number)
                )
                session.execute(
                    insert(WorkItem.__table__), [self._item(case_id, n) for n, case_id in enumerate(ids)]
                )
            self.there += number

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
