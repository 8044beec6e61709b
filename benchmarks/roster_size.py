"""``roster_size``: one officer's decision on a roster of 5 000 people against the same on one of five."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, middle
from benchmarks.recognition import OPENING, Reviewed
from benchmarks.world import KINDS, World, analyse
from workflows.base.clock import frozen

GOAL = 2.0
SMALL, LARGE = 5, 5_000


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a database: 县人社局 agrees to everybody, again and again through the rework loop."""
    large, times = (500, 3) if quick else (LARGE, 12)
    for kind in KINDS:
        with world.county(kind) as database, frozen(OPENING) as move:
            few = Reviewed(database, move, 1, SMALL)
            many = Reviewed(database, move, 2, large)
            analyse(database)
            short, long = [], []
            for _ in range(times + 1):
                for case, taken in ((few, short), (many, long)):
                    taken.append(case.hrss("agree"))
                    case.rural("return")
                    case.rework()
            yield Figure(f"roster_size {kind}", middle(long[1:]) * 1000, "ms", middle(short[1:]) * 1000, GOAL)
