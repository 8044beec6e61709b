"""``/employers``: the first accounts of employers, which the township of their 经营地址 confirms by the 授权书; and what is
registered of them, which it corrects by the 营业执照."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from forms.model import Field
from webapp.access import actor, allow, page_actor
from webapp.auth.forms import townships, unit_fields
from webapp.database import reading, transaction
from webapp.navigation import COUNTS, ONLY
from webapp.officer.blueprint import bp, page_number, reason_field
from webapp.officer.files import send
from webapp.questions import Answers, read_answers
from workflows.base.errors import Invalid, NotFound
from workflows.base.files import StoredFile
from workflows.base.installation import installation
from workflows.organisations.accounts import user_of
from workflows.organisations.divisions import county_of, township_of
from workflows.organisations.permissions import allowed
from workflows.registers.employer_corrections import (
    SIZE,
    Licence,
    correct_employer,
    corrections_of,
    employers_of_townships,
)
from workflows.registers.employers import EMPLOYER_KINDS
from workflows.registers.membership import (
    decide_member,
    employer_facts,
    member_name,
    waiting_for_township,
)
from workflows.registers.model import Employer, EmployerMember

REFUSAL = Field(
    key="reason",
    label="没有通过的原因",
    type="textarea",
    required=True,
    max_length=200,
    rows=3,
    hint="申请人会看到，写明怎么更正，例如：授权书没有盖公章，请盖章后重新上传。",
)
REASON = reason_field("写明依据，会留存，例如：营业执照于 2026 年 3 月变更名称，已核对原件。", "更正的理由")


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
        "employer_id": employer.id,
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


@bp.get("/employers/registered")
@allow("officer")
def employers_registered() -> ResponseReturnValue:
    """The employers of the township, to be found again."""
    session = reading()
    given = request.args.get("q", "").strip()[:60]
    found = employers_of_townships(session, page_actor(), given, page_number())
    return render_template(
        "officer/employers_registered.html",
        found=found,
        given=given,
        size=SIZE,
        rows=[
            {
                "id": one.id,
                "name": one.name,
                "code": one.credit_code,
                "representative": one.legal_representative,
                "address": f"{township_of(session, one.division_code).name}{one.address}",
                "waiting": one.status == "pending",
            }
            for one in found.entries
        ],
    )


@bp.route("/employers/<int:employer_id>/correct", methods=["GET", "POST"])
@allow("officer")
def employer_correct(employer_id: int) -> ResponseReturnValue:
    """Put right what is registered, with a reason that is kept."""
    session = reading()
    employer = session.get(Employer, employer_id)
    if employer is None or not allowed(page_actor(), "employer.correct", employer_facts(session, employer)):
        raise NotFound("没有这个单位，或者它不在您的乡镇。")
    fields, name = _licence_fields(session, employer), employer.name
    typed = {
        **{key: str(getattr(employer, key)) for key in Licence.__dataclass_fields__},
        "division_code": township_of(session, employer.division_code).code,
    }
    answers = Answers(typed=typed)
    if request.method == "POST":
        answers = read_answers(fields)
        if not answers.errors:
            licence = Licence(*(str(answers.values[key]) for key in Licence.__dataclass_fields__))
            try:
                with transaction() as writing:
                    reason = str(answers.values["reason"])
                    correct_employer(writing, actor(writing), employer_id, licence, reason)
            except Invalid as error:
                answers.refuse(error.errors, error.message)
            else:
                flash(f"{licence.name}的登记信息已更正，已通知对方。", "success")
                return redirect(url_for("officer.employers_registered"), 303)
    page = render_template(
        "officer/employer_correct.html",
        title="更正单位登记信息",
        caption=f"{name}　{employer.credit_code}",
        intro="以营业执照为准。更正后，新办理的申请和文书用更正后的内容；已经签发的文书不变。统一社会信用代码不能改：代码不同的是另一个单位，请对方重新登记。",
        fields=fields,
        answers=answers,
        main="更正并通知单位",
        back=url_for("officer.employers_registered"),
        history=_history(session, employer, fields),
    )
    return page, 422 if answers.errors else 200


def _licence_fields(session: Session, employer: Employer) -> tuple[Field, ...]:
    """The questions of the registration that the 营业执照 answers, for the county of an employer, and the reason."""
    county = county_of(session, employer.division_code).name
    places = [one for one in townships(session) if one[0] == county]
    asked = [one for one in unit_fields(places) if one.key in Licence.__dataclass_fields__]
    order = list(Licence.__dataclass_fields__)
    asked.sort(key=lambda one: order.index(one.key))
    return (*asked, REASON)


def _history(session: Session, employer: Employer, fields: tuple[Field, ...]) -> list[dict[str, Any]]:
    """What was corrected before, in words."""
    labels = {one.key: one for one in fields}

    def word(key: str, value: str) -> str:
        if key == "division_code":
            return township_of(session, value).name
        return next((one.label for one in labels[key].options if one.value == value), value)

    return [
        {
            "at": row.at,
            "by": user_of(session, row.by).name if row.by is not None else "系统",
            "reason": row.reason,
            "changes": [
                (labels[key].label, word(key, before), word(key, after))
                for key, (before, after) in row.changes.items()
            ],
        }
        for row in corrections_of(session, employer.id)
    ]


def _asked(session: Session, member_id: int) -> EmployerMember:
    row = session.get(EmployerMember, member_id)
    if row is None or not allowed(page_actor(), "employer.confirm", employer_facts(session, row.employer)):
        raise NotFound("没有这条账号申请。")
    return row


def _of_a_township() -> bool:
    return any(post.kind == "township" for post in page_actor().posts)


COUNTS["officer.employers"] = lambda: len(waiting_for_township(reading(), page_actor()))
ONLY["officer.employers"] = _of_a_township
