"""Proof that a rule table answers every input, and answers it once.

The values of an input fall into finitely many regions between the bounds that the cells name: each bound itself, each
gap between two bounds, what lies outside; for texts the words named and "any other". A rule matches a whole region or
nothing of it, so one representative of each region decides for all. Nothing is sampled: the proof is complete.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias

from workflows.engine.cells import Between, Cell, Equal, Scalar
from workflows.engine.dmn import MANY, Decision, Input
from workflows.engine.errors import Problem

#: Steps of all searches in one table together.
MAX_STEPS = 2_000_000


@dataclass(frozen=True)
class _Column:
    """What an input column can hold.

    :param values: one representative of each region. :param met: for each rule the set (bits) of representatives that its cell
        matches.
    :param classes: of representatives that the same rules match, one: with the set (bits) of these rules.
    """

    values: list[Scalar]
    met: list[int]
    classes: list[tuple[Scalar, int]]


_Columns: TypeAlias = list[_Column]


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
        if not values.values:
            return [
                _problem(decision, f"「{column.label}」没有任何可能的取值；请检查允许取值（inputValues）")
            ]
    return _overlaps(decision, columns) if decision.hit_policy in ("UNIQUE", "ANY") else []


def omissions(decision: Decision) -> list[Problem]:
    """Inputs without a rule, and rules without an input. Elsewhere the answer to such an input is null; here there must be one."""
    columns = _columns(decision)
    if not all(column.values for column in columns):
        return []
    search = _Search(columns)
    try:
        return [*_gaps(decision, search), *_dead(decision, search)]
    except _TooComplex:
        return [_problem(decision, "太复杂，无法证明没有遗漏和重复；请拆成几张较小的规则表")]


def _columns(decision: Decision) -> _Columns:
    return [_column(decision, number) for number in range(len(decision.inputs))]


def _column(decision: Decision, number: int) -> _Column:
    """Regions and rules matched to each other: by a sweep along the values, because a table of thousands of rules has thousands of
    regions, too."""
    values = representatives(decision, number)
    met = [_places(rule.cells[number], values) for rule in decision.rules]
    toggles = [0] * (len(values) + 1)
    for row, places in enumerate(met):
        for place in _edges(places):
            toggles[place] ^= 1 << row
    live, classes = 0, dict[int, Scalar]()
    for value, toggled in zip(values, toggles, strict=False):
        live ^= toggled
        classes.setdefault(live, value)
    return _Column(values, met, [(value, bits) for bits, value in classes.items()])


def _edges(places: int) -> Iterator[int]:
    """Where a set of bits begins and ends, again and again."""
    changes = places ^ (places << 1)
    while changes:
        lowest = changes & -changes
        yield lowest.bit_length() - 1
        changes ^= lowest


def _places(cell: Cell, values: Sequence[Scalar]) -> int:
    """The set (bits) of values that a cell matches. Numbers and days are in order, so that an interval is one stretch of them;
    null, where it can be, is the last."""
    whole = len(values) - (None in values[-1:])
    ordered: Sequence[Any] = values
    everything = (1 << whole) - 1
    null = (1 << whole) * (whole < len(values) and cell.matches(None))
    if not cell.tests:
        return everything | null
    found = 0
    for test in cell.tests:
        if isinstance(test, Between):
            begin = 0 if test.low is None else bisect_left(ordered, test.low, 0, whole)
            end = whole if test.high is None else bisect_right(ordered, test.high, 0, whole)
            while begin < end and not test.holds(values[begin]):
                begin += 1
            while begin < end and not test.holds(values[end - 1]):
                end -= 1
            found |= (1 << end) - (1 << begin)
        elif isinstance(test.value, bool | str):
            found |= 1 << values.index(test.value) if test.value in values else 0
        elif test.value is not None:
            place = bisect_left(ordered, test.value, 0, whole)
            found |= (1 << place) * (place < whole and values[place] == test.value)
    return (everything ^ found if cell.negated else found) | null


def _problem(decision: Decision, what: str) -> Problem:
    return Problem.at(decision.file, decision.id, what, decision.name)


def _gaps(decision: Decision, search: _Search) -> list[Problem]:
    if decision.hit_policy in MANY:
        return []
    gap = search.input((1 << len(decision.rules)) - 1, None)
    if gap is None:
        return []
    return [_problem(decision, f"没有规则适用于：{_example(decision, gap)}；请补一条规则，或限定允许的取值")]


def _dead(decision: Decision, search: _Search) -> list[Problem]:
    problems: list[Problem] = []
    for row, rule in enumerate(decision.rules):
        # Under FIRST a rule must have an input that no earlier rule takes; elsewhere an input at all.
        earlier = (1 << row) - 1 if decision.hit_policy == "FIRST" else 0
        reachable = all(column.met[row] for column in search.columns)
        if not reachable or (earlier and search.input(earlier, row) is None):
            why = "前面的规则已经包括了它" if earlier else "它的条件超出了允许的取值"
            problems.append(
                _problem(decision, f"第 {rule.number} 条规则（{rule.id}）永远不会适用：{why}；请删去或调整")
            )
    return problems


def _overlaps(decision: Decision, columns: _Columns) -> list[Problem]:
    problems: list[Problem] = []
    rules = decision.rules
    same = decision.hit_policy == "ANY"
    # two rules meet where the sets of their cells have something in common in every column
    met = list(zip(*(column.met for column in columns), strict=True))
    for first in range(len(rules)):
        mine = met[first]
        for second in range(first + 1, len(rules)):
            shared = []
            for one, other in zip(mine, met[second], strict=True):
                if not one & other:
                    break
                shared.append(one & other)
            if len(shared) < len(columns) or (same and rules[first].outputs == rules[second].outputs):
                continue
            example = [
                column.values[(common & -common).bit_length() - 1]
                for column, common in zip(columns, shared, strict=True)
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


class _Search:
    """Looks for an input that some rules match and others do not; every search of a table takes from the same store of steps."""

    def __init__(self, columns: _Columns) -> None:
        self.columns = columns
        self._steps = 0

    def input(self, against: int, within: int | None) -> list[Scalar] | None:
        """An input that the rule ``within`` matches and none of ``against`` does, or ``None``."""
        wanted = 0 if within is None else 1 << within
        choices = [
            list(
                {
                    bits & against: (value, bits) for value, bits in column.classes if bits & wanted == wanted
                }.values()
            )
            for column in self.columns
        ]
        self._steps += sum(len(column.classes) for column in self.columns) // 8
        seen: set[tuple[int, int]] = set()

        def descend(number: int, live: int) -> list[Scalar] | None:
            if number == len(choices):
                return None if live else []
            if (number, live) in seen:
                return None
            seen.add((number, live))
            for value, bits in choices[number]:
                self._steps += 1
                if self._steps > MAX_STEPS:
                    raise _TooComplex
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
    found: dict[Scalar, None] = {}
    for cell in cells:
        for test in cell.tests:
            ends = (test.value,) if isinstance(test, Equal) else (test.low, test.high)
            found |= dict.fromkeys(end for end in ends if end is not None)
    return list(found)


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
