"""Appropriations: entered and changed by 财政, seen by those concerned. Their beginning and end: ``closing``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.amounts import yuan
from workflows.base.clock import today
from workflows.base.errors import Conflict, Invalid, NotFound
from workflows.funds.ledger import Money, Shortfall, lock, move
from workflows.funds.model import FUND_SOURCES, Appropriation, Balance
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.permissions import Facts, require


@dataclass(frozen=True)
class AppropriationData:
    """What 财政 enters.

    :param amount_fen: whole fen.
    :param processes: keys of the processes it may pay for.
    :param enabled_from: from when the county pays out of it; ``None``: it has not decided yet.
    :param enabled_basis: on whose decision; required with ``enabled_from``.
    """

    county_code: str
    year: int
    source: str
    document_number: str
    title: str
    amount_fen: int
    processes: tuple[str, ...]
    received_on: date
    enabled_from: date | None = None
    enabled_basis: str = ""


def appropriate(session: Session, actor: Actor, data: AppropriationData) -> Appropriation:
    """Enter an appropriation and book it as 下达."""
    require_manager(session, actor, data.county_code)
    errors: dict[str, str] = {}
    if data.amount_fen <= 0:
        errors["amount"] = "金额必须大于 0。"
    if not data.document_number.strip():
        errors["document_number"] = "请填写下达文件的文号，例如 吉财农〔2026〕12号。"
    if data.source not in FUND_SOURCES:
        errors["source"] = "请选择资金来源。"
    if not data.processes:
        errors["processes"] = "请选择这笔资金可以用于哪项业务。"
    if not 2000 <= data.year <= today().year + 1:
        errors["year"] = f"年度应在 2000 年至 {today().year + 1} 年之间。"
    if data.received_on > today():
        errors["received_on"] = "下达日期不能晚于今天。"
    if data.enabled_from is not None and data.enabled_from < data.received_on:
        errors["enabled_from"] = "启用日期不能早于下达日期。"
    if data.enabled_from is not None and not data.enabled_basis.strip():
        errors["enabled_basis"] = "填了启用日期的，请填写启用的依据，例如县政府常务会议纪要的文号。"
    if errors:
        raise Invalid("资金没有登记，请改正下列内容。", errors)
    number = data.document_number.strip()
    if session.scalars(
        select(Appropriation.id).where(
            Appropriation.county_code == data.county_code,
            Appropriation.year == data.year,
            Appropriation.source == data.source,
            Appropriation.document_number == number,
        )
    ).first():
        raise Invalid(
            "资金没有登记，请改正下列内容。",
            {"document_number": f"{number} 的这笔资金已经登记过；金额有变动的，请在原登记上调整。"},
        )
    fund = Appropriation(
        county_code=data.county_code,
        year=data.year,
        source=data.source,
        document_number=number,
        title=data.title.strip() or FUND_SOURCES[data.source],
        total_fen=data.amount_fen,
        processes=list(data.processes),
        enabled_from=data.enabled_from,
        enabled_basis=data.enabled_basis.strip() if data.enabled_from is not None else "",
        received_on=data.received_on,
        created_by=actor.user_id,
    )
    session.add(fund)
    session.flush()
    session.add(Balance(appropriation_id=fund.id))
    session.flush()
    move(
        session,
        fund,
        Money("appropriate", data.amount_fen, memo=number),
        actor_id=actor.user_id,
        covers=(fund,),
    )
    return fund


def change_amount(session: Session, actor: Actor, fund_id: int, total_fen: int, memo: str) -> Appropriation:
    """Raise or lower an appropriation to a new total; never under what is reserved, released or paid."""
    fund = get(session, fund_id)
    require_manager(session, actor, fund.county_code)
    if not memo.strip():
        raise Invalid("金额没有调整。", {"memo": "请填写调整的依据，例如文件名称和文号。"})
    balance = lock(session, fund.id)
    session.refresh(fund)
    if fund.closed_on is not None:
        raise Conflict("这笔资金已经关闭，金额不能再调整。")
    difference = total_fen - fund.total_fen
    if difference == 0:
        raise Invalid("金额没有调整。", {"amount": "新的金额与现在的相同。"})
    used = balance.reserved_fen + balance.released_fen + balance.paid_fen
    if total_fen < used:
        raise Shortfall(
            f"不能调减到 {yuan(total_fen)} 元：已预占、已拨付共 {yuan(used)} 元，缺 {yuan(used - total_fen)} 元。"
            "请先释放预占，或者调减少一些。",
            used - total_fen,
        )
    fund.total_fen = total_fen
    kind = "appropriate" if difference > 0 else "lower"
    move(
        session, fund, Money(kind, abs(difference), memo=memo.strip()), actor_id=actor.user_id, covers=(fund,)
    )
    return fund


def get(session: Session, fund_id: int) -> Appropriation:
    """One appropriation; raises ``NotFound``."""
    fund = session.get(Appropriation, fund_id)
    if fund is None:
        raise NotFound("没有这笔资金。")
    return fund


def enabled(session: Session, county_code: str, process: str, day: date) -> list[Appropriation]:
    """The appropriations that a county pays a process from on a day: oldest year first, so that money is not left idle."""
    found = session.scalars(
        select(Appropriation)
        .where(
            Appropriation.county_code == county_code,
            Appropriation.enabled_from <= day,
            (Appropriation.closed_on.is_(None)) | (Appropriation.closed_on > day),
        )
        .order_by(Appropriation.year, Appropriation.id)
    )
    return [fund for fund in found if process in fund.processes]


def balances(session: Session, county_codes: list[str]) -> list[tuple[Appropriation, Balance]]:
    """Appropriations of counties with what their accounts come to, newest year first."""
    rows = session.execute(
        select(Appropriation, Balance)
        .join(Balance, Balance.appropriation_id == Appropriation.id)
        .where(Appropriation.county_code.in_(county_codes))
        .order_by(Appropriation.year.desc(), Appropriation.id)
    )
    return [(fund, balance) for fund, balance in rows]


def require_manager(session: Session, actor: Actor, county_code: str) -> None:
    """Raise ``Forbidden`` unless the actor looks after the money of that county."""
    require(actor, "funds.manage", Facts(division_chain=chain_codes(session, county_code)))
