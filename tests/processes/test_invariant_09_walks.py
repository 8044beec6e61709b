"""Invariant 9: whatever people do in whatever order, no item is orphaned, no token lost, no timer dead; no step opens
before both reviews of its own round, and no word of an earlier round counts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import check

from .stage import MONDAY
from .wanderer import Walker

pytestmark = pytest.mark.usefixtures("papers_unrendered")
KINDS = ("apply", "annual", "restore")
#: How often each kind of action is tried, against the others that are possible.
WEIGHT = {"decide": 8, "claim": 2, "reassign": 1, "recall": 2, "wait": 3, "object": 3, "terminate": 1}
_seeds = count(1)


def wander(database: Database, kind: str, data: st.DataObject, steps: int, patience: int) -> Walker:
    """Walk a case until it ends, at most so many steps."""
    with clock.frozen(MONDAY) as move:
        walker = Walker(database, move, kind, next(_seeds), patience)
        for _ in range(steps):
            options = walker.options()
            if not options:
                break
            weighted = [one for one in options for _ in range(WEIGHT[one])]
            kind_of_action = data.draw(st.sampled_from(weighted), label="kind")
            walker.take(kind_of_action, data.draw(st.sampled_from(options[kind_of_action]), label="action"))
            walker.refused_recall()
        walker.run.walk.work()
        with database.reading() as session:
            assert check.verify_case(session, walker.case_id) == []
    return walker


@pytest.fixture
def walked(published: Database) -> Iterator[Database]:
    """One database for all walks of a test, checked whole at its end."""
    yield published
    assert check.check(published) == []


#: A walk reads well as it is; shrinking one costs minutes.
WALKS = settings(
    max_examples=4, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_walk_leaves_nothing_behind(walked: Database, kind: str) -> None:
    @WALKS
    @given(st.data())
    def walk(data: st.DataObject) -> None:
        wander(walked, kind, data, steps=30, patience=0)

    walk()
