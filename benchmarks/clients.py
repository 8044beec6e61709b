"""Client processes of ``case_throughput``: each walks cases through the five steps, one action after the other."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import bindparam, select

from benchmarks.floor import Floor
from benchmarks.people import ANSWERS, OUTCOMES, Clerks, clerks
from benchmarks.world import PROCESS, prepare_process
from forms.web import Parsed
from workflows.base.session import Database
from workflows.cases.completing import complete
from workflows.cases.model import WorkItem
from workflows.cases.starting import start
from workflows.registers.model import Employer

#: A case is opened and then decided five times.
ACTIONS_A_CASE = 1 + len(OUTCOMES)
_items = WorkItem.__table__
_WAITING = select(_items.c.id, _items.c.version).where(
    _items.c.case_id == bindparam("case_id"),
    _items.c.step == bindparam("step"),
    _items.c.closed_at.is_(None),
)


class Machine(Protocol):
    """What walks a case: the system, or the floor."""

    def start(self) -> int: ...

    def decide(
        self, item_id: int, outcome: str, answers: Mapping[str, Any], seen_version: int, key: str
    ) -> None: ...


class Real:
    """The system itself, through ``workflows.cases`` alone."""

    def __init__(self, database: Database, clerks: Clerks) -> None:
        self.database = database
        self.clerks = clerks
        self.by_item: dict[int, str] = {}

    def start(self) -> int:
        with self.database.transaction() as session:
            employer = session.get_one(Employer, self.clerks.employer_id)
            case = start(
                session,
                self.clerks.actors["submit"],
                self.clerks.process,
                division_code=self.clerks.township,
                employer=employer,
            )
            return case.id

    def decide(
        self, item_id: int, outcome: str, answers: Mapping[str, Any], seen_version: int, key: str
    ) -> None:
        step = next(step for step, known in ANSWERS.items() if known is answers)
        with self.database.transaction() as session:
            complete(
                session,
                self.clerks.actors[step],
                item_id,
                outcome,
                Parsed(dict(answers), {}, {}, {}),
                seen_version=seen_version,
                command_key=key,
            )


MACHINES: Mapping[str, type[Real] | type[Floor]] = {"real": Real, "floor": Floor}


def machine(side: str, database: Database) -> Machine:
    """``real`` or ``floor``."""
    return MACHINES[side](database, clerks(database, PROCESS))


def actions(made: Machine, database: Database) -> Iterator[None]:
    """Actions without end, case after case; an item is looked up as a page would have named it."""
    while True:
        case_id = made.start()
        yield
        for step, outcome in OUTCOMES.items():
            with database.engine.connect() as connection:
                item_id, version = connection.execute(_WAITING, {"case_id": case_id, "step": step}).one()
            made.decide(item_id, outcome, ANSWERS[step], version, uuid.uuid4().hex)
            yield


def _client(side: str, url: str, folder: str, pipe: Connection) -> None:
    """One process: warm, then a window of so many seconds whenever asked; answers actions done and seconds taken."""
    prepare_process(Path(folder))
    database = Database(url)
    walking = actions(machine(side, database), database)
    for _ in range(2 * ACTIONS_A_CASE):
        next(walking)
    pipe.send((0, 0.0))
    while (seconds := pipe.recv()) is not None:
        done, begun = 0, time.perf_counter()
        while (taken := time.perf_counter() - begun) < seconds:
            next(walking)
            done += 1
        pipe.send((done, taken))
    database.close()


class Clients:
    """So many client processes of one side, idle until a window opens."""

    def __init__(self, side: str, database: Database, folder: Path, number: int) -> None:
        context = get_context("spawn")
        self._pipes = []
        self._processes = []
        for _ in range(number):
            here, there = context.Pipe()
            url = database.engine.url.render_as_string(hide_password=False)
            process = context.Process(target=_client, args=(side, url, str(folder), there), daemon=True)
            process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()

    def window(self, seconds: float) -> float:
        """Cases a second over a window of at least so many seconds."""
        for pipe in self._pipes:
            pipe.send(seconds)
        rates = [done / taken for done, taken in (pipe.recv() for pipe in self._pipes)]
        return sum(rates) / ACTIONS_A_CASE

    def close(self) -> None:
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            pipe.send(None)
            process.join(30)
