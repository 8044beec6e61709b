"""What the pages of money read, on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.conftest import MONDAY
from tests.database.money import (
    COUNTY,
    PROCESS,
    answer_csv,
    appropriate,
    employer,
    person,
    released,
    reserved,
)
from tests.factories import actor_named
from workflows.base import clock as wengang_clock
from workflows.base.clock import today
from workflows.base.errors import Forbidden, Invalid
from workflows.base.files import FileStore
from workflows.base.session import Database
from workflows.cases.finance_views import needs
from workflows.funds import answers, corrections, reconciling, recoveries, views
from workflows.funds.model import Appropriation, Balance
from workflows.organisations.actors import SYSTEM
from workflows.registers.demo_people import id_number
from workflows.registers.grant_lookup import look_up
from workflows.registers.grant_model import Grant
from workflows.registers.past_grants import PastGrant, enter
from workflows.registers.people import people_for

pytestmark = pytest.mark.usefixtures("clock")


def test_every_list_says_what_the_rows_say(county_session: Session, store: FileStore) -> None:
    session = county_session
    fund = appropriate(session, 900_000)
    made = reserved(session, employer(session, 1), 1, [person(session, n) for n in (1, 2, 3)])
    held = reserved(session, employer(session, 2), 2, [person(session, 4)])
    held.payables[0].state = "reserved"
    assert [(one[0].id, one[1], one[2], one[3]) for one in views.choices(session, [COUNTY])] == [
        (fund.id, PROCESS, 3, 300_000)
    ]
    batch = released(session, fund, store)
    clerk = actor_named(session, "caizheng.clerk")
    assert views.waiting(session, [COUNTY], clerk.user_id).bank == 1
    content = answer_csv(session, batch, bounced=[2])
    answers.import_answer(session, clerk, batch.id, content, store, value_date=today())
    session.flush()
    assert views.choices(session, [COUNTY]) == []
    assert views.batch_counts(session, [COUNTY]) == {"settled": 1}
    assert views.batch_list(session, [COUNTY], "settled", 1).rows[0][0].id == batch.id
    assert views.batch_list(session, [COUNTY], "made", 1).total == 0
    lines = views.line_page(session, batch.id, 2, size=2)
    assert (lines.total, [line.seq for line, *_ in lines.rows]) == (3, [3])
    assert reconciling.line_sums(session, [COUNTY]) == {"paid": (2, 200_000), "bounced": (1, 100_000)}
    assert len(reconciling.all_rows(session, [COUNTY], "paid", batch.number, 10)) == 2
    assert reconciling.disagreements(session, [COUNTY]) == []

    payable, line, of_batch, correction, name = views.bounced(session, [COUNTY], 1).rows[0]
    assert (payable.id, line.seq, of_batch.id, correction, name) == (
        made.payables[1].id,
        2,
        batch.id,
        None,
        "演示2",
    )
    assert views.waiting(session, [COUNTY], clerk.user_id).bounced == 1
    right = corrections.Account("某公司", "6222600260001072444", "示范银行")
    corrections.enter(session, clerk, payable.id, right, "银行退票")
    own, other = (
        views.waiting(session, [COUNTY], actor_named(session, one).user_id)
        for one in ("caizheng.clerk", "caizheng.b")
    )
    assert (own.bounced, own.confirm, other.confirm, other.finance) == (0, 0, 1, 1)
    hrss = actor_named(session, "renshe.a")
    finding = recoveries.Finding("未实际用工", "不符合奖补条件", today() + timedelta(days=9))
    recoveries.decide(session, hrss, made.payables[0].id, finding)
    assert views.recovery_list(session, [COUNTY], "decided", 1).total == 1
    assert views.waiting(session, [COUNTY], None).to_demand == 1
    entries = views.entries(session, fund.id, 1)
    assert entries.total == 6
    assert [entry.kind for entry, *_ in entries.rows][:3] == ["bounce", "pay", "release"]
    assert needs(session, [COUNTY]) == []
    assert views.waiting(session, ["220881"], None).finance == 0


def test_how_an_appropriation_stands_against_its_year() -> None:
    fund = Appropriation(year=2026, total_fen=1000, received_on=date(2026, 1, 1))
    balance = Balance(available_fen=400, paid_fen=100)
    state = views.fund_state(fund, balance, date(2026, 7, 1))
    assert (state.idle_days, state.idle, state.behind) == (181, True, True)
    assert (round(state.paid_share, 2), round(state.year_share, 2)) == (0.1, 0.5)
    assert not views.fund_state(fund, balance, date(2026, 6, 30)).idle
    spent = views.fund_state(fund, Balance(available_fen=0, paid_fen=1000), date(2026, 12, 31))
    assert (spent.idle_days, spent.behind, spent.year_share) == (0, False, 1.0)
    assert views.year_share(2027, date(2026, 5, 1)) == 0
    assert views.year_share(2025, date(2026, 5, 1)) == 1
    assert views.year_share(2028, date(2028, 12, 31)) == 1
    empty = Appropriation(year=2026, total_fen=0, received_on=date(2026, 1, 1))
    assert views.fund_state(empty, Balance(available_fen=0, paid_fen=0), date(2026, 2, 1)).paid_share == 0


def test_an_answer_is_late_after_three_working_days(
    county_session: Session, store: FileStore, clock: object
) -> None:
    fund = appropriate(county_session)
    reserved(county_session, employer(county_session, 1), 1, [person(county_session, 1)])
    batch = released(county_session, fund, store)
    for days, late in (
        (3, []),
        (4, [(batch.id, date(2026, 3, 5), 1)]),
        (7, [(batch.id, date(2026, 3, 5), 2)]),
    ):
        with wengang_clock.frozen(MONDAY + timedelta(days=days)):
            found = reconciling.overdue(county_session, [COUNTY])
        assert [(one.batch.id, one.due, one.days) for one in found] == late


def test_a_lookup_is_of_the_whole_register_and_asks_for_a_reason(county_session: Session) -> None:
    session = county_session
    number = id_number(date(1980, 5, 17), 1)
    earlier = PastGrant(
        number, "演示1", "workshop_reward", "某公司", "91220881MA17C3W929", 100_000, date(2024, 1, 1), "1号"
    )
    enter(session, SYSTEM, [earlier], county_code="220881")
    officer = actor_named(session, "renshe.a")
    assert [one.county_code for one in look_up(session, officer, COUNTY, number, "核对").grants] == ["220881"]
    with pytest.raises(Invalid) as refused:
        look_up(session, officer, COUNTY, "123", "由" * 201)
    assert set(refused.value.errors) == {"id_number", "reason"}
    with pytest.raises(Forbidden):
        look_up(session, actor_named(session, "shifan.clerk"), COUNTY, number, "核对")
    with pytest.raises(Forbidden):
        look_up(session, officer, "220881", number, "核对")
    with pytest.raises(Forbidden, match="须由经办人员查询"):
        look_up(session, replace(officer, user_id=None), COUNTY, number, "核对")


def test_one_list_sent_twice_at_once_enters_everybody_once(county_database: Database) -> None:
    rows = [
        PastGrant(
            id_number(date(1980, 5, 17), n),
            f"演示{n}",
            "workshop_reward",
            "某公司",
            "91220881MA17C3W929",
            100_000,
            date(2024, 1, 1),
            "1号",
        )
        for n in range(1, 40)
    ]
    with county_database.transaction() as session:
        people_for(session, [(row.id_number, row.name) for row in rows])  # known: adding them holds nobody up
    start = threading.Barrier(4)
    entered: list[int] = []

    def send() -> None:
        start.wait()
        with county_database.transaction() as session:
            entered.append(enter(session, SYSTEM, rows, county_code=COUNTY).entered)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(entered) == [0, 0, 0, 39]
    with county_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Grant)) == 39
