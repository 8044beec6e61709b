"""Two contractors with the same workers, acting through the use cases that pages use, beside an oracle in plain Python:
who holds whose days, what each row comes to, where the money is. After each action the rows must say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import now, today
from workflows.base.errors import Conflict
from workflows.base.session import Database
from workflows.cases import check, recalling, recovering
from workflows.cases.check_money import check_money
from workflows.cases.model import Case, Publicity, WorkItem
from workflows.cases.project_figures import figures_of
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenario_money import correct_accounts, finance_officers, pay
from workflows.cases.scenario_people import ScenarioPerson
from workflows.cases.scenario_projects import project_for
from workflows.cases.scenarios import Run
from workflows.cases.walking import employers_actor
from workflows.documents.model import IssuedDocument
from workflows.funds import recoveries
from workflows.funds.batch_model import BatchLine, PaymentBatch
from workflows.funds.model import Balance, Payable
from workflows.funds.recoveries import Finding
from workflows.registers.grant_model import Grant
from workflows.registers.model import Employer
from workflows.registers.project_model import Project, WorkDay

from .stage import actor
from .wage_stage import STRAIGHT, SUBMIT, Mover, month_of, runner, upload, with_rows

PROCESS = "work_relief_payroll"
BATCHES = ("regular", "supplement_1", "supplement_2", "supplement_3")
ROWS: Sequence[dict[str, Any]] = (
    {"pay_mode": "day", "rate": "180"},
    {"pay_mode": "hour", "rate": "33.33", "advance_fen": "1.25"},
    {"pay_mode": "piece", "rate": "12.34", "pieces": "155.5"},
    {"pay_mode": "day", "rate": "99.99"},
)
#: What a day holds, and the hundredths of it.
EACH = (("1", 100), ("7.33", 733), ("1", 100), ("0.5", 50))
HEAD = "fagai.head"


def net_of(person: int, days: int) -> int:
    """What so many days of a person come to in fen, by hand: half a fen is a whole one."""
    if person == 2:
        return 191_887  # 155.5 pieces of 12.34
    rate = {0: 18_000, 1: 3_333, 3: 9_999}[person]
    exact = Fraction(EACH[person][1] * days, 100) * rate
    return int((exact * 2 + 1) // 2) - (125 if person == 1 else 0)


@dataclass(eq=False)
class Pay:
    """One worker's row. ``state``: of the slot until the money is reserved, then of the payment."""

    days: frozenset[int]
    net: int
    state: str = "claimed"


@dataclass(eq=False)
class Month:
    """A payroll. ``sheet``: person → days as last uploaded; ``pays``: what it holds of the people's days and money."""

    run: Run
    unit: int
    batch: str
    sheet: dict[int, frozenset[int]]
    at: str = "payroll"
    pays: dict[int, Pay] = field(default_factory=dict)
    disputed: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    #: Confirmed, and no office has acted since: it may be taken back.
    fresh: bool = False

    @property
    def number(self) -> int:
        return self.run.walk.case_id


