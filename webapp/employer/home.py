"""``/employer``: what waits, one's applications, what can be applied for."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from webapp import numbers
from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.employer.blueprint import bp, to
from workflows.base.clock import today
from workflows.base.errors import Invalid
from workflows.cases import employer_views as views
from workflows.cases.attendance import own_projects
from workflows.cases.employer_starts import Offer, begin_own, offer, offers
from workflows.cases.officer_views import processes
from workflows.cases.process import process_of
from workflows.cases.starting import rules_on
from workflows.organisations.divisions import chain_codes
from workflows.registers.membership import memberships_of


@bp.get("/employer")
@allow("employer")
def index() -> ResponseReturnValue:
    session, me = reading(), page_actor()
    if not me.employer_ids:
        return render_template("employer/unconfirmed.html", rows=memberships_of(session, current_user.id))
    found = views.own_cases(session, me, request.args.get("page", 1, type=numbers.page))
    rows = []
    for case in found.cases:
        process = process_of(session, case.version_id)
        rows.append(
            {
                "number": case.number,
                "href": url_for("employer.case", number=case.number),
                "what": process.config.get("short") or process.title,
                "who": case.employer.name if case.employer else "",
                "status": process.status_title(case.status),
                "tone": process.status_tone(case.status),
                "holders": found.holders.get(case.id, []),
                "since": case.submitted_at or case.started_at,
                "submitted": case.submitted_at is not None,
            }
        )
    tasks = views.tasks(session, me)
    return render_template(
        "employer/index.html",
        tasks=[
            {
                "task": one,
                "title": one.item.title,
                "what": process_of(session, one.case.version_id).title,
                "href": url_for("employer.step", item_id=one.item.id),
            }
            for one in tasks
        ],
        several=len(me.employer_ids) > 1,
        notices=views.unread_notices(session, me),
        rows=rows,
        found=found,
        projects=own_projects(session, me),
        offers=[(one, _start_href(one)) for one in offers(session, me, processes(session))],
    )


def _start_href(one: Offer) -> str:
    return url_for(
        "employer.start",
        process=one.process.key,
        start=one.key,
        employer=one.employer.id,
        workshop=one.workshop.id if one.workshop else None,
        project=one.project.id if one.project else None,
    )


@bp.route("/employer/start/<process>/<start>", methods=["GET", "POST"])
@allow("employer")
def start(process: str, start: str) -> ResponseReturnValue:
    """What one should know and have at hand; then the draft."""
    session, me = reading(), page_actor()
    employer_id = request.values.get("employer", type=numbers.key) or (me.employer_ids or (0,))[0]
    workshop_id = request.values.get("workshop", type=numbers.key)
    project_id = request.values.get("project", type=numbers.key)
    if request.method == "POST":
        with transaction() as writing:
            who = actor(writing)
            case = begin_own(writing, who, process, start, employer_id, workshop_id, project_id)
            item = views.own_open_item(writing, who, case)
            number, item_id = case.number, item.id if item else None
        return to("step", item_id=item_id) if item_id else to("case", number=number)
    one = offer(session, me, process, start, employer_id, workshop_id, project_id)
    drafts = [task for task in views.tasks(session, me) if task.draft and task.case.process == process]
    return render_template(
        "employer/start.html", offer=one, here=_start_href(one), drafts=drafts, **_way(session, one)
    )


def _way(session: Session, one: Offer) -> dict[str, Any]:
    """Who acts one after the other, and how long each may take by what the county has set."""
    codes = list(chain_codes(session, one.division_code))
    set_here = rules_on(session, one.process, codes, today())["parameters"]
    titles = {lane.department: lane.title for lane in one.process.lanes.values()}
    steps = []
    for step in one.process.steps.values():
        lane = one.process.lanes[step.lane]
        if lane.department in ("employer", "system") or step.limit is None:
            continue
        unit = "个工作日" if step.limit.unit == "working" else "天"
        days = set_here[step.limit_parameter]["value"] if step.limit_parameter else step.limit.days
        offices = "、".join(titles[kind] for kind in step.signatories or (lane.department,))
        steps.append((step.title, offices, f"{days} {unit}"))
    first = next((step for step in one.process.steps.values() if step.lane == "employer"), None)
    own = first is not None and next(iter(one.process.steps.values())).key == first.key
    if first is None:
        raise Invalid("这个事项没有由申请单位办理的环节。")
    return {
        "steps": steps,
        "own": own,
        "has_roster": first.roster == "edit" and one.process.roster is not None,
        "materials": one.process.materials if own else [],
    }
