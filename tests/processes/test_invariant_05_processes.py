"""Processes that race for people and money on PostgreSQL (invariants 1 to 3), and one that is killed with SIGKILL again and
again (invariant 5): nothing is lost, nothing is done twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflows.base import clock
from workflows.base.clock import today
from workflows.base.installation import Installation, installation
from workflows.base.session import Database
from workflows.cases import check
from workflows.cases.jobs import fire_due_timers
from workflows.cases.model import Case, Decision
from workflows.cases.paying import blocked_cases
from workflows.cases.scenario_money import answer_of, enter_funds, finance_officers
from workflows.cases.scenarios import Run, Scenarios
from workflows.documents.model import IssuedDocument
from workflows.funds import answers, batches, ledger, payables
from workflows.funds.batch_model import BankAnswer, BatchLine, PaymentBatch
from workflows.funds.check import check_funds
from workflows.funds.model import Appropriation, Balance, LedgerEntry, Payable
from workflows.registers.grant_model import Grant

from .racing import Work, place, race, until_done
from .reward_stage import PROCESS, reward
from .stage import MONDAY, county_of, unsigned
from .test_rewards_money import silent, upload

pytestmark = pytest.mark.usefixtures("papers_unrendered")
Mover = Callable[[timedelta], None]
COUNTY = "220822"
LATER = MONDAY + timedelta(days=12)


def run_on(database: Database, move: Any, given: tuple[int, int, int]) -> Run:
    """The run of a case that stands in the database. ``given``: case, employer, seed."""
    case_id, employer, seed = given
    county = county_of(database)
    run = Run(
        database,
        unsigned,
        Scenarios.read(PROCESS),
        county.employers[employer].id,
        county.county_code,
        move,
        seed=seed,
    )
    run.walk.case_id = case_id
    return run


# Races -----------------------------------------------------------------------------------------------------------


def approve(database: Database, move: Any, given: tuple[int, int, int]) -> str:
    run = run_on(database, move, given)
    content = run.scenarios.get("straight")
    run.take({"step": "recheck", "by": "hrss_head", "outcome": "approve"}, content)
    return "approved"


def look_without_locking(session: Session, appropriation_id: int) -> Balance:
    """The mutant: the balance is read, and nobody waits for whoever moves money at the same time."""
    session.flush()
    found = select(Balance).where(Balance.appropriation_id == appropriation_id)
    seen = session.scalars(found.execution_options(populate_existing=True)).one()
    time.sleep(0.5)  # what any busy machine does to a process now and then
    return seen


def reserve(database: Database, move: Any, number: int) -> str:
    """3000 元 for a case of that number, past the diagram: before it the register of grants makes writers wait."""
    with database.transaction() as session:
        owed = [payables.Owed(number * 10 + row, 100_000, "甲", "6222600260", "乙") for row in range(3)]
        origin = payables.Origin(PROCESS, number, f"JB{number}", COUNTY)
        payables.reserve(session, origin, owed, actor_id=None)
    return "reserved"


def reserve_without_locking(database: Database, move: Any, number: int) -> str:
    """The process is its own: what it changes goes with it."""
    payables.lock = ledger.lock = look_without_locking  # type: ignore[attr-defined]
    return reserve(database, move, number)


def hand_in(database: Database, move: Any, given: tuple[int, int, int]) -> str:
    run = run_on(database, move, given)
    run.take({"step": "application", "by": "employer", "outcome": "submit"}, run.scenarios.get("straight"))
    return "submitted"


def gather(database: Database, move: Any, who: int) -> int:
    with database.transaction() as session:
        officer = finance_officers(session, COUNTY)[who]
        fund = session.scalars(select(Appropriation.id)).one()
        return batches.make(session, officer, fund, PROCESS, blocked=blocked_cases).id


def release(database: Database, move: Any, given: tuple[int, int]) -> str:
    batch, who = given
    with database.transaction() as session:
        officer = finance_officers(session, COUNTY)[who]
        done = batches.release(session, officer, batch, installation().files, blocked=blocked_cases)
        return str(done.file_sha256)


def hear(database: Database, move: Any, given: tuple[int, int]) -> int:
    batch, who = given
    with database.transaction() as session:
        officer = finance_officers(session, COUNTY)[who]
        content = answer_of(session, batches.get(session, batch))
        store = installation().files
        return answers.import_answer(session, officer, batch, content, store, value_date=today()).id


@pytest.fixture
def raced(postgres_house: Any) -> Any:
    """The published county on PostgreSQL alone: there writers really meet."""
    from .conftest import _published

    with postgres_house.fresh("published", _published) as fresh:
        yield fresh


def test_processes_that_reserve_at_once_never_overdraw(raced: Database) -> None:
    """Six claims of 3000 元 against 10 000 元: three are reserved, three are told what is missing."""
    with clock.frozen(MONDAY) as move:
        waiting = []
        for number in range(1, 7):
            run = reward(raced, move, "recheck", employer=number, seed=number, funds=100_000)
            waiting.append((run.walk.case_id, number, number))
        with raced.transaction() as session:
            for fund in session.scalars(select(Appropriation)):
                fund.closed_on = MONDAY.date()
            enough = enter_funds(session, COUNTY, PROCESS, 1_000_000).id
        done, refused = race(place(raced), *((approve, one) for one in waiting))
        assert (done, [kind for kind, _ in refused]) == (["approved"] * 3, ["Shortfall"] * 3)
        assert all("缺 2,000.00 元" in words for _, words in refused)
        with raced.reading() as session:
            balance = session.get_one(Balance, enough)
            assert (balance.available_fen, balance.reserved_fen) == (100_000, 900_000)


@pytest.mark.parametrize("work", [reserve, reserve_without_locking])
def test_the_lock_on_the_balance_is_what_keeps_the_sum(raced: Database, work: Work) -> None:
    """Six processes against the money of three; without the lock fen are lost, and the checker says so."""
    with clock.frozen(MONDAY):
        with raced.transaction() as session:
            enter_funds(session, COUNTY, PROCESS, 1_000_000)
        done, refused = race(place(raced), *((work, number) for number in range(1, 7)))
        with raced.reading() as session:
            found = list(check_funds(session))
        if work is reserve:
            assert (len(done), {kind for kind, _ in refused}, found) == (3, {"Shortfall"}, [])
        else:
            assert len(done) > 3 or found


def test_processes_that_claim_the_same_people_at_once(raced: Database) -> None:
    """One employer claims the same people twice, two others once each: one free claim a person, one slot an employer."""
    with clock.frozen(MONDAY) as move:
        waiting = []
        for employer in (1, 1, 2, 4):
            run = reward(raced, move, "application", employer=employer, seed=1, funds=100_000 + len(waiting))
            upload(raced, run)
            waiting.append((run.walk.case_id, employer, 1))
        done, refused = race(place(raced), *((hand_in, one) for one in waiting))
        assert (len(done), refused) == (4, [])
        with raced.reading() as session:
            taken = session.execute(
                select(Grant.person_id, Grant.scope, Grant.state).where(Grant.state != "freed")
            ).all()
        assert len(taken) == 3 * 3
        assert len({(person, scope) for person, scope, _ in taken}) == len(taken)
        assert sorted(person for person, _, state in taken if state == "claimed") == sorted(
            {person for person, _, _ in taken}
        )
        silent(raced)


def test_processes_that_batch_release_and_answer_at_once(raced: Database) -> None:
    """The same rows gathered by three, the same batch released by two, the same answer imported by two: each once."""
    with clock.frozen(MONDAY) as move:
        run = reward(raced, move, "advance")
        move(timedelta(days=12))
        run.walk.work()
        there = place(raced, LATER)
        made, refused = race(there, *((gather, who) for who in (0, 0, 1)))
        assert len(made) == 1
        assert all("没有待拨付" in words for _, words in refused)
        with raced.transaction() as session:
            batch = batches.get(session, made[0])
            people = finance_officers(session, COUNTY)
            checker = next(one for one in people if one.user_id != batch.made_by)
            maker = next(place for place, one in enumerate(people) if one.user_id == batch.made_by)
            others = [place for place in range(3) if place != maker]
            batches.check(session, checker, batch.id, True, "")
        sent, refused = race(there, *((release, (made[0], who)) for who in others))
        assert len(sent) == 1
        assert "已由他人办理" in refused[0][1]
        heard, refused = race(there, *((hear, (made[0], who)) for who in (maker, *others)))
        assert len(heard) == 1
        assert all("没有重复导入" in words for _, words in refused)
        run.walk.work()
        with raced.reading() as session:
            assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 4
            assert session.get_one(Case, run.walk.case_id).status == "paid"
        silent(raced)


# Killed ----------------------------------------------------------------------------------------------------------


def to_the_publicity(database: Database, move: Any, given: tuple[int, int, int]) -> str:
    """Everything up to the 公示, from wherever the case is."""
    run = run_on(database, move, given)
    content = run.scenarios.get("straight")
    run.people = run._people(list(content["roster"]))
    lines = {one["step"]: one for one in content["walk"] if "step" in one}
    while steps := run.walk.open_steps():
        run.take(lines[steps[0]], content)
    run.walk.work()
    return run.walk.status()


def to_the_answer(database: Database, move: Any, given: tuple[int, int, int]) -> str:
    """From the end of the 公示 to the bank's answer, from wherever the money is."""
    run = run_on(database, move, given)
    fire_due_timers(database)
    run.walk.work()
    while run.walk.status() != "paid":
        with database.transaction() as session:
            one, other, third = finance_officers(session, COUNTY)[:3]
            batch = session.scalars(select(PaymentBatch)).one_or_none()
            store = installation().files
            if batch is None:
                fund = session.scalars(select(Appropriation.id)).one()
                batches.make(session, one, fund, PROCESS, blocked=blocked_cases)
            elif batch.state == "made":
                batches.check(session, other, batch.id, True, "")
            elif batch.state == "checked":
                batches.release(session, third, batch.id, store, blocked=blocked_cases)
            elif batch.state == "released":
                content = answer_of(session, batch)
                answers.import_answer(session, one, batch.id, content, store, value_date=today())
        run.walk.work()
    return "paid"


