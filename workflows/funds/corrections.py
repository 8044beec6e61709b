"""A bounced payment's account, corrected under two eyes: one person enters, another confirms. Only then it is paid again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.identifiers import check_bank_account
from workflows.audit.record import record, stream
from workflows.base.clock import now
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.base.model import Base
from workflows.funds.appropriations import get as get_fund
from workflows.funds.ledger import lock
from workflows.funds.model import AccountCorrection, Appropriation, Payable
from workflows.funds.payables import set_state
from workflows.funds.telling import tell
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.permissions import Facts, require


@dataclass(frozen=True)
class Account:
    """Where the money goes."""

    payee_name: str
    account_number: str
    bank_name: str


def enter(
    session: Session, actor: Actor, payable_id: int, account: Account, reason: str
) -> AccountCorrection:
    """Enter a bounced payment's right account; the payment waits until another person confirms it."""
    payable, fund = _begin(session, actor, payable_id)
    if payable.state != "bounced":
        raise Conflict("只有退票的款项可以更正账户。请刷新页面后再看。")
    errors: dict[str, str] = {}
    number, error, _ = check_bank_account(account.account_number)
    if error:
        errors["account_number"] = error
    if not account.payee_name.strip():
        errors["payee_name"] = "请填写收款人户名，与银行开户名称一致。"
    if not account.bank_name.strip():
        errors["bank_name"] = "请填写开户行全称。"
    if not reason.strip():
        errors["reason"] = "请写明更正的依据，例如银行退票原因和单位补交的开户许可证。"
    if waiting(session, payable_id) is not None:
        raise Conflict("这笔款项已有一条更正等待确认，请先确认或者否决。")
    if errors:
        raise Invalid("账户没有更正，请改正下列内容。", errors)
    row = AccountCorrection(
        payable_id=payable.id,
        payee_name=account.payee_name.strip(),
        account_number=str(number),
        bank_name=account.bank_name.strip(),
        reason=reason.strip(),
        entered_by=_user(actor),
        entered_at=now(),
    )
    session.add(row)
    _record(session, fund, payable, "account-correction-entered", actor, (row,))
    tell(session, "correction-entered", row.id)
    return row


def decide(session: Session, actor: Actor, correction_id: int, agree: bool) -> AccountCorrection:
    """Confirm a correction, so that the payment is ready again, or refuse it. Never by whoever entered it."""
    row = session.get(AccountCorrection, correction_id)
    if row is None:
        raise NotFound("没有这条账户更正。")
    payable, fund = _begin(session, actor, row.payable_id)
    session.refresh(row)
    if row.state != "entered":
        raise Conflict("这条账户更正已由他人办理。")
    if actor.user_id == row.entered_by:
        raise Forbidden("账户更正由您录入，须由其他人员确认。")
    row.state = "confirmed" if agree else "refused"
    row.decided_by, row.decided_at = _user(actor), now()
    covers: tuple[Base, ...] = (row,)
    if agree:
        payable.payee_name, payable.account_number = row.payee_name, row.account_number
        payable.bank_name = row.bank_name
        set_state(payable, "ready")
        covers = (row, payable)
    _record(session, fund, payable, f"account-correction-{row.state}", actor, covers)
    tell(session, f"correction-{row.state}", row.id)
    return row


def waiting(session: Session, payable_id: int) -> AccountCorrection | None:
    """The correction that waits for its second pair of eyes."""
    return session.scalars(
        select(AccountCorrection).where(
            AccountCorrection.payable_id == payable_id, AccountCorrection.state == "entered"
        )
    ).one_or_none()


def _begin(session: Session, actor: Actor, payable_id: int) -> tuple[Payable, Appropriation]:
    payable = session.get(Payable, payable_id)
    if payable is None:
        raise NotFound("没有这笔款项。")
    fund = get_fund(session, payable.appropriation_id)
    require(actor, "funds.manage", Facts(division_chain=chain_codes(session, fund.county_code)))
    lock(session, fund.id)
    session.refresh(payable)
    return payable, fund


def _user(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden("账户更正须由财政部门的人员办理。")
    return actor.user_id


def _record(
    session: Session, fund: Appropriation, payable: Payable, kind: str, actor: Actor, covers: tuple[Base, ...]
) -> None:
    record(
        session,
        stream(session, fund.stream_name),
        kind,
        actor_id=actor.user_id,
        payload={"payable": payable.id, "case": payable.case_id},
        covers=covers,
    )
