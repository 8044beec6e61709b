"""Whether every name in the diagram resolves: functions, operations, decisions, messages, and what their arguments name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.engine.dmn import Decision
from workflows.engine.errors import ExpressionError, Problem
from workflows.engine.expressions import NESTED, Call, Comparison, Expression, compile_expression
from workflows.engine.graph import Element, Graph
from workflows.engine.implementation import read_implementation
from workflows.engine.lint_flow import at, at_flow
from workflows.engine.package import ProcessPackage
from workflows.engine.vocabulary import Refers, Vocabulary

_TITLES: dict[Refers, str] = {
    "step": "步骤",
    "step_or_form": "步骤或表单",
    "decision": "规则表",
    "output": "规则表的输出",
    "parameter": "参数",
    "outcome": "办理结果",
    "status": "状态",
    "document": "文书",
    "publicity": "公示种类",
    "department": "部门",
    "lane": "泳道",
    "unit": "时限单位",
}


@dataclass(frozen=True)
class Names:
    """All names of a package, by what they are."""

    known: Mapping[Refers, frozenset[str]]
    #: step → outcomes of its form; empty when the form has none.
    outcomes: Mapping[str, tuple[str, ...]]
    decisions: Mapping[str, Decision] = field(default_factory=dict)


def keys(content: Any) -> frozenset[str]:
    """The keys of a mapping, or the ``key`` of each entry of a list of mappings; empty for anything else."""
    if isinstance(content, Mapping):
        return frozenset(str(key) for key in content)
    if isinstance(content, list):
        return frozenset(
            str(entry["key"]) for entry in content if isinstance(entry, Mapping) and "key" in entry
        )
    return frozenset()


def collect_names(
    package: ProcessPackage, graph: Graph, vocabulary: Vocabulary, decisions: Mapping[str, Decision]
) -> Names:
    """Gather the names once, tolerant of a broken ``process.yaml``."""
    config = package.config
    steps = config.get("steps")
    outcomes: dict[str, tuple[str, ...]] = {}
    for key, step in steps.items() if isinstance(steps, Mapping) else ():
        form = step.get("form", key) if isinstance(step, Mapping) else key
        outcomes[str(key)] = tuple(package.forms.get(str(form), ()))
    user_tasks = frozenset(element.id for element in graph.elements.values() if element.kind == "userTask")
    return Names(
        known={
            "step": user_tasks,
            "step_or_form": user_tasks | frozenset(package.forms),
            "decision": keys(config.get("decisions")),
            "output": frozenset(
                output.name for decision in decisions.values() for output in decision.outputs
            ),
            "parameter": keys(config.get("parameters")),
            "outcome": frozenset(outcome for values in outcomes.values() for outcome in values),
            "status": keys(config.get("statuses")),
            "document": keys(config.get("documents")),
            "publicity": keys(config.get("publicity")),
            "department": vocabulary.departments,
            "lane": frozenset(graph.lanes),
            "unit": frozenset({"working", "calendar"}),
        },
        outcomes=outcomes,
        decisions=decisions,
    )


def lint_names(graph: Graph, names: Names, vocabulary: Vocabulary) -> list[Problem]:
    """Problems of names in the diagram."""
    problems: list[Problem] = []
    conditions: dict[str, Expression] = {}
    for flow in graph.flows.values():
        if not flow.condition:
            continue
        try:
            expression = compile_expression(flow.condition, vocabulary.arities)
            _boolean(expression, vocabulary)
            problems += [at_flow(flow, f"的条件{what}") for what in _meaning(expression, names, vocabulary)]
            conditions[flow.id] = expression
        except ExpressionError as error:
            problems.append(at_flow(flow, f"的条件{error.message}"))
    for element in graph.elements.values():
        if element.kind == "exclusiveGateway" and not element.default:
            problems += _exhaustive(graph, element, conditions, names, vocabulary)
        elif element.kind in ("serviceTask", "businessRuleTask"):
            problems += _task(element, names, vocabulary)
        elif element.event == "timer":
            problems += _timer(element, names, vocabulary)
        elif element.event == "message" and element.detail not in vocabulary.messages:
            problems.append(
                at(
                    element,
                    f"等待的消息“{element.detail}”没有人会发送；"
                    f"可以等待的消息是：{_listed(vocabulary.messages)}",
                )
            )
    return problems


def _boolean(expression: Expression, vocabulary: Vocabulary) -> None:
    if expression.root is not None and vocabulary.functions[expression.root.name].returns != "boolean":
        raise ExpressionError('只有一个函数，结果不是“是或否”；请写成比较，例如 == "agree"')
    if expression.root is None and not expression.boolean:
        raise ExpressionError("的结果不是“是或否”；请写成比较")
    for call in expression.truths:
        if vocabulary.functions[call.name].returns != "boolean":
            raise ExpressionError(f"把 {call.name} 的结果当作“是或否”；请写成比较，例如 == 0")


def _listed(values: Iterable[str]) -> str:
    return "、".join(sorted(values)) or "（没有）"


def _meaning(expression: Expression, names: Names, vocabulary: Vocabulary) -> list[str]:
    """What in an expression does not resolve, as ends of sentences."""
    found: list[str] = []
    for call in expression.calls:
        found += _arguments(call, names, vocabulary)
    for comparison in expression.comparisons:
        found += _constants(comparison, names, vocabulary)
    return found


def _arguments(call: Call, names: Names, vocabulary: Vocabulary) -> list[str]:
    signature = vocabulary.functions[call.name]
    found: list[str] = []
    for position, argument in enumerate(call.arguments):
        refers = signature.refers[position] if position < len(signature.refers) else signature.rest
        if refers is None:
            continue
        if argument is NESTED:
            found.append(f"里 {call.name} 的第 {position + 1} 个参数应当直接写出{_TITLES[refers]}的名称")
        elif refers == "output":
            found += _output(call, str(argument), names)
        elif argument not in names.known[refers]:
            found.append(
                f"里 {call.name} 提到的{_TITLES[refers]}“{argument}”不存在；"
                f"现有：{_listed(names.known[refers])}"
            )
    return found


def _output(call: Call, output: str, names: Names) -> list[str]:
    decision = names.decisions.get(str(call.arguments[0]))
    if decision is None:
        return []
    known = [column.name for column in decision.outputs]
    if output in known:
        return []
    return [f"里规则表 {decision.id} 没有输出“{output}”；现有：{_listed(known)}"]


def _constants(comparison: Comparison, names: Names, vocabulary: Vocabulary) -> list[str]:
    """A result compared with a word that can never come would silently take the default way."""
    call = comparison.call
    signature = vocabulary.functions[call.name]
    subject = str(call.arguments[0]) if call.arguments else ""
    possible: list[object] = []
    if signature.returns == "outcome":
        possible = list(names.outcomes.get(subject, ()))
    elif "output" in signature.refers and subject in names.decisions and len(call.arguments) > 1:
        decision = names.decisions[subject]
        if decision.hit_policy != "COLLECT":
            output = str(call.arguments[1])
            possible = [rule.outputs[output] for rule in decision.rules if output in rule.outputs]
    if not possible:
        return []
    return [
        f"拿 {call.name} 与“{constant}”比较，但“{subject}”不会得出这个结果；可能的结果：{_listed({str(value) for value in possible})}"
        for constant in comparison.constants
        if constant not in possible
    ]


def _exhaustive(
    graph: Graph,
    element: Element,
    conditions: Mapping[str, Expression],
    names: Names,
    vocabulary: Vocabulary,
) -> list[Problem]:
    """Without a default, the conditions must be exactly the outcomes of one step."""
    flows = graph.outgoing.get(element.id, ())
    if len(flows) < 2 or any(flow.condition and flow.id not in conditions for flow in flows):
        return []
    steps: set[str] = set()
    covered: set[object] = set()
    for flow in flows:
        expression = conditions.get(flow.id)
        whole = expression.whole if expression is not None else None
        if (
            whole is None
            or not whole.equality
            or vocabulary.functions[whole.call.name].returns != "outcome"
            or not whole.call.arguments
        ):
            return [at(element, "没有默认流向，条件都不满足时会停住；请把其中一条设为默认流向（default）")]
        steps.add(str(whole.call.arguments[0]))
        covered |= set(whole.constants)
    missing = (
        set(names.outcomes.get(next(iter(steps)), ())) - covered
        if len(steps) == 1
        else {"（几个步骤的结果）"}
    )
    if missing or not names.outcomes.get(next(iter(steps))):
        return [
            at(
                element,
                f"没有默认流向，而条件没有包括全部办理结果（缺 {_listed(str(value) for value in missing)}）；"
                "请补上流向或设默认流向",
            )
        ]
    return []


def _task(element: Element, names: Names, vocabulary: Vocabulary) -> list[Problem]:
    found = read_implementation(element.detail)
    wanted = "operation" if element.kind == "serviceTask" else "decision"
    if found is None or found.kind != wanted:
        form = (
            "urn:wengang:operation:操作名?参数=值" if wanted == "operation" else "urn:wengang:decision:规则表"
        )
        return [at(element, f"没有写明执行什么（implementation）；请写成 {form}")]
    if found.kind == "decision":
        if found.name not in names.known["decision"]:
            return [
                at(
                    element,
                    f"要运行的规则表“{found.name}”没有在 process.yaml 的 decisions 里登记；"
                    f"现有：{_listed(names.known['decision'])}",
                )
            ]
        return []
    arguments = vocabulary.operations.get(found.name)
    if arguments is None:
        return [
            at(
                element,
                f"要执行的操作“{found.name}”不存在；可以使用的操作是：{_listed(vocabulary.operations)}",
            )
        ]
    problems: list[Problem] = []
    for name, argument in arguments.items():
        if argument.required and name not in found.arguments:
            problems.append(at(element, f"的操作 {found.name} 缺少参数 {name}；请在 implementation 里补上"))
    for name, value in found.arguments.items():
        if name not in arguments:
            problems.append(
                at(element, f"的操作 {found.name} 没有参数 {name}；可以写的参数是：{_listed(arguments)}")
            )
            continue
        refers = arguments[name].refers
        if refers is not None and value not in names.known[refers]:
            problems.append(
                at(
                    element,
                    f"的操作 {found.name} 提到的{_TITLES[refers]}“{value}”不存在；"
                    f"现有：{_listed(names.known[refers])}",
                )
            )
    return problems


def _timer(element: Element, names: Names, vocabulary: Vocabulary) -> list[Problem]:
    try:
        expression = compile_expression(element.detail, vocabulary.arities)
    except ExpressionError as error:
        return [at(element, f"的截止时刻{error.message}")]
    if expression.root is None or vocabulary.functions[expression.root.name].returns != "instant":
        instants = [
            name for name, signature in vocabulary.functions.items() if signature.returns == "instant"
        ]
        return [at(element, f"的截止时刻应当只是一个给出时刻的函数；可以使用：{_listed(instants)}")]
    return [at(element, f"的截止时刻{what}") for what in _meaning(expression, names, vocabulary)]
