"""What is wrong with a roster that was read: by kind with counts, then cell by cell, fifty at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.rows import ErrorGroup, Row, group_errors, kind_of
from forms.text import quoted
from workflows.cases.process import Process
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.roster_view import name_and_number, veil

#: Cells listed on a page.
SIZE = 50


@dataclass(frozen=True)
class Cell:
    """One cell that is wrong or doubtful. Numbers of people are shown in part: the annotated copy has them whole."""

    row: int
    column: str
    person: str
    found: str
    message: str


@dataclass(frozen=True)
class Problems:
    """A page of cells. ``groups``: all kinds with their rows; ``kind``: the one chosen, from 1, or 0 for all.

    :param total: cells of the chosen kind.
    """

    groups: Sequence[ErrorGroup]
    cells: Sequence[Cell]
    kind: int
    page: int
    total: int


def problems(
    session: Session,
    roster: Roster,
    process: Process,
    *,
    warnings: bool = False,
    kind: int = 0,
    page: int = 1,
) -> Problems:
    """The errors (or the warnings) of a roster.

    :param kind: the number of a group, to see that one alone.
    """
    definition = process.roster
    if definition is None:
        return Problems([], [], 0, 1, 0)
    rows = _messages(session, roster, warnings)
    groups = group_errors(definition, rows, warnings=warnings)
    kind = kind if 0 < kind <= len(groups) else 0
    labels = {one.key: one.label for one in definition.columns}
    cells = [
        (row.number, key, text)
        for row in rows
        for key, text in (row.warnings if warnings else row.errors).items()
        if not kind
        or any(kind_of(labels.get(key, key), part) == groups[kind - 1].title for part in text.split("；"))
    ]
    page = min(max(1, page), max(1, -(-len(cells) // SIZE)))
    shown = cells[(page - 1) * SIZE : page * SIZE]
    whole = {
        row.number: row
        for row in session.scalars(
            select(RosterRow).where(
                RosterRow.roster_id == roster.id, RosterRow.number.in_({number for number, _, _ in shown})
            )
        )
    }
    return Problems(
        groups,
        [
            Cell(
                number,
                labels.get(key, key),
                name_and_number(process, whole[number])[0],
                veil(quoted(whole[number].raw.get(key, ""))) if whole[number].raw.get(key) else "",
                veil(text),
            )
            for number, key, text in shown
        ],
        kind,
        page,
        len(cells),
    )


def _messages(session: Session, roster: Roster, warnings: bool) -> list[Row]:
    """The rows with their messages alone: the other encrypted columns stay closed."""
    if warnings:
        found = session.execute(
            select(RosterRow.number, RosterRow.warnings)
            .where(RosterRow.roster_id == roster.id)
            .order_by(RosterRow.number)
        )
        return [Row(number=number, warnings=texts) for number, texts in found if texts]
    found = session.execute(
        select(RosterRow.number, RosterRow.errors)
        .where(RosterRow.roster_id == roster.id, RosterRow.bad.is_(True))
        .order_by(RosterRow.number)
    )
    return [Row(number=number, errors=texts) for number, texts in found]
