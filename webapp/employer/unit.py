"""``/employer/unit``: the unit's data, whom the offices call, and the people who act for it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from forms.model import Field
from webapp import numbers
from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.employer.blueprint import bp, to
from webapp.questions import Answers, read_answers
from workflows.base.errors import Invalid, NotFound
from workflows.organisations.divisions import township_of
from workflows.organisations.permissions import allowed
from workflows.registers.employers import EMPLOYER_KINDS, employer_of, update_contact
from workflows.registers.membership import (
    ROLES,
    decide_member,
    employer_facts,
    end_membership,
    member_name,
    members_of,
)
from workflows.registers.model import EmployerMember

CONTACT = (
    Field(key="contact_name", label="联系人", required=True, max_length=40, hint="办理过程中联系的人。"),
    Field(
        key="contact_phone",
        label="联系电话",
        type="phone",
        required=True,
        hint="查询进度时要用后四位，改了以后用新号码查询。",
    ),
)
REFUSAL = Field(
    key="reason",
    label="不同意的原因",
    type="textarea",
    required=True,
    max_length=200,
    rows=3,
    hint="申请人会看到。",
)
_WORDS = {
    "pending": ("等待确认", "amber"),
    "confirmed": ("已确认", "green"),
    "refused": ("未同意", "grey"),
    "ended": ("已停用", "grey"),
}


@bp.route("/employer/unit", methods=["GET", "POST"])
@allow("employer")
def unit() -> ResponseReturnValue:
    """Everything about the units of the person on the page; POST changes the contact of one."""
    me = page_actor()
    if not me.employer_ids:
        return redirect(url_for("auth.pending"), 303)
    chosen = request.values.get("unit", type=numbers.key) or me.employer_ids[0]
    if chosen not in me.employer_ids:
        raise NotFound("没有这个单位，或者您不是它的经办人。")
    answers = Answers()
    if request.method == "POST":
        answers = read_answers(CONTACT)
        if not answers.errors:
            try:
                with transaction() as writing:
                    update_contact(
                        writing,
                        actor(writing),
                        chosen,
                        contact_name=str(answers.values["contact_name"]),
                        contact_phone=str(answers.values["contact_phone"]),
                    )
            except Invalid as error:
                answers.refuse(error.errors, error.message)
            else:
                flash("联系信息已保存。", "success")
                return to("unit", unit=chosen)
    return render_template("employer/unit.html", **_context(chosen, answers)), 422 if answers.errors else 200


def _context(chosen: int, answers: Answers) -> dict[str, Any]:
    session, me = reading(), page_actor()
    employer = employer_of(session, chosen)
    typed = answers.typed or {
        "contact_name": employer.contact_name,
        "contact_phone": employer.contact_phone,
    }
    return {
        "employer": employer,
        "kind": EMPLOYER_KINDS.get(employer.kind, ""),
        "township": township_of(session, employer.division_code).name,
        "fields": CONTACT,
        "answers": answers,
        "typed": typed,
        "members": [_member(session, one) for one in members_of(session, me, chosen)],
        "may_decide": allowed(me, "employer.members", employer_facts(session, employer)),
        "me": me,
        "units": [(one, employer_of(session, one).name) for one in me.employer_ids],
    }


def _member(session: Session, row: EmployerMember) -> dict[str, Any]:
    word, tone = _WORDS[row.status]
    return {
        "id": row.id,
        "user_id": row.user_id,
        "name": member_name(session, row),
        "role": ROLES.get(row.role, ""),
        "status": row.status,
        "word": word,
        "tone": tone,
        "since": row.decided_at or row.requested_at,
        "reason": row.reason,
    }


@bp.post("/employer/members/<int:member_id>/confirm")
@allow("employer")
def member_confirm(member_id: int) -> ResponseReturnValue:
    with transaction() as session:
        row = decide_member(session, actor(session), member_id, agree=True)
        name, employer_id = member_name(session, row), row.employer_id
    flash(f"已同意{name}为本单位办理业务。", "success")
    return to("unit", unit=employer_id)


@bp.route("/employer/members/<int:member_id>/refuse", methods=["GET", "POST"])
@allow("employer")
def member_refuse(member_id: int) -> ResponseReturnValue:
    """Refuse with a reason that the applicant reads."""
    session = reading()
    row = session.get(EmployerMember, member_id)
    if row is None or row.employer_id not in page_actor().employer_ids:
        raise NotFound("没有这条账号申请。")
    employer_id, name, unit_name = row.employer_id, member_name(session, row), row.employer.name
    answers = Answers()
    if request.method == "POST":
        answers = read_answers((REFUSAL,))
        if not answers.errors:
            with transaction() as writing:
                decide_member(
                    writing, actor(writing), member_id, agree=False, reason=str(answers.values["reason"])
                )
            flash(f"没有同意{name}的申请。", "success")
            return to("unit", unit=employer_id)
    page = render_template(
        "officer/ask.html",
        title=f"不同意{name}为本单位办理业务",
        caption=unit_name,
        intro="对方可以更正后重新申请。",
        fields=(REFUSAL,),
        answers=answers,
        main="不同意",
        danger=True,
        back=url_for("employer.unit", unit=employer_id),
    )
    return page, 422 if answers.errors else 200


@bp.route("/employer/members/<int:member_id>/end", methods=["GET", "POST"])
@allow("employer")
def member_end(member_id: int) -> ResponseReturnValue:
    """Somebody no longer acts for the unit: its own page, because the person loses access at once."""
    session = reading()
    row = session.get(EmployerMember, member_id)
    if row is None or row.employer_id not in page_actor().employer_ids:
        raise NotFound("没有这个单位账号。")
    employer_id, name, unit_name = row.employer_id, member_name(session, row), row.employer.name
    if request.method == "POST":
        with transaction() as writing:
            end_membership(writing, actor(writing), member_id)
        flash(f"{name}不能再为本单位办理业务。", "success")
        return redirect(url_for("home.index"), 303)
    return render_template(
        "officer/ask.html",
        title=f"停用{name}的经办权限",
        caption=unit_name,
        intro="停用后，对方立即不能再查看和办理本单位的申请；已经办理的记录保留。",
        fields=(),
        answers=Answers(),
        main="停用",
        danger=True,
        back=url_for("employer.unit", unit=employer_id),
    )
