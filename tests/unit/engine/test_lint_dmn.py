"""The proof that a table answers everything once, checked against plain enumeration."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.engine.tables import compiled, table
from workflows.engine import lint_dmn
from workflows.engine.dmn import Decision
from workflows.engine.lint_dmn import lint_decision

YES, NO = ['"yes"'], ['"no"']


def said(text: str) -> str:
    return "\n".join(str(problem) for problem in lint_decision(compiled(text)))


@pytest.mark.parametrize(
    "text",
    [
        table([("n", "number")], [(["< 3"], NO), ([">= 3"], YES)]),
        table([("n", "integer")], [(["<= 2"], NO), ([">= 3"], YES)]),
        table([("n", "number", ">= 0")], [(["[0..3)"], NO), ([">= 3"], YES)]),
        table([("k", "string", '"a","b"')], [(['"a"'], NO), (['"b"'], YES)]),
        table([("k", "string")], [(['"a"'], NO), (['not("a")'], YES)]),
        table([("k", "string")], [(["null"], NO), (["not(null)"], YES)]),
        table([("d", "date")], [(['< date("2026-01-01")'], NO), (['>= date("2026-01-01")'], YES)]),
        table([("d", "date")], [(['<= date("2025-12-31")'], NO), (['>= date("2026-01-01")'], YES)]),
        table(
            [("a", "boolean"), ("b", "boolean")],
            [(["true", "-"], YES), (["false", "true"], YES), (["false", "false"], NO)],
        ),
        table([("n", "number")], [([">= 3"], YES), (["-"], NO)], policy="FIRST"),
        table([("n", "number")], [([">= 3"], YES), ([">= 5"], NO)], policy="COLLECT"),
        table([("n", "number")], [([">= 3"], YES), (["< 5"], YES)], policy="ANY"),
    ],
)
def test_complete_tables_pass(text: str) -> None:
    assert said(text) == ""


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (table([("n", "number")], [(["< 3"], NO), (["> 3"], YES)]), ["没有规则适用于：n = 3"]),
        (table([("n", "number")], [(["<= 2"], NO), ([">= 3"], YES)]), ["没有规则适用于：n = 2.5"]),
        (
            table([("n", "number")], [(["<= 3"], NO), ([">= 3"], YES)]),
            ["第 1 条（r1）与第 2 条（r2）", "n = 3"],
        ),
        (table([("k", "string")], [(['"a"'], NO), (['"b"'], YES)]), ["k = 其他"]),
        (table([("k", "string")], [(['"其他"'], NO), (["null"], YES)]), ["k = 其他值"]),
        (
            table([("k", "string")], [(['"a"'], NO), (['not("a")'], YES), (["null"], YES)]),
            ["第 2 条", "k = 空"],
        ),
        (table([("f", "boolean")], [(["true"], YES)]), ["f = 否"]),
        (table([("f", "boolean")], [(["true"], YES), (["-"], NO)]), ["同时适用于：f = 是"]),
        (
            table([("d", "date")], [(['< date("2026-01-01")'], NO), (['> date("2026-01-01")'], YES)]),
            ["d = 2026-01-01"],
        ),
        (
            table([("d", "date")], [(['<= date("2025-12-30")'], NO), (['>= date("2026-01-01")'], YES)]),
            ["d = 2025-12-31"],
        ),
        (
            table([("n", "number")], [(["-"], YES), ([">= 3"], NO)], policy="FIRST"),
            ["第 2 条规则（r2）永远不会适用", "前面的规则"],
        ),
        (
            table([("n", "number", "< 3")], [(["-"], YES), (["> 5"], NO)]),
            ["第 2 条规则（r2）永远不会适用", "超出了允许的取值"],
        ),
        (table([("n", "number")], [([">= 3"], YES), (["< 5"], NO)], policy="ANY"), ["同时适用"]),
        (table([("n", "number")], [([">= 3"], YES), (["< 2"], NO)], policy="ANY"), ["没有规则适用于"]),
        (table([("n", "integer", "> 3, < 1")], [(["1"], YES)]), ["没有规则适用于", "永远不会适用"]),
        (table([("f", "boolean", "not(true, false)")], [(["-"], YES)]), ["没有任何可能的取值"]),
    ],
)
def test_gaps_overlaps_and_dead_rules_are_named_with_an_example(text: str, parts: list[str]) -> None:
    found = said(text)
    assert "check.dmn 中「核对表」（check）" in found
    for part in parts:
        assert part in found


def test_dates_at_the_ends_of_time() -> None:
    text = table(
        [("d", "date")],
        [
            (['date("0001-01-01")'], NO),
            (['not(date("0001-01-01"), date("9999-12-31"))'], YES),
            (['date("9999-12-31")'], NO),
        ],
    )
    assert said(text) == ""
    assert said(table([("d", "date")], [(["-"], NO)])) == ""


def test_what_cannot_be_proved_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint_dmn, "MAX_STEPS", 3)
    columns = [(f"n{i}", "number") for i in range(4)]
    text = table(columns, [([f"< {i}" for i in range(4)], NO), ([f">= {i}" for i in range(4)], YES)])
    assert "太复杂" in said(text)


CELLS = st.sampled_from(
    ["-", "< 2", "<= 2", "2", "> 2", ">= 2", "[1..3]", "(1..3)", "not(2)", "1, 3", "not([1..2])"]
)
POINTS = [0, 1, 2, 3, 4]


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, st.sampled_from(["yes", "no"])), min_size=1, max_size=5),
    policy=st.sampled_from(["UNIQUE", "FIRST", "ANY"]),
)
def test_the_proof_agrees_with_trying_every_input(rows: list[tuple[str, str, str]], policy: str) -> None:
    # Integers, all bounds within 1..3: five points each way are every region there is.
    decision = compiled(
        table(
            [("a", "integer"), ("b", "integer")],
            [([x, y], [f'"{out}"']) for x, y, out in rows],
            policy=policy,
        )
    )
    found = "\n".join(str(problem) for problem in lint_decision(decision))
    hits = [matching(decision, point) for point in product(POINTS, POINTS)]
    assert ("没有规则适用于" in found) == any(not hit for hit in hits)
    if policy == "UNIQUE":
        assert ("同时适用" in found) == any(len(hit) > 1 for hit in hits)
    elif policy == "ANY":
        assert ("同时适用" in found) == any(len({rows[row][2] for row in hit}) > 1 for hit in hits)
    else:
        alive = {hit[0] for hit in hits if hit}
        assert ("永远不会适用" in found) == (alive != set(range(len(rows))))


def matching(decision: Decision, point: tuple[int, int]) -> list[int]:
    return [
        row
        for row, rule in enumerate(decision.rules)
        if all(cell.matches(value) for cell, value in zip(rule.cells, point, strict=True))
    ]
