"""``case_throughput``: five-step cases a second through ``workflows.cases``, against the same by hand (``floor.py``)."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.clients import Clients
from benchmarks.figures import Figure
from benchmarks.world import KINDS, World, analyse

GOALS = {"sqlite": 0.35, "postgres": 0.45}
CLIENTS = (1, 8)


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure for each database and number of clients; windows of both sides alternate."""
    windows, seconds = (3, 2.0) if quick else (7, 4.0)
    for kind in KINDS:
        # each side has a database of its own: neither reads what the other left
        with world.county(kind) as real_database, world.county(kind) as floor_database:
            for number in CLIENTS:
                real = Clients("real", real_database, world.folder, number)
                floor = Clients("floor", floor_database, world.folder, number)
                try:
                    for database, side in ((real_database, real), (floor_database, floor)):
                        side.window(seconds / 2)
                        analyse(database)
                    pairs = [(real.window(seconds), floor.window(seconds)) for _ in range(windows)]
                finally:
                    real.close()
                    floor.close()
                # the pair in the middle: what else the machine does falls on neighbours alike
                mine, theirs = sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]
                yield Figure(
                    f"case_throughput {kind} {number}", mine, "cases/s", theirs, GOALS[kind], at_least=True
                )
