"""A diagram as plain data: elements, flows, lanes and layout, read from the BPMN file without the library.

The lint judges it, the picture is drawn from it, and the runner takes names and lanes from it. Reading is tolerant:
what is missing or odd becomes an empty string here and a problem in the lint.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from workflows.engine.xmltext import local, namespace

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DI = "http://www.omg.org/spec/BPMN/20100524/DI"

#: Flow nodes we run. Everything else in a process is refused by the lint.
NODE_KINDS = frozenset(
    {
        "startEvent",
        "endEvent",
        "userTask",
        "serviceTask",
        "businessRuleTask",
        "exclusiveGateway",
        "parallelGateway",
        "eventBasedGateway",
        "intermediateCatchEvent",
        "boundaryEvent",
        "subProcess",
    }
)
#: Nodes at which a case stands still until somebody or something acts.
WAITING_KINDS = frozenset({"userTask", "intermediateCatchEvent", "eventBasedGateway"})


@dataclass(frozen=True)
class Element:
    """A flow node.

    :param kind: the BPMN tag, e.g. ``userTask``.
    :param lane: id of the lane that lists it, if any.
    :param scope: id of the subProcess it lies in; ``None`` at the top.
    :param event: ``timer`` or ``message`` for catching events, else empty.
    :param detail: the timer's expression, the message's name, or the ``implementation`` of a task.
    """

    id: str
    name: str
    kind: str
    lane: str | None = None
    scope: str | None = None
    attached_to: str | None = None
    event: str = ""
    detail: str = ""
    default: str | None = None
    documentation: str = ""


@dataclass(frozen=True)
class Flow:
    """A sequence flow; ``condition`` is empty when it has none."""

    id: str
    name: str
    source: str
    target: str
    condition: str = ""
    scope: str | None = None


@dataclass(frozen=True)
class Box:
    """A rectangle of the layout, in the diagram's pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True)
class Graph:
    """One process with its subprocesses, flattened; ``scope`` of an element says where it lies."""

    process_id: str
    name: str
    elements: Mapping[str, Element]
    flows: Mapping[str, Flow]
    lanes: Mapping[str, str]
    messages: Mapping[str, str] = field(default_factory=dict)
    participant: str = ""
    participant_name: str = ""
    boxes: Mapping[str, Box] = field(default_factory=dict)
    label_boxes: Mapping[str, Box] = field(default_factory=dict)
    waypoints: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)

    @cached_property
    def outgoing(self) -> Mapping[str, tuple[Flow, ...]]:
        """Element id → flows leaving it, in the file's order."""
        return self._grouped("source")

    @cached_property
    def incoming(self) -> Mapping[str, tuple[Flow, ...]]:
        """Element id → flows entering it."""
        return self._grouped("target")

    def _grouped(self, end: str) -> Mapping[str, tuple[Flow, ...]]:
        grouped: dict[str, list[Flow]] = {element: [] for element in self.elements}
        for flow in self.flows.values():
            grouped.setdefault(getattr(flow, end), []).append(flow)
        return {element: tuple(flows) for element, flows in grouped.items()}

    @cached_property
    def flow_between(self) -> Mapping[tuple[str, str], str]:
        """(source, target) → flow id. The lint allows one flow between two elements."""
        return {(flow.source, flow.target): flow.id for flow in self.flows.values()}

    @cached_property
    def boundaries(self) -> Mapping[str, tuple[Element, ...]]:
        """Activity id → boundary events attached to it."""
        found: dict[str, list[Element]] = {}
        for element in self.elements.values():
            if element.attached_to:
                found.setdefault(element.attached_to, []).append(element)
        return {host: tuple(events) for host, events in found.items()}

    @cached_property
    def scopes(self) -> tuple[str | None, ...]:
        """The process itself (``None``) and each subProcess."""
        return (None, *(element.id for element in self.elements.values() if element.kind == "subProcess"))

    def inside(self, scope: str | None) -> list[Element]:
        """The elements that lie directly in a scope."""
        return [element for element in self.elements.values() if element.scope == scope]

    def next_steps(self, current: frozenset[str]) -> frozenset[str]:
        """The waiting elements and ends that can come directly after the ``current`` ones, with what lies between.

        The walk goes through everything automatic, into and out of subprocesses, and stops at waits and ends.
        """
        found: set[str] = set()
        stack = [successor for element in current for successor in self._successors(element)]
        while stack:
            element_id = stack.pop()
            if element_id in found:
                continue
            found.add(element_id)
            element = self.elements[element_id]
            if element.kind not in WAITING_KINDS:
                stack.extend(self._successors(element_id))
        return frozenset(found)

    def _successors(self, element_id: str) -> Iterator[str]:
        element = self.elements.get(element_id)
        if element is None:
            return
        if element.kind == "subProcess":
            starts = [inner.id for inner in self.inside(element_id) if inner.kind == "startEvent"]
            if starts:
                yield from starts
                return
        for flow in self.outgoing.get(element_id, ()):
            if flow.target in self.elements:
                yield flow.target
        if element.kind == "endEvent" and element.scope is not None:
            for flow in self.outgoing.get(element.scope, ()):
                if flow.target in self.elements:
                    yield flow.target


