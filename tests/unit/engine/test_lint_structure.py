"""One test for each construct that is refused: file and element are named, and what to do."""

from __future__ import annotations

import pytest

from tests.unit.engine.drawing import Sketch, approval
from tests.unit.engine.refusals import base, choice, expect, inside, raw, said, said_with_extra
from tests.unit.engine.words import VOCABULARY
from workflows.engine import Problem, ProcessPackage, lint


def test_good_diagrams_pass() -> None:
    assert said(base()) == []
    assert said(approval()) == []


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("scriptTask", "不能有代码"),
        ("task", "由谁办理"),
        ("manualTask", "手工任务"),
        ("sendTask", "notify"),
        ("receiveTask", "消息捕获事件"),
        ("callActivity", "子流程"),
        ("transaction", "补偿"),
        ("adHocSubProcess", "顺序"),
        ("complexGateway", "排他网关"),
        ("inclusiveGateway", "提前放行"),
        ("intermediateThrowEvent", "系统任务"),
        ("choreographyTask", "不执行"),
    ],
)
def test_constructs_we_do_not_run(kind: str, advice: str) -> None:
    drawing = Sketch().start().user("one").node("odd", kind).end().line("start", "one", "odd", "end")
    expect(said(drawing), "odd", advice, "请")


def test_code_in_a_script_task() -> None:
    drawing = base().node("code", "scriptTask", inner="<bpmn:script>import os</bpmn:script>")
    expect(said(drawing), "code", "脚本任务", "不能有代码", "urn:wengang:operation")


@pytest.mark.parametrize(
    ("tag", "advice"),
    [
        ("<bpmn:standardLoopCharacteristics/>", "返回的流向"),
        ("<bpmn:multiInstanceLoopCharacteristics/>", "多实例"),
        ("<bpmn:extensionElements/>", "扩展内容"),
        ("<bpmn:ioSpecification/>", "数据输入输出"),
        ("<bpmn:dataInputAssociation/>", "关联了数据"),
        ("<bpmn:dataOutputAssociation/>", "关联了数据"),
        ("<bpmn:property/>", "流程变量"),
        ("<bpmn:timerEventDefinition/>", "不能带消息或计时"),
        ('<x:y xmlns:x="urn:x"/>', "不执行"),
    ],
)
def test_parts_of_a_step_we_would_ignore(tag: str, advice: str) -> None:
    expect(raw(base(), inside(tag)), "one", advice, "请")


@pytest.mark.parametrize(
    ("attribute", "advice"),
    [
        ('startQuantity="2"', "多个令牌"),
        ('completionQuantity="2"', "多个令牌"),
        ('isForCompensation="true"', "补偿"),
        ('xmlns:c="urn:camunda" c:assignee="x"', "不理解的属性 assignee"),
        ('weight="3"', "不理解的属性 weight"),
    ],
)
def test_attributes_we_would_ignore(attribute: str, advice: str) -> None:
    expect(raw(base(), ('<bpmn:userTask id="one"', f'<bpmn:userTask {attribute} id="one"')), "one", advice)


@pytest.mark.parametrize(
    "event", ["terminate", "signal", "error", "escalation", "compensate", "cancel", "message"]
)
def test_end_events_are_plain(event: str) -> None:
    drawing = (
        Sketch().start().user("one").node("end", "endEvent", inner=f'<bpmn:{event}EventDefinition id="e"/>')
    )
    problems = said(drawing.line("start", "one", "end"))
    expect(problems, "end" if event == "message" else "e", "；")


@pytest.mark.parametrize("event", ["signal", "conditional", "link", "error"])
def test_catching_events_wait_for_a_timer_or_a_message(event: str) -> None:
    drawing = base().node("catch", "intermediateCatchEvent", inner=f"<bpmn:{event}EventDefinition/>")
    expect(said(drawing), "catch", "；请", "正好等待一个计时或一个消息")


def test_interrupting_signals_on_a_step_are_refused() -> None:
    drawing = base().node("odd", "boundaryEvent", attachedToRef="one", inner="<bpmn:signalEventDefinition/>")
    expect(said(drawing), "odd", "信号事件")


def test_non_interrupting_events_are_refused() -> None:
    drawing = base().timer("late", "publicity_end()", host="one")
    drawing.nodes[-1].attributes["cancelActivity"] = "false"
    expect(said(drawing.line("late", "end")), "late", "不中断")


