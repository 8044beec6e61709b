from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from tests.unit.engine.drawing import Sketch, approval
from tests.unit.engine.office import Desk
from workflows.engine import PublishedVersion, draw
from workflows.engine.diagram import _Drawing
from workflows.engine.graph import read_graph
from workflows.engine.lettering import balanced, fit, upright, width_of, wrap
from workflows.engine.xmltext import parse_xml

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = Path(__file__).parents[3] / "bpmn"


def groups(svg: str) -> dict[str, Element]:
    root = fromstring(svg)
    return {
        group.get("data-element", ""): group for group in root.iter(f"{SVG}g") if group.get("data-element")
    }


def classes(svg: str) -> dict[str, set[str]]:
    return {key: set((group.get("class") or "").split()) for key, group in groups(svg).items()}


def test_a_case_is_marked_on_the_picture(desk: Desk) -> None:
    passed = set(desk.result.passed)
    for step in ("application", "acceptance", "hrss_review"):
        desk.act(step)
        passed |= set(desk.result.passed)
    svg = draw(desk.version, passed, {"rural_review"})
    found = classes(svg)
    assert "passed" in found["application"]
    assert "passed" in found["acceptance_gateway_to_reviews"]
    assert "current" in found["rural_review"]
    assert "current" in found["reviews"]
    assert "next" in found["rework"]
    assert "next" in found["reviews_gateway_to_rework"]
    assert not found["meeting"] & {"passed", "current", "next"}
    assert "next" not in found["rework_to_reviews"]
    titles = {key: group.findtext(f"{SVG}title") for key, group in groups(svg).items()}
    assert titles["rural_review"] == "名rural_review（现在在这里）"
    assert titles["application"] == "名application（已经过）"
    root = fromstring(svg)
    assert root.findtext(f"{SVG}title") == "示例流程流程图"
    assert "现在在：名rural_review。接下来可能到：名rework" in (root.findtext(f"{SVG}desc") or "")
    assert "现在在这里" in svg


def test_a_waiting_event_shows_what_can_follow(version: PublishedVersion) -> None:
    found = classes(draw(version, set(), {"publicity_ended", "objection"}))
    assert "next" in found["meeting"]
    assert "next" in found["end"]
    assert "next" in found["objection_to_meeting"]


def test_a_finished_case_and_a_mere_process(version: PublishedVersion) -> None:
    finished = fromstring(draw(version, {"end", "start", "unknown"}, set()))
    assert finished.findtext(f"{SVG}desc") == "流程已到：名end。"
    plain = draw(version)
    assert fromstring(plain).findtext(f"{SVG}desc") == "全部步骤的流程图。"
    assert "legend" not in plain
    assert "无" in (fromstring(draw(version, set(), {"nobody"})).findtext(f"{SVG}desc") or "")


def test_the_picture_holds_no_script_style_or_foreign_markup() -> None:
    drawing = approval()
    drawing.nodes[1].name = '<script>alert("1")</script>&'
    svg = draw(drawing.publish(), set(), {"application"})
    assert "<script" not in svg
    assert "<style" not in svg
    assert " style=" not in svg
    assert "href" not in svg
    tags = {element.tag.removeprefix(SVG) for element in fromstring(svg).iter()}
    assert tags <= {
        "svg",
        "title",
        "desc",
        "g",
        "rect",
        "circle",
        "polygon",
        "polyline",
        "path",
        "text",
        "tspan",
    }


def test_a_diagram_without_layout_is_an_empty_picture() -> None:
    drawing = approval()
    drawing.layout = False
    graph = read_graph(parse_xml(drawing.xml(), "process.bpmn"))
    assert 'viewBox="0 0 200 100"' in draw(graph)
    assert 'viewBox="0 0 200 144"' in draw(graph, {"application"}, {"acceptance"})


