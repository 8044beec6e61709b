"""When an appropriation may be used, and its end: enabled by the county, carried over, given back, closed."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from forms.amounts import yuan
from workflows.audit.record import record, stream
from workflows.base.clock import today
from workflows.base.errors import Conflict, Invalid
from workflows.funds.appropriations import get, require_manager
from workflows.funds.ledger import Money, lock, move
from workflows.funds.model import Appropriation
from workflows.organisations.actors import Actor

#: What becomes of the rest when an appropriation is closed.
CARRY, GIVE_BACK = "carry", "give_back"


def enable(session: Session, actor: Actor, fund_id: int, day: date, memo: str) -> Appropriation:
    """The county decides that it pays out of this money from a day on: a grant is no right (吉人社联〔2022〕81号
    二（六）: 「各地可利用」). Until then nobody can claim on it. A day that has not come yet may still be moved.

    :param day: not before the money came in.
    :param memo: on whose decision; required.
    :raises Conflict: it is in use already, or closed.
    """
    fund = _begin(session, actor, fund_id)
    if fund.closed_on is not None:
        raise Conflict("这笔资金已经关闭，不能启用。")
    if fund.enabled_from is not None and fund.enabled_from <= today():
        raise Conflict("这笔资金已经启用。请刷新页面后再看。")
    errors: dict[str, str] = {}
    if day < fund.received_on:
        errors["day"] = "启用日期不能早于下达日期。"
    if not memo.strip():
        errors["memo"] = "请填写启用的依据，例如县政府常务会议纪要的文号。"
    if errors:
        raise Invalid("资金没有启用，请改正下列内容。", errors)
    fund.enabled_from, fund.enabled_basis = day, memo.strip()
    _record(session, fund, "fund-enabled", actor)
    return fund


def carry_over(session: Session, actor: Actor, from_id: int, to_id: int, memo: str) -> int:
    """结转: what one year's appropriation has left goes to another of the same county and source. Returns the fen.

    :param memo: the document it rests on; required.
    """
    fund, target = _begin(session, actor, from_id, to_id), get(session, to_id)
    session.refresh(target)
    _need_memo(memo, "没有结转。")
    if (fund.county_code, fund.source) != (target.county_code, target.source) or fund.id == target.id:
        raise Invalid("没有结转。", {"to": "只能结转到本县同一来源的另一笔资金。"})
    if target.closed_on is not None or target.year < fund.year:
        raise Invalid("没有结转。", {"to": "只能结转到同一年度或者以后年度、没有关闭的资金。"})
    left = lock(session, fund.id).available_fen
    if left <= 0:
        raise Conflict("这笔资金没有可用余额，不需要结转。")
    fund.total_fen -= left
    target.total_fen += left
    move(session, fund, Money("carry_out", left, memo=memo.strip()), actor_id=actor.user_id, covers=(fund,))
    move(
        session, target, Money("carry_in", left, memo=memo.strip()), actor_id=actor.user_id, covers=(target,)
    )
    return left


def give_back(session: Session, actor: Actor, fund_id: int, memo: str) -> int:
    """收回: what is left goes back to whom it came from. Returns the fen.

    :param memo: the document that takes it back; required.
    """
    fund = _begin(session, actor, fund_id)
    _need_memo(memo, "没有登记收回。")
    left = lock(session, fund.id).available_fen
    if left <= 0:
        raise Conflict("这笔资金没有可用余额，没有可以收回的。")
    fund.total_fen -= left
    move(session, fund, Money("give_back", left, memo=memo.strip()), actor_id=actor.user_id, covers=(fund,))
    return left


def close(
    session: Session, actor: Actor, fund_id: int, memo: str, *, rest: str = "", to_id: int | None = None
) -> int:
    """Close an appropriation: nothing is reserved or paid out of it any more. Returns what it had left, in fen.

    What comes back later by a recovery still lands here, and is carried over or given back in its turn.

    :param memo: why and on which document; required.
    :param rest: what becomes of the money left, ``carry`` or ``give_back``; asked only when there is some.
    :param to_id: where it is carried to.
    :raises Conflict: something is still reserved or on its way to the bank; the message says how much.
    """
    fund = _begin(session, actor, fund_id, to_id if rest == CARRY else None)
    if fund.closed_on is not None:
        raise Conflict("这笔资金已经关闭。请刷新页面后再看。")
    balance = lock(session, fund.id)
    bound = balance.reserved_fen + balance.released_fen
    if bound:
        raise Conflict(
            f"这笔资金还有 {yuan(balance.reserved_fen)} 元预占、{yuan(balance.released_fen)} 元已拨在途，不能关闭。"
            "请在拨付、对账或者释放以后再关闭。"
        )
    _need_memo(memo, "资金没有关闭。")
    left = balance.available_fen
    if left and rest == CARRY:
        if to_id is None:
            raise Invalid("资金没有关闭。", {"to": "请选择转入哪一笔资金。"})
        carry_over(session, actor, fund_id, to_id, memo)
    elif left and rest == GIVE_BACK:
        give_back(session, actor, fund_id, memo)
    elif left:
        raise Invalid("资金没有关闭。", {"rest": f"还有 {yuan(left)} 元可用，请选择结转还是收回。"})
    fund.closed_on, fund.closed_basis = today(), memo.strip()
    _record(session, fund, "fund-closed", actor)
    return left


def _begin(session: Session, actor: Actor, fund_id: int, other_id: int | None = None) -> Appropriation:
    """The appropriation, locked and read afresh; with another one whose money moves, in the order of the keys."""
    fund = get(session, fund_id)
    require_manager(session, actor, fund.county_code)
    for one in sorted({fund.id, get(session, other_id).id if other_id else fund.id}):
        lock(session, one)
    session.refresh(fund)
    return fund


def _need_memo(memo: str, what: str) -> None:
    if not memo.strip():
        raise Invalid(what, {"memo": "请填写依据，例如文件名称和文号。"})


def _record(session: Session, fund: Appropriation, kind: str, actor: Actor) -> None:
    record(
        session,
        stream(session, fund.stream_name),
        kind,
        actor_id=actor.user_id,
        payload={"fund": fund.id},
        covers=(fund,),
    )
