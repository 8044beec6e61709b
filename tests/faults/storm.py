"""Claims of 一次性奖补 carried from the township to the bank's answer by people at browsers, while whatever serves them is killed.

Chance comes from a seed that is printed: the same seed deals the same blows in the same order.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.processes.reward_stage import PROCESS, reward
from tests.processes.stage import county_of, unsigned
from workflows.base.clock import today
from workflows.base.session import Database
from workflows.cases import check
from workflows.cases.model import Case, Decision, Notice, WorkItem
from workflows.cases.scenario_money import answer_of, enter_funds
from workflows.cases.scenarios import Run, Scenarios
from workflows.documents.model import IssuedDocument
from workflows.funds.batch_model import BankAnswer, BatchLine, PaymentBatch
from workflows.funds.model import LedgerEntry, Payable
from workflows.organisations.model import Assignment, User
from workflows.registers.grant_model import Grant

from .person import BROKEN, Answer, Person
from .site import Site
from .victim import POINTS, WORK

COUNTY = "220822"
#: Seconds within which an open case can be acted on after a restart.
AT_ONCE = 1.0
FINANCE = ("caizheng.clerk", "caizheng.b", "caizheng.head")


def fill(database: Database, move: Callable[[timedelta], None], count: int, until: str) -> list[int]:
    """So many claims of three people each, before the step ``until``, and money for all of them."""
    with database.transaction() as session:
        enter_funds(session, COUNTY, PROCESS, count * 300_000 + 5_000_000)
    cases = []
    for number in range(count):
        # eight employers; the people differ by the seed
        run = reward(
            database,
            move,
            until,
            employer=number % 8 + 1,
            seed=number + 1,
            funds=100_000 + number,
        )
        cases.append(run.walk.case_id)
    return cases


@dataclass
class Form:
    """The form of one work item, filled in by somebody."""

    item: int
    person: Person
    typed: dict[str, list[str]]

    @property
    def path(self) -> str:
        return f"/work/{self.item}/decide"

    def send(self) -> Answer:
        return self.person.post(self.path, self.typed)


@dataclass
class Storm:
    """What happens to a site, and what must stand afterwards.

    :param calm: the share of actions that nothing happens to.
    :param blows: how many times one action is struck at most.
    :param deepest: how many statements, and how many flushes and commits, are let pass before a blow at most. An action that passes
        fewer is not struck.
    :param unsteady: the share of actions before which the clock jumps, forwards or back, by up to two days.
    """

    site: Site
    seed: int
    cases: Sequence[int]
    calm: float = 0.15
    blows: int = 3
    deepest: tuple[int, int] = (60, 4)
    unsteady: float = 0.0
    people: dict[str, Person] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    replayed: int = 0

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.database = self.site.database
        county = county_of(self.database)
        self.scenarios = Scenarios.read(PROCESS)
        self.run = Run(
            self.database,
            unsigned,
            self.scenarios,
            county.employers[1].id,
            county.county_code,
            lambda _: None,
        )
        self.lines = {one["step"]: one for one in self.scenarios.get("straight")["walk"] if "step" in one}

    # People ----------------------------------------------------------------------------------------------------------

    def person(self, username: str) -> Person:
        """Somebody signed in; again where the session was lost."""
        if username not in self.people:
            self.people[username] = Person(self.site.address, username)
        person = self.people[username]
        if self.answer(lambda: person.get("/account")).status != 200:
            self.answer(lambda: self._sign_in(person))
        return person

    @staticmethod
    def _sign_in(person: Person) -> Answer:
        person.sign_in()
        return person.get("/account")

    def answer(self, ask: Callable[[], Answer]) -> Answer:
        """An answer in the end: what is broken is waited for, what is refused as busy is asked again."""
        for _ in range(100):
            try:
                answer = ask()
                if answer.status < 500:
                    return answer
                assert answer.status == 503, answer.text + self.site.logs()
            except BROKEN:
                self.site.wait_for_web()
            time.sleep(0.1)
        raise AssertionError(self.site.logs())

    @property
    def usual(self) -> float:
        """Seconds within which nineteen of twenty answers came after a restart: the rest is what else the machine did."""
        return sorted(self.waits)[int(len(self.waits) * 0.95)]

    # Actions under fire ----------------------------------------------------------------------------------------------

    def act(self, send: Callable[[], Answer]) -> Answer:
        """Send one form, through as many deaths as chance deals; then, as after a lost reply, once more."""
        for _ in range(self.blows):
            if self.chance.random() < self.calm or self.struck(send) is not None:
                break
        began = time.monotonic()
        answer = self.answer(send)
        self.waits.append(time.monotonic() - began)
        # money does not move at a time before it last moved; many small steps back may have added up
        while answer.status == 409 and "服务器时间是" in answer.text:
            self.site.move(timedelta(days=3))
            answer = self.answer(send)
        again = self.answer(send)
        assert (again.status, again.to) == (answer.status, answer.to), f"{answer} {again}"
        self.replayed += 1
        return answer

    def struck(self, send: Callable[[], Answer]) -> Answer | None:
        """Send it while the web is told to die; the answer, if it lived."""
        point = self.chance.choice([*POINTS, "at random"])
        count = self.chance.randint(1, self.deepest[point != "statement"])
        if point == "at random":
            bolt = threading.Timer(self.chance.random() * 0.25, self.site.power_cut)
            bolt.start()
            try:
                return send()
            except BROKEN:
                return None
            finally:
                bolt.join()
                self.everything_answers()
        self.site.order("web", point, count)
        try:
            return self.struck_by(send)
        finally:
            self.site.withdraw("web")
            self.everything_answers()

    def struck_by(self, send: Callable[[], Answer]) -> Answer | None:
        """Send it while an order stands; nothing when the web died of it."""
        try:
            return send()
        except BROKEN:
            self.site.kills += 1
            return None

    def everything_answers(self) -> None:
        """After a restart the rows agree, and every open case can be acted on within a second."""
        self.site.wait_for_web()
        assert check.check(self.database) == [], self.site.logs()
        with self.database.reading() as session:
            items = session.scalars(
                select(WorkItem.id).where(WorkItem.closed_at.is_(None), WorkItem.department_id.is_not(None))
            ).all()
        for item in items[:5]:
            for person in list(self.people.values())[:1]:
                began = time.monotonic()
                self.answer(lambda person=person, item=item: person.get(f"/work/{item}"))  # type: ignore[misc]  # bound now
                self.waits.append(time.monotonic() - began)

    # Claims ----------------------------------------------------------------------------------------------------------

    def weather(self, blows_of_work: int) -> None:
        """Every claim to its end, under fire; the worker dies so often at each of three times."""
        left = list(self.cases)
        while left:
            case_id = self.chance.choice(left)
            if not self.decide(case_id):
                left.remove(case_id)
        self.unsteady = 0  # money moves at no time before it last moved: a page says so, and there is nothing to be tried again
        self.work(blows_of_work)
        self.site.move(timedelta(days=20))
        self.work(blows_of_work)
        self.pay()
        self.work(blows_of_work)
        self.once()
        print(
            f"{self.site.kills} kills, {self.replayed} forms sent again, {self.usual:.2f} s for 95 of 100 answers"
        )

    def decide(self, case_id: int) -> bool:
        """An open step of a case by somebody of its office; whether there was one."""
        with self.database.reading() as session:
            steps = session.scalars(
                select(WorkItem.step).where(WorkItem.case_id == case_id, WorkItem.closed_at.is_(None))
            ).all()
        if not steps:
            return False
        if (
            self.chance.random() < self.unsteady
        ):  # before anything is typed: a day of tomorrow would be refused, rightly
            self.site.move(timedelta(hours=self.chance.randint(-48, 48)))
        done = self.act(self.step(case_id, self.chance.choice(sorted(steps))).send)
        assert done.status == 303, done.text
        return True

    def step(self, case_id: int, step: str = "", username: str = "", outcome: str = "") -> Form:
        """The form of an open step, filled in as the straight scenario says, or with another outcome."""
        with self.database.reading() as session:
            wanted = [WorkItem.case_id == case_id, WorkItem.closed_at.is_(None)]
            item = session.scalars(
                select(WorkItem).where(*wanted, *([WorkItem.step == step] if step else []))
            ).one()
            line = self.lines[item.step]
            username = username or self._officer(session, item, line)
        person = self.person(username)
        page = self.answer(lambda: person.get(f"/work/{item.id}")).page
        answers = self.run.usual_answers(item.step, item.step)
        typed: dict[str, list[str]] = {
            **page.form("decision"),
            **self.run.posted(answers),
            "outcome": [outcome or line["outcome"]],
            "opinion": ["情况属实。"],
        }
        if page.all("input", name="rest_verdict"):
            typed["rest_verdict"] = ["agree"]
        return Form(item.id, person, typed)

    def _officer(self, session: Session, item: WorkItem, line: Mapping[str, Any]) -> str:
        post = "head" if str(line["by"]).endswith("_head") else "clerk"
        found = session.scalars(
            select(User.username)
            .join(Assignment, Assignment.user_id == User.id)
            .where(Assignment.department_id == item.department_id, Assignment.post == post)
            .order_by(User.id)
        ).first()
        assert found is not None
        return found

    def walk_on(self, case_id: int, step: str) -> None:
        """The employer answers, past the web."""
        with self.database.reading() as session:
            self.run.employer_id = session.get_one(Case, case_id).employer_id or 0
        self.run.walk.case_id = case_id
        line = {"step": step, "by": "employer", "outcome": "submit", "answers": {"reply": "已核对。"}}
        self.run.take(line, self.scenarios.get("straight"))

    def pay(self) -> None:
        """财政 makes, checks and sends one batch of everything that is ready, and reads the bank's answer."""
        maker, checker, head = (self.person(one) for one in FINANCE)
        page = self.answer(lambda: maker.get("/finance/batches/new")).page
        form = {**page.form("making"), "make": "all"}
        path = self.act(lambda: maker.post("/finance/batches/new", form)).to
        for person, act in ((checker, "check"), (head, "release")):
            page = self.answer(lambda person=person: person.get(path)).page  # type: ignore[misc]  # bound now
            key = {"command_key": self.key(page, act)}
            done = self.act(lambda person=person, act=act, key=key: person.post(f"{path}/{act}", key))  # type: ignore[misc]  # the same
            assert done.status == 303, done.text
        with self.database.reading() as session:
            content = answer_of(session, session.scalars(select(PaymentBatch)).one())
        page = self.answer(lambda: maker.get(path)).page
        typed = {"command_key": self.key(page, "answer"), "value_date": today().isoformat()}
        sent = self.act(lambda: maker.upload(f"{path}/answer", "file", "回执.csv", content, typed))
        assert sent.status == 303, sent.text

    @staticmethod
    def key(page: Any, act: str) -> str:
        """The key of the form that does it."""
        form = next(one for one in page.all("form") if one.get("action", "").endswith(f"/{act}"))
        return str(next(one.get("value") for one in form.iter("input") if one.get("name") == "command_key"))

    # The worker ------------------------------------------------------------------------------------------------------

    def work(self, blows: int) -> None:
        """Let the worker do what waits, and die of it so often."""
        for _ in range(blows):
            if not self.site.waiting():
                break
            point = self.chance.choice([*POINTS, *WORK])
            count = self.chance.randint(1, 40) if point == "statement" else self.chance.randint(1, 3)
            self.site.order("worker0", point, count)
            deadline = time.monotonic() + 5
            while self.site.waiting() and self.site.running["worker0"].poll() is None:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.05)
            self.site.withdraw("worker0")
            self.site.settle()
            assert check.check(self.database) == []
        self.site.settle()

    # What must stand -------------------------------------------------------------------------------------------------

    def once(self) -> None:
        """Each step was decided once, each paper issued once, each person told once, each fen moved once."""
        count = len(self.cases)
        with self.database.reading() as session:

            def of_all(column: Any, *conditions: Any) -> list[Any]:
                return sorted(session.scalars(select(column).where(*conditions)).all())

            steps = ["application", "hrss_review", "recheck", "rural_review", "township_check"]
            papers = ["approval_form", "payment_form", "payment_list", "publicity_sheet"]
            for case_id in self.cases:
                assert of_all(Decision.step, Decision.case_id == case_id) == steps
                issued = of_all(IssuedDocument.name, IssuedDocument.case_id == case_id)
                assert issued == papers, issued
                assert session.get_one(Case, case_id).status == "paid"
            assert of_all(Payable.state) == of_all(BatchLine.state) == ["paid"] * 3 * count
            assert of_all(Grant.state) == ["paid"] * 3 * count
            assert session.scalar(select(func.count()).select_from(BankAnswer)) == 1
            kinds = of_all(LedgerEntry.kind, LedgerEntry.kind != "appropriate")
            assert kinds == sorted(["pay", "release", *["reserve"] * count]), kinds
            keys = session.scalars(select(Notice.key)).all()
            assert len(set(keys)) == len(keys)
            assert len(session.scalars(select(PaymentBatch)).all()) == 1
        assert check.check(self.database) == []
        assert check.verify_everything(self.database) == []
