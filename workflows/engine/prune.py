"""Forget finished history, so that round 20 costs like round 1. Decisions live in rows; the token needs no past.

This touches private attributes of the library (``_parent``, ``_children``): the version is pinned, and
``tests/unit/engine/test_rounds.py`` fails when they change.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.util.task import TaskState

_ACTIVE = TaskState.WAITING | TaskState.READY | TaskState.STARTED


def prune(workflow: Any) -> None:
    """Cut each (sub)process back to its only active branch; leave it alone while several are active.

    Several active branches mean that a join may still look at what was finished. An event-based gateway waits for
    several events with one task; a task with boundary events is one branch under its split.
    """
    _prune_one(workflow, workflow)
    # Outer ones come first: what they drop needs no pruning of its own.
    for task_id, subprocess in list(workflow.subprocesses.items()):
        if task_id in workflow.subprocesses:
            _prune_one(workflow, subprocess)


def _prune_one(top: Any, workflow: Any) -> None:
    root = workflow.task_tree
    keep = _branch(workflow)
    if keep is not None and keep.parent is root and len(root._children) == 1:
        return
    if keep is None and not workflow.completed:
        return
    kept = set() if keep is None else {task.id for task in _subtree(keep)}
    for task_id in [task_id for task_id in workflow.tasks if task_id not in kept and task_id != root.id]:
        _drop_subprocess(top, task_id)
        del workflow.tasks[task_id]
    root._children = [] if keep is None else [keep.id]
    if keep is not None:
        keep._parent = root.id
    if workflow.last_task is not None and workflow.last_task.id not in workflow.tasks:
        workflow.last_task = root


def _branch(workflow: Any) -> Any:
    """The task under which everything active lies, if it can stand directly under the root."""
    if workflow.completed:
        return None
    active = [task for task in workflow.tasks.values() if task.has_state(_ACTIVE)]
    if len({task._parent for task in active}) == 1 and isinstance(
        active[0].parent.task_spec, BoundaryEventSplit
    ):
        return active[0].parent
    return active[0] if len(active) == 1 else None


def _subtree(task: Any) -> list[Any]:
    found, stack = [], [task]
    while stack:
        current = stack.pop()
        found.append(current)
        stack.extend(current.children)
    return found


def _drop_subprocess(top: Any, task_id: Any) -> None:
    subprocess = top.subprocesses.pop(task_id, None)
    if subprocess is not None:
        for inner in list(subprocess.tasks):
            _drop_subprocess(top, inner)
