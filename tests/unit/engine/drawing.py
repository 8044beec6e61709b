"""A pencil for small diagrams: what a test wants to say about a process, with the layout made up."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

import yaml

from tests.unit.engine.words import VOCABULARY
from workflows.engine import ProcessPackage, PublishedVersion, publish
from workflows.engine.specs import parse_specs
from workflows.engine.xmltext import parse_xml

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" '
    'xmlns:di="http://www.omg.org/spec/DD/20100524/DI" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="definitions" targetNamespace="urn:test">'
)


@dataclass
class Node:
    id: str
    kind: str
    name: str
    scope: str | None
    attributes: dict[str, str]
    inner: str


@dataclass
class Flow:
    source: str
    target: str
    condition: str
    name: str
    scope: str | None

    @property
    def id(self) -> str:
        return f"{self.source}_to_{self.target}"


@dataclass
class Sketch:
    """Build a diagram step by step; ``xml()`` is the file."""

    key: str = "sample"
    nodes: list[Node] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    lanes: dict[str, list[str]] = field(default_factory=lambda: {"hrss": []})
    messages: tuple[str, ...] = ()
    extra: str = ""
    in_process: str = ""
    layout: bool = True

    def node(
        self,
        identifier: str,
        kind: str,
        name: str | None = None,
        *,
        scope: str | None = None,
        lane: str | None = None,
        inner: str = "",
        **attributes: str,
    ) -> Sketch:
        self.nodes.append(
            Node(identifier, kind, f"名{identifier}" if name is None else name, scope, attributes, inner)
        )
        if lane:
            self.lanes.setdefault(lane, []).append(identifier)
        return self

    def start(self, identifier: str = "start", scope: str | None = None) -> Sketch:
        return self.node(identifier, "startEvent", scope=scope)

    def end(self, identifier: str = "end", scope: str | None = None) -> Sketch:
        return self.node(identifier, "endEvent", scope=scope)

    def user(self, identifier: str, lane: str | None = "hrss", scope: str | None = None) -> Sketch:
        return self.node(identifier, "userTask", lane=lane, scope=scope)

    def service(self, identifier: str, operation: str, scope: str | None = None) -> Sketch:
        return self.node(
            identifier, "serviceTask", scope=scope, implementation=f"urn:wengang:operation:{operation}"
        )

    def rule(self, identifier: str, decision: str) -> Sketch:
        return self.node(identifier, "businessRuleTask", implementation=f"urn:wengang:decision:{decision}")

    def choice(self, identifier: str, default: str = "", scope: str | None = None) -> Sketch:
        attributes = {"default": f"{identifier}_to_{default}"} if default else {}
        return self.node(identifier, "exclusiveGateway", scope=scope, **attributes)

    def parallel(self, identifier: str, scope: str | None = None) -> Sketch:
        return self.node(identifier, "parallelGateway", scope=scope)

    def timer(self, identifier: str, expression: str, host: str | None = None) -> Sketch:
        inner = (
            '<bpmn:timerEventDefinition><bpmn:timeDate xsi:type="bpmn:tFormalExpression">'
            f"{escape(expression)}</bpmn:timeDate></bpmn:timerEventDefinition>"
        )
        return self._event(identifier, inner, host)

    def message(self, identifier: str, message: str, host: str | None = None) -> Sketch:
        self.messages = tuple(dict.fromkeys([*self.messages, message]))
        inner = f'<bpmn:messageEventDefinition messageRef="message_{message}"/>'
        return self._event(identifier, inner, host)

    def _event(self, identifier: str, inner: str, host: str | None) -> Sketch:
        if host is None:
            return self.node(identifier, "intermediateCatchEvent", inner=inner)
        return self.node(identifier, "boundaryEvent", inner=inner, attachedToRef=host)

    def flow(
        self, source: str, target: str, condition: str = "", name: str = "", scope: str | None = None
    ) -> Sketch:
        self.flows.append(Flow(source, target, condition, name, scope))
        return self

    def line(self, *identifiers: str, scope: str | None = None) -> Sketch:
        """Flows from each to the next."""
        for source, target in pairwise(identifiers):
            self.flow(source, target, scope=scope)
        return self

    def reviews(self, scope: str = "reviews") -> Sketch:
        """The subprocess 人社 ‖ 乡村振兴."""
        return (
            self.node(scope, "subProcess", "部门审核")
            .start("reviews_start", scope)
            .parallel("split", scope)
            .user("hrss_review", "hrss", scope)
            .user("rural_review", "rural", scope)
            .parallel("join", scope)
            .end("reviews_end", scope)
            .line("reviews_start", "split", "hrss_review", "join", "reviews_end", scope=scope)
            .line("split", "rural_review", "join", scope=scope)
        )

    def xml(self) -> str:
        lanes = "".join(
            f'<bpmn:lane id="{lane}" name="泳道{lane}">'
            + "".join(f"<bpmn:flowNodeRef>{ref}</bpmn:flowNodeRef>" for ref in refs)
            + "</bpmn:lane>"
            for lane, refs in self.lanes.items()
        )
        messages = "".join(
            f'<bpmn:message id="message_{message}" name="{message}"/>' for message in self.messages
        )
        return (
            f"{HEAD}{messages}{self.extra}"
            f'<bpmn:process id="{self.key}" name="示例流程" isExecutable="true">{self.in_process}'
            f"<bpmn:laneSet>{lanes}</bpmn:laneSet>{self._scope(None)}</bpmn:process>"
            f"{self._diagram() if self.layout else ''}</bpmn:definitions>"
        )

    def _scope(self, scope: str | None) -> str:
        parts = []
        for node in self.nodes:
            if node.scope != scope:
                continue
            attributes = "".join(f" {key}={quoteattr(value)}" for key, value in node.attributes.items())
            name = f" name={quoteattr(node.name)}" if node.name else ""
            inner = node.inner + (self._scope(node.id) if node.kind == "subProcess" else "")
            parts.append(f'<bpmn:{node.kind} id="{node.id}"{name}{attributes}>{inner}</bpmn:{node.kind}>')
        for flow in self.flows:
            if flow.scope != scope:
                continue
            condition = (
                f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{escape(flow.condition)}'
                "</bpmn:conditionExpression>"
                if flow.condition
                else ""
            )
            name = f" name={quoteattr(flow.name)}" if flow.name else ""
            parts.append(
                f'<bpmn:sequenceFlow id="{flow.id}"{name} sourceRef="{flow.source}" targetRef="{flow.target}">'
                f"{condition}</bpmn:sequenceFlow>"
            )
        return "".join(parts)

    def _diagram(self) -> str:
        shapes = [
            f'<bpmndi:BPMNShape id="{lane}_di" bpmnElement="{lane}">'
            f'<dc:Bounds x="0" y="{number * 200}" width="2000" height="200"/></bpmndi:BPMNShape>'
            for number, lane in enumerate(self.lanes)
        ]
        for number, node in enumerate(self.nodes):
            shapes.append(
                f'<bpmndi:BPMNShape id="{node.id}_di" bpmnElement="{node.id}">'
                f'<dc:Bounds x="{60 + number * 140}" y="60" width="110" height="80"/></bpmndi:BPMNShape>'
            )
        for flow in self.flows:
            shapes.append(
                f'<bpmndi:BPMNEdge id="{flow.id}_di" bpmnElement="{flow.id}">'
                '<di:waypoint x="100" y="100"/><di:waypoint x="240" y="100"/></bpmndi:BPMNEdge>'
            )
        return (
            '<bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" '
            f'bpmnElement="{self.key}">{"".join(shapes)}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>'
        )

    def config(self) -> dict[str, object]:
        return {
            "key": self.key,
            "title": "示例流程",
            "started_by": "employer",
            "lanes": {lane: {"department": lane, "level": "county"} for lane in self.lanes},
            "steps": {
                node.id: {"form": "opinion", "limit": {"days": 5, "unit": "working"}}
                for node in self.nodes
                if node.kind == "userTask"
            },
            "statuses": {"done": {"title": "办结"}},
            "parameters": {"days": {"value": 5}},
            "publicity": {"recognition": {"days": 5}},
        }

    def package(self, **changes: object) -> ProcessPackage:
        """With a fitting process.yaml; ``changes`` replace top keys of it (``None`` removes one)."""
        config = {**self.config(), **changes}
        return ProcessPackage(
            key=self.key,
            bpmn=self.xml(),
            config_text=yaml.safe_dump(
                {key: value for key, value in config.items() if value is not None}, allow_unicode=True
            ),
            forms={"opinion": ("agree", "return", "refuse")},
        )

    def publish(self) -> PublishedVersion:
        return publish(self.package(), VOCABULARY)

    def publish_unchecked(self) -> PublishedVersion:
        """Past the lint: to show what the engine would do with a diagram that the lint refuses."""
        package = self.package()
        return PublishedVersion(
            key=self.key,
            digest=package.digest,
            bpmn=package.bpmn,
            config_text=package.config_text,
            dmn={},
            spec_json=parse_specs(parse_xml(package.bpmn, "process.bpmn"), self.key),
        )


def approval() -> Sketch:
    """Application → township → 人社 ‖ 乡村振兴 in a subprocess → rework, or 公示 with objection → end."""
    return (
        Sketch()
        .start()
        .user("application", "employer")
        .service("mark", "set_status?status=done")
        .user("acceptance", "township")
        .choice("acceptance_gateway", "reviews")
        .reviews()
        .choice("reviews_gateway", "open_publicity")
        .user("rework", "employer")
        .service("open_publicity", "open_publicity?kind=recognition")
        .node("wait", "eventBasedGateway")
        .timer("publicity_ended", "publicity_end()")
        .message("objection", "objection_upheld")
        .user("meeting", "hrss")
        .end()
        .line(
            "start", "application", "mark", "acceptance", "acceptance_gateway", "reviews", "reviews_gateway"
        )
        .flow("acceptance_gateway", "application", 'outcome("acceptance") == "return"', "补正")
        .flow("reviews_gateway", "rework", 'any_outcome("return", "hrss_review", "rural_review")', "退回")
        .line("rework", "reviews")
        .line("reviews_gateway", "open_publicity", "wait", "publicity_ended", "end")
        .line("wait", "objection", "meeting", "end")
    )
