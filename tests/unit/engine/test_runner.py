from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.engine.drawing import Sketch, approval
from tests.unit.engine.office import Desk
from workflows.base.errors import Conflict, Invalid
from workflows.engine import (
    Bindings,
    EngineError,
    ExpressionError,
    NotReady,
    NotWaiting,
    PublishedVersion,
    RecallRefused,
    runner,
)


def to_publicity(desk: Desk) -> None:
    for step in ("application", "acceptance", "hrss_review", "rural_review"):
        desk.act(step)


def test_a_case_walks_to_its_end_and_says_what_it_passed(desk: Desk) -> None:
    (task,) = desk.result.tasks
    assert (task.element, task.name, task.lane) == ("application", "名application", "employer")
    assert desk.result.passed == ("start", "start_to_application")
    desk.act("application")
    assert desk.result.passed == (
        "application",
        "application_to_mark",
        "mark",
        "mark_to_acceptance",
    )
    assert desk.log == [("set_status", {"status": "done"})]
    desk.act("acceptance")
    assert {task.lane for task in desk.result.tasks} == {"hrss", "rural"}
    desk.act("rural_review")
    assert desk.result.passed == ("rural_review", "rural_review_to_join")
    desk.act("hrss_review")
    assert "hrss_review_to_join" in desk.result.passed
    assert "open_publicity_to_wait" in desk.result.passed
    assert not desk.result.finished
    assert desk.result.end is None
    (timer,) = desk.result.timers
    desk.result = runner.fire(desk.version, desk.result.state, timer.task_id, desk.bindings)
    assert desk.result.finished
    assert desk.result.end == "end"
    assert desk.result.passed[-2:] == ("publicity_ended_to_end", "end")
    assert (desk.result.tasks, desk.result.timers, desk.result.messages) == ((), (), ())
    assert len(desk.result.state) < 600


def test_tasks_tells_what_is_open_without_moving(desk: Desk) -> None:
    desk.act("application")
    seen = runner.tasks(desk.version, desk.result.state)
    assert (seen.tasks, seen.state, seen.passed) == (desk.result.tasks, desk.result.state, ())


