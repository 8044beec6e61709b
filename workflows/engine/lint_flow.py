"""Whether the token can move as drawn: starts, ends, reachability, gateways, loops, lanes and layout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workflows.engine.errors import Problem
from workflows.engine.graph import BPMN, WAITING_KINDS, Element, Flow, Graph
from workflows.engine.lint_structure import FILE

_GATEWAYS = ("exclusiveGateway", "parallelGateway", "eventBasedGateway")


def at(element: Element, what: str) -> Problem:
    """A problem of an element."""
    return Problem.at(FILE, element.id, what, element.name)


def at_flow(flow: Flow, what: str) -> Problem:
    """A problem of a sequence flow."""
    return Problem.at(FILE, flow.id, what, flow.name)


def lint_flow(graph: Graph) -> list[Problem]:
    """Problems of the flows: what is connected to what."""
    problems = _ends_of_flows(graph)
    for element in graph.elements.values():
        problems += _element(graph, element)
    for scope in graph.scopes:
        problems += _scope(graph, scope)
    return problems


def _ends_of_flows(graph: Graph) -> list[Problem]:
    problems: list[Problem] = []
    seen: set[tuple[str, str]] = set()
    for flow in graph.flows.values():
        ends = [graph.elements.get(flow.source), graph.elements.get(flow.target)]
        if None in ends:
            problems.append(at_flow(flow, "的起点或终点不是图上的图形；请重新连线"))
            continue
        if any(end is not None and end.scope != flow.scope for end in ends):
            problems.append(at_flow(flow, "穿过了子流程的边框；请只在同一层里连线"))
        if (flow.source, flow.target) in seen:
            problems.append(at_flow(flow, "与另一条流向的起点、终点都相同；请合并成一条，条件用 or 连接"))
        seen.add((flow.source, flow.target))
        source = ends[0]
        if flow.condition and source is not None and source.kind != "exclusiveGateway":
            problems.append(at_flow(flow, "带有条件，但不是从排他网关出发；请在前面加一个排他网关"))
    return problems


def _element(graph: Graph, element: Element) -> list[Problem]:
    incoming, outgoing = graph.incoming.get(element.id, ()), graph.outgoing.get(element.id, ())
    problems: list[Problem] = []
    if element.kind == "startEvent" and incoming:
        problems.append(at(element, "是开始事件，不能有进来的流向；请改连到它后面的步骤"))
    if element.kind == "endEvent" and outgoing:
        problems.append(at(element, "是结束事件，不能有出去的流向；请删去流向"))
    if element.kind != "endEvent" and not outgoing:
        problems.append(at(element, "后面没有流向，走到这里就停住了；请连到下一步或结束事件"))
    if len(outgoing) > 1 and element.kind not in _GATEWAYS:
        problems.append(at(element, "有几条出去的流向，会悄悄变成并行；请用排他网关或并行网关画明"))
    if element.default and element.kind != "exclusiveGateway":
        problems.append(at(element, "写了默认流向，但只有排他网关可以有；请删去 default"))
    if element.kind == "exclusiveGateway":
        problems += _exclusive(element, outgoing)
    if element.kind == "eventBasedGateway":
        problems += _event_based(graph, element, outgoing)
    if element.kind == "boundaryEvent":
        problems += _boundary(graph, element, incoming)
    return problems


def _exclusive(element: Element, outgoing: Iterable[Flow]) -> list[Problem]:
    flows = list(outgoing)
    ids = {flow.id for flow in flows}
    problems: list[Problem] = []
    if element.default and element.default not in ids:
        problems.append(at(element, "的默认流向不是从它出发的；请重新选择 default"))
    for flow in flows:
        if flow.id == element.default and flow.condition:
            problems.append(at_flow(flow, "是默认流向，又写了条件；请删去条件"))
        elif flow.id != element.default and not flow.condition and len(flows) > 1:
            problems.append(at_flow(flow, "没有条件，也不是默认流向；请写条件或设为默认流向"))
    if len(flows) == 1 and flows[0].condition:
        problems.append(
            at_flow(flows[0], "是网关唯一的出路，却带有条件，不满足时会停住；请删去条件或画出另一条路")
        )
    return problems


def _event_based(graph: Graph, element: Element, outgoing: Iterable[Flow]) -> list[Problem]:
    targets = [graph.elements[flow.target] for flow in outgoing if flow.target in graph.elements]
    problems: list[Problem] = []
    if len(targets) < 2:
        problems.append(at(element, "是事件网关，至少要等待两个事件；请补画或改为单个捕获事件"))
    for target in targets:
        if target.kind != "intermediateCatchEvent":
            problems.append(at(target, "紧跟在事件网关后面，只能是捕获事件；请改画"))
        elif len(graph.incoming.get(target.id, ())) > 1:
            problems.append(at(target, "紧跟在事件网关后面，不能再有别的进来的流向；请另画一个事件"))
    if sum(target.event == "timer" for target in targets) > 1:
        problems.append(at(element, "同时等待几个计时，系统只能记一个；请只留最早的一个"))
    messages = [target.detail for target in targets if target.event == "message"]
    if len(messages) != len(set(messages)):
        problems.append(at(element, "几个出口等待同一个消息，无法区分；请合并"))
    return problems


def _boundary(graph: Graph, element: Element, incoming: Iterable[Flow]) -> list[Problem]:
    host = graph.elements.get(element.attached_to or "")
    problems = [at(element, "是边界事件，不能有进来的流向；请删去流向")] if list(incoming) else []
    if host is None or host.kind not in ("userTask", "subProcess") or host.scope != element.scope:
        problems.append(at(element, "边界事件应当附在同一层的用户任务或子流程上（attachedToRef）；请修改"))
    elif len(graph.boundaries[host.id]) > 1:
        problems.append(at(element, "一个步骤上附了几个边界事件；请只留一个，其余画成单独的流程"))
    return problems


def _scope(graph: Graph, scope: str | None) -> list[Problem]:
    inside = {element.id: element for element in graph.inside(scope)}
    owner = graph.elements[scope].name if scope else graph.name
    place = scope or graph.process_id
    problems: list[Problem] = []
    starts = [element for element in inside.values() if element.kind == "startEvent"]
    ends = [element for element in inside.values() if element.kind == "endEvent"]
    if len(starts) != 1:
        problems.append(
            Problem.at(FILE, place, f"应当正好有一个开始事件，现有 {len(starts)} 个；请修改", owner)
        )
    if not ends:
        problems.append(Problem.at(FILE, place, "没有结束事件；请画出在哪里办结", owner))
    forward = successors(graph, scope)
    reached = _closure((start.id for start in starts), forward)
    finishing = _closure((end.id for end in ends), _reversed(forward))
    for element in inside.values():
        if starts and element.id not in reached:
            problems.append(at(element, "从开始走不到这里，永远不会办理；请连线或删去"))
        elif ends and element.id not in finishing:
            problems.append(at(element, "从这里走不到结束，申请会永远办不完；请连到结束事件"))
    problems += _loops(graph, inside, forward)
    return problems


def successors(graph: Graph, scope: str | None) -> dict[str, set[str]]:
    """Element → elements that can come next in the same scope; an activity leads to its boundary events."""
    found: dict[str, set[str]] = {element.id: set() for element in graph.inside(scope)}
    for flow in graph.flows.values():
        if flow.source in found and flow.target in found:
            found[flow.source].add(flow.target)
    for host, events in graph.boundaries.items():
        if host in found:
            found[host] |= {event.id for event in events if event.id in found}
    return found


def _reversed(edges: Mapping[str, set[str]]) -> dict[str, set[str]]:
    backward: dict[str, set[str]] = {element: set() for element in edges}
    for source, targets in edges.items():
        for target in targets:
            backward[target].add(source)
    return backward


def _closure(begin: Iterable[str], edges: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    stack = list(begin)
    while stack:
        element = stack.pop()
        if element not in found:
            found.add(element)
            stack.extend(edges[element])
    return found


def _loops(graph: Graph, inside: Mapping[str, Element], forward: Mapping[str, set[str]]) -> list[Problem]:
    problems: list[Problem] = []
    for element in inside.values():
        on_cycle = element.id in _closure(forward[element.id], forward)
        if on_cycle and element.kind == "parallelGateway" and len(graph.incoming.get(element.id, ())) > 1:
            # The library fires such a join early from round 2 on, if the branches finish in another order.
            problems.append(
                at(
                    element,
                    "是处在返工回路上的汇合网关：第二轮起可能只有一方办完就放行；"
                    "请把分开到汇合的这一段放进单独的子流程，回路画在子流程外面",
                )
            )
    automatic = {
        element: {target for target in targets if not _waits(graph, graph.elements[target])}
        for element, targets in forward.items()
    }
    circling = [
        element for element in inside.values() if element.id in _closure(automatic[element.id], automatic)
    ]
    if circling:
        problems.append(
            at(circling[0], "处在没有人办理也没有等待的回路上，会自动转个不停；请在回路里加上步骤")
        )
    return problems


def _waits(graph: Graph, element: Element) -> bool:
    if element.kind == "subProcess":
        return any(_waits(graph, inner) for inner in graph.inside(element.id))
    return element.kind in WAITING_KINDS


def lint_lanes(graph: Graph, root: Any, *, foreign: bool = False) -> list[Problem]:
    """Lanes: who acts. An embedded subProcess named in a lane would override the lanes of its inner tasks.

    :param foreign: of a file in no catalogue: nobody is asked for, a step may stand in no lane.
    """
    problems: list[Problem] = []
    listed: dict[str, int] = {}
    for lane in root.iter(f"{{{BPMN}}}lane"):
        for reference in lane.iter(f"{{{BPMN}}}flowNodeRef"):
            identifier = (reference.text or "").strip()
            listed[identifier] = listed.get(identifier, 0) + 1
            element = graph.elements.get(identifier)
            if element is None:
                problems.append(
                    Problem.at(
                        FILE,
                        lane.get("id", ""),
                        f"列出了不存在的图形 {identifier}；请删去这条 flowNodeRef",
                        lane.get("name", ""),
                    )
                )
            elif element.kind == "subProcess":
                problems.append(
                    at(
                        element,
                        "是子流程，不能列在泳道的 flowNodeRef 里（会改变里面步骤的部门）；请改为列出里面的步骤",
                    )
                )
    for identifier, count in listed.items():
        if count > 1 and identifier in graph.elements:
            problems.append(at(graph.elements[identifier], "列在了不止一个泳道里；请只留一个"))
    problems += [
        at(element, "是用户任务，但没有列在任何泳道里，不知道由谁办理；请列入泳道的 flowNodeRef")
        for element in graph.elements.values()
        if element.kind == "userTask" and element.lane is None and not foreign
    ]
    return problems


def lint_layout(graph: Graph) -> list[Problem]:
    """Everything has its place on the picture: people read the process from it."""
    problems = [
        at(element, "在图上没有位置（BPMNShape）；请用流程图编辑器摆放后保存")
        for element in graph.elements.values()
        if element.id not in graph.boxes
    ]
    problems += [
        at_flow(flow, "在图上没有画线（BPMNEdge 至少两个点）；请用流程图编辑器连线后保存")
        for flow in graph.flows.values()
        if flow.id not in graph.waypoints
    ]
    problems += [
        Problem.at(FILE, lane, "泳道在图上没有位置（BPMNShape）；请用流程图编辑器摆放后保存", name)
        for lane, name in graph.lanes.items()
        if lane not in graph.boxes
    ]
    return problems