def read_graph(root: Any) -> Graph:
    """Read the first process of a BPMN document (its root element)."""
    process = next((child for child in root if _is(child, "process")), None)
    messages = {child.get("id", ""): child.get("name", "") for child in root if _is(child, "message")}
    elements: dict[str, Element] = {}
    flows: dict[str, Flow] = {}
    lanes: dict[str, str] = {}
    participant = participant_name = ""
    if process is not None:
        lane_of: dict[str, str] = {}
        for lane in process.iter(f"{{{BPMN}}}lane"):
            lanes[lane.get("id", "")] = lane.get("name", "")
            for reference in lane.iter(f"{{{BPMN}}}flowNodeRef"):
                lane_of.setdefault((reference.text or "").strip(), lane.get("id", ""))
        _read_scope(process, None, lane_of, messages, elements, flows)
        for child in root.iter(f"{{{BPMN}}}participant"):
            if child.get("processRef") == process.get("id"):
                participant, participant_name = child.get("id", ""), child.get("name", "")
    boxes, label_boxes, waypoints = _read_layout(root)
    return Graph(
        process_id=process.get("id", "") if process is not None else "",
        name=process.get("name", "") if process is not None else "",
        elements=elements,
        flows=flows,
        lanes=lanes,
        messages=messages,
        participant=participant,
        participant_name=participant_name,
        boxes=boxes,
        label_boxes=label_boxes,
        waypoints=waypoints,
    )


def _is(element: Any, tag: str) -> bool:
    return isinstance(element.tag, str) and namespace(element) == BPMN and local(element) == tag


def _text(element: Any, tag: str) -> str:
    child = element.find(f"{{{BPMN}}}{tag}")
    return "" if child is None else "".join(child.itertext()).strip()


def _read_scope(
    parent: Any,
    scope: str | None,
    lane_of: Mapping[str, str],
    messages: Mapping[str, str],
    elements: dict[str, Element],
    flows: dict[str, Flow],
) -> None:
    for node in parent:
        if namespace(node) != BPMN:
            continue
        kind, identifier = local(node), node.get("id", "")
        if kind == "sequenceFlow":
            flows[identifier] = Flow(
                id=identifier,
                name=node.get("name", ""),
                source=node.get("sourceRef", ""),
                target=node.get("targetRef", ""),
                condition=_text(node, "conditionExpression"),
                scope=scope,
            )
        elif kind in NODE_KINDS:
            event, detail = _event(node, messages)
            elements[identifier] = Element(
                id=identifier,
                name=node.get("name", ""),
                kind=kind,
                lane=lane_of.get(identifier),
                scope=scope,
                attached_to=node.get("attachedToRef") if kind == "boundaryEvent" else None,
                event=event,
                detail=detail or node.get("implementation", ""),
                default=node.get("default"),
                documentation=_text(node, "documentation"),
            )
            if kind == "subProcess":
                _read_scope(node, identifier, lane_of, messages, elements, flows)


def _event(node: Any, messages: Mapping[str, str]) -> tuple[str, str]:
    timer = node.find(f"{{{BPMN}}}timerEventDefinition")
    if timer is not None:
        return "timer", _text(timer, "timeDate")
    message = node.find(f"{{{BPMN}}}messageEventDefinition")
    if message is not None:
        return "message", messages.get(message.get("messageRef", ""), "")
    return "", ""


def _numbers(element: Any, *names: str) -> tuple[float, ...] | None:
    try:
        values = tuple(float(element.get(name, "")) for name in names)
    except ValueError:
        return None
    return values if all(math.isfinite(value) and abs(value) < 1e6 for value in values) else None


def _box(element: Any) -> Box | None:
    for child in element:
        if local(child) == "Bounds":
            values = _numbers(child, "x", "y", "width", "height")
            if values is not None and values[2] > 0 and values[3] > 0:
                return Box(*values)
    return None


def _read_layout(
    root: Any,
) -> tuple[dict[str, Box], dict[str, Box], dict[str, tuple[tuple[float, float], ...]]]:
    boxes: dict[str, Box] = {}
    labels: dict[str, Box] = {}
    waypoints: dict[str, tuple[tuple[float, float], ...]] = {}
    for shape in root.iter(f"{{{DI}}}BPMNShape", f"{{{DI}}}BPMNEdge"):
        target = shape.get("bpmnElement", "")
        label = shape.find(f"{{{DI}}}BPMNLabel")
        label_box = _box(label) if label is not None else None
        if label_box is not None:
            labels[target] = label_box
        if local(shape) == "BPMNShape":
            box = _box(shape)
            if box is not None:
                boxes[target] = box
            continue
        points = [_numbers(child, "x", "y") for child in shape if local(child) == "waypoint"]
        if len(points) >= 2 and all(point is not None for point in points):
            waypoints[target] = tuple((point[0], point[1]) for point in points if point is not None)
    return boxes, labels, waypoints
