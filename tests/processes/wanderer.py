"""Someone who walks a case at random: everything its people may do next, done through the use cases that pages use,
and compared after each action with the oracle and with the checker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from workflows.base import clock
from workflows.base.errors import Conflict, Forbidden
from workflows.base.session import Database
from workflows.cases import check, claiming, recalling
from workflows.cases.jobs import fire_due_timers
from workflows.cases.model import Case, CaseTimer, Publicity, WorkItem
from workflows.cases.objections import object_to
from workflows.cases.process import process_of
from workflows.cases.scenarios import Run, Scenarios
from workflows.cases.walking import employers_actor
from workflows.organisations.model import Assignment, User
from workflows.registers.membership import load_actor

from .oracle import JOINT, ObjectionOracle, Oracle, Recognition, Review
from .stage import actor, county_of, unsigned
from .stage import decide as decide_now

#: Enough for every outcome of every form; a form takes what it asks for.
ANSWERS = {
    "defects": [{"field": "other", "problem": "有一处不清楚", "action": "请写清楚"}],
    "revealed_by": "新交的材料上看得出来。",
    "facts": "经核实，情况如所附材料。",
    "finding": "经查，情况如所附材料。",
    "dismiss_reason": "所反映的事项与本次公示无关。",
    "statement": "请再给一次机会。",
    "response": "已逐条研究。",
    "reason": "已恢复生产。",
}
#: Outcomes that end a case or lead straight to its end: a long walk keeps them for later.
ENDINGS = {
    ("township_acceptance", "not_accept"),
    ("meeting", "refuse"),
    ("joint_issue", "issue"),
    ("meeting", "revoke"),
    ("meeting", "keep"),
    ("recheck", "pass"),
    ("restore_check", "restore"),
    ("restore_check", "refuse"),
    ("acknowledge", "dismiss"),
    ("conclude", "reject"),
}
OPINION = "经研究，按此办理。"
TAKES = "经查实，材料与事实不符的地方见所附笔录。"


@dataclass
class Walker:
    """One case under way, objections to it included.

    :param kind: ``apply``, ``annual`` or ``restore``.
    :param patience: rounds of review before anything may end the case.
    """

    database: Database
    move: Callable[[timedelta], None]
    kind: str
    seed: int
    patience: int = 0
    run: Run = field(init=False)
    oracle: Oracle = field(init=False)
    objections: dict[int, tuple[Run, ObjectionOracle]] = field(default_factory=dict)
    steps_taken: int = 0
    compared: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        process = "workshop_recognition" if self.kind == "apply" else "workshop_review"
        scenarios = Scenarios.read(process)
        county = county_of(self.database)
        self.run = Run(
            self.database,
            unsigned,
            scenarios,
            county.employers[1].id,
            county.county_code,
            self.move,
            seed=self.seed,
        )
        key = {"apply": "straight", "annual": "kept", "restore": "restored"}[self.kind]
        self.scenario = scenarios.get(key)
        # the same three people in all walks: one list of identities is enough
        self.run.seed = 1
        self.run.prepare(self.scenario)
        self.run.seed = self.seed
        if self.kind == "apply":
            self.run.walk.begin(process, self.run.employer_id)
            self.oracle = Recognition({"application"})
        else:
            self.run.start_for_workshop(self.scenario)
            self.oracle = Review({"opening"}, kind=self.kind)

    @property
    def case_id(self) -> int:
        return self.run.walk.case_id

    # What may happen next --------------------------------------------------------------------------------------

    def options(self) -> dict[str, list[tuple[Any, ...]]]:
        """Kind of action → the actions of that kind that make sense now."""
        found: dict[str, list[tuple[Any, ...]]] = {"decide": [], "claim": [], "reassign": []}
        for case_id in self.running:
            for step, office, claimed, outcomes in self._open(case_id):
                found["decide"] += [(case_id, step, office, outcome) for outcome in outcomes]
                if office is not None:
                    found["claim" if not claimed else "reassign"].append((case_id, step, office))
        if self.oracle.before is not None:
            found["recall"] = [()]
        public = isinstance(self.oracle, Recognition) and bool(self.oracle.publicity)
        if self.oracle.timers and (self.may_end or not public or self.open_objections):
            found["wait"] = [("day",), ("last second",), ("end",), ("unpolled",)]
        if public and self.open_objections < 3:
            found["object"] = [()]
        if self.may_end and not self.oracle.finished:
            found["terminate"] = [()]
        return {kind: actions for kind, actions in found.items() if actions}

    @property
    def running(self) -> list[int]:
        """The case, and the objections that are not settled."""
        return [
            self.case_id,
            *(case_id for case_id, (_, oracle) in self.objections.items() if not oracle.finished),
        ]

    @property
    def may_end(self) -> bool:
        return self.oracle.rounds >= self.patience

    def _open(self, case_id: int) -> list[tuple[str, str | None, bool, list[str]]]:
        with self.database.reading() as session:
            case = session.get_one(Case, case_id)
            process = process_of(session, case.version_id)
            items = session.scalars(
                select(WorkItem)
                .where(WorkItem.case_id == case_id, WorkItem.closed_at.is_(None))
                .order_by(WorkItem.id)
            )
            return [
                (
                    item.step,
                    item.department.kind if item.department else None,
                    item.claimed_by is not None,
                    self._outcomes(case_id, item.step, [one.key for one in process.form(item.step).outcomes]),
                )
                for item in items
            ]

    def _outcomes(self, case_id: int, step: str, outcomes: list[str]) -> list[str]:
        oracle = self._oracle(case_id)
        if step in JOINT and oracle.signed is not None:
            outcomes = [oracle.signed, "sent_back"]
        if not self.may_end:
            outcomes = [one for one in outcomes if (step, one) not in ENDINGS] or [outcomes[-1]]
            if step in ("hrss_review", "rural_review") and self.kind == "annual":
                outcomes = [one for one in outcomes if one != "keep"]
        return outcomes

    def _oracle(self, case_id: int) -> Oracle:
        return self.oracle if case_id == self.case_id else self.objections[case_id][1]

    def _run(self, case_id: int) -> Run:
        return self.run if case_id == self.case_id else self.objections[case_id][0]

    # Doing it --------------------------------------------------------------------------------------------------

    def take(self, kind: str, action: tuple[Any, ...]) -> None:
        """Do one thing and look whether everything still says the same."""
        self.compared = self.running
        getattr(self, kind)(*action)
        self.steps_taken += 1
        self.compare()

    def decide(self, case_id: int, step: str, office: str | None, outcome: str) -> None:
        oracle = self._oracle(case_id)
        before = oracle.copy()
        run = self._run(case_id)
        answers: dict[str, Any] = dict(ANSWERS)
        if step == "opening":
            answers["kind"] = self.kind
        line = {"step": step, "by": office or "employer", "outcome": outcome, "opinion": OPINION}
        if self._late(case_id):
            with self.database.transaction() as session:
                item = run.walk.item(session, step, office)
                with pytest.raises(Conflict, match="期限已到"):
                    decide_now(session, "qiye1", item, outcome)
            return
        run.take(line | {"answers": answers}, self.scenario)
        oracle.decide(step, outcome)
        oracle.before = None
        if case_id != self.case_id:
            # who answers an objection to an earlier 公示 has not acted on what the employer handed in since
            if oracle.finished and isinstance(self.oracle, Recognition):
                self.oracle.settled(oracle.result, self.open_objections)
        elif office is None:
            oracle.remember(before)

    def claim(self, case_id: int, step: str, office: str) -> None:
        run = self._run(case_id)
        with self.database.transaction() as session:
            item = run.walk.item(session, step, office)
            claiming.claim(session, run.walk.somebody(session, item), item.id)
        if case_id == self.case_id:
            self.oracle.before = None

    def reassign(self, case_id: int, step: str, office: str) -> None:
        """The head of the office gives the item to whoever else may have it."""
        run = self._run(case_id)
        with self.database.transaction() as session:
            item = run.walk.item(session, step, office)
            head = session.scalars(
                select(User)
                .join(Assignment, Assignment.user_id == User.id)
                .where(Assignment.department_id == item.department_id, Assignment.post == "head")
            ).first()
            other = run.walk.somebody(session, item)
            claiming.reassign(session, load_actor(session, head), item.id, other.user_id, "外出培训")
        if case_id == self.case_id:
            self.oracle.before = None

    def recall(self) -> None:
        """撤回: back to where the employer was."""
        before = self.oracle.before
        with self.database.transaction() as session:
            recalling.recall(session, employers_actor(session, self.run.employer_id), self.case_id)
        before.rounds = self.oracle.rounds
        if isinstance(before, Recognition):
            before.inspected = self.oracle.inspected
        self.oracle = before
        self.oracle.before = None
        if self.oracle.timers:
            self.poll()

    def wait(self, how: str) -> None:
        """Time goes by; the worker comes, or is late."""
        due = self.run.walk.next_timer()
        by = {"day": timedelta(days=1), "last second": due - clock.now() - timedelta(seconds=1)}.get(
            how, due - clock.now()
        )
        self.move(max(by, timedelta(0)))
        if how != "unpolled":
            self.poll()

    def poll(self) -> None:
        """The worker looks for due timers: what is due goes off, nothing else."""
        late = self._late(self.case_id)
        fire_due_timers(self.database)
        for element in late:
            self.oracle.before = None
            self.oracle.steps = set()
            self.oracle.expired(element, self.open_objections)

    def object(self) -> None:
        """A neighbour objects, in time or too late."""
        running = self.oracle.publicity == "running" and not self._late(self.case_id)
        with self.database.transaction() as session:
            token = session.scalars(
                select(Publicity.token).where(
                    Publicity.case_id == self.case_id, Publicity.closed_at.is_(None)
                )
            ).one()
            if not running:
                with pytest.raises(Conflict, match="公示期已经结束"):
                    object_to(session, token, name="钱守义", phone="", content=TAKES)
                return
            case_id = object_to(session, token, name="钱守义", phone="", content=TAKES).case_id
        run = Run(
            self.database,
            unsigned,
            Scenarios.read("objection"),
            self.run.employer_id,
            self.run.county_code,
            self.move,
        )
        run.walk.case_id = case_id
        self.objections[case_id] = (run, ObjectionOracle({"acknowledge"}))

    def terminate(self) -> None:
        with self.database.transaction() as session:
            recalling.terminate(session, actor(session, "renshe.head"), self.case_id, "单位已经注销。")
        self.oracle.end()
        if isinstance(self.oracle, Recognition):
            self.oracle.publicity = ""
        for _, oracle in self.objections.values():
            oracle.end()

    @property
    def open_objections(self) -> int:
        return sum(not oracle.finished for _, oracle in self.objections.values())

    def _late(self, case_id: int) -> list[str]:
        with self.database.reading() as session:
            return list(
                session.scalars(
                    select(CaseTimer.element).where(
                        CaseTimer.case_id == case_id,
                        CaseTimer.closed_at.is_(None),
                        CaseTimer.due_at <= clock.now(),
                    )
                )
            )

    # Comparing -------------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """The rows stand where the oracle says, and the checker has nothing to say."""
        for case_id in [*self.compared, *(one for one in self.running if one not in self.compared)]:
            oracle = self._oracle(case_id)
            with self.database.reading() as session:
                case = session.get_one(Case, case_id)
                steps = set(
                    session.scalars(
                        select(WorkItem.step).where(WorkItem.case_id == case_id, WorkItem.closed_at.is_(None))
                    )
                )
                timers = set(
                    session.scalars(
                        select(CaseTimer.element).where(
                            CaseTimer.case_id == case_id, CaseTimer.closed_at.is_(None)
                        )
                    )
                )
                assert steps == oracle.steps, f"{case.number} is at {steps}, must be at {oracle.steps}"
                assert timers == oracle.timers, f"{case.number} waits for {timers}, must for {oracle.timers}"
                assert (case.finished_at is not None) == oracle.finished, case.number
                assert check.check_case(session, case_id) == []

    def refused_recall(self) -> None:
        """Where 撤回 is not possible it is refused and nothing moves."""
        if self.oracle.before is None and not self.oracle.finished:
            with self.database.transaction() as session:
                employer = employers_actor(session, self.run.employer_id)
                with pytest.raises(Forbidden, match="不能再撤回"):
                    recalling.recall(session, employer, self.case_id)