def killed(database: Database, installed: Installation, kills: int, chance: Random) -> int:
    """A claim from its first submission to the bank's answer by processes that are killed again and again."""
    with clock.frozen(MONDAY) as move:
        run = reward(database, move, "application")
        given = (run.walk.case_id, 1, 1)
        deaths = [chance.randint(1, 250) for _ in range(kills)]
        count = until_done(place(database), to_the_publicity, given, deaths)
        with database.reading() as session:
            assert session.get_one(Case, given[0]).status == "publicised"
        assert check.check(database) == []
        move(timedelta(days=12))
        deaths = [chance.randint(1, 120) for _ in range(kills)]
        count += until_done(place(database, LATER), to_the_answer, given, deaths)
        run.walk.work()
        once(database, given[0])
        silent(database)
    return count


def once(database: Database, case_id: int) -> None:
    """Each step was decided once, each paper issued once, each fen moved once."""
    with database.reading() as session:
        decided = session.scalars(select(Decision.step).where(Decision.case_id == case_id)).all()
        assert sorted(decided) == ["application", "hrss_review", "recheck", "rural_review", "township_check"]
        papers = session.scalars(select(IssuedDocument.name).where(IssuedDocument.case_id == case_id)).all()
        assert sorted(papers) == ["approval_form", "payment_form", "payment_list", "publicity_sheet"]
        kinds = session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.id)).all()
        assert kinds == ["appropriate", "reserve", "release", "pay"]
        assert session.scalars(select(Payable.state)).all() == ["paid"] * 3
        assert session.scalars(select(Grant.state)).all() == ["paid"] * 3
        assert session.scalars(select(BatchLine.state)).all() == ["paid"] * 3
        assert session.scalar(select(func.count()).select_from(BankAnswer)) == 1


def test_invariant_5_a_process_killed_loses_nothing_and_repeats_nothing(
    published: Database, installation: Installation
) -> None:
    assert killed(published, installation, 6, Random(5)) >= 6


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_killed_again_and_again(published: Database, installation: Installation, seed: int) -> None:
    killed(published, installation, 25, Random(seed))
