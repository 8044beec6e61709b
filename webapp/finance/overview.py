"""``/finance``: how each appropriation stands, what the cases under way will need, what waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from webapp.access import allow, page_actor
from webapp.database import reading
from webapp.finance.blueprint import bp, counties, county_names, fund_stage, may, page, what_waits
from webapp.sheets import Column, download, sheet
from workflows.base.clock import today
from workflows.cases.finance_views import Need, needs
from workflows.funds.model import FUND_SOURCES
from workflows.funds.reconciling import overdue
from workflows.funds.views import FundState, fund_states

#: Parts of a bar, from what is gone to what is left: key, title, attribute of the balance.
PARTS = (
    ("paid", "已支付", "paid_fen"),
    ("released", "已拨在途", "released_fen"),
    ("reserved", "预占", "reserved_fen"),
    ("available", "可用", "available_fen"),
)
#: Width of a bar in the picture's units.
WIDTH = 1000
COLUMNS: tuple[Column, ...] = (
    ("县（市、区）", "text"),
    ("年度", "number"),
    ("资金", "text"),
    ("资金来源", "text"),
    ("文号", "text"),
    ("下达日期", "day"),
    ("下达（元）", "amount"),
    ("预占（元）", "amount"),
    ("已拨在途（元）", "amount"),
    ("已支付（元）", "amount"),
    ("可用（元）", "amount"),
    ("支付进度（%）", "number"),
    ("时间进度（%）", "number"),
    ("可用余额已存放（天）", "number"),
)


@bp.get("")
@allow("officer", "auditor")
def index() -> ResponseReturnValue:
    """资金总览."""
    session = reading()
    codes = counties(session)
    states = fund_states(session, codes)
    expected = needs(session, codes)
    available = sum(one.balance.available_fen for one in states if one.open)
    needed = sum(one.fen for one in expected)
    return page(
        "finance/index.html",
        session,
        states=[_shown(one) for one in states],
        places=county_names(session, codes),
        sums={key: sum(getattr(one.balance, name) for one in states) for key, _, name in PARTS},
        total=sum(one.fund.total_fen for one in states),
        parts=PARTS,
        needs=_with_left(expected, available),
        needed=needed,
        available=available,
        short=max(0, needed - available),
        idle=[one for one in states if one.idle],
        waiting=_waiting(session),
        manages=any(may(session, "funds.manage", code) for code in codes),
        day=today(),
    )


def _shown(state: FundState) -> dict[str, Any]:
    """One appropriation for the page, with the parts of its bar."""
    left, bar = 0, []
    for key, title, name in PARTS:
        fen = getattr(state.balance, name)
        width = round(WIDTH * fen / state.fund.total_fen) if state.fund.total_fen else 0
        width = min(width, WIDTH - left)
        bar.append({"key": key, "title": title, "fen": fen, "x": left, "width": width})
        left += width
    return {
        "fund": state.fund,
        "balance": state.balance,
        "source": FUND_SOURCES[state.fund.source],
        "bar": bar,
        "paid": round(state.paid_share * 100),
        "year": round(state.year_share * 100),
        "mark": round(state.year_share * WIDTH),
        "stage": fund_stage(state),
        "idle_days": state.idle_days,
        "idle": state.idle,
        "behind": state.behind,
    }


def _with_left(expected: Sequence[Need], available: int) -> list[dict[str, Any]]:
    """Months with what would be left of the money after them."""
    rows, left = [], available
    for one in expected:
        left -= one.fen
        rows.append(
            {
                "month": f"{one.month.year}年{one.month.month}月",
                "cases": one.cases,
                "people": one.people,
                "fen": one.fen,
                "left": left,
            }
        )
    return rows


def _waiting(session: Session) -> list[dict[str, Any]]:
    """What waits for the person on the page, each with where it is done."""
    now = what_waits(session)
    late = len(overdue(session, counties(session)))
    kinds = {post.kind for post in page_actor().posts}
    for_finance = "finance" in kinds or page_actor().kind == "auditor"
    for_hrss = "hrss" in kinds or page_actor().kind == "auditor"
    lines = (
        (
            for_finance,
            "待拨付的款项",
            now.ready,
            "笔",
            url_for("finance.batches" if not kinds else "finance.batch_new"),
        ),
        (for_finance, "待复核的批次", now.check, "个", url_for("finance.batches", state="made")),
        (for_finance, "待拨付的批次", now.release, "个", url_for("finance.batches", state="checked")),
        (
            for_finance,
            f"等待银行回执的批次（{late} 个超期）" if late else "等待银行回执的批次",
            now.bank,
            "个",
            url_for("finance.batches", state="released"),
        ),
        (for_finance, "退票，待更正账户", now.bounced, "笔", url_for("finance.bounced")),
        (for_finance, "账户更正，待确认", now.confirm, "笔", url_for("finance.bounced")),
        (for_hrss, "追回，待送达通知书", now.to_demand, "笔", url_for("finance.recoveries", state="decided")),
        (
            for_finance,
            "追回，待登记收回",
            now.to_receive,
            "笔",
            url_for("finance.recoveries", state="demanded"),
        ),
    )
    return [
        {"title": title, "count": count, "unit": unit, "href": href}
        for mine, title, count, unit, href in lines
        if mine and count
    ]


@bp.get("/overview.xlsx")
@allow("officer", "auditor")
def index_sheet() -> Response:
    """The same as a workbook."""
    session = reading()
    codes = counties(session)
    places = county_names(session, codes) or county_names(session, [*codes, ""])
    rows = [
        (
            places.get(one.fund.county_code, ""),
            one.fund.year,
            one.fund.title,
            FUND_SOURCES[one.fund.source],
            one.fund.document_number,
            one.fund.received_on,
            one.fund.total_fen,
            one.balance.reserved_fen,
            one.balance.released_fen,
            one.balance.paid_fen,
            one.balance.available_fen,
            round(one.paid_share * 100, 1),
            round(one.year_share * 100, 1),
            one.idle_days,
        )
        for one in fund_states(session, codes)
    ]
    return download(sheet("资金总览", COLUMNS, rows), f"资金总览-{today():%Y%m%d}.xlsx")
