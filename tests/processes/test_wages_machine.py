"""Wages whatever anybody does next: two contractors with the same workers hand in, correct, take back and give up; workers
dispute; offices refuse; banks send back; what was paid is asked back and paid anew by a supplementary batch. After each
action the rows say what an oracle in plain Python says: no day twice, every sum to the fen, the share recomputed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import check, days, process
from workflows.registers import work_days

from .conftest import _published
from .wage_stage import OPENED
from .wage_world import BATCHES, ROWS, Month, World

pytestmark = pytest.mark.usefixtures("papers_unrendered")
MOST = 6
SHEETS = st.dictionaries(
    st.integers(0, len(ROWS) - 1),
    st.builds(
        lambda first, length: frozenset(range(first, min(30, first + length) + 1)),
        st.integers(1, 30),
        st.integers(0, 14),
    ),
    min_size=1,
)
PEOPLE = st.lists(st.integers(0, len(ROWS) - 1), max_size=2, unique=True)
#: Three times in four things go on.
MOSTLY = st.sampled_from([True, True, True, False])


class Wages(RuleBasedStateMachine):
    """``house`` is set by the test, ``spoil`` by the one that breaks something."""

    house: Any
    spoil: Any = staticmethod(lambda database: None)

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        database = self.stack.enter_context(self.house.fresh("published", _published))
        process.forget()
        move = self.stack.enter_context(clock.frozen(OPENED))
        self.spoil(database)
        self.world = World(database, move)

    def teardown(self) -> None:
        try:
            assert check.check(self.world.database) == []
            assert check.verify_everything(self.world.database) == []
        finally:
            self.stack.close()

    def at(self, *steps: str) -> list[Month]:
        return [month for month in self.world.months if month.at in steps]

    @invariant()
    def everything_says_the_same(self) -> None:
        self.world.compare()

    # The contractor and its workers ----------------------------------------------------------------------------

    @precondition(lambda self: len(self.world.months) < MOST)
    @rule(unit=st.sampled_from([1, 2]), batch=st.sampled_from(BATCHES), sheet=SHEETS)
    def hand_in(self, unit: int, batch: str, sheet: dict[int, frozenset[int]]) -> None:
        self.world.submit(self.world.begin(unit, batch, sheet))

    @precondition(lambda self: self.at("payroll", "correction"))
    @rule(data=st.data(), sheet=st.none() | SHEETS)
    def hand_in_again(self, data: st.DataObject, sheet: dict[int, frozenset[int]] | None) -> None:
        """With another sheet, or with the same one."""
        month = data.draw(st.sampled_from(self.at("payroll", "correction")))
        if sheet is not None:
            self.world.fill(month, sheet)
        self.world.submit(month)

    @precondition(lambda self: self.at("confirmation"))
    @rule(data=st.data(), again=MOSTLY)
    def confirm(self, data: st.DataObject, again: bool) -> None:
        month = data.draw(st.sampled_from(self.at("confirmation")))
        if again:
            self.world.confirm(month)
        else:
            self.world.correct(month)

    @precondition(lambda self: self.at("confirmation"))
    @rule(data=st.data())
    def dispute(self, data: st.DataObject) -> None:
        month = data.draw(st.sampled_from(self.at("confirmation")))
        left = sorted(set(month.pays) - month.disputed)
        if left:
            self.world.dispute(month, data.draw(st.sampled_from(left)))

    @precondition(lambda self: [month for month in self.at("owner_review") if month.fresh])
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        fresh = [month for month in self.at("owner_review") if month.fresh]
        self.world.take_back(data.draw(st.sampled_from(fresh)))

    @rule()
    def the_worker_comes_by(self) -> None:
        """Always possible, when every month has come to its end, too: nothing that stands may move."""
        for month in self.world.months[:1]:
            month.run.walk.work()

    # Offices ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.at("owner_review", "township_check"))
    @rule(data=st.data(), agree=MOSTLY, refuse=PEOPLE)
    def review(self, data: st.DataObject, agree: bool, refuse: list[int]) -> None:
        month = data.draw(st.sampled_from(self.at("owner_review", "township_check")))
        self.world.review(month, agree, [who for who in refuse if who in month.pays])

    @precondition(lambda self: self.at("notice_board", "publicity"))
    @rule()
    def publish(self) -> None:
        for month in self.at("notice_board"):
            self.world.post(month)
        self.world.wait()

    @precondition(lambda self: self.at("ndrc_review"))
    @rule(data=st.data(), agree=MOSTLY)
    def approve(self, data: st.DataObject, agree: bool) -> None:
        self.world.approve(data.draw(st.sampled_from(self.at("ndrc_review"))), agree)

    @precondition(lambda self: [month for month in self.world.months if month.at != "closed"])
    @rule(data=st.data(), seldom=st.sampled_from([False] * 4 + [True]))
    def give_up(self, data: st.DataObject, seldom: bool) -> None:
        running = [month for month in self.world.months if month.at not in ("closed", "payroll")]
        if seldom and running:
            self.world.give_up(data.draw(st.sampled_from(running)))

    @precondition(lambda self: self.at("confirmation", "owner_review", "township_check"))
    @rule(data=st.data(), bounce=st.sets(st.integers(1, 4), max_size=2))
    def a_good_month(self, data: st.DataObject, bounce: set[int]) -> None:
        """From wherever it is to the bank's answer, as when nothing is wrong."""
        world = self.world
        month = data.draw(st.sampled_from(self.at("confirmation", "owner_review", "township_check")))
        if month.at == "confirmation":
            world.confirm(month)
        for step in ("owner_review", "township_check"):
            if month.at == step:
                world.review(month, True, [])
        if month.at == "notice_board":
            world.post(month)
            world.wait()
            world.approve(month, True)
            world.pay(bounce)

    # Money -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.states("ready"))
    @rule(bounce=st.sets(st.integers(1, 4), max_size=2))
    def pay(self, bounce: set[int]) -> None:
        self.world.pay(bounce)

    @precondition(lambda self: self.world.states("bounced"))
    @rule()
    def correct_accounts(self) -> None:
        self.world.correct_accounts()

    @precondition(lambda self: self.world.states("ready", "bounced"))
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.world.remove(*data.draw(st.sampled_from(self.world.states("ready", "bounced"))))

    @precondition(lambda self: self.world.states("paid"))
    @rule(data=st.data())
    def recover(self, data: st.DataObject) -> None:
        self.world.recover(*data.draw(st.sampled_from(self.world.states("paid"))))


def walk(house: Any, examples: int, steps: int, **more: Any) -> None:
    machine = type("WagesOnThisDatabase", (Wages,), {"house": house, **more})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        ),
    )


def test_no_day_twice_and_every_sum_to_the_fen(sqlite_house: Any) -> None:
    walk(sqlite_house, examples=2, steps=16)


@pytest.mark.long
def test_in_any_history(house: Any) -> None:
    walk(house, examples=40, steps=40)


def without_index(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("DROP INDEX uq_work_days_paid"))


def test_with_the_guards_taken_away_it_fails(sqlite_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine must find what it is there for: nobody looks, and the index is gone."""
    monkeypatch.setattr(work_days, "staged_clashes", lambda *_: {})
    monkeypatch.setattr(days, "clashes_of", lambda *_: {})
    with pytest.raises(
        (AssertionError, pytest.fail.Exception)
    ):  # rows that differ, or a refusal that does not come
        walk(sqlite_house, examples=25, steps=12, spoil=staticmethod(without_index))
