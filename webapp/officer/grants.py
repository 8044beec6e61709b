"""``/officer/grants``: what the register of grants says of one person, and the import of earlier payments."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.model import Field
from webapp.access import actor, allow
from webapp.database import reading, transaction
from webapp.navigation import ONLY
from webapp.officer.blueprint import bp, may, place_of, reason_field
from webapp.questions import Answers, read_answers
from webapp.sheets import download
from workflows.base.errors import Invalid
from workflows.cases.model import Case
from workflows.cases.officer_views import policy_titles
from workflows.organisations.model import Division
from workflows.registers.grant_lookup import Found, look_up
from workflows.registers.grant_model import GRANT_STATES, OBSTACLES, Grant
from workflows.registers.past_grants import import_past_grants, list_template

FIELDS = (
    Field(key="id_number", label="身份证号", type="id_number", required=True),
    reason_field(
        "写明为什么查询，例如：审核 JB 某号申请，核对是否重复享受。查询人、时间和理由会留存，审计人员会看到。",
        "查询的理由",
    ),
)
TONES = {
    "claimed": "progress",
    "held": "waiting",
    "approved": "progress",
    "paid": "good",
    "recovered": "bad",
    "freed": "plain",
}


@bp.route("/officer/grants", methods=["GET", "POST"])
@allow("officer", "auditor")
def grants() -> ResponseReturnValue:
    """奖补登记查询: one person, with a reason. What was found is shown once and kept by no address."""
    session = reading()
    place = place_of(session, "grants.look_up")
    answers, shown = Answers(), None
    if request.method == "POST":
        answers = read_answers(FIELDS)
        if not answers.errors:
            try:
                with transaction() as writing:
                    found = look_up(
                        writing,
                        actor(writing),
                        place,
                        answers.values["id_number"],
                        answers.values["reason"],
                    )
                    shown = _shown(writing, found)
            except Invalid as error:
                answers.refuse(error.errors, error.message)
    page = render_template(
        "officer/grants.html",
        fields=FIELDS,
        answers=answers,
        shown=shown,
        may_import=may("grants.import"),
    )
    return page, 422 if answers.errors else 200


def _shown(session: Session, found: Found) -> dict[str, Any]:
    """What the page says of a person; plain values, for the transaction is over when it is drawn."""
    case_ids = {one.case_id for one in found.grants} | {
        one.blocking.case_id for one in found.grants if one.blocking is not None
    }
    rows = session.execute(select(Case.id, Case.number).where(Case.id.in_(case_ids - {None})))
    numbers = {row.id: row.number for row in rows}
    codes = {one.county_code for one in found.grants}
    places = session.execute(select(Division.code, Division.name).where(Division.code.in_(codes)))
    names = {row.code: row.name for row in places}
    policies = policy_titles(session)
    return {
        "name": found.person.name if found.person is not None else "",
        "number": found.person.id_number if found.person is not None else "",
        "rows": [_row(one, numbers, names, policies) for one in found.grants],
    }


def _row(
    grant: Grant, numbers: dict[int, str], places: dict[str, str], policies: dict[str, str]
) -> dict[str, Any]:
    return {
        "policy": policies.get(grant.policy, grant.policy),
        "employer": grant.employer_name,
        "place": places.get(grant.county_code, ""),
        "amount": grant.amount_fen,
        "on": grant.paid_on,
        "document": grant.document_number,
        "case": numbers.get(grant.case_id or 0, ""),
        "entered": grant.created_at,
        "state": GRANT_STATES[grant.state],
        "tone": TONES[grant.state],
        "obstacle": OBSTACLES.get(grant.obstacle or "", ""),
        "blocking": _blocking(grant.blocking, numbers) if grant.blocking is not None else "",
        "lifted": grant.blocking_id is not None and grant.state not in ("held", "freed"),
    }


def _blocking(grant: Grant, numbers: dict[int, str]) -> str:
    """The grant that stands in the way, in one line."""
    paper = grant.document_number or numbers.get(grant.case_id or 0, "")
    return "，".join(part for part in (grant.employer_name, paper, GRANT_STATES[grant.state]) if part)


@bp.route("/officer/grants/import", methods=["GET", "POST"])
@allow("officer")
def grants_import() -> ResponseReturnValue:
    """导入历史发放记录: what was paid before this system existed blocks too."""
    place = place_of(reading(), "grants.import")
    problems: list[str] = []
    if request.method == "POST":
        upload = request.files.get("file")
        content = upload.read() if upload is not None and upload.filename else b""
        try:
            if not content:
                raise Invalid("请选择填好的历史发放记录。")
            with transaction() as session:
                done = import_past_grants(session, actor(session), content, county_code=place)
        except Invalid as error:
            problems = error.errors.get("file", error.message).split("\n")
        else:
            repeated = f"；{done.repeated} 条登记里已经有，没有重复登记" if done.repeated else ""
            flash(f"已登记 {done.entered} 条历史发放记录{repeated}。", "success")
            return redirect(url_for("officer.grants"), 303)
    page = render_template("officer/grants_import.html", problems=problems)
    return page, 422 if problems else 200


@bp.get("/officer/grants/template")
@allow("officer")
def grants_template() -> Response:
    """The empty list with its drop-downs."""
    return download(list_template(), "历史发放记录模板.xlsx")


ONLY["officer.grants"] = lambda: may("grants.look_up")
