"""Helpers to show what the lint says of a diagram."""

from __future__ import annotations

from tests.unit.engine.drawing import Sketch
from tests.unit.engine.words import VOCABULARY
from workflows.engine import Problem, ProcessPackage, lint


def base() -> Sketch:
    """start → one → end."""
    return Sketch().start().user("one").end().line("start", "one", "end")


def said(drawing: Sketch) -> list[Problem]:
    return lint(drawing.package(), VOCABULARY)


def raw(drawing: Sketch, *changes: tuple[str, str]) -> list[Problem]:
    """Problems after changing the XML text."""
    text = drawing.xml()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    package = drawing.package()
    return lint(ProcessPackage(package.key, text, package.config_text, forms=package.forms), VOCABULARY)


def expect(problems: list[Problem], element: str, *parts: str) -> None:
    found = [problem for problem in problems if problem.element == element and problem.file == "process.bpmn"]
    assert found, problems
    text = "\n".join(str(problem) for problem in found)
    assert "process.bpmn 中" in text
    assert element in text
    for part in parts:
        assert part in text


def inside(tag: str, element: str = "one") -> tuple[str, str]:
    old = f'<bpmn:userTask id="{element}" name="名{element}">'
    return old, old + tag


def choice(condition: str = 'outcome("one") == "agree"', default: str = "end") -> Sketch:
    return (
        Sketch()
        .start()
        .user("one")
        .choice("gateway", default)
        .user("two")
        .end()
        .line("start", "one", "gateway", "end")
        .flow("gateway", "two", condition, "同意")
        .line("two", "end")
    )


def said_with_extra(extra: str) -> list[Problem]:
    drawing = base()
    drawing.extra = extra
    return said(drawing)
