"""``/employers``: the first accounts of employers, which the township of their 经营地址 confirms by the 授权书."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from forms.model import Field
from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.navigation import COUNTS, ONLY
from webapp.officer.blueprint import bp
from webapp.officer.files import send
from webapp.questions import Answers, read_answers
from workflows.base.errors import NotFound
from workflows.base.files import StoredFile
from workflows.base.installation import installation
from workflows.organisations.accounts import user_of
from workflows.organisations.divisions import township_of
from workflows.organisations.permissions import allowed
from workflows.registers.employers import EMPLOYER_KINDS
from workflows.registers.membership import (
    decide_member,
    employer_facts,
    member_name,
    waiting_for_township,
)
from workflows.registers.model import EmployerMember

REFUSAL = Field(
    key="reason",
    label="没有通过的原因",
    type="textarea",
    required=True,
    max_length=200,
    rows=3,
    hint="申请人会看到，写明怎么更正，例如：授权书没有盖公章，请盖章后重新上传。",
)


@bp.get("/employers")
@allow("officer")
def employers() -> ResponseReturnValue:
    """Who waits, the oldest first, with everything the decision rests on."""
    session = reading()
    waiting = [_shown(session, one) for one in waiting_for_township(session, page_actor())]
    return render_template("officer/employers.html", waiting=waiting, township=_of_a_township())


def _shown(session: Session, row: EmployerMember) -> dict[str, Any]:
    employer = row.employer
    user = user_of(session, row.user_id)
    return {
        "id": row.id,
        "unit": employer.name,
        "lines": (
            ("统一社会信用代码", employer.credit_code),
            ("单位类型", EMPLOYER_KINDS[employer.kind]),
            ("法定代表人（负责人）", employer.legal_representative),
            ("经营地址", f"{township_of(session, employer.division_code).name}，{employer.address}"),
            ("经办人", f"{user.name}，{user.phone}" if user.phone else user.name),
        ),
        "person": user.name,
        "requested_at": row.requested_at,
        "file": session.get(StoredFile, row.authorisation_file_id) if row.authorisation_file_id else None,
    }


@bp.get("/employers/<int:member_id>/authorisation")
@allow("officer")
def authorisation(member_id: int) -> Response:
    """The 授权书 as uploaded."""
    session = reading()
    row = _asked(session, member_id)
    file = session.get(StoredFile, row.authorisation_file_id) if row.authorisation_file_id else None
    if file is None:
        raise NotFound("没有上传授权书。")
    return send(file, installation().files.read(file), download=False)


@bp.post("/employers/<int:member_id>/confirm")
@allow("officer")
def employer_confirm(member_id: int) -> ResponseReturnValue:
    with transaction() as session:
        row = decide_member(session, actor(session), member_id, agree=True)
        name, unit = member_name(session, row), row.employer.name
    flash(f"已确认{name}为{unit}的首个账号，可以办理业务。", "success")
    return redirect(url_for("officer.employers"), 303)


@bp.route("/employers/<int:member_id>/refuse", methods=["GET", "POST"])
@allow("officer")
def employer_refuse(member_id: int) -> ResponseReturnValue:
    """Refuse with a reason that the applicant reads."""
    session = reading()
    row = _asked(session, member_id)
    name, unit = member_name(session, row), row.employer.name
    answers = Answers()
    if request.method == "POST":
        answers = read_answers((REFUSAL,))
        if not answers.errors:
            with transaction() as writing:
                decide_member(
                    writing, actor(writing), member_id, agree=False, reason=str(answers.values["reason"])
                )
            flash(f"没有通过{unit}的账号，已通知{name}。", "success")
            return redirect(url_for("officer.employers"), 303)
    page = render_template(
        "officer/ask.html",
        title="不通过这个单位的账号",
        caption=f"{unit}　{name}",
        intro="对方可以按写明的原因更正后重新登记。",
        fields=(REFUSAL,),
        answers=answers,
        main="不通过，通知申请人",
        danger=True,
        back=url_for("officer.employers"),
    )
    return page, 422 if answers.errors else 200


def _asked(session: Session, member_id: int) -> EmployerMember:
    row = session.get(EmployerMember, member_id)
    if row is None or not allowed(page_actor(), "employer.confirm", employer_facts(session, row.employer)):
        raise NotFound("没有这条账号申请。")
    return row


def _of_a_township() -> bool:
    return any(post.kind == "township" for post in page_actor().posts)


COUNTS["officer.employers"] = lambda: len(waiting_for_township(reading(), page_actor()))
ONLY["officer.employers"] = _of_a_township