def test_start_events_are_plain_and_single() -> None:
    drawing = base()
    drawing.nodes[0].inner = '<bpmn:messageEventDefinition messageRef="x"/>'
    expect(said(drawing), "start", "开始事件不能带消息")
    expect(said(base().start("again").line("again", "one")), "sample", "一个开始事件，现有 2 个")
    expect(
        said(base().node("sub", "subProcess").flow("one", "sub")),
        "sub",
        "一个开始事件，现有 0 个",
        "没有结束事件",
    )


@pytest.mark.parametrize("kind", ["timeDuration", "timeCycle"])
def test_timers_name_an_instant(kind: str) -> None:
    drawing = base().node(
        "late",
        "intermediateCatchEvent",
        inner=f"<bpmn:timerEventDefinition><bpmn:{kind}>P1D</bpmn:{kind}></bpmn:timerEventDefinition>",
    )
    expect(said(drawing), "late", "timeDate", "publicity_end()")


def test_messages_are_defined_named_and_sent_by_somebody() -> None:
    drawing = Sketch().start().message("wait", "weather").end().line("start", "wait", "end")
    expect(said(drawing), "wait", "“weather”没有人会发送", "objection_upheld")
    expect(raw(drawing, ('messageRef="message_weather"', 'messageRef="x"')), "wait", "没有定义")
    expect(raw(drawing, (' name="weather"', "")), "message_weather", "消息没有名称")
    drawing.extra = '<bpmn:message id="twice" name="weather"/>'
    expect(said(drawing), "weather", "消息名称重复")


def test_ids_and_names() -> None:
    expect(raw(base(), ('id="one" name="名one"', 'id="one"')), "one", "没有名称")
    expect(raw(base(), ('endEvent id="end" name="名end"', 'endEvent id="end" name=" "')), "end", "没有名称")
    expect(raw(base(), ('userTask id="one"', 'userTask id="One-1"')), "One-1", "小写英文")
    expect(raw(base(), ('userTask id="one"', "userTask")), "sample", "没有 id 的图形")
    expect(raw(base(), ('sequenceFlow id="one_to_end"', "sequenceFlow")), "sample", "流向没有 id")
    expect(raw(base(), ('id="plane"', 'id="one"')), "one", "不止一次")


def test_processes() -> None:
    def joined(problems: list[Problem]) -> str:
        return "\n".join(str(problem) for problem in problems)

    expect(
        raw(base(), ('<bpmn:process id="sample"', '<bpmn:process id="other"')),
        "other",
        "与文件夹同名（sample）",
    )
    expect(raw(base(), (' isExecutable="true"', "")), "sample", "可执行")
    expect(raw(base(), (' isExecutable="true"', ' isExecutable="false"')), "sample", "可执行")
    text = base().xml()
    process = text[text.index("<bpmn:process") : text.index("</bpmn:process>") + len("</bpmn:process>")]
    assert "有 2 个流程" in joined(raw(base(), (process, process + process)))
    assert "没有流程" in joined(raw(base(), (process, "")))
    expect(
        said_with_extra(
            '<bpmn:collaboration id="c"><bpmn:participant id="p" processRef="x"/></bpmn:collaboration>'
        ),
        "p",
        "泳池",
    )
    two = '<bpmn:participant id="p" processRef="sample"><bpmn:participantMultiplicity/></bpmn:participant>'
    problems = said_with_extra(
        f'<bpmn:collaboration id="c">{two}{two.replace("id=", "name=")}<bpmn:messageFlow id="f"/></bpmn:collaboration>'
    )
    expect(problems, "c", "几个泳池")
    expect(problems, "f", "消息流")
    expect(problems, "p", "participantMultiplicity")
    expect(said_with_extra('<bpmn:signal id="s"/>'), "s", "signal")


@pytest.mark.parametrize(
    ("tag", "part"),
    [
        ('<bpmn:dataObject id="d"/>', "数据对象"),
        ('<bpmn:dataObjectReference id="d"/>', "数据对象"),
        ('<bpmn:dataStoreReference id="d"/>', "数据存储"),
        ('<bpmn:ioSpecification id="d"/>', "数据输入输出"),
        ('<z:zz xmlns:z="urn:z" id="d"/>', "zz"),
    ],
)
def test_data_of_a_process_are_refused(tag: str, part: str) -> None:
    drawing = base()
    drawing.in_process = tag
    expect(said(drawing), "d", part)


