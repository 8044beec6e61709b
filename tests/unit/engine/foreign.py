"""Files that others wrote, small ones, and what is said of them."""

from __future__ import annotations

from workflows.cases.vocabulary import VOCABULARY
from workflows.engine import Verdict, examine

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"

PLAIN = (
    '<startEvent id="StartEvent_1"/><sequenceFlow id="Flow_1" sourceRef="StartEvent_1" targetRef="Activity_0x"/>'
    '<userTask id="Activity_0x" name="Check it"/><sequenceFlow id="Flow_2" sourceRef="Activity_0x" targetRef="Event_9"/>'
    '<endEvent id="Event_9"/>'
)


def diagram(inside: str, attributes: str = "", around: str = "", root: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="{MODEL}" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
        f'id="Definitions_1" targetNamespace="http://bpmn.io/schema/bpmn"{root}>'
        f'<process id="Process_1"{attributes}>{inside}</process>{around}</definitions>'
    )


def judged(text: str | bytes, name: str = "theirs.bpmn") -> Verdict:
    verdict = examine(text.encode() if isinstance(text, str) else text, name, VOCABULARY)
    assert all(one.file == name for one in verdict.problems), verdict.problems
    assert all(str(one).isprintable() for one in verdict.problems)
    return verdict


def reasons(text: str | bytes, name: str = "theirs.bpmn") -> str:
    verdict = judged(text, name)
    assert not verdict.accepted
    return "\n".join(map(str, verdict.problems))


def gateways(kind: str, *flows: str) -> str:
    """A fork into two tasks and a join of the same kind."""
    first, second = (*flows, "", "")[:2]
    return (
        '<startEvent id="S"/><sequenceFlow id="f0" sourceRef="S" targetRef="G"/>'
        f'<{kind} id="G"/>'
        f'<sequenceFlow id="f1" sourceRef="G" targetRef="A">{first}</sequenceFlow>'
        f'<sequenceFlow id="f2" sourceRef="G" targetRef="B">{second}</sequenceFlow>'
        '<userTask id="A"/><userTask id="B"/>'
        '<sequenceFlow id="f3" sourceRef="A" targetRef="J"/><sequenceFlow id="f4" sourceRef="B" targetRef="J"/>'
        f'<{kind} id="J"/><sequenceFlow id="f5" sourceRef="J" targetRef="E"/><endEvent id="E"/>'
    )
