"""What documents say of money: who is paid, how much, from which fund, to which account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from workflows.base.privacy import mask_account, mask_id
from workflows.cases.action import Action
from workflows.cases.granting import values_by_row
from workflows.funds.batch_model import BatchLine
from workflows.funds.model import FUND_SOURCES, PAYABLE_STATES, Appropriation, Payable
from workflows.registers.grant_model import GRANT_STATES, Grant


def _living(action: Action, *columns: Any) -> Sequence[Any]:
    """Columns of the payments that were not freed, in the order of their making."""
    return action.session.execute(
        select(*columns)
        .where(Payable.case_id == action.case.id, Payable.state != "freed")
        .order_by(Payable.id)
    ).all()


def _owed(action: Action) -> list[tuple[int, int, str, int | None]]:
    """(row, fen, how far it is, payable) of everybody who is paid, or is to be paid while nothing is reserved yet."""
    living = _living(action, Payable.row_id, Payable.amount_fen, Payable.state, Payable.id)
    if living:
        return [(row, fen, PAYABLE_STATES[state], payable) for row, fen, state, payable in living]
    slots = action.session.execute(
        select(Grant.row_id, Grant.amount_fen, Grant.state)
        .where(Grant.case_id == action.case.id, Grant.state.in_(("claimed", "approved")))
        .order_by(Grant.id)
    )
    return [(row or 0, fen, GRANT_STATES[state], None) for row, fen, state in slots]


def payees(action: Action, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The people who are paid: name, masked number, village, amount, and how far the payment is."""
    owed = _owed(action)
    rows = values_by_row(action, [row_id for row_id, _, _, _ in owed])
    references: dict[int | None, str] = {}
    for payable_id, reference in action.session.execute(
        select(BatchLine.payable_id, BatchLine.bank_reference)
        .join(Payable, Payable.id == BatchLine.payable_id)
        .where(Payable.case_id == action.case.id, BatchLine.state == "paid")
    ):
        references[payable_id] = reference
    columns = action.process.config.get("printed_columns", {})
    name_column = action.process.roster.name_column if action.process.roster else "name"
    return [
        {
            "name": str(rows[row_id].get(name_column or "name", "")),
            "id_number": mask_id(str(rows[row_id].get(columns.get("id_number", "id_number"), ""))),
            "village": str(rows[row_id].get(columns.get("village", "village"), "")),
            "amount": fen,
            "state": state,
            "reference": references.get(payable_id, "") if payable_id is not None else "",
        }
        for row_id, fen, state, payable_id in owed
    ]


def money(action: Action, config: Mapping[str, Any]) -> dict[str, Any]:
    """How many people, how much in all (fen), from which fund."""
    living = _living(action, Payable.amount_fen, Payable.state, Payable.appropriation_id)
    owed = _owed(action)
    fund = action.session.get(Appropriation, living[0].appropriation_id) if living else None
    return {
        "people": len(owed),
        "total": sum(fen for _, fen, _, _ in owed),
        "paid": sum(one.amount_fen for one in living if one.state == "paid"),
        "fund": fund.title if fund else "",
        "source": FUND_SOURCES[fund.source] if fund else "",
        "document_number": fund.document_number if fund else "",
        "year": fund.year if fund else 0,
    }


def payee(action: Action, config: Mapping[str, Any]) -> dict[str, str]:
    """The account that the money goes to, masked."""
    first = action.session.execute(
        select(Payable.payee_name, Payable.account_number, Payable.bank_name)
        .where(Payable.case_id == action.case.id, Payable.state != "freed")
        .order_by(Payable.id)
        .limit(1)
    ).first()
    if first is None:
        return {"name": "", "account": "", "bank": ""}
    return {
        "name": first.payee_name,
        "account": mask_account(first.account_number),
        "bank": first.bank_name,
    }
