"""Two counties, four employers and their offices, acting through the use cases that pages use, each action beside the
oracle's; and the comparison of what stands in the rows with what the oracle says."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base import clock
from workflows.base.clock import now, today
from workflows.base.errors import Conflict, Forbidden
from workflows.base.installation import installation
from workflows.base.session import Database
from workflows.cases import check, objections, recalling, recovering, verdicts
from workflows.cases.check_money import check_money
from workflows.cases.completing import Completed
from workflows.cases.model import Case, Publicity, WorkItem
from workflows.cases.paying import blocked_cases
from workflows.cases.removing import remove_row
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenario_answers import OWNER
from workflows.cases.scenario_money import ACCOUNT, answer_of, enter_funds
from workflows.cases.scenario_people import ScenarioPerson, enter_identities, make_people, sheet_of
from workflows.cases.scenarios import Run, Scenarios
from workflows.funds import answers, appropriations, batches, corrections, recoveries
from workflows.funds.batch_model import BatchLine
from workflows.funds.ledger import Shortfall
from workflows.funds.model import Appropriation, Balance, Payable
from workflows.funds.recoveries import Finding
from workflows.organisations.accounts import create_user
from workflows.organisations.actors import SYSTEM
from workflows.organisations.offices import assign_post
from workflows.organisations.settings import set_parameter
from workflows.registers.demo_cast import COUNTY, NEIGHBOUR, TOWNSHIPS
from workflows.registers.demo_county import RECOVERY_ACCOUNT, SUCCESSOR_BASIS
from workflows.registers.grant_model import Grant
from workflows.registers.model import Employer

from .killing import killed_at
from .money_oracle import AMOUNT, Batch, Claim, Oracle, Row
from .reward_stage import PROCESS
from .stage import MONDAY, actor, county_of, decide, open_item, unsigned

COUNTIES = (COUNTY, NEIGHBOUR)
#: Unit → county. 3 has the legal representative of 1: what 1 claims holds 3, and the other way round.
EMPLOYERS = {1: COUNTY, 2: COUNTY, 3: COUNTY, 10: NEIGHBOUR}
PEOPLE = 5
START_FEN = 6 * AMOUNT
OFFICERS = {
    COUNTY: {
        "rural": "xiangcun.a",
        "hrss": "renshe.a",
        "head": "renshe.head",
        "finance": ("caizheng.clerk", "caizheng.b", "caizheng.head"),
    },
    NEIGHBOUR: {
        "rural": "taonan.xiangcun",
        "hrss": "taonan.renshe",
        "head": "taonan.renshe2",
        "finance": ("taonan.caizheng", "taonan.caizheng2", "taonan.caizheng3"),
    },
}
TOWNSHIP = {1: "shifan.clerk", 2: "xiangyang.clerk", 3: "shifan.clerk", 10: "taonan.shili"}
CLERK = {1: "qiye1", 2: "qiye2", 3: "qiye3", 10: "taonan.qiye"}
ANSWERS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "township_check": {"checked_with": ["committee", "site"]},
    "hrss_review": {"contracts_checked": ["3"], "wages_checked": ["bank"]},
    "rural_review": {"checked_against": ["导出名册"]},
    "finance_lift": {"compared_with": ["国库集中支付系统"]},
    "recheck": {"attendees": ["局长"], "minutes": ["同意。"], "facts": ["经核实，人员不在车间务工。"]},
    "correction": {"reply": ["已核对。"]},
    "rework": {"reply": ["已核对。"]},
}


def people() -> list[ScenarioPerson]:
    """The same few people whom everybody claims; their contracts outlast every walk."""
    kinds = Scenarios.read(PROCESS).content["people"]
    wanted = [{"kind": "qualified", "count": PEOPLE}]
    made = make_people(kinds, wanted, today=MONDAY.date(), owner_id=OWNER, village="示范镇前进村", seed=1)
    for one in made:
        one.cells["contract_to"] = MONDAY.date() + timedelta(days=900)
    return made


def furnish(database: Database) -> None:
    """What the published county lacks: the neighbour's second and third people, its basis, the affiliate, money, identities."""
    with clock.frozen(MONDAY), database.transaction() as session:
        county = county_of(database)
        for username, office, post in (
            ("taonan.renshe2", "hrss", "head"),
            ("taonan.caizheng2", "finance", "clerk"),
            ("taonan.caizheng3", "finance", "head"),
        ):
            user, _ = create_user(
                session, SYSTEM, username=username, name="陶增员", kind="officer", division_code=NEIGHBOUR
            )
            assign_post(
                session,
                SYSTEM,
                user_id=user.id,
                department_id=county.departments[office, NEIGHBOUR].id,
                post=post,
                valid_from=date(2026, 1, 1),
            )
        for key, value in (("basis", SUCCESSOR_BASIS), ("recovery_account", RECOVERY_ACCOUNT)):
            set_parameter(
                session,
                SYSTEM,
                process=PROCESS,
                key=key,
                division_code=NEIGHBOUR,
                value=value,
                basis="演示用虚构文件",
                valid_from=date(2026, 1, 1),
            )
        first = session.get_one(Employer, county.employers[1].id)
        session.get_one(Employer, county.employers[3].id).legal_id_digest = first.legal_id_digest
        for place in COUNTIES:
            enter_funds(session, place, PROCESS, START_FEN)
        for township in TOWNSHIPS:
            enter_identities(session, township, people(), today() - timedelta(days=500))


