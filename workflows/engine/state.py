"""The state of one case as bytes: the moving part alone, never the specification.

Layout: two marks, the length of the present part (4 bytes), the present part, and the part before the last
completed step (what 撤回 goes back to; may be empty). Both are compressed JSON. Bytes, because PostgreSQL's JSONB
loses the order of keys, on which the library depends; keys are never sorted.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from SpiffWorkflow.bpmn.serializer.default.workflow import BpmnWorkflowConverter, TaskConverter
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from workflows.engine.errors import EngineError
from workflows.engine.scripting import Bindings, BoundEngine
from workflows.engine.specs import build_registry

if TYPE_CHECKING:
    from workflows.engine.definition import PublishedVersion

_MARK = b"WG1"
_BROKEN = "申请的流程状态无法读取，请联系管理员检查数据。"

#: Most ids of a state are named several times, as a task's own, its parent's and its children's.
_uuid = lru_cache(maxsize=8192)(UUID)


class _TaskConverter(TaskConverter):  # type: ignore[misc]  # the library is untyped
    """Tasks as the library writes them. Ours hold no data, and what is empty need not be compared, copied, restored."""

    def to_dict(self, task: Any) -> dict[str, Any]:
        parent = task.parent
        if task.data or (parent is not None and parent.data):
            dct: dict[str, Any] = super().to_dict(task)
            return dct
        return {
            "id": str(task.id),
            "parent": str(task._parent) if parent is not None else None,
            "children": [str(child) for child in task._children],
            "last_state_change": task.last_state_change,
            "state": task.state,
            "task_spec": task.task_spec.name,
            "triggered": task.triggered,
            "internal_data": self.registry.convert(task.internal_data) if task.internal_data else {},
            "data": {},
            "delta": {},
        }

    def from_dict(self, dct: dict[str, Any], workflow: Any) -> Any:
        if dct["data"] or dct["delta"]:
            return super().from_dict(dct, workflow)
        spec = workflow.spec.task_specs.get(dct["task_spec"])
        task = self.target_class(workflow, spec, state=dct["state"], id=_uuid(dct["id"]))
        task._parent = _uuid(dct["parent"]) if dct["parent"] is not None else None
        task._children = [_uuid(child) for child in dct["children"]]
        task.last_state_change = dct["last_state_change"]
        task.triggered = dct["triggered"]
        task.internal_data = self.registry.restore(dct["internal_data"]) if dct["internal_data"] else {}
        if isinstance(spec, CatchingEvent) and task.has_state(TaskState.WAITING):
            workflow.top_workflow.event_manager.add_task(task)
        return task


class _StateConverter(BpmnWorkflowConverter):  # type: ignore[misc]  # the library is untyped
    """A workflow without its specs: they come from the published version."""

    def to_dict(self, workflow: Any) -> dict[str, Any]:
        # The grandparent: data, last task, tasks, root. The parent would add the specs.
        dct: dict[str, Any] = super(BpmnWorkflowConverter, self).to_dict(workflow)
        dct["subprocesses"] = self.mapping_to_dict(workflow.subprocesses)
        dct["bpmn_events"] = self.registry.convert(workflow.bpmn_events)
        return dct

    def from_dict(self, dct: dict[str, Any], spec: Any, subprocess_specs: dict[str, Any]) -> Any:
        workflow = self.target_class(spec, subprocess_specs, deserializing=True)
        workflow.tasks = self.mapping_from_dict(dct["tasks"], _uuid, workflow=workflow)
        workflow.task_tree = workflow.tasks[_uuid(dct["root"])]
        self.set_default_attributes(workflow, dct)
        self.subprocesses_from_dict(dct["subprocesses"], workflow)
        workflow.bpmn_events = self.registry.restore(dct.get("bpmn_events", []))
        return workflow


_REGISTRY = build_registry({BpmnWorkflow: _StateConverter, Task: _TaskConverter})


@dataclass(frozen=True)
class Parts:
    """The bytes of a case, taken apart. ``before``: the state before ``undoes`` was completed, or empty."""

    present: bytes
    before: bytes


def split(state: bytes) -> Parts:
    """Take the bytes apart.

    :raises EngineError: they are not ours.
    """
    if state[:3] != _MARK or len(state) < 7:
        raise EngineError(_BROKEN)
    end = 7 + int.from_bytes(state[3:7], "big")
    if len(state) < end:
        raise EngineError(_BROKEN)
    return Parts(state[7:end], state[end:])


def join(present: bytes, before: bytes = b"") -> bytes:
    """Put the bytes together."""
    return _MARK + len(present).to_bytes(4, "big") + present + before


def dump(workflow: Any, version: PublishedVersion) -> bytes:
    """The present part, compressed, marked with the version it belongs to."""
    content = _REGISTRY.convert(workflow)
    content["version"] = version.digest
    return zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def load(present: bytes, version: PublishedVersion, bindings: Bindings | None = None) -> Any:
    """A workflow that can run: specs from the version, script engine set (what is restored is the unrestricted one).

    :raises EngineError: the bytes are broken or belong to another version.
    """
    try:
        content = json.loads(zlib.decompress(present))
        belongs = content.pop("version") == version.digest
    except (zlib.error, ValueError, KeyError) as error:
        raise EngineError(_BROKEN) from error
    if not belongs:
        raise EngineError("申请是按另一个版本的流程办理的，不能用这个版本继续，请联系管理员。")
    spec, subprocess_specs = version.specs()
    workflow = _REGISTRY.restore(content, spec=spec, subprocess_specs=subprocess_specs)
    workflow.script_engine = BoundEngine(bindings)
    return workflow
