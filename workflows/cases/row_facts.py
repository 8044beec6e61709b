"""Facts of roster rows and the row rules, for thousands of rows in one pass at import time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from forms.months import parse_months
from workflows.base.errors import CatalogueError
from workflows.base.privacy import digest_id
from workflows.cases import days
from workflows.cases.facts import CaseView, case_facts_of, storable
from workflows.cases.granting import row_obstacles
from workflows.cases.process import Process
from workflows.cases.row_sums import ARITHMETIC, whole
from workflows.cases.rules import fired_rules
from workflows.engine import FactError, decide
from workflows.registers.grants import Obstacle
from workflows.registers.people import IdentityOn, has_list, identities_on
from workflows.registers.project_model import ProjectWorker
from workflows.registers.projects import workers_by_person
from workflows.registers.work_days import Clash


@dataclass
class RowInput:
    """One row: its typed values and the person behind it."""

    values: Mapping[str, Any]
    person_id: int | None


@dataclass(frozen=True)
class RowOutcome:
    """What the row rules said: ``result``, the facts, the rules that fired in the order they ran."""

    result: str
    facts: dict[str, Any]
    fired: list[dict[str, Any]]


def apply_row_rules(process: Process, view: CaseView, rows: Sequence[RowInput]) -> list[RowOutcome]:
    """Run the row rules of a process over rows. Identities come in two statements for all of them."""
    described: Mapping[str, Mapping[str, Any]] = process.config.get("row_facts", {})
    result = process.config.get("row_result")
    if not described or not result:
        return [RowOutcome("", {}, []) for _ in rows]
    runner = _Runner(process, view, described)
    runner.look_up(rows)
    return [runner.run(row, result) for row in rows]


def case_inputs(process: Process, view: CaseView) -> dict[str, Any]:
    """The case's own values that the row rules read: while these stand, so does what they said."""
    runner = _Runner(process, view, process.config.get("row_facts", {}))
    found: dict[str, Any] = {}

    def collect(spec: Mapping[str, Any]) -> None:
        if spec.get("from") in ("case", "answer"):
            found[spec.get("fact") or f"{spec['form']}.{spec['field']}"] = runner.case_value(spec)
        for value in spec.values():
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, Mapping):
                    collect(inner)

    collect(process.config.get("row_facts", {}))
    scope = process.config.get("grant", {}).get("scope")
    for name in scope.get("facts", ()) if isinstance(scope, Mapping) else ():
        collect({"from": "case", "fact": name})
    month = days.month_of(view)
    return storable(found | {"month": str(month)} if month else found)