class World:
    """The rows, the oracle, and what people do. Every action is done on both and compared.

    :param kill_at: the statement before which the next action's process dies; it is then done again. 0: nobody dies.
    """

    def __init__(self, database: Database, move: Callable[[timedelta], None]) -> None:
        self.database, self.move = database, move
        self.scenarios = Scenarios.read(PROCESS)
        self.county = county_of(database)
        self.people = people()
        self.oracle = Oracle(dict.fromkeys(COUNTIES, START_FEN))
        self.runs: dict[int, Run] = {}
        self.kill_at = 0
        self.kills = 0

    # How anything is done --------------------------------------------------------------------------------------

    def act(self, action: Callable[[Session], Any]) -> Any:
        """One transaction; its process may die on the way, and the person does it again."""
        if self.kill_at:
            done = []
            with killed_at(self.database, self.kill_at):
                with self.database.transaction() as session:
                    result = action(session)
                done.append(result)
            self.kill_at = 0
            if done:
                return done[0]
            self.kills += 1
            self.compare()  # as if nobody had done anything
        with self.database.transaction() as session:
            return action(session)

    def refused(self, action: Callable[[Session], Any], error: type[Exception], match: str) -> None:
        """Nobody may do this, and nothing moves."""
        with pytest.raises(error, match=match), self.database.transaction() as session:
            action(session)

    def work(self) -> None:
        """The worker comes by."""
        for run in self.runs.values():
            run.walk.work()
            return

    def decide(
        self, claim: Claim, step: str, outcome: str, username: str, answers: Mapping[str, Any] | None = None
    ) -> None:
        """One step, sent twice by a double click: the second time does nothing."""
        key = uuid.uuid4().hex
        seen: list[int] = []

        def send(session: Session) -> Completed:
            item = session.scalars(
                select(WorkItem)
                .where(WorkItem.case_id == claim.number, WorkItem.step == step)
                .order_by(WorkItem.id.desc())
            ).first()
            assert item is not None
            seen.append(item.version)
            given = {**ANSWERS.get(step, {}), **(answers or {})}
            if "checked_on" not in given and step == "township_check":
                given["checked_on"] = [today().isoformat()]
            if step == "recheck":
                given["held_on"] = [today().isoformat()]
            return decide(session, username, item, outcome, given, key=key, version=seen[0])

        first = self.act(send)
        again = self.act(send)
        assert again.replayed
        assert again.decision_id == first.decision_id

    # Claims ----------------------------------------------------------------------------------------------------

    def claim(self, employer: int, persons: Sequence[int]) -> Claim:
        """An employer opens a claim and uploads its people."""
        run = Run(
            self.database,
            unsigned,
            self.scenarios,
            self.county.employers[employer].id,
            EMPLOYERS[employer],
            self.move,
        )
        run.start_for_workshop(self.scenarios.get("straight"))
        claim = Claim(run.walk.case_id, employer, EMPLOYERS[employer], [Row(one) for one in persons])
        self.runs[claim.number] = run
        self.oracle.claims.append(claim)
        with self.database.reading() as session:
            roster = run._process().roster
            assert roster is not None
            session.rollback()
        run.walk.upload(sheet_of(roster, [self.people[one] for one in persons]))
        self.oracle.judge(claim)
        run.attach("application", {})
        return claim

    def submit(self, claim: Claim) -> None:
        """Hand in, for the first time or after a correction."""
        step = claim.at
        given: dict[str, Any] = {}
        if step == "application":
            stated = self.scenarios.content["answers"]["reward_application"]
            run = self.runs[claim.number]
            given = run.posted(stated)
            given["claimed_count"] = [str(len(claim.rows))]
        self.decide(claim, step, "submit", CLERK[claim.employer], given)
        if step == "application" and claim.judged_on != today():
            self.oracle.judge(claim)  # the day of the application is an input of the rules: they ran anew
            claim.judged_on = today()
        self.oracle.enter(claim)
        claim.back, claim.submitted = step, True
        claim.at = "reviews" if step == "rework" else "township_check"

    def recall(self, claim: Claim) -> None:
        """撤回, where it is possible; refused where an office has acted."""

        def take_back(session: Session) -> None:
            recalling.recall(session, actor(session, CLERK[claim.employer]), claim.number)

        if not claim.back:
            self.refused(take_back, Forbidden, "撤回")
            return
        self.act(take_back)
        self.oracle.give_up(claim)
        claim.at, claim.back = claim.back, ""
        claim.reviews = {}
        if claim.at == "application":
            claim.submitted = False

    def terminate(self, claim: Claim) -> None:
        """终止; refused while a bank has the money."""

        def end(session: Session) -> None:
            head = actor(session, str(OFFICERS[claim.county]["head"]))
            recalling.terminate(session, head, claim.number, "单位停产")

        if any(row.owed == "released" for row in claim.rows):
            self.refused(end, Conflict, "已拨付|等待银行|不能改为")
            return
        self.act(end)
        self.oracle.give_up(claim)
        claim.at, claim.status, claim.back = "closed", "terminated", ""
        claim.objection = False

    def speak(self, claim: Claim, step: str, office: str, word: str) -> None:
        """An office's word by name on every held person, as the step asks for."""
        username = str(OFFICERS[claim.county]["hrss"]) if office == "hrss" else self.financier(claim.county)
        persons = {self.people[row.person].id_number: row for row in claim.needing_words}
        if not persons:
            return

        def say(session: Session) -> None:
            item = open_item(session, claim.number, step)
            roster = verdicts.current_roster(session, claim.number)
            assert roster is not None
            rows = [
                row.id
                for row in session.scalars(select(RosterRow).where(RosterRow.roster_id == roster.id))
                if row.values["id_number"] in persons
            ]
            verdicts.give(session, actor(session, username), item.id, rows, word, "已核对支付记录。")

        self.act(say)
        for row in persons.values():
            row.words[office] = word

    def financier(self, county: str) -> str:
        return str(OFFICERS[county]["finance"][0])

    def review(self, claim: Claim, step: str, outcome: str, word: str) -> None:
        """One of the two offices; 人社 speaks on the held by name before it agrees."""
        office = "hrss" if step == "hrss_review" else "rural"
        if step == "hrss_review" and outcome == "agree":
            self.speak(claim, step, "hrss", word)
        self.decide(claim, step, outcome, str(OFFICERS[claim.county][office]))
        claim.back = ""
        claim.reviews[step] = outcome
        if len(claim.reviews) == 2:
            self.oracle.reviewed(claim)

    def check_township(self, claim: Claim, outcome: str) -> None:
        self.decide(claim, "township_check", outcome, TOWNSHIP[claim.employer])
        claim.back = ""
        claim.at = "reviews" if outcome == "agree" else "correction"

    def lift(self, claim: Claim, word: str) -> None:
        self.speak(claim, "finance_lift", "finance", word)
        self.decide(claim, "finance_lift", "decided", self.financier(claim.county))
        self.oracle.lift(claim)

    def recheck(self, claim: Claim, outcome: str) -> None:
        """复核: approve (which reserves the money, or says what is missing), return, refuse."""
        head = str(OFFICERS[claim.county]["head"])
        if outcome == "approve":
            good = self.oracle.granted(claim)
            if len(good) * AMOUNT > self.oracle.sums(claim.county)["available"] or not good:
                error, words = (Shortfall, "缺") if good else (Conflict, "没有可以发放的人员")
                with pytest.raises(error, match=words):
                    self.decide(claim, "recheck", outcome, head)
                return
        self.decide(claim, "recheck", outcome, head)
        if outcome == "approve":
            self.oracle.approve(claim)
        elif outcome == "return":
            claim.at = "reviews"
        else:
            self.oracle.give_up(claim)
            claim.at, claim.status = "closed", "refused"

    # 公示 -----------------------------------------------------------------------------------------------------

    def object(self, claim: Claim) -> None:
        def say(session: Session) -> None:
            token = session.scalars(
                select(Publicity.token).where(
                    Publicity.case_id == claim.number, Publicity.closed_at.is_(None)
                )
            ).one()
            objections.object_to(session, token, name="钱守义", phone="13943600001", content="这个人没有来。")

        self.act(say)
        claim.objection = True

    def settle(self, claim: Claim, result: str) -> None:
        """The objection is looked into and answered."""
        with self.database.reading() as session:
            inner = session.scalars(
                select(Case.id).where(Case.parent_id == claim.number, Case.finished_at.is_(None))
            ).one()
        run = Run(
            self.database,
            unsigned,
            Scenarios.read("objection"),
            self.county.employers[claim.employer].id,
            claim.county,
            self.move,
        )
        run.walk.case_id = inner
        upheld = result == "uphold"
        finding = {"finding": "经查，情况如所附材料。"}
        for line in (
            {"step": "acknowledge", "by": "hrss", "outcome": "accept"},
            {"step": "investigate", "by": "hrss", "outcome": "report", "answers": {"proposal": result}},
            {"step": "conclude", "by": "hrss_head", "outcome": result, "answers": finding},
        ):
            answers = {**self.scenarios.content["answers"][line["step"]], **line.get("answers", {})}
            run.take({**line, "answers": answers}, {})
        self.work()
        contested = claim.at == "contested"
        claim.objection = False
        if upheld:
            self.oracle.uphold(claim)
        elif contested:
            self.oracle.payable(claim)

    def wait(self) -> None:
        """Eleven days go by: every 公示 that runs comes to its end, none of them before."""
        with self.database.reading() as session:
            ends = session.scalars(select(Publicity.ends_at).where(Publicity.closed_at.is_(None))).all()
            begun = session.scalars(select(Publicity.opens_at).where(Publicity.closed_at.is_(None))).all()
        assert all(end - begin >= timedelta(days=10) for begin, end in zip(begun, ends, strict=True))
        running = [claim for claim in self.oracle.claims if claim.at == "publicity"]
        last = max(ends, default=now())
        if running:
            self.move(max(last - now() - timedelta(seconds=1), timedelta(0)))
            self.work()
        self.move(timedelta(days=11))
        self.work()
        for claim in running:
            if claim.objection:
                claim.at = "contested"
            else:
                self.oracle.payable(claim)

    # Money -----------------------------------------------------------------------------------------------------

    def fund(self, session: Session, county: str) -> Appropriation:
        return session.scalars(select(Appropriation).where(Appropriation.county_code == county)).one()

    def change_amount(self, county: str, people: int) -> None:
        """财政 changes what there is to so many times 1000 元."""
        total = people * AMOUNT
        sums = self.oracle.sums(county)
        used = sum(sums.values()) - sums["available"]

        def change(session: Session) -> None:
            officer = actor(session, self.financier(county))
            appropriations.change_amount(session, officer, self.fund(session, county).id, total, "调整文件")

        if total == self.oracle.totals[county]:
            return
        if total < used:
            self.refused(change, Shortfall, "不能调减")
            return
        self.act(change)
        self.oracle.totals[county] = total

    def make(self, county: str, maker: str) -> None:
        def gather(session: Session) -> tuple[int, list[int]]:
            made = batches.make(
                session, actor(session, maker), self.fund(session, county).id, PROCESS, blocked=blocked_cases
            )
            return made.id, [line.payable_id for line in batches.lines_of(session, made.id)]

        ready = self.oracle.ready(county)
        if not ready:
            self.refused(gather, Conflict, "没有待拨付的款项")
            return
        number, lines = self.act(gather)
        with self.database.reading() as session:
            payables = {
                one.id: (one.case_id, self._person(session, one.row_id))
                for one in session.scalars(select(Payable).where(Payable.id.in_(lines)))
            }
        places = {(claim.number, row.person): (claim, row) for claim, row in ready}
        assert sorted(payables.values()) == sorted(places)
        ordered = [places[payables[line]] for line in lines]
        self.oracle.batches.append(Batch(number, county, ordered, maker))

    def check(self, batch: Batch, who: str, agree: bool) -> None:
        def look(session: Session) -> None:
            batches.check(session, actor(session, who), batch.number, agree, "" if agree else "请核对")

        if who == batch.maker:
            self.refused(look, Forbidden, "岗位分离")
            return
        self.act(look)
        batch.state = "checked" if agree else "returned"

    def cancel(self, batch: Batch, who: str) -> None:
        self.act(lambda session: batches.cancel(session, actor(session, who), batch.number))
        batch.state = "cancelled"

    def release(self, batch: Batch, who: str) -> None:
        def pay(session: Session) -> str:
            store = installation().files
            return str(
                batches.release(
                    session, actor(session, who), batch.number, store, blocked=blocked_cases
                ).file_sha256
            )

        if who == batch.maker:
            self.refused(pay, Forbidden, "岗位分离")
        elif batch.stopped:
            self.refused(pay, Conflict, "已被停止或者释放")
        else:
            self.act(pay)
            batch.state = "released"
            for _, row in batch.rows:
                row.owed = "released"
            self.refused(pay, Conflict, "已由他人办理")

    def answer(self, batch: Batch, who: str, bounced: set[int]) -> None:
        """The bank's answer, sent twice: the second time says that it is known."""
        back = {number for number in range(1, len(batch.rows) + 1) if number in bounced}
        with self.database.reading() as session:
            content = answer_of(session, batches.get(session, batch.number), back)

        def hear(session: Session) -> None:
            answers.import_answer(
                session,
                actor(session, who),
                batch.number,
                content,
                installation().files,
                value_date=today(),
            )

        self.act(hear)
        self.refused(hear, Conflict, "没有重复导入")
        batch.state = "settled"
        for number, (_, row) in enumerate(batch.rows, 1):
            if number in back:
                row.owed = "bounced"
            else:
                row.owed, row.grant = "paid", "paid"
                row.paid += 1
        self.work()
        for claim in {id(claim): claim for claim, _ in batch.rows}.values():
            self.oracle.settle(claim)

    def _person(self, session: Session, row_id: int) -> int:
        number = session.get_one(RosterRow, row_id).values["id_number"]
        return next(place for place, one in enumerate(self.people) if one.id_number == number)

    def payable_of(self, session: Session, claim: Claim, row: Row) -> Payable:
        """The living payable, or the last one."""
        found = session.scalars(
            select(Payable).where(Payable.case_id == claim.number).order_by(Payable.id.desc())
        )
        return next(one for one in found if self._person(session, one.row_id) == row.person)

    def correct(self, claim: Claim, row: Row) -> None:
        """A bounced account, by two people."""
        one, other, _ = OFFICERS[claim.county]["finance"]

        def enter(session: Session) -> int:
            payable = self.payable_of(session, claim, row)
            right = corrections.Account(payable.payee_name, ACCOUNT, "示范银行通榆支行")
            return corrections.enter(session, actor(session, one), payable.id, right, "户名不符").id

        entered = self.act(enter)
        self.refused(
            lambda session: corrections.decide(session, actor(session, one), entered, True),
            Forbidden,
            "其他人员确认",
        )
        self.act(lambda session: corrections.decide(session, actor(session, other), entered, True))
        row.owed = "ready"

    def remove(self, claim: Claim, row: Row) -> None:
        """剔除 after approval."""

        def out(session: Session) -> None:
            payable = self.payable_of(session, claim, row)
            head = actor(session, str(OFFICERS[claim.county]["head"]))
            remove_row(session, head, claim.number, payable.row_id, "本人已离岗")

        if row.owed in ("released", "paid"):
            self.refused(out, Conflict, "不能改为")
            return
        self.act(out)
        self.oracle.remove(row)
        self.work()
        self.oracle.settle(claim)

    def recover(self, claim: Claim, row: Row) -> None:
        """追回: decided, demanded, received by somebody else."""
        head, officer = str(OFFICERS[claim.county]["head"]), self.financier(claim.county)

        def find(session: Session) -> int:
            payable = self.payable_of(session, claim, row)
            due = today() + timedelta(days=30)
            finding = Finding("冒名领取", "不符合奖补条件", due)
            return recovering.decide(session, actor(session, head), payable.id, finding).id

        number = self.act(find)
        self.refused(find, Conflict, "已经决定追回")
        self.work()  # the letter is sealed
        self.act(lambda session: recovering.demand(session, actor(session, head), number))
        self.act(
            lambda session: recoveries.receive(session, actor(session, officer), number, today(), "JK001")
        )
        row.owed, row.grant = "recovered", "recovered"

    # Comparing -------------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """Rows, balances and the oracle say the same; nobody is paid twice; the checker has nothing to say."""
        with self.database.reading() as session:
            for claim in self.oracle.claims:
                self._compare(session, claim)
            for county in COUNTIES:
                fund = self.fund(session, county)
                balance = session.get_one(Balance, fund.id)
                held = {
                    account: getattr(balance, f"{account}_fen")
                    for account in ("available", "reserved", "released", "paid")
                }
                assert held == self.oracle.sums(county)
                assert fund.total_fen == self.oracle.totals[county]
            assert list(check_money(session)) == []
            self._nobody_twice(session)

    def _compare(self, session: Session, claim: Claim) -> None:
        case = session.get_one(Case, claim.number)
        steps = set(
            session.scalars(
                select(WorkItem.step).where(WorkItem.case_id == case.id, WorkItem.closed_at.is_(None))
            )
        )
        assert steps == claim.open_steps, f"{case.number} ({case.status}) must be at {claim.at}"
        assert (case.finished_at is not None) == (claim.at == "closed")
        assert not claim.status or case.status == claim.status
        granted = {
            self._person(session, one.row_id or 0): one.state
            for one in session.scalars(select(Grant).where(Grant.case_id == case.id).order_by(Grant.id))
        }
        assert granted == {row.person: row.grant for row in claim.rows if row.grant}, case.number
        owed = {
            self._person(session, one.row_id): one.state
            for one in session.scalars(select(Payable).where(Payable.case_id == case.id).order_by(Payable.id))
        }
        assert owed == {row.person: row.owed for row in claim.rows if row.owed}, case.number
        assert check.check_case(session, case.id) == []

    def _nobody_twice(self, session: Session) -> None:
        """Invariant 1, of the bank's lines alone: one employer pays a person once; a second one has two offices' words."""
        paid: Counter[tuple[int, int]] = Counter()
        for payable, grant in session.execute(
            select(Payable, Grant)
            .join(BatchLine, BatchLine.payable_id == Payable.id)
            .join(Grant, Grant.id == Payable.grant_id)
            .where(BatchLine.state == "paid")
        ):
            paid[payable.person_id, grant.employer_id] += 1
            if grant.blocking_id is not None:
                assert None not in (grant.hrss_lifted_by, grant.finance_lifted_by)
        assert max(paid.values(), default=1) == 1
        for person in {person for person, _ in paid}:
            free = session.scalars(
                select(Grant.id).where(
                    Grant.person_id == person,
                    Grant.state.in_(("paid", "recovered")),
                    Grant.blocking_id.is_(None),
                )
            ).all()
            assert len(free) <= 1, "whoever came second must have been held"

    def close(self) -> None:
        """At the end of a walk: every chain, every row, every number."""
        self.work()
        self.compare()
        assert check.check(self.database) == []
        assert check.verify_everything(self.database) == []
