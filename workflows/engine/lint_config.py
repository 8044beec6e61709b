"""Whether ``process.yaml`` and the diagram say the same, and whether forms, documents and time limits exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.engine.dmn import Decision
from workflows.engine.errors import Problem
from workflows.engine.graph import Graph
from workflows.engine.lint_names import keys
from workflows.engine.package import ProcessPackage, read_yaml
from workflows.engine.vocabulary import Vocabulary

FILE = "process.yaml"
_STARTED_BY = ("employer", "officer", "public", "system")
_LEVELS = ("township", "county")
_ROSTER = ("none", "view", "edit", "decide")
_UNITS = ("working", "calendar")


def lint_config(
    package: ProcessPackage, graph: Graph, vocabulary: Vocabulary, decisions: Mapping[str, Decision]
) -> list[Problem]:
    """Problems of ``process.yaml``. ``decisions``: the tables that could be read."""
    content = read_yaml(package.config_text, FILE)
    if isinstance(content, Problem):
        return [content]
    check = _Check(package, graph, vocabulary, content)
    check.head()
    check.lanes()
    check.steps()
    check.documents()
    check.decisions(decisions)
    check.incompatible()
    return check.problems


def _word(value: object) -> str:
    """A scalar as text. Lists and mappings where a word belongs become a word that nobody knows."""
    return str(value)


class _Check:
    def __init__(
        self, package: ProcessPackage, graph: Graph, vocabulary: Vocabulary, config: Mapping[str, Any]
    ) -> None:
        self.package = package
        self.graph = graph
        self.vocabulary = vocabulary
        self.config = config
        self.problems: list[Problem] = []

    def problem(self, path: str, what: str) -> None:
        self.problems.append(Problem.at(FILE, path, what))

    def section(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        """A mapping of mappings; anything else becomes a problem and an empty mapping."""
        content = self.config.get(name)
        if content is None:
            return {}
        if not isinstance(content, Mapping):
            self.problem(name, "应当是“名称: 内容”的形式；请对照已有流程填写")
            return {}
        found: dict[str, Mapping[str, Any]] = {}
        for key, value in content.items():
            if value is None or isinstance(value, Mapping):
                found[str(key)] = value or {}
            else:
                self.problem(f"{name}.{key}", "下面应当是“名称: 内容”的形式；请对照已有流程填写")
        return found

    def head(self) -> None:
        if self.config.get("key") != self.package.key:
            self.problem("key", f"应与文件夹同名（{self.package.key}）；请修改")
        if not self.config.get("title"):
            self.problem("title", "没有填写；请写上流程的中文名称")
        if self.config.get("started_by") not in _STARTED_BY:
            self.problem("started_by", f"应是 {'、'.join(_STARTED_BY)} 之一；请写明由谁发起")

    def lanes(self) -> None:
        lanes = self.section("lanes")
        for lane, name in self.graph.lanes.items():
            if lane not in lanes:
                self.problem(f"lanes.{lane}", f"没有写，但流程图里有泳道「{name}」；请写明它的部门和层级")
        for key, lane_config in lanes.items():
            department = _word(lane_config.get("department"))
            if department not in self.vocabulary.departments:
                known = "、".join(sorted(self.vocabulary.departments))
                self.problem(f"lanes.{key}.department", f"“{department}”不是已有的部门种类；可以写：{known}")
            if lane_config.get("level", "county") not in _LEVELS:
                self.problem(f"lanes.{key}.level", f"应是 {'、'.join(_LEVELS)} 之一；请修改")

    def steps(self) -> None:
        steps = self.section("steps")
        tasks = {
            element.id: element for element in self.graph.elements.values() if element.kind == "userTask"
        }
        for task in tasks.values():
            if task.id not in steps:
                self.problem(f"steps.{task.id}", f"没有写，但流程图里有步骤「{task.name}」；请写明表单和时限")
        stages = keys(self.config.get("stages"))
        documents = keys(self.config.get("documents"))
        for key, step in steps.items():
            path = f"steps.{key}"
            if key not in tasks:
                self.problem(path, "写了，但流程图里没有这个用户任务；请删去或改成图上的 id")
            form = _word(step.get("form", key))
            if form not in self.package.forms:
                self.problem(
                    f"{path}.form", f"表单“{form}”不存在；请在 forms/{self.package.key}/ 里添加，或改名"
                )
            self.limit(path, step)
            if step.get("stage") is not None and _word(step["stage"]) not in stages:
                self.problem(f"{path}.stage", f"阶段“{step['stage']}”没有在 stages 里；请修改")
            if step.get("roster", "none") not in _ROSTER:
                self.problem(f"{path}.roster", f"应是 {'、'.join(_ROSTER)} 之一；请修改")
            for office in self.listed(path, step, "signatories"):
                if office not in self.vocabulary.departments:
                    self.problem(f"{path}.signatories", f"会签部门“{office}”不是已有的部门种类；请修改")
            for document in self.listed(path, step, "documents"):
                if document not in documents:
                    self.problem(f"{path}.documents", f"文书“{document}”没有在 documents 里；请登记或删去")

    def listed(self, path: str, step: Mapping[str, Any], name: str) -> list[str]:
        values = step.get(name) or []
        if not isinstance(values, list):
            self.problem(f"{path}.{name}", "应当是一个列表，写成 [甲, 乙]；请修改")
            return []
        return [_word(value) for value in values]

    def limit(self, path: str, step: Mapping[str, Any]) -> None:
        if "limit" not in step:
            self.problem(f"{path}.limit", "没有写办理时限；请写 {days: 5, unit: working}，没有时限就写 null")
            return
        limit = step["limit"]
        if limit is None:
            return
        days = limit.get("days") if isinstance(limit, Mapping) else None
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 3660:
            self.problem(f"{path}.limit", "的天数应是 1 至 3660 的整数（days）；请修改")
        elif limit.get("unit", "working") not in _UNITS:
            self.problem(f"{path}.limit", "的单位应是 working（工作日）或 calendar（自然日）；请修改")
        elif limit.get("parameter") and _word(limit["parameter"]) not in keys(self.config.get("parameters")):
            self.problem(f"{path}.limit", f"取自参数“{limit['parameter']}”，但 parameters 里没有；请登记")

    def documents(self) -> None:
        for document in self.section("documents"):
            if document not in self.package.documents:
                self.problem(
                    f"documents.{document}",
                    f"没有模板；请在 forms/{self.package.key}/documents/{document}/ 里添加，或删去这一项",
                )

    def decisions(self, decisions: Mapping[str, Decision]) -> None:
        registered = self.section("decisions")
        used = set()
        for key, entry in registered.items():
            file = _word(entry.get("file"))
            used.add(file)
            if file not in self.package.dmn:
                self.problem(
                    f"decisions.{key}.file", f"规则表文件“{file}”不存在；请放进 bpmn/{self.package.key}/"
                )
            elif key not in decisions or decisions[key].file != file:
                self.problem(
                    f"decisions.{key}",
                    f"在 {file} 里没有可用的同名规则表；请核对 decision 的 id，或先改正它的问题",
                )
        for file in sorted(set(self.package.dmn) - used):
            self.problems.append(
                Problem.at(file, "", "没有在 process.yaml 的 decisions 里登记；请登记或删去这个文件")
            )

    def incompatible(self) -> None:
        pairs = self.config.get("incompatible") or []
        known = (
            self.vocabulary.predicates
            | self.vocabulary.departments
            | keys(self.config.get("steps"))
            | keys(self.config.get("lanes"))
        )
        if not isinstance(pairs, list) or any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
            self.problem("incompatible", "应当是成对的列表，写成 [[甲, 乙], …]；请修改")
            return
        for word in sorted({str(word) for pair in pairs for word in pair}):
            if self.vocabulary.predicates and word not in known:
                self.problem("incompatible", f"“{word}”既不是步骤、泳道，也不是已知的岗位；请修改")
