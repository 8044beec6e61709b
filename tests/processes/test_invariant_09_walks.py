"""Invariant 9: whatever people do in whatever order, no item is orphaned, no token lost, no timer dead; no step opens
before both reviews of its own round, and no word of an earlier round counts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from workflows.base import clock
from workflows.base.errors import Invalid
from workflows.base.session import Database
from workflows.cases import attachments, check
from workflows.cases.answering import step_form

from .stage import MONDAY, decide, open_item, run_of, walk_on
from .wanderer import Walker

pytestmark = pytest.mark.usefixtures("papers_unrendered")
KINDS = ("apply", "annual", "restore")
#: How often each kind of action is tried, against the others that are possible.
WEIGHT = {"decide": 8, "claim": 2, "reassign": 1, "recall": 2, "wait": 3, "object": 3, "terminate": 1}
_seeds = count(1)


def wander(database: Database, kind: str, seed: int, steps: int, rounds: int = 0) -> Walker:
    """Walk a case, at most so many steps: to its end, or as far as so many rounds."""
    chance = Random(seed)
    with clock.frozen(MONDAY) as move:
        walker = Walker(database, move, kind, next(_seeds), rounds)
        for _ in range(steps):
            options = walker.options()
            if not options or 0 < rounds <= walker.oracle.rounds:
                break
            sort = chance.choice([one for one in options for _ in range(WEIGHT[one])])
            action = chance.choice(options[sort])
            note(f"{sort} {action}")
            walker.take(sort, action)
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


def walks(examples: int) -> settings:
    """A walk reads well as it is; shrinking one costs minutes."""
    return settings(
        max_examples=examples,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_walk_leaves_nothing_behind(walked: Database, kind: str) -> None:
    @walks(3)
    @given(st.integers(0, 2**32))
    def walk(seed: int) -> None:
        wander(walked, kind, seed, steps=30)

    walk()


def test_rounds_in_any_order_open_nothing_early(walked: Database) -> None:
    """Some rounds of review, with the two offices first and second in turn."""

    @walks(1)
    @given(st.integers(0, 2**32))
    def walk(seed: int) -> None:
        assert wander(walked, "apply", seed, steps=400, rounds=5).oracle.rounds == 5

    walk()


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_long_walks(walked: Database, kind: str) -> None:
    @walks(40)
    @given(st.integers(0, 2**32))
    def walk(seed: int) -> None:
        wander(walked, kind, seed, steps=60)

    walk()


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_thirty_rounds(walked: Database, kind: str) -> None:
    @walks(4)
    @given(st.integers(0, 2**32))
    def walk(seed: int) -> None:
        assert wander(walked, kind, seed, steps=3000, rounds=30).oracle.rounds == 30

    walk()


def test_the_hundredth_file_of_a_case_blocks_no_later_round(
    at_reviews: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site check needs photos of its own: what earlier rounds brought must not leave the case where nobody can act."""
    monkeypatch.setattr(attachments, "MAX_FILES", 1)
    with clock.frozen(MONDAY) as move:
        run = run_of(at_reviews, move)
        walk_on(run, "hrss_review", "rural_review")
        for outcome in ("adverse", "pass"):
            walk_on(run, "site_check", scenario="returned_and_rectified", outcome=outcome)
            if outcome == "adverse":
                walk_on(run, "rectification", scenario="returned_and_rectified")
        assert run.walk.open_steps() == ["meeting"]
        assert check.check(at_reviews) == []


def test_what_was_taken_back_and_overtaken_by_time_is_not_taken_back_again(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        walker = Walker(published, move, "annual", 1)
        for step, office, outcome in (("opening", "hrss", "open"), ("review_report", None, "submit")):
            walker.take("decide", (walker.case_id, step, office, outcome))
        walker.take("recall", ())
        walker.take("wait", ("end",))
        assert walker.oracle.steps == {"township_check"}
        walker.refused_recall()


def test_a_second_rectification_brings_evidence_of_its_own(at_reviews: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = run_of(at_reviews, move)
        walk_on(run, "hrss_review", "rural_review")
        walk_on(run, "site_check", "rectification", scenario="returned_and_rectified")
        walk_on(run, "site_check", scenario="returned_and_rectified")
        with at_reviews.transaction() as session:
            item = open_item(session, run.walk.case_id, "rectification")
            assert step_form(session, item.case, item).raw["measures"] == ["已补充灭火器四具。"]
            with pytest.raises(Invalid) as refused:
                decide(session, "qiye1", item, "submit")
            assert set(refused.value.errors) == {"evidence"}
        walk_on(run, "rectification", scenario="returned_and_rectified")
        assert run.walk.open_steps() == ["site_check", "site_check"]
