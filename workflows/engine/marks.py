"""The small signs of BPMN: who or what does a task, what an event waits for, how a gateway decides."""

from __future__ import annotations

from workflows.engine.graph import Box, Element
from workflows.engine.lettering import num


def _shift(x: float, y: float, body: str, colour: str, width: str = "1.3") -> str:
    return (
        f'<g transform="translate({num(x)} {num(y)})" fill="none" stroke="{colour}" '
        f'stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round">{body}</g>'
    )


_PERSON = '<circle cx="7" cy="4" r="3"/><path d="M1 14v-2a6 4.5 0 0 1 12 0v2z"/>'
_GEAR = (
    '<circle cx="7" cy="7" r="2.2"/><circle cx="7" cy="7" r="4.6"/>'
    '<path d="M7 .8v1.6M7 11.6v1.6M.8 7h1.6M11.6 7h1.6M2.6 2.6l1.2 1.2M10.2 10.2l1.2 1.2M2.6 11.4l1.2-1.2M10.2 3.8l1.2-1.2"/>'
)
_TABLE = '<path d="M1 2h13v10.5h-13zM1 5.5h13M1 9h13M5 5.5v7"/>'
_ENVELOPE = '<path d="M-8 -5.5h16v11h-16zM-8 -5.5l8 6 8-6"/>'
_CLOCK = '<circle cx="0" cy="0" r="9"/><path d="M0 -6v6l4.5 2"/>'


def task_mark(element: Element, box: Box, colour: str) -> str:
    """The sign in the upper left corner of a task."""
    body = {"userTask": _PERSON, "serviceTask": _GEAR, "businessRuleTask": _TABLE}.get(element.kind, "")
    return _shift(box.x + 6, box.y + 5, body, colour) if body else ""


def event_mark(element: Element, box: Box, colour: str) -> str:
    """The sign inside an event."""
    body = {"timer": _CLOCK, "message": _ENVELOPE}.get(element.event, "")
    return _shift(box.x + box.width / 2, box.y + box.height / 2, body, colour, "1.4") if body else ""


def gateway_mark(element: Element, box: Box, colour: str) -> str:
    """The sign inside a gateway."""
    body = {
        "exclusiveGateway": '<path d="M-7 -7L7 7M7 -7L-7 7"/>',
        "parallelGateway": '<path d="M0 -10V10M-10 0H10"/>',
        "eventBasedGateway": '<circle r="12.5"/><circle r="10"/><path d="M0 -6.5L6.2 -2L3.8 5.3H-3.8L-6.2 -2z"/>',
    }.get(element.kind, "")
    width = "1.3" if element.kind == "eventBasedGateway" else "3"
    return _shift(box.x + box.width / 2, box.y + box.height / 2, body, colour, width)
