"""Proof that a rule table answers every input, and answers it once.

The values of an input fall into finitely many regions between the bounds that the cells name: each bound itself, each
gap between two bounds, what lies outside; for texts the words named and "any other". A rule matches a whole region or
nothing of it, so one representative of each region decides for all. Nothing is sampled: the proof is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TypeAlias

from workflows.engine.cells import Cell, Equal, Scalar
from workflows.engine.dmn import MANY, Decision, Input
from workflows.engine.errors import Problem

MAX_NODES = 200_000
#: For each column: the representatives, each with the set (bits) of rules whose cell matches it.
_Columns: TypeAlias = list[list[tuple[Scalar, int]]]


class _TooComplex(Exception):
    pass


#: Overlaps that are named; a table with more is named by these.
MOST = 20


def lint_decision(decision: Decision) -> list[Problem]:
    """Overlaps, gaps and dead rules of a table, each with an example of the input concerned."""
    return [*contradictions(decision), *omissions(decision)]


def contradictions(decision: Decision) -> list[Problem]:
    """What no input could be answered with, or what inputs would be answered with twice: no such table can be run."""
    columns = _columns(decision)
    for column, values in zip(decision.inputs, columns, strict=True):
        if not values:
            return [
                _problem(decision, f"「{column.label}」没有任何可能的取值；请检查允许取值（inputValues）")
            ]
    return _overlaps(decision, columns) if decision.hit_policy in ("UNIQUE", "ANY") else []


def omissions(decision: Decision) -> list[Problem]:
    """Inputs without a rule, and rules without an input. Elsewhere the answer to such an input is null; here there must be one."""
    columns = _columns(decision)
    if not all(columns):
        return []
    try:
        return [*_gaps(decision, columns), *_dead(decision, columns)]
    except _TooComplex:
        return [_problem(decision, "太复杂，无法证明没有遗漏和重复；请拆成几张较小的规则表")]


def _columns(decision: Decision) -> _Columns:
    return [
        [(value, _bits(decision, number, value)) for value in representatives(decision, number)]
        for number in range(len(decision.inputs))
    ]


def _problem(decision: Decision, what: str) -> Problem:
    return Problem.at(decision.file, decision.id, what, decision.name)


def _bits(decision: Decision, number: int, value: Scalar) -> int:
    return sum(1 << row for row, rule in enumerate(decision.rules) if rule.cells[number].matches(value))


def _gaps(decision: Decision, columns: _Columns) -> list[Problem]:
    if decision.hit_policy in MANY:
        return []
    gap = _search(columns, (1 << len(decision.rules)) - 1, 0)
    if gap is None:
        return []
    return [_problem(decision, f"没有规则适用于：{_example(decision, gap)}；请补一条规则，或限定允许的取值")]


def _dead(decision: Decision, columns: _Columns) -> list[Problem]:
    problems: list[Problem] = []
    for row, rule in enumerate(decision.rules):
        # Under FIRST a rule must have an input that no earlier rule takes; elsewhere an input at all.
        earlier = (1 << row) - 1 if decision.hit_policy == "FIRST" else 0
        if _search(columns, earlier, 1 << row) is None:
            why = "前面的规则已经包括了它" if earlier else "它的条件超出了允许的取值"
            problems.append(
                _problem(decision, f"第 {rule.number} 条规则（{rule.id}）永远不会适用：{why}；请删去或调整")
            )
    return problems


def _overlaps(decision: Decision, columns: _Columns) -> list[Problem]:
    problems: list[Problem] = []
    rules = decision.rules
    # for each column the set (bits) of representatives that a rule's cell matches: two rules meet where all sets do
    met = [
        [sum(1 << place for place, (_, bits) in enumerate(values) if bits >> row & 1) for values in columns]
        for row in range(len(rules))
    ]
    for first in range(len(rules)):
        for second in range(first + 1, len(rules)):
            shared = [one & other for one, other in zip(met[first], met[second], strict=True)]
            if not all(shared) or (
                decision.hit_policy == "ANY" and rules[first].outputs == rules[second].outputs
            ):
                continue
            example = [
                values[(common & -common).bit_length() - 1][0]
                for values, common in zip(columns, shared, strict=True)
            ]
            problems.append(
                _problem(
                    decision,
                    f"第 {rules[first].number} 条（{rules[first].id}）与第 {rules[second].number} 条"
                    f"（{rules[second].id}）规则同时适用于：{_example(decision, example)}；请改成互不重叠",
                )
            )
            if len(problems) == MOST:
                return problems
    return problems


def _search(columns: _Columns, against: int, within: int) -> list[Scalar] | None:
    """An input that all rules of ``within`` match and none of ``against``, or ``None``."""
    seen: set[tuple[int, int]] = set()

    def descend(number: int, live: int) -> list[Scalar] | None:
        if number == len(columns):
            return None if live else []
        if (number, live) in seen:
            return None
        seen.add((number, live))
        if len(seen) > MAX_NODES:
            raise _TooComplex
        for value, bits in columns[number]:
            if bits & within == within:
                found = descend(number + 1, live & bits)
                if found is not None:
                    return [value, *found]
        return None

    return descend(0, against)


def representatives(decision: Decision, number: int) -> list[Scalar]:
    """One value of each region of an input column, within its allowed values."""
    column = decision.inputs[number]
    cells = [rule.cells[number] for rule in decision.rules] + [column.allowed]
    values = _regions(column, cells)
    found: list[Scalar] = [value for value in values if column.allowed.matches(value)]
    if column.nullable:
        found.append(None)
    return found


def _bounds(cells: Sequence[Cell]) -> list[Scalar]:
    found: list[Scalar] = []
    for cell in cells:
        for test in cell.tests:
            ends = (test.value,) if isinstance(test, Equal) else (test.low, test.high)
            found += [end for end in ends if end is not None and end not in found]
    return found


def _regions(column: Input, cells: Sequence[Cell]) -> list[Scalar]:
    bounds = _bounds(cells)
    if column.type == "boolean":
        return [True, False]
    if column.type == "string":
        words = [word for word in bounds if isinstance(word, str)]
        other = "其他"
        while other in words:
            other += "值"
        return [*words, other]
    if column.type == "date":
        return list(_dates([day for day in bounds if isinstance(day, date)]))
    numbers = sorted(Decimal(number) for number in bounds if isinstance(number, int | Decimal))
    return [_plain(number) for number in _numbers(numbers, whole=column.type == "integer")]


def _dates(days: list[date]) -> list[date]:
    found: set[date] = set(days)
    for day in days:
        if day > date.min:
            found.add(day - timedelta(days=1))
        if day < date.max:
            found.add(day + timedelta(days=1))
    return sorted(found) or [date(2026, 1, 1)]


def _numbers(bounds: list[Decimal], whole: bool) -> list[Decimal]:
    if not bounds:
        return [Decimal(0)]
    found: list[Decimal] = []
    if whole:
        near = {
            value
            for bound in bounds
            for value in (bound.to_integral_value("ROUND_FLOOR"), bound.to_integral_value("ROUND_CEILING"))
        }
        return sorted(near | {value - 1 for value in near} | {value + 1 for value in near})
    found.append(bounds[0] - 1)
    for low, high in pairwise(bounds):
        found += [low, (low + high) / 2]
    return [*found, bounds[-1], bounds[-1] + 1]


def _plain(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number


def _example(decision: Decision, values: Sequence[Scalar]) -> str:
    return "，".join(
        f"{column.label} = {_shown(value)}" for column, value in zip(decision.inputs, values, strict=True)
    )


def _shown(value: Scalar) -> str:
    if value is None:
        return "空"
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value)