def test_pools_labels_and_lone_flows() -> None:
    drawing = Sketch().start().user("one").choice("gateway", "end").end()
    drawing.line("start", "one", "gateway", "end").flow(
        "gateway", "one", "visited('one')", "退回补正材料，按两局意见修改"
    )
    drawing.flows[2].name = "同意"
    drawing.extra = '<bpmn:collaboration id="c"><bpmn:participant id="pool" name="示例" processRef="sample"/></bpmn:collaboration>'
    text = drawing.xml().replace(
        "</bpmndi:BPMNPlane>",
        '<bpmndi:BPMNShape bpmnElement="pool"><dc:Bounds x="-30" y="0" width="2030" height="200"/></bpmndi:BPMNShape>'
        "</bpmndi:BPMNPlane>",
    )
    text = text.replace(
        'bpmnElement="gateway_to_one">',
        'bpmnElement="gateway_to_one"><bpmndi:BPMNLabel><dc:Bounds x="1" y="2" width="40" height="14"/></bpmndi:BPMNLabel>',
    ).replace(
        'bpmnElement="gateway"><dc:Bounds',
        'bpmnElement="gateway"><bpmndi:BPMNLabel><dc:Bounds x="340" y="10" width="60" height="14"/></bpmndi:BPMNLabel><dc:Bounds',
    )
    # One flow straight down, its label beside it.
    text = text.replace('<di:waypoint x="240" y="100"/>', '<di:waypoint x="100" y="240"/>', 3)
    svg = draw(read_graph(parse_xml(text, "process.bpmn")))
    assert "同意" in svg
    assert "示" in svg


def test_wrapping_keeps_chinese_rules() -> None:
    assert wrap("", 50, 12) == []
    assert wrap("受理审查", 200, 12) == ["受理审查"]
    assert wrap("一二三四，五六", 48, 12) == ["一二三四，", "五六"]
    assert wrap("一二三（四五）", 48, 12) == ["一二三", "（四五）"]
    assert wrap("abc def", 30, 12)[0].startswith("abc")
    assert balanced("状态：不予受理", 84, 12) == ["状态：不予受理"]
    assert balanced("状态：不予受理", 74, 12) == ["状态：不", "予受理"]
    assert balanced("一二", 4, 12) == ["一", "二"]
    assert width_of("a中", 10) == pytest.approx(16.2)


def test_text_shrinks_before_it_is_cut() -> None:
    assert fit("受理", 100, 40).size == 14
    smaller = fit("按两局逐人意见确认是否达到认定标准并通知", 110, 56)
    assert smaller.size < 14
    assert "".join(smaller.lines) == "按两局逐人意见确认是否达到认定标准并通知"
    cut = fit("很长" * 100, 110, 56)
    assert cut.lines[-1].endswith("…")
    assert cut.height <= 56
    assert 'font-size="5"' in upright("一二三四五六七八九十", 0, 0, 50)


@pytest.mark.parametrize("file", sorted(DRAWN.glob("*/process.bpmn")), ids=lambda file: file.parent.name)
def test_no_text_leaves_its_shape_on_our_own_diagrams(file: Path) -> None:
    graph = read_graph(parse_xml(file.read_text(encoding="utf-8"), "process.bpmn"))
    for element in graph.elements.values():
        if not element.kind.endswith("Task"):
            continue
        box = graph.boxes[element.id]
        name = fit(element.name, box.width - 6, box.height - 24)
        assert not name.lines[-1].endswith("…"), element.name
        assert max(width_of(line, name.size) for line in name.lines) <= box.width
        assert name.height <= box.height - 20
    assert fromstring(draw(graph)).tag == f"{SVG}svg"
    assert _Drawing(graph, set(), frozenset()).title()


def test_possible_next_steps_on_graphs_that_the_lint_would_refuse() -> None:
    drawing = (
        approval()
        .node("hollow", "subProcess")
        .flow("meeting", "hollow")
        .flow("meeting", "nowhere")
        .flow("hollow", "end")
        .flow("reviews", "nobody")
    )
    graph = read_graph(parse_xml(drawing.xml(), "process.bpmn"))
    assert graph.next_steps(frozenset({"meeting"})) == {"hollow", "end"}
    assert graph.next_steps(frozenset({"ghost"})) == frozenset()
    assert "rework" in graph.next_steps(frozenset({"hrss_review", "rural_review"}))
