"""``scenarios.yaml``: walks through a process as data, run by the tests and by the demonstration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from typing import Any

from sqlalchemy import select

from workflows.base import yaml_text
from workflows.base.clock import SHANGHAI, now, today
from workflows.base.session import Database
from workflows.cases import (
    objections,
    recalling,
    scenario_money,
    scenario_projects,
    scenario_workshops,
    verdicts,
)
from workflows.cases.model import Case, Publicity
from workflows.cases.process import Process, newest
from workflows.cases.removing import remove_row
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenario_answers import OWNER, files_for, posted
from workflows.cases.scenario_outcome import Outcome, outcome_of
from workflows.cases.scenario_people import (
    ScenarioPerson,
    enter_identities,
    make_people,
    sheet_of,
)
from workflows.cases.walking import Stuck, Walk, employers_actor
from workflows.documents.issue import Sign
from workflows.organisations.actors import SYSTEM
from workflows.organisations.model import Assignment, Department, User
from workflows.organisations.settings import set_parameter
from workflows.registers.model import Employer


@dataclass(frozen=True)
class Scenarios:
    """The file of one process."""

    process: str
    content: Mapping[str, Any]

    @classmethod
    def read(cls, process: str) -> Scenarios:
        text = files("bpmn").joinpath(process, "scenarios.yaml").read_text(encoding="utf-8")
        return cls(process, yaml_text.load(text))

    def get(self, key: str) -> Mapping[str, Any]:
        return next(one for one in self.content["scenarios"] if one["key"] == key)

    @property
    def keys(self) -> list[str]:
        return [one["key"] for one in self.content["scenarios"]]


def opening_instant(scenario: Mapping[str, Any]) -> datetime:
    """When a scenario begins: nine o'clock of its day in Shanghai."""
    day = scenario["clock"]
    return datetime.combine(day if isinstance(day, date) else date.fromisoformat(day), time(9), SHANGHAI)


