"""Document templates on disk: ``forms/<process>/documents/<name>/{document.yaml, template.html[, style.css]}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from workflows.base import yaml_text
from workflows.base.errors import CatalogueError
from workflows.documents.schema import context_problems, schema_problems

#: The forms room: the only folder templates are read from.
FORMS = Path(str(files("forms")))

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEYS = {"title", "kind", "page", "uses", "context", "sample"}
KINDS = frozenset({"decision", "notice", "form", "certificate", "publicity"})
PAGES = frozenset({"A4 portrait", "A4 landscape"})


@dataclass(frozen=True)
class DocumentTemplate:
    """One kind of paper.

    :ivar context: its context's type, see :mod:`workflows.documents.schema`.
    :ivar sample: a complete fictional context, for previews and tests.
    :ivar root: the folder that holds ``<process>/documents/<name>``.
    """

    process: str
    name: str
    title: str
    kind: str
    page: str
    context: Mapping[str, Any]
    sample: Mapping[str, Any]
    root: Path

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self.root / self.process / "documents" / self.name

    def problems(self, context: Mapping[str, Any]) -> list[str]:
        """Where a context does not fit: Chinese, keys only."""
        return context_problems(context, dict(self.context))


@cache
def shared_context() -> Mapping[str, Any]:
    """``context.yaml``: the types of the keys all documents need (``every``) and of those they may use (``shared``)."""
    loaded: dict[str, Any] = yaml_text.load((FORMS / "shared/documents/context.yaml").read_text("utf-8"))
    return loaded


@cache
def shared_sample() -> Mapping[str, Any]:
    """``sample.yaml``: fictional values for every shared key."""
    loaded: dict[str, Any] = yaml_text.load((FORMS / "shared/documents/sample.yaml").read_text("utf-8"))
    return loaded


def load_template(process: str, name: str, root: Path = FORMS) -> DocumentTemplate:
    """Read one template and check its description against its own sample.

    :raises CatalogueError: naming the file and each problem.
    """
    where = _place(process, name)
    if not (_NAME.fullmatch(process) and _NAME.fullmatch(name)):
        raise CatalogueError([f"{where}：文件夹名只能用小写字母、数字和下划线"])
    try:
        changed = (root / process / "documents" / name / "document.yaml").stat().st_mtime_ns
        return _read(process, name, root, changed)
    except (OSError, yaml.YAMLError) as error:
        raise CatalogueError([f"{where}：读不出来（{type(error).__name__}）"]) from error


def _place(process: str, name: str) -> str:
    return f"forms/{process}/documents/{name}/document.yaml"


@lru_cache(maxsize=256)
def _read(process: str, name: str, root: Path, changed: int) -> DocumentTemplate:
    """Read and check once: this happens in deciding transactions, and YAML takes milliseconds."""
    where = _place(process, name)
    folder = root / process / "documents" / name
    described = yaml_text.load((folder / "document.yaml").read_text("utf-8"))
    if not isinstance(described, dict):
        raise CatalogueError([f"{where}：内容须为键值"])
    problems = _description_problems(described)
    if not (folder / "template.html").is_file():
        problems.append("缺少 template.html")
    if problems:
        raise CatalogueError([f"{where}：{problem}" for problem in problems])
    uses = described.get("uses", [])
    types = shared_context()
    context = {
        **types["every"],
        **{key: types["shared"][key] for key in uses},
        **described.get("context", {}),
    }
    values = {key: shared_sample()[key] for key in [*types["every"], *uses]}
    template = DocumentTemplate(
        process=process,
        name=name,
        title=described["title"],
        kind=described["kind"],
        page=described["page"],
        context=context,
        sample={**values, **described.get("sample", {})},
        root=root,
    )
    if problems := template.problems(template.sample):
        raise CatalogueError([f"{where}：sample：{problem}" for problem in problems])
    return template


def _description_problems(described: Mapping[str, Any]) -> list[str]:
    problems = [f"不认识的键“{key}”" for key in described if key not in _KEYS]
    if not isinstance(described.get("title"), str) or not described["title"]:
        problems.append("缺少 title")
    if described.get("kind") not in KINDS:
        problems.append(f"kind 须为 {'、'.join(sorted(KINDS))} 之一")
    if described.get("page") not in PAGES:
        problems.append(f"page 须为 {'、'.join(sorted(PAGES))} 之一")
    shared = shared_context()["shared"]
    problems += [f"uses：没有共用的“{key}”" for key in described.get("uses", []) if key not in shared]
    return problems + schema_problems(described.get("context", {}))


def load_templates(root: Path = FORMS) -> dict[tuple[str, str], DocumentTemplate]:
    """All templates under a folder, by (process, name).

    :raises CatalogueError: with the problems of all of them at once.
    """
    found: dict[tuple[str, str], DocumentTemplate] = {}
    problems: list[str] = []
    for path in sorted(root.glob("*/documents/*/document.yaml")):
        process, name = path.parts[-4], path.parts[-2]
        try:
            found[process, name] = load_template(process, name, root)
        except CatalogueError as error:
            problems += error.problems
    if problems:
        raise CatalogueError(problems)
    return found
