"""A lone BPMN or DMN file, in no catalogue: accepted, and then it runs as the standard says, or refused with reasons.

What a process.yaml beside it would have to say (who acts, limits, papers) and what only people need (Chinese names, a layout) is not
asked for. What the engine would run otherwise than the standard is refused as in the catalogue.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from workflows.engine.catalogue import specify
from workflows.engine.dmn import Decision
from workflows.engine.dmn_reading import NAMESPACES, read_decisions
from workflows.engine.errors import Problem
from workflows.engine.graph import BPMN, read_graph
from workflows.engine.lint_dmn import contradictions, omissions
from workflows.engine.lint_flow import lint_flow, lint_lanes
from workflows.engine.lint_names import Names, lint_names
from workflows.engine.lint_structure import FILE, lint_structure
from workflows.engine.lint_tokens import lint_tokens
from workflows.engine.vocabulary import Vocabulary
from workflows.engine.xmltext import MAX_BYTES, local, namespace, parse_xml

#: Flow nodes and flows of a diagram: what is larger cannot be played through in reasonable time.
MAX_PARTS = 700
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
#: The encodings in which such files are written here.
_ENCODINGS = {
    "utf-8",
    "utf8",
    "us-ascii",
    "ascii",
    "iso-8859-1",
    "gb18030",
    "gbk",
    "gb2312",
    "utf-16",
    "windows-1252",
}


class _Anything(frozenset[str]):
    """Names that only a process.yaml could resolve: none is unknown."""

    def __contains__(self, name: object) -> bool:
        return True


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a file.

    :param kind: ``bpmn``, ``dmn`` or empty. :param problems: why it is refused.
    :param tables: ids of the file's tables, of those that are refused, too.
    :param notes: what does not keep it from running as the standard says, and would keep it out of the catalogue.
    """

    file: str
    kind: str
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    decisions: tuple[Decision, ...] = ()
    tables: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.problems


def examine(content: bytes, file: str, vocabulary: Vocabulary) -> Verdict:
    """Judge the bytes of a file.

    :param file: its name, for the messages.
    :param vocabulary: what our diagrams may call: others have nothing that would answer them.
    """
    text = decode(content, file)
    root = text if isinstance(text, Problem) else parse_xml(text, file)
    if isinstance(root, Problem):
        return Verdict(
            file,
            PurePath(file).suffix[1:].lower() if PurePath(file).suffix in (".bpmn", ".dmn") else "",
            (root,),
        )
    if namespace(root) == BPMN:
        return Verdict(file, "bpmn", tuple(_named(one, file) for one in _diagram(root, vocabulary, file)))
    if "/DMN/" in namespace(root) or namespace(root) in NAMESPACES:
        return _tables(root, str(text), file)
    return Verdict(
        file,
        "",
        (Problem.at(file, "", "不是 BPMN 2.0 流程文件，也不是 DMN 规则表文件；请检查是否放错了文件"),),
    )


def decode(content: bytes, file: str) -> str | Problem:
    """The text of an XML file, by its byte order mark or what it declares; UTF-8 when it says nothing."""
    if len(content) > MAX_BYTES:
        return Problem.at(file, "", "超过 4 MB，不像是流程文件；请检查是否放错了文件")
    declared = _DECLARED.match(content)
    encoding = declared[1].decode("ascii").lower() if declared else "utf-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif content.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    elif encoding not in _ENCODINGS:
        return Problem.at(file, "", f"的编码是 {encoding}，系统不支持；请另存为 UTF-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return Problem.at(
            file, "", f"不是 {encoding.upper().removesuffix('-SIG')} 编码的文字；请另存为 UTF-8"
        )


def _named(problem: Problem, file: str) -> Problem:
    """The lint speaks of ``process.bpmn``; this file has a name of its own."""
    return replace(problem, file=file, message_zh=problem.message_zh.replace(FILE, file, 1))


def _diagram(root: Any, vocabulary: Vocabulary, file: str) -> list[Problem]:
    problems = list(lint_structure(root, None))
    if local(root) != "definitions":
        return problems
    graph = read_graph(root)
    if len(graph.elements) + len(graph.flows) > MAX_PARTS:
        return [Problem.at(FILE, "", f"太大（超过 {MAX_PARTS} 个图形和流向），无法检查；请拆成几个流程")]
    flow_problems = lint_flow(graph)
    problems += [*flow_problems, *lint_lanes(graph, root, foreign=True)]
    steps = frozenset(element.id for element in graph.elements.values() if element.kind == "userTask")
    anything = _Anything()
    names = Names(
        known={
            "step": steps,
            "step_or_form": anything,
            "decision": anything,
            "output": anything,
            "parameter": anything,
            "outcome": anything,
            "status": anything,
            "document": anything,
            "publicity": anything,
            "department": vocabulary.departments,
            "lane": frozenset(graph.lanes),
            "unit": frozenset({"working", "calendar"}),
        },
        outcomes={},
    )
    problems += lint_names(graph, names, vocabulary)
    if not flow_problems:
        problems += lint_tokens(graph)
    if problems:
        return sorted(set(problems))
    return specify(root, graph.process_id)


def _filled(decision: Decision) -> Decision:
    """The table where values are there: that nothing is said of a missing one is no omission unless some rule asks for it."""
    asked = [
        replace(column, nullable=any(rule.cells[number].mentions_null() for rule in decision.rules))
        for number, column in enumerate(decision.inputs)
    ]
    return replace(decision, inputs=tuple(asked))


def _tables(root: Any, text: str, file: str) -> Verdict:
    decisions, problems = read_decisions(text, file, foreign=True)
    notes: list[Problem] = []
    good = []
    for decision in decisions:
        wrong = contradictions(decision)
        problems += wrong
        if not wrong:
            good.append(decision)
            notes += omissions(_filled(decision))
    return Verdict(
        file,
        "dmn",
        tuple(sorted(set(problems))),
        tuple(sorted(set(notes))),
        tuple(good),
        tuple(child.get("id", "") for child in root if local(child) == "decision"),
    )
