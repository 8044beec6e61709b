"""追回: 人社 decides, the demand goes out, 财政 notes what came back. The ledger moves it back to what is available;
the grant stays in the register as recovered and blocks for good.

The letter that demands it is a paper of the case, which this room does not know: ``workflows.cases.recovering`` hands
down how it is drawn up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.clock import now, today
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.funds.appropriations import get as get_fund
from workflows.funds.ledger import Money, lock, move
from workflows.funds.model import RECOVERY_STATES, Appropriation, Payable, Recovery
from workflows.funds.payables import set_state
from workflows.funds.telling import tell
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.permissions import Facts, require
from workflows.registers import grants
from workflows.registers.grant_model import Grant

#: Draws up the demand for a recovery just decided; returns the paper's key, or ``None`` when there is none.
Letter = Callable[[Recovery, Payable], int | None]


@dataclass(frozen=True)
class Finding:
    """What a recovery rests on.

    :param reason: what was found; required, the letter quotes it.
    :param grounds: by which article the money is demanded back; required, the letter quotes it.
    :param due_on: until when it is to be returned; after today.
    """

    reason: str
    grounds: str
    due_on: date


def decide(
    session: Session, actor: Actor, payable_id: int, finding: Finding, letter: Letter | None = None
) -> Recovery:
    """Decide that a payment is to come back.

    :raises Conflict: it was not paid, or is being recovered already.
    :raises Invalid: facts, grounds or day are missing; ``errors`` by field.
    """
    payable = session.get(Payable, payable_id)
    if payable is None:
        raise NotFound("没有这笔款项。")
    fund = get_fund(session, payable.appropriation_id)
    _require(session, actor, "recovery.decide", fund)
    lock(session, fund.id)
    session.refresh(payable)
    if payable.state != "paid":
        raise Conflict("只有已经支付的款项可以追回。请刷新页面后再看。")
    if of_payable(session, payable_id) is not None:
        raise Conflict("这笔款项已经决定追回。")
    errors: dict[str, str] = {}
    if not finding.reason.strip():
        errors["reason"] = "请写明查明的事实，追回通知书会引用。"
    if not finding.grounds.strip():
        errors["grounds"] = "请写明追回的依据（文件名称、文号、条款），追回通知书会引用。"
    if finding.due_on <= today():
        errors["due_on"] = "退回期限应晚于今天。"
    if errors:
        raise Invalid("没有作出追回决定，请改正下列内容。", errors)
    row = Recovery(
        payable_id=payable.id,
        county_code=fund.county_code,
        amount_fen=payable.amount_fen,
        reason=finding.reason.strip(),
        grounds=finding.grounds.strip(),
        due_on=finding.due_on,
        decided_by=_user(actor),
        decided_at=now(),
    )
    session.add(row)
    if letter is not None:
        session.flush()
        row.document_id = letter(row, payable)
    _record(session, fund, row, "recovery-decided", actor)
    return row


def demand(session: Session, actor: Actor, recovery_id: int) -> Recovery:
    """The demand letter was served."""
    row, fund = _begin(session, actor, recovery_id, "recovery.decide")
    _in_state(row, "decided")
    row.state = "demanded"
    _record(session, fund, row, "recovery-demanded", actor)
    tell(session, "recovery-demanded", row.id)
    return row


def cancel(session: Session, actor: Actor, recovery_id: int) -> Recovery:
    """The finding did not hold: nothing is to come back."""
    row, fund = _begin(session, actor, recovery_id, "recovery.decide")
    if row.state not in ("decided", "demanded"):
        raise Conflict(f"追回现在是“{RECOVERY_STATES[row.state]}”，不能撤销。")
    row.state = "cancelled"
    _record(session, fund, row, "recovery-cancelled", actor)
    return row


def receive(session: Session, actor: Actor, recovery_id: int, on: date, voucher: str) -> Recovery:
    """财政 received the money: the ledger moves it back to the appropriation.

    :param on: the day it came in; not in the future.
    :param voucher: the number of the bank voucher.
    """
    row, fund = _begin(session, actor, recovery_id, "recovery.receive")
    _in_state(row, "demanded")
    errors: dict[str, str] = {}
    if not voucher.strip():
        errors["voucher"] = "请填写收款凭证号。"
    if on > today():
        errors["on"] = "收款日期不能晚于今天。"
    if errors:
        raise Invalid("没有登记收回，请改正下列内容。", errors)
    if actor.user_id == row.decided_by:
        raise Forbidden("追回由您决定，收回须由其他人员登记。")
    payable = session.get_one(Payable, row.payable_id)
    session.refresh(payable)
    set_state(payable, "recovered")
    row.state, row.received_on, row.received_by, row.voucher = "received", on, _user(actor), voucher.strip()
    if payable.grant_id is not None:
        grants.recover(session, [session.get_one(Grant, payable.grant_id)], actor_id=actor.user_id)
    move(
        session,
        fund,
        Money("recover", row.amount_fen, case_id=payable.case_id, memo=row.voucher),
        actor_id=actor.user_id,
        covers=(row,),
    )
    tell(session, "recovery-received", row.id)
    return row


def of_payable(session: Session, payable_id: int) -> Recovery | None:
    """The living recovery of a payment."""
    return session.scalars(
        select(Recovery).where(Recovery.payable_id == payable_id, Recovery.state != "cancelled")
    ).one_or_none()


def _begin(
    session: Session, actor: Actor, recovery_id: int, permission: str
) -> tuple[Recovery, Appropriation]:
    row = session.get(Recovery, recovery_id)
    if row is None:
        raise NotFound("没有这笔追回。")
    fund = get_fund(session, session.get_one(Payable, row.payable_id).appropriation_id)
    _require(session, actor, permission, fund)
    lock(session, fund.id)
    session.refresh(row)
    return row, fund


def _in_state(row: Recovery, state: str) -> None:
    if row.state != state:
        raise Conflict(f"追回现在是“{RECOVERY_STATES[row.state]}”，已由他人办理。请刷新页面。")


def _require(session: Session, actor: Actor, permission: str, fund: Appropriation) -> None:
    require(actor, permission, Facts(division_chain=chain_codes(session, fund.county_code)))


def _user(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden("追回须由经办人员办理。")
    return actor.user_id


def _record(session: Session, fund: Appropriation, row: Recovery, kind: str, actor: Actor) -> None:
    record(
        session,
        stream(session, fund.stream_name),
        kind,
        actor_id=actor.user_id,
        payload={"payable": row.payable_id, "amount_fen": row.amount_fen},
        covers=(row,),
    )
