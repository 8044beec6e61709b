"""The beginning and the end of an appropriation: enabled by the county, carried over, given back, closed. Both databases."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.database.money import (
    COUNTY,
    PROCESS,
    answer_csv,
    appropriate,
    employer,
    person,
    problems,
    released,
    reserved,
)
from tests.database.test_funds import accounts
from tests.factories import actor_named
from workflows.audit.model import Event
from workflows.audit.verify import verify_streams
from workflows.base.clock import today
from workflows.base.errors import Conflict, Forbidden, Invalid
from workflows.base.files import FileStore
from workflows.base.session import Database
from workflows.funds import answers, appropriations, closing, payables, recoveries
from workflows.funds.ledger import Shortfall, lock
from workflows.funds.model import Appropriation

pytestmark = pytest.mark.usefixtures("clock")
MEMO = "通财发〔2027〕1号"


def unused(session: Session, number: str = "吉财农〔2026〕7号", fen: int = 300_000) -> Appropriation:
    """Money of this year that the county has not decided to use."""
    return appropriations.appropriate(
        session,
        actor_named(session, "caizheng.clerk"),
        appropriations.AppropriationData(
            COUNTY, 2026, "rural_revitalisation", number, "", fen, (PROCESS,), date(2026, 3, 1)
        ),
    )


def test_money_is_no_right_until_the_county_says_so(county_session: Session) -> None:
    session = county_session
    finance, fund = actor_named(session, "caizheng.clerk"), unused(session)
    with pytest.raises(Shortfall, match="还没有登记并启用"):
        reserved(session, employer(session, 1), 1, [person(session, 1)])
    with pytest.raises(Invalid) as refused:
        closing.enable(session, finance, fund.id, date(2026, 2, 28), " ")
    assert set(refused.value.errors) == {"day", "memo"}
    with pytest.raises(Forbidden):
        closing.enable(session, actor_named(session, "renshe.head"), fund.id, today(), MEMO)
    later = today() + timedelta(days=3)
    closing.enable(session, finance, fund.id, later, "县政府常务会议纪要〔2026〕5号")
    assert appropriations.enabled(session, COUNTY, PROCESS, today()) == []
    assert appropriations.enabled(session, COUNTY, PROCESS, later) == [fund]
    closing.enable(session, finance, fund.id, today(), "县政府常务会议纪要〔2026〕6号")
    assert fund.enabled_basis == "县政府常务会议纪要〔2026〕6号"
    with pytest.raises(Conflict, match="已经启用"):
        closing.enable(session, finance, fund.id, today(), MEMO)
    reserved(session, employer(session, 1), 2, [person(session, 2)])
    kinds = [one.kind for one in session.scalars(select(Event).where(Event.stream == fund.stream_name))]
    assert kinds.count("fund-enabled") == 2
    assert list(verify_streams(session)) == []


def test_what_is_left_is_carried_over(county_session: Session) -> None:
    session = county_session
    finance = actor_named(session, "caizheng.clerk")
    fund = appropriate(session, 500_000)
    other = appropriate(session, 100_000, "吉财农〔2026〕2号")
    for memo in ("", "  "):
        with pytest.raises(Invalid, match="没有结转") as refused:
            closing.carry_over(session, finance, fund.id, other.id, memo)
        assert set(refused.value.errors) == {"memo"}
    assert closing.carry_over(session, finance, fund.id, other.id, "年末结转") == 500_000
    assert accounts(session, fund) == (0, 0, 0, 0)
    assert accounts(session, other) == (6000, 0, 0, 0)
    with pytest.raises(Conflict, match="没有可用余额"):
        closing.carry_over(session, finance, fund.id, other.id, "年末结转")
    with pytest.raises(Invalid, match="没有结转"):
        closing.carry_over(session, finance, other.id, other.id, "年末结转")
    other.year = 2027
    with pytest.raises(Invalid) as refused:
        closing.carry_over(session, finance, other.id, fund.id, "年末结转")
    assert "以后年度" in refused.value.errors["to"]
    assert problems(session) == []


@pytest.mark.tampers
def test_nothing_bound_is_closed_and_what_is_left_goes_somewhere(
    county_session: Session, store: FileStore
) -> None:
    session = county_session
    finance = actor_named(session, "caizheng.clerk")
    fund = appropriate(session, 500_000)
    made = reserved(session, employer(session, 1), 1, [person(session, n) for n in (1, 2)])
    with pytest.raises(Conflict, match=r"还有 2,000\.00 元预占、0\.00 元已拨在途"):
        closing.close(session, finance, fund.id, MEMO)
    batch = released(session, fund, store)
    with pytest.raises(Conflict, match=r"0\.00 元预占、2,000\.00 元已拨在途"):
        closing.close(session, finance, fund.id, MEMO, rest=closing.GIVE_BACK)
    batch.state = "checked"  # as if it had never been released: the money is free once more
    lock(session, fund.id).released_fen = 0
    lock(session, fund.id).available_fen = 500_000
    with pytest.raises(Invalid) as refused:
        closing.close(session, finance, fund.id, " ")
    assert set(refused.value.errors) == {"memo"}
    with pytest.raises(Invalid) as refused:
        closing.close(session, finance, fund.id, MEMO)
    assert "还有 5,000.00 元可用" in refused.value.errors["rest"]
    with pytest.raises(Invalid) as refused:
        closing.close(session, finance, fund.id, MEMO, rest=closing.CARRY)
    assert set(refused.value.errors) == {"to"}
    assert fund.closed_on is None
    assert made.payables


def test_an_appropriation_is_closed_with_its_reason(county_session: Session) -> None:
    session = county_session
    finance = actor_named(session, "caizheng.clerk")
    first, second, third = (
        appropriate(session, 500_000, f"吉财农〔2026〕{number}号") for number in (1, 2, 3)
    )
    with pytest.raises(Forbidden):
        closing.close(session, actor_named(session, "shenji"), first.id, MEMO, rest=closing.GIVE_BACK)
    carried = closing.close(session, finance, first.id, MEMO, rest=closing.CARRY, to_id=second.id)
    assert (carried, accounts(session, second)) == (500_000, (10_000, 0, 0, 0))
    assert (first.closed_on, first.closed_basis, first.total_fen) == (today(), MEMO, 0)
    assert closing.close(session, finance, second.id, MEMO, rest=closing.GIVE_BACK) == 1_000_000
    assert second.total_fen == 0
    for act in (
        lambda: closing.close(session, finance, first.id, MEMO),
        lambda: closing.enable(session, finance, first.id, today(), MEMO),
        lambda: appropriations.change_amount(session, finance, first.id, 900_000, MEMO),
        lambda: closing.give_back(session, finance, first.id, MEMO),
    ):
        with pytest.raises(Conflict):
            act()
    with pytest.raises(Invalid, match="没有结转"):
        closing.carry_over(session, finance, third.id, second.id, MEMO)
    assert appropriations.enabled(session, COUNTY, PROCESS, today()) == [third]
    assert closing.close(session, finance, unused(session).id, MEMO, rest=closing.GIVE_BACK) == 300_000
    kinds = set(session.scalars(select(Event.kind)))
    assert {"fund-closed", "funds-give-back", "funds-carry-out"} <= kinds
    assert problems(session) == []
    assert list(verify_streams(session)) == []


def test_what_is_recovered_after_the_end_is_given_back_in_its_turn(
    county_session: Session, store: FileStore
) -> None:
    session = county_session
    finance, hrss = actor_named(session, "caizheng.clerk"), actor_named(session, "renshe.a")
    fund = appropriate(session, 100_000)
    made = reserved(session, employer(session, 1), 1, [person(session, 1)])
    batch = released(session, fund, store)
    answers.import_answer(session, finance, batch.id, answer_csv(session, batch), store, value_date=today())
    assert closing.close(session, finance, fund.id, MEMO) == 0
    finding = recoveries.Finding("未实际用工", "不符合奖补条件", today() + timedelta(days=9))
    row = recoveries.decide(session, hrss, made.payables[0].id, finding)
    recoveries.demand(session, hrss, row.id)
    recoveries.receive(session, finance, row.id, today(), "收字第1号")
    assert accounts(session, fund) == (1000, 0, 0, 0)
    with pytest.raises(Shortfall, match="还没有登记并启用"):
        reserved(session, employer(session, 2), 2, [person(session, 2)])
    with pytest.raises(Invalid, match="没有登记收回"):
        closing.give_back(session, finance, fund.id, " ")
    assert closing.give_back(session, finance, fund.id, MEMO) == 100_000
    assert problems(session) == []


def test_whoever_reserves_while_it_is_closed_is_first_or_told(county_database: Database) -> None:
    """Closing and reserving at once: either something is reserved and closing is refused, or nothing is left to reserve."""
    with county_database.transaction() as session:
        fund_id = appropriate(session, 100_000).id
        people = [person(session, number) for number in range(4)]
    start, said = threading.Barrier(5), []

    def run(act: object) -> None:
        start.wait(20)
        try:
            with county_database.transaction() as session:
                act(session)  # type: ignore[operator]  # one of the two below
            said.append("done")
        except Conflict as error:
            said.append(type(error).__name__)

    def close(session: Session) -> None:
        closing.close(session, actor_named(session, "caizheng.clerk"), fund_id, MEMO, rest=closing.GIVE_BACK)

    def claim(number: int) -> object:
        return lambda session: reserved(session, employer(session, 1), 50 + number, [people[number]])

    threads = [threading.Thread(target=run, args=(act,)) for act in (close, *(claim(n) for n in range(4)))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert said.count("done") == 1, said
    with county_database.reading() as session:
        fund = session.get_one(Appropriation, fund_id)
        owed = sum(len(payables.of_case(session, 50 + number)) for number in range(4))
        assert (fund.closed_on is None) == (owed == 1)
        assert problems(session) == []