@dataclass
class Run:
    """One scenario under way. The clock stands still (``workflows.base.clock.frozen``) and ``move`` advances it."""

    database: Database
    sign: Sign
    scenarios: Scenarios
    employer_id: int
    county_code: str
    move: Callable[[timedelta], None]
    seed: int = 1
    walk: Walk = field(init=False)
    people: list[ScenarioPerson] = field(default_factory=list)
    named: dict[str, Run] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.walk = Walk(self.database, self.sign)

    def run(self, scenario: Mapping[str, Any], until: str = "") -> Outcome:
        """Walk a scenario; ``until="advance"`` stops before the first wait."""
        self.begin(scenario)
        for action in scenario["walk"]:
            if until and until in action:
                break
            self.take(action, scenario)
        self.walk.work()
        return self.outcome()

    def begin(self, scenario: Mapping[str, Any]) -> None:
        """What must be there before, and the case itself."""
        for earlier in scenario.get("before", ()):
            self._before(earlier, scenario.get("project", {}))
        self.prepare(scenario)
        if self.starts_in_office(scenario):
            self.walk.case_id = scenario_projects.begin_in_office(
                self.database, self.scenarios.process, scenario, self.employer_id
            )
        elif "project" in scenario:
            self.walk.case_id = scenario_projects.begin_about_project(
                self.database, self.scenarios.process, scenario, self.employer_id, self.people, self.seed
            )
        elif scenario.get("start"):
            self.start_for_workshop(scenario)
        else:
            self.walk.begin(self.scenarios.process, self.employer_id)

    def _before(self, earlier: Mapping[str, Any], project: Mapping[str, Any]) -> None:
        """Another process's scenario of the same unit, walked first: ``{process, scenario, until}``."""
        run, content = self._other(earlier, project)
        run.run(content, earlier.get("until", ""))

    def _also(self, other: Mapping[str, Any], project: Mapping[str, Any]) -> None:
        """A further case of the same unit is begun meanwhile: ``{name, process, scenario}``."""
        run, content = self._other(other, project)
        run.begin({**content, "funds": None})
        self.named[other["name"]] = run

    def _other(self, other: Mapping[str, Any], project: Mapping[str, Any]) -> tuple[Run, Mapping[str, Any]]:
        others = Scenarios.read(other["process"])
        content = others.get(other["scenario"])
        seed = self.seed + 100 + len(self.named)
        run = Run(self.database, self.sign, others, self.employer_id, self.county_code, self.move, seed)
        return run, {**content, "project": {**content.get("project", {}), **project}}

    def starts_in_office(self, scenario: Mapping[str, Any]) -> bool:
        """Whether an office begins this case by itself, about no workshop."""
        return self._process().config.get("started_by") == "officer" and "workshop" not in scenario

    def prepare(self, scenario: Mapping[str, Any]) -> None:
        """What the county has set, and the people of the roster in the register of identities."""
        with self.database.transaction() as session:
            settings = dict(scenario.get("parameters", {}))
            if not scenario.get("basis", True):
                settings["basis"] = {}
            for key, value in settings.items():
                set_parameter(
                    session,
                    SYSTEM,
                    process=self.scenarios.process,
                    key=key,
                    division_code=self.county_code,
                    value=value,
                    basis="情景设定" if value else "情景：县级没有登记",
                    valid_from=today(),
                )
            wanted = [group for one in self._rosters(scenario) for group in one]
            self.people = self._people(wanted)
            if scenario.get("funds"):
                scenario_money.enter_funds(
                    session,
                    self.county_code,
                    self.scenarios.process,
                    int(scenario["funds"]),
                    scenario.get("project", {}).get("fund_document"),
                )
            kinds = self.scenarios.content.get("people", {})
            employer = session.get_one(Employer, self.employer_id)
            scenario_money.enter_earlier(session, self.county_code, employer, self.people, kinds)
            if any(person.identity for person in self.people):
                # a list of its own beside the county's: the newest list of a division speaks for that division
                place = session.get_one(Employer, self.employer_id).division_code
                enter_identities(session, place, self.people, today() - timedelta(days=500))

    def _rosters(self, scenario: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
        rosters = [list(scenario.get("roster", []))]
        return rosters + [list(action["roster"]) for action in scenario["walk"] if "roster" in action]

    def _people(self, wanted: list[Mapping[str, Any]]) -> list[ScenarioPerson]:
        kinds = self.scenarios.content.get("people", {})
        return make_people(
            kinds, wanted, today=today(), owner_id=OWNER, village="示范镇前进村", seed=self.seed
        )

    def start_for_workshop(self, scenario: Mapping[str, Any]) -> None:
        """Open the case about the unit's workshop."""
        self.walk.case_id = scenario_workshops.begin_about_workshop(
            self.database, self.scenarios.process, scenario, self.employer_id, self.seed
        )

    def take(self, action: Mapping[str, Any], scenario: Mapping[str, Any]) -> None:
        """One line of a walk."""
        if "advance" in action:
            self._advance(action["advance"])
        elif "pay" in action:
            scenario_money.correct_accounts(self.database, self.county_code, self.scenarios.process)
            scenario_money.pay(
                self.database, self.county_code, self.scenarios.process, action["pay"].get("bounce", ())
            )
            self.walk.work()
        elif "remove" in action:
            self._remove(action["remove"])
        elif "slip" in action:
            scenario_projects.speak(self.database, self.walk.case_id, self.people, action["slip"])
            self.walk.work()
        elif "objection" in action:
            self._object(action["objection"])
        elif "begin" in action:
            self._also(action["begin"], scenario.get("project", {}))
        elif "in" in action:
            inner = self.named[action["in"]]
            inner.take({key: value for key, value in action.items() if key != "in"}, scenario)
            self.walk.work()
        elif "give_up" in action:
            with self.database.transaction() as session:
                actor = employers_actor(session, self.employer_id)
                recalling.terminate(session, actor, self.walk.case_id, str(action["give_up"]))
        else:
            self._act(action, scenario)

    def _advance(self, by: Mapping[str, Any]) -> None:
        if "days" in by:
            self.move(timedelta(days=int(by["days"])))
        else:
            due = self.walk.timer_due(by["to"])
            self.move(due - now())
        self.walk.work()

    def _remove(self, described: Mapping[str, Any]) -> None:
        digests = {person.id_number for person in self.people if person.kind == described["kind"]}
        with self.database.transaction() as session:
            roster = verdicts.current_roster(session, self.walk.case_id)
            if roster is None:
                raise Stuck("这个申请没有花名册。")
            chosen = [
                row.id
                for row in session.scalars(select(RosterRow).where(RosterRow.roster_id == roster.id))
                if row.values.get("id_number") in digests
            ]
            process = self._process()
            username = self._officer(str(process.config.get("lead", "hrss")), "head", "", process)
            for row_id in chosen:
                actor = self.walk.actor_named(session, str(username))
                remove_row(session, actor, self.walk.case_id, row_id, described["reason"])
        self.walk.work()

    def _object(self, described: Mapping[str, Any]) -> None:
        with self.database.transaction() as session:
            token = session.scalars(
                select(Publicity.token).where(
                    Publicity.case_id == self.walk.case_id, Publicity.closed_at.is_(None)
                )
            ).one()
            objection = objections.object_to(
                session, token, name="钱守义", phone="13943600001", content=described["content"]
            )
            case_id, process = objection.case_id, session.get_one(Case, objection.case_id).process
        run = Run(
            self.database,
            self.sign,
            Scenarios.read(process),
            self.employer_id,
            self.county_code,
            self.move,
            self.seed,
        )
        run.walk.case_id = case_id
        run.walk.taken = self.walk.taken
        self.named[described["name"]] = run

    def _act(self, action: Mapping[str, Any], scenario: Mapping[str, Any]) -> None:
        step = action["step"]
        process = self._process()
        form = process.steps[step].form
        answers = {
            **self.usual_answers(step, form),
            **(scenario.get("application") or {} if self._first(process, step) else {}),
        }
        answers |= action.get("answers") or {}
        if process.steps[step].roster == "edit" and (action.get("roster") or not self.walk.has_roster()):
            wanted = action.get("roster") or scenario.get("roster")
            if wanted and process.roster is not None:
                chosen = self._choose(wanted)
                self.walk.upload(sheet_of(process.roster, chosen))
        self.attach(step, answers)
        if action.get("rows"):
            self._verdicts(action)
        who = action["by"] if isinstance(action["by"], list) else [action["by"]]
        for place, by in enumerate(who):
            self._decide(process, action, answers if place == 0 else {}, by)

    def _decide(
        self, process: Process, action: Mapping[str, Any], answers: Mapping[str, Any], by: str
    ) -> None:
        kind, _, post = by.partition("_")
        self.walk.act(
            action["step"],
            action["outcome"],
            self.posted(answers),
            opinion=str(action.get("opinion", "")),
            by=None if kind == "employer" else self._officer(kind, post or "clerk", action["step"], process),
            office=None if kind == "employer" else kind,
        )

    def attach(self, step: str, answers: Mapping[str, Any]) -> None:
        """The files that the answers name, and once the materials that the process requires."""
        process = self._process()
        wanted = files_for(process, step, answers, materials=not self.walk.has_materials())
        if wanted:
            self.walk.attach(wanted, step)

    def posted(self, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        """Answers as a page posts them."""
        return posted(self.database, self.employer_id, answers)

    def usual_answers(self, step: str, form: str) -> dict[str, Any]:
        """What the file says for a step wherever nothing else is said."""
        answers = self.scenarios.content.get("answers", {})
        return dict(answers.get(step) or answers.get(form) or {})

    def _first(self, process: Process, step: str) -> bool:
        return process.steps[step].lane == "employer" and process.steps[step].roster == "edit"

    def _choose(self, wanted: list[Mapping[str, Any]]) -> list[ScenarioPerson]:
        left = list(self.people)
        chosen = []
        for group in wanted:
            for _ in range(int(group.get("count", 1))):
                person = next(one for one in left if one.kind == group["kind"])
                left.remove(person)
                chosen.append(person)
        return chosen

    def _verdicts(self, action: Mapping[str, Any]) -> None:
        by = action["by"]
        kind, _, post = by.partition("_")
        process = self._process()
        for one in action["rows"]:
            digests = {person.id_number for person in self.people if person.kind == one["kind"]}
            with self.database.transaction() as session:
                item = self.walk.item(session, action["step"], kind)
                username = self._officer(kind, post or "clerk", action["step"], process)
                roster = verdicts.current_roster(session, self.walk.case_id)
                if roster is None:
                    raise Stuck("这个申请没有花名册。")
                rows = [
                    row.id
                    for row in session.scalars(select(RosterRow).where(RosterRow.roster_id == roster.id))
                    if row.values.get("id_number") in digests
                ]
                actor = (
                    self.walk.actor_named(session, username)
                    if username
                    else self.walk.actor_for(session, item)
                )
                verdicts.give(session, actor, item.id, rows, one["verdict"], one.get("reason", ""))

    def _officer(self, kind: str, post: str, step: str, process: Process) -> str | None:
        """The first officer of that office and post; for a clerk, whoever has the item or may take it."""
        if post == "clerk":
            return None
        with self.database.reading() as session:
            return session.scalars(
                select(User.username)
                .join(Assignment, Assignment.user_id == User.id)
                .join(Department, Department.id == Assignment.department_id)
                .where(
                    Department.kind == kind,
                    Department.division_code.like(f"{self.county_code}%"),
                    Assignment.post == post,
                )
                .order_by(User.id)
            ).first()

    def _process(self) -> Process:
        with self.database.reading() as session:
            case = session.get(Case, self.walk.case_id)
            return newest(session, case.process if case else self.scenarios.process)

    def outcome(self) -> Outcome:
        """What stands in the rows now."""
        return outcome_of(self.database, self.walk.case_id)