class _Runner:
    def __init__(self, process: Process, view: CaseView, described: Mapping[str, Mapping[str, Any]]) -> None:
        self.process, self.view, self.described = process, view, described
        self.identities: dict[tuple[int, date], IdentityOn] = {}
        self.case_values: dict[tuple[Any, ...], Any] = {}
        self.listed_days: dict[date, bool] = {}
        self.obstacles: dict[int, Obstacle] = {}
        self.registered: dict[int, ProjectWorker] = {}
        self.clashes: dict[int, list[Clash]] = {}

    def look_up(self, rows: Sequence[RowInput]) -> None:
        """All identities the rows will ask for, grouped so that each person has one day at a time."""
        asked = {spec["from"] for spec in self.described.values()}
        everyone = [(row.person_id, row.values) for row in rows]
        if "grant" in asked:
            self.obstacles = row_obstacles(self.view, everyone)
        if "project_worker" in asked and self.view.case.project_id is not None:
            people = [person for person, _ in everyone if person is not None]
            self.registered = workers_by_person(self.view.session, self.view.case.project_id, people)
        if "day_clash" in asked:
            self.clashes = days.clashes_of(self.view, everyone)
        for spec in self.described.values():
            if spec["from"] != "identity":
                continue
            wanted: list[dict[int, date]] = []
            for row in rows:
                day = _day(row.values.get(spec["on"]))
                if row.person_id is None or day is None:
                    continue
                for one in wanted:
                    if one.setdefault(row.person_id, day) == day:
                        break
                else:
                    wanted.append({row.person_id: day})
            for one in wanted:
                for person, found in identities_on(self.view.session, one).items():
                    self.identities[person, one[person]] = found
                for day in set(one.values()):
                    self.listed_days.setdefault(
                        day, has_list(self.view.session, self.view.case.county_code, day)
                    )

    def run(self, row: RowInput, result: Mapping[str, Any]) -> RowOutcome:
        facts: dict[str, Any] = {}
        fired: list[dict[str, Any]] = []
        try:
            for name, spec in self.described.items():
                facts[name] = self._value(spec, row, facts, fired)
            outputs = self._decide(result["decision"], facts, fired)
        except FactError as error:
            # a value the rules cannot judge: a person must look, the reason is said
            fired.append({"id": "", "citation": "", "annotation": error.message})
            return RowOutcome(result.get("confirmable", ""), storable(facts), fired)
        return RowOutcome(str(outputs[result["output"]]), storable(facts), fired)

    def _decide(self, decision_id: str, facts: Mapping[str, Any], fired: list[dict[str, Any]]) -> Any:
        table = self.process.published.decision(decision_id)
        decided = decide(table, {column.fact: facts.get(column.fact) for column in table.inputs})
        fired.extend(fired_rules(decided))
        return decided.outputs

    def case_value(self, spec: Mapping[str, Any]) -> Any:
        key = tuple(map(spec.get, ("from", "fact", "form", "field", "default")))
        if key not in self.case_values:
            if spec["from"] == "case":
                name = spec["fact"]
                self.case_values[key] = case_facts_of(self.process, self.view, [name])[name]
            else:
                value = self.view.answers(spec["form"]).get(spec["field"])
                self.case_values[key] = spec.get("default") if value is None else value
        return self.case_values[key]

    def _value(
        self, spec: Mapping[str, Any], row: RowInput, facts: Mapping[str, Any], fired: list[dict[str, Any]]
    ) -> Any:
        source = spec["from"]
        if source in ("case", "answer"):
            return self.case_value(spec)
        if source == "column":
            value = row.values.get(spec["column"])
            return spec.get("default") if value is None else _number(value, spec)
        if source == "decision":
            return self._decide(spec["decision"], facts, fired)[spec["output"]]
        if source == "identity":
            return self._identity(spec, row)
        if source == "months_between":
            return months_between(_day(row.values.get(spec["start"])), _day(row.values.get(spec["end"])))
        if source == "before":
            day, than = _day(row.values.get(spec["column"])), _day(self.case_value(spec["than"]))
            return day is not None and than is not None and day < than
        if source == "choose":
            chosen = spec["when"].get(facts.get(spec["by"]))
            return self._value({**chosen, "type": spec.get("type")}, row, facts, fired) if chosen else None
        if source == "fact":
            return facts.get(spec["fact"])
        if source in ARITHMETIC:
            return ARITHMETIC[source](spec, partial(self._number, row, facts, fired))
        if source in ("worked", "days_outside", "day_clash", "project_worker"):
            return self._labour(source, spec, row, fired)
        if source == "age":
            return age_on(row.values.get(spec["person"]), _day(self._value(spec["on"], row, facts, fired)))
        if source == "grant":
            found = self.obstacles.get(row.person_id or 0)
            return found.kind if found else "none"
        if source == "listed_months":
            return most_months(row.values.get(spec["column"]), int(spec["within"]))
        if source == "listed_person":
            return _listed(row.values.get(spec["person"]), self.case_value(spec["in"]))
        if source == "same_person":
            mine, other = row.values.get(spec["person"]), self.case_value(spec["as"])
            return bool(mine and other) and digest_id(str(mine)) == digest_id(str(other))
        raise CatalogueError([f"process.yaml：row_facts 不认识来源“{source}”。"])

    def _number(
        self, row: RowInput, facts: Mapping[str, Any], fired: list[dict[str, Any]], spec: Mapping[str, Any]
    ) -> Any:
        """The value of a source inside a sum."""
        return self._value({"type": "number", **spec}, row, facts, fired)

    def _labour(
        self, source: str, spec: Mapping[str, Any], row: RowInput, fired: list[dict[str, Any]]
    ) -> Any:
        """What a row says of days, and the registers of days and of workers say of the person."""
        if source == "worked":
            return whole(Decimal(sum(days.worked(self.process, row.values).values())) / 100)
        if source == "days_outside":
            return days.outside(self.view, row.values, self.registered.get(row.person_id or 0))
        if source == "day_clash":
            found = self.clashes.get(row.person_id or 0, [])
            if found:
                fired.append(days.fired(found, days.citation(self.view)))
            return bool(found)
        worker = self.registered.get(row.person_id or 0)
        value = getattr(worker, spec["field"], None)
        return spec.get("default") if value is None else value

    def _identity(self, spec: Mapping[str, Any], row: RowInput) -> str:
        """The category held on the day; without one, what the row claims says whether a person must look.

        Another province's 脱贫人口 are in no list here: the notice is silent, so a person decides (``other_province``).
        """
        day = _day(row.values.get(spec["on"]))
        if row.person_id is not None and day is not None:
            found = self.identities.get((row.person_id, day))
            if found is not None:
                return found.category
        claimed = row.values.get(spec.get("claimed", ""), "")
        if claimed == "other_province":
            return "other_province"
        # no list speaks of that day: not "on no list", but unknown, and a person looks
        return "none" if day is not None and self.listed_days.get(day) else "unknown"


def most_months(text: Any, within: int) -> int:
    """The most distinct months that lie in any ``within`` consecutive ones: 3 of 12 need not follow each other."""
    months = sorted({year * 12 + month - 1 for year, month in parse_months(str(text or ""))})
    return max((sum(start <= one < start + within for one in months) for start in months), default=0)


def _listed(number: Any, text: Any) -> bool:
    """Whether a person's number stands in a text of numbers."""
    listed = {digest_id(part) for part in re.split(r"[\s,，、；;]+", str(text or "")) if part}
    return bool(number) and digest_id(str(number)) in listed


def _day(value: Any) -> date | None:
    return date.fromisoformat(str(value)) if value else None


def _number(value: Any, spec: Mapping[str, Any]) -> Any:
    if spec.get("type") == "number" and isinstance(value, str):
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else number
    return value


def months_between(start: date | None, end: date | None) -> int | None:
    """Whole months of a term, both days included: 1 March to 31 May is three. Gaps in the work change nothing.

    吉人社联〔2022〕81号 二（六）: 3个月及以上劳动合同或就业协议（可间歇式务工）.
    """
    if start is None or end is None or end < start:
        return None
    after = date.fromordinal(end.toordinal() + 1)
    months = (after.year - start.year) * 12 + after.month - start.month
    return months - (after.day < start.day)


def age_on(id_number: Any, day: date | None) -> int | None:
    """Age in years on a day, by the ID number's birth date."""
    if not id_number or day is None:
        return None
    text = str(id_number)
    born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
