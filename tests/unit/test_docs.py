"""The documentation is complete: what can be called, set or chosen stands where people look for it."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import forms
import workflows
from webapp.cli import main
from workflows.cases.vocabulary import VOCABULARY

ROOT = Path(__file__).resolve().parents[2]
DOCS = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md")}
README = (ROOT / "README.md").read_text("utf-8")
OPERATIONS, PROCESSES = DOCS["docs/operations.md"], DOCS["docs/adding-a-process.md"]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def commands(group: click.Group = main, before: str = "wengang") -> Iterator[str]:
    """Every command with the words that lead to it: ``wengang audit verify``."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{before} {name}")
        else:
            yield f"{before} {name}"


def settings() -> set[str]:
    """Every environment variable that the code reads, a secret's file included."""
    found: set[str] = set()
    for package in ("webapp", "workflows", "forms"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text("utf-8")
            found |= set(re.findall(r'(?:environ|env)(?:\.get\(|\[)"(WENGANG_[A-Z_]+)"', text))
            found |= set(re.findall(r'_(?:integer|switch)\(env, "(WENGANG_[A-Z_]+)"', text))
            for secret in re.findall(r'_secret\(env, "(WENGANG_[A-Z_]+)"', text):
                found |= {secret, f"{secret}_FILE"}
    return found


def named_in_operations() -> set[str]:
    """Every variable of operations.md; a row of the table shortens ``WENGANG_SMTP_HOST`` `_PORT` to its tail."""
    found: set[str] = set()
    for line in OPERATIONS.splitlines():
        names = re.findall(r"WENGANG_[A-Z_]+", line)
        found |= set(names)
        for name in names[:1]:
            family = "_".join(name.split("_")[:2])
            found |= {family + tail for tail in re.findall(r"`(_[A-Z_]+)`", line)}
    return found


def sources(module: str, function: str) -> set[str]:
    """The words that a function compares ``source`` with: where a fact may come from."""
    tree = ast.parse((ROOT / module).read_text("utf-8"))
    body = next(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function
    )
    return {
        constant.value
        for compare in ast.walk(body)
        if isinstance(compare, ast.Compare) and getattr(compare.left, "id", "") == "source"
        for constant in ast.walk(compare)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }


def modules() -> list[Path]:
    return [
        path
        for package in (forms, workflows)
        for path in sorted(Path(package.__path__[0]).rglob("*.py"))
        if path.read_text("utf-8").strip()
    ]


@pytest.mark.parametrize("script", sorted(path.name for path in (ROOT / "script").iterdir()))
def test_a_script_says_what_it_does_and_is_named_where_people_begin(script: str) -> None:
    text = (ROOT / "script" / script).read_text("utf-8")
    assert re.match(r"#!.*\n(# \S|\"\"\"\S)", text), f"script/{script} begins without saying what it does"
    everywhere = [README, CONTRIBUTING, *DOCS.values()]
    assert any(f"script/{script}" in page for page in everywhere), f"nobody is told of script/{script}"


@pytest.mark.parametrize("command", list(commands()))
def test_a_command_stands_in_operations(command: str) -> None:
    assert re.search(rf"{command}\b", OPERATIONS), f"docs/operations.md does not tell of `{command}`"


def test_every_setting_stands_in_operations_and_every_one_there_is_read() -> None:
    read, named = settings(), named_in_operations()
    assert len(read) > 15, "the search for settings finds none: has webapp/config.py changed its shape?"
    assert read - named == set(), "not in docs/operations.md"
    assert named - read == set(), "in docs/operations.md, but nothing reads it"


def test_every_word_of_the_diagrams_is_explained() -> None:
    functions = {f"`{name}(" for name in VOCABULARY.functions}
    operations = {f"`{name}" for name in VOCABULARY.operations}
    messages = {f"`{name}`" for name in VOCABULARY.messages}
    missing = [word for word in sorted(functions | operations | messages) if word not in PROCESSES]
    assert missing == [], "not in docs/adding-a-process.md"


@pytest.mark.parametrize(
    ("module", "function"),
    [("workflows/cases/facts.py", "_fact"), ("workflows/cases/row_facts.py", "_value")],
)
def test_every_source_of_facts_is_explained(module: str, function: str) -> None:
    found = sources(module, function)
    assert len(found) > 5, f"{module}: {function} no longer compares `source`"
    assert [name for name in sorted(found) if f"`{name}`" not in PROCESSES] == []


@pytest.mark.parametrize("record", sorted(name for name in DOCS if name.startswith("docs/adr/")))
def test_a_decision_record_is_numbered_titled_and_linked(record: str) -> None:
    name = Path(record).name
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name)
    assert re.match(r"# \S", DOCS[record])
    linking = [page for page, text in DOCS.items() if page != record and name in text]
    assert linking, f"no page of docs/ links to {record}"


def test_no_page_links_to_what_is_not_there() -> None:
    pages = {"README.md": README, "CONTRIBUTING.md": CONTRIBUTING, **DOCS}
    broken = [
        f"{page}: {target}"
        for page, text in pages.items()
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
        if not ((ROOT / page).parent / target).exists()
    ]
    assert broken == []


def says_it_itself(node: ast.AST) -> bool:
    """One line that its name tells: the predicates of the permission table are read as a table."""
    return isinstance(node, ast.FunctionDef) and len(node.body) == 1 and isinstance(node.body[0], ast.Return)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_whatever_is_public_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    silent = [] if ast.get_docstring(tree) else ["the module itself"]
    for node in tree.body:
        if (
            isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not says_it_itself(node)
        ):
            silent += [] if ast.get_docstring(node) else [node.name]
    assert silent == []


def canonical(requirement: str) -> str:
    """The name of a package as indexes compare it: ``psycopg[binary] >= 3`` is ``psycopg``."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", requirement.strip())[0]).lower()


def test_what_is_installed_is_pinned_and_fits() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    wanted = [
        line.strip()
        for section, key in (("options", "install_requires"), ("options.extras_require", "test"))
        for line in config[section][key].splitlines()
        if line.strip()
    ]
    lines = (ROOT / "constraints.txt").read_text("utf-8").split()
    pinned = {canonical(line): line.split("==")[1] for line in lines}
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9A-Za-z.+]+", line) for line in lines)
    assert len(pinned) == len(lines), "a package is pinned twice"
    assert [line for line in wanted if canonical(line) not in pinned] == []
    for line in wanted:
        exact = re.search(r"==\s*(\S+)", line)
        assert exact is None or pinned[canonical(line)] == exact[1], line


def test_migrations_are_numbered_in_their_order_without_gaps() -> None:
    found = sorted((ROOT / "webapp/migrations/versions").glob("*.py"))
    assert [path.name[:5] for path in found] == [f"{number:04}_" for number in range(1, len(found) + 1)]
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", path.name) for path in found)
    before = "None"
    for path in found:
        text = path.read_text("utf-8")
        revision = re.search(r"^revision(?:: str)? = (.+)$", text, re.M)
        down = re.search(r"^down_revision(?:: [^=]+)? = (.+)$", text, re.M)
        assert revision, path.name
        assert down, path.name
        assert down[1] == before, f"{path.name} does not follow the migration before it"
        before = revision[1]
