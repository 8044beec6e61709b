"""Small decision tables for tests."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from workflows.engine.dmn import Decision
from workflows.engine.dmn_reading import read_decisions

NAMESPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"
CITED = "依据：吉人社联〔2022〕81号 二（六）"


def table(
    inputs: Sequence[tuple[str, str] | tuple[str, str, str]],
    rules: Sequence[tuple[Sequence[str], Sequence[str]]],
    *,
    outputs: Sequence[tuple[str, str] | tuple[str, str, str]] = (("result", "string"),),
    policy: str = "UNIQUE",
    attributes: str = "",
    descriptions: Sequence[str] = (),
    extra: str = "",
    extra_in_decision: str = "",
    identifier: str = "check",
    namespace: str = NAMESPACE,
) -> str:
    """DMN text. Inputs: (fact, type[, allowed values]); rules: (cells, outputs)."""
    columns = "".join(
        f'<input id="i{n}" label="{column[0]}"><inputExpression typeRef="{column[1]}"><text>{escape(column[0])}</text>'
        f"</inputExpression>{_values('inputValues', column)}</input>"
        for n, column in enumerate(inputs)
    )
    answers = "".join(
        f'<output id="o{n}" name={quoteattr(column[0])} typeRef="{column[1]}">{_values("outputValues", column)}</output>'
        for n, column in enumerate(outputs)
    )
    rows = "".join(
        f'<rule id="r{n}"><description>{escape(descriptions[n - 1] if descriptions else CITED)}</description>'
        + "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in cells)
        + "".join(f"<outputEntry><text>{escape(value)}</text></outputEntry>" for value in values)
        + "</rule>"
        for n, (cells, values) in enumerate(rules, 1)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="{namespace}" id="d" name="d" namespace="urn:t">'
        f'<decision id="{identifier}" name="核对表">{extra_in_decision}'
        f'<decisionTable id="t" hitPolicy="{policy}"{attributes}>'
        f"{columns}{answers}{rows}</decisionTable></decision>{extra}</definitions>"
    )


def _values(tag: str, column: Sequence[str]) -> str:
    return f"<{tag}><text>{escape(column[2])}</text></{tag}>" if len(column) > 2 else ""


def compiled(text: str) -> Decision:
    """The one table of a text; fails with its problems."""
    decisions, problems = read_decisions(text, "check.dmn")
    assert not problems, problems
    (decision,) = decisions
    return decision


def refused(text: str) -> str:
    """All problems of a text, joined."""
    _, problems = read_decisions(text, "check.dmn")
    assert problems
    assert all(problem.file == "check.dmn" for problem in problems)
    return "\n".join(str(problem) for problem in problems)
