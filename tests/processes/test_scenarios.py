"""Every scenario of every process ends as it says, and together they take every sequence flow and every rule."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pytest
from sqlalchemy import select

from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import check
from workflows.cases.model import Case
from workflows.cases.process import newest
from workflows.cases.publishing import process_keys
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenario_outcome import Outcome
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.engine import decide
from workflows.registers.demo_county import DemoCounty

from .stage import unsigned

KEYS = process_keys()
ALL = [(process, key) for process in KEYS for key in Scenarios.read(process).keys]


@pytest.fixture(scope="module")
def taken() -> dict[str, set[str]]:
    """What all scenarios of this module passed and fired, by process."""
    return defaultdict(set)


def run_scenario(database: Database, county: DemoCounty, process: str, key: str) -> tuple[Run, Outcome]:
    scenarios = Scenarios.read(process)
    scenario = scenarios.get(key)
    parent = scenario.get("parent")
    outer = Scenarios.read(parent["process"]) if parent else scenarios
    begins = opening_instant(outer.get(parent["scenario"]) if parent else scenario)
    with clock.frozen(begins) as move:
        run = Run(database, unsigned, outer, county.employers[1].id, county.county_code, move)
        if parent is None:
            return run, run.run(scenario)
        run.run(outer.get(parent["scenario"]), until="advance")
        run.take({"objection": {"name": "first", "content": scenario["content"]}}, scenario)
        inner = run.named["first"]
        for action in scenario["walk"]:
            inner.take(action, scenario)
        inner.walk.work()
        expected = scenario["expect"]["parent"]
        whole = run.outcome()
        assert whole.status == expected["status"]
        if "open" in expected:
            assert whole.open_steps == expected["open"]
        return inner, inner.outcome()


@pytest.mark.parametrize(("process", "key"), ALL, ids=[f"{process}-{key}" for process, key in ALL])
def test_scenario(
    process: str,
    key: str,
    published_sqlite: Database,
    county: DemoCounty,
    papers_unrendered: None,
    taken: dict[str, set[str]],
) -> None:
    run, outcome = run_scenario(published_sqlite, county, process, key)
    expected = Scenarios.read(process).get(key)["expect"]
    assert (outcome.status, outcome.end) == (expected["status"], expected["end"])
    assert outcome.documents == expected["documents"]
    if "workshop" in expected:
        assert outcome.workshop == expected["workshop"]
    for decision, result in expected.get("decided", {}).items():
        assert outcome.decided[decision] == result
    with published_sqlite.reading() as session:
        rows = session.scalars(select(RosterRow)).all()
        said = {row.values["id_number"]: row.result for row in rows if "id_number" in row.values}
        wrong = {
            person.kind: (said[person.id_number], person.result)
            for person in run.people
            if person.id_number in said and said[person.id_number] != person.result
        }
        assert not wrong
        for case in session.scalars(select(Case)):
            taken[case.process].update(case.passed)
    assert check.check(published_sqlite) == []
    assert check.verify_everything(published_sqlite) == []


@pytest.mark.parametrize("process", KEYS)
def test_every_rule_gives_what_the_scenarios_say(process: str, published_sqlite: Database) -> None:
    with published_sqlite.reading() as session:
        version = newest(session, process).published
    samples = Scenarios.read(process).content.get("decisions") or {}
    assert set(samples) == set(version.rules())
    for decision_id, lines in samples.items():
        table = version.decision(decision_id)
        fired = set()
        for line in lines:
            facts = {name: _typed(table, name, value) for name, value in line["facts"].items()}
            decided = decide(table, facts)
            assert decided.fired == (line["rule"],), (decision_id, line)
            for name, value in line["outputs"].items():
                assert decided.row[name] == value, (decision_id, line)
            fired.update(decided.fired)
        assert fired == {rule.id for rule in table.rules}, decision_id


def _typed(table, name, value):  # type: ignore[no-untyped-def]
    kind = next(column.type for column in table.inputs if column.fact == name)
    return date.fromisoformat(value) if kind == "date" and isinstance(value, str) else value


@pytest.mark.parametrize("process", KEYS)
def test_scenarios_take_every_sequence_flow(
    process: str, published_sqlite: Database, taken: dict[str, set[str]]
) -> None:
    with published_sqlite.reading() as session:
        version = newest(session, process).published
    missed = {flow.id for flow in version.flows()} - taken[process]
    assert not missed, f"no scenario takes {sorted(missed)}"
