"""Money and cases say the same: nothing is reserved and no slot is taken without a case that lives."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.cases.model import Case
from workflows.funds.check import check_funds
from workflows.funds.model import Payable
from workflows.registers.grant_model import Grant

_UNDER_WAY = ("reserved", "ready", "released", "bounced")
_OPEN = ("claimed", "held", "approved")


def check_money(session: Session) -> Iterator[tuple[str, str]]:
    """What does not hold: (subject, Chinese sentence)."""
    yield from check_funds(session)
    living = select(Case.id).where(Case.finished_at.is_(None))
    for number in session.scalars(
        select(Payable.case_number)
        .where(Payable.state.in_(_UNDER_WAY), Payable.case_id.not_in(living))
        .distinct()
    ):
        yield number, "申请已经办结或者不存在，仍有预占或者在途的资金。"
    for case_id in session.scalars(
        select(Grant.case_id)
        .where(Grant.state.in_(_OPEN), Grant.case_id.is_not(None), Grant.case_id.not_in(living))
        .distinct()
    ):
        yield f"申请 {case_id}", "申请已经办结或者不存在，仍占着奖补名额。"
    for payable_id, state in session.execute(
        select(Payable.id, Grant.state)
        .join(Grant, Grant.id == Payable.grant_id)
        .where(Payable.state.in_(_UNDER_WAY), Grant.state != "approved")
    ):
        yield f"款项 {payable_id}", f"正在支付的款项所对应的奖补名额状态是“{state}”，应为已审定。"
