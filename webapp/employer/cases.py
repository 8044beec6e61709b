"""``/employer/cases/<number>``: where an application is, what was said, what came of it; taking it back, giving it up."""

from __future__ import annotations

from dataclasses import replace

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.model import Field
from webapp import numbers
from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.employer.blueprint import bp, caption, to
from webapp.questions import Answers, read_answers
from workflows.base.errors import Invalid, NotFound
from workflows.cases import employer_views as views
from workflows.cases import page as read
from workflows.cases import recalling
from workflows.cases.access import case_facts, visible_case
from workflows.cases.filling import Filling
from workflows.cases.finance_views import payments
from workflows.cases.model import Case, WorkItem
from workflows.cases.process import process_of
from workflows.cases.roster_view import RowFilter, roster_page
from workflows.cases.rules import reasons_of
from workflows.cases.slips import counts
from workflows.cases.verdicts import current_roster
from workflows.organisations.permissions import allowed, require

REASON = Field(
    key="reason",
    label="放弃的原因",
    type="textarea",
    required=True,
    max_length=200,
    rows=3,
    hint="例如：用工情况有变化，暂不申请。会留在办理记录中。",
)


@bp.get("/employer/cases/<number>")
@allow("employer")
def case(number: str) -> ResponseReturnValue:
    session, me = reading(), page_actor()
    found = visible_case(session, me, number)
    process = process_of(session, found.version_id)
    facts = case_facts(session, found)
    publicities = read.publicities(session, found)
    last = _last_item(session, found)
    return render_template(
        "employer/case.html",
        case=found,
        caption=caption(found),
        process=process,
        status=process.status_title(found.status),
        tone=process.status_tone(found.status),
        stages=read.stages(found, process),
        waiting=read.waiting(session, found),
        running=next((one for one, _ in publicities if one.closed_at is None), None),
        publicities=publicities,
        stopped="申请已终止，没有继续办理。" if read.was_terminated(found) else "",
        mine=views.own_open_item(session, me, found),
        documents=views.documents(session, found, process),
        opinions=views.opinions(session, found, process),
        submissions=views.submissions(session, found, process),
        needs=[one for one in Filling(session, last).needs() if one.files or one.required]
        if last is not None and found.submitted_at is not None
        else [],
        roster=current_roster(session, found.id) if found.submitted_at is not None else None,
        reasons=reasons_of(session, found, process),
        payments=payments(session, found.id),
        slips=counts(session, found.id),
        entries=views.timeline(session, found, process),
        may_recall=allowed(me, "case.recall", facts),
        may_terminate=allowed(me, "case.terminate", facts),
    )


def _last_item(session: Session, found: Case) -> WorkItem | None:
    return session.scalars(
        select(WorkItem)
        .where(WorkItem.case_id == found.id, WorkItem.employer_id.is_not(None))
        .order_by(WorkItem.id.desc())
        .limit(1)
    ).one_or_none()


@bp.get("/employer/cases/<number>/roster")
@allow("employer")
def case_people(number: str) -> ResponseReturnValue:
    """The people as they were handed in, and what was said of each."""
    session = reading()
    found = visible_case(session, page_actor(), number)
    process = process_of(session, found.version_id)
    chosen = request.args.get("result", "")[:24]
    people = roster_page(
        session, found, process, RowFilter(chosen), page=request.args.get("page", 1, type=numbers.page)
    )
    if people is None:
        raise NotFound("这个申请没有花名册。")
    rows = people.rows
    if not views.words_are_out(session, found):
        rows = [replace(row, words=[]) for row in rows]
    return render_template(
        "employer/people.html",
        case=found,
        caption=caption(found),
        people=people,
        rows=rows,
        filters=[
            {
                "title": title,
                "count": count,
                "active": key == chosen,
                "href": url_for("employer.case_people", number=number, result=key or None),
            }
            for key, title, count in [("", "全部", people.roster.total), *people.results]
        ],
    )


@bp.get("/employer/cases/<number>/diagram")
@allow("employer")
def diagram(number: str) -> ResponseReturnValue:
    """The process drawn with where the application is."""
    session = reading()
    found = visible_case(session, page_actor(), number)
    process = process_of(session, found.version_id)
    return render_template(
        "employer/diagram.html",
        case=found,
        caption=caption(found),
        process=process,
        svg=read.diagram(session, found, process),
        waiting=read.waiting(session, found),
        stages=read.stages(found, process),
    )


@bp.route("/employer/cases/<number>/recall", methods=["GET", "POST"])
@allow("employer")
def recall(number: str) -> ResponseReturnValue:
    """撤回: the page says what happens; nothing is lost."""
    session, me = reading(), page_actor()
    found = visible_case(session, me, number)
    require(me, "case.recall", case_facts(session, found))
    case_id = found.id
    if request.method == "POST":
        with transaction() as writing:
            who = actor(writing)
            taken = recalling.recall(writing, who, case_id)
            item = views.own_open_item(writing, who, taken)
            item_id = item.id if item else None
        flash("已撤回，可以修改后重新提交。", "success")
        return to("step", item_id=item_id) if item_id else to("case", number=number)
    return render_template(
        "employer/recall.html", case=found, caption=caption(found), waiting=read.waiting(session, found)
    )


@bp.route("/employer/cases/<number>/give-up", methods=["GET", "POST"])
@allow("employer")
def give_up(number: str) -> ResponseReturnValue:
    """放弃申请: for good, with a reason."""
    session, me = reading(), page_actor()
    found = visible_case(session, me, number)
    require(me, "case.terminate", case_facts(session, found))
    case_id, heading, submitted = found.id, caption(found), found.submitted_at is not None
    answers = Answers()
    if request.method == "POST":
        answers = read_answers((REASON,))
        if not answers.errors:
            try:
                with transaction() as writing:
                    recalling.terminate(writing, actor(writing), case_id, str(answers.values["reason"]))
            except Invalid as error:
                answers.refuse(error.errors, error.message)
            else:
                flash(f"申请 {number} 已放弃。", "success")
                return to("case", number=number)
    page = render_template(
        "officer/ask.html",
        title="放弃申请",
        caption=heading,
        intro=(
            "放弃后，正在办理的环节和公示一并结束，不能恢复；以后可以重新申请。已提交的材料和办理记录保留。"
            if submitted
            else "放弃后，这份草稿不能再继续填写；以后可以重新申请。"
        ),
        fields=(REASON,),
        answers=answers,
        main="放弃这件申请",
        danger=True,
        back=url_for("employer.case", number=number),
    )
    return page, 422 if answers.errors else 200
