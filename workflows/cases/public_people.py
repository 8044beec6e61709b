"""The people of a running 公示 of money: name, village and amount, as the guideline for such funds asks; nothing else.

They are read from the rows while it runs and stand nowhere else: when it ends there is nothing to take down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.cases.model import Case, Publicity
from workflows.cases.process import process_of
from workflows.cases.roster_model import RosterRow
from workflows.registers.grant_model import Grant


@dataclass(frozen=True)
class PublishedPerson:
    """One line. ``amount_fen``: whole fen."""

    name: str
    village: str
    amount_fen: int


def published_people(session: Session, publicity: Publicity) -> Sequence[PublishedPerson]:
    """The people a kind of 公示 shows; none where its process does not ask for them. The caller asks whether it runs."""
    case = session.get_one(Case, publicity.case_id)
    process = process_of(session, case.version_id)
    described = process.config["publicity"][publicity.kind].get("people")
    if not described or process.roster is None:
        return ()
    name = process.roster.name_column or "name"
    rows = session.execute(
        select(RosterRow, Grant.amount_fen)
        .join(Grant, Grant.row_id == RosterRow.id)
        .where(Grant.case_id == case.id, Grant.state.not_in(("freed", "held")))
        .order_by(RosterRow.number)
    )
    return [
        PublishedPerson(str(row.values.get(name, "")), str(row.values.get(described["village"], "")), amount)
        for row, amount in rows
    ]