def test_notes_are_welcome() -> None:
    drawing = base()
    drawing.in_process = (
        "<bpmn:documentation>说明</bpmn:documentation>"
        '<bpmn:textAnnotation id="n"><bpmn:text>批注</bpmn:text></bpmn:textAnnotation>'
        '<bpmn:association id="a" sourceRef="one" targetRef="n"/>'
    )
    drawing.extra = '<bpmn:collaboration id="c"><bpmn:documentation>x</bpmn:documentation><bpmn:participant id="p" name="池" processRef="sample"/></bpmn:collaboration>'
    annotated = raw(
        drawing,
        inside("<bpmn:documentation>依据</bpmn:documentation>"),
        (
            'targetRef="end"></bpmn:sequenceFlow>',
            'targetRef="end"><bpmn:documentation>x</bpmn:documentation></bpmn:sequenceFlow>',
        ),
        (
            'processRef="sample"/>',
            'processRef="sample"><bpmn:documentation>x</bpmn:documentation></bpmn:participant>',
        ),
        ("<bpmn:endEvent ", '<bpmn:endEvent xsi:type="bpmn:tEndEvent" '),
    )
    assert annotated == []


def test_conditions_in_another_language_and_odd_parts_of_flows() -> None:
    expect(
        raw(choice(), ("<bpmn:conditionExpression ", '<bpmn:conditionExpression language="juel" ')),
        "gateway_to_two",
        "另选了语言",
    )
    expect(
        raw(
            choice(), ("</bpmn:conditionExpression>", "</bpmn:conditionExpression><bpmn:extensionElements/>")
        ),
        "gateway_to_two",
        "扩展内容",
    )


def test_everything_has_its_place_on_the_picture() -> None:
    drawing = base()
    drawing.layout = False
    problems = said(drawing)
    expect(problems, "one", "BPMNShape")
    expect(problems, "one_to_end", "BPMNEdge")
    expect(problems, "hrss", "泳道在图上没有位置")
    for broken in ('x="abc"', 'x="nan"', 'x="1e9"'):
        expect(raw(base(), ('x="60"', broken)), "start", "BPMNShape")
    expect(raw(base(), ('<di:waypoint x="240" y="100"/>', "")), "one_to_end", "至少两个点")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "不是完整的 XML"),
        ("<", "不是完整的 XML"),
        ("流程", "不是完整的 XML"),
        ("<a/>", "不是 BPMN 2.0"),
        ("\ud800<a/>", "不是完整的 XML"),
        ("\x00", "不是完整的 XML"),
        ("<a>" * 300 + "</a>" * 300, "XML"),
        ("x" * 4_000_001, "超过 4 MB"),
        ('<!DOCTYPE bpmn SYSTEM "http://example.invalid/x.dtd"><a/>', "DOCTYPE"),
        ('<!DOCTYPE a [<!ENTITY b "&b;&b;">]><a>&b;</a>', "DOCTYPE 或实体"),
        ('<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "没有流程"),
        ('<definitions xmlns="http://www.omg.org/spec/DMN/20180521/MODEL/"/>', "不是 BPMN 2.0"),
    ],
)
def test_files_that_are_no_diagrams(text: str, part: str) -> None:
    package = base().package()
    problems = lint(ProcessPackage("sample", text, package.config_text, forms=package.forms), VOCABULARY)
    assert part in "\n".join(str(problem) for problem in problems)


def test_a_declared_encoding_is_ignored() -> None:
    package = base().package()
    text = package.bpmn.replace("UTF-8", "GB2312")
    assert lint(ProcessPackage("sample", text, package.config_text, forms=package.forms), VOCABULARY) == []


def test_the_library_s_own_errors_become_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(root: object, key: str) -> str:
        raise AttributeError("'NoneType' object has no attribute 'getroottree'")

    monkeypatch.setattr("workflows.engine.catalogue.parse_specs", fail)
    (problem,) = said(base())
    assert problem.element == "sample"
    assert "无法读入流程引擎（AttributeError）" in str(problem)
    assert "getroottree" not in str(problem)
