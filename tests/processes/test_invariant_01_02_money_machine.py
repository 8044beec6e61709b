"""Invariants 1, 2, 3, 5 and 8 of money: a person once, never a fen too many or lost, one action one effect, a process that
dies loses nothing and repeats nothing, and posts stay apart; whatever several counties and employers do, in any order.

The machine draws what somebody does next; each action is done through the use cases and told to an oracle in plain
Python, and after each the rows, the balances and the oracle must say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError

from workflows.base import clock
from workflows.base.clock import today
from workflows.base.errors import Conflict, Forbidden, WengangError
from workflows.base.session import Database
from workflows.cases import completing, functions, operations, paying, process
from workflows.cases.action import Action
from workflows.cases.paying import blocked_cases
from workflows.funds import answers, batches, ledger, payables, recoveries
from workflows.registers import grants

from .conftest import _published
from .money_oracle import Batch, Claim, Row
from .money_world import CLERK, COUNTIES, EMPLOYERS, MONDAY, OFFICERS, PEOPLE, World, furnish
from .reward_stage import PROCESS
from .stage import actor

pytestmark = pytest.mark.usefixtures("papers_unrendered")
#: Claims in one walk: more would only make room for fewer steps each.
MOST_CLAIMS = 5
SELDOM = st.sampled_from([False] * 5 + [True])
PERSONS = st.lists(st.integers(0, PEOPLE - 1), min_size=1, max_size=3, unique=True)
DECIDED = ("township_check", "reviews", "finance_lift", "recheck")


def prepared(database: Database) -> None:
    _published(database)
    furnish(database)


class Money(RuleBasedStateMachine):
    """Everything that anybody may do next. ``house`` is set by the test, ``spoil`` by those that break something."""

    house: Any
    spoil: Callable[[Database], None]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        database = self.stack.enter_context(self.house.fresh("money_machine", prepared))
        process.forget()
        move = self.stack.enter_context(clock.frozen(MONDAY))
        self.spoil(database)
        self.world = World(database, move)

    def teardown(self) -> None:
        try:
            self.world.close()
        finally:
            self.stack.close()

    # What there is to choose from ------------------------------------------------------------------------------

    def claims(self, *at: str) -> list[Claim]:
        return [claim for claim in self.world.oracle.claims if claim.at in at]

    def made(self, *states: str) -> list[Batch]:
        return [batch for batch in self.world.oracle.batches if batch.state in states]

    def rows(self, *owed: str) -> list[tuple[Claim, Row]]:
        return [(claim, row) for claim in self.world.oracle.claims for row in claim.rows if row.owed in owed]

    @invariant()
    def everything_says_the_same(self) -> None:
        self.world.compare()

    # Claims ----------------------------------------------------------------------------------------------------

    @initialize(data=st.data())
    def two_claims_of_the_same_people(self, data: st.DataObject) -> None:
        for employer in data.draw(st.sampled_from([(1, 2), (1, 3), (2, 10), (1, 1)])):
            claim = self.world.claim(employer, data.draw(PERSONS))
            self.world.submit(claim)
            if data.draw(st.booleans()):
                self.as_usual(claim, "agree")

    @precondition(lambda self: len(self.world.oracle.claims) < MOST_CLAIMS)
    @rule(employer=st.sampled_from(sorted(EMPLOYERS)), data=st.data())
    def claim(self, employer: int, data: st.DataObject) -> None:
        self.world.submit(self.world.claim(employer, data.draw(PERSONS)))

    @precondition(lambda self: self.claims("application", "correction", "rework"))
    @rule(data=st.data())
    def hand_in_again(self, data: st.DataObject) -> None:
        self.world.submit(data.draw(st.sampled_from(self.claims("application", "correction", "rework"))))

    @precondition(lambda self: self.claims("township_check", "reviews", "recheck"))
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        self.world.recall(data.draw(st.sampled_from(self.claims("township_check", "reviews", "recheck"))))

    @precondition(lambda self: any(one.submitted and one.at != "closed" for one in self.world.oracle.claims))
    @rule(data=st.data(), seldom=SELDOM)
    def terminate(self, data: st.DataObject, seldom: bool) -> None:
        if not seldom:  # or every walk ends before money moves
            return
        running = [one for one in self.world.oracle.claims if one.submitted and one.at != "closed"]
        self.world.terminate(data.draw(st.sampled_from(running)))

    def step(self, claim: Claim, good: bool, word: str, first: str) -> None:
        """The next step of a claim, for better or worse."""
        world = self.world
        if claim.at == "township_check":
            world.check_township(claim, "agree" if good else "return")
        elif claim.at == "reviews":
            left = sorted({"hrss_review", "rural_review"} - set(claim.reviews))
            step = first if first in left else left[0]
            world.review(claim, step, "agree" if good else "return", word)
        elif claim.at == "finance_lift":
            world.lift(claim, word)
        else:
            world.recheck(claim, "approve" if good else "return")

    @precondition(lambda self: self.claims(*DECIDED))
    @rule(
        data=st.data(),
        word=st.sampled_from(["agree", "refuse"]),
        first=st.sampled_from(["hrss_review", "rural_review"]),
    )
    def agree(self, data: st.DataObject, word: str, first: str) -> None:
        self.step(data.draw(st.sampled_from(self.claims(*DECIDED))), True, word, first)

    @precondition(lambda self: self.claims(*DECIDED))
    @rule(data=st.data(), word=st.sampled_from(["agree", "agree", "refuse"]))
    def carry_on(self, data: st.DataObject, word: str) -> None:
        """As offices do when nothing is wrong: to the 公示, or to where it may go no further."""
        self.as_usual(data.draw(st.sampled_from(self.claims(*DECIDED))), word)

    def as_usual(self, claim: Claim, word: str) -> None:
        for _ in range(6):
            if claim.at not in DECIDED:
                break
            self.step(claim, True, word, "hrss_review")

    @precondition(lambda self: self.claims(*DECIDED, "publicity"))
    @rule(data=st.data(), bounced=st.sets(st.integers(1, PEOPLE), max_size=2))
    def a_good_month(self, data: st.DataObject, bounced: set[int]) -> None:
        """From wherever a claim is to the bank's answer."""
        claim = data.draw(st.sampled_from(self.claims(*DECIDED, "publicity")))
        self.as_usual(claim, "agree")
        self.world.wait()
        self.pay_all(claim.county, bounced)

    @precondition(lambda self: self.claims(*DECIDED))
    @rule(data=st.data(), first=st.sampled_from(["hrss_review", "rural_review"]))
    def send_back(self, data: st.DataObject, first: str) -> None:
        self.step(data.draw(st.sampled_from(self.claims(*DECIDED))), False, "refuse", first)

    @precondition(lambda self: self.claims("recheck"))
    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        self.world.recheck(data.draw(st.sampled_from(self.claims("recheck"))), "refuse")

    # 公示 -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: [one for one in self.claims("publicity") if not one.objection])
    @rule(data=st.data())
    def object(self, data: st.DataObject) -> None:
        shown = [one for one in self.claims("publicity") if not one.objection]
        self.world.object(data.draw(st.sampled_from(shown)))

    @precondition(lambda self: [one for one in self.world.oracle.claims if one.objection])
    @rule(data=st.data(), result=st.sampled_from(["uphold", "reject"]))
    def settle_an_objection(self, data: st.DataObject, result: str) -> None:
        contested = [one for one in self.world.oracle.claims if one.objection]
        self.world.settle(data.draw(st.sampled_from(contested)), result)

    @rule()
    def wait(self) -> None:
        self.world.wait()

    @precondition(lambda self: self.rows("reserved", "ready", "bounced", "released"))
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.world.remove(*data.draw(st.sampled_from(self.rows("reserved", "ready", "bounced", "released"))))

    # Money -----------------------------------------------------------------------------------------------------

    @rule(county=st.sampled_from(COUNTIES), people=st.integers(0, 2 * PEOPLE))
    def change_what_there_is(self, county: str, people: int) -> None:
        self.world.change_amount(county, people)

    @rule(county=st.sampled_from(COUNTIES), who=st.integers(0, 2))
    def make_a_batch(self, county: str, who: int) -> None:
        self.world.make(county, OFFICERS[county]["finance"][who])

    @precondition(lambda self: self.made("made"))
    @rule(data=st.data(), who=st.integers(0, 2), agree=st.booleans())
    def check_a_batch(self, data: st.DataObject, who: int, agree: bool) -> None:
        batch = data.draw(st.sampled_from(self.made("made")))
        self.world.check(batch, OFFICERS[batch.county]["finance"][who], agree)

    @precondition(lambda self: self.made("made", "checked"))
    @rule(data=st.data())
    def cancel_a_batch(self, data: st.DataObject) -> None:
        batch = data.draw(st.sampled_from(self.made("made", "checked")))
        self.world.cancel(batch, OFFICERS[batch.county]["finance"][0])

    @precondition(lambda self: self.made("checked"))
    @rule(data=st.data(), who=st.integers(0, 2))
    def release_a_batch(self, data: st.DataObject, who: int) -> None:
        batch = data.draw(st.sampled_from(self.made("checked")))
        self.world.release(batch, OFFICERS[batch.county]["finance"][who])

    @precondition(lambda self: self.made("released"))
    @rule(data=st.data(), bounced=st.sets(st.integers(1, PEOPLE)))
    def the_bank_answers(self, data: st.DataObject, bounced: set[int]) -> None:
        batch = data.draw(st.sampled_from(self.made("released")))
        self.world.answer(batch, OFFICERS[batch.county]["finance"][0], bounced)

    @precondition(lambda self: self.rows("ready"))
    @rule(data=st.data(), bounced=st.sets(st.integers(1, PEOPLE), max_size=2))
    def pay(self, data: st.DataObject, bounced: set[int]) -> None:
        """The three acts and the answer, as on a good day."""
        county = data.draw(st.sampled_from(sorted({claim.county for claim, _ in self.rows("ready")})))
        self.pay_all(county, bounced)

    def pay_all(self, county: str, bounced: set[int]) -> None:
        one, other, third = OFFICERS[county]["finance"]
        known = len(self.world.oracle.batches)
        self.world.make(county, one)
        for batch in self.world.oracle.batches[known:]:
            self.world.check(batch, other, True)
            self.world.release(batch, third)
            self.world.answer(batch, one, bounced)

    @precondition(lambda self: self.rows("bounced"))
    @rule(data=st.data())
    def correct_an_account(self, data: st.DataObject) -> None:
        self.world.correct(*data.draw(st.sampled_from(self.rows("bounced"))))

    @precondition(lambda self: self.rows("paid"))
    @rule(data=st.data())
    def recover(self, data: st.DataObject) -> None:
        self.world.recover(*data.draw(st.sampled_from(self.rows("paid"))))

    # What goes wrong -------------------------------------------------------------------------------------------

    @rule(statement=st.integers(-20, 60).filter(bool))
    def kill_the_next_action(self, statement: int) -> None:
        """The process that does the next thing dies before its so manieth statement, or (below zero) at its commit."""
        self.world.kill_at = statement

    @precondition(lambda self: self.claims("recheck", "township_check"))
    @rule(data=st.data())
    def somebody_without_the_post(self, data: st.DataObject) -> None:
        """初审 does not 复核, the applicant decides nothing, neither does another county."""
        claim = data.draw(st.sampled_from(self.claims("recheck", "township_check")))
        own, other = OFFICERS[claim.county], OFFICERS[next(one for one in COUNTIES if one != claim.county)]
        for username in (str(own["hrss"]), str(other["head"]), CLERK[claim.employer]):
            # of the office itself somebody may have taken the item already, and is named
            with pytest.raises((Forbidden, Conflict), match=r"岗位|不能|无权|已领取|只有|不属于|负责"):
                self.world.decide(
                    claim, claim.at, "agree" if claim.at == "township_check" else "approve", username
                )
        self.world.refused(
            lambda session: batches.make(
                session,
                actor(session, str(other["finance"][0])),
                self.world.fund(session, claim.county).id,
                PROCESS,
                blocked=blocked_cases,
            ),
            Forbidden,
            "财政",
        )


