"""What is owed: reserved at approval, ready once nothing blocks it, freed when a person falls out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from forms.amounts import yuan
from workflows.base.clock import now, today
from workflows.base.errors import Conflict
from workflows.funds.appropriations import enabled, get
from workflows.funds.ledger import Money, Shortfall, lock, move
from workflows.funds.model import PAYABLE_STATES, PAYABLE_TRANSITIONS, Appropriation, Payable


@dataclass(frozen=True)
class Owed:
    """One row that was approved. ``amount_fen``: whole fen. Payee: who gets it, and on which account."""

    row_id: int
    amount_fen: int
    payee_name: str
    account_number: str
    bank_name: str
    person_id: int | None = None
    grant_id: int | None = None


@dataclass(frozen=True)
class Origin:
    """The case that owes."""

    process: str
    case_id: int
    case_number: str
    county_code: str


def reserve(
    session: Session,
    origin: Origin,
    owed: Sequence[Owed],
    *,
    actor_id: int | None,
    department_id: int | None = None,
    document_number: str | None = None,
) -> Appropriation:
    """预占 the sum of a case in one appropriation: the first enabled one that bears it whole.

    :param document_number: the document whose money it must be, where the case is bound to one (a project).

    :raises Shortfall: none does; the message says how much is missing, and the officer's item stays on the list.
    """
    total = sum(one.amount_fen for one in owed)
    if total <= 0:
        raise Conflict("没有可以发放的人员，不需要预占资金。")
    funds = enabled(session, origin.county_code, origin.process, today())
    if document_number is not None:
        funds = [one for one in funds if one.document_number == document_number]
        if not funds:
            raise Shortfall(
                f"本项目的资金（{document_number}）还没有登记并启用，不能预占。请财政部门先登记资金。", total
            )
    if not funds:
        raise Shortfall("本县还没有登记并启用用于这项业务的资金，不能预占。请财政部门先登记资金。", total)
    # everyone locks in the order of the keys; the choice goes by year
    left = {key: lock(session, key).available_fen for key in sorted(fund.id for fund in funds)}
    for fund in funds:
        if left[fund.id] >= total:
            _reserve(session, fund, origin, owed, total, actor_id, department_id)
            return fund
    most = max(left.values())
    raise Shortfall(
        f"资金不足，没有预占：本件需要 {yuan(total)} 元，单笔资金最多可用 {yuan(most)} 元，缺 {yuan(total - most)} 元。"
        "请财政部门补充资金后再办理，本件仍在您的工作列表中。",
        total - most,
    )


def _reserve(
    session: Session,
    fund: Appropriation,
    origin: Origin,
    owed: Sequence[Owed],
    total: int,
    actor_id: int | None,
    department_id: int | None,
) -> None:
    at = now()
    session.execute(
        insert(Payable),
        [
            {
                "appropriation_id": fund.id,
                "process": origin.process,
                "case_id": origin.case_id,
                "case_number": origin.case_number,
                "row_id": one.row_id,
                "person_id": one.person_id,
                "grant_id": one.grant_id,
                "amount_fen": one.amount_fen,
                "state": "reserved",
                "payee_name": one.payee_name,
                "account_number": one.account_number,
                "bank_name": one.bank_name,
                "changed_at": at,
            }
            for one in owed
        ],
    )
    made = [one for one in of_case(session, origin.case_id) if one.state == "reserved"]
    move(
        session,
        fund,
        Money("reserve", total, case_id=origin.case_id, memo=origin.case_number),
        actor_id=actor_id,
        department_id=department_id,
        covers=tuple(made),
    )


def of_case(session: Session, case_id: int) -> list[Payable]:
    """All payables of a case, freed ones among them, in the order of their making."""
    return list(session.scalars(select(Payable).where(Payable.case_id == case_id).order_by(Payable.id)))


def owed_by(session: Session, case_id: int) -> tuple[int, int]:
    """How many people a case pays and how much, in fen: freed ones left out."""
    count, total = session.execute(
        select(func.count(), func.coalesce(func.sum(Payable.amount_fen), 0)).where(
            Payable.case_id == case_id, Payable.state != "freed"
        )
    ).one()
    return int(count), int(total)


def make_ready(session: Session, case_id: int) -> int:
    """The case's 公示 ended without an open objection: its payables may be paid. Returns how many."""
    waiting = [one for one in of_case(session, case_id) if one.state == "reserved"]
    for one in waiting:
        set_state(one, "ready")
    return len(waiting)


def free(session: Session, payables: Sequence[Payable], *, actor_id: int | None, memo: str = "") -> int:
    """Give back what was reserved for them; returns the fen. What is in a batch under way is refused."""
    total = 0
    by_fund: dict[tuple[int, int], list[Payable]] = {}
    for one in payables:
        by_fund.setdefault((one.appropriation_id, one.case_id), []).append(one)
    for (fund_id, case_id), some in sorted(by_fund.items()):
        lock(session, fund_id)
        for one in some:
            session.refresh(one)
            set_state(one, "freed")
        amount = sum(one.amount_fen for one in some)
        move(
            session,
            get(session, fund_id),
            Money("free", amount, case_id=case_id, memo=memo),
            actor_id=actor_id,
        )
        total += amount
    return total


def settled(states: Iterable[str]) -> bool:
    """Whether each of these states is an end: paid, recovered or freed."""
    return all(one in ("paid", "recovered", "freed") for one in states)


def require_transition(case_number: str, old: str, new: str) -> None:
    """Raise ``Conflict`` where a payable in the one state cannot go into the other."""
    if new not in PAYABLE_TRANSITIONS[old]:
        raise Conflict(
            f"申请 {case_number} 的一笔款项现在是“{PAYABLE_STATES[old]}”，"
            f"不能改为“{PAYABLE_STATES[new]}”。请刷新页面后再看。"
        )


def set_state(payable: Payable, state: str) -> Payable:
    """Move one payable; raises ``Conflict`` where its state does not allow it."""
    require_transition(payable.case_number, payable.state, state)
    payable.state, payable.changed_at = state, now()
    return payable
