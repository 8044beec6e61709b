"""``/finance/bounced``: payments that came back, their accounts corrected by one person and confirmed by another."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from forms.model import Field
from webapp.access import allow, page_actor
from webapp.database import reading
from webapp.filters import money
from webapp.finance.blueprint import (
    Question,
    ask,
    bp,
    counties,
    county_names,
    manages,
    may,
    new_key,
    once,
    page,
)
from webapp.officer.blueprint import page_number
from workflows.base.errors import NotFound
from workflows.base.privacy import mask_account
from workflows.funds import appropriations, corrections, views
from workflows.funds.model import PAYABLE_STATES, Payable
from workflows.organisations.actors import Actor

FIELDS = (
    Field(
        key="payee_name", label="收款人户名", required=True, max_length=120, hint="与银行开户名称一字不差。"
    ),
    Field(key="account_number", label="收款账号", type="bank_account", required=True),
    Field(key="bank_name", label="开户行全称", required=True, max_length=120),
    Field(
        key="reason",
        label="更正的依据",
        type="textarea",
        required=True,
        max_length=200,
        rows=3,
        hint="例如：银行退票“户名不符”，单位已补交开户许可证。",
    ),
)


@bp.get("/bounced")
@allow("officer", "auditor")
def bounced() -> ResponseReturnValue:
    """What came back, the oldest first, with what the bank said."""
    session = reading()
    codes = counties(session)
    shown = views.bounced(session, codes, page_number())
    people = views.names(session, [one[3].entered_by for one in shown.rows if one[3] is not None])
    return page(
        "finance/bounced.html",
        session,
        shown=shown,
        places=county_names(session, codes),
        rows=[
            {
                "id": payable.id,
                "case": payable.case_number,
                "person": person,
                "payee": payable.payee_name,
                "account": mask_account(payable.account_number),
                "bank": payable.bank_name,
                "amount": payable.amount_fen,
                "reason": line.bounce_reason,
                "batch": batch.number,
                "batch_id": batch.id,
                "manages": manager,
                "correction": _correction(correction, people, manager) if correction is not None else None,
            }
            for payable, line, batch, correction, person in shown.rows
            for manager in [may(session, "funds.manage", batch.county_code)]
        ],
        key=new_key(),
    )


def _correction(row: Any, people: dict[int, str], whole: bool) -> dict[str, Any]:
    """What was entered; the account whole for those who have to compare it."""
    return {
        "id": row.id,
        "payee": row.payee_name,
        "account": row.account_number if whole else mask_account(row.account_number),
        "bank": row.bank_name,
        "reason": row.reason,
        "who": people.get(row.entered_by, ""),
        "at": row.entered_at,
        "own": row.entered_by == page_actor().user_id,
    }


@bp.route("/bounced/<int:payable_id>", methods=["GET", "POST"])
@allow("officer")
def correct(payable_id: int) -> ResponseReturnValue:
    """录入更正: what the account should be."""
    session = reading()
    payable = session.get(Payable, payable_id)
    if payable is None:
        raise NotFound("没有这笔款项。")
    manages(session, appropriations.get(session, payable.appropriation_id).county_code)

    def act(writing: Session, who: Actor, given: dict[str, Any]) -> tuple[str, str]:
        account = corrections.Account(given["payee_name"], given["account_number"], given["bank_name"])
        corrections.enter(writing, who, payable_id, account, given["reason"])
        return "更正已录入，须由其他人员确认后才能重新拨付。", url_for("finance.bounced")

    return ask(
        Question(
            title="更正收款账户",
            caption=f"{payable.case_number}　{money(payable.amount_fen)}",
            intro="录入后由另一人核对确认，确认前不会重新拨付。",
            facts=(
                ("现在的户名", payable.payee_name),
                ("现在的账号", mask_account(payable.account_number)),
                ("现在的开户行", payable.bank_name),
                ("状态", PAYABLE_STATES[payable.state]),
            ),
            usual={"payee_name": payable.payee_name, "bank_name": payable.bank_name},
            fields=FIELDS,
            main="录入更正，交其他人员确认",
            back=url_for("finance.bounced"),
        ),
        act,
    )


@bp.post("/corrections/<int:correction_id>")
@allow("officer")
def correction_decide(correction_id: int) -> ResponseReturnValue:
    """The second pair of eyes."""
    agree = request.form.get("agree") == "yes"

    def act(session: Session, who: Actor) -> tuple[str, str]:
        corrections.decide(session, who, correction_id, agree)
        said = "已确认更正，这笔款项回到待拨付。" if agree else "已否决更正，账户没有改动，可以重新录入。"
        return said, url_for("finance.bounced")

    return once(act)
