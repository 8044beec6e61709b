"""Play the diagram through with all choices open: does it get stuck, does a step open twice at once?

Each scope is played for itself; a subprocess is one step of its parent. Decisions are free: a gateway may choose any
way out. Deadlocks that only come of contradictory conditions are not found, what is found is real for some decision.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from workflows.engine.errors import Problem
from workflows.engine.graph import Element, Graph
from workflows.engine.lint_flow import at
from workflows.engine.lint_structure import FILE

MAX_MARKINGS = 20_000
_TWICE = "会被并行的几条路线先后进入，同一步骤会办两次；请先用并行网关汇合"
_Marking: TypeAlias = frozenset[str]


def lint_tokens(graph: Graph) -> list[Problem]:
    """Problems found by playing; expects a graph without problems of :func:`lint_flow`."""
    return [problem for scope in graph.scopes for problem in _play(graph, scope)]


def _play(graph: Graph, scope: str | None) -> list[Problem]:
    inside = graph.inside(scope)
    order = {element.id: place for place, element in enumerate(inside)}
    start = next(element for element in inside if element.kind == "startEvent")
    first: _Marking = frozenset(flow.id for flow in graph.outgoing[start.id])
    seen: set[_Marking] = {first}
    stack = [first]
    problems: dict[str, Problem] = {}
    while stack:
        marking = stack.pop()
        moved = False
        for name in sorted({graph.flows[flow].target for flow in marking}, key=order.__getitem__):
            element = graph.elements[name]
            tokens = [flow.id for flow in graph.incoming[name] if flow.id in marking]
            if len(tokens) > 1 and element.kind != "parallelGateway":
                problems.setdefault(element.id, at(element, _TWICE))
            for consumed, produced in _moves(graph, element, tokens):
                moved = True
                rest = marking - consumed
                if rest & produced:
                    problems.setdefault(element.id, at(element, _TWICE))
                following = rest | produced
                if following not in seen:
                    seen.add(following)
                    stack.append(following)
        if marking and not moved:
            for element in inside:
                if any(flow.id in marking for flow in graph.incoming.get(element.id, ())):
                    problems.setdefault(
                        element.id,
                        at(
                            element,
                            "是汇合网关，但有一条进来的路线可能不会走到，流程会一直等下去；请让分开与汇合成对",
                        ),
                    )
        if len(seen) > MAX_MARKINGS:
            name = graph.elements[scope].name if scope else graph.name
            return [
                Problem.at(
                    FILE, scope or graph.process_id, "并行太复杂，无法检查是否会卡住；请拆成子流程", name
                )
            ]
    return list(problems.values())


def _moves(graph: Graph, element: Element, tokens: list[str]) -> Iterator[tuple[_Marking, _Marking]]:
    """Each way an element can act now: what it takes, what it gives."""
    incoming, outgoing = graph.incoming.get(element.id, ()), graph.outgoing.get(element.id, ())
    if element.kind == "parallelGateway":
        if tokens and len(tokens) == len(incoming):
            yield frozenset(tokens), frozenset(flow.id for flow in outgoing)
        return
    for token in tokens:
        taken = frozenset({token})
        if element.kind == "endEvent":
            yield taken, frozenset()
        for flow in outgoing:
            yield taken, frozenset({flow.id})
        for event in graph.boundaries.get(element.id, ()):
            yield taken, frozenset(flow.id for flow in graph.outgoing.get(event.id, ()))
