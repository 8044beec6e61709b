"""Decision tables of our own: read from standard DMN XML, compiled once, run on plain facts.

Only what is shown to mean the same here as in the standard is accepted; :mod:`workflows.engine.lint_dmn` proves in
addition that no input is without a rule and that no two rules contradict each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from workflows.engine.cells import (
    TYPE_NAMES,
    TYPE_TITLES,
    Cell,
    CellError,
    Scalar,
    ValueType,
    fits,
    read_cell,
    read_constant,
)
from workflows.engine.errors import EngineError, FactError, Problem
from workflows.engine.xmltext import local, namespace, parse_xml

HitPolicy: TypeAlias = Literal["UNIQUE", "FIRST", "ANY", "COLLECT"]
HIT_POLICIES: tuple[HitPolicy, ...] = ("UNIQUE", "FIRST", "ANY", "COLLECT")
NAMESPACES = (
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
)
_FACT_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_CITATION = re.compile(r"依据[：:]\s*(.+)", re.DOTALL)
#: Children of definitions that say nothing about the result.
_HARMLESS = frozenset(
    {"inputData", "DMNDI", "textAnnotation", "association", "description", "knowledgeSource"}
)


@dataclass(frozen=True)
class Input:
    """A column that is asked. ``fact``: its name among the facts; ``allowed``: what values can come at all."""

    fact: str
    label: str
    type: ValueType
    allowed: Cell
    nullable: bool


@dataclass(frozen=True)
class Output:
    """A column that is answered."""

    name: str
    label: str
    type: ValueType
    allowed: Cell


@dataclass(frozen=True)
class Rule:
    """A row. ``citation``: the basis named after 依据：; ``note``: what stands before it; ``number``: 1, 2, …"""

    id: str
    number: int
    cells: tuple[Cell, ...]
    outputs: Mapping[str, Scalar]
    citation: str
    note: str
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """A compiled table."""

    id: str
    name: str
    file: str
    hit_policy: HitPolicy
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Decided:
    """What a table said.

    :param outputs: output name → value; under COLLECT a list of such rows, in the table's order, maybe empty.
    :param fired: ids of the rules that gave it. :param rules: these rules, with their citations.
    """

    outputs: dict[str, Scalar] | list[dict[str, Scalar]]
    fired: tuple[str, ...]
    rules: tuple[Rule, ...]

    @property
    def row(self) -> dict[str, Scalar]:
        """The one row of a table that gives one.

        :raises EngineError: it is a collecting table.
        """
        if isinstance(self.outputs, list):
            raise EngineError("这张规则表给出的是一组结果，不能当作一个结果使用，请联系管理员。")
        return self.outputs


def decide(decision: Decision, facts: Mapping[str, Scalar]) -> Decided:
    """Run a table.

    :param facts: fact name → value; further facts are ignored. Numbers are ``int`` or ``Decimal``, dates ``date``.
    :raises FactError: a fact is missing, of the wrong type, empty where the table does not provide for it, or not
        among the allowed values. Never a silent "no rule matched".
    :raises EngineError: no rule matched, or several that contradict each other (the lint excludes both).
    """
    values = [_fact(decision, column, facts) for column in decision.inputs]
    matched = [
        rule
        for rule in decision.rules
        if all(cell.matches(value) for cell, value in zip(rule.cells, values, strict=True))
    ]
    if decision.hit_policy == "COLLECT":
        return Decided(
            [dict(rule.outputs) for rule in matched], tuple(rule.id for rule in matched), tuple(matched)
        )
    if not matched:
        raise EngineError(f"规则表「{decision.name}」没有适用于当前情况的规则，请联系管理员补充。")
    if decision.hit_policy == "FIRST":
        matched = matched[:1]
    elif any(rule.outputs != matched[0].outputs for rule in matched) or (
        decision.hit_policy == "UNIQUE" and len(matched) > 1
    ):
        raise EngineError(f"规则表「{decision.name}」有几条规则同时适用，请联系管理员修正。")
    return Decided(dict(matched[0].outputs), tuple(rule.id for rule in matched), tuple(matched))


def _fact(decision: Decision, column: Input, facts: Mapping[str, Scalar]) -> Scalar:
    where = f"规则表「{decision.name}」需要的「{column.label}」"
    if column.fact not in facts:
        raise FactError(f"{where}没有提供，无法判断；请补充后再试。")
    value = facts[column.fact]
    if value is None:
        if not column.nullable:
            raise FactError(f"{where}是空的，无法判断；请补充后再试。")
        return None
    if not fits(value, column.type):
        raise FactError(
            f"{where}应是{TYPE_TITLES[column.type]}，得到的却是别的类型，无法判断；请联系管理员。"
        )
    if not column.allowed.matches(value):
        raise FactError(f"{where}不在规则表允许的取值之内，无法判断；请核对后再试。")
    return value


def read_decisions(text: str, file: str) -> tuple[list[Decision], list[Problem]]:
    """Read all tables of a DMN file. Tables with problems are left out."""
    root = parse_xml(text, file)
    if isinstance(root, Problem):
        return [], [root]
    if local(root) != "definitions" or namespace(root) not in NAMESPACES:
        return [], [Problem.at(file, "", "不是 DMN 1.2 以上的规则表文件；请用规则表编辑器重新保存")]
    decisions: list[Decision] = []
    problems: list[Problem] = []
    for child in root:
        kind = local(child)
        if kind == "decision":
            reader = _TableReader(file, child)
            decision = reader.read()
            problems += reader.problems
            if decision is not None and not reader.problems:
                decisions.append(decision)
        elif kind not in _HARMLESS:
            problems.append(
                Problem.at(file, child.get("id", kind), f"是系统不执行的内容（{kind}）；请删去，只保留规则表")
            )
    if not decisions and not problems:
        problems.append(Problem.at(file, "", "里没有规则表；请添加 decision，或从 process.yaml 中去掉"))
    return decisions, problems


class _TableReader:
    """Reads one decision; collects problems instead of raising."""

    def __init__(self, file: str, node: Any) -> None:
        self.file = file
        self.node = node
        self.id = str(node.get("id", ""))
        self.name = str(node.get("name", "")) or self.id
        self.problems: list[Problem] = []

    def _problem(self, what: str) -> None:
        self.problems.append(Problem.at(self.file, self.id, what, self.name))

    def read(self) -> Decision | None:
        if not _FACT_NAME.match(self.id):
            self._problem("规则表的 id 应是小写英文（如 workshop_eligibility）；请修改")
        tables = [child for child in self.node if local(child) == "decisionTable"]
        for child in self.node:
            kind = local(child)
            if kind not in ("decisionTable", "variable", "description", "informationRequirement", "question"):
                self._problem(f"含有系统不执行的内容（{kind}）；请改用一张规则表表达")
            elif kind == "informationRequirement" and any(
                local(part) == "requiredDecision" for part in child
            ):
                self._problem("依赖另一张规则表的结果；请把需要的值作为事实直接输入")
        if len(tables) != 1:
            self._problem("应当正好有一张规则表（decisionTable）")
            return None
        return self._table(tables[0])

    def _table(self, table: Any) -> Decision | None:
        policy = str(table.get("hitPolicy", "UNIQUE"))
        if policy not in HIT_POLICIES:
            self._problem(f"的命中方式是 {policy}，系统只支持 UNIQUE、FIRST、ANY、COLLECT；请改选")
        if table.get("aggregation"):
            self._problem(f"使用了汇总方式 {table.get('aggregation')}，系统不计算汇总；请去掉 aggregation")
        inputs = [self._input(n, child) for n, child in enumerate(_children(table, "input"), 1)]
        outputs = [self._output(n, child, table) for n, child in enumerate(_children(table, "output"), 1)]
        for child in table:
            if local(child) not in ("input", "output", "rule", "annotation", "description"):
                self._problem(f"含有系统不执行的内容（{local(child)}）；请删去")
        rows = _children(table, "rule")
        if not inputs or not outputs or not rows:
            self._problem("至少要有一个输入列、一个输出列和一条规则")
        names = [column.fact for column in inputs if column] + [column.name for column in outputs if column]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._problem(f"有两列都叫 {name}；请改名")
        if self.problems:
            return None
        ready_in = [column for column in inputs if column is not None]
        ready_out = [column for column in outputs if column is not None]
        rules = [self._rule(number, row, ready_in, ready_out) for number, row in enumerate(rows, 1)]
        ids = [rule.id for rule in rules]
        for identifier in sorted({identifier for identifier in ids if ids.count(identifier) > 1}):
            self._problem(f"有两条规则的 id 都是 {identifier}；请改成不同的 id")
        if self.problems:  # a rule without all its cells has nothing to say about their columns
            return None
        nullable = [any(rule.cells[n].mentions_null() for rule in rules) for n in range(len(ready_in))]
        columns = tuple(
            Input(column.fact, column.label, column.type, column.allowed, may)
            for column, may in zip(ready_in, nullable, strict=True)
        )
        return Decision(
            self.id,
            self.name,
            self.file,
            policy,  # type: ignore[arg-type]  # checked above
            columns,
            tuple(ready_out),
            tuple(rules),
        )

    def _type(self, name: str | None, place: str) -> ValueType | None:
        plain = (name or "").rpartition(":")[2]
        if plain not in TYPE_NAMES:
            self._problem(
                f"{place}没有写明类型或类型不支持（typeRef）；请选 string、boolean、number、integer 或 date"
            )
            return None
        return TYPE_NAMES[plain]

    def _allowed(self, node: Any, tag: str, wanted: ValueType, place: str) -> Cell:
        values = _children(node, tag)
        text = _text(values[0]) if values else ""
        try:
            return read_cell(text, wanted)
        except CellError as error:
            self._problem(f"{place}的允许取值（{tag}）写法不对：{error}")
            return Cell("-")

    def _input(self, number: int, node: Any) -> Input | None:
        place = f"第 {number} 个输入列"
        expressions = _children(node, "inputExpression")
        fact = _text(expressions[0]) if len(expressions) == 1 else ""
        if not _FACT_NAME.match(fact):
            self._problem(f"{place}的表达式应当只是一个事实的名称（小写英文），不能是计算式；请修改")
            return None
        if expressions[0].get("expressionLanguage"):
            self._problem(f"{place}另选了表达式语言，系统不执行；请去掉 expressionLanguage")
        kind = self._type(expressions[0].get("typeRef"), place)
        if kind is None:
            return None
        label = str(node.get("label", "")) or fact
        return Input(fact, label, kind, self._allowed(node, "inputValues", kind, place), False)

    def _output(self, number: int, node: Any, table: Any) -> Output | None:
        place = f"第 {number} 个输出列"
        name = str(node.get("name") or "")
        if not _FACT_NAME.match(name):
            self._problem(f"{place}没有名称，或名称不是小写英文（name）；请修改")
            return None
        if _children(node, "defaultOutputEntry"):
            self._problem(f"{place}写了默认值（defaultOutputEntry），系统不使用；请改成一条规则")
        kind = self._type(node.get("typeRef"), place)
        if kind is None:
            return None
        label = str(node.get("label", "")) or name
        return Output(name, label, kind, self._allowed(node, "outputValues", kind, place))

    def _rule(self, number: int, row: Any, inputs: Sequence[Input], outputs: Sequence[Output]) -> Rule:
        identifier = str(row.get("id") or "")
        if not identifier:
            self._problem(f"第 {number} 条规则没有 id；请补上")
        entries, answers = _children(row, "inputEntry"), _children(row, "outputEntry")
        cells: list[Cell] = []
        values: dict[str, Scalar] = {}
        if len(entries) != len(inputs) or len(answers) != len(outputs):
            self._problem(f"第 {number} 条规则的格数与列数不一致；请补齐")
        for column, entry in zip(inputs, entries, strict=False):
            place = f"第 {number} 条规则「{column.label}」一格“{_text(entry)}”"
            cells.append(self._cell(entry, column, place))
        for answer_column, entry in zip(outputs, answers, strict=False):
            place = f"第 {number} 条规则「{answer_column.label}」一格“{_text(entry)}”"
            try:
                value = read_constant(_text(entry), answer_column.type)
                if not answer_column.allowed.matches(value):
                    raise CellError("不在这一列允许的取值之内")
                values[answer_column.name] = value
            except CellError as error:
                self._problem(f"{place}写法不对：{error}")
        descriptions = [_text(child) for child in _children(row, "description")]
        annotations = tuple(_text(child) for child in _children(row, "annotationEntry"))
        note, citation = _citation([*descriptions, *annotations])
        if not citation:
            self._problem(f"第 {number} 条规则没有写依据；请在说明中写“依据：文号和条款”")
        return Rule(identifier, number, tuple(cells), values, citation, note, annotations)

    def _cell(self, entry: Any, column: Input, place: str) -> Cell:
        if entry.get("expressionLanguage"):
            self._problem(f"{place}另选了表达式语言，系统不执行；请去掉 expressionLanguage")
        try:
            return read_cell(_text(entry), column.type)
        except CellError as error:
            self._problem(f"{place}写法不对：{error}")
            return Cell("-")


def _citation(texts: Sequence[str]) -> tuple[str, str]:
    for text in texts:
        found = _CITATION.search(text)
        if found is not None:
            return text[: found.start()].strip(" ，；。\n"), found[1].strip()
    return "", ""


def _children(node: Any, tag: str) -> list[Any]:
    return [child for child in node if local(child) == tag]


def _text(node: Any) -> str:
    # An entry's text lies in its text element; a description's lies in itself.
    inner = _children(node, "text")
    return "".join((inner[0] if inner else node).itertext()).strip()
