"""Compiles a roster to one function that checks a row, and runs the checks that look over all rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeAlias

from forms.answers import holds
from forms.checks import Cell, Check, cell_text, compile_field
from forms.choices import Lists
from forms.model import SENSITIVE_TYPES, Column, RosterDefinition, ShowIf, Value
from forms.rows import Row, RowsCheck
from forms.rules import compile_rule
from forms.text import masked, message, plain, quoted
from workflows.base.errors import CatalogueError

_SHOWN_ROWS = 5
_MOST_REMEMBERED = 20_000


#: A cell's text, and what its check says.
_Seen: TypeAlias = tuple[str, Value, str, str]


def _repeats(column: Column) -> bool:
    return column.type not in SENSITIVE_TYPES and not column.unique


class RowChecker:
    """The checks of a roster, compiled once, for one reading of one sheet on one day.

    Cells are text, numbers or None; a true cell is the text 是 by now (True and 1 would be remembered as one).

    :param places: column key → index of its cell, from 0; a column that the sheet lacks is not checked.
    """

    def __init__(
        self, definition: RosterDefinition, places: Mapping[str, int], lists: Lists | None = None
    ) -> None:
        self.places = dict(places)
        self._width = max(places.values(), default=-1) + 1
        # What a column holds again and again, villages, posts, dates, is looked at once: `known` keeps the answers.
        self._plan: list[tuple[str, int, Check, bool, dict[Cell, _Seen]]] = [
            (one.key, places[one.key], compile_field(one, lists), _repeats(one), {})
            for one in definition.columns
            if one.key in places
        ]
        self._conditions: list[tuple[Column, ShowIf]] = [
            (one, one.show_if) for one in definition.columns if one.show_if is not None and one.key in places
        ]
        self._rules = [
            (rule, compile_rule(rule, [definition.column(key) for key in rule.fields]))
            for rule in definition.rules
        ]

    def check(
        self, number: int, cells: Sequence[Cell], today: date, faults: Mapping[int, str] | None = None
    ) -> Row:
        """Check one row.

        :param cells: the row's cells from the first column on; missing ones count as empty.
        :param faults: index → message of cells that cannot be trusted at all, such as formulas.
        """
        row = Row(number)
        values, raw, errors, warnings = row.values, row.raw, row.errors, row.warnings
        if len(cells) < self._width:
            cells = [*cells, *[None] * (self._width - len(cells))]
        for key, index, check, repeats, known in self._plan:
            cell = cells[index]
            found = known.get(cell)
            if found is None:
                text = plain(cell) if type(cell) is str else cell_text(cell)
                found = (text, *check(text if type(cell) is str else cell, today))
                if repeats and len(known) < _MOST_REMEMBERED:
                    known[cell] = found
            text, value, error, warning = found
            if text:
                raw[key] = text
            if value is not None:
                values[key] = value
            elif error:
                errors[key] = error
            if warning:
                warnings[key] = warning
        if faults:
            self._distrust(row, cells, faults)
        self._drop_hidden(row)
        for rule, finding in self._rules:
            text = finding(values)
            if text:
                (errors if rule.level == "error" else row.warnings).setdefault(rule.fields[-1], text)
        return row

    def _distrust(self, row: Row, cells: Sequence[Cell], faults: Mapping[int, str]) -> None:
        """Take nothing from cells that only seem to hold what they show."""
        for key, index in self.places.items():
            if index in faults:
                row.values.pop(key, None)
                row.warnings.pop(key, None)
                row.errors[key] = faults[index]
                # What calamine makes of a formula without a stored result is 0, which nobody typed.
                if type(cells[index]) is not str:
                    row.raw.pop(key, None)

    def _drop_hidden(self, row: Row) -> None:
        """Columns that this row does not need: neither required nor kept."""
        for column, condition in self._conditions:
            if not holds(condition, row.values, None):
                row.values.pop(column.key, None)
                row.errors.pop(column.key, None)
                row.warnings.pop(column.key, None)


def check_across(
    definition: RosterDefinition, rows: list[Row], extra_checks: Mapping[str, RowsCheck] | None = None
) -> None:
    """Run, or run anew, what compares rows with one another, and the checks handed in by the caller.

    :raises CatalogueError: when the roster names a check that was not handed in: it must not be skipped in silence.
    """
    lacking = [name for name in definition.extra_checks if name not in (extra_checks or {})]
    if lacking:
        raise CatalogueError([f"{definition.file}：row_checks 没有提供“{name}”这项检查" for name in lacking])
    for row in rows:
        row.forget_across()
    for column in definition.columns:
        if column.unique:
            _compare(column, rows, _say_duplicate)
        elif column.shared:
            _compare(column, rows, _say_shared)
    for name in definition.extra_checks:
        (extra_checks or {})[name](rows)


def _compare(column: Column, rows: list[Row], say: Callable[[Column, Row, str], None]) -> None:
    key = column.key
    first: dict[object, Row] = {}
    repeated: dict[object, list[Row]] = {}
    for row in rows:
        value = row.values.get(key)
        if value is not None and first.setdefault(value, row) is not row:
            repeated.setdefault(value, [first[value]]).append(row)
    for same in repeated.values():
        for row in same:
            say(column, row, _others(row, same))


def _others(row: Row, same: Sequence[Row]) -> str:
    numbers = [str(one.number) for one in same if one is not row]
    return "、".join(numbers[:_SHOWN_ROWS]) + (f" 等 {len(numbers)}" if len(numbers) > _SHOWN_ROWS else "")


def _found(column: Column, row: Row) -> str:
    value = str(row.values[column.key])
    return masked(column.type, value) if column.sensitive else quoted(value)


def _say_duplicate(column: Column, row: Row, others: str) -> None:
    row.add_error(
        column.key,
        message(
            f"{column.label}重复",
            f"第 {row.number} 行与第 {others} 行都是 {_found(column, row)}",
            "一人只填一行，请删除多余的行或改正号码",
        ),
    )


def _say_shared(column: Column, row: Row, others: str) -> None:
    row.add_warning(
        column.key,
        message(
            f"{column.label}与他人相同",
            f"第 {row.number} 行与第 {others} 行都是 {_found(column, row)}",
            "请核对是否本人的号码",
        ),
    )
