"""``/finance/recoveries``: 追回. 人社 decides, which draws up the letter; notes that it was served; 财政 notes what came in."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from forms.model import Field
from webapp.access import allow, page_actor
from webapp.database import reading
from webapp.filters import day as day_text
from webapp.filters import money
from webapp.finance.blueprint import (
    RECOVERY_TONES,
    Question,
    ask,
    bp,
    counties,
    county_names,
    may,
    new_key,
    once,
    page,
    seen,
)
from webapp.officer.blueprint import page_number
from webapp.questions import as_day
from workflows.base.clock import today
from workflows.base.errors import NotFound
from workflows.cases import recovering
from workflows.cases.model import Case
from workflows.cases.process import process_of
from workflows.cases.recovering import letter_of
from workflows.documents.wording import yuan_words
from workflows.funds import appropriations, views
from workflows.funds import recoveries as use
from workflows.funds.model import RECOVERY_STATES, Payable, Recovery
from workflows.funds.recoveries import Finding
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.permissions import Facts, require


@bp.get("/recoveries")
@allow("officer", "auditor")
def recoveries() -> ResponseReturnValue:
    """The recoveries, newest first."""
    session = reading()
    codes = counties(session)
    state = request.args.get("state", "")
    state = state if state in RECOVERY_STATES else ""
    shown = views.recovery_list(session, codes, state, page_number())
    people = views.names(session, [row.decided_by for row, _ in shown.rows])
    people |= views.names(session, [row.received_by for row, _ in shown.rows])
    letters = {row.id: letter_of(session, row) for row, _ in shown.rows}
    rows = []
    for row, payable in shown.rows:
        decides = may(session, "recovery.decide", row.county_code)
        receives = may(session, "recovery.receive", row.county_code)
        rows.append(
            {
                "id": row.id,
                "case": payable.case_number,
                "payee": payable.payee_name,
                "amount": row.amount_fen,
                "reason": row.reason,
                "grounds": row.grounds,
                "letter": letters[row.id],
                "due": row.due_on,
                "late": row.state in ("decided", "demanded") and row.due_on < today(),
                "who": people.get(row.decided_by, ""),
                "at": row.decided_at,
                "state": RECOVERY_STATES[row.state],
                "tone": RECOVERY_TONES[row.state],
                "received": row.received_on,
                "receiver": people.get(row.received_by or 0, ""),
                "voucher": row.voucher,
                "demands": decides and row.state == "decided",
                "cancels": decides and row.state in ("decided", "demanded"),
                "receives": receives and row.state == "demanded" and row.decided_by != page_actor().user_id,
            }
        )
    return page(
        "finance/recoveries.html",
        session,
        shown=shown,
        rows=rows,
        state=state,
        states=[
            {
                "title": title,
                "href": url_for("finance.recoveries", state=key or None),
                "active": key == state,
            }
            for key, title in [("", "全部"), *RECOVERY_STATES.items()]
        ],
        places=county_names(session, codes),
        decides=any(may(session, "recovery.decide", code) for code in codes),
        key=new_key(),
    )


@bp.route("/payables/<int:payable_id>/recover", methods=["GET", "POST"])
@allow("officer")
def recover(payable_id: int) -> ResponseReturnValue:
    """决定追回: reached from the people of a case."""
    session = reading()
    payable = session.get(Payable, payable_id)
    if payable is None:
        raise NotFound("没有这笔款项。")
    _permitted(session, "recovery.decide", payable)
    number = payable.case_number
    process = process_of(session, session.get_one(Case, payable.case_id).version_id)
    county = appropriations.get(session, payable.appropriation_id).county_code
    account = recovering.repay_account(session, process, county)

    def act(writing: Session, who: Actor, given: dict[str, Any]) -> tuple[str, str]:
        finding = Finding(given["reason"], given["grounds"], as_day(given["due_on"]) or today())
        row = recovering.decide(writing, who, payable_id, finding)
        said = f"已决定追回 {money(row.amount_fen)}。追回通知书正在签章，申请单位可以在线下载；送达后请登记“已送达”。"
        return said, url_for("finance.recoveries", state="decided")

    return ask(
        Question(
            title="决定追回",
            caption=f"{number}　{payable.payee_name}",
            intro="决定后系统出具追回通知书，送达收款单位；款项收到后由财政部门登记，退回原资金。奖补登记改为“已追回”，以后仍不能重复享受。",
            facts=(
                ("追回金额", f"{money(payable.amount_fen)}（{yuan_words(payable.amount_fen)}）"),
                ("退到哪里", _account_text(account)),
            ),
            fields=(
                Field(
                    key="reason",
                    label="查明的事实",
                    type="textarea",
                    required=True,
                    max_length=1000,
                    rows=5,
                    hint="写进追回通知书，一行一条。例如：2026年11月3日核查，该人员没有在单位务工，工资流水由他人代签。",
                ),
                Field(
                    key="grounds",
                    label="追回的依据",
                    type="textarea",
                    required=True,
                    max_length=500,
                    rows=3,
                    hint="写进追回通知书，一行一条，写明文件名称、文号和条款；奖补办理时的依据会自动列出，不用再写。",
                ),
                Field(key="due_on", label="退回期限", type="date", required=True),
            ),
            main="决定追回",
            danger=True,
            back=url_for("officer.case", number=number) + "#payments",
        ),
        act,
    )


@bp.post("/recoveries/<int:recovery_id>/demand")
@allow("officer")
def recovery_demand(recovery_id: int) -> ResponseReturnValue:
    """The letter was served."""

    def act(session: Session, who: Actor) -> tuple[str, str]:
        recovering.demand(session, who, recovery_id)
        return "已登记送达，等待财政部门登记收回。", url_for("finance.recoveries")

    return once(act)


@bp.post("/recoveries/<int:recovery_id>/cancel")
@allow("officer")
def recovery_cancel(recovery_id: int) -> ResponseReturnValue:
    """The finding did not hold."""

    def act(session: Session, who: Actor) -> tuple[str, str]:
        recovering.cancel(session, who, recovery_id)
        return "追回已撤销，追回通知书失效，款项仍为已支付。", url_for("finance.recoveries")

    return once(act)


@bp.route("/recoveries/<int:recovery_id>/receive", methods=["GET", "POST"])
@allow("officer")
def recover_receive(recovery_id: int) -> ResponseReturnValue:
    """登记收回: the money came in."""
    session = reading()
    row = session.get(Recovery, recovery_id)
    if row is None:
        raise NotFound("没有这笔追回。")
    payable = session.get_one(Payable, row.payable_id)
    _permitted(session, "recovery.receive", payable)

    def act(writing: Session, who: Actor, given: dict[str, Any]) -> tuple[str, str]:
        done = use.receive(writing, who, recovery_id, as_day(given["on"]) or today(), given["voucher"])
        return f"已登记收回 {money(done.amount_fen)}，退回原资金。", url_for("finance.recoveries")

    return ask(
        Question(
            title="登记收回",
            caption=f"{payable.case_number}　{payable.payee_name}",
            facts=(
                ("追回金额", money(row.amount_fen)),
                ("退回期限", day_text(row.due_on)),
                ("查明的事实", row.reason),
                ("追回的依据", row.grounds),
                ("状态", RECOVERY_STATES[row.state]),
            ),
            fields=(
                Field(key="on", label="收款日期", type="date", required=True, maximum="today"),
                Field(key="voucher", label="收款凭证号", required=True, max_length=80),
            ),
            usual={"on": today().isoformat()},
            main=f"登记收回 {money(row.amount_fen)}",
            back=url_for("finance.recoveries"),
        ),
        act,
    )


def _account_text(account: recovering.RepayAccount | None) -> str:
    """Where the letter asks to pay to; what is lacking when the county has not said."""
    if account is None:
        return "本县还没有登记收款账户，不能作出决定。请系统管理员在“办理参数”中登记“追回款项收款账户”。"
    return f"{account.payee_name}，{account.account_number}，{account.bank_name}"


def _permitted(session: Session, permission: str, payable: Payable) -> None:
    county = appropriations.get(session, payable.appropriation_id).county_code
    seen(session, county)
    require(page_actor(), permission, Facts(division_chain=chain_codes(session, county)))
