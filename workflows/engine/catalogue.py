"""From a folder to a published version: lint, and only then publish."""

from __future__ import annotations

from typing import Any

from workflows.base.errors import CatalogueError
from workflows.engine.definition import PublishedVersion
from workflows.engine.dmn import Decision
from workflows.engine.dmn_reading import read_decisions
from workflows.engine.errors import Problem
from workflows.engine.graph import read_graph
from workflows.engine.lint_config import lint_config
from workflows.engine.lint_dmn import lint_decision
from workflows.engine.lint_flow import lint_flow, lint_lanes, lint_layout
from workflows.engine.lint_names import collect_names, lint_names
from workflows.engine.lint_structure import FILE, lint_structure
from workflows.engine.lint_tokens import lint_tokens
from workflows.engine.package import ProcessPackage
from workflows.engine.specs import parse_specs, restore_specs
from workflows.engine.vocabulary import Vocabulary
from workflows.engine.xmltext import parse_xml


def lint(package: ProcessPackage, vocabulary: Vocabulary) -> list[Problem]:
    """All problems of a package, sorted; empty when it can be published. Never raises, whatever the files hold."""
    return _examine(package, vocabulary)[0]


def publish(package: ProcessPackage, vocabulary: Vocabulary) -> PublishedVersion:
    """Make a version of a package.

    :raises CatalogueError: it has problems; each names file and element and says what to do.
    """
    problems, spec_json = _examine(package, vocabulary)
    if problems:
        raise CatalogueError([str(problem) for problem in problems])
    return PublishedVersion(
        key=package.key,
        digest=package.digest,
        bpmn=package.bpmn,
        config_text=package.config_text,
        dmn=dict(package.dmn),
        spec_json=spec_json,
    )


def _examine(package: ProcessPackage, vocabulary: Vocabulary) -> tuple[list[Problem], str]:
    decisions, problems = _tables(package)
    root = parse_xml(package.bpmn, FILE)
    if isinstance(root, Problem):
        return sorted({root, *problems}), ""
    problems += lint_structure(root, package.key)
    graph = read_graph(root)
    flow_problems = lint_flow(graph)
    problems += flow_problems
    problems += lint_lanes(graph, root)
    problems += lint_layout(graph)
    problems += lint_config(package, graph, vocabulary, decisions)
    problems += lint_names(graph, collect_names(package, graph, vocabulary, decisions), vocabulary)
    if not flow_problems:
        problems += lint_tokens(graph)
    if problems:
        return sorted(set(problems)), ""
    # Parsed afresh: the library keeps hold of the tree it is given.
    parsed = parse_specs_of(parse_xml(package.bpmn, FILE), package.key)
    return ([], parsed) if isinstance(parsed, str) else ([parsed], "")


def _tables(package: ProcessPackage) -> tuple[dict[str, Decision], list[Problem]]:
    decisions: dict[str, Decision] = {}
    problems: list[Problem] = []
    for file, text in package.dmn.items():
        found, wrong = read_decisions(text, file)
        problems += wrong
        for decision in found:
            if decision.id in decisions:
                problems.append(
                    Problem.at(file, decision.id, f"与 {decisions[decision.id].file} 里的规则表同名；请改名")
                )
            decisions[decision.id] = decision
            problems += lint_decision(decision)
    return decisions, problems


def specify(root: Any, process_id: str) -> list[Problem]:
    """Whether the library can read a diagram that has no other problem."""
    parsed = parse_specs_of(root, process_id)
    return [] if isinstance(parsed, str) else [parsed]


def parse_specs_of(root: Any, process_id: str) -> str | Problem:
    """The specification as JSON that a version stores, or what keeps the library from making it."""
    try:
        spec_json = parse_specs(root, process_id)
        restore_specs(spec_json)
    except Exception as error:  # the library raises TypeErrors and AttributeErrors of its own
        node = getattr(error, "tag", None) or process_id
        return Problem.at(
            FILE, str(node), f"无法读入流程引擎（{type(error).__name__}）；请对照已有流程检查这个图形"
        )
    return spec_json
