"""``/employer/projects/<id>/attendance``: a day's attendance on a phone; and the month's sheet made of what was noted."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from forms.amounts import hundredths, parse_decimal
from forms.text import half
from webapp import numbers
from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.employer.blueprint import bp, filling, to
from webapp.filters import day as day_text
from webapp.officer.files import send_bytes
from workflows.base.clock import today
from workflows.base.errors import Conflict, Invalid
from workflows.base.files import XLSX
from workflows.cases import rosters
from workflows.cases.attendance import noted_sheet, own_project
from workflows.cases.filling import own_item
from workflows.registers.attendance import PAGE, mark, marks_between, workers_on
from workflows.registers.project_model import Project, ProjectWorker

#: What a day is worth, as one taps it: hundredths and words.
DAY = (("100", "全天"), ("50", "半天"), ("0", "没来"))
#: Most hours of a day, in hundredths.
HOURS = 2400


@bp.route("/employer/projects/<int:project_id>/attendance", methods=["GET", "POST"])
@allow("employer")
def attendance(project_id: int) -> ResponseReturnValue:
    """One day of everybody who may work on it. ``day`` and ``page`` in the address."""
    session = reading()
    project = own_project(session, page_actor(), project_id)
    day = _asked_day(project)
    found = workers_on(session, project_id, day, request.args.get("page", 1, type=numbers.page))
    if request.method == "GET":
        return _page(project, day, found, {}, {})
    typed = {
        one.person_id: request.form.get(f"worked-{one.person_id}", "").strip()[:8] for one in found.workers
    }
    marks: dict[int, int] = {}
    errors: dict[str, str] = {}
    for one in found.workers:
        if not typed[one.person_id]:
            continue
        value = _value(one, typed[one.person_id])
        if value is None:
            errors[f"worked-{one.person_id}"] = f"{one.name}：请填 0 至 24 之间的小时数，例如 7.5。"
        else:
            marks[one.person_id] = value
    if errors:
        return _page(project, day, found, typed, errors, 422)
    try:
        with transaction() as writing:
            who = actor(writing)
            own = own_project(writing, who, project_id)
            count = mark(writing, own, day, marks, actor_id=who.user_id)
    except Invalid as error:
        return _page(project, day, found, typed, error.errors or {"": error.message}, 422)
    except Conflict as error:
        return _page(project, day, found, typed, {"": error.message}, 409)
    flash(f"{day_text(day)}：已记 {count} 人。", "success")
    last = found.number * PAGE >= found.total
    return to(
        "attendance",
        project_id=project_id,
        day=day.isoformat(),
        page=(found.number if last else found.number + 1) if found.total > PAGE else None,
    )


def _asked_day(project: Project) -> date:
    """The day in the address, else today, within the project's term."""
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        day = today()
    return min(max(day, project.starts_on), min(today(), project.ends_on))


def _value(worker: ProjectWorker, text: str) -> int | None:
    if worker.pay_mode != "hour":
        return int(text) if text in dict(DAY) else None
    number = parse_decimal(half(text))
    if number is None or not 0 <= number <= HOURS // 100 or number * 100 != int(number * 100):
        return None
    return int(number * 100)


def _page(
    project: Project,
    day: date,
    found: Any,
    typed: dict[int, str],
    errors: dict[str, str],
    status: int = 200,
) -> ResponseReturnValue:
    noted = marks_between(reading(), project.id, day, day)
    rows = []
    for one in found.workers:
        known = noted.get(one.person_id, {}).get(day)
        shown = "" if known is None else hundredths(known) if one.pay_mode == "hour" else str(known)
        rows.append(
            {
                "id": one.person_id,
                "name": one.name,
                "job": one.job,
                "hours": one.pay_mode == "hour",
                "value": typed.get(one.person_id, shown),
                "error": errors.get(f"worked-{one.person_id}", ""),
            }
        )
    page = render_template(
        "employer/attendance.html",
        project=project,
        day=day,
        rows=rows,
        choices=DAY,
        found=found,
        size=PAGE,
        noted=sum(row["value"] != "" for row in rows),
        errors=errors,
        before=day - timedelta(days=1) if day > project.starts_on else None,
        after=day + timedelta(days=1) if day < min(today(), project.ends_on) else None,
        address=lambda other: url_for("employer.attendance", project_id=project.id, day=other.isoformat()),
    )
    return page, status


@bp.route("/employer/steps/<int:item_id>/roster/noted", methods=["GET", "POST"])
@allow("employer")
def noted(item_id: int) -> ResponseReturnValue:
    """The sheet with everybody registered and what was noted: to be gone through in Excel, or taken over as it is."""
    found = filling(reading(), item_id)
    try:
        content = noted_sheet(found)
        name = f"{found.process.roster.title if found.process.roster else '考勤'}（已填）.xlsx"
        if request.method == "GET":
            return _sheet(content, name)
        with transaction() as session:
            who = actor(session)
            own_item(session, who, item_id)
            rosters.upload(session, who, item_id, content, name, whole=True)
    except Conflict as error:
        flash(error.message, "warning")
    return to("roster", item_id=item_id)


def _sheet(content: bytes, name: str) -> Response:
    return send_bytes(content, name, XLSX, download=True)
