"""The two defects that would let an unreviewed case through, and the growth of history. Each is shown on the naive way."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from tests.unit.engine.drawing import Sketch, approval
from tests.unit.engine.office import Desk
from tests.unit.engine.words import VOCABULARY
from workflows.engine import PublishedVersion, RecallRefused, RunResult, lint, runner
from workflows.engine.specs import restore_specs

REVIEWS = ("hrss_review", "rural_review")


def join_in_the_loop() -> Sketch:
    """The naive drawing: the join lies on the rework loop, outside any subprocess."""
    return (
        Sketch()
        .start()
        .choice("again")
        .parallel("split")
        .user("hrss_review")
        .user("rural_review", "rural")
        .parallel("join")
        .choice("gateway", "next_step")
        .user("next_step")
        .end()
        .line("start", "again", "split", "hrss_review", "join", "gateway", "next_step", "end")
        .line("split", "rural_review", "join")
        .flow("gateway", "again", 'any_outcome("return", "hrss_review", "rural_review")')
    )


def join_in_a_subprocess() -> Sketch:
    """The same procedure as we draw it."""
    return (
        Sketch()
        .start()
        .reviews()
        .choice("gateway", "next_step")
        .user("next_step")
        .end()
        .line("start", "reviews", "gateway", "next_step", "end")
        .flow("gateway", "reviews", 'any_outcome("return", "hrss_review", "rural_review")')
    )


def opened_early(version: PublishedVersion, seed: int, rounds: int = 6) -> int:
    """Walk with shuffled branch orders; count steps that opened after one review only."""
    chance = random.Random(seed)
    desk, early = Desk(version), 0
    for number in range(rounds):
        order = list(REVIEWS)
        chance.shuffle(order)
        last = number == rounds - 1
        desk.act(order[0], "agree" if last else "return")
        if desk.open != [order[1]]:
            early += 1
            return early
        desk.act(order[1], "agree")
        if desk.open != (["next_step"] if last else sorted(REVIEWS)):
            return early + 1
    return early


def test_branch_order_changing_between_rounds_never_opens_the_next_step_early() -> None:
    ours = join_in_a_subprocess().publish()
    naive = join_in_the_loop().publish_unchecked()
    walks = range(32)

    assert sum(opened_early(ours, seed) for seed in walks) == 0
    # The same walks on the naive drawing: this is what the subprocess is for.
    assert sum(opened_early(naive, seed) for seed in walks) > 20


def test_the_naive_drawing_is_refused_with_advice() -> None:
    (problem,) = lint(join_in_the_loop().package(), VOCABULARY)
    assert problem.element == "join"
    assert "子流程" in problem.message_zh


class _Library:
    """The naive way to decide: opinions in the data of tasks, conditions that read them, the library's own engine."""

    def __init__(self) -> None:
        drawing = join_in_a_subprocess()
        drawing.flows[-1].condition = 'hrss_review == "return" or rural_review == "return"'
        spec, subprocesses = restore_specs(drawing.publish_unchecked().spec_json)
        self.workflow: Any = BpmnWorkflow(spec, subprocesses)
        self.workflow.do_engine_steps()

    def act(self, element: str, outcome: str) -> None:
        (task,) = self.workflow.get_tasks(state=TaskState.READY, spec_name=element)
        task.data[element] = outcome
        task.run()
        self.workflow.do_engine_steps()

    @property
    def open(self) -> list[str]:
        return sorted(task.task_spec.name for task in self.workflow.get_tasks(state=TaskState.READY))


def _second_round(office: Any) -> list[str]:
    """Round 1: 乡村振兴 returns. Round 2: 人社 returns first, 乡村振兴 agrees last. Who is asked next?"""
    office.act("hrss_review", "agree")
    office.act("rural_review", "return")
    office.act("hrss_review", "return")
    office.act("rural_review", "agree")
    return list(office.open)


def test_a_stale_decision_at_the_join_moves_the_naive_case_on_but_never_ours() -> None:
    # The last branch to finish carries round 1's "agree" of the other office and overwrites its "return".
    assert _second_round(_Library()) == ["next_step"]
    assert _second_round(Desk(join_in_a_subprocess().publish())) == sorted(REVIEWS)


