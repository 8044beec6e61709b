"""Claiming, giving back, reassigning a work item, and ending a case before its end."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from forms.model import Field, Option
from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.officer.blueprint import bp, case_caption, item_seen, reason_field
from webapp.questions import Answers, read_answers
from workflows.base.errors import Conflict, Invalid
from workflows.cases import claiming, recalling
from workflows.cases.access import case_facts, visible_case
from workflows.cases.officer_views import colleagues
from workflows.organisations.permissions import require


@bp.post("/work/<int:item_id>/claim")
@allow("officer")
def claim(item_id: int) -> ResponseReturnValue:
    """Take an item; stay in the list when that is where one was."""
    try:
        with transaction() as session:
            item_seen(session, item_id)
            item = claiming.claim(session, actor(session), item_id)
            number = item.case.number
    except Conflict as error:
        flash(error.message, "warning")
        return redirect(url_for("officer.worklist"), 303)
    flash(f"已领取 {number}。", "success")
    if request.form.get("from") == "list":
        return redirect(url_for("officer.worklist"), 303)
    return redirect(url_for("officer.item", item_id=item_id), 303)


@bp.post("/work/<int:item_id>/unclaim")
@allow("officer")
def unclaim(item_id: int) -> ResponseReturnValue:
    """Give an item back to the office."""
    with transaction() as session:
        item_seen(session, item_id)
        number = claiming.unclaim(session, actor(session), item_id).case.number
    flash(f"已交还 {number}，本单位其他人员可以领取。", "success")
    return redirect(url_for("officer.worklist"), 303)


@bp.route("/work/<int:item_id>/reassign", methods=["GET", "POST"])
@allow("officer")
def reassign(item_id: int) -> ResponseReturnValue:
    """The head gives an item to somebody else of the office, and says why."""
    session = reading()
    item, facts = item_seen(session, item_id)
    require(page_actor(), "case.reassign", facts)
    people = colleagues(session, item.department_id, without=item.claimed_by)
    fields = (
        Field(
            key="user",
            label="改派给",
            type="choice",
            required=True,
            options=tuple(Option(str(key), name) for key, name in people),
        ),
        reason_field("写明为什么改派，记入办理记录，例如：原经办人外出培训。"),
    )
    answers = Answers()
    holder = item.claimant.name if item.claimant else ""
    caption, title = case_caption(item.case), item.title
    if request.method == "POST":
        answers = read_answers(fields)
        if not answers.errors:
            try:
                with transaction() as writing:
                    user, reason = int(answers.values["user"]), str(answers.values["reason"])
                    claiming.reassign(writing, actor(writing), item_id, user, reason)
            except Invalid as error:
                answers.refuse(error.errors, error.message)
            else:
                flash(f"已改派给{dict(people).get(user, '')}。", "success")
                return redirect(url_for("officer.worklist"), 303)
    page = render_template(
        "officer/ask.html",
        title="改派",
        caption=caption,
        intro=f"“{title}”现由{holder}领取。" if holder else f"“{title}”还没有人领取。",
        fields=fields,
        answers=answers,
        main="改派",
        back=url_for("officer.item", item_id=item_id),
    )
    return page, 422 if answers.errors else 200


@bp.route("/cases/<number>/terminate", methods=["GET", "POST"])
@allow("officer")
def terminate(number: str) -> ResponseReturnValue:
    """The head of 人社 ends a case: a page of its own, because it cannot be taken back."""
    session = reading()
    case = visible_case(session, page_actor(), number)
    require(page_actor(), "case.terminate", case_facts(session, case))
    fields = (reason_field("申请单位会看到，例如：申请单位已注销。", "终止的理由"),)
    answers = Answers()
    case_id, caption = case.id, case_caption(case)
    if request.method == "POST":
        answers = read_answers(fields)
        if not answers.errors:
            try:
                with transaction() as writing:
                    recalling.terminate(writing, actor(writing), case_id, str(answers.values["reason"]))
            except Invalid as error:
                answers.refuse(error.errors, error.message)
            else:
                flash(f"{number} 已终止，已通知申请单位。", "success")
                return redirect(url_for("officer.case", number=number), 303)
    page = render_template(
        "officer/ask.html",
        title="终止办理",
        caption=caption,
        intro="终止后，正在办理的环节、期限和公示一并结束，不能恢复；已有的材料和记录保留。",
        fields=fields,
        answers=answers,
        main="终止这件申请",
        danger=True,
        back=url_for("officer.case", number=number),
    )
    return page, 422 if answers.errors else 200
