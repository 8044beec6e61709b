"""一次性奖补: a person once (invariant 1), never a fen too many (invariant 2), and no money before the 公示 has ended
(invariant 10). On both databases, with threads that race."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from workflows.base import clock
from workflows.base.errors import Conflict, Forbidden, Invalid
from workflows.base.session import Database
from workflows.cases import check, recalling, verdicts
from workflows.cases.model import Case, Publicity, WorkItem
from workflows.cases.paying import blocked_cases
from workflows.cases.process import newest
from workflows.cases.public_views import publicity_notice
from workflows.cases.removing import remove_row
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenario_money import enter_funds, finance_officers, pay
from workflows.cases.scenario_people import sheet_of
from workflows.cases.scenarios import Run
from workflows.cases.walking import Stuck
from workflows.funds import batches, payables
from workflows.funds.ledger import Shortfall
from workflows.funds.model import Appropriation, Balance, Payable
from workflows.registers.grant_model import Grant

from .reward_stage import PROCESS, reward
from .stage import MONDAY, actor

pytestmark = pytest.mark.usefixtures("papers_unrendered")
Mover = Callable[[timedelta], None]


def states(database: Database, case_id: int) -> tuple[list[str], list[str]]:
    """Of the grants and of the payables of a case."""
    with database.reading() as session:
        return (
            [
                one.state
                for one in session.scalars(select(Grant).where(Grant.case_id == case_id).order_by(Grant.id))
            ],
            [one.state for one in payables.of_case(session, case_id)],
        )


def silent(database: Database) -> None:
    assert check.check(database) == []
    assert check.verify_everything(database) == []


def test_no_batch_takes_a_row_before_its_publicity_has_ended(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "advance")
        assert states(published, run.walk.case_id) == (["approved"] * 3, ["reserved"] * 3)
        with published.transaction() as session:
            assert "公示还没有结束" in blocked_cases(session, [run.walk.case_id])[run.walk.case_id]
            fund = session.scalars(select(Appropriation)).one()
            officer = finance_officers(session, "220822")[0]
            with pytest.raises(Conflict, match="没有待拨付"):
                batches.make(session, officer, fund.id, PROCESS, blocked=blocked_cases)
            # mutant: somebody made the rows ready by hand
            for one in payables.of_case(session, run.walk.case_id):
                one.state = "ready"
            with pytest.raises(Conflict, match="公示还没有结束"):
                batches.make(session, officer, fund.id, PROCESS, blocked=blocked_cases)
            session.rollback()


def test_an_objection_that_is_open_at_release_stops_the_batch(published: Database) -> None:
    """The publicity is over and an objection came in its last hour: neither ready nor released."""
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "advance")
        run.take({"objection": {"name": "first", "content": "这个人没有在车间干活。"}}, {})
        run.take({"advance": {"to": "publicity_ended"}}, {})
        assert states(published, run.walk.case_id)[1] == ["reserved"] * 3
        with published.reading() as session:
            assert run.walk.case_id in blocked_cases(session, [run.walk.case_id])
        silent(published)


def test_the_page_of_the_publicity_names_its_people_and_forgets_them(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "advance")
        with published.reading() as session:
            token = session.scalars(select(Publicity.token)).one()
            shown = publicity_notice(session, token).running
        assert shown is not None
        assert {one.name for one in shown.people} == {person.name for person in run.people}
        assert {one.amount_fen for one in shown.people} == {100_000}
        assert {one.village for one in shown.people} == {"示范镇前进村"}
        assert not any(person.id_number in repr(shown) for person in run.people)
        run.take({"advance": {"to": "publicity_ended"}}, {})
        with published.reading() as session:
            assert publicity_notice(session, token).running is None


def test_a_shortfall_keeps_the_item_on_the_list_and_says_how_much(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "recheck", funds=250_000)
        with pytest.raises(Shortfall, match=r"缺 500\.00 元"):
            run.take(
                {"step": "recheck", "by": "hrss_head", "outcome": "approve"}, run.scenarios.get("straight")
            )
        assert states(published, run.walk.case_id) == (["claimed"] * 3, [])
        with published.transaction() as session:
            enter_funds(session, "220822", PROCESS, 1_000_000)
            waiting = session.scalars(
                select(WorkItem.step).where(
                    WorkItem.case_id == run.walk.case_id, WorkItem.closed_at.is_(None)
                )
            ).all()
        assert waiting == ["recheck"]
        run.take({"step": "recheck", "by": "hrss_head", "outcome": "approve"}, run.scenarios.get("straight"))
        silent(published)


@pytest.mark.parametrize("at", ["township_check", "recheck", "advance", "pay"])
def test_ending_a_case_early_gives_slots_and_money_back(published: Database, at: str) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, at)
        with published.transaction() as session:
            recalling.terminate(session, actor(session, "renshe.head"), run.walk.case_id, "单位停产")
        grants, owed = states(published, run.walk.case_id)
        assert set(grants) == {"freed"}
        assert set(owed) <= {"freed"}
        silent(published)
        again = reward(published, move, "township_check", funds=3_000_000, seed=1)
        assert states(published, again.walk.case_id)[0] == ["claimed"] * 3


def test_taking_a_claim_back_frees_its_slots(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "township_check")
        with published.transaction() as session:
            recalling.recall(session, actor(session, "qiye1"), run.walk.case_id)
        assert set(states(published, run.walk.case_id)[0]) == {"freed"}
        silent(published)


def test_what_the_bank_has_cannot_be_ended(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "pay")
        with published.transaction() as session:
            for one in session.scalars(select(Payable)):
                one.state = "released"
            with pytest.raises(Conflict, match="已拨付"):
                recalling.terminate(session, actor(session, "renshe.head"), run.walk.case_id, "单位停产")
            session.rollback()


def test_a_person_removed_after_the_publicity_lowers_the_sum(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "pay")
        with published.transaction() as session:
            row = session.scalars(select(RosterRow.id).order_by(RosterRow.number).limit(1)).one()
            head = actor(session, "renshe.head")
            with pytest.raises(Invalid, match="没有剔除"):
                remove_row(session, head, run.walk.case_id, row, " ")
            with pytest.raises(Forbidden):
                remove_row(session, actor(session, "caizheng.clerk"), run.walk.case_id, row, "离岗")
            assert remove_row(session, head, run.walk.case_id, row, "本人已离岗") == 100_000
            with pytest.raises(Conflict, match="已经剔除"):
                remove_row(session, head, run.walk.case_id, row, "本人已离岗")
        assert pay(published, "220822", PROCESS) == (2, 200_000)
        run.walk.work()
        with published.reading() as session:
            assert session.get_one(Case, run.walk.case_id).status == "paid"
        silent(published)


def test_held_people_need_a_word_with_a_reason_from_both_offices(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        roster = [{"kind": "qualified", "count": 1}, {"kind": "elsewhere", "count": 1}]
        run = reward(published, move, "hrss_review", roster=roster)
        content = run.scenarios.get("straight")
        line = {"step": "hrss_review", "by": "hrss", "outcome": "agree"}
        with pytest.raises((Invalid, Stuck), match="暂缓"):
            run.take(line, content)
        lifted = {"kind": "elsewhere", "verdict": "agree", "reason": "前一单位未实际用工"}
        run.take({**line, "rows": [lifted]}, content)
        run.take({"step": "rural_review", "by": "rural", "outcome": "agree"}, content)
        finance = {"step": "finance_lift", "by": "finance", "outcome": "decided"}
        with pytest.raises((Invalid, Stuck), match="暂缓"):
            run.take(finance, content)
        with pytest.raises(Invalid, match="只处理标“暂缓”的人员"):
            run.take(
                {**finance, "rows": [{"kind": "qualified", "verdict": "refuse", "reason": "不同意"}]}, content
            )
        run.take({**finance, "rows": [{**lifted, "reason": "已核对支付记录"}]}, content)
        run.take({"step": "recheck", "by": "hrss_head", "outcome": "approve"}, content)
        assert states(published, run.walk.case_id) == (["approved"] * 2, ["reserved"] * 2)
        silent(published)


def test_the_first_reviewer_does_not_recheck(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "recheck")
        with published.reading() as session:
            item = session.scalars(
                select(WorkItem).where(WorkItem.step == "recheck", WorkItem.closed_at.is_(None))
            ).one()
            assert item.claimed_by is None
        with pytest.raises((Forbidden, Stuck), match="岗位分离"):
            run.walk.act("recheck", "approve", {}, by="renshe.a")


def race(*actions: Callable[[], None]) -> list[Exception]:
    """Run at the same moment, each in a thread of its own; returns what they raised."""
    start, raised = threading.Barrier(len(actions)), []

    def run(action: Callable[[], None]) -> None:
        start.wait(20)
        try:
            action()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return raised


def upload(database: Database, run: Run) -> None:
    """The roster is in before the race: what races is the submission alone."""
    with database.reading() as session:
        definition = newest(session, PROCESS).roster
    assert definition is not None
    run.walk.upload(sheet_of(definition, run.people))


def submit(run: Run) -> Callable[[], None]:
    return lambda: run.take(
        {"step": "application", "by": "employer", "outcome": "submit"}, run.scenarios.get("straight")
    )


def test_two_employers_who_claim_the_same_people_at_once(published: Database) -> None:
    """Whoever is second is held; together they take each person's slot once as a free claim."""
    with clock.frozen(MONDAY) as move:
        one = reward(published, move, "application", employer=1, seed=1)
        other = reward(published, move, "application", employer=2, seed=1, funds=4_000_000)
        assert {person.id_number for person in one.people} == {person.id_number for person in other.people}
        for run in (one, other):
            upload(published, run)
        assert race(submit(one), submit(other)) == []
        found = sorted(
            (set(states(published, run.walk.case_id)[0]) for run in (one, other)),
            key=lambda each: sorted(each),
        )
        assert found == [{"claimed"}, {"held"}]
        silent(published)


