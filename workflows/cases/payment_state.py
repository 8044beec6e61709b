"""What a diagram may ask about a case's grants and payments. Rows answer, never the engine's data."""

from __future__ import annotations

from sqlalchemy import select

from workflows.cases.action import Action
from workflows.cases.roster_model import RosterRow, RowVerdict
from workflows.cases.verdicts import REFUSE
from workflows.funds import payables
from workflows.registers.grant_model import Grant

#: A case that waits for its payments hears this when the last has come to its end.
PAYMENTS_SETTLED = "payments_settled"


def held_rows(action: Action) -> int:
    """Held people whom no office refused: whether the offices have to speak on them."""
    refused = select(RowVerdict.row_id).where(
        RowVerdict.verdict == REFUSE,
        RowVerdict.row_id.in_(select(RosterRow.id).where(RosterRow.id == Grant.row_id)),
    )
    return len(
        action.session.scalars(
            select(Grant.id).where(
                Grant.case_id == action.case.id, Grant.state == "held", Grant.row_id.not_in(refused)
            )
        ).all()
    )


def payments_open(action: Action) -> bool:
    """Whether any payment of the case has not come to its end."""
    return not payables.settled(payables.of_case(action.session, action.case.id))


def paid_people(action: Action) -> int:
    """How many people were paid."""
    return sum(one.state == "paid" for one in payables.of_case(action.session, action.case.id))
