"""``writer_fairness``: eight processes write to one SQLite file; how long does the unluckiest action wait?

SQLite's own back-off lets one writer starve for seconds. Here writers queue at a file lock, in the order they came.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.clients import ACTIONS_A_CASE, actions, machine
from benchmarks.figures import Figure, middle
from benchmarks.world import World, prepare_process
from workflows.base.session import Database

WRITERS = 8
GOAL, LONGEST = 40.0, 500.0


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """The slowest action against the median one, and against half a second."""
    seconds = 2.0 if quick else 20.0
    with world.county("sqlite") as database:
        taken = _together(database, world.folder, seconds)
    slowest = max(taken) * 1000
    yield Figure(
        "writer_fairness sqlite 8, the slowest against the median", slowest, "ms", middle(taken) * 1000, GOAL
    )
    yield Figure("writer_fairness sqlite 8, the slowest against 500 ms", slowest, "ms", LONGEST, 1.0)


def _together(database: Database, folder: Path, seconds: float) -> list[float]:
    """Seconds of every action of all writers."""
    context = get_context("spawn")
    pipes, crew = [], []
    for _ in range(WRITERS):
        here, there = context.Pipe()
        process = context.Process(target=_write, args=(database.url, str(folder), there), daemon=True)
        process.start()
        there.close()
        pipes.append(here)
        crew.append(process)
    for pipe in pipes:
        pipe.recv()
    for pipe in pipes:
        pipe.send(seconds)
    found = [one for pipe in pipes for one in pipe.recv()]
    for process in crew:
        process.join(30)
    return found


def _write(url: str, folder: str, pipe: Connection) -> None:
    prepare_process(Path(folder))
    database = Database(url)
    walking = actions(machine("real", database), database)
    for _ in range(2 * ACTIONS_A_CASE):
        next(walking)
    pipe.send(None)
    until = time.perf_counter() + pipe.recv()
    taken = []
    while (begun := time.perf_counter()) < until:
        next(walking)
        taken.append(time.perf_counter() - begun)
    pipe.send(taken)
    database.close()
