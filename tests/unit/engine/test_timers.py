"""Timers wait for our clock alone: rows say when, the engine never looks at the time itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.unit.engine.drawing import Sketch
from tests.unit.engine.office import Desk
from workflows.base.clock import frozen, now
from workflows.engine import Bindings, ExpressionError, NotWaiting, runner


def waiting() -> Sketch:
    return (Sketch().start().timer("over", "publicity_end()").user("after").end()).line(
        "start", "over", "after", "end"
    )


def test_a_timer_due_long_ago_still_waits_until_it_is_fired() -> None:
    with frozen(datetime(2026, 1, 5, 1, tzinfo=UTC)):
        desk = Desk(waiting().publish())
        desk.ends = datetime(2001, 1, 1, tzinfo=UTC)
        desk.result = runner.start(desk.version, desk.bindings)
        (timer,) = desk.result.timers
        assert timer.due == desk.ends
        assert timer.due < now()
        # Loading, looking and saving again do not let the library's own clock in.
        assert runner.tasks(desk.version, desk.result.state).timers == (timer,)
        desk.result = runner.fire(desk.version, desk.result.state, timer.task_id, desk.bindings)
        assert desk.open == ["after"]
        with pytest.raises(NotWaiting):
            runner.fire(desk.version, desk.result.state, timer.task_id, desk.bindings)


def test_a_timer_far_in_the_future_fires_when_our_clock_says_so() -> None:
    desk = Desk(waiting().publish())
    desk.ends = datetime(2999, 1, 1, tzinfo=UTC)
    desk.result = runner.start(desk.version, desk.bindings)
    with frozen(desk.ends - timedelta(seconds=1)) as forward:
        forward(timedelta(seconds=2))
        (timer,) = desk.result.timers
        assert timer.due <= now()
        desk.result = runner.fire(desk.version, desk.result.state, timer.task_id, desk.bindings)
    assert desk.open == ["after"]


def test_the_end_is_computed_once_and_moved_only_on_purpose() -> None:
    desk = Desk(waiting().publish())
    (timer,) = desk.result.timers
    desk.ends += timedelta(days=30)
    assert runner.tasks(desk.version, desk.result.state).timers[0].due == timer.due
    moved = runner.move(desk.version, desk.result.state, timer.task_id, desk.ends)
    assert [(t.task_id, t.due) for t in moved.timers] == [(timer.task_id, desk.ends)]
    assert runner.tasks(desk.version, moved.state).timers == moved.timers
    fired = runner.fire(desk.version, moved.state, timer.task_id, desk.bindings)
    assert [task.element for task in fired.tasks] == ["after"]


def test_moving_an_end_leaves_recall_available() -> None:
    drawing = (Sketch().start().user("before").timer("over", "publicity_end()").user("after").end()).line(
        "start", "before", "over", "after", "end"
    )
    desk = Desk(drawing.publish())
    task = desk.task("before").task_id
    desk.act("before")
    moved = runner.move(desk.version, desk.result.state, desk.result.timers[0].task_id, desk.ends)
    assert [t.element for t in runner.recall(desk.version, moved.state, task).tasks] == ["before"]


@pytest.mark.parametrize("end", [None, "2026-01-05", datetime(2026, 1, 5), date(2026, 1, 5), True])
def test_a_function_that_gives_no_aware_instant_is_refused(end: object) -> None:
    version = waiting().publish()
    with pytest.raises(ExpressionError, match="带时区的时刻"):
        runner.start(version, Bindings(functions={"publicity_end": lambda: end}))
