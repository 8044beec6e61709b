"""Our short way of writing a task says what the library's long one says, wherever a case stands."""

from __future__ import annotations

import json
import zlib
from typing import Any

from SpiffWorkflow.bpmn.serializer.default.workflow import TaskConverter
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from tests.unit.engine.office import Desk
from workflows.engine import PublishedVersion, runner
from workflows.engine.specs import build_registry
from workflows.engine.state import join, load, split
from workflows.engine.trace import all_tasks

#: A walk past a return, both reviews, a timer behind a gateway, and a step after it.
WALK = ("application", "acceptance", "hrss_review", "rural_review")
_LONG = TaskConverter(Task, build_registry())


class Bare(Desk):
    """A desk whose case carries no data, as the system's cases do."""

    def __init__(self, version: PublishedVersion) -> None:
        super().__init__(version)
        self.result = runner.start(version, self.bindings)


def stored(state: bytes) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(zlib.decompress(split(state).present))
    return content


def tasks_of(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = dict(content["tasks"])
    for inner in content["subprocesses"].values():
        found |= inner["tasks"]
    return found


def long_form(version: PublishedVersion, state: bytes) -> dict[str, dict[str, Any]]:
    """What the library writes of the tasks of a state."""
    return {str(task.id): _LONG.to_dict(task) for task in all_tasks(load(split(state).present, version))}


def states(desk: Desk) -> list[bytes]:
    """The state after each action of a walk; the timer waits at the end."""
    found = [desk.result.state]
    for step in WALK:
        desk.act(step, "return" if step == "rural_review" else "agree")
        found.append(desk.result.state)
    desk.act("rework")
    for step in ("rural_review", "hrss_review"):
        found.append(desk.act(step).state)
    assert desk.result.timers
    return found


def test_tasks_without_data_are_written_like_the_librarys(version: PublishedVersion) -> None:
    empty = {"updates": {}, "deletions": []}
    for state in states(Bare(version)):
        short = tasks_of(stored(state))
        assert short
        for name, long in long_form(version, state).items():
            mine = {key: value for key, value in short[name].items() if key != "typename"}
            assert {**long, "delta": long["delta"] or empty} == {**mine, "delta": mine["delta"] or empty}


def test_a_state_in_the_librarys_form_goes_on_the_same(version: PublishedVersion) -> None:
    """Also what was stored before the short form."""
    desk = Bare(version)
    for state in states(desk):
        content = stored(state)
        for tasks in [content["tasks"], *(one["tasks"] for one in content["subprocesses"].values())]:
            for name, long in long_form(version, state).items():
                if name in tasks:
                    tasks[name] = {**long, "typename": "Task"}
        rewritten = join(zlib.compress(json.dumps(content).encode()))
        here, there = runner.tasks(version, state), runner.tasks(version, rewritten)
        assert (there.tasks, there.timers, there.messages) == (here.tasks, here.timers, here.messages)
    (timer,) = desk.result.timers
    assert runner.fire(version, rewritten, timer.task_id, desk.bindings).finished


def test_tasks_with_data_keep_it(version: PublishedVersion) -> None:
    for state in states(Desk(version)):
        ready = [
            one for one in all_tasks(load(split(state).present, version)) if one.state == TaskState.READY
        ]
        assert all(one.data == {"case": 1} for one in ready)
