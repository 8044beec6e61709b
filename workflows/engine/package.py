"""A process folder as it is read from disk, before anybody has judged it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from workflows.base.errors import CatalogueError
from workflows.base.yaml_text import SafeLoader, load
from workflows.engine.errors import Problem

#: Files beside the forms themselves in ``forms/<key>/``.
_NOT_FORMS = frozenset({"roster"})
#: A table that several processes ask.
_SHARED = re.compile(r"shared/[a-z][a-z0-9_]*\.dmn")


class _StrictLoader(SafeLoader):
    """YAML that refuses a key written twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | bool):
                raise yaml.constructor.ConstructorError(None, None, "键必须是文字", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"“{key}”写了两次", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(text: str, file: str) -> Mapping[str, Any] | Problem:
    """A YAML mapping, or the problem with it."""
    try:
        content = load(text, _StrictLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"第 {mark.line + 1} 行附近" if mark is not None else ""
        what = getattr(error, "problem", None) or ""
        detail = f"（{what}）" if what and not what.isascii() else ""
        return Problem.at(file, "", f"{where}不是正确的 YAML{detail}；请检查缩进、冒号和引号")
    if not isinstance(content, dict):
        return Problem.at(file, "", "应当是“键: 值”的形式；请对照已有流程填写")
    return content


@dataclass(frozen=True)
class ProcessPackage:
    """The files of one process.

    :param key: folder name. :param bpmn: text of ``process.bpmn``. :param config_text: text of ``process.yaml``.
    :param dmn: file name → text; those of ``bpmn/shared/`` with the folder's name before theirs.
    :param forms: form name → keys of its outcomes. :param documents: names of the documents that can be issued.
    """

    key: str
    bpmn: str
    config_text: str
    dmn: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """``process.yaml`` as data; empty when it cannot be read (the lint says so)."""
        content = read_yaml(self.config_text, "process.yaml")
        return {} if isinstance(content, Problem) else content

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what a version keeps: equal digests, equal behaviour."""
        whole = json.dumps(
            [self.key, self.bpmn, self.config_text, sorted(self.dmn.items())], ensure_ascii=False
        )
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def load_package(root_bpmn: Traversable, root_forms: Traversable, key: str) -> ProcessPackage:
    """Read ``bpmn/<key>/``, the shared tables it names, and the names in ``forms/<key>/``.

    :param root_bpmn: e.g. ``importlib.resources.files("bpmn")``. :param root_forms: likewise for ``forms``.
    :raises CatalogueError: a file is missing or is not UTF-8 text.
    """
    folder, papers = root_bpmn.joinpath(key), root_forms.joinpath(key)
    problems: list[Problem] = []

    def read(entry: Traversable, label: str) -> str:
        try:
            return entry.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            problems.append(Problem.at(label, "", f"不存在；请在 bpmn/{key}/ 里放好这个文件"))
        except UnicodeDecodeError:
            problems.append(Problem.at(label, "", "不是 UTF-8 编码；请另存为 UTF-8"))
        return ""

    bpmn = read(folder.joinpath("process.bpmn"), "process.bpmn")
    config_text = read(folder.joinpath("process.yaml"), "process.yaml")
    dmn = {
        entry.name: read(entry, entry.name)
        for entry in (sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.is_dir() else [])
        if entry.name.endswith(".dmn")
    }
    for name in _shared_tables(config_text):
        if root_bpmn.joinpath(name).is_file():
            dmn[name] = read(root_bpmn.joinpath(name), name)
    forms: dict[str, tuple[str, ...]] = {}
    documents: set[str] = set()
    for entry in sorted(papers.iterdir(), key=lambda entry: entry.name) if papers.is_dir() else []:
        name = entry.name.removesuffix(".yaml")
        if entry.name.endswith(".yaml") and name not in _NOT_FORMS:
            forms[name] = _outcomes(
                read(entry, f"forms/{key}/{entry.name}"), f"forms/{key}/{entry.name}", problems
            )
        elif entry.name == "documents" and entry.is_dir():
            documents = {inner.name for inner in entry.iterdir() if inner.is_dir()}
    if problems:
        raise CatalogueError([str(problem) for problem in problems])
    return ProcessPackage(key, bpmn, config_text, dmn, forms, frozenset(documents))


def _shared_tables(config_text: str) -> list[str]:
    """The tables of ``bpmn/shared/`` that a process names: ``file: shared/NAME.dmn``."""
    content = read_yaml(config_text, "process.yaml")
    decisions = {} if isinstance(content, Problem) else content.get("decisions")
    named = decisions.values() if isinstance(decisions, dict) else ()
    files = {str(one.get("file")) for one in named if isinstance(one, dict)}
    return sorted(file for file in files if _SHARED.fullmatch(file))


def _outcomes(text: str, file: str, problems: list[Problem]) -> tuple[str, ...]:
    content = read_yaml(text, file) if text else {}
    if isinstance(content, Problem):
        problems.append(content)
        return ()
    outcomes = content.get("outcomes") or []
    if not isinstance(outcomes, list):
        return ()
    return tuple(
        str(outcome["key"]) for outcome in outcomes if isinstance(outcome, dict) and "key" in outcome
    )
