"""Moving the token of one case: start, complete a step, fire a timer, send a message, take back, cancel.

All functions are pure: bytes in, bytes out. An exception leaves the caller with the bytes it had; nothing half done
is ever returned. One call belongs to one database transaction of the room above, which holds the lock on the case.

撤回: the state before the last completed step travels inside the bytes, and :func:`recall` goes back to exactly that.
The library's own reset deletes history, needs the history that pruning has dropped, and after a join leaves two
contradictory tasks. Any later action (another step, a timer, a message) and any join passed make it unavailable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from SpiffWorkflow.bpmn import BpmnEvent
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.multiple import MultipleEventDefinition
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from workflows.engine.errors import EngineError, NotReady, NotWaiting, RecallRefused
from workflows.engine.prune import prune
from workflows.engine.scripting import Bindings, BoundEngine
from workflows.engine.specs import WaitingTimer, due_of
from workflows.engine.state import dump, join, load, split
from workflows.engine.trace import Trace, all_tasks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflows.engine.definition import PublishedVersion

#: More automatic steps in one action than any diagram needs: it runs in a circle. Far below depth 1000, where the
#: library's search for READY tasks silently finds nothing.
MAX_AUTOMATIC = 300


@dataclass(frozen=True)
class OpenTask:
    """A user task that is READY. ``element``: its id, the step key; ``lane``: id of its lane."""

    task_id: str
    element: str
    name: str
    lane: str


@dataclass(frozen=True)
class OpenTimer:
    """A timer that waits. ``due`` is what the bound function gave on arrival (aware), or the last move.

    ``element`` is the timer event itself, also behind an event-based gateway; ``task_id`` is what :func:`fire` takes.
    """

    task_id: str
    element: str
    name: str
    due: datetime


@dataclass(frozen=True)
class OpenMessage:
    """A message that is waited for. ``message``: its name, what :func:`send` takes."""

    task_id: str
    element: str
    message: str


@dataclass(frozen=True)
class RunResult:
    """What one action led to.

    :param state: the bytes to store.
    :param passed: ids of flow nodes completed and sequence flows taken in this action, in order, each once.
    :param finished: the case is at its end. :param end: id of the end event it reached, else ``None``.
    """

    state: bytes
    tasks: tuple[OpenTask, ...]
    timers: tuple[OpenTimer, ...]
    messages: tuple[OpenMessage, ...]
    passed: tuple[str, ...]
    finished: bool
    end: str | None = None


def start(
    version: PublishedVersion, bindings: Bindings, data: Mapping[str, str | int | bool | None] | None = None
) -> RunResult:
    """Begin a case and run to its first waits.

    :param data: a case id and a few scalars at most; business data are rows.
    :raises EngineError: a value is not a scalar.
    """
    for key, value in (data or {}).items():
        if value is not None and not isinstance(value, str | int | bool):
            raise EngineError(f"流程里只能保存简单的值，{key} 不是，请联系管理员。")
    spec, subprocess_specs = version.specs()
    workflow = BpmnWorkflow(spec, subprocess_specs, script_engine=BoundEngine(bindings))
    workflow.task_tree.data = dict(data or {})
    trace = Trace(workflow)
    _drain(workflow)
    return _result(version, workflow, trace)


def complete(version: PublishedVersion, state: bytes, task_id: str, bindings: Bindings) -> RunResult:
    """Complete a user task and run to the next waits. What was decided must already stand in rows.

    :raises NotReady: the task is not open (any more).
    """
    parts = split(state)
    workflow = load(parts.present, version, bindings)
    task = _find(workflow, task_id)
    if task is None or task.state != TaskState.READY or not task.task_spec.manual:
        raise NotReady("这一步已经不在办理中，请刷新页面查看最新进展。")
    element = task.task_spec.name
    trace = Trace(workflow)
    task.run()
    _drain(workflow)
    return _result(version, workflow, trace, before=_undo(element, task_id, parts.present))


def fire(version: PublishedVersion, state: bytes, task_id: str, bindings: Bindings) -> RunResult:
    """A timer's time has come, as its row and our clock say; the engine's own look at the time is never asked.

    :raises NotWaiting: no timer with this id waits (any more).
    """
    workflow = load(split(state).present, version, bindings)
    task = _timer(workflow, task_id)
    trace = Trace(workflow)
    task.internal_data["event_fired"] = True
    _drain(workflow)
    return _result(version, workflow, trace)


def move(version: PublishedVersion, state: bytes, task_id: str, due: datetime) -> RunResult:
    """Give a waiting timer another end; the caller moves the row with it. 撤回 stays as available as it was.

    :param due: aware. :raises NotWaiting: no timer with this id waits (any more).
    """
    if due.tzinfo is None:
        raise EngineError("计时的时刻必须带时区，请联系管理员。")
    parts = split(state)
    workflow = load(parts.present, version)
    _timer(workflow, task_id).internal_data["event_value"] = due.isoformat()
    return _result(version, workflow, Trace(workflow), before=parts.before)


def send(version: PublishedVersion, state: bytes, message: str, bindings: Bindings) -> RunResult:
    """A message arrives. All places of the case that wait for it go on.

    :param message: the name of the message.
    :raises NotWaiting: nothing waits for it now; the library would raise, or keep it unseen.
    """
    workflow = load(split(state).present, version, bindings)
    if message not in {waiting.message for waiting in _messages(version, workflow)}:
        raise NotWaiting("流程现在没有在等这个消息，没有任何变动。请刷新页面查看最新进展。")
    trace = Trace(workflow)
    workflow.send_event(BpmnEvent(MessageEventDefinition(message)))
    _drain(workflow)
    return _result(version, workflow, trace)


def recall(version: PublishedVersion, state: bytes, task_id: str) -> RunResult:
    """撤回: take the last completed step back, as long as nothing else moved since. The step opens again.

    :param task_id: the id under which the step was completed; the reopened task has a new one, so that a work item
        is never two things. Element ids are accepted too.
    :raises RecallRefused: somebody acted since, a timer or message came, a join was passed, or the case has ended.
    """
    before = split(state).before
    if not before or task_id not in before[1 : 1 + before[0]].decode().split(" "):
        raise RecallRefused("后面的环节已经办理，不能撤回。")
    undone = before[1 : 1 + before[0]].decode().split(" ")[1]
    workflow = load(before[1 + before[0] :], version)
    task = _find(workflow, undone)
    _rename(task)
    return _result(version, workflow, Trace(workflow))


def cancel(version: PublishedVersion, state: bytes) -> RunResult:
    """终止: end the case wherever it stands. Nothing is open afterwards and nothing can be taken back."""
    workflow = load(split(state).present, version)
    workflow.cancel()
    return _result(version, workflow, Trace(workflow))


def tasks(version: PublishedVersion, state: bytes) -> RunResult:
    """What the state says is open, without moving anything: for the checker. ``passed`` is empty."""
    parts = split(state)
    workflow = load(parts.present, version)
    return _result(version, workflow, Trace(workflow), unchanged=state)


def _drain(workflow: Any) -> None:
    """Run everything automatic, inner processes first. One pass leaves a due boundary event READY beside its task,
    hence the loop. The library's own loop does the same and walks the whole tree seven times for it.
    """
    count = 0

    def guard(task: Any) -> None:
        nonlocal count
        count += 1
        if count > MAX_AUTOMATIC:
            raise EngineError(
                f"流程在「{task.task_spec.bpmn_name or ''}」附近自动循环，停不下来，请联系管理员检查流程图。"
            )

    def run(process: Any) -> bool:
        ready = [task for task in process.tasks.values() if _automatic(task)]
        for task in ready:
            guard(task)
            task.run()
        return bool(ready)

    again = True
    while again:
        workflow.refresh_timers()
        inner = sorted(workflow.get_active_subprocesses(), key=lambda process: -process.depth)
        for process in inner:
            while run(process):
                pass
            if process.parent_task_id is not None:
                task = workflow.get_task_from_id(process.parent_task_id)
                task.task_spec._update(task)
        run(workflow)
        workflow.refresh_timers()
        again = any(_automatic(task) for task in all_tasks(workflow)) or len(
            workflow.get_active_subprocesses()
        ) > len(inner)


def _automatic(task: Any) -> bool:
    return task.state == TaskState.READY and not task.task_spec.manual


def _find(workflow: Any, task_id: str) -> Any:
    try:
        wanted = UUID(task_id)
    except ValueError:
        return None
    return next((task for task in all_tasks(workflow) if task.id == wanted), None)


def _timer(workflow: Any, task_id: str) -> Any:
    task = _find(workflow, task_id)
    if task is None or task.state != TaskState.WAITING or "event_value" not in task.internal_data:
        raise NotWaiting("这个计时已经结束或取消，没有任何变动。")
    return task


def _undo(element: str, task_id: str, present: bytes) -> bytes:
    label = f"{element} {task_id}".encode()
    return bytes([len(label)]) + label + present


def _rename(task: Any) -> None:
    """Give a READY task without subprocess a fresh id."""
    workflow, old = task.workflow, task.id
    task.id = uuid4()
    workflow.tasks = {(task.id if key == old else key): value for key, value in workflow.tasks.items()}
    parent = task.parent
    parent._children = [task.id if child == old else child for child in parent._children]
    for child in task.children:
        child._parent = task.id


def _result(
    version: PublishedVersion,
    workflow: Any,
    trace: Trace,
    *,
    before: bytes = b"",
    unchanged: bytes | None = None,
) -> RunResult:
    graph = version.graph
    passed = trace.passed(graph)
    finished = bool(workflow.completed)
    open_tasks = tuple(
        OpenTask(
            str(task.id),
            task.task_spec.name,
            task.task_spec.bpmn_name or "",
            graph.elements[task.task_spec.name].lane or "",
        )
        for task in all_tasks(workflow)
        if task.state == TaskState.READY and task.task_spec.manual
    )
    timers, messages = tuple(_timers(version, workflow)), tuple(_messages(version, workflow))
    if not finished and not open_tasks and not timers and not messages:
        raise EngineError("流程停在了没有人能办理的地方，请联系管理员检查流程图。")
    if unchanged is None:
        prune(workflow)
        if finished or any(
            len(graph.incoming.get(e, ())) > 1 and graph.elements[e].kind == "parallelGateway"
            for e in passed
            if e in graph.elements
        ):
            before = b""
        unchanged = join(dump(workflow, version), before)
    return RunResult(
        state=unchanged,
        tasks=open_tasks,
        timers=timers,
        messages=messages,
        passed=passed,
        finished=finished,
        end=next((e for e in reversed(passed) if e in graph.elements and _is_end(graph.elements[e])), None),
    )


def _is_end(element: Any) -> bool:
    return bool(element.kind == "endEvent" and element.scope is None)


def _timers(version: PublishedVersion, workflow: Any) -> list[OpenTimer]:
    found = []
    for task, element, definition in _waiting(workflow):
        if isinstance(definition, WaitingTimer):
            name = version.graph.elements[element].name
            found.append(OpenTimer(str(task.id), element, name, due_of(task.internal_data["event_value"])))
    return found


def _messages(version: PublishedVersion, workflow: Any) -> list[OpenMessage]:
    return [
        OpenMessage(str(task.id), element, definition.name)
        for task, element, definition in _waiting(workflow)
        if isinstance(definition, MessageEventDefinition)
    ]


def _waiting(workflow: Any) -> list[tuple[Any, str, Any]]:
    """(task, id of the event, its definition) of everything that waits, events behind a gateway one by one."""
    found: list[tuple[Any, str, Any]] = []
    for task in all_tasks(workflow):
        definition = getattr(task.task_spec, "event_definition", None)
        if task.state != TaskState.WAITING or definition is None:
            continue
        if isinstance(definition, MultipleEventDefinition):
            events = [output.name for output in task.task_spec.outputs]
            found.extend(
                (task, event, inner)
                for event, inner in zip(events, definition.event_definitions, strict=True)
            )
        else:
            found.append((task, task.task_spec.name, definition))
    return found
