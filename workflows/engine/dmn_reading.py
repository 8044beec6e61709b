"""Decision tables read from standard DMN XML.

Only what is shown to mean the same here as in the standard is accepted; everything else is refused with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.engine.cells import (
    TYPE_NAMES,
    TYPE_TITLES,
    Cell,
    CellError,
    Equal,
    Scalar,
    ValueType,
    read_cell,
    read_constant,
)
from workflows.engine.dmn import Decision, HitPolicy, Input, Output, Rule
from workflows.engine.dmn_parts import Parts
from workflows.engine.errors import Problem
from workflows.engine.xmltext import local, namespace, parse_xml

HIT_POLICIES: tuple[HitPolicy, ...] = ("UNIQUE", "FIRST", "ANY", "COLLECT")
#: What a file in no catalogue may have besides.
OTHERS: tuple[HitPolicy, ...] = ("RULE ORDER", "OUTPUT ORDER", "PRIORITY")
AGGREGATIONS = ("SUM", "MIN", "MAX", "COUNT")
#: DMN 1.1 to 1.5: a table has meant the same in all of them.
NAMESPACES = (
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
)
#: Most cells of a table: what is larger takes minutes to prove.
MAX_CELLS = 6_000
#: A type that no column can have: a structure, a list, or one that is said twice.
_UNCLEAR = "?"
_FACT_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
#: A name as others write it: words and single spaces.
_ANY_NAME = re.compile(r"^[^\W\d]\w*(?: \w+)*$")
#: What is no part of a name, or makes an expression of it.
_FEEL_WORD = re.compile(
    r"\b(?:and|or|not|true|false|null|if|then|else|for|in|return|some|every|satisfies|between|instance|of|function|external|"
    r"context|list|date|time|duration)\b"
)
_CITATION = re.compile(r"依据[：:]\s*(.+)", re.DOTALL)
#: Children of definitions that say nothing about the result.
_HARMLESS = frozenset(
    {
        "inputData",
        "DMNDI",
        "textAnnotation",
        "association",
        "description",
        "knowledgeSource",
        "itemDefinition",
        "group",
        "organizationUnit",
        "performanceIndicator",
        "extensionElements",
    }
)


def read_decisions(text: str, file: str, *, foreign: bool = False) -> tuple[list[Decision], list[Problem]]:
    """Read all tables of a DMN file. Tables with problems are left out.

    :param foreign: the file is nobody's in the catalogue: names may be of any kind, and no rule needs an id or a basis.
    """
    root = parse_xml(text, file)
    if isinstance(root, Problem):
        return [], [root]
    if local(root) != "definitions" or namespace(root) not in NAMESPACES:
        return [], [Problem.at(file, "", "不是 DMN 1.1 以上的规则表文件；请用规则表编辑器重新保存")]
    problems = [*_others_words(root, file), *Parts(file, namespace(root)).walk(root)]
    types = _types(root)
    decisions: list[Decision] = []
    for child in root:
        kind = local(child)
        if kind == "decision":
            reader = _TableReader(file, child, types, foreign=foreign)
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


@dataclass(frozen=True)
class _Types:
    """What a file says of types outside its tables.

    :param inputs: name of an input → its type. :param ids: of the inputs.
    :param own: name of a type → (the type it narrows, its allowed values).
    """

    inputs: Mapping[str, str]
    ids: frozenset[str]
    own: Mapping[str, tuple[str, str]]

    def base(self, name: str) -> tuple[ValueType | None, frozenset[str]]:
        """The plain type behind a name, and the values it is narrowed to; ``None`` for structures, lists and unknown names."""
        allowed: set[str] = set()
        for _ in range(5):  # types that narrow each other in a circle lead nowhere
            plain = name.rpartition(":")[2]
            if name in self.own:
                name, narrowed = self.own[name]
                allowed |= {narrowed} - {""}
            elif plain in TYPE_NAMES:
                return TYPE_NAMES[plain], frozenset(allowed)
            else:
                break
        return None, frozenset()


def _types(root: Any) -> _Types:
    inputs: dict[str, str] = {}
    for child in _children(root, "inputData"):
        for variable in _children(child, "variable"):
            name, kind = str(variable.get("name") or child.get("name")), str(variable.get("typeRef") or "")
            inputs[name] = kind if inputs.get(name, kind) == kind else _UNCLEAR
    own: dict[str, tuple[str, str]] = {}
    for child in _children(root, "itemDefinition"):
        parts = {local(part): _text(part) for part in child}
        name, plain = str(child.get("name")), child.get("isCollection", "false") == "false"
        if name in own or not plain or set(parts) - {"typeRef", "allowedValues", "description"}:
            own[name] = (_UNCLEAR, "")
        else:
            own[name] = (parts.get("typeRef", ""), parts.get("allowedValues", ""))
    ids = frozenset(str(child.get("id", "")) for child in _children(root, "inputData"))
    return _Types(inputs, ids, own)


def _others_words(root: Any, file: str) -> list[Problem]:
    """Languages that are not FEEL would change what a cell says."""
    return [
        Problem.at(file, "", f"另选了语言（{name}），系统不执行；请改用 FEEL")
        for name in ("expressionLanguage", "typeLanguage")
        if root.get(name) and not root.get(name).rstrip("/").lower().endswith("feel")
    ]


class _TableReader:
    """Reads one decision; collects problems instead of raising."""

    def __init__(self, file: str, node: Any, types: _Types, *, foreign: bool) -> None:
        self.file = file
        self.node = node
        self.types = types
        self.foreign = foreign
        self.id = str(node.get("id", ""))
        self.name = str(node.get("name", "")) or self.id
        self.problems: list[Problem] = []

    def _problem(self, what: str) -> None:
        self.problems.append(Problem.at(self.file, self.id, what, self.name))

    def _is_name(self, text: str) -> bool:
        """Whether an expression is nothing but a name: one that the file declares, or words without FEEL's own among them."""
        if self.foreign:
            return text in self.types.inputs or bool(_ANY_NAME.match(text) and not _FEEL_WORD.search(text))
        return bool(_FACT_NAME.match(text))

    def read(self) -> Decision | None:
        if not self.id or not (self.foreign or _FACT_NAME.match(self.id)):
            self._problem("规则表的 id 应是小写英文（如 workshop_eligibility）；请修改")
        tables = [child for child in self.node if local(child) == "decisionTable"]
        for requirement in _children(self.node, "informationRequirement"):
            asked = [part.get("href", "") for part in _children(requirement, "requiredInput")]
            if _children(requirement, "requiredDecision"):
                self._problem("依赖另一张规则表的结果；请把需要的值作为事实直接输入")
            elif len(asked) != 1 or asked[0].removeprefix("#") not in self.types.ids or asked[0][:1] != "#":
                self._problem(f"需要的输入（requiredInput {''.join(asked)}）不在这个文件里；请补上或删去")
        if len(tables) != 1:
            self._problem("应当正好有一张规则表（decisionTable）")
            return None
        if len(list(tables[0].iter())) > MAX_CELLS * 3:
            self._problem(f"的规则表太大（超过 {MAX_CELLS} 格）；请拆成几张较小的规则表")
            return None
        return self._table(tables[0])

    def _table(self, table: Any) -> Decision | None:
        policy, aggregation = str(table.get("hitPolicy", "UNIQUE")), str(table.get("aggregation", ""))
        inputs = [self._input(n, child) for n, child in enumerate(_children(table, "input"), 1)]
        found = _children(table, "output")
        outputs = [self._output(n, child, alone=len(found) == 1) for n, child in enumerate(found, 1)]
        whole = next((one.get("typeRef") for one in _children(self.node, "variable")), None)
        if len(found) > 1 and whole and self.types.base(whole)[0]:
            self._problem(
                f"有 {len(found)} 个输出列，结果却写成一个值（variable 的 typeRef {whole}）；请改成一致"
            )
        self._policy(policy, aggregation, [column for column in outputs if column is not None])
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
        nullable = [
            self.foreign or any(rule.cells[n].mentions_null() for rule in rules) for n in range(len(ready_in))
        ]
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
            aggregation,
        )

    def _policy(self, policy: str, aggregation: str, outputs: Sequence[Output]) -> None:
        """Whether the hit policy is one that is run, and has what it needs."""
        known = (*HIT_POLICIES, *(OTHERS if self.foreign else ()))
        if policy not in known:
            self._problem(f"的命中方式是 {policy}，系统只支持 {'、'.join(known)}；请改选")
        if policy in ("PRIORITY", "OUTPUT ORDER") and not any(_listed(column.allowed) for column in outputs):
            self._problem(f"的命中方式是 {policy}，输出列却没有按先后列出允许的取值（outputValues）；请补上")
        if not aggregation:
            return
        if not self.foreign:
            self._problem(f"使用了汇总方式 {aggregation}，系统不计算汇总；请去掉 aggregation")
        elif aggregation not in AGGREGATIONS or policy != "COLLECT" or len(outputs) != 1:
            self._problem(f"的汇总方式是 {aggregation}：只有 COLLECT、一个输出列可以汇总；请修改")
        elif aggregation != "COUNT" and outputs[0].type not in ("number", "integer"):
            self._problem(f"的汇总方式是 {aggregation}，输出列却不是数；请修改")
        elif aggregation in ("COUNT", "SUM") and namespace(self.node) == NAMESPACES[0]:
            self._problem(f"是 DMN 1.1 的文件，它的 {aggregation} 不计相同的结果；请另存为 DMN 1.2 以上")

    def _type(self, place: str, *said: str | None) -> tuple[ValueType | None, frozenset[str]]:
        """The type, and what values it is narrowed to. What is said more than once has to agree."""
        kinds: set[ValueType | None] = set()
        allowed: set[str] = set()
        for name in said:
            if name:
                found, narrowed = self.types.base(name)
                kinds.add(found)
                allowed |= narrowed
        if kinds == {"number", "integer"}:
            kinds = {"integer"}
        if len(kinds) > 1 and None not in kinds:
            titles = "、".join(sorted(TYPE_TITLES[kind] for kind in kinds if kind))
            self._problem(f"{place}的类型写了几次，互不相同（{titles}）；请改成一致")
            return None, frozenset()
        if len(kinds) != 1 or None in kinds:
            self._problem(
                f"{place}没有写明类型或类型不支持（typeRef）；请选 string、boolean、number、integer 或 date"
            )
            return None, frozenset()
        return kinds.pop(), frozenset(allowed)

    def _allowed(self, node: Any, tag: str, wanted: ValueType, place: str, narrowed: frozenset[str]) -> Cell:
        values = {_text(one) for one in _children(node, tag)} | narrowed
        if len(values) > 1:
            self._problem(f"{place}的允许取值写了几次，互不相同；请改成一致")
            return Cell("-")
        try:
            return read_cell(next(iter(values), ""), wanted)
        except CellError as error:
            self._problem(f"{place}的允许取值（{tag}）写法不对：{error}")
            return Cell("-")

    def _input(self, number: int, node: Any) -> Input | None:
        place = f"第 {number} 个输入列"
        expressions = _children(node, "inputExpression")
        fact = " ".join(_text(expressions[0]).split()) if len(expressions) == 1 else ""
        if not self._is_name(fact):
            kind_of_name = "" if self.foreign else "（小写英文）"
            self._problem(f"{place}的表达式应当只是一个事实的名称{kind_of_name}，不能是计算式；请修改")
            return None
        kind, narrowed = self._type(
            place,
            expressions[0].get("typeRef"),
            self.types.inputs.get(fact),
            *(one.get("typeRef") for one in _children(node, "inputValues")),
        )
        if kind is None:
            return None
        label = str(node.get("label", "")) or fact
        return Input(fact, label, kind, self._allowed(node, "inputValues", kind, place, narrowed), False)

    def _output(self, number: int, node: Any, *, alone: bool) -> Output | None:
        place = f"第 {number} 个输出列"
        name = str(node.get("name") or "")
        said = [node.get("typeRef"), *(one.get("typeRef") for one in _children(node, "outputValues"))]
        if alone:  # the only output is the decision's own value
            variable: Any = next(iter(_children(self.node, "variable")), {})
            said += [
                variable.get("typeRef"),
                *(one.get("typeRef") for one in _children(self.node, "decisionTable")),
            ]
            if self.foreign:
                name = name or str(variable.get("name") or self.name)
        if not (name if self.foreign else self._is_name(name)):
            self._problem(f"{place}没有名称，或名称不是小写英文（name）；请修改")
            return None
        if _children(node, "defaultOutputEntry"):
            self._problem(f"{place}写了默认值（defaultOutputEntry），系统不使用；请改成一条规则")
        kind, narrowed = self._type(place, *said)
        if kind is None:
            return None
        label = str(node.get("label", "")) or name
        return Output(name, label, kind, self._allowed(node, "outputValues", kind, place, narrowed))

    def _rule(self, number: int, row: Any, inputs: Sequence[Input], outputs: Sequence[Output]) -> Rule:
        identifier = str(row.get("id") or "") or (f"rule {number}" if self.foreign else "")
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
            if entry.get("typeRef"):
                self._type(place, entry.get("typeRef"), answer_column.type)
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
        if not citation and not self.foreign:
            self._problem(f"第 {number} 条规则没有写依据；请在说明中写“依据：文号和条款”")
        return Rule(identifier, number, tuple(cells), values, citation, note, annotations)

    def _cell(self, entry: Any, column: Input, place: str) -> Cell:
        try:
            return read_cell(_text(entry), column.type)
        except CellError as error:
            self._problem(f"{place}写法不对：{error}")
            return Cell("-")


def _listed(cell: Cell) -> bool:
    """Whether a cell is a list of constants: only then do they have an order."""
    return bool(cell.tests) and not cell.negated and all(isinstance(test, Equal) for test in cell.tests)


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