def nothing(_: Database) -> None:
    """Nothing is broken."""


def walk(
    house: Any,
    examples: int,
    steps: int,
    spoil: Callable[[Database], None] | None = None,
    **more: Any,
) -> None:
    """So many walks of so many steps; a walk reads well as it is, shrinking one costs minutes."""
    machine = type("MoneyOnThisDatabase", (Money,), {"house": house, "spoil": staticmethod(spoil or nothing)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
            **more,
        ),
    )


def test_nobody_is_paid_twice_and_no_fen_is_lost(house: Any) -> None:
    walk(house, examples=2, steps=30)


@pytest.mark.long
def test_thousands_of_steps(house: Any) -> None:
    walk(house, examples=50, steps=60)


def without_checks(database: Database) -> None:
    """SQLite without its CHECK constraints."""

    @event.listens_for(database.engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA ignore_check_constraints = ON")

    database.engine.dispose()


def without_index(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("DROP INDEX uq_grants_slot"))


def reserve_blindly(
    session: Any,
    origin: Any,
    owed: Any,
    *,
    actor_id: Any,
    department_id: Any = None,
    document_number: str | None = None,
) -> Any:
    assert document_number is None, "a claim of 一次性奖补 is bound to no document"
    fund = payables.enabled(session, origin.county_code, origin.process, today())[0]
    payables._reserve(
        session, fund, origin, owed, sum(one.amount_fen for one in owed), actor_id, department_id
    )
    return fund


def change_blindly(balance: Any, account: str, by_fen: int, _title: str) -> None:
    if account != "source":
        setattr(balance, f"{account}_fen", getattr(balance, f"{account}_fen") + by_fen)


def move_after_a_commit(session: Any, *rest: Any, **more: Any) -> Any:
    """One action in two transactions: the batch is released, and perhaps the money is not."""
    session.commit()
    return ledger.move(session, *rest, **more)


def move_in_transactions_of_its_own(patch: pytest.MonkeyPatch) -> None:
    for module in (answers, batches, payables, recoveries):
        patch.setattr(module, "move", move_after_a_commit)


def lift_whatever_was_said(action: Action) -> None:
    for grant in grants.of_case(action.session, action.case.id):
        if grant.state == "held":
            grant.state = "claimed"


Break = Callable[[pytest.MonkeyPatch], None]
MUTANTS: dict[str, tuple[Break, Callable[[Database], None]]] = {
    "a person is not looked up, and the index is gone": (
        lambda patch: patch.setattr(grants, "obstacles", lambda *_, **__: {}),
        without_index,
    ),
    "money is reserved without asking how much there is": (
        lambda patch: (
            patch.setattr(payables, "reserve", reserve_blindly),
            patch.setattr(ledger, "_change", change_blindly),
        )[0],
        without_checks,
    ),
    "a hold is lifted whatever the offices said": (
        lambda patch: patch.setitem(operations.OPERATIONS, "lift_holds", lift_whatever_was_said),
        without_checks,
    ),
    "an open objection is overlooked": (
        lambda patch: (
            patch.setitem(functions.FUNCTIONS, "open_objections", lambda action: 0),
            patch.setattr(paying, "blocked_cases", lambda *_: {}),
        )[0],
        nothing,
    ),
    "money moves in a transaction of its own": (
        move_in_transactions_of_its_own,
        nothing,
    ),
    "a key that was used is forgotten": (
        lambda patch: patch.setattr(completing, "remember", lambda *_: None),
        nothing,
    ),
}


#: Found within seconds; the others need the deep profile.
QUICK = ("a person is not looked up, and the index is gone", "a key that was used is forgotten")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.long) for name in MUTANTS]
)
def test_with_a_guard_taken_away_it_fails(
    sqlite_house: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine must find what it is there for: one guard is gone, in the code and in the database."""
    in_code, in_database = MUTANTS[name]
    in_code(monkeypatch)
    with pytest.raises((AssertionError, WengangError, SQLAlchemyError, pytest.fail.Exception)):
        walk(sqlite_house, examples=80, steps=30, spoil=in_database, derandomize=True)
