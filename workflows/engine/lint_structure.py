"""What a BPMN file may consist of: everything the engine would ignore, or run otherwise than the standard, is refused."""

from __future__ import annotations

import re
from typing import Any

from workflows.engine.errors import Problem
from workflows.engine.graph import BPMN, DI, NODE_KINDS
from workflows.engine.xmltext import local, namespace

FILE = "process.bpmn"
NODE_ID = re.compile(r"^[a-z][a-z0-9_]{0,79}$")
FLOW_ID = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]{0,199}$")
_XSI = "http://www.w3.org/2001/XMLSchema-instance"

_ROOT = frozenset({"process", "collaboration", "message", "documentation"})
_SCOPE = NODE_KINDS | {
    "sequenceFlow",
    "documentation",
    "textAnnotation",
    "association",
    "group",
    "incoming",
    "outgoing",
}
_NODE = frozenset({"documentation", "incoming", "outgoing"})
_EVENTS = frozenset({"timerEventDefinition", "messageEventDefinition"})
_NAMED = frozenset(
    {
        "userTask",
        "serviceTask",
        "businessRuleTask",
        "subProcess",
        "intermediateCatchEvent",
        "boundaryEvent",
        "lane",
        "process",
    }
)
_ACTIVITY = "default startQuantity completionQuantity isForCompensation"
#: Element → the attributes that are read, or checked, where they stand on it. All may have an id and a name.
_ATTRIBUTES = {
    kind: frozenset({"id", "name", *names.split()})
    for kind, names in {
        "process": "processType isClosed isExecutable",
        "userTask": f"{_ACTIVITY} implementation",
        "serviceTask": f"{_ACTIVITY} implementation",
        "businessRuleTask": f"{_ACTIVITY} implementation",
        "subProcess": f"{_ACTIVITY} triggeredByEvent",
        "startEvent": "isInterrupting parallelMultiple",
        "endEvent": "",
        "intermediateCatchEvent": "parallelMultiple",
        "boundaryEvent": "attachedToRef cancelActivity parallelMultiple",
        "exclusiveGateway": "gatewayDirection default",
        "parallelGateway": "gatewayDirection",
        "eventBasedGateway": "gatewayDirection instantiate eventGatewayType",
        "sequenceFlow": "sourceRef targetRef",
        "conditionExpression": "language",
        "message": "",
        "timerEventDefinition": "",
        "timeDate": "",
        "messageEventDefinition": "messageRef",
        "lane": "",
        "laneSet": "",
        "participant": "processRef",
        "collaboration": "isClosed",
    }.items()
}
#: Attribute → the only value the engine honours, and what to say about others.
_FIXED = {
    "startQuantity": ("1", "要求多个令牌才开始（startQuantity），系统不按此执行；请改为 1"),
    "completionQuantity": ("1", "完成时产生多个令牌（completionQuantity），系统不按此执行；请改为 1"),
    "isForCompensation": ("false", "标为补偿活动，系统不执行补偿；请用普通流向画出补救步骤"),
    "triggeredByEvent": ("false", "是事件子流程，系统不执行；请用事件网关或边界事件画出"),
    "instantiate": ("false", "标为启动流程的网关，系统不执行；请从开始事件画起"),
    "parallelMultiple": ("false", "要求同时满足多个事件，系统不执行；请拆成单个事件"),
    "eventGatewayType": ("Exclusive", "是并行的事件网关，系统不执行；请改为排他的"),
    "cancelActivity": ("true", "是不中断的边界事件，会多出一个办理位置；请改为中断的，或画成单独的流程"),
    "isInterrupting": ("true", "是不中断的开始事件，系统不执行；请改为普通开始事件"),
    "isExecutable": ("true", "没有标为可执行（isExecutable），请改为 true"),
}
#: What a gateway may say of itself → whether several flows may come in, and go out.
_DIRECTIONS = {
    "Unspecified": (True, True),
    "Mixed": (True, True),
    "Converging": (True, False),
    "Diverging": (False, True),
}
#: Names that the library gives to steps of its own: an element of that name would be taken for them, and never be acted on.
_LIBRARY_IDS = frozenset({"Start", "End", "Root"})
_LIBRARY_ENDS = (".EndJoin", ".BoundaryEventSplit", ".BoundaryEventJoin", " [child]")
_REFUSED = {
    "scriptTask": "是脚本任务：流程图里不能有代码；请改用系统任务并写明操作（urn:wengang:operation:…），或用规则表",
    "task": "没有写明由谁办理；请改为用户任务、系统任务或规则任务",
    "manualTask": "是手工任务，系统无法知道何时办完；请改为用户任务",
    "sendTask": "是发送任务，系统不执行；请改用系统任务 notify",
    "receiveTask": "是接收任务，系统不执行；请改用消息捕获事件",
    "callActivity": "是调用活动，系统不执行；请改用子流程画在图内",
    "transaction": "是事务子流程，系统不执行补偿；请改用普通子流程",
    "adHocSubProcess": "是临时子流程，没有确定的顺序；请画出顺序",
    "complexGateway": "是复杂网关，系统的执行与标准不同；请改用排他网关或并行网关",
    "inclusiveGateway": "是包容网关，返工时可能提前放行；请改用排他网关，或在子流程里用并行网关",
    "intermediateThrowEvent": "是抛出事件，系统不执行；请改用系统任务写明操作",
    "standardLoopCharacteristics": "标了循环，系统不执行；请用返回的流向画出",
    "multiInstanceLoopCharacteristics": "标了多实例；名单由一个步骤逐行办理，请去掉多实例标记",
    "extensionElements": "含有其他软件的扩展内容，系统不理解也不会执行；请删去",
    "ioSpecification": "写了数据输入输出，系统不使用；请删去",
    "dataInputAssociation": "关联了数据，系统不使用；请删去，条件请写函数",
    "dataOutputAssociation": "关联了数据，系统不使用；请删去，条件请写函数",
    "property": "写了流程变量，系统不使用；请删去",
    "dataObject": "是数据对象，系统不使用；请删去，或改为文字批注",
    "dataObjectReference": "是数据对象，系统不使用；请删去，或改为文字批注",
    "dataStoreReference": "是数据存储，系统不使用；请删去，或改为文字批注",
    "terminateEventDefinition": "是终止结束事件；终止是系统的通用操作，不画在图上，请改为普通结束事件",
    "signalEventDefinition": "是信号事件，系统不执行；请改用消息",
    "errorEventDefinition": "是错误事件，系统不执行；请用排他网关画出",
    "escalationEventDefinition": "是升级事件，系统不执行；超期提醒请写在 process.yaml 的时限里",
    "compensateEventDefinition": "是补偿事件，系统不执行；请用普通流向画出补救步骤",
    "conditionalEventDefinition": "是条件事件，系统不会随时检查条件；请改用消息或计时",
    "cancelEventDefinition": "是取消事件，系统不执行；请用排他网关画出",
    "linkEventDefinition": "是链接事件，系统不执行；请直接连线",
    "childLaneSet": "里又分了泳道；请只用一层泳道",
    "messageFlow": "是泳池之间的消息流；请只画一个泳池",
}


