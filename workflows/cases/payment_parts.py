"""What documents say of money: who is paid, how much, from which fund, to which account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from workflows.base.privacy import mask_account, mask_id
from workflows.cases.action import Action
from workflows.cases.granting import rows_by_id
from workflows.funds import payables
from workflows.funds.batch_model import BatchLine
from workflows.funds.model import FUND_SOURCES, PAYABLE_STATES, Appropriation, Payable
from workflows.registers import grants
from workflows.registers.grant_model import GRANT_STATES


def _living(action: Action) -> list[Payable]:
    return [one for one in payables.of_case(action.session, action.case.id) if one.state != "freed"]


def _owed(action: Action) -> list[tuple[int, int, str, int | None]]:
    """(row, fen, how far it is, payable) of everybody who is paid, or is to be paid while nothing is reserved yet."""
    living = _living(action)
    if living:
        return [(one.row_id, one.amount_fen, PAYABLE_STATES[one.state], one.id) for one in living]
    return [
        (one.row_id or 0, one.amount_fen, GRANT_STATES[one.state], None)
        for one in grants.of_case(action.session, action.case.id)
        if one.state in ("claimed", "approved")
    ]


def payees(action: Action, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The people who are paid: name, masked number, village, amount, and how far the payment is."""
    owed = _owed(action)
    rows = rows_by_id(action, [row_id for row_id, _, _, _ in owed])
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
            "name": str(rows[row_id].values.get(name_column or "name", "")),
            "id_number": mask_id(str(rows[row_id].values.get(columns.get("id_number", "id_number"), ""))),
            "village": str(rows[row_id].values.get(columns.get("village", "village"), "")),
            "amount": fen,
            "state": state,
            "reference": references.get(payable_id, "") if payable_id is not None else "",
        }
        for row_id, fen, state, payable_id in owed
    ]


def money(action: Action, config: Mapping[str, Any]) -> dict[str, Any]:
    """How many people, how much in all (fen), from which fund."""
    living = _living(action)
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
    living = _living(action)
    if not living:
        return {"name": "", "account": "", "bank": ""}
    return {
        "name": living[0].payee_name,
        "account": mask_account(living[0].account_number),
        "bank": living[0].bank_name,
    }