class World:
    """What stands in the rows, what the oracle says, and every action done on both."""

    def __init__(self, database: Database, move: Mover) -> None:
        self.database, self.move = database, move
        self.scenarios, self.roster = with_rows(list(ROWS))
        self.months: list[Month] = []
        self.projects: dict[int, int] = {}
        #: (person, day) → fen that a bank paid for it and nobody asked back.
        self.bounced = self.paid_lines = 0
        for unit in (1, 2):
            run = runner(database, move, unit=unit, scenarios=self.scenarios)
            content = month_of(self.roster, name=f"第{unit}项以工代赈工程（虚构）")
            run.prepare(content)
            self.people: list[ScenarioPerson] = run.people
            with database.transaction() as session:
                employer = session.get_one(Employer, run.employer_id)
                self.projects[unit] = project_for(session, employer, content["project"], run.people, 1).id

    # Sheets ----------------------------------------------------------------------------------------------------

    def others(self, mine: Month) -> Iterator[tuple[Month, int, Pay]]:
        for month in self.months:
            if month is not mine:
                for person, one in month.pays.items():
                    yield month, person, one

    def free(self, mine: Month, person: int, days: frozenset[int]) -> bool:
        """Whether nobody else holds one of the days, nor the slot of this project, month and batch."""
        return not any(
            other == person and (one.days & days or (month.unit, month.batch) == (mine.unit, mine.batch))
            for month, other, one in self.others(mine)
        )

    def begin(self, unit: int, batch: str, sheet: dict[int, frozenset[int]]) -> Month:
        run = runner(self.database, self.move, unit=unit, scenarios=self.scenarios)
        run.begin({**month_of(self.roster, batch), "funds": None})
        month = Month(run, unit, batch, {})
        self.months.append(month)
        self.fill(month, sheet)
        return month

    def fill(self, month: Month, sheet: dict[int, frozenset[int]]) -> None:
        """Upload a sheet in the place of the last one."""
        month.run.people = [
            replace(
                self.people[person],
                cells={
                    **{key: text for key, text in self.people[person].cells.items() if key[:4] != "day_"},
                    **{f"day_{day:02d}": EACH[person][0] for day in days},
                },
            )
            for person, days in sorted(sheet.items())
        ]
        upload(self.database, month.run)
        month.sheet, month.refused = dict(sheet), set()

    def submit(self, month: Month) -> None:
        good = {
            person: Pay(days, net_of(person, len(days)))
            for person, days in month.sheet.items()
            if self.free(month, person, days)
        }
        line = {**SUBMIT, "step": month.at, "answers": {"reply": "已核对。"}}
        content = month_of(self.roster, month.batch)
        line["answers"] |= content["application"]
        if not good:
            with pytest.raises(Conflict, match="没有可以发放的人员"):
                month.run.take(line, content)
            return
        month.run.take(line, content)
        month.pays, month.at, month.disputed = good, "confirmation", set()
        with self.database.reading() as session:
            papers = select(IssuedDocument).where(
                IssuedDocument.case_id == month.number, IssuedDocument.name == "pay_table"
            )
            table = session.scalars(papers.order_by(IssuedDocument.id.desc())).first()
            assert table is not None
            printed = [row["net"] for row in table.context["pay_rows"]]
        assert sum(printed) == table.context["money"]["total"] == sum(one.net for one in good.values())

    # Workers and offices ---------------------------------------------------------------------------------------

    def dispute(self, month: Month, person: int) -> None:
        month.run.take({"slip": {"kind": f"kind{person}", "agrees": False, "words": "少记了。"}}, STRAIGHT)
        month.disputed.add(person)

    def confirm(self, month: Month) -> None:
        line = {"step": "confirmation", "by": "employer", "outcome": "confirmed"}
        if set(month.pays) <= month.disputed:
            with pytest.raises(Conflict, match="所有工人都对工资条有异议"):
                month.run.take(line, STRAIGHT)
            return
        month.run.take(line, STRAIGHT)
        for person in month.disputed:
            month.pays.pop(person, None)
        month.at, month.fresh = "owner_review", True

    def take_back(self, month: Month) -> None:
        with self.database.transaction() as session:
            recalling.recall(session, employers_actor(session, month.run.employer_id), month.number)
        month.at, month.fresh = "confirmation", False

    def correct(self, month: Month) -> None:
        self._office(month, "confirmation", "employer", "correct")

    def _office(self, month: Month, step: str, by: str, outcome: str, refuse: Sequence[int] = ()) -> None:
        rows = [{"kind": f"kind{person}", "verdict": "refuse", "reason": "没有出工"} for person in refuse]
        month.refused |= set(refuse)
        month.fresh = False
        opinion = {"opinion": "请核对。"} if outcome == "return" else {}
        month.run.take({"step": step, "by": by, "outcome": outcome, "rows": rows, **opinion}, STRAIGHT)
        if outcome in ("return", "correct"):
            month.at = "correction"

    def review(self, month: Month, agree: bool, refuse: Sequence[int]) -> None:
        """业主 or 乡镇, whoever has it."""
        step, by = month.at, {"owner_review": "owner", "township_check": "township"}[month.at]
        outcome = "agree" if agree else "return"
        if step == "township_check" and agree and set(month.pays) <= month.refused | set(refuse):
            with pytest.raises(Conflict, match="没有可以发放的人员，不能公示"):
                self._office(month, step, by, outcome, refuse)
            return
        self._office(month, step, by, outcome, refuse)
        if not agree:
            return
        if step == "township_check":
            month.pays = {who: one for who, one in month.pays.items() if who not in month.refused}
        month.at = {"owner_review": "township_check", "township_check": "notice_board"}[step]

    def post(self, month: Month) -> None:
        self._office(month, "notice_board", "township", "posted")
        month.at = "publicity"

    def wait(self) -> None:
        """Every 公示 that is on a board comes to its end."""
        with self.database.reading() as session:
            numbers = [month.number for month in self.months if month.at == "publicity"]
            ends = select(Publicity.ends_at).where(
                Publicity.case_id.in_(numbers), Publicity.closed_at.is_(None)
            )
            last = max(session.scalars(ends), default=now())
        self.move(max(last - now(), timedelta(0)))
        for month in self.months:
            if month.at == "publicity":
                month.run.walk.work()
                month.at = "ndrc_review"

    def approve(self, month: Month, agree: bool) -> None:
        self._office(month, "ndrc_review", "ndrc", "approve" if agree else "return")
        if agree:
            month.at = "paying"
            for one in month.pays.values():
                one.state = "ready"

    def give_up(self, month: Month) -> None:
        with self.database.transaction() as session:
            recalling.terminate(session, actor(session, HEAD), month.number, "项目停工")
        month.pays = {who: one for who, one in month.pays.items() if one.state in ("paid", "recovered")}
        month.at = "closed"

    # Money -----------------------------------------------------------------------------------------------------

    def states(self, *wanted: str) -> list[tuple[Month, int]]:
        return [
            (month, who) for month in self.months for who, one in month.pays.items() if one.state in wanted
        ]

    def pay(self, bounce: set[int]) -> None:
        """A batch of all that is ready; the bank sends some lines back."""
        ready = {(month.number, who): month.pays[who] for month, who in self.states("ready")}
        county = self.months[0].run.county_code
        lines, total = pay(self.database, county, PROCESS, bounce)
        assert (lines, total) == (len(ready), sum(one.net for one in ready.values()))
        with self.database.reading() as session:
            batch = session.scalars(select(PaymentBatch).order_by(PaymentBatch.id.desc())).first()
            assert batch is not None
            for line, payable in session.execute(
                select(BatchLine, Payable)
                .join(Payable, Payable.id == BatchLine.payable_id)
                .where(BatchLine.batch_id == batch.id)
            ):
                one = ready.pop((payable.case_id, self.person(session, payable.row_id)))
                assert line.amount_fen == one.net
                one.state = "bounced" if line.seq in bounce else "paid"
        assert not ready
        self.months[0].run.walk.work()
        self.settle()

    def settle(self) -> None:
        for month in self.months:
            if month.at == "paying" and all(
                one.state in ("paid", "recovered") for one in month.pays.values()
            ):
                month.at = "closed"

    def correct_accounts(self) -> None:
        correct_accounts(self.database, self.months[0].run.county_code, PROCESS)
        for month, who in self.states("bounced"):
            month.pays[who].state = "ready"

    def remove(self, month: Month, person: int) -> None:
        month.run.take({"remove": {"kind": f"kind{person}", "reason": "经查没有出工"}}, STRAIGHT)
        del month.pays[person]
        self.settle()

    def recover(self, month: Month, person: int) -> None:
        """The reversal: decided and demanded by 发改, received by 财政. The days stay spent: nobody is paid for them again."""
        with self.database.transaction() as session:
            payable = next(
                one
                for one in session.scalars(select(Payable).where(Payable.case_id == month.number))
                if one.state == "paid" and self.person(session, one.row_id) == person
            )
            finding = Finding("重复发放", "《保障农民工工资支付条例》第三条", today() + timedelta(days=30))
            number = recovering.decide(session, actor(session, HEAD), payable.id, finding).id
        month.run.walk.work()
        with self.database.transaction() as session:
            recovering.demand(session, actor(session, HEAD), number)
        with self.database.transaction() as session:
            officer = finance_officers(session, month.run.county_code)[0]
            recoveries.receive(session, officer, number, today(), "JK001")
        month.pays[person].state = "recovered"

    # Comparing -------------------------------------------------------------------------------------------------

    def person(self, session: Session, row_id: int | None) -> int:
        number = session.get_one(RosterRow, row_id).values["id_number"]
        return next(place for place, one in enumerate(self.people) if one.id_number == number)

    def compare(self) -> None:
        with self.database.reading() as session:
            for month in self.months:
                self._compare(session, month)
            claimed = session.execute(
                select(WorkDay.case_id, WorkDay.row_id, WorkDay.day).where(WorkDay.state == "claimed")
            )
            held = Counter((case, self.person(session, row), day.day) for case, row, day in claimed)
            assert held == Counter(
                (month.number, who, day)
                for month in self.months
                for who, one in month.pays.items()
                for day in one.days
            )
            balance = session.scalars(select(Balance)).one()
            owed = [month.pays[who].net for month, who in self.states("ready", "bounced")]
            paid = [month.pays[who].net for month, who in self.states("paid")]
            assert (balance.reserved_fen, balance.released_fen, balance.paid_fen) == (sum(owed), 0, sum(paid))
            self._share(session)
            self._nobody_twice(session)
            assert list(check_money(session)) == []

    def _compare(self, session: Session, month: Month) -> None:
        case = session.get_one(Case, month.number)
        steps = session.scalars(
            select(WorkItem.step).where(WorkItem.case_id == case.id, WorkItem.closed_at.is_(None))
        ).all()
        waiting = [] if month.at in ("publicity", "paying", "closed") else [month.at]
        assert list(steps) == waiting, f"{case.number} ({case.status}) must be at {month.at}"
        assert (case.finished_at is not None) == (month.at == "closed")
        slots = {
            self.person(session, one.row_id): (one.state, one.amount_fen)
            for one in session.scalars(select(Grant).where(Grant.case_id == case.id, Grant.state != "freed"))
        }
        word = {"ready": "approved", "bounced": "approved"}
        assert slots == {who: (word.get(one.state, one.state), one.net) for who, one in month.pays.items()}
        owed = {
            self.person(session, one.row_id): (one.state, one.amount_fen)
            for one in session.scalars(
                select(Payable).where(Payable.case_id == case.id, Payable.state != "freed")
            )
        }
        assert owed == {
            who: (one.state, one.net) for who, one in month.pays.items() if one.state != "claimed"
        }
        assert check.check_case(session, case.id) == []

    def _share(self, session: Session) -> None:
        """The share of each project, recomputed from the oracle's fen."""
        found = figures_of(session, list(self.projects.values()))
        for unit, project_id in self.projects.items():
            paid, owed = (
                sum(month.pays[who].net for month, who in self.states(*states) if month.unit == unit)
                for states in (("paid",), ("ready", "bounced"))
            )
            base = session.get_one(Project, project_id).ratio_base_fen
            figures = found[project_id]
            assert (figures.paid_fen, figures.owed_fen) == (paid, owed)
            assert figures.ratio == int(Fraction(paid, base) * 10_000)

    def _nobody_twice(self, session: Session) -> None:
        """Of the bank's lines and the sheets alone: no day of anybody was ever paid twice."""
        days: Counter[tuple[str, date]] = Counter()
        for row in session.scalars(
            select(RosterRow)
            .join(Payable, Payable.row_id == RosterRow.id)
            .join(BatchLine, BatchLine.payable_id == Payable.id)
            .where(BatchLine.state == "paid")
        ):
            for key, value in row.values.items():
                if key.startswith("day_") and value:
                    days[str(row.values["id_number"]), date(2026, 4, int(key[4:]))] += 1
        assert max(days.values(), default=1) == 1
