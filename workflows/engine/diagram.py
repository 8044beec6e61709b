"""The diagram as SVG, drawn on the server from the BPMN file's own layout: the same picture on page, phone and PDF.

No script and no style sheet (the pages' CSP forbids inline style): colours are presentation attributes, and classes
``passed``, ``current`` and ``next`` are there for the page's own style sheet. Position is told by line width and dash
too, not by colour alone, and by ``title`` and ``desc`` in words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from workflows.engine.definition import PublishedVersion
from workflows.engine.graph import Box, Element, Flow, Graph
from workflows.engine.lettering import FONTS, fit, num, text_element, upright, width_of, wrap
from workflows.engine.marks import event_mark, gateway_mark, task_mark

_Tone: TypeAlias = Literal["plain", "passed", "current", "next"]
_LEGEND: tuple[tuple[_Tone, str], ...] = (
    ("passed", "已经过"),
    ("current", "现在在这里"),
    ("next", "接下来可能"),
    ("plain", "其他"),
)


@dataclass(frozen=True)
class _Ink:
    stroke: str
    fill: str
    width: float
    dash: str = ""


_INK: dict[_Tone, _Ink] = {
    "plain": _Ink("#5b6673", "#ffffff", 1.4),
    "passed": _Ink("#2b7a3d", "#edf7ef", 1.8),
    "current": _Ink("#1d4f91", "#dbe7f6", 4),
    "next": _Ink("#1d4f91", "#ffffff", 2, "6 4"),
}


def draw(
    source: PublishedVersion | Graph,
    passed: AbstractSet[str] = frozenset(),
    current: AbstractSet[str] = frozenset(),
) -> str:
    """The picture of a process, or of a case in it.

    :param passed: ids of elements and flows passed so far (``RunResult.passed``, gathered over the case).
    :param current: ids of the elements where the case stands (open tasks, waiting events).
    :returns: an ``<svg>`` element to put into a page, or a file of its own.
    """
    graph = source if isinstance(source, Graph) else source.graph
    return _Drawing(graph, passed, frozenset(current)).svg()


class _Drawing:
    def __init__(self, graph: Graph, passed: AbstractSet[str], current: frozenset[str]) -> None:
        self.graph = graph
        self.passed = passed
        self.current = current
        self.next = graph.next_steps(current) - current

    def tone(self, identifier: str) -> _Tone:
        if identifier in self.current:
            return "current"
        if identifier in self.passed:
            return "passed"
        return "next" if identifier in self.next else "plain"

    def flow_tone(self, flow: Flow) -> _Tone:
        if flow.id in self.passed:
            return "passed"
        starts = self.current | self.next
        return (
            "next"
            if flow.source in starts and flow.target in self.next and flow.source not in self._stops()
            else "plain"
        )

    def _stops(self) -> frozenset[str]:
        """Possible next waits: what comes after them is not "next" any more."""
        return frozenset(
            element
            for element in self.next
            if self.graph.elements[element].kind
            in ("userTask", "intermediateCatchEvent", "eventBasedGateway")
        )

    def svg(self) -> str:
        graph = self.graph
        frames = [self.subprocess(e) for e in graph.elements.values() if e.kind == "subProcess"]
        flows = [self.flow(flow) for flow in graph.flows.values()]
        nodes = [self.node(e) for e in graph.elements.values() if e.kind != "subProcess"]
        labels = [self.flow_label(flow) for flow in graph.flows.values()]
        area = self.area()
        legend = self.legend(area)
        height = area.height + (44 if legend else 0)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="process-diagram" role="img" '
            f"aria-label={quoteattr(self.title())} "
            f'viewBox="{num(area.x)} {num(area.y)} {num(area.width)} {num(height)}" '
            f'width="{num(area.width)}" height="{num(height)}" font-family={quoteattr(FONTS)}>'
            f"<title>{escape(self.title())}</title><desc>{escape(self.words())}</desc>"
            f'<rect x="{num(area.x)}" y="{num(area.y)}" width="{num(area.width)}" height="{num(height)}" fill="#ffffff"/>'
            + "".join([self.lanes(), *frames, *flows, *nodes, *labels, legend])
            + "</svg>"
        )

    def title(self) -> str:
        return f"{self.graph.name}流程图"

    def words(self) -> str:
        """What the picture shows, for those who do not see it."""
        if not self.current:
            ends = self.names(e for e in self.passed if self.kind(e) == "endEvent" and self.top(e))
            return f"流程已到：{ends}。" if ends else "全部步骤的流程图。"
        waits = self.names(
            e for e in self.next if self.kind(e) == "userTask" or (self.kind(e) == "endEvent" and self.top(e))
        )
        return f"现在在：{self.names(self.current)}。接下来可能到：{waits or '无'}。"

    def kind(self, identifier: str) -> str:
        element = self.graph.elements.get(identifier)
        return element.kind if element is not None else ""

    def top(self, identifier: str) -> bool:
        return self.graph.elements[identifier].scope is None

    def names(self, identifiers: Iterable[str]) -> str:
        wanted = set(identifiers)
        # In the file's order, which is the order of the procedure.
        return "、".join(
            dict.fromkeys(e.name or e.id for e in self.graph.elements.values() if e.id in wanted)
        )

    def area(self) -> Box:
        boxes = [*self.graph.boxes.values(), *self.graph.label_boxes.values()]
        points = [point for line in self.graph.waypoints.values() for point in line]
        if not boxes:
            return Box(0, 0, 200, 100)
        left = min([box.x for box in boxes] + [x for x, _ in points]) - 12
        top = min([box.y for box in boxes] + [y for _, y in points]) - 12
        right = max([box.right for box in boxes] + [x for x, _ in points]) + 12
        bottom = max([box.bottom for box in boxes] + [y for _, y in points]) + 12
        return Box(left, top, right - left, bottom - top)

    def lanes(self) -> str:
        parts: list[str] = []
        frame = self.graph.boxes.get(self.graph.participant)
        if frame is not None:
            parts.append(_rect(frame, "#8a949e", "#ffffff", 1.2))
            lane_left = min(
                (self.graph.boxes[lane].x for lane in self.graph.lanes if lane in self.graph.boxes),
                default=frame.x + 30,
            )
            strip = max(24.0, lane_left - frame.x)
            parts.append(_rect(Box(frame.x, frame.y, strip, frame.height), "#8a949e", "#e8ecf0", 1.2))
            parts.append(upright(self.graph.participant_name, frame.x + strip / 2, frame.y, frame.height))
        for number, (lane, name) in enumerate(self.graph.lanes.items()):
            box = self.graph.boxes.get(lane)
            if box is None:
                continue
            parts.append(_rect(box, "#b4bcc4", "#ffffff" if number % 2 else "#fafbfc", 1))
            parts.append(_rect(Box(box.x, box.y, 28, box.height), "#b4bcc4", "#f0f3f6", 1))
            parts.append(upright(name, box.x + 14, box.y, box.height))
        return f'<g class="lanes">{"".join(parts)}</g>'

    def subprocess(self, element: Element) -> str:
        box = self.graph.boxes.get(element.id)
        if box is None:
            return ""
        inner = {inner.id for inner in self.graph.inside(element.id)}
        tone: _Tone = "current" if inner & self.current else self.tone(element.id)
        ink = _INK[tone]
        name = fit(element.name, box.width - 8, 18, (13, 12, 11))
        return self.group(
            element,
            tone,
            _rect(box, ink.stroke, "#fdfdfb", 2.5 if tone == "current" else ink.width, 10, ink.dash)
            + text_element(name, box.x + box.width / 2, box.y + 13),
        )

    def group(self, element: Element, tone: _Tone, body: str) -> str:
        label = element.name or {"startEvent": "开始", "endEvent": "结束"}.get(element.kind, "")
        state = {"passed": "（已经过）", "current": "（现在在这里）", "next": "（接下来可能）", "plain": ""}[
            tone
        ]
        title = f"<title>{escape(label + state)}</title>" if label else ""
        classes = f"node {element.kind}" + (f" {tone}" if tone != "plain" else "")
        return f'<g class="{classes}" data-element={quoteattr(element.id)}>{title}{body}</g>'

    def node(self, element: Element) -> str:
        box = self.graph.boxes.get(element.id)
        if box is None:
            return ""
        tone = self.tone(element.id)
        if element.kind.endswith("Task"):
            body = self.task(element, box, _INK[tone])
        elif element.kind.endswith("Gateway"):
            body = self.gateway(element, box, _INK[tone])
        else:
            body = self.event(element, box, _INK[tone])
        return self.group(element, tone, body)

    def task(self, element: Element, box: Box, ink: _Ink) -> str:
        name = fit(element.name, box.width - 6, box.height - 24)
        # The sign takes the top; the name has the rest to itself.
        return (
            _rect(box, ink.stroke, ink.fill, ink.width, 8, ink.dash)
            + task_mark(element, box, ink.stroke)
            + text_element(
                name,
                box.x + box.width / 2,
                box.y + 10 + box.height / 2,
                weight="600" if ink.width > 3 else "",
            )
        )

    def gateway(self, element: Element, box: Box, ink: _Ink) -> str:
        cx, cy = box.x + box.width / 2, box.y + box.height / 2
        points = f"{num(cx)},{num(box.y)} {num(box.right)},{num(cy)} {num(cx)},{num(box.bottom)} {num(box.x)},{num(cy)}"
        return (
            f'<polygon points="{points}" {_paint(ink)}/>'
            + gateway_mark(element, box, ink.stroke)
            + self.label(element, box)
        )

    def event(self, element: Element, box: Box, ink: _Ink) -> str:
        cx, cy, radius = box.x + box.width / 2, box.y + box.height / 2, min(box.width, box.height) / 2
        width = max(ink.width, 3.5) if element.kind == "endEvent" else ink.width
        circle = f'<circle cx="{num(cx)}" cy="{num(cy)}" r="{num(radius)}" {_paint(ink, width)}/>'
        if element.kind in ("intermediateCatchEvent", "boundaryEvent"):
            circle += (
                f'<circle cx="{num(cx)}" cy="{num(cy)}" r="{num(radius - 4)}" fill="none" '
                f'stroke="{ink.stroke}" stroke-width="1.2"/>'
            )
        return circle + event_mark(element, box, ink.stroke) + self.label(element, box)

    def label(self, element: Element, box: Box) -> str:
        """The name of an event or gateway, at its own place or below."""
        if not element.name:
            return ""
        place = self.graph.label_boxes.get(element.id)
        if place is None:
            place = Box(box.x + box.width / 2 - 48, box.bottom + 3, 96, 16)
        width = max(place.width, 64)
        fitted = fit(
            element.name, width + 12, max(place.height, 12 * 1.3 * len(wrap(element.name, width, 12))), (12,)
        )
        # A label grows downwards from the top of its place, away from its shape above; upwards when it stands above.
        middle = place.y + fitted.height / 2 if place.y >= box.y else place.bottom - fitted.height / 2
        half = max((width_of(line, 12) for line in fitted.lines), default=0) / 2
        lane = self.graph.boxes.get(element.lane or "")
        # Not into the strip with the lane's name.
        x = max(place.x + place.width / 2, (lane.x + 30 + half) if lane is not None else -math.inf)
        return text_element(fitted, x, middle, halo=True)

    def flow(self, flow: Flow) -> str:
        line = self.graph.waypoints.get(flow.id)
        if line is None:
            return ""
        tone = self.flow_tone(flow)
        ink = _INK[tone]
        points = " ".join(f"{num(x)},{num(y)}" for x, y in _shortened(line))
        dash = f' stroke-dasharray="{ink.dash}"' if ink.dash else ""
        classes = "flow" + (f" {tone}" if tone != "plain" else "")
        source = self.graph.elements.get(flow.source)
        mark = _default_mark(line, ink.stroke) if source is not None and source.default == flow.id else ""
        return (
            f'<g class="{classes}" data-element={quoteattr(flow.id)}>'
            f'<polyline points="{points}" fill="none" stroke="{ink.stroke}" stroke-width="{num(min(ink.width, 2.4))}"'
            f' stroke-linejoin="round"{dash}/>{_arrow(line, ink.stroke)}{mark}</g>'
        )

    def flow_label(self, flow: Flow) -> str:
        line = self.graph.waypoints.get(flow.id)
        if line is None or not flow.name:
            return ""
        place = self.graph.label_boxes.get(flow.id)
        if place is not None:
            width = max(place.width, 60)
            lines = wrap(flow.name, width, 12)
            fitted = fit(flow.name, width + 12, 12 * 1.3 * len(lines), (12,))
            return text_element(
                fitted, place.x + place.width / 2, place.y + place.height / 2, halo=True, colour="#3b4652"
            )
        (x1, y1), (x2, y2) = line[0], line[1]
        width = min(96.0, width_of(flow.name, 12) + 1)
        fitted = fit(flow.name, width + 12, 12 * 1.3 * len(wrap(flow.name, width, 12)), (12,))
        if abs(y1 - y2) < abs(x1 - x2):
            x, y = (x1 + x2) / 2, (y1 + y2) / 2 - fitted.height / 2 - 3
        else:
            x, y = (x1 + x2) / 2 + width / 2 + 6, (y1 + y2) / 2
        return text_element(fitted, x, y, halo=True, colour="#3b4652")

    def legend(self, area: Box) -> str:
        if not self.passed and not self.current:
            return ""
        x, y = area.x + 20, area.bottom + 12
        parts: list[str] = []
        for tone, words in _LEGEND:
            ink = _INK[tone]
            parts.append(_rect(Box(x, y, 26, 16), ink.stroke, ink.fill, min(ink.width, 3), 3, ink.dash))
            width = width_of(words, 14)
            parts.append(text_element(fit(words, width + 20, 20, (14,)), x + 34 + width / 2, y + 8))
            x += 34 + width + 28
        return f'<g class="legend">{"".join(parts)}</g>'


def _paint(ink: _Ink, width: float | None = None) -> str:
    dash = f' stroke-dasharray="{ink.dash}"' if ink.dash else ""
    return f'fill="{ink.fill}" stroke="{ink.stroke}" stroke-width="{num(width or ink.width)}"{dash}'


def _rect(box: Box, stroke: str, fill: str, width: float, radius: float = 0, dash: str = "") -> str:
    corner = f' rx="{num(radius)}"' if radius else ""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<rect x="{num(box.x)}" y="{num(box.y)}" width="{num(box.width)}" height="{num(box.height)}"{corner} '
        f'fill="{fill}" stroke="{stroke}" stroke-width="{num(width)}"{dashes}/>'
    )


def _direction(begin: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    length = math.dist(begin, end) or 1.0
    return (end[0] - begin[0]) / length, (end[1] - begin[1]) / length


def _shortened(line: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """The line up to the arrowhead's back, so that a thick line does not show beside the tip."""
    dx, dy = _direction(line[-2], line[-1])
    return (*line[:-1], (line[-1][0] - dx * 7, line[-1][1] - dy * 7))


def _arrow(line: tuple[tuple[float, float], ...], colour: str) -> str:
    (x, y), (dx, dy) = line[-1], _direction(line[-2], line[-1])
    back, side = 10.0, 4.5
    points = [
        (x, y),
        (x - dx * back - dy * side, y - dy * back + dx * side),
        (x - dx * back + dy * side, y - dy * back - dx * side),
    ]
    return f'<polygon points="{" ".join(f"{num(a)},{num(b)}" for a, b in points)}" fill="{colour}"/>'


def _default_mark(line: tuple[tuple[float, float], ...], colour: str) -> str:
    """The stroke across the beginning of a default flow."""
    dx, dy = _direction(line[0], line[1])
    x, y = line[0][0] + dx * 10, line[0][1] + dy * 10
    ax, ay = dx * 3 - dy * 5, dy * 3 + dx * 5
    return f'<path d="M{num(x - ax)} {num(y - ay)}L{num(x + ax)} {num(y + ay)}" stroke="{colour}" stroke-width="1.6"/>'
