"""From approval to money: reserve, hold back until the 公示 has ended, make payable, stop, and hear the bank's answer."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base import outbox
from workflows.base.clock import now
from workflows.base.errors import Conflict, Invalid
from workflows.cases.access import require_case
from workflows.cases.action import Action, begin
from workflows.cases.approving import approved
from workflows.cases.granting import free_grants, payee_account, rows_by_id
from workflows.cases.model import Case, Objection, Publicity
from workflows.cases.roster_model import RowVerdict
from workflows.cases.verdicts import REFUSE
from workflows.funds import payables
from workflows.funds.answers import PAYMENTS_CHANGED
from workflows.funds.model import Payable
from workflows.organisations.actors import Actor
from workflows.registers import grants
from workflows.registers.grant_model import Grant


def reserve_funds(action: Action) -> None:
    """Fix who is granted, give back the slots of the others, and reserve the sum; refused with the shortfall."""
    good, out = approved(action.session, action.case, action.process)
    if out:
        grants.free(action.session, out, actor_id=action.actor_id)
    grants.approve(action.session, good, actor_id=action.actor_id, department_id=action.department_id)
    rows = rows_by_id(action, [one.row_id or 0 for one in good])
    owed = []
    for grant in good:
        row = rows[grant.row_id or 0]
        name, account, bank = payee_account(action, row.values)
        owed.append(payables.Owed(row.id, grant.amount_fen, name, account, bank, grant.person_id, grant.id))
    fund = payables.reserve(
        action.session,
        payables.Origin(action.process.key, action.case.id, action.case.number, action.case.county_code),
        owed,
        actor_id=action.actor_id,
        department_id=action.department_id,
    )
    action.record(
        "funds-reserved",
        fund=fund.id,
        people=len(owed),
        amount_fen=sum(one.amount_fen for one in owed),
    )


def free_funds(action: Action) -> None:
    """The claim comes to nothing: what was reserved is free again, and so are the people's slots."""
    _free_payables(action)
    free_grants(action)


def abandon(action: Action) -> None:
    """The case was taken back or ended early: the same, for a process that claims. What a bank has is refused."""
    if action.process.config.get("grant"):
        free_funds(action)


def unreserve_funds(action: Action) -> None:
    """The 公示 was stopped: the money is free again, and the same people go before 复核 once more."""
    _free_payables(action)
    for grant in grants.of_case(action.session, action.case.id):
        if grant.state == "approved":
            grants.reopen(action.session, grant, actor_id=action.actor_id)


def _free_payables(action: Action) -> None:
    living = [
        one
        for one in payables.of_case(action.session, action.case.id)
        if one.state not in ("freed", "paid", "recovered")
    ]
    if living:
        freed = payables.free(action.session, living, actor_id=action.actor_id, memo=action.case.number)
        action.record("funds-freed", people=len(living), amount_fen=freed)


def make_payable(action: Action) -> None:
    """The 公示 is over: from here on 财政 may gather the rows into a batch. Refused while it runs or is contested."""
    blocked = blocked_cases(action.session, [action.case.id])
    if blocked:
        raise Conflict(f"还不能转入拨付：{blocked[action.case.id]}。")
    number = payables.make_ready(action.session, action.case.id)
    action.record("payables-ready", people=number)


def blocked_cases(session: Session, case_ids: Collection[int]) -> dict[int, str]:
    """Which cases may not be paid now, and why: asked when rows become payable, when a batch is made, and at release.

    A case is paid only after its latest 公示 was completed, its time over and every objection to it settled.
    """
    reasons: dict[int, str] = {}
    # columns, not rows: a batch asks of thousands of cases, and each carries its rules with it
    latest = {
        row.case_id: row
        for row in session.execute(
            select(Publicity.case_id, Publicity.closed_as, Publicity.ends_at)
            .where(Publicity.case_id.in_(case_ids))
            .order_by(Publicity.id)
        )
    }
    open_objections = set(
        session.scalars(
            select(Publicity.case_id)
            .join(Objection, Objection.publicity_id == Publicity.id)
            .where(Publicity.case_id.in_(case_ids), Objection.result.is_(None))
        )
    )
    running = set(session.scalars(select(Case.id).where(Case.id.in_(case_ids), Case.finished_at.is_(None))))
    for case_id in case_ids:
        shown = latest.get(case_id)
        if case_id not in running:
            reasons[case_id] = "申请已经办结或者终止"
        elif shown is None:
            reasons[case_id] = "还没有公示"
        elif shown.closed_as != "completed" or shown.ends_at > now():
            reasons[case_id] = "公示还没有结束"
        elif case_id in open_objections:
            reasons[case_id] = "有异议尚未办结"
    return reasons


def remove_row(session: Session, actor: Actor, case_id: int, row_id: int, reason: str) -> int:
    """剔除 a person after approval: the reservation and the slot are freed, the total is less by that amount.

    :param reason: required; the employer reads it.
    :returns: the fen that were freed.
    """
    action = begin(session, case_id, actor.user_id)
    require_case(session, actor, "payment.remove", action.case)
    if not reason.strip():
        raise Invalid("没有剔除。", {"reason": "请写明剔除的理由，申请单位会看到。"})
    payable = session.scalars(
        select(Payable).where(
            Payable.case_id == case_id, Payable.row_id == row_id, Payable.state.not_in(("freed",))
        )
    ).one_or_none()
    if payable is None:
        raise Conflict("这个人没有待拨付的款项，可能已经剔除。请刷新页面后再看。")
    office = next((post.department_id for post in actor.posts if post.kind == "hrss"), None)
    freed = payables.free(session, [payable], actor_id=actor.user_id, memo=action.case.number)
    if payable.grant_id is not None:
        grants.free(session, [session.get_one(Grant, payable.grant_id)], actor_id=actor.user_id)
    word = session.scalars(
        select(RowVerdict).where(RowVerdict.row_id == row_id, RowVerdict.department_id == office)
    ).one_or_none()
    if word is None:
        word = RowVerdict(row_id=row_id, department_id=office)
        session.add(word)
    word.verdict, word.reason, word.by, word.at = REFUSE, reason.strip() or None, actor.user_id, action.at
    action.record("row-removed", (word,), row=row_id, amount_fen=freed)
    outbox.put(session, PAYMENTS_CHANGED, f"{case_id}-removed-{payable.id}", {"case": case_id})
    return freed
