"""Whatever a file holds, the lint ends in "accepted" or in problems that name file and reason: never in a traceback."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.engine.drawing import approval
from tests.unit.engine.tables import table
from tests.unit.engine.test_catalogue import package as sample_package
from tests.unit.engine.words import VOCABULARY
from workflows.base.errors import CatalogueError
from workflows.engine import ProcessPackage, draw, lint, publish
from workflows.engine.dmn_reading import read_decisions
from workflows.engine.graph import read_graph
from workflows.engine.lint_dmn import lint_decision

APPROVAL = approval().package()
RULES = sample_package()
TABLE = table(
    [("n", "number", ">= 0"), ("k", "string", '"a","b"'), ("d", "date")],
    [
        (["< 3", "-", "-"], ['"no"']),
        (["[3..10)", '"a"', '>= date("2026-01-01")'], ['"yes"']),
        ([">= 3", 'not("a")', "-"], ['"ask"']),
    ],
    policy="FIRST",
)
PIECES = [
    "", " ", "<", ">", '"', "&", "id", "userTask", "startEvent", "subProcess", "parallelGateway", "boundaryEvent",
    "sequenceFlow", "eventBasedGateway", "inclusiveGateway", "dataObject", "callActivity", "scriptTask", "process",
    "definitions", "lane", "flowNodeRef", "0", "-1", "NaN", "null", "true", "end", "start", "application", "reviews",
    "UNIQUE", "COLLECT", "rule", "input", "output", "text", "[1..2]", "not(", "date(", "-", "<a/>", "流程", "\u200b",
]  # fmt: skip


def mutate(text: str, seed: int, times: int) -> str:
    """Cut, copy, swap and replace pieces: words, tags, attributes, whole ranges."""
    chance = random.Random(seed)
    for _ in range(times):
        start = chance.randrange(len(text) + 1)
        length = chance.choice([0, 1, 3, 12, 60, 300])
        match chance.randrange(5):
            case 0:
                text = text[:start] + text[start + length :]
            case 1:
                text = text[:start] + chance.choice(PIECES) + text[start + length :]
            case 2:
                text = text[:start] + text[start : start + length] * 2 + text[start + length :]
            case 3:
                words = sorted(set(text.replace("<", " ").replace(">", " ").replace('"', " ").split()))
                if words:
                    text = text.replace(
                        chance.choice(words), chance.choice([*PIECES, *words]), chance.choice([1, -1])
                    )
            case _:
                tags = text.split("><")
                chance.shuffle(tags) if chance.random() < 0.05 else tags.insert(
                    chance.randrange(len(tags)), chance.choice(tags)
                )
                text = "><".join(tags)
        text = text[:200_000]
    return text


def examine(package: ProcessPackage) -> None:
    problems = lint(package, VOCABULARY)
    assert all(problem.file and problem.message_zh.startswith(problem.file) for problem in problems)
    if problems:
        with pytest.raises(CatalogueError):
            publish(package, VOCABULARY)
    else:
        draw(publish(package, VOCABULARY))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), times=st.integers(1, 6))
def test_any_diagram_is_accepted_or_refused(seed: int, times: int) -> None:
    examine(
        ProcessPackage(
            "sample", mutate(APPROVAL.bpmn, seed, times), APPROVAL.config_text, forms=APPROVAL.forms
        )
    )


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), times=st.integers(1, 6))
def test_any_configuration_is_accepted_or_refused(seed: int, times: int) -> None:
    text = mutate(APPROVAL.config_text, seed, times)
    examine(ProcessPackage("sample", APPROVAL.bpmn, text, forms=APPROVAL.forms))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), times=st.integers(1, 6))
def test_any_table_is_accepted_or_refused(seed: int, times: int) -> None:
    for text in (TABLE, RULES.dmn["eligibility.dmn"]):
        decisions, problems = read_decisions(mutate(text, seed, times), "check.dmn")
        for decision in decisions:
            problems += lint_decision(decision)
        assert all(problem.file == "check.dmn" and problem.message_zh for problem in problems)


def test_a_rule_that_lost_a_cell_is_a_problem_and_no_crash() -> None:
    for seed in (53, 54, 55, 56):
        for text in (TABLE, RULES.dmn["eligibility.dmn"]):
            read_decisions(mutate(text, seed, 1), "check.dmn")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_plain_nonsense(text: str) -> None:
    examine(ProcessPackage("sample", text, text, {"x.dmn": text}))


def test_broken_layouts_still_draw() -> None:
    for seed in range(60):
        from workflows.engine.errors import Problem
        from workflows.engine.xmltext import parse_xml

        root = parse_xml(mutate(APPROVAL.bpmn, seed, 3), "process.bpmn")
        if not isinstance(root, Problem):
            assert draw(read_graph(root), {"application"}, {"acceptance"}).startswith("<svg")
