"""From approval to money: reserve, hold back until the 公示 has ended, make payable, stop, and hear the bank's answer."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import now
from workflows.base.errors import Conflict
from workflows.cases.action import Action
from workflows.cases.approving import approved
from workflows.cases.granting import free_grants, free_some, payee_account, values_by_row
from workflows.cases.model import Case, Objection, Publicity
from workflows.funds import payables
from workflows.registers import grants
from workflows.registers.project_model import Project


def reserve_funds(action: Action) -> None:
    """Fix who is granted, give back the slots of the others, and reserve the sum; refused with the shortfall."""
    good, out = approved(action.session, action.case, action.process)
    free_some(action, out)
    grants.approve(action.session, good, actor_id=action.actor_id, department_id=action.department_id)
    rows = values_by_row(action, [one.row_id or 0 for one in good])
    project = action.session.get(Project, action.case.project_id) if action.case.project_id else None
    owed = []
    for grant in good:
        row = grant.row_id or 0
        name, account, bank = payee_account(action, rows[row])
        owed.append(payables.Owed(row, grant.amount_fen, name, account, bank, grant.person_id, grant.id))
    fund = payables.reserve(
        action.session,
        payables.Origin(action.process.key, action.case.id, action.case.number, action.case.county_code),
        owed,
        actor_id=action.actor_id,
        department_id=action.department_id,
        document_number=project.fund_document if project is not None else None,
    )
    action.record(
        "funds-reserved",
        fund=fund.id,
        people=len(owed),
        amount_fen=sum(one.amount_fen for one in owed),
    )


def settle_rows(action: Action) -> None:
    """Those whom an office refused, or nobody spoke for, leave the case before it is published: slots and days are free.

    :raises Conflict: nobody would be left.
    """
    good, out = approved(action.session, action.case, action.process)
    if not good:  # a 公示 of nobody could only be sent back after it has stood its days
        raise Conflict("没有可以发放的人员，不能公示。请退回申报单位改正，写明理由。")
    free_some(action, out)
    action.record("rows-settled", people=len(out))


def free_funds(action: Action) -> None:
    """The claim comes to nothing: what was reserved is free again, and so are the people's slots and days."""
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