def test_thirty_rounds_in_shuffled_order_keep_the_state_flat_and_are_never_wrong() -> None:
    chance = random.Random(81)
    desk = Desk(approval().publish())
    desk.act("application")
    desk.act("acceptance")
    sizes: list[int] = []
    for _ in range(30):
        order = list(REVIEWS)
        chance.shuffle(order)
        desk.act(order[0], chance.choice(["agree", "return"]))
        assert desk.open == [order[1]]
        desk.act(order[1], "return")
        assert desk.open == ["rework"]
        sizes.append(len(desk.result.state))
        desk.act("rework")
        assert desk.open == sorted(REVIEWS)
    assert max(sizes) <= min(sizes) * 1.1
    assert max(sizes) < 3000
    for review in REVIEWS:
        desk.act(review)
    assert [timer.element for timer in desk.result.timers] == ["publicity_ended"]


def test_loops_inside_a_branch_of_a_parallel_block_do_not_disturb_the_join() -> None:
    drawing = (
        Sketch()
        .start()
        .node("block", "subProcess")
        .start("block_start", "block")
        .parallel("split", "block")
        .user("hrss_review", "hrss", "block")
        .choice("again", "join", "block")
        .user("rural_review", "rural", "block")
        .parallel("join", "block")
        .end("block_end", "block")
        .line("block_start", "split", "hrss_review", "again", "join", "block_end", scope="block")
        .line("split", "rural_review", "join", scope="block")
        .flow("again", "hrss_review", 'outcome("hrss_review") == "return"', scope="block")
        .user("next_step")
        .end()
        .line("start", "block", "next_step", "end")
    )
    desk = Desk(drawing.publish())
    for _ in range(10):
        desk.act("hrss_review", "return")
        assert desk.open == sorted(REVIEWS)
    desk.act("rural_review")
    assert desk.open == ["hrss_review"]
    for _ in range(10):
        desk.act("hrss_review", "return")
        assert desk.open == ["hrss_review"]
    desk.act("hrss_review")
    assert desk.open == ["next_step"]


def test_nested_subprocesses_leave_nothing_behind() -> None:
    drawing = (
        Sketch()
        .start()
        .node("outer", "subProcess")
        .start("outer_start", "outer")
        .node("inner", "subProcess", scope="outer")
        .start("inner_start", "inner")
        .user("hrss_review", "hrss", "inner")
        .end("inner_end", "inner")
        .line("inner_start", "hrss_review", "inner_end", scope="inner")
        .user("rural_review", "rural", "outer")
        .end("outer_end", "outer")
        .line("outer_start", "inner", "rural_review", "outer_end", scope="outer")
        .choice("gateway", "end")
        .end()
        .line("start", "outer", "gateway", "end")
        .flow("gateway", "outer", 'outcome("rural_review") == "return"')
    )
    desk = Desk(drawing.publish())
    sizes = []
    for _ in range(10):
        desk.act("hrss_review")
        desk.act("rural_review", "return")
        assert desk.open == ["hrss_review"]
        sizes.append(len(desk.result.state))
    assert max(sizes) <= min(sizes) * 1.1
    desk.act("hrss_review")
    desk.act("rural_review")
    assert desk.result.finished


def _recalled(desk: Desk, task_id: str) -> RunResult | None:
    """The state after taking a step back; nothing when it is too late."""
    try:
        return runner.recall(desk.version, desk.result.state, task_id)
    except RecallRefused:
        return None


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_random_walks_leave_no_orphan_and_no_lost_token(seed: int) -> None:
    """Steps, timers, messages and recalls in any order: what is open is always one known position."""
    chance = random.Random(seed)
    desk = Desk(approval().publish())
    positions = [
        ["application"],
        ["acceptance"],
        sorted(REVIEWS),
        ["hrss_review"],
        ["rural_review"],
        ["rework"],
        ["meeting"],
        [],
    ]
    last = ""
    for _ in range(40):
        if desk.result.finished:
            break
        before = desk.result
        if last and chance.random() < 0.2 and (back := _recalled(desk, last)):
            desk.result = back
            last = ""
        elif desk.result.timers:
            if chance.random() < 0.5:
                timer = desk.result.timers[0].task_id
                desk.result = runner.fire(desk.version, before.state, timer, desk.bindings)
            else:
                desk.result = runner.send(desk.version, before.state, "objection_upheld", desk.bindings)
        else:
            task = chance.choice(desk.result.tasks)
            last = task.task_id
            desk.act(task.element, chance.choice(["agree", "return"]))
        assert desk.open in positions
        assert bool(desk.open) != bool(desk.result.timers or desk.result.finished)
        seen = runner.tasks(desk.version, desk.result.state)
        assert (seen.tasks, seen.timers, seen.messages) == (
            desk.result.tasks,
            desk.result.timers,
            desk.result.messages,
        )
        assert len(desk.result.state) < 4000
