"""What a form and a roster are, once read: immutable values without behaviour beyond looking things up.

The YAML they come from, and its grammar, is described in :mod:`forms.definition`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal, TypeAlias

#: A typed answer as it is stored: text, integer (also fen), bool, ISO date text, list of texts, list of rows.
Value: TypeAlias = Any

Bound: TypeAlias = int | str | date | None

FIELD_TYPES = (
    "text",
    "textarea",
    "choice",
    "multichoice",
    "boolean",
    "date",
    "integer",
    "decimal",
    "money",
    "phone",
    "credit_code",
    "id_number",
    "bank_account",
    "division",
    "files",
    "declaration",
    "roster",
    "defects",
    "attendance",
)

#: Types whose values are personal and therefore masked on screen unless the definition says otherwise.
SENSITIVE_TYPES = frozenset({"id_number", "phone", "bank_account"})

#: Types that a spreadsheet cell can hold.
CELL_TYPES = frozenset(FIELD_TYPES) - {"files", "declaration", "roster", "defects", "textarea"}

#: Types that only a spreadsheet has.
SHEET_TYPES = frozenset({"attendance"})


@dataclass(frozen=True)
class Option:
    """One choice: ``value`` is stored, ``label`` is read."""

    value: str
    label: str


@dataclass(frozen=True)
class ShowIf:
    """The field is asked only while another answer is one of ``values`` (``field`` may be ``outcome``)."""

    field: str
    values: tuple[str | bool | int, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Field:
    """One question of a form.

    ``minimum`` and ``maximum`` are fen for money, a date for dates (or ``today``), the number for integers,
    canonical text for decimals, and counts for files, multiple choices and defects.
    """

    key: str
    label: str
    type: str = "text"
    required: bool = False
    hint: str = ""
    max_length: int = 200
    minimum: Bound = None
    maximum: Bound = None
    options: tuple[Option, ...] = ()
    options_from: str = ""
    checks: tuple[str, ...] = ()
    sensitive: bool = False
    show_if: ShowIf | None = None
    unit: str = ""
    read_from: str = ""
    prefill: str = ""
    accept: tuple[str, ...] = ()
    rows: int = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class Column(Field):
    """One column of a roster: a field plus what only a sheet needs.

    ``width`` is in characters; ``also`` are further headings under which the column is recognised; ``unique``
    makes equal values of two rows an error, ``shared`` a warning. ``calendar`` is the key under which the 31 columns of
    a month were described at once, ``day`` which of them this is.
    """

    width: int = 16
    example: str = ""
    also: tuple[str, ...] = ()
    unique: bool = False
    shared: bool = False
    calendar: str = ""
    day: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class Rule:
    """A check over several fields of one form or row, see :mod:`forms.rules`. The last field gets the message."""

    name: str
    fields: tuple[str, ...]
    months: int = 0
    level: Literal["error", "warning"] = "error"


@dataclass(frozen=True, eq=False, kw_only=True)
class Section:
    """A group of fields: one page of a long form, one line of its task list."""

    key: str
    title: str
    hint: str = ""
    fields: tuple[Field, ...] = ()
    show_if: ShowIf | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """One button of a decision: what it is called and what happens then."""

    key: str
    label: str
    next: str = ""
    tone: Literal["primary", "plain", "danger"] = "plain"
    opinion: Literal["required", "optional", "none"] = "optional"
    phrases: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class FormDefinition:
    """What one person fills in at one step."""

    file: str
    title: str
    intro: str = ""
    sections: tuple[Section, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    rules: tuple[Rule, ...] = ()

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """All fields in the order in which they are asked."""
        return tuple(one for section in self.sections for one in section.fields)

    @cached_property
    def _by_key(self) -> Mapping[str, Field]:
        return {one.key: one for one in self.fields}

    def field(self, key: str) -> Field:
        """The field of that key; KeyError when there is none."""
        return self._by_key[key]

    def section_of(self, key: str) -> Section:
        """The section in which a field stands; KeyError when there is none."""
        for section in self.sections:
            if any(one.key == key for one in section.fields):
                return section
        raise KeyError(key)

    def outcome(self, key: str) -> Outcome:
        """The outcome of that key; KeyError when there is none."""
        for one in self.outcomes:
            if one.key == key:
                return one
        raise KeyError(key)


@dataclass(frozen=True, eq=False, kw_only=True)
class RosterDefinition:
    """The columns and row checks of one spreadsheet."""

    file: str
    title: str
    sheet: str = "花名册"
    notes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = ()
    extra_checks: tuple[str, ...] = ()
    max_rows: int = 5000
    match_on: str = ""
    name_column: str = ""

    @cached_property
    def _by_key(self) -> Mapping[str, Column]:
        return {one.key: one for one in self.columns}

    def column(self, key: str) -> Column:
        """The column of that key; KeyError when there is none."""
        return self._by_key[key]

    def calendar(self, key: str) -> tuple[Column, ...]:
        """The columns of a month that were described under one key, from the 1st on; none where there is no such key."""
        return self._calendars.get(key, ())

    @cached_property
    def _calendars(self) -> Mapping[str, tuple[Column, ...]]:
        """Asked of every row of a sheet: found once."""
        found: dict[str, tuple[Column, ...]] = {}
        for one in self.columns:
            if one.calendar:
                found[one.calendar] = (*found.get(one.calendar, ()), one)
        return found
