"""YAML of ours and of anybody: what is nested without end is refused before the parser written in C sees it."""

from __future__ import annotations

import pytest
import yaml

from workflows.base.yaml_text import DEEPEST, load


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 100_000,
        "\n".join(" " * depth + "a:" for depth in range(3_000)),
    ],
)
def test_what_is_nested_without_end_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load(text)


def test_what_is_nested_as_deep_as_it_may_be_is_read() -> None:
    assert load("[" * DEEPEST + "]" * DEEPEST) is not None
    with pytest.raises(yaml.YAMLError, match="层次太深"):
        load("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1))


def test_the_same_as_pythons_own() -> None:
    text = "a: [1, 2.5, yes, 2026-03-02, 文字, 'x: y', null]\nb:\n  c: |\n    两行\n    文字\n"
    assert load(text) == yaml.safe_load(text)
