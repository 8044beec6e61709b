"""The few task specs of our own, the parser that makes them, and their JSON form.

- a service task calls a named operation, a business rule task runs a named decision: both through the script engine;
- a timer never looks at the machine's clock: it computes its end once, on arrival, and waits to be fired;
- flows leave a gateway in the file's order. The library orders them by the layout, so that moving a box on the
  picture would change which of two true conditions wins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.event_parsers import (
    BoundaryEventParser,
    IntermediateCatchEventParser,
)
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.serializer.config import DEFAULT_CONFIG
from SpiffWorkflow.bpmn.serializer.default.event_definition import TimerConditionalEventDefinitionConverter
from SpiffWorkflow.bpmn.serializer.default.task_spec import BpmnTaskSpecConverter
from SpiffWorkflow.bpmn.serializer.helpers.registry import DefaultRegistry
from SpiffWorkflow.bpmn.serializer.workflow import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent, IntermediateCatchEvent
from SpiffWorkflow.bpmn.specs.defaults import ServiceTask as LibraryServiceTask
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimeDateEventDefinition

from workflows.engine.errors import EngineError
from workflows.engine.implementation import read_implementation


class EffectTask(LibraryServiceTask):  # type: ignore[misc]  # the library is untyped
    """A task that runs an operation (``kind`` operation) or a decision table (``kind`` decision)."""

    def __init__(
        self,
        wf_spec: Any,
        bpmn_id: str,
        kind: str = "",
        effect: str = "",
        arguments: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.kind = kind
        self.effect = effect
        self.arguments = dict(arguments or {})

    def _execute(self, task: Any) -> bool:
        # Called by the spec itself: the library's call_service turns every error into "NameError: script".
        task.workflow.script_engine.effect(self.kind, self.effect, self.arguments)
        return True


class WaitingTimer(TimeDateEventDefinition):  # type: ignore[misc]  # the library is untyped
    """A point in time at which somebody else fires the event: the timer row, by our clock.

    The library compares with ``datetime.now()``, which no frozen clock and no moved end can reach.
    """

    def has_fired(self, my_task: Any) -> bool:
        if my_task._get_internal_data("event_value") is None:
            due = my_task.workflow.script_engine.instant(my_task, self.expression)
            my_task._set_internal_data(event_value=due.isoformat())
        return bool(my_task._get_internal_data("event_fired", False))


class EffectTaskConverter(BpmnTaskSpecConverter):  # type: ignore[misc]  # the library is untyped
    """JSON form of :class:`EffectTask`."""

    def to_dict(self, spec: EffectTask) -> dict[str, Any]:
        dct: dict[str, Any] = self.get_default_attributes(spec)
        return {**dct, "kind": spec.kind, "effect": spec.effect, "arguments": spec.arguments}


class _EffectParser(TaskParser):  # type: ignore[misc]  # the library is untyped
    def create_task(self) -> EffectTask:
        found = read_implementation(self.node.get("implementation", ""))
        if found is None:
            raise EngineError("任务没有写明操作或规则表")
        return EffectTask(
            self.spec,
            self.bpmn_id,
            kind=found.kind,
            effect=found.name,
            arguments=found.arguments,
            **self.bpmn_attributes,
        )


class _TimerParsing:
    def parse_timer_event(self, event: Any) -> WaitingTimer:
        name = self.node.get("name") or self.node.get("id")  # type: ignore[attr-defined]  # mixed into a parser
        expression = event.findtext(full_tag("timeDate")) or ""
        return WaitingTimer(name, expression.strip(), description=self.get_event_description(event))  # type: ignore[attr-defined]  # mixed into a parser


class _CatchParser(_TimerParsing, IntermediateCatchEventParser):  # type: ignore[misc]  # the library is untyped
    pass


class _BoundaryParser(_TimerParsing, BoundaryEventParser):  # type: ignore[misc]  # the library is untyped
    pass


class _Parser(BpmnParser):  # type: ignore[misc]  # the library is untyped
    OVERRIDE_PARSER_CLASSES = {  # noqa: RUF012  # the library's way
        full_tag("serviceTask"): (_EffectParser, EffectTask),
        full_tag("businessRuleTask"): (_EffectParser, EffectTask),
        full_tag("intermediateCatchEvent"): (_CatchParser, IntermediateCatchEvent),
        full_tag("boundaryEvent"): (_BoundaryParser, BoundaryEvent),
    }

    def get_document_positions(self, root: Any) -> dict[str, Any]:
        return {}


def build_registry(overrides: Mapping[type, type] | None = None) -> DefaultRegistry:
    """The converters of specs and state; ``overrides`` replaces some."""
    config = {
        **DEFAULT_CONFIG,
        EffectTask: EffectTaskConverter,
        WaitingTimer: TimerConditionalEventDefinitionConverter,
        **(overrides or {}),
    }
    return BpmnWorkflowSerializer.configure(config)


_REGISTRY = build_registry()


def parse_specs(root: Any, process_id: str) -> str:
    """Parse a diagram (root element, already linted) into the JSON that a version stores.

    :raises Exception: whatever the library does on files it does not expect. The lint turns it into a problem.
    """
    parser = _Parser()
    parser.add_bpmn_xml(root, "process.bpmn")
    spec = parser.get_spec(process_id)
    subprocesses = parser.get_subprocess_specs(process_id)
    return json.dumps(
        {
            "spec": _REGISTRY.convert(spec),
            "subprocesses": {name: _REGISTRY.convert(inner) for name, inner in subprocesses.items()},
        },
        ensure_ascii=False,
    )


def restore_specs(spec_json: str) -> tuple[Any, dict[str, Any]]:
    """The specification and those of its subprocesses, from stored JSON.

    Never from XML: a case saved in the middle would not find itself again in freshly parsed specs.
    """
    stored = json.loads(spec_json)
    return (
        _REGISTRY.restore(stored["spec"]),
        {name: _REGISTRY.restore(inner) for name, inner in stored["subprocesses"].items()},
    )


def due_of(value: str) -> datetime:
    """The aware instant that a waiting timer keeps."""
    return datetime.fromisoformat(value)
