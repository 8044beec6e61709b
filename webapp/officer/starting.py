"""``/work/start``: what an office can begin by itself, and the beginning."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from forms.model import Field, Option
from webapp import numbers
from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.navigation import ONLY
from webapp.officer.blueprint import bp
from webapp.questions import Answers, read_answers
from workflows.base.errors import Invalid, NotFound
from workflows.cases.model import WorkItem
from workflows.cases.office_starts import OfficeOffer, begin_in_office, office_offers
from workflows.cases.officer_views import processes
from workflows.organisations.divisions import children


@bp.get("/work/start")
@allow("officer")
def starts() -> ResponseReturnValue:
    """Everything the person's office can begin."""
    session = reading()
    found = office_offers(session, page_actor(), processes(session))
    return render_template("officer/starts.html", offers=[(one, _href(one)) for one in found])


def _href(one: OfficeOffer) -> str:
    return url_for(
        "officer.start",
        process=one.process.key,
        start=one.key,
        project=one.project.id if one.project else None,
    )


@bp.route("/work/start/<process>/<start>", methods=["GET", "POST"])
@allow("officer")
def start(process: str, start: str) -> ResponseReturnValue:
    """Where it lies, and then the first step."""
    session = reading()
    project_id = request.args.get("project", type=numbers.key)
    one = next(
        (
            offer
            for offer in office_offers(session, page_actor(), processes(session))
            if offer.process.key == process
            and offer.key == start
            and (offer.project.id if offer.project else None) == project_id
        ),
        None,
    )
    if one is None:
        raise NotFound("现在不能发起这个事项。请回到“发起办理”，查看可以发起的事项。")
    place = Field(
        key="division",
        label="项目所在乡镇",
        type="choice",
        required=True,
        options=tuple(Option(town.code, town.name) for town in children(session, one.county_code)),
        hint="由这个乡镇核验人员、张贴公示",
    )
    fields = () if one.project is not None else (place,)
    answers = Answers()
    if request.method == "POST":
        answers = read_answers(fields)
        if not answers.errors:
            try:
                with transaction() as writing:
                    case = begin_in_office(
                        writing,
                        actor(writing),
                        process,
                        start,
                        division_code=str(answers.values.get("division", "")),
                        project_id=project_id,
                    )
                    item_id = writing.scalars(
                        select(WorkItem.id).where(WorkItem.case_id == case.id).order_by(WorkItem.id)
                    ).one()
            except Invalid as error:
                answers.refuse(error.errors, error.message)
            else:
                return redirect(url_for("officer.item", item_id=item_id), 303)
    page = render_template(
        "officer/ask.html",
        title=one.title,
        caption=one.project.name if one.project else "",
        intro=one.process.config["summary"],
        fields=fields,
        answers=answers,
        main="开始填写",
        back=url_for("officer.starts"),
    )
    return page, 422 if answers.errors else 200


#: Offices that begin something by themselves; asked of the menu of every page, so no database.
ONLY["officer.starts"] = lambda: any(post.kind == "ndrc" for post in page_actor().posts)
