"""``/finance/reconciliation``: every row of every batch, what the bank owes an answer to, and whether the books agree."""

from __future__ import annotations

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import allow
from webapp.database import reading
from webapp.finance.blueprint import LINE_TONES, PAYABLE_TONES, bp, counties, county_names, page
from webapp.officer.blueprint import page_number, replaced
from webapp.sheets import Column, download, sheet
from workflows.base.clock import today
from workflows.base.privacy import mask_account
from workflows.funds.batch_model import BATCH_STATES
from workflows.funds.model import PAYABLE_STATES
from workflows.funds.reconciling import (
    ANSWER_DAYS,
    LINE_STATES,
    all_rows,
    disagreements,
    line_sums,
    overdue,
    row_page,
)

#: Most rows in one workbook.
MOST = 100_000
COLUMNS: tuple[Column, ...] = (
    ("批次号", "text"),
    ("批次状态", "text"),
    ("序号", "number"),
    ("申请", "text"),
    ("人员", "text"),
    ("收款人", "text"),
    ("收款账号", "text"),
    ("开户行", "text"),
    ("金额（元）", "amount"),
    ("结果", "text"),
    ("退票原因", "text"),
    ("银行流水号", "text"),
    ("支付日期", "day"),
    ("款项现在的状态", "text"),
)


@bp.get("/reconciliation")
@allow("officer", "auditor")
def reconciliation() -> ResponseReturnValue:
    """对账."""
    session = reading()
    codes = counties(session)
    given = _given()
    shown = row_page(session, codes, given["state"], given["batch"], page_number())
    sums = line_sums(session, codes)
    return page(
        "finance/reconciliation.html",
        session,
        shown=shown,
        rows=[
            {
                "batch": batch.number,
                "batch_id": batch.id,
                "seq": line.seq,
                "case": number,
                "person": person,
                "payee": line.payee_name,
                "account": mask_account(line.account_number),
                "amount": line.amount_fen,
                "state": LINE_STATES[line.state] if batch.state != "released" else "等待银行回执",
                "tone": LINE_TONES[line.state],
                "reason": line.bounce_reason,
                "reference": line.bank_reference,
                "paid_on": value_date if line.state == "paid" else None,
                "now": PAYABLE_STATES[payable_state],
                "now_tone": PAYABLE_TONES[payable_state],
                "moved": payable_state not in (line.state, "released"),
            }
            for line, batch, number, payable_state, value_date, person in shown.rows
        ],
        states=[
            {
                "title": title,
                "href": url_for("finance.reconciliation", **replaced({**given, "state": key})),
                "active": key == given["state"],
                "count": sums.get(key, (0, 0))[0] if key else sum(count for count, _ in sums.values()),
                "fen": sums.get(key, (0, 0))[1] if key else sum(fen for _, fen in sums.values()),
            }
            for key, title in [("", "全部"), *LINE_STATES.items()]
            if not key or key == given["state"] or key in sums
        ],
        given=given,
        late=overdue(session, codes),
        answer_days=ANSWER_DAYS,
        wrong=disagreements(session, codes),
        places=county_names(session, codes),
        sheet_href=url_for("finance.reconciliation_sheet", **replaced(dict(given))),
        day=today(),
    )


def _given() -> dict[str, str]:
    state = request.args.get("state", "")
    return {
        "state": state if state in LINE_STATES else "",
        "batch": request.args.get("batch", "").strip()[:40],
    }


@bp.get("/reconciliation.xlsx")
@allow("officer", "auditor")
def reconciliation_sheet() -> Response:
    """The same rows as a workbook; accounts masked as on the page."""
    session = reading()
    given = _given()
    rows = [
        (
            batch.number,
            BATCH_STATES[batch.state],
            line.seq,
            number,
            person,
            line.payee_name,
            mask_account(line.account_number),
            line.bank_name,
            line.amount_fen,
            LINE_STATES[line.state],
            line.bounce_reason,
            line.bank_reference,
            value_date if line.state == "paid" else None,
            PAYABLE_STATES[payable_state],
        )
        for line, batch, number, payable_state, value_date, person in all_rows(
            session, counties(session), given["state"], given["batch"], MOST
        )
    ]
    return download(sheet("对账明细", COLUMNS, rows), f"对账明细-{today():%Y%m%d}.xlsx")
