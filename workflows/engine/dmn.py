"""Decision tables of our own: compiled once, run on plain facts. :mod:`workflows.engine.dmn_reading` makes them from DMN XML,
:mod:`workflows.engine.lint_dmn` proves that no input is without a rule and that no two rules contradict each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from workflows.engine.cells import (
    TYPE_TITLES,
    Cell,
    Scalar,
    ValueType,
    fits,
)
from workflows.engine.errors import EngineError, FactError

HitPolicy: TypeAlias = Literal["UNIQUE", "FIRST", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER", "PRIORITY"]
#: Those whose answer is a list of rows.
MANY: frozenset[HitPolicy] = frozenset({"COLLECT", "RULE ORDER", "OUTPUT ORDER"})


@dataclass(frozen=True)
class Input:
    """A column that is asked. ``fact``: its name among the facts; ``allowed``: what values can come at all."""

    fact: str
    label: str
    type: ValueType
    allowed: Cell
    nullable: bool


@dataclass(frozen=True)
class Output:
    """A column that is answered."""

    name: str
    label: str
    type: ValueType
    allowed: Cell


@dataclass(frozen=True)
class Rule:
    """A row. ``citation``: the basis named after 依据：; ``note``: what stands before it; ``number``: 1, 2, …"""

    id: str
    number: int
    cells: tuple[Cell, ...]
    outputs: Mapping[str, Scalar]
    citation: str
    note: str
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """A compiled table. The catalogue takes the first four hit policies alone, and no ``aggregation`` (SUM, MIN, MAX, COUNT)."""

    id: str
    name: str
    file: str
    hit_policy: HitPolicy
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    aggregation: str = ""


@dataclass(frozen=True)
class Decided:
    """What a table said.

    :param outputs: output name → value; under COLLECT a list of such rows, in the table's order, maybe empty.
    :param fired: ids of the rules that gave it. :param rules: these rules, with their citations.
    """

    outputs: dict[str, Scalar] | list[dict[str, Scalar]]
    fired: tuple[str, ...]
    rules: tuple[Rule, ...]

    @property
    def row(self) -> dict[str, Scalar]:
        """The one row of a table that gives one.

        :raises EngineError: it is a collecting table.
        """
        if isinstance(self.outputs, list):
            raise EngineError("这张规则表给出的是一组结果，不能当作一个结果使用，请联系管理员。")
        return self.outputs


def decide(decision: Decision, facts: Mapping[str, Scalar]) -> Decided:
    """Run a table.

    :param facts: fact name → value; further facts are ignored. Numbers are ``int`` or ``Decimal``, dates ``date``.
    :raises FactError: a fact is missing, of the wrong type, empty where the table does not provide for it, or not
        among the allowed values. Never a silent "no rule matched".
    :raises EngineError: no rule matched, or several that contradict each other (the lint excludes both).
    """
    matched = matching(decision, facts)
    if decision.hit_policy == "COLLECT":
        return Decided(
            [dict(rule.outputs) for rule in matched], tuple(rule.id for rule in matched), tuple(matched)
        )
    if not matched:
        raise EngineError(f"规则表「{decision.name}」没有适用于当前情况的规则，请联系管理员补充。")
    return Decided(dict(matched[0].outputs), tuple(rule.id for rule in matched), tuple(matched))


def matching(decision: Decision, facts: Mapping[str, Scalar]) -> list[Rule]:
    """The rules that apply, in the table's order: under FIRST one at most, under UNIQUE and ANY those that say the same.

    :raises FactError: as :func:`decide` does.
    :raises EngineError: several apply that must not.
    """
    values = [_fact(decision, column, facts) for column in decision.inputs]
    matched: list[Rule] = []
    for rule in decision.rules:  # loops and no generators: thousands of rows of a roster are judged here
        for cell, value in zip(rule.cells, values, strict=True):
            if cell.tests and not cell.matches(value):
                break
        else:
            matched.append(rule)
            if decision.hit_policy == "FIRST":
                return matched
    if decision.hit_policy in ("PRIORITY", "OUTPUT ORDER"):
        matched.sort(key=lambda rule: _rank(decision, rule))
        return matched[:1] if decision.hit_policy == "PRIORITY" else matched
    if decision.hit_policy in ("UNIQUE", "ANY") and (
        any(rule.outputs != matched[0].outputs for rule in matched)
        or (decision.hit_policy == "UNIQUE" and len(matched) > 1)
    ):
        raise EngineError(f"规则表「{decision.name}」有几条规则同时适用，请联系管理员修正。")
    return matched


def _rank(decision: Decision, rule: Rule) -> tuple[int, ...]:
    """Where a rule's outputs stand in the lists of allowed values, column by column; a column without a list decides nothing."""
    return tuple(
        next(
            (
                place
                for place, test in enumerate(column.allowed.tests)
                if test.holds(rule.outputs[column.name])
            ),
            0,
        )
        for column in decision.outputs
    )


def _fact(decision: Decision, column: Input, facts: Mapping[str, Scalar]) -> Scalar:
    if column.fact not in facts:
        raise _unfit(decision, column, "没有提供，无法判断；请补充后再试。")
    value = facts[column.fact]
    if value is None:
        if not column.nullable:
            raise _unfit(decision, column, "是空的，无法判断；请补充后再试。")
        return None
    if not fits(value, column.type):
        title = TYPE_TITLES[column.type]
        raise _unfit(decision, column, f"应是{title}，得到的却是别的类型，无法判断；请联系管理员。")
    if not column.allowed.matches(value):
        raise _unfit(decision, column, "不在规则表允许的取值之内，无法判断；请核对后再试。")
    return value


def _unfit(decision: Decision, column: Input, what: str) -> FactError:
    return FactError(f"规则表「{decision.name}」需要的「{column.label}」{what}")
