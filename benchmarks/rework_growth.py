"""``rework_growth``: an action in round 20 of a rework loop against the same in round 1; history must not cost."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, middle
from benchmarks.recognition import OPENING, Reviewed
from benchmarks.world import KINDS, World, analyse
from workflows.base.clock import frozen

GOAL = 1.5
ROUNDS = 20


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a database: the three actions of a round (both offices, the employer), the median over cases."""
    pairs = 2 if quick else 8
    for kind in KINDS:
        with world.county(kind) as database, frozen(OPENING) as move:
            old = [Reviewed(database, move, seed) for seed in range(pairs)]
            new = [Reviewed(database, move, seed + pairs) for seed in range(pairs)]
            for case in old:
                for _ in range(ROUNDS - 1):
                    _round(case)
            analyse(database)
            _round(Reviewed(database, move, 2 * pairs))  # warm
            first, last = [], []
            for young, aged in zip(new, old, strict=True):
                first.append(_round(young))
                last.append(_round(aged))
            scale = 1000 / 3
            yield Figure(f"rework_growth {kind}", middle(last) * scale, "ms", middle(first) * scale, GOAL)


def _round(case: Reviewed) -> float:
    return case.hrss("return") + case.rural("agree") + case.rework()
