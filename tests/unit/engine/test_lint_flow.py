"""What the lint says of flows, gateways, lanes and names: file and element are named, and what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.engine.drawing import Sketch, approval
from tests.unit.engine.refusals import base, choice, expect, raw, said
from workflows.engine import Problem


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ('"2026-01-01"', "给出时刻的函数"),
        ("open_objections()", "给出时刻的函数"),
        ("publicity_end(", "语法错误"),
        ("due_date('nobody')", "步骤“nobody”不存在"),
        ('days_from_now(3, "weeks")', "时限单位“weeks”不存在"),
        ("datetime.now()", "属性"),
    ],
)
def test_what_a_timer_may_say(expression: str, part: str) -> None:
    drawing = Sketch().start().timer("late", expression).end().line("start", "late", "end")
    expect(said(drawing), "late", "截止时刻", part)


@pytest.mark.parametrize(
    ("condition", "part"),
    [
        ("hrss_decision == 'agree'", "名称 hrss_decision：条件只能写常量和函数调用"),
        ("data.get('x') == 1", "只能按名称调用函数"),
        ("weather() == 1", "不认识的函数 weather"),
        ("outcome() == 'agree'", "应有 1 个参数，实际写了 0 个"),
        ("any_outcome('agree')", "至少 2 个参数"),
        ("outcome('nobody') == 'agree'", "步骤“nobody”不存在；现有：one、two"),
        ("outcome('one') == 'agreed'", "不会得出这个结果；可能的结果：agree、refuse、return"),
        ("outcome('one') in ('agree', 'ok')", "“ok”比较"),
        ("any_outcome('ok', 'one')", "办理结果“ok”不存在"),
        ("any_outcome('agree', visited('one'))", "应当直接写出步骤的名称"),
        ("outcome('one')", "不是“是或否”"),
        ("1 + 1", "不是“是或否”"),
        ("not outcome('one')", "把 outcome 的结果当作“是或否”"),
        ("visited('one') and open_objections()", "把 open_objections 的结果当作“是或否”"),
        ("param('rate') == 1", "参数“rate”不存在；现有：days"),
        ("decided('nothing', 'result') == 'x'", "规则表“nothing”不存在；现有：（没有）"),
        ("outcome('one') ==", "语法错误"),
    ],
)
def test_conditions(condition: str, part: str) -> None:
    expect(said(choice(condition)), "gateway_to_two", "条件", part)
    assert "「同意」（gateway_to_two）" in str(said(choice(condition))[0])


def test_conditions_that_pass() -> None:
    for condition in (
        "visited('one')",
        "param('days') > 3 or open_objections() == 0",
        "answer('opinion', 'x') == True",
    ):
        assert said(choice(condition)) == []


def test_a_gateway_needs_a_default_unless_all_outcomes_are_covered() -> None:
    expect(said(choice(default="")), "gateway_to_end", "请写条件或设为默认流向")
    drawing = choice(default="")
    drawing.flows[2].condition = 'outcome("one") == "return"'
    expect(said(drawing), "gateway", "缺 refuse")
    drawing.flows[2].condition = 'outcome("one") in ("return", "refuse")'
    assert said(drawing) == []
    drawing.flows[2].condition = 'outcome("one") != "agree"'
    expect(said(drawing), "gateway", "没有默认流向")
    drawing.flows[2].condition = 'outcome("two") in ("return", "refuse", "agree")'
    expect(said(drawing), "gateway", "没有默认流向", "几个步骤")
    drawing.flows[2].condition = "weather() == 1"
    problems = said(drawing)
    assert [problem.element for problem in problems] == ["gateway_to_end"]


def test_defaults_of_gateways() -> None:
    drawing = choice()
    drawing.nodes[2].attributes["default"] = "start_to_one"
    expect(said(drawing), "gateway", "默认流向不是从它出发的")
    drawing = choice()
    drawing.flows[2].condition = "visited('one')"
    expect(said(drawing), "gateway_to_end", "又写了条件")
    drawing = base()
    drawing.nodes[1].attributes["default"] = "one_to_end"
    expect(said(drawing), "one", "只有排他网关")
    drawing = Sketch().start().choice("gateway").user("one").end().line("start", "gateway", "one", "end")
    drawing.flows[1].condition = "visited('one')"
    expect(said(drawing), "gateway_to_one", "唯一的出路")


def test_implicit_splits_and_conditions_on_steps_are_refused() -> None:
    drawing = base().user("two").line("one", "two", "end")
    expect(said(drawing), "one", "几条出去的流向", "悄悄变成并行")
    drawing = base()
    drawing.flows[1].condition = "visited('one')"
    expect(said(drawing), "one_to_end", "不是从排他网关出发")


def test_flows_connect_elements_of_one_scope_once() -> None:
    expect(said(base().flow("one", "nowhere")), "one_to_nowhere", "起点或终点不是图上的图形")
    drawing = base()
    drawing.flows.append(drawing.flows[1])
    expect(said(drawing), "one_to_end", "不止一次")
    expect(
        raw(choice(), ('sourceRef="two" targetRef="end"', 'sourceRef="gateway" targetRef="end"')),
        "two_to_end",
        "都相同",
    )
    crossing = approval().flow("application", "hrss_review")
    expect(said(crossing), "application_to_hrss_review", "穿过了子流程的边框")


def test_nodes_nobody_can_reach_and_nodes_without_a_way_out() -> None:
    expect(said(base().user("lost").line("lost", "end")), "lost", "从开始走不到这里")
    drawing = choice()
    drawing.flows.pop()
    expect(said(drawing), "two", "后面没有流向", "走不到结束")
    circle = choice()
    circle.flows[-1].target = "three"
    circle.user("three").line("three", "two")
    expect(said(circle), "two", "走不到结束")
    expect(said(base().line("end", "one")), "end", "不能有出去的流向")
    expect(said(base().line("one", "start")), "start", "不能有进来的流向")


def test_a_boundary_event_makes_its_way_reachable() -> None:
    drawing = base().timer("late", "publicity_end()", host="one").user("notice").line("late", "notice", "end")
    assert said(drawing) == []


def test_boundary_events_sit_on_steps_or_subprocesses_one_each() -> None:
    drawing = base().timer("late", "publicity_end()", host="end").line("late", "end")
    expect(said(drawing), "late", "用户任务或子流程")
    drawing = base().timer("late", "publicity_end()", host="one").line("late", "end").line("one", "late")
    expect(said(drawing), "late", "不能有进来的流向")
    drawing = base().timer("late", "publicity_end()", host="one").message("m", "objection_upheld", host="one")
    expect(said(drawing.line("late", "end").line("m", "end")), "late", "几个边界事件")


def test_a_join_on_a_cycle_outside_a_subprocess() -> None:
    drawing = (
        Sketch()
        .start()
        .choice("again")
        .parallel("split")
        .user("one")
        .user("two", "rural")
        .parallel("join")
        .choice("gateway", "end")
        .end()
        .line("start", "again", "split", "one", "join", "gateway", "end")
        .line("split", "two", "join")
        .flow("gateway", "again", "visited('one')")
    )
    expect(said(drawing), "join", "返工回路上的汇合网关", "单独的子流程")


def test_a_join_on_a_cycle_inside_a_subprocess_is_no_better() -> None:
    drawing = approval().choice("gateway", "reviews_end", "reviews")
    drawing.flows = [flow for flow in drawing.flows if flow.id != "join_to_reviews_end"]
    drawing.flow("join", "gateway", scope="reviews").flow("gateway", "reviews_end", scope="reviews")
    drawing.flow("gateway", "split", 'outcome("hrss_review") == "return"', scope="reviews")
    expect(said(drawing), "join", "返工回路")


def test_automatic_circles() -> None:
    drawing = (
        Sketch()
        .start()
        .choice("again", "work")
        .service("work", "notify?to=hrss")
        .end()
        .line("start", "again", "work", "again")
        .flow("again", "end", "open_objections() == 0")
    )
    expect(said(drawing), "again", "自动转个不停")
    # A subprocess with a wait inside is a pause.
    assert said(_looping_subprocess()) == []


def _looping_subprocess() -> Sketch:
    return (
        Sketch()
        .start()
        .reviews()
        .choice("gateway", "end")
        .end()
        .line("start", "reviews", "gateway", "end")
        .flow("gateway", "reviews", 'any_outcome("return", "hrss_review", "rural_review")')
    )


def test_a_step_that_two_parallel_ways_enter() -> None:
    drawing = (
        Sketch()
        .start()
        .parallel("split")
        .user("one")
        .user("two")
        .user("three")
        .end()
        .line("start", "split", "one", "three", "end")
        .line("split", "two", "three")
    )
    expect(said(drawing), "three", "同一步骤会办两次", "并行网关汇合")


def test_a_flow_that_would_carry_two_tokens() -> None:
    drawing = (
        Sketch()
        .start()
        .choice("again")
        .parallel("split")
        .user("one")
        .user("two")
        .end()
        .line("start", "again", "split", "one", "again")
        .line("split", "two", "end")
    )
    expect(said(drawing), "split", "会办两次")


def test_a_join_that_waits_for_a_way_not_taken() -> None:
    drawing = (
        Sketch()
        .start()
        .choice("gateway", "one")
        .user("one")
        .user("two")
        .parallel("join")
        .end()
        .line("start", "gateway", "one", "join", "end")
        .flow("gateway", "two", "open_objections() == 0")
        .line("two", "join")
    )
    expect(said(drawing), "join", "一直等下去", "成对")


def test_parallel_blocks_too_wide_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.engine.lint_tokens.MAX_MARKINGS", 3)
    expect(said(approval()), "sample", "无法检查是否会卡住")


def test_event_based_gateways() -> None:
    def with_events(change: Callable[[Sketch], Sketch]) -> list[Problem]:
        drawing = Sketch().start().node("wait", "eventBasedGateway").timer("late", "publicity_end()").end()
        return said(change(drawing.line("start", "wait", "late", "end")))

    expect(with_events(lambda d: d), "wait", "至少要等待两个事件")
    expect(with_events(lambda d: d.user("one").line("wait", "one", "end")), "one", "只能是捕获事件")
    expect(
        with_events(lambda d: d.timer("later", "publicity_end()").line("wait", "later", "end")),
        "wait",
        "几个计时",
    )
    expect(
        with_events(
            lambda d: (
                d.message("a", "objection_upheld")
                .message("b", "objection_upheld")
                .line("wait", "a", "end")
                .line("wait", "b", "end")
            )
        ),
        "wait",
        "同一个消息",
    )
    expect(
        with_events(lambda d: d.message("a", "objection_upheld").user("one").line("wait", "a", "one", "a")),
        "a",
        "不能再有别的进来的流向",
    )
    drawing = approval()
    next(node for node in drawing.nodes if node.id == "wait").attributes.update(
        instantiate="true", eventGatewayType="Parallel"
    )
    expect(said(drawing), "wait", "启动流程的网关", "并行的事件网关")


def test_lanes() -> None:
    expect(
        said(Sketch().start().user("one", None).end().line("start", "one", "end")),
        "one",
        "没有列在任何泳道里",
    )
    drawing = approval()
    drawing.lanes["hrss"].append("reviews")
    expect(said(drawing), "reviews", "是子流程，不能列在泳道的 flowNodeRef 里")
    drawing = base()
    drawing.lanes["hrss"].append("ghost")
    expect(said(drawing), "hrss", "不存在的图形 ghost")
    drawing = base()
    drawing.lanes["rural"] = ["one"]
    expect(said(drawing), "one", "不止一个泳道")
    expect(raw(base(), (' name="泳道hrss"', "")), "hrss", "泳道没有名称")
    expect(raw(base(), ('id="hrss"', 'id="HRSS"')), "HRSS", "不是小写英文")
    expect(raw(base(), ("</bpmn:lane>", "<bpmn:childLaneSet/></bpmn:lane>")), "hrss", "只用一层泳道")
    expect(raw(base(), ("</bpmn:laneSet>", "<bpmn:other/></bpmn:laneSet>")), "sample", "other")


@pytest.mark.parametrize(
    ("implementation", "part"),
    [
        ("", "没有写明执行什么"),
        ("##WebService", "urn:wengang:operation"),
        ("urn:wengang:decision:x", "urn:wengang:operation"),
        ("urn:wengang:operation:pay_out", "操作“pay_out”不存在；可以使用的操作是"),
        ("urn:wengang:operation:set_status", "缺少参数 status"),
        ("urn:wengang:operation:set_status?status=done&amp;x=1", "没有参数 x"),
        ("urn:wengang:operation:set_status?status=gone", "状态“gone”不存在；现有：done"),
        ("urn:wengang:operation:set_status?status=done&amp;status=done", "没有写明执行什么"),
        ("urn:wengang:operation:set_status?status", "没有写明执行什么"),
        ("urn:wengang:operation:issue_document?document=letter", "文书“letter”不存在"),
        ("urn:wengang:operation:open_publicity?kind=sale", "公示种类“sale”不存在；现有：recognition"),
    ],
)
def test_operations(implementation: str, part: str) -> None:
    drawing = Sketch().start().service("work", "close_publicity").end().line("start", "work", "end")
    expect(raw(drawing, ("urn:wengang:operation:close_publicity", implementation)), "work", part)


@pytest.mark.parametrize(
    ("implementation", "part"),
    [
        ("urn:wengang:operation:close_publicity", "urn:wengang:decision"),
        ("urn:wengang:decision:gone", "规则表“gone”没有在 process.yaml 的 decisions 里登记"),
        ("urn:wengang:decision:gone?x=1", "没有写明执行什么"),
    ],
)
def test_decisions(implementation: str, part: str) -> None:
    drawing = Sketch().start().rule("rule", "x").end().line("start", "rule", "end")
    expect(raw(drawing, ("urn:wengang:decision:x", implementation)), "rule", part)