def lint_structure(root: Any, key: str | None) -> list[Problem]:
    """Problems of the file's make-up.

    :param root: parsed XML.
    :param key: what the process id must be; ``None`` for a file that is in no catalogue: then ids and names may be of any kind.
    """
    if namespace(root) != BPMN or local(root) != "definitions":
        return [Problem.at(FILE, "", "不是 BPMN 2.0 流程文件；请用流程图编辑器重新保存")]
    walk = _Walk(key)
    walk.root(root)
    return walk.problems


class _Walk:
    def __init__(self, key: str | None) -> None:
        self.key = key
        self.foreign = key is None
        self.problems: list[Problem] = []
        self.messages: set[str] = set()
        #: (end of a flow, element) → ids of the flows that are drawn there.
        self.drawn: dict[tuple[str, str], set[str]] = {}

    def problem(self, node: Any, what: str) -> None:
        owner = node
        # Parts without an id of their own are named by what they belong to.
        while owner is not None and not owner.get("id"):
            owner = owner.getparent()
        identifier = owner.get("id") if owner is not None else ""
        name = owner.get("name", "") if owner is not None else ""
        line = f"第 {node.sourceline} 行，" if not node.get("id") and node.sourceline else ""
        self.problems.append(Problem.at(FILE, identifier or local(node), f"{line}{what}", name))

    def refuse(self, node: Any) -> None:
        kind = local(node)
        self.problem(node, _REFUSED.get(kind, f"含有系统不执行的内容（{kind}）；请删去，或用支持的图形画出"))

    def root(self, root: Any) -> None:
        self.messages = {child.get("id", "") for child in root if local(child) == "message"}
        for flow in root.iter(f"{{{BPMN}}}sequenceFlow"):
            for side, reference in (("outgoing", "sourceRef"), ("incoming", "targetRef")):
                self.drawn.setdefault((side, flow.get(reference, "")), set()).add(flow.get("id", ""))
        processes = []
        for child in root:
            if namespace(child) == DI:
                continue
            kind = local(child)
            if namespace(child) != BPMN or kind not in _ROOT:
                self.refuse(child)
            elif kind == "process":
                processes.append(child)
            elif kind == "message":
                self.message(child)
        names = [child.get("name") for child in root if local(child) == "message"]
        for name in sorted({name for name in names if name and names.count(name) > 1}):
            self.problems.append(Problem.at(FILE, name, "消息名称重复；同一个消息只定义一次"))
        self.ids(root)
        if len(processes) != 1:
            found = "没有流程（process）" if not processes else f"有 {len(processes)} 个流程"
            self.problems.append(Problem.at(FILE, "", f"{found}；一个文件应当正好画一个流程"))
        for process in processes:
            if self.key is None:
                self.key = process.get("id") or ""
                if not self.key:
                    self.problem(process, "流程没有 id；请补上")
            elif process.get("id") != self.key:
                self.problem(process, f"流程的 id 应与文件夹同名（{self.key}）；请修改")
            if process.get("isExecutable") is None and not self.foreign:
                self.problem(process, _FIXED["isExecutable"][1])
            self.scope(process)
        for child in root:
            if local(child) == "collaboration" and namespace(child) == BPMN:
                self.collaboration(child)

    def message(self, node: Any) -> None:
        self.attributes(node)
        if not node.get("id"):
            self.problem(node, "消息没有 id，没有图形能等待它；请补上")
        if not node.get("name"):
            self.problem(node, "消息没有名称（name）；请写上系统发送的消息名")
        self.plain(node, also=("documentation",))

    def plain(self, node: Any, also: tuple[str, ...] = ()) -> None:
        """Nothing but text in it: an element inside an expression would be read as its text."""
        for child in node:
            if local(child) not in also or namespace(child) != BPMN:
                self.problem(node, f"里面有系统不读取的内容（{local(child)}）；请删去")

    def ids(self, root: Any) -> None:
        seen: dict[str, int] = {}
        for element in root.iter():
            identifier = element.get("id")
            if identifier is not None:
                seen[identifier] = seen.get(identifier, 0) + 1
        for identifier, count in seen.items():
            if count > 1:
                self.problems.append(Problem.at(FILE, identifier, "这个 id 用了不止一次；请改成不同的 id"))

    def collaboration(self, node: Any) -> None:
        participants = [child for child in node if local(child) == "participant"]
        if len(participants) > 1:
            self.problem(node, "画了几个泳池；一个文件只画一个流程，其他单位请用泳道")
        self.attributes(node)
        for child in node:
            if local(child) not in ("participant", "documentation", "textAnnotation", "association", "group"):
                self.refuse(child)
        for participant in participants:
            self.attributes(participant)
            if participant.get("processRef") != self.key:
                self.problem(participant, "泳池没有对应到流程（processRef）；请修改")
            for child in participant:
                if local(child) != "documentation":
                    self.refuse(child)

    def attributes(self, node: Any) -> None:
        known = _ATTRIBUTES[local(node)]
        for raw, value in node.attrib.items():
            place, name = ("", raw) if not raw.startswith("{") else tuple(raw[1:].split("}", 1))
            if place == _XSI:
                continue
            if place or name not in known:
                self.problem(node, f"写了系统不理解的属性 {name}，不会被执行；请删去")
            elif name in _FIXED and value != _FIXED[name][0]:
                self.problem(node, _FIXED[name][1])

    def scope(self, parent: Any) -> None:
        self.attributes(parent)
        top = local(parent) == "process"
        for node in parent:
            kind = local(node)
            if top and kind == "laneSet" and namespace(node) == BPMN:
                self.lanes(node)
            elif namespace(node) != BPMN or kind not in _SCOPE:
                self.refuse(node)
            elif kind == "sequenceFlow":
                self.flow(node)
            elif kind in NODE_KINDS:
                self.node(node, kind, top)

    def node(self, node: Any, kind: str, top: bool) -> None:
        identifier = node.get("id") or ""
        if not identifier:
            self.problem(node, f"没有 id 的图形（{kind}）；请补上英文 id")
        elif not self.foreign and not NODE_ID.match(identifier):
            self.problem(node, "的 id 应是小写英文、数字和下划线（如 hrss_review）；请修改")
        named = self.foreign or (node.get("name") or "").strip()
        if not named and (kind in _NAMED or (kind == "endEvent" and top)):
            self.problem(node, "没有名称；请写上中文名称，申请人和办理人员都要看图")
        for side in ("incoming", "outgoing"):
            listed = {
                (one.text or "").strip().rpartition(":")[2] for one in node.findall(f"{{{BPMN}}}{side}")
            }
            if listed and listed != self.drawn.get((side, identifier), set()):
                self.problem(node, f"列出的流向（{side}）与图上的连线不一致；请重新连线后保存")
        if self.foreign and (identifier in _LIBRARY_IDS or identifier.endswith(_LIBRARY_ENDS)):
            self.problem(node, "的 id 是流程引擎自己用的名称，会与它混淆；请改成别的 id")
        if kind == "subProcess":
            self.scope(node)
            return
        self.attributes(node)
        self.direction(node, kind, identifier)
        definitions = []
        for child in node:
            if (
                local(child) in _EVENTS
                and namespace(child) == BPMN
                and kind in ("intermediateCatchEvent", "boundaryEvent")
            ):
                definitions.append(child)
            elif local(child) not in _NODE or namespace(child) != BPMN:
                self.refuse_in(node, kind, child)
        if kind in ("intermediateCatchEvent", "boundaryEvent"):
            self.event(node, definitions)

    def direction(self, node: Any, kind: str, identifier: str) -> None:
        """What a gateway says of itself has to be what is drawn."""
        said = node.get("gatewayDirection", "Unspecified")
        many = {side: len(self.drawn.get((side, identifier), ())) > 1 for side in ("incoming", "outgoing")}
        if said not in _DIRECTIONS or any(
            many[side] and not may
            for side, may in zip(("incoming", "outgoing"), _DIRECTIONS[said], strict=True)
        ):
            self.problem(node, f"写的方向（gatewayDirection {said}）与图上的连线不一致；请修改")

    def refuse_in(self, node: Any, kind: str, child: Any) -> None:
        if local(child) in _EVENTS:
            place = {"startEvent": "开始事件", "endEvent": "结束事件"}.get(kind, "图形")
            self.problem(node, f"这种{place}不能带消息或计时；请改为普通{place}，等待请用捕获事件画出")
        else:
            self.refuse(child)

    def event(self, node: Any, definitions: list[Any]) -> None:
        if len(definitions) != 1:
            self.problem(node, "应当正好等待一个计时或一个消息；请修改")
            return
        definition = definitions[0]
        self.attributes(definition)
        if local(definition) == "messageEventDefinition":
            if definition.get("messageRef") not in self.messages:
                self.problem(node, "等待的消息没有定义（messageRef）；请在文件里定义 message 并引用它的 id")
            self.plain(definition, also=("documentation",))
            return
        parts = [local(child) for child in definition if namespace(child) == BPMN]
        for child in definition:
            if local(child) == "timeDate":
                self.attributes(child)
                self.plain(child)
        if parts != ["timeDate"]:
            self.problem(
                node, "计时应当只写截止时刻（timeDate），不支持时长和周期；请改为函数，如 publicity_end()"
            )

    def flow(self, node: Any) -> None:
        self.attributes(node)
        if not node.get("id") or not (self.foreign or FLOW_ID.match(node.get("id") or "")):
            self.problem(node, "流向没有 id，或 id 不是英文；请修改")
        conditions = 0
        for child in node:
            if local(child) == "conditionExpression" and namespace(child) == BPMN:
                conditions += 1
                self.attributes(child)
                self.plain(child)
                if child.get("language"):
                    self.problem(node, "条件另选了语言（language），系统不执行；请去掉")
            elif local(child) != "documentation" or namespace(child) != BPMN:
                self.refuse(child)
        if conditions > 1:
            self.problem(node, f"写了 {conditions} 个条件，不知道以哪个为准；请只留一个，用 and、or 连接")

    def lanes(self, lane_set: Any) -> None:
        self.attributes(lane_set)
        for lane in lane_set:
            if local(lane) != "lane" or namespace(lane) != BPMN:
                self.refuse(lane)
                continue
            self.attributes(lane)
            if not (self.foreign or NODE_ID.match(lane.get("id") or "")):
                self.problem(lane, "泳道没有 id，或 id 不是小写英文；请修改")
            if not (self.foreign or (lane.get("name") or "").strip()):
                self.problem(lane, "泳道没有名称；请写上部门的中文名称")
            for child in lane:
                if local(child) not in ("flowNodeRef", "documentation") or namespace(child) != BPMN:
                    self.refuse(child)