def test_a_step_is_completed_once(desk: Desk) -> None:
    task = desk.task("application")
    desk.act("application")
    for stale in (task.task_id, "not-an-id", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(NotReady, match="刷新页面"):
            runner.complete(desk.version, desk.result.state, stale, desk.bindings)
    assert issubclass(NotReady, Conflict)


def test_a_waiting_event_is_no_step(desk: Desk) -> None:
    to_publicity(desk)
    with pytest.raises(NotReady):
        runner.complete(desk.version, desk.result.state, desk.result.timers[0].task_id, desk.bindings)


def test_data_are_scalars(version: PublishedVersion) -> None:
    with pytest.raises(EngineError, match="opinions"):
        runner.start(version, Bindings(), {"opinions": ["agree"]})  # type: ignore[dict-item]  # the point


def test_task_data_never_shadow_functions(version: PublishedVersion) -> None:
    desk = Desk(version)
    state = runner.start(version, desk.bindings, {"outcome": "agree", "any_outcome": True, "case": 7}).state
    desk.result = runner.tasks(version, state)
    desk.act("application")
    desk.act("acceptance", "return")
    assert desk.open == ["application"]


def test_the_error_of_an_operation_reaches_the_caller_and_nothing_moved(desk: Desk) -> None:
    task, state = desk.task("application"), desk.result.state

    def fail(status: str) -> None:
        raise Invalid("资金不足。", {"status": status})

    with pytest.raises(Invalid, match="资金不足") as caught:
        runner.complete(desk.version, state, task.task_id, Bindings(operations={"set_status": fail}))
    assert caught.value.errors == {"status": "done"}
    # The caller keeps its bytes: the case does not stick.
    desk.act("application")
    assert desk.open == ["acceptance"]


def test_the_error_of_a_function_reaches_the_caller(desk: Desk) -> None:
    desk.act("application")

    def fail(step: str) -> str:
        raise LookupError(step)

    with pytest.raises(LookupError, match="acceptance"):
        runner.complete(
            desk.version,
            desk.result.state,
            desk.task("acceptance").task_id,
            Bindings(functions={"outcome": fail}),
        )


def test_missing_bindings_are_named(desk: Desk) -> None:
    with pytest.raises(EngineError, match="set_status"):
        runner.complete(desk.version, desk.result.state, desk.task("application").task_id, Bindings())
    drawing = (
        Sketch().start().user("one").rule("rule", "eligibility").end().line("start", "one", "rule", "end")
    )
    case = Desk(drawing.publish_unchecked())
    with pytest.raises(EngineError, match="eligibility"):
        runner.complete(case.version, case.result.state, case.task("one").task_id, Bindings())
    case.act("one")
    assert case.log == [("evaluate", "eligibility")]
    assert case.result.finished


def test_a_condition_must_be_true_or_false(desk: Desk) -> None:
    desk.act("application")
    desk.act("acceptance")
    desk.act("hrss_review")
    with pytest.raises(ExpressionError, match="是或否"):
        runner.complete(
            desk.version,
            desk.result.state,
            desk.task("rural_review").task_id,
            Bindings(functions={"any_outcome": lambda *steps: "yes"}),
        )


def test_a_message_is_taken_while_it_is_waited_for(desk: Desk) -> None:
    with pytest.raises(NotWaiting, match="没有在等这个消息"):
        runner.send(desk.version, desk.result.state, "objection_upheld", desk.bindings)
    to_publicity(desk)
    (message,) = desk.result.messages
    assert (message.element, message.message) == ("objection", "objection_upheld")
    result = runner.send(desk.version, desk.result.state, "objection_upheld", desk.bindings)
    assert [task.element for task in result.tasks] == ["meeting"]
    assert result.timers == ()
    assert result.passed == ("wait", "wait_to_objection", "objection", "objection_to_meeting")
    with pytest.raises(NotWaiting):
        runner.send(desk.version, result.state, "objection_upheld", desk.bindings)
    # The timer behind the same gateway is gone with it.
    with pytest.raises(NotWaiting, match="计时"):
        runner.fire(desk.version, result.state, desk.result.timers[0].task_id, desk.bindings)


def test_a_single_message_event() -> None:
    drawing = (Sketch().start().message("settled", "objections_settled").user("one").end()).line(
        "start", "settled", "one", "end"
    )
    case = Desk(drawing.publish())
    assert [message.element for message in case.result.messages] == ["settled"]
    result = runner.send(case.version, case.result.state, "objections_settled", case.bindings)
    assert [task.element for task in result.tasks] == ["one"]


def test_recall_opens_the_step_again_before_anyone_has_acted(desk: Desk) -> None:
    task = desk.task("application")
    desk.act("application")
    desk.act("acceptance", "return")
    task = desk.task("application")
    desk.act("application")
    result = runner.recall(desk.version, desk.result.state, task.task_id)
    (again,) = result.tasks
    assert again.element == "application"
    assert again.task_id != task.task_id
    # Only once: what was taken back cannot be taken back.
    with pytest.raises(RecallRefused):
        runner.recall(desk.version, result.state, task.task_id)
    desk.result = result
    desk.act("application")
    assert desk.open == ["acceptance"]


def test_recall_by_element_id(desk: Desk) -> None:
    desk.act("application")
    assert [task.element for task in runner.recall(desk.version, desk.result.state, "application").tasks] == [
        "application"
    ]


def test_recall_is_refused_once_somebody_acted(desk: Desk) -> None:
    application = desk.task("application").task_id
    with pytest.raises(RecallRefused, match="不能撤回"):
        runner.recall(desk.version, desk.result.state, application)
    desk.act("application")
    acceptance = desk.task("acceptance").task_id
    desk.act("acceptance")
    with pytest.raises(RecallRefused):
        runner.recall(desk.version, desk.result.state, application)
    assert runner.recall(desk.version, desk.result.state, acceptance).tasks
    review = desk.task("hrss_review").task_id
    desk.act("hrss_review")
    for step in (application, acceptance):
        with pytest.raises(RecallRefused):
            runner.recall(desk.version, desk.result.state, step)
    # One branch may come back while the other is still at work …
    again = runner.recall(desk.version, desk.result.state, review)
    assert sorted(task.element for task in again.tasks) == ["hrss_review", "rural_review"]
    last = desk.task("rural_review").task_id
    desk.act("rural_review")
    # … but not after the join: two contradictory tasks would be the result.
    for step in (review, last):
        with pytest.raises(RecallRefused):
            runner.recall(desk.version, desk.result.state, step)


def test_recalled_branch_and_join_work_together(desk: Desk) -> None:
    desk.act("application")
    desk.act("acceptance")
    review = desk.task("hrss_review").task_id
    desk.act("hrss_review")
    desk.result = runner.recall(desk.version, desk.result.state, review)
    desk.act("rural_review")
    assert desk.open == ["hrss_review"]
    desk.act("hrss_review")
    assert desk.result.timers


def test_recall_is_refused_after_a_message_a_timer_and_the_end(desk: Desk) -> None:
    to_publicity(desk)
    sent = runner.send(desk.version, desk.result.state, "objection_upheld", desk.bindings)
    desk.result = sent
    meeting = desk.task("meeting").task_id
    with pytest.raises(RecallRefused):
        runner.recall(desk.version, sent.state, "rural_review")
    desk.act("meeting")
    assert desk.result.finished
    with pytest.raises(RecallRefused):
        runner.recall(desk.version, desk.result.state, meeting)


def test_cancel_ends_a_case_wherever_it_stands(desk: Desk) -> None:
    states = [desk.result.state]
    for step in ("application", "acceptance", "hrss_review", "rural_review"):
        desk.act(step)
        states.append(desk.result.state)
    for state in states:
        result = runner.cancel(desk.version, state)
        assert result.finished
        assert (result.tasks, result.timers, result.messages, result.end) == ((), (), (), None)
        assert runner.tasks(desk.version, result.state).finished
        with pytest.raises(NotWaiting):
            runner.send(desk.version, result.state, "objection_upheld", desk.bindings)


def boundary() -> Sketch:
    return (
        Sketch()
        .start()
        .user("report", "hrss")
        .timer("expired", 'days_from_now(3, "working")', host="report")
        .reviews()
        .message("withdrawn", "objection_upheld", host="reviews")
        .choice("gateway", "end")
        .user("notice")
        .end()
        .line("start", "report", "reviews", "gateway", "end")
        .line("expired", "notice", "report")
        .flow("withdrawn", "notice")
        .flow("gateway", "report", 'any_outcome("return", "hrss_review", "rural_review")')
    )


def test_boundary_events_interrupt_a_step_and_a_subprocess_over_many_rounds() -> None:
    case = Desk(boundary().publish())
    sizes = []
    for _ in range(12):
        assert case.open == ["report"]
        (timer,) = case.result.timers
        assert timer.element == "expired"
        case.result = runner.fire(case.version, case.result.state, timer.task_id, case.bindings)
        assert case.result.passed == ("expired", "expired_to_notice")
        assert case.open == ["notice"]
        case.act("notice")
        case.act("report")
        assert case.open == ["hrss_review", "rural_review"]
        case.act("hrss_review")
        case.result = runner.send(case.version, case.result.state, "objection_upheld", case.bindings)
        assert case.open == ["notice"]
        assert case.result.messages == ()
        sizes.append(len(case.result.state))
        case.act("notice")
    assert max(sizes) <= min(sizes) * 1.1
    case.act("report")
    case.act("rural_review")
    case.act("hrss_review", "return")
    assert case.open == ["report"]
    case.act("report")
    case.act("rural_review")
    case.act("hrss_review")
    assert case.result.finished


def test_recall_brings_a_boundary_timer_back_with_its_end() -> None:
    case = Desk(boundary().publish())
    due = case.result.timers[0].due
    task = case.task("report").task_id
    case.act("report")
    case.ends += timedelta(days=9)
    back = runner.recall(case.version, case.result.state, task)
    assert [timer.due for timer in back.timers] == [due]
    fired = runner.fire(case.version, back.state, back.timers[0].task_id, case.bindings)
    assert [task.element for task in fired.tasks] == ["notice"]


def test_a_diagram_that_turns_by_itself_is_stopped() -> None:
    drawing = (
        Sketch()
        .start()
        .choice("circle", "pause")
        .service("pause", "notify?to=hrss")
        .user("one")
        .end()
        .line("start", "circle", "pause", "circle")
        .flow("circle", "one", "open_objections() == 1")
        .line("one", "end")
    )
    with pytest.raises(EngineError, match="自动循环"):
        Desk(drawing.publish_unchecked())


def test_a_case_that_nobody_can_move_is_refused() -> None:
    drawing = (Sketch().start().choice("gateway", "one").user("one").parallel("join").user("two").end()).line(
        "start", "gateway", "one", "join", "end"
    )
    drawing.flow("gateway", "two", "open_objections() == 1").line("two", "join")
    case = Desk(drawing.publish_unchecked())
    with pytest.raises(EngineError, match="没有人能办理"):
        case.act("one")


def test_version_and_state_belong_together(desk: Desk) -> None:
    other = approval()
    other.nodes[1].name = "填写申请"
    with pytest.raises(EngineError, match="另一个版本"):
        runner.tasks(other.publish(), desk.result.state)
    for broken in (b"", b"WG1", b"WG1\0\0\0\xffabc", b"WG1\0\0\0\x03abc", desk.result.state[:-5]):
        with pytest.raises(EngineError, match="无法读取"):
            runner.tasks(desk.version, broken)


def test_threads_share_one_version(version: PublishedVersion) -> None:
    ends: list[bool] = []

    def walk() -> None:
        case = Desk(version)
        for _ in range(3):
            to_review = ["application", "acceptance"] if case.open == ["application"] else ["rework"]
            for step in [*to_review, "hrss_review", "rural_review"]:
                case.act(step, "return" if step == "hrss_review" else "agree")
        ends.append(case.open == ["rework"])

    threads = [threading.Thread(target=walk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == [True] * 4


def test_a_naive_end_cannot_be_moved_to(desk: Desk) -> None:
    to_publicity(desk)
    with pytest.raises(EngineError, match="时区"):
        runner.move(desk.version, desk.result.state, desk.result.timers[0].task_id, datetime(2026, 1, 1))
    with pytest.raises(NotWaiting):
        runner.move(desk.version, desk.result.state, "x", datetime(2026, 1, 1, tzinfo=UTC))
