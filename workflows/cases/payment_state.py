"""What a diagram may ask about a case's grants and payments. Rows answer, never the engine's data."""

from __future__ import annotations

from sqlalchemy import func, select

from workflows.cases.action import Action
from workflows.cases.roster_model import RosterRow, RowVerdict
from workflows.cases.verdicts import REFUSE
from workflows.funds import payables
from workflows.funds.model import Payable
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
    states = select(Payable.state).where(Payable.case_id == action.case.id).distinct()
    return not payables.settled(action.session.scalars(states))


def paid_people(action: Action) -> int:
    """How many people were paid."""
    paid = (Payable.case_id == action.case.id) & (Payable.state == "paid")
    return action.session.scalar(select(func.count()).select_from(Payable).where(paid)) or 0
