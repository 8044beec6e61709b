"""A corrected upload: it replaces the rows that were wrong, and leaves alone those that were right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from forms.identifiers import normal_id
from forms.model import RosterDefinition
from forms.row_checks import check_across
from forms.rows import Row, RowsCheck
from forms.text import compact


@dataclass
class Correction:
    """What a corrected upload did; row numbers are those of ``rows``.

    :param rows: everything that stands now, checked across anew.
    :param replaced: rows that were wrong and came again.
    :param added: people who were not there before.
    :param kept: rows that were right before and stayed as they were.
    :param differing: those of ``kept`` that came again with something else in them; nothing of it was taken.
    :param waiting: rows that were wrong and did not come again.
    :param dropped: doubles of a replaced row that did not come again: deleting one of two is how that is put right.
    """

    rows: list[Row]
    replaced: list[int] = field(default_factory=list)
    added: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    differing: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)


def merge_correction(
    definition: RosterDefinition,
    previous: Sequence[Row],
    corrected: Sequence[Row],
    *,
    extra_checks: Mapping[str, RowsCheck] | None = None,
) -> Correction:
    """Put a corrected upload over the rows there are.

    A new row belongs to the old one with the same ``match_on`` value (ID numbers in their normal form); failing
    that to a wrong one of the same row number and the same name, or whose name or number was what was wrong; failing
    that to the only wrong one of that name. What belongs to none is added. Neither list is changed.
    """
    old = [Row.from_json(_copy(row)) for row in previous]
    for row in old:
        row.forget_across()
    result = Correction(rows=list(old))
    # Rows that only looked wrong beside others (duplicates) are wrong, too: the correction is about them.
    wrong = {row.number for row in previous if not row.ok}
    places = {row.number: index for index, row in enumerate(result.rows)}
    matcher = _Matcher(definition, old, wrong)
    next_number = max(places, default=0) + 1
    for new in (Row.from_json(_copy(row)) for row in corrected):
        new.forget_across()
        number = matcher.find(new)
        if number is None:
            new.number, next_number = next_number, next_number + 1
            result.rows.append(new)
            result.added.append(new.number)
        elif number in wrong:
            new.number = number
            result.rows[places[number]] = new
            result.replaced.append(number)
        elif new.values != result.rows[places[number]].values:
            result.differing.append(number)
    result.kept = sorted(set(places) - wrong)
    result.waiting = sorted(wrong - set(result.replaced))
    _drop_doubles(definition, result)
    check_across(definition, result.rows, extra_checks)
    return result


def _drop_doubles(definition: RosterDefinition, result: Correction) -> None:
    key = definition.match_on
    again = {row.values.get(key) for row in result.rows if row.number in result.replaced} - {None}
    waiting = set(result.waiting)
    result.dropped = [
        row.number for row in result.rows if row.number in waiting and row.values.get(key) in again
    ]
    gone = set(result.dropped)
    result.waiting = sorted(waiting - gone)
    result.rows = [row for row in result.rows if row.number not in gone]


def _copy(row: Row) -> dict[str, object]:
    data = row.to_json()
    return {
        key: dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value
        for key, value in data.items()
    }


class _Matcher:
    """Finds the old row that a new one stands for; each is found once."""

    def __init__(self, definition: RosterDefinition, old: Sequence[Row], wrong: set[int]) -> None:
        self._match_on, self._name = definition.match_on, definition.name_column
        self._by_number = {row.number: row for row in old}
        self._wrong = wrong
        self._open = set(self._by_number)
        self._by_key: dict[str, list[int]] = {}
        self._by_name: dict[str, list[int]] = {}
        for row in old:
            if key := self._key(row):
                self._by_key.setdefault(key, []).append(row.number)
            if row.number in wrong and (name := self._name_of(row)):
                self._by_name.setdefault(name, []).append(row.number)

    def find(self, new: Row) -> int | None:
        """The number of the old row; None for someone new."""
        for candidate in (self._same_key(new), self._same_place(new), self._same_name(new)):
            if candidate is not None:
                self._open.discard(candidate)
                return candidate
        return None

    def _key(self, row: Row) -> str:
        return normal_id(row.raw.get(self._match_on, ""))

    def _name_of(self, row: Row) -> str:
        return compact(row.raw.get(self._name, ""))

    def _same_key(self, new: Row) -> int | None:
        key = self._key(new)
        numbers = [number for number in self._by_key.get(key, []) if number in self._open] if key else []
        # Of several equal ones the one in the same place, else the first.
        return new.number if new.number in numbers else next(iter(numbers), None)

    def _same_place(self, new: Row) -> int | None:
        old = self._by_number.get(new.number)
        if old is None or old.number not in self._open or old.number not in self._wrong:
            return None
        same_name = self._name_of(old) == self._name_of(new)
        was_the_fault = self._name in old.errors or not self._name_of(old)
        return old.number if same_name or was_the_fault else None

    def _same_name(self, new: Row) -> int | None:
        numbers = [number for number in self._by_name.get(self._name_of(new), []) if number in self._open]
        return numbers[0] if len(numbers) == 1 else None
