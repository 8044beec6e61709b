"""Diagrams and rules, tried before they are put to use: our own, and any file that somebody brings."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from webapp.bounded import Exceeded, bounded
from workflows.base.errors import CatalogueError
from workflows.cases.publishing import problems_of, process_keys
from workflows.cases.vocabulary import VOCABULARY
from workflows.engine import MAX_BYTES, Problem, Refused, Verdict, examine, read_facts, try_table

_SUFFIXES = {".bpmn", ".dmn", ".xml"}
_TOO_MUCH = "没有检查出结论：太大、太复杂，或者有系统没有见过的写法；请拆成较小的文件，或对照已有流程修改"


@click.group()
def catalogue() -> None:
    """流程目录。"""


@catalogue.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="结果写成一个 JSON 数组。")
def lint(paths: tuple[Path, ...], as_json: bool) -> None:
    """检查流程图和规则表。

    不写 PATH：检查本系统的每个流程（图、规则、表单和文书模板）。写 PATH：检查这些 BPMN、DMN 文件或者文件夹里的全部文件；
    有 process.yaml 的文件夹按一个流程检查。全部接受时退出码为 0，有被拒绝的为 1。
    """
    refused = 0
    results: list[dict[str, Any]] = []
    for verdict in _verdicts(paths):
        refused += not verdict.accepted
        if as_json:
            results.append(_as_dict(verdict))
            continue
        for problem in verdict.problems:
            _say(str(problem))
        said = f"{len(verdict.problems)} 处问题" if verdict.problems else "没有问题"
        _say(f"{verdict.file}：{said}", err=True)
        for note in verdict.notes:
            _say(f"  提示：{note}", err=True)
    if as_json:
        _say(json.dumps(results, ensure_ascii=False, indent=1))
    if refused:
        sys.exit(1)


def _say(text: str, *, err: bool = False) -> None:
    """Print it; what is no text (a name of a file in another encoding, half a character in somebody's JSON) as its number."""
    click.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"), err=err)


def _as_dict(verdict: Verdict) -> dict[str, Any]:
    return {
        "file": verdict.file,
        "kind": verdict.kind,
        "accepted": verdict.accepted,
        "verdict": "accepted" if verdict.accepted else "refused",
        "problems": [{"element": one.element, "reason": str(one)} for one in verdict.problems],
        "notes": [{"element": one.element, "reason": str(one)} for one in verdict.notes],
    }


def _verdicts(paths: Sequence[Path]) -> Iterator[Verdict]:
    if not paths:
        for key in process_keys():
            yield _package(key, None)
    for path in paths:
        if (path / "process.yaml").is_file():
            yield _package(path.resolve().name, path)
        elif path.is_dir():
            yield from _folder(path)
        else:
            yield _file(path, path)


def _package(key: str, path: Path | None) -> Verdict:
    """A whole process: of the catalogue, or a folder ``…/bpmn/KEY`` whose forms lie in ``…/forms/KEY``."""
    label = str(path or key)
    if path is None:
        return Verdict(label, "process", tuple(_problems(label, key, None)))
    try:
        return Verdict(label, "process", tuple(bounded(lambda: _problems(label, key, path.resolve().parent))))
    except Exceeded:
        return Verdict(label, "process", (Problem.at(label, "", _TOO_MUCH),))


def _problems(label: str, key: str, root: Path | None) -> list[Problem]:
    try:
        return problems_of(key) if root is None else problems_of(key, root, root.parent / "forms")
    except CatalogueError as error:
        return [Problem(label, "", text) for text in error.problems]


def _folder(path: Path) -> Iterator[Verdict]:
    """Every file of that kind below, each folder once; packages as packages."""
    closed: list[OSError] = []
    for place, folders, names in os.walk(path, onerror=closed.append):
        here = Path(place)
        folders.sort()
        if here != path and "process.yaml" in names and "process.bpmn" in names:
            yield _package(here.resolve().name, here)
            folders.clear()
            continue
        for name in sorted(names):
            if Path(name).suffix.lower() in _SUFFIXES:
                verdict = _file(here / name, here / name)
                # an XML file of another kind is nobody's business
                if verdict.kind or Path(name).suffix.lower() != ".xml":
                    yield verdict
    for error in closed:
        file = str(error.filename)
        yield Verdict(file, "", (Problem.at(file, "", "这个文件夹读不出来；请检查有没有读取的权限"),))


def _file(path: Path, label: Path) -> Verdict:
    file = str(label)
    try:
        content = _content(path)
    except FileNotFoundError:
        return Verdict(file, "", (Problem.at(file, "", "不存在；请检查路径"),))
    except (OSError, ValueError):
        return Verdict(file, "", (Problem.at(file, "", "读不出来；请检查是不是文件、有没有读取的权限"),))
    try:
        return bounded(lambda: examine(content, file, VOCABULARY))
    except Exceeded:
        return Verdict(file, path.suffix[1:].lower(), (Problem.at(file, "", _TOO_MUCH),))


def _content(path: Path) -> bytes:
    """What a file holds, a little more than is ever read at most. Raises ``OSError`` for what is none: a pipe or a device may have no
    end."""
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no file")
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


@catalogue.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--decision", "wanted", default="", help="规则表的 id；文件里只有一张时可以不写。")
@click.option("--input", "facts", required=True, help="输入：一个 JSON 对象，或者 @文件名。")
def decide(file: Path, wanted: str, facts: str) -> None:
    """用一组输入试一张规则表：输出结果和适用的规则（JSON）。不能得出结果时退出码为 1，并说明原因。"""
    try:
        text = _content(Path(facts[1:])).decode("utf-8-sig") if facts.startswith("@") else facts
        verdict = _file(file, file)
        _say(try_table(verdict, wanted, read_facts(text)).to_json(str(file)))
    except Refused as error:
        _refuse(file, wanted, *error.problems)
    except (OSError, ValueError):
        _refuse(file, wanted, Problem("--input", "", f"读不出输入文件 {facts[1:]}；请检查路径和编码"))


def _refuse(file: Path, wanted: str, *problems: Problem) -> None:
    """No answer: the reasons as JSON on stdout, in words on stderr."""
    found = [{"element": one.element, "reason": str(one)} for one in problems]
    _say(
        json.dumps(
            {"file": str(file), "decision": wanted, "ok": False, "problems": found}, ensure_ascii=False
        )
    )
    for one in problems:
        _say(str(one), err=True)
    sys.exit(1)
