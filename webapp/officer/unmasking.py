"""Whole ID numbers, phones and accounts: asked for with a reason, shown once, never kept by the browser."""

from __future__ import annotations

from collections.abc import Callable

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.officer.blueprint import bp, case_caption, reason_field
from webapp.questions import Answers, read_answers
from workflows.base.errors import Invalid, NotFound
from workflows.cases.access import visible_case
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.unmasking import unmask_application, unmask_objector, unmask_row
from workflows.organisations.actors import Actor

Sections = list[tuple[str, list[tuple[str, str]]]]
Unmask = Callable[[Session, Actor, int, str], Sections]


@bp.route("/cases/<number>/rows/<int:row_id>/unmask", methods=["GET", "POST"], endpoint="unmask_row")
@allow("officer", "auditor")
def of_row(number: str, row_id: int) -> ResponseReturnValue:
    """One person of the roster."""
    session = reading()
    case = visible_case(session, page_actor(), number)
    row = session.get(RosterRow, row_id)
    if row is None or session.get_one(Roster, row.roster_id).case_id != case.id:
        raise NotFound("没有这个人员。")
    return _page(
        number,
        f"查看第 {row.number} 行人员的完整信息",
        lambda inner, who, _, reason: [("", unmask_row(inner, who, row_id, reason))],
        f"#row-{row_id}",
    )


@bp.route("/cases/<number>/unmask", methods=["GET", "POST"], endpoint="unmask_application")
@allow("officer", "auditor")
def of_application(number: str) -> ResponseReturnValue:
    """The employer's form."""
    return _page(number, "查看申请中的完整信息", unmask_application, "#application")


@bp.route("/cases/<number>/objector", methods=["GET", "POST"], endpoint="unmask_objector")
@allow("officer", "auditor")
def of_objector(number: str) -> ResponseReturnValue:
    """Who objected."""
    return _page(
        number,
        "查看异议人的完整信息",
        lambda inner, who, case_id, reason: [("", unmask_objector(inner, who, case_id, reason))],
        "#objection",
    )


def _page(number: str, title: str, unmask: Unmask, anchor: str) -> ResponseReturnValue:
    case = visible_case(reading(), page_actor(), number)
    case_id, caption = case.id, case_caption(case)
    fields = (
        reason_field("写明为什么查看，例如：电话核实工资。查看人、时间和理由会记入办理记录。", "查看的理由"),
    )
    answers = Answers()
    back = url_for("officer.case", number=number) + anchor
    if request.method == "POST":
        answers = read_answers(fields)
        if not answers.errors:
            try:
                with transaction() as session:
                    sections = unmask(session, actor(session), case_id, str(answers.values["reason"]))
            except Invalid as error:
                answers.refuse(error.errors, error.message)
            else:
                return render_template(
                    "officer/unmasked.html", title="完整信息", caption=caption, sections=sections, back=back
                )
    page = render_template(
        "officer/ask.html",
        title=title,
        caption=caption,
        intro="",
        fields=fields,
        answers=answers,
        main="查看完整信息",
        back=back,
    )
    return page, 422 if answers.errors else 200
