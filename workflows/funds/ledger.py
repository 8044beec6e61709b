"""The one place where money moves: an entry, the balance row, and an event on the appropriation's chain, together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.amounts import yuan
from workflows.audit.record import record, stream
from workflows.base.clock import local, now
from workflows.base.errors import Conflict, NotFound
from workflows.base.model import Base
from workflows.funds.model import MOVES, Appropriation, Balance, LedgerEntry


class Shortfall(Conflict):
    """The account cannot bear the amount. ``missing_fen``: by how much; the officer sees it and the item stays."""

    def __init__(self, message: str, missing_fen: int) -> None:
        super().__init__(message)
        self.missing_fen = missing_fen


@dataclass(frozen=True)
class Money:
    """An amount to move, and what for. ``amount_fen``: whole fen, above zero."""

    kind: str
    amount_fen: int
    case_id: int | None = None
    batch_id: int | None = None
    memo: str = ""


#: What the clocks of several servers may differ by.
CLOCK_SKEW = timedelta(minutes=5)
_SHORT = {
    "available": "可用资金不足",
    "reserved": "预占资金不足",
    "released": "在途资金不足",
    "paid": "已支付资金不足",
}


def lock(session: Session, appropriation_id: int) -> Balance:
    """The balance row, locked until the transaction ends and read afresh: money moves one action at a time."""
    session.flush()
    found = session.scalars(
        select(Balance)
        .where(Balance.appropriation_id == appropriation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound("没有这笔资金。")
    return found


def move(
    session: Session,
    appropriation: Appropriation,
    money: Money,
    *,
    actor_id: int | None,
    department_id: int | None = None,
    covers: tuple[Base, ...] = (),
) -> LedgerEntry:
    """Move money between two accounts of an appropriation.

    :param covers: rows that change with it and whose change the same event stands for.
    :raises Shortfall: the account it leaves does not hold as much.
    :raises Conflict: the server's clock stands before the last move of this money.
    """
    title, credit, debit = MOVES[money.kind]
    balance = lock(session, appropriation.id)
    _guard_clock(balance)
    _change(balance, credit, -money.amount_fen, title)
    _change(balance, debit, money.amount_fen, title)
    balance.changed_at = now()
    entry = LedgerEntry(
        appropriation_id=appropriation.id,
        kind=money.kind,
        credit=credit,
        debit=debit,
        amount_fen=money.amount_fen,
        case_id=money.case_id,
        batch_id=money.batch_id,
        memo=money.memo,
        actor_id=actor_id,
        at=now(),
    )
    session.add(entry)
    record(
        session,
        stream(session, appropriation.stream_name),
        f"funds-{money.kind.replace('_', '-')}",
        actor_id=actor_id,
        department_id=department_id,
        payload={"amount_fen": money.amount_fen, "case": money.case_id, "batch": money.batch_id},
        covers=(entry, *covers),
    )
    return entry


def _guard_clock(found: Balance) -> None:
    """An entry dated before the one that it follows would be worth nothing as evidence."""
    if now() < found.changed_at - CLOCK_SKEW:
        last, here = local(found.changed_at), local(now())
        raise Conflict(
            f"服务器时间是 {here:%Y-%m-%d %H:%M}，早于这笔资金上一次变动的时间 {last:%Y-%m-%d %H:%M}，没有办理。"
            "请联系系统管理员核对服务器时间。"
        )


def _change(balance: Balance, account: str, by_fen: int, title: str) -> None:
    if account == "source":
        return
    name = f"{account}_fen"
    left = getattr(balance, name) + by_fen
    if left < 0:
        raise Shortfall(
            f"{_SHORT[account]}，{title}没有进行：需要 {yuan(-by_fen)} 元，现有 {yuan(left - by_fen)} 元，"
            f"缺 {yuan(-left)} 元。",
            -left,
        )
    setattr(balance, name, left)
