"""追回 of a payment, with its paper: the decision and the letter that demands the money back are one action.

Payments and recoveries lie outside the diagrams, their papers do not lie outside the case: the letter takes its number
from the case's process (``payment.recovery`` in process.yaml), stands among the case's documents, and is rendered,
signed and verified like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import today
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.base.parameters import Value, in_force
from workflows.base.privacy import mask_id
from workflows.cases.action import Action, begin
from workflows.cases.offices import LEAD, office_of
from workflows.cases.operations import fix_document
from workflows.cases.process import Process
from workflows.cases.roster_model import RosterRow
from workflows.cases.roster_view import name_and_number
from workflows.documents import issue
from workflows.documents.model import IssuedDocument
from workflows.funds import recoveries
from workflows.funds.batch_model import BankAnswer, BatchLine, PaymentBatch
from workflows.funds.model import Payable, Recovery
from workflows.funds.recoveries import Finding
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes


@dataclass(frozen=True)
class RepayAccount:
    """Where recovered money is paid to: the county's own account, from the parameter that process.yaml names."""

    payee_name: str
    account_number: str
    bank_name: str


def repay_account(session: Session, process: Process, county_code: str) -> RepayAccount | None:
    """The account in force today; ``None`` when the county has named none.

    The parameter of today and not of the day the case began: what is paid back now goes where the county receives now.
    """
    key = _described(process).get("account")
    if key is None:
        return None
    default = process.config["parameters"][key]
    chain = list(chain_codes(session, county_code))
    values = in_force(
        session, process.key, chain, today(), {key: Value(default.get("value"), default.get("basis", ""))}
    )
    value = values[key].value
    if not value:
        return None
    return RepayAccount(value["payee_name"], value["account_number"], value["bank_name"])


def decide(session: Session, actor: Actor, payable_id: int, finding: Finding) -> Recovery:
    """Decide that a payment is to come back, and draw up the letter that says so.

    :raises Conflict: the payment is not there to be recovered.
    :raises Invalid: the county has named no account to pay to; see :func:`workflows.funds.recoveries.decide`.
    """
    payable = session.get(Payable, payable_id)
    if payable is None:
        raise NotFound("没有这笔款项。")
    action = begin(session, payable.case_id, actor.user_id)  # the case before its money, as everywhere
    office = office_of(session, action.case, LEAD)
    if not actor.holds(office.id):
        raise Forbidden(f"这笔款项由{office.name}决定是否追回。")
    action.department_id = office.id

    def letter(recovery: Recovery, paid: Payable) -> int | None:
        return _letter(action, recovery, paid)

    return recoveries.decide(session, actor, payable_id, finding, letter)


def demand(session: Session, actor: Actor, recovery_id: int) -> Recovery:
    """The letter was served: only once it is sealed, for nobody serves what does not exist yet."""
    row = _begin(session, actor, recovery_id)[1]
    paper = letter_of(session, row)
    if paper is not None and paper.file_id is None:
        raise Conflict("追回通知书正在签章，还不能登记送达。请稍后刷新页面。")
    return recoveries.demand(session, actor, recovery_id)


def cancel(session: Session, actor: Actor, recovery_id: int) -> Recovery:
    """The finding did not hold: nothing is to come back, and the letter's QR page says that it no longer stands."""
    action, _ = _begin(session, actor, recovery_id)
    row = recoveries.cancel(session, actor, recovery_id)
    paper = letter_of(session, row)
    if paper is not None:
        issue.revoke(session, paper)
        action.record("document-revoked", (paper,), document=paper.name)
    return row


def letter_of(session: Session, recovery: Recovery) -> IssuedDocument | None:
    """The letter of a recovery, if its process has one."""
    return session.get(IssuedDocument, recovery.document_id) if recovery.document_id else None


def _begin(session: Session, actor: Actor, recovery_id: int) -> tuple[Action, Recovery]:
    row = session.get(Recovery, recovery_id)
    if row is None:
        raise NotFound("没有这笔追回。")
    case_id = session.get_one(Payable, row.payable_id).case_id
    return begin(session, case_id, actor.user_id), row


def _described(process: Process) -> Mapping[str, Any]:
    """``payment.recovery`` of process.yaml: ``document`` and ``account``; empty where recoveries have no paper."""
    return process.config.get("payment", {}).get("recovery") or {}


def _letter(action: Action, recovery: Recovery, payable: Payable) -> int | None:
    document = _described(action.process).get("document")
    if document is None:
        return None
    account = repay_account(action.session, action.process, action.case.county_code)
    if account is None:
        raise Invalid(
            "本县还没有登记追回款项的收款账户，追回通知书写不出退到哪里，没有作出决定。"
            "请系统管理员按财政部门的书面通知，在“办理参数”中登记“追回款项收款账户”。"
        )
    row = action.session.get_one(RosterRow, payable.row_id)
    name, number = name_and_number(action.process, row)
    batch, paid_on = _paid(action.session, payable)
    paper = fix_document(
        action,
        document,
        {
            "addressee": payable.payee_name,
            "person": {"name": name, "id_number": mask_id(number) if number else ""},
            "amount": recovery.amount_fen,
            "batch": batch,
            "paid_on": paid_on,
            "facts": _sentences(recovery.reason),
            "grounds": _sentences(recovery.grounds),
            "due_on": recovery.due_on.isoformat(),
            "repay": {
                "name": account.payee_name,
                "account": account.account_number,
                "bank": account.bank_name,
            },
        },
    )
    return paper.id


def _paid(session: Session, payable: Payable) -> tuple[str, str]:
    """In which batch, and on which day, the bank paid it."""
    number, day = session.execute(
        select(PaymentBatch.number, BankAnswer.value_date)
        .join(BatchLine, BatchLine.batch_id == PaymentBatch.id)
        .join(BankAnswer, BankAnswer.id == BatchLine.answer_id)
        .where(BatchLine.payable_id == payable.id, BatchLine.state == "paid")
    ).one()
    return str(number), day.isoformat()


def _sentences(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
