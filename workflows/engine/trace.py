"""Which elements and flows one action passed: read off the task tree before history is pruned."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.util.task import TaskState

from workflows.engine.graph import Graph


def all_tasks(workflow: Any) -> list[Any]:
    """The tasks of the process and of its subprocesses.

    From the dictionaries: the library's iterator returns nothing below depth 1000, and says nothing of it.
    """
    found = list(workflow.tasks.values())
    for subprocess in workflow.subprocesses.values():
        found.extend(subprocess.tasks.values())
    return found


def element_of(task: Any) -> str:
    """The element a task belongs to; the library puts a split before an activity with boundary events."""
    return str(task.task_spec.name).removesuffix(".BoundaryEventSplit")


class Trace:
    """Made before the action; afterwards it tells what was passed."""

    def __init__(self, workflow: Any) -> None:
        self._workflow = workflow
        self._before = {task.id for task in all_tasks(workflow) if task.has_state(TaskState.FINISHED_MASK)}

    def passed(self, graph: Graph) -> tuple[str, ...]:
        """Element and flow ids in the order they were passed, each once."""
        done = sorted(
            (
                task
                for task in all_tasks(self._workflow)
                if task.state == TaskState.COMPLETED and task.id not in self._before
            ),
            key=lambda task: float(task.last_state_change),
        )
        found: dict[str, None] = {}
        for task in done:
            element = element_of(task)
            if task.task_spec.name not in graph.elements:
                continue
            found[element] = None
            for child in task.children:
                flow = graph.flow_between.get((element, element_of(child)))
                if flow is not None and not child.has_state(TaskState.PREDICTED_MASK):
                    found[flow] = None
        return tuple(found)
