"""One row of a roster and what is wrong with it, and the errors of many rows grouped for a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from forms.checks import join
from forms.model import Column, RosterDefinition, Value
from forms.text import headline


@dataclass(slots=True)
class Row:
    """A person's line.

    :param number: the row in the sheet, as Excel counts.
    :param values: typed values of the cells that are right, by column key, fit for JSON.
    :param raw: the text of every cell that holds anything.
    :param errors: column key → Chinese message; the row counts only without any.
    :param warnings: column key → Chinese message.
    :param across: what :meth:`add_error` and :meth:`add_warning` added, so that such checks can run anew.
    """

    number: int
    values: dict[str, Value] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)
    across: list[list[str]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the row has no error."""
        return not self.errors

    def add_error(self, column: str, text: str) -> None:
        """Note an error that needs more than this one cell to be seen. What the cell says already comes first."""
        self._add("errors", self.errors, column, text)

    def add_warning(self, column: str, text: str) -> None:
        """Note a warning that needs more than this one cell to be seen."""
        self._add("warnings", self.warnings, column, text)

    def _add(self, kind: str, messages: dict[str, str], column: str, text: str) -> None:
        messages[column] = join(messages.get(column, ""), text)
        self.across.append([kind, column, text])

    def forget_across(self) -> None:
        """Take back what was added, before the checks over rows run again."""
        for kind, column, text in reversed(self.across):
            messages = self.errors if kind == "errors" else self.warnings
            rest = messages[column].removesuffix(text).removesuffix("；")
            if rest:
                messages[column] = rest
            else:
                del messages[column]
        self.across.clear()

    def to_json(self) -> dict[str, Any]:
        """The row as JSON can keep it. It holds personal data: encrypt it."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Row:
        """The row that :meth:`to_json` gave."""
        return cls(**data)


#: A check over all rows that the caller hands in by the name the roster gives it.
RowsCheck: TypeAlias = Callable[[list[Row]], None]


@dataclass(frozen=True)
class ErrorGroup:
    """All rows in which the same thing is wrong with the same column."""

    title: str
    count: int
    rows: tuple[int, ...]


def group_errors(
    definition: RosterDefinition, rows: Iterable[Row], *, warnings: bool = False
) -> list[ErrorGroup]:
    """Errors (or warnings) by kind, the most frequent first; each lists its rows from the top."""
    labels = {one.key: one.label for one in definition.columns}
    found: dict[str, list[int]] = {}
    for row in rows:
        for key, text in (row.warnings if warnings else row.errors).items():
            for part in text.split("；"):
                found.setdefault(kind_of(labels.get(key, key), part), []).append(row.number)
    groups = [ErrorGroup(title, len(numbers), tuple(sorted(numbers))) for title, numbers in found.items()]
    return sorted(groups, key=lambda group: (-group.count, group.rows[0]))


def kind_of(label: str, text: str) -> str:
    """What a message is counted under: 身份证号：校验不通过."""
    kind = headline(text)
    return kind if kind.startswith(label) else f"{label}：{kind}"


def place_of(row: int, column: Column, letter: str = "") -> str:
    """Where a cell is, in words: 第 5 行 C 列“身份证号”."""
    return f"第 {row} 行 {letter} 列“{column.label}”" if letter else f"第 {row} 行“{column.label}”"