def test_many_reservations_at_once_never_overdraw(published: Database) -> None:
    """Four claims of 3000 元 against 7000 元: two are reserved, two are told what is missing."""
    with clock.frozen(MONDAY) as move:
        runs = []
        for number in (1, 3, 5, 7):
            runs.append(reward(published, move, "recheck", employer=number, seed=number, funds=100_000))
        with published.transaction() as session:
            for fund in session.scalars(select(Appropriation)):
                fund.closed_on = MONDAY.date()
            enter_funds(session, "220822", PROCESS, 700_000)

        def approve(run: Run) -> Callable[[], None]:
            return lambda: run.take(
                {"step": "recheck", "by": "hrss_head", "outcome": "approve"}, run.scenarios.get("straight")
            )

        raised = race(*(approve(run) for run in runs))
        assert [type(one) for one in raised] == [Shortfall, Shortfall]
        with published.reading() as session:
            balances = session.scalars(select(Balance).order_by(Balance.appropriation_id)).all()
            assert (balances[-1].available_fen, balances[-1].reserved_fen) == (100_000, 600_000)


def test_rows_of_an_office_are_named_only_where_the_register_holds_them(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = reward(published, move, "hrss_review", roster=[{"kind": "qualified", "count": 2}])
        with published.reading() as session:
            roster = verdicts.current_roster(session, run.walk.case_id)
            assert roster is not None
            assert session.scalars(verdicts.lifted_rows(roster.id, "hrss")).all() == []
