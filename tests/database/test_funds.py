"""Money: entries, balances, reservations, batches, the bank's answer, corrections, recoveries. Both databases."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from tests.database.money import (
    COUNTY,
    PROCESS,
    answer_csv,
    appropriate,
    employer,
    nobody_blocked,
    person,
    problems,
    released,
    reserved,
)
from tests.factories import actor_named, workbook
from workflows.base.clock import today
from workflows.base.errors import Conflict, Forbidden, Invalid
from workflows.base.files import FileStore
from workflows.funds import answers, appropriations, batches, corrections, payables, recoveries
from workflows.funds.ledger import Shortfall, lock
from workflows.funds.model import Appropriation, Payable

pytestmark = pytest.mark.usefixtures("clock")


def accounts(session: Session, fund: Appropriation) -> tuple[int, int, int, int]:
    """available, reserved, released, paid in 元."""
    found = lock(session, fund.id)
    return tuple(  # type: ignore[return-value]
        fen // 100 for fen in (found.available_fen, found.reserved_fen, found.released_fen, found.paid_fen)
    )


def test_money_goes_its_whole_way_with_a_bounce_and_a_recovery(
    county_session: Session, store: FileStore
) -> None:
    session = county_session
    fund = appropriate(session, 500_000)
    assert accounts(session, fund) == (5000, 0, 0, 0)
    made = reserved(session, employer(session, 1), 1, [person(session, n) for n in (1, 2, 3)])
    assert accounts(session, fund) == (2000, 3000, 0, 0)
    batch = released(session, fund, store)
    assert accounts(session, fund) == (2000, 0, 3000, 0)
    answers.import_answer(
        session,
        actor_named(session, "caizheng.clerk"),
        batch.id,
        answer_csv(session, batch, bounced=[2]),
        store,
        value_date=today(),
    )
    assert accounts(session, fund) == (2000, 1000, 0, 2000)
    assert [one.state for one in made.payables] == ["paid", "bounced", "paid"]
    assert [one.state for one in made.grants] == ["paid", "approved", "paid"]
    assert problems(session) == []

    right = corrections.Account("通榆县晨曦服装加工有限公司", "6222600260001072444", "示范银行通榆支行")
    entered = corrections.enter(
        session, actor_named(session, "caizheng.clerk"), made.payables[1].id, right, "户名少一字"
    )
    with pytest.raises(Forbidden, match="其他人员确认"):
        corrections.decide(session, actor_named(session, "caizheng.clerk"), entered.id, True)
    corrections.decide(session, actor_named(session, "caizheng.b"), entered.id, True)
    retry = released(session, fund, store)
    assert retry.line_count == 1
    assert batches.lines_of(session, retry.id)[0].bank_name == "示范银行通榆支行"
    answers.import_answer(
        session,
        actor_named(session, "caizheng.clerk"),
        retry.id,
        answer_csv(session, retry),
        store,
        value_date=today(),
    )
    assert accounts(session, fund) == (2000, 0, 0, 3000)
    assert payables.settled(one.state for one in made.payables)

    hrss, finance = actor_named(session, "renshe.a"), actor_named(session, "caizheng.b")
    finding = recoveries.Finding("核查发现未实际用工", "不符合奖补条件", today() + timedelta(days=30))
    found = recoveries.decide(session, hrss, made.payables[0].id, finding)
    with pytest.raises(Conflict, match="已经决定追回"):
        recoveries.decide(session, hrss, made.payables[0].id, finding)
    recoveries.demand(session, hrss, found.id)
    recoveries.receive(session, finance, found.id, today(), "收字第1号")
    assert accounts(session, fund) == (3000, 0, 0, 2000)
    assert made.grants[0].state == "recovered"
    assert problems(session) == []


def test_a_reservation_that_the_balance_cannot_bear_says_how_much_is_missing(county_session: Session) -> None:
    appropriate(county_session, 250_000)
    with pytest.raises(Shortfall, match=r"缺 500\.00 元") as refused:
        reserved(
            county_session, employer(county_session, 1), 1, [person(county_session, n) for n in (1, 2, 3)]
        )
    assert refused.value.missing_fen == 50_000
    assert payables.of_case(county_session, 1) == []


def test_a_county_without_a_fund_and_one_not_yet_enabled(county_session: Session) -> None:
    with pytest.raises(Shortfall, match="还没有登记并启用"):
        reserved(county_session, employer(county_session, 1), 1, [person(county_session, 1)])
    fund = appropriate(county_session)
    fund.enabled_from = date(2026, 7, 1)
    with pytest.raises(Shortfall, match="还没有登记并启用"):
        reserved(county_session, employer(county_session, 1), 2, [person(county_session, 2)])


@pytest.mark.tampers
def test_the_database_refuses_a_negative_account_and_a_changed_entry(county_session: Session) -> None:
    """Mutants: the check of the balance is skipped; an entry is rewritten."""
    appropriate(county_session)
    with pytest.raises(IntegrityError), county_session.begin_nested():
        county_session.execute(text("UPDATE fund_balances SET available_fen = -1"))
    with pytest.raises(DatabaseError, match="append-only"):
        county_session.execute(text("UPDATE ledger_entries SET amount_fen = 1"))


def test_an_appropriation_is_raised_lowered_and_never_under_what_is_used(county_session: Session) -> None:
    finance = actor_named(county_session, "caizheng.clerk")
    fund = appropriate(county_session, 500_000)
    reserved(county_session, employer(county_session, 1), 1, [person(county_session, n) for n in (1, 2, 3)])
    with pytest.raises(Shortfall, match=r"缺 1,000\.00 元"):
        appropriations.change_amount(county_session, finance, fund.id, 200_000, "吉财农〔2026〕9号")
    with pytest.raises(Invalid, match="没有调整"):
        appropriations.change_amount(county_session, finance, fund.id, 400_000, " ")
    appropriations.change_amount(county_session, finance, fund.id, 300_000, "吉财农〔2026〕9号")
    assert accounts(county_session, fund) == (0, 3000, 0, 0)
    appropriations.change_amount(county_session, finance, fund.id, 900_000, "吉财农〔2026〕10号")
    assert accounts(county_session, fund) == (6000, 3000, 0, 0)
    assert problems(county_session) == []


def test_a_clock_that_was_set_back_moves_no_money(
    county_session: Session, clock: Callable[[timedelta], None]
) -> None:
    finance = actor_named(county_session, "caizheng.clerk")
    fund = appropriate(county_session, 500_000)
    clock(timedelta(minutes=-4))  # servers differ by so much
    appropriations.change_amount(county_session, finance, fund.id, 600_000, "吉财农〔2026〕9号")
    clock(timedelta(minutes=-30))
    told = pytest.raises(Conflict, match=r"服务器时间是 .*早于这笔资金上一次变动的时间")
    with told, county_session.begin_nested():
        appropriations.change_amount(county_session, finance, fund.id, 700_000, "吉财农〔2026〕10号")
    assert fund.total_fen == 600_000
    assert problems(county_session) == []


def test_bad_entries_of_money_are_named_field_by_field(county_session: Session) -> None:
    data = appropriations.AppropriationData(
        COUNTY, 1900, "gift", " ", "", 0, (), today() + timedelta(days=1), today(), " "
    )
    with pytest.raises(Invalid) as refused:
        appropriations.appropriate(county_session, actor_named(county_session, "caizheng.clerk"), data)
    assert set(refused.value.errors) == {
        "amount",
        "document_number",
        "source",
        "processes",
        "year",
        "received_on",
        "enabled_from",
        "enabled_basis",
    }
    appropriate(county_session)
    with pytest.raises(Invalid) as repeated:
        appropriate(county_session)
    assert "已经登记过" in repeated.value.errors["document_number"]


@pytest.mark.parametrize("who", ["renshe.a", "xiangcun.a", "taonan.caizheng", "shenji", "guanli", "qiye1"])
def test_only_the_countys_finance_office_moves_money(county_session: Session, who: str) -> None:
    fund = appropriate(county_session)
    with pytest.raises(Forbidden):
        appropriations.change_amount(county_session, actor_named(county_session, who), fund.id, 1, "试")
    with pytest.raises(Forbidden):
        batches.make(
            county_session, actor_named(county_session, who), fund.id, PROCESS, blocked=nobody_blocked
        )


def test_three_acts_by_at_least_two_people(county_session: Session, store: FileStore) -> None:
    session = county_session
    fund = appropriate(session)
    reserved(session, employer(session, 1), 1, [person(session, 1)])
    one, two = actor_named(session, "caizheng.clerk"), actor_named(session, "caizheng.b")
    batch = batches.make(session, one, fund.id, PROCESS, blocked=nobody_blocked)
    with pytest.raises(Conflict, match="待复核"):
        batches.release(session, two, batch.id, store, blocked=nobody_blocked)
    with pytest.raises(Forbidden, match="由您经办"):
        batches.check(session, one, batch.id, True, "")
    batches.check(session, two, batch.id, True, "无误")
    with pytest.raises(Forbidden, match="由您经办"):
        batches.release(session, one, batch.id, store, blocked=nobody_blocked)
    batches.release(session, two, batch.id, store, blocked=nobody_blocked)
    with pytest.raises(Conflict, match="已由他人办理"):
        batches.release(session, two, batch.id, store, blocked=nobody_blocked)
    assert problems(session) == []


@pytest.mark.tampers
def test_the_database_refuses_one_person_for_both_acts(county_session: Session) -> None:
    """Mutant: the separation of duties is skipped in the code."""
    fund = appropriate(county_session)
    reserved(county_session, employer(county_session, 1), 1, [person(county_session, 1)])
    batches.make(
        county_session,
        actor_named(county_session, "caizheng.clerk"),
        fund.id,
        PROCESS,
        blocked=nobody_blocked,
    )
    with pytest.raises(IntegrityError):
        county_session.execute(text("UPDATE payment_batches SET checked_by = made_by"))


def test_a_payment_stands_in_one_living_batch(county_session: Session) -> None:
    fund = appropriate(county_session)
    reserved(county_session, employer(county_session, 1), 1, [person(county_session, 1)])
    finance = actor_named(county_session, "caizheng.clerk")
    batch = batches.make(county_session, finance, fund.id, PROCESS, blocked=nobody_blocked)
    with pytest.raises(Conflict, match="没有待拨付的款项"):
        batches.make(county_session, finance, fund.id, PROCESS, blocked=nobody_blocked)
    with pytest.raises(IntegrityError), county_session.begin_nested():
        county_session.execute(
            text(
                "INSERT INTO batch_lines (batch_id, payable_id, seq, amount_fen, payee_name, account_number, bank_name,"
                " state, bank_reference, bounce_reason) SELECT batch_id, payable_id, 99, amount_fen, payee_name,"
                " account_number, bank_name, state, '', '' FROM batch_lines"
            )
        )
    batches.check(county_session, actor_named(county_session, "caizheng.b"), batch.id, False, "户名有误")
    again = batches.make(county_session, finance, fund.id, PROCESS, blocked=nobody_blocked)
    assert again.line_count == 1
    batches.cancel(county_session, finance, again.id)
    assert problems(county_session) == []


def test_a_case_that_may_not_be_paid_stops_the_batch(county_session: Session, store: FileStore) -> None:
    session = county_session
    fund = appropriate(session)
    made = reserved(session, employer(session, 1), 1, [person(session, 1)])

    def objected(session: Session, case_ids: Collection[int]) -> dict[int, str]:
        return dict.fromkeys(case_ids, "有异议尚未办结")

    one, two = actor_named(session, "caizheng.clerk"), actor_named(session, "caizheng.b")
    with pytest.raises(Conflict, match="JB-1：有异议尚未办结"):
        batches.make(session, one, fund.id, PROCESS, blocked=objected)
    batch = batches.make(session, one, fund.id, PROCESS, blocked=nobody_blocked)
    batches.check(session, two, batch.id, True, "")
    with pytest.raises(Conflict, match="有异议尚未办结"):
        batches.release(session, two, batch.id, store, blocked=objected)
    payables.free(session, made.payables, actor_id=None)
    with pytest.raises(Conflict, match="1 笔已被停止"):
        batches.release(session, two, batch.id, store, blocked=nobody_blocked)


@pytest.mark.tampers
def test_lines_altered_after_the_check_are_not_released(county_session: Session, store: FileStore) -> None:
    fund = appropriate(county_session)
    reserved(county_session, employer(county_session, 1), 1, [person(county_session, 1)])
    one, two = actor_named(county_session, "caizheng.clerk"), actor_named(county_session, "caizheng.b")
    batch = batches.make(county_session, one, fund.id, PROCESS, blocked=nobody_blocked)
    batches.check(county_session, two, batch.id, True, "")
    batches.lines_of(county_session, batch.id)[0].account_number = "6222600260009999999"
    with pytest.raises(Conflict, match="摘要不符"):
        batches.release(county_session, two, batch.id, store, blocked=nobody_blocked)
    assert any("被改动" in message for _, message in problems(county_session))


def bad_answers(text: str) -> dict[str, tuple[bytes, str]]:
    lines = text.split("\r\n")
    return {
        "another batch": (text.replace("-001,", "-999,").encode(), "不是本批次"),
        "an unknown line": (text.replace("-001,2,", "-001,7,").encode(), "没有序号 7"),
        "a wrong amount": (text.replace("1000.00", "1000.01", 1).encode(), "拨付的是 1,000.00 元"),
        "truncated": ("\r\n".join(lines[:-1]).encode(), "回执少了 1 笔"),
        "cut in a quote": ((text + '\r\n"半').encode(), "截断"),
        "a bounce without a reason": (text.replace("成功", "退票", 1).encode(), "没有写明原因"),
        "a line twice": ("\r\n".join([*lines, lines[1]]).encode(), "序号"),
        "no columns": (b"a,b\r\n1,2", "批次号"),
        "empty": (workbook(), ""),
    }


@pytest.mark.parametrize(
    "name",
    [
        "another batch",
        "an unknown line",
        "a wrong amount",
        "truncated",
        "cut in a quote",
        "a bounce without a reason",
        "a line twice",
        "no columns",
        "empty",
    ],
)
def test_a_bad_answer_is_refused_whole(county_session: Session, store: FileStore, name: str) -> None:
    fund = appropriate(county_session)
    reserved(county_session, employer(county_session, 1), 1, [person(county_session, n) for n in (1, 2)])
    batch = released(county_session, fund, store)
    good = answer_csv(county_session, batch)
    content, said = bad_answers(good.decode("utf-8-sig"))[name]
    finance = actor_named(county_session, "caizheng.clerk")
    with pytest.raises(Invalid) as refused:
        answers.import_answer(county_session, finance, batch.id, content, store, value_date=today())
    assert said in refused.value.errors["file"]
    assert accounts(county_session, fund)[2:] == (2000, 0)
    answers.import_answer(county_session, finance, batch.id, good, store, value_date=today())
    with pytest.raises(Conflict, match="导入过"):
        answers.import_answer(county_session, finance, batch.id, good, store, value_date=today())
    with pytest.raises(Conflict, match="已经对账"):
        answers.import_answer(county_session, finance, batch.id, good + b"\r\n", store, value_date=today())
    assert problems(county_session) == []


def test_an_answer_before_release_and_a_day_that_cannot_be(
    county_session: Session, store: FileStore, clock: Callable[[timedelta], None]
) -> None:
    fund = appropriate(county_session)
    reserved(county_session, employer(county_session, 1), 1, [person(county_session, 1)])
    finance = actor_named(county_session, "caizheng.clerk")
    batch = batches.make(county_session, finance, fund.id, PROCESS, blocked=nobody_blocked)
    content = answer_csv(county_session, batch)
    with pytest.raises(Conflict, match="还没有拨付"):
        answers.import_answer(county_session, finance, batch.id, content, store, value_date=today())
    batches.check(county_session, actor_named(county_session, "caizheng.b"), batch.id, True, "")
    batches.release(
        county_session, actor_named(county_session, "caizheng.head"), batch.id, store, blocked=nobody_blocked
    )
    for day in (today() - timedelta(days=1), today() + timedelta(days=1)):
        with pytest.raises(Invalid) as refused:
            answers.import_answer(county_session, finance, batch.id, content, store, value_date=day)
        assert "value_date" in refused.value.errors
    clock(timedelta(days=2))
    answers.import_answer(county_session, finance, batch.id, content, store, value_date=today())


def test_a_correction_names_what_is_wrong_and_a_refused_one_waits_on(
    county_session: Session, store: FileStore
) -> None:
    session = county_session
    fund = appropriate(session)
    made = reserved(session, employer(session, 1), 1, [person(session, 1)])
    finance, other = actor_named(session, "caizheng.clerk"), actor_named(session, "caizheng.b")
    wrong = corrections.Account(" ", "12", " ")
    with pytest.raises(Conflict, match="只有退票"):
        corrections.enter(session, finance, made.payables[0].id, wrong, "试")
    batch = released(session, fund, store)
    answers.import_answer(
        session, finance, batch.id, answer_csv(session, batch, bounced=[1]), store, value_date=today()
    )
    with pytest.raises(Invalid) as refused:
        corrections.enter(session, finance, made.payables[0].id, wrong, " ")
    assert set(refused.value.errors) == {"account_number", "payee_name", "bank_name", "reason"}
    right = corrections.Account("晨曦服装", "6222600260001072444", "示范银行")
    entered = corrections.enter(session, finance, made.payables[0].id, right, "户名不符")
    with pytest.raises(Conflict, match="等待确认"):
        corrections.enter(session, other, made.payables[0].id, right, "户名不符")
    corrections.decide(session, other, entered.id, False)
    assert session.get_one(Payable, made.payables[0].id).state == "bounced"
    with pytest.raises(Conflict, match="已由他人办理"):
        corrections.decide(session, other, entered.id, True)


def test_the_file_of_a_bank_is_the_same_bytes_and_runs_no_formula(
    county_session: Session, store: FileStore
) -> None:
    from workflows.funds.bank_files import BankLine, write

    lines = [BankLine(1, 100_000, "=cmd()", "6222600260001072444", "+示范银行")]
    for layout in ("standard", "rural_bank_xlsx"):
        first, name, _ = write(layout, "ZF1", today(), lines)
        assert write(layout, "ZF1", today(), lines)[0] == first
        assert name.startswith("ZF1.")
    text_of = write("standard", "ZF1", today(), lines)[0].decode("utf-8-sig")
    assert ",'=cmd()," in text_of
    assert ",'+示范银行," in text_of
    assert text_of.startswith("控制数,ZF1,1,1000.00,")


@pytest.mark.tampers
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE fund_balances SET available_fen = available_fen + 1", "可用余额"),
        ("UPDATE appropriations SET total_fen = total_fen - 1", "登记金额"),
        ("UPDATE payables SET state = 'paid' WHERE state = 'bounced'", "预占余额"),
        ("UPDATE batch_lines SET state = 'paid'", "银行回执不符"),
        ("UPDATE batch_lines SET amount_fen = 1", "被改动"),
        ("DELETE FROM batch_lines", "笔数"),
        ("UPDATE grants SET state = 'approved', paid_on = NULL", "状态不一致"),
        ("UPDATE payment_batches SET state = 'released'", "没有对账的批次"),
    ],
)
def test_whatever_is_altered_past_the_system_is_named(
    county_session: Session, store: FileStore, statement: str, said: str
) -> None:
    fund = appropriate(county_session)
    reserved(county_session, employer(county_session, 1), 1, [person(county_session, n) for n in (1, 2)])
    batch = released(county_session, fund, store)
    answers.import_answer(
        county_session,
        actor_named(county_session, "caizheng.clerk"),
        batch.id,
        answer_csv(county_session, batch, bounced=[2]),
        store,
        value_date=today(),
    )
    assert problems(county_session) == []
    county_session.execute(text(statement))
    county_session.expire_all()
    assert any(said in message for _, message in problems(county_session)), problems(county_session)
