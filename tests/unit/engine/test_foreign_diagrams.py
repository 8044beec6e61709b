"""Diagrams that others made: accepted and then run as BPMN says, or refused with the reason."""

from __future__ import annotations

import pytest

from tests.unit.engine.foreign import MODEL, PLAIN, diagram, gateways, judged, reasons


def test_a_diagram_of_an_editor_is_accepted_without_our_names_lanes_and_layout() -> None:
    assert judged(diagram(PLAIN)).accepted
    assert judged(diagram(PLAIN, ' isExecutable="true" name="Check"')).accepted


def choosing(condition: str) -> str:
    return diagram(gateways("exclusiveGateway", condition).replace('id="G"', 'id="G" default="f2"'))


def test_reviews_and_choices_are_accepted() -> None:
    assert judged(diagram(gateways("parallelGateway"))).accepted
    said = gateways("parallelGateway").replace('id="G"', 'id="G" gatewayDirection="Diverging"')
    assert judged(diagram(said.replace('id="J"', 'id="J" gatewayDirection="Converging"'))).accepted
    assert judged(choosing("<conditionExpression>visited(&quot;A&quot;)</conditionExpression>")).accepted


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "XML"),
        ("no xml at all", "XML"),
        ("<a><b></a>", "XML"),
        ('<!DOCTYPE a [<!ENTITY x "y">]>' + diagram(PLAIN)[38:], "DOCTYPE"),
        (diagram(PLAIN).replace(MODEL, "http://www.omg.org/bpmn11"), "不是 BPMN 2.0"),
        ("<a>" * 5_000 + "</a>" * 5_000, "XML"),
        (diagram("".join(f"<userTask id='x{n}'/>" for n in range(701))), "太大"),
        (diagram(gateways("complexGateway")), "复杂网关"),
        (diagram(gateways("inclusiveGateway")), "包容网关"),
        (diagram(gateways("exclusiveGateway")), "条件"),
        (
            diagram(gateways("exclusiveGateway", "<conditionExpression>${a &gt; 1}</conditionExpression>")),
            "条件",
        ),
        (diagram(PLAIN.replace("<userTask ", '<userTask startQuantity="2" ')), "startQuantity"),
        (diagram(PLAIN.replace("<userTask ", '<userTask isForCompensation="true" ')), "补偿"),
        (diagram(PLAIN.replace("<userTask ", '<userTask camunda:assignee="me" ')), "属性"),
        (diagram(PLAIN.replace("userTask", "scriptTask")), "脚本"),
        (diagram(PLAIN.replace("userTask", "callActivity")), "调用活动"),
        (diagram(PLAIN.replace("userTask", "task")), "没有写明由谁办理"),
        (diagram(PLAIN + '<sequenceFlow id="x" sourceRef="Activity_0x" targetRef="Event_9"/>'), "并行"),
        (diagram(PLAIN + '<sequenceFlow id="x" sourceRef="Nobody" targetRef="Event_9"/>'), "起点或终点"),
        (diagram(PLAIN + '<endEvent id="Event_9"/>'), "不止一次"),
        (diagram(PLAIN, ' isExecutable="false"'), "可执行"),
        (diagram(PLAIN, around='<process id="Process_2"/>'), "2 个流程"),
        (
            diagram(
                PLAIN.replace(
                    '<endEvent id="Event_9"/>',
                    '<endEvent id="Event_9"><incoming>Flow_1</incoming></endEvent>',
                )
            ),
            "不一致",
        ),
        (
            diagram(
                PLAIN
                + '<boundaryEvent id="b" attachedToRef="Activity_0x" cancelActivity="false"/>'
                + '<sequenceFlow id="y" sourceRef="b" targetRef="Event_9"/>'
            ),
            "不中断",
        ),
        (
            diagram(
                PLAIN.replace(
                    '<endEvent id="Event_9"/>',
                    '<endEvent id="Event_9"><compensateEventDefinition/></endEvent>',
                )
            ),
            "补偿",
        ),
        (diagram(PLAIN).replace(' id="Process_1"', ""), "没有 id"),
        # what is read nowhere, or read as something else
        (diagram(PLAIN.replace("<userTask ", '<userTask cancelActivity="true" ')), "属性 cancelActivity"),
        (diagram(PLAIN.replace("<userTask ", '<userTask attachedToRef="Event_9" ')), "属性 attachedToRef"),
        (diagram(gateways("parallelGateway").replace('id="G"', 'id="G" default="f1"')), "属性 default"),
        (
            diagram(gateways("parallelGateway").replace('id="G"', 'id="G" gatewayDirection="Converging"')),
            "Converging",
        ),
        (
            diagram(gateways("parallelGateway").replace('id="J"', 'id="J" gatewayDirection="Diverging"')),
            "Diverging",
        ),
        (
            diagram(gateways("parallelGateway").replace('id="J"', 'id="J" gatewayDirection="converging"')),
            "不一致",
        ),
        (choosing("<conditionExpression>visited(&quot;A&quot;)<x/></conditionExpression>"), "不读取"),
        (
            choosing("<conditionExpression>visited(&quot;A&quot;)</conditionExpression>" * 2),
            "写了 2 个条件",
        ),
        (diagram(PLAIN, around='<message name="m"/>'), "消息没有 id"),
        (diagram(PLAIN, around='<message id="m" name="m" itemRef="x"/>'), "属性 itemRef"),
        # what the engine calls its own steps
        (diagram(PLAIN.replace("Activity_0x", "Start")), "引擎自己用的名称"),
        (diagram(PLAIN.replace("Activity_0x", "End")), "引擎自己用的名称"),
        (diagram(PLAIN.replace("Activity_0x", "Root")), "引擎自己用的名称"),
        (diagram(PLAIN.replace("Activity_0x", "Process_1.EndJoin")), "引擎自己用的名称"),
    ],
)
def test_what_would_run_otherwise_than_the_standard_is_refused(text: str, part: str) -> None:
    assert part in reasons(text)


def test_the_encodings_of_editors_are_read_and_others_refused() -> None:
    text = diagram(PLAIN.replace("Check it", "核对材料"))
    assert judged(text.encode("utf-8-sig")).accepted
    assert judged(text.encode("utf-16")).accepted
    assert judged(text.replace("UTF-8", "GB18030").encode("gb18030")).accepted
    assert "不支持" in reasons(text.replace("UTF-8", "EBCDIC-CP-US"))
    assert "不是 UTF-8 编码" in reasons(text.encode("gb18030"))
    assert "4 MB" in reasons(b" " * 4_000_001)
    assert "XML" in reasons(bytes(range(256))[:128])
