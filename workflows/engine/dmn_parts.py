"""What a DMN file may consist of, part by part: what stands where nobody looks would be ignored, and the table would mean another
thing than its author wrote. A misspelt ``hitpolicy`` is such a part, or a second ``text`` of a cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.engine.errors import Problem
from workflows.engine.xmltext import local, namespace


@dataclass(frozen=True)
class _Part:
    """What an element may have: attributes, children (each once), children (any number). ``needs``: children that it must have."""

    attributes: frozenset[str]
    once: frozenset[str] = frozenset()
    many: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()


def _part(attributes: str = "", once: str = "", many: str = "", needs: str = "") -> _Part:
    said, one, any_number, must = (frozenset(text.split()) for text in (attributes, once, many, needs))
    return _Part(said | {"id", "label"}, one | must | {"description", "extensionElements"}, any_number, must)


_TEXT = _Part(frozenset())
_HOLDER = _part("typeRef", needs="text")
#: Parts of a table and of what it rests on. The names are the standard's.
_PARTS: Mapping[str, _Part] = {
    "decision": _part(
        "name",
        "question allowedAnswers variable decisionTable",
        "informationRequirement authorityRequirement",
    ),
    "question": _TEXT,
    "allowedAnswers": _TEXT,
    "description": _TEXT,
    "text": _TEXT,
    "typeRef": _TEXT,
    "variable": _part("name typeRef"),
    "informationRequirement": _part(once="requiredInput requiredDecision"),
    "requiredInput": _Part(frozenset({"href"})),
    "requiredDecision": _Part(frozenset({"href"})),
    "decisionTable": _part(
        "hitPolicy aggregation preferredOrientation outputLabel typeRef", many="input output annotation rule"
    ),
    "input": _part("", "inputValues", needs="inputExpression"),
    "inputExpression": _HOLDER,
    "inputValues": _HOLDER,
    "output": _part("name typeRef", "outputValues defaultOutputEntry"),
    "outputValues": _HOLDER,
    "annotation": _part("name"),
    "rule": _part(many="inputEntry outputEntry annotationEntry"),
    "inputEntry": _part(needs="text"),
    "outputEntry": _HOLDER,
    "annotationEntry": _part(once="text"),
    "inputData": _part("name", "variable"),
    "itemDefinition": _part(
        "name isCollection",
        "typeRef allowedValues typeConstraint functionItem",
        "itemComponent",
    ),
    "allowedValues": _HOLDER,
}
#: What nothing is read from.
_UNREAD = frozenset(
    {
        "extensionElements",
        "authorityRequirement",
        "defaultOutputEntry",
        "itemComponent",
        "functionItem",
        "typeConstraint",
    }
)


@dataclass
class Parts:
    """Walks the decisions of a file and what they rest on; collects what stands where nothing reads it.

    :param ours: the DMN namespace of the file.
    """

    file: str
    ours: str
    problems: list[Problem] = field(default_factory=list)

    def walk(self, root: Any) -> list[Problem]:
        """Problems of a file's parts: its root element."""
        self._ids(root)
        for child in root:
            if local(child) in ("decision", "inputData", "itemDefinition") and namespace(child) == self.ours:
                self._owner = child
                self._element(child)
        return self.problems

    def _problem(self, what: str) -> None:
        owner = self._owner
        self.problems.append(
            Problem.at(self.file, owner.get("id") or local(owner), what, owner.get("name", ""))
        )

    def _ids(self, root: Any) -> None:
        seen: set[str] = set()
        doubled: set[str] = set()
        for identifier in _ids_below(root):
            (doubled if identifier in seen else seen).add(identifier)
        self.problems += [
            Problem.at(self.file, one, "这个 id 用了不止一次；请改成不同的 id") for one in sorted(doubled)
        ]

    def _element(self, node: Any) -> None:
        kind = local(node)
        part = _PARTS[kind]
        self._attributes(node, kind, part)
        found: dict[str, int] = {}
        for child in node:
            name = local(child)
            if namespace(child) != self.ours:
                self._problem(f"含有其他软件的内容（{name}），系统不理解；请删去")
                continue
            found[name] = found.get(name, 0) + 1
            if name not in part.once and name not in part.many:
                self._problem(f"的 {kind} 里有系统不读取的内容（{name}）{_line(child)}；请删去")
            elif name in _PARTS and name not in _UNREAD:
                self._element(child)
        for name, count in found.items():
            if count > 1 and name in part.once:
                self._problem(
                    f"的 {kind} 里写了 {count} 个 {name}{_line(node)}，不知道以哪个为准；请只留一个"
                )
        for name in sorted(part.needs - found.keys()):
            self._problem(f"的 {kind} 里没有 {name}{_line(node)}；请补上")
        if len(node) and (node.text or "").strip():
            self._problem(f"的 {kind} 里有不在任何格子里的文字{_line(node)}；请删去")
        for child in node:
            if (child.tail or "").strip():
                self._problem(f"的 {kind} 里有不在任何格子里的文字{_line(child)}；请删去")

    def _attributes(self, node: Any, kind: str, part: _Part) -> None:
        for raw in node.attrib:
            place, name = tuple(raw[1:].split("}", 1)) if raw.startswith("{") else ("", raw)
            if name == "expressionLanguage":
                self._problem(
                    f"的 {kind} 另选了表达式语言{_line(node)}，系统不执行；请去掉 expressionLanguage"
                )
            elif place == self.ours or (not place and name not in part.attributes):
                # attributes of other software may not contradict the standard's meaning; ones in its own namespace would be read
                self._problem(
                    f"的 {kind} 写了标准里没有的属性 {name}{_line(node)}，不会被执行；请核对大小写或删去"
                )


def _ids_below(root: Any) -> Iterator[str]:
    """The ids of a file but for its picture's."""
    for child in root:
        if local(child) == "DMNDI":
            continue
        for node in child.iter():
            identifier = node.get("id")
            if identifier is not None:
                yield identifier


def _line(node: Any) -> str:
    return f"（第 {node.sourceline} 行）" if node.sourceline else ""
