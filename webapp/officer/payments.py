"""The payments of a case on its page, and 剔除: a person taken out after approval."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import numbers
from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.filters import money
from webapp.officer.blueprint import bp, case_caption, reason_field
from webapp.questions import Answers, read_answers
from workflows.base.errors import Invalid, NotFound
from workflows.base.privacy import mask_id
from workflows.cases.access import case_facts, require_case, visible_case
from workflows.cases.finance_views import CasePayments, PaidPerson, paid_people, payments
from workflows.cases.model import Case
from workflows.cases.process import process_of
from workflows.cases.removing import remove_row
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.roster_view import name_and_number
from workflows.funds.model import Payable
from workflows.funds.views import Page
from workflows.organisations.permissions import allowed

REASON = reason_field("申请单位会看到，例如：公示期间本人说明已离岗。", "剔除的理由")


@dataclass(frozen=True)
class Shown:
    """What a case page says of its payments. ``removes``, ``recovers``: what the person on the page may do."""

    sums: CasePayments
    people: Page[PaidPerson]
    removes: bool
    recovers: bool


def of_case(session: Session, case: Case) -> Shown | None:
    """The payments of a case; ``None`` when nothing was reserved for it."""
    sums = payments(session, case.id)
    if sums is None:
        return None
    me, facts = page_actor(), case_facts(session, case)
    people = paid_people(session, case, request.args.get("paid", 1, type=numbers.page))
    return Shown(sums, people, allowed(me, "payment.remove", facts), allowed(me, "recovery.decide", facts))


@bp.route("/cases/<number>/rows/<int:row_id>/remove", methods=["GET", "POST"])
@allow("officer")
def remove_paid(number: str, row_id: int) -> ResponseReturnValue:
    """剔除 one person, with a reason: the money is free again and the total is less."""
    session = reading()
    case = visible_case(session, page_actor(), number)
    require_case(session, page_actor(), "payment.remove", case)
    row = session.get(RosterRow, row_id)
    if row is None or session.get_one(Roster, row.roster_id).case_id != case.id:
        raise NotFound("没有这个人员。")
    amount = session.scalar(
        select(Payable.amount_fen).where(Payable.row_id == row_id, Payable.state != "freed")
    )
    name, id_number = name_and_number(process_of(session, case.version_id), row)
    case_id, caption = case.id, case_caption(case)
    back = url_for("officer.case", number=number) + "#payments"
    answers = Answers()
    if request.method == "POST":
        answers = read_answers((REASON,))
        if not answers.errors:
            try:
                with transaction() as writing:
                    freed = remove_row(
                        writing, actor(writing), case_id, row_id, str(answers.values["reason"])
                    )
            except Invalid as error:
                answers.refuse(error.errors, error.message)
            else:
                flash(f"已剔除 {name}，释放预占 {money(freed)}。", "success")
                return redirect(back, 303)
    page = render_template(
        "officer/ask.html",
        title="剔除这个人",
        caption=caption,
        intro=f"{name}（{mask_id(id_number)}），{money(amount)}。剔除后不再发放，预占的资金和奖补名额释放，总额相应减少；"
        "消除原因后可以重新申报。",
        fields=(REASON,),
        answers=answers,
        main="剔除，释放预占",
        danger=True,
        back=back,
    )
    return page, 422 if answers.errors else 200
