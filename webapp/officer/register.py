"""``/workshops``: the register of recognised workshops as offices see it, and the start of a yearly review."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.filters import day as day_text
from webapp.officer.blueprint import bp, page_number, reason_field
from webapp.questions import Answers, read_answers
from workflows.base.clock import today
from workflows.base.errors import Invalid, NotFound
from workflows.cases.model import Case
from workflows.cases.officer_views import processes
from workflows.cases.reviews import PROCESS, is_early, start_review
from workflows.organisations.divisions import chain_codes
from workflows.organisations.model import Division
from workflows.organisations.permissions import Facts, allowed, require
from workflows.registers.model import WORKSHOP_STATUSES, Workshop
from workflows.registers.workshops import Filter, listing, workshop_of

EARLY = reason_field(
    "写明为什么不等到期，记入办理记录，例如：群众反映车间已停产，提前核查。", "提前年审的理由"
)
_TONES = {"active": "good", "rectifying": "waiting", "revoked": "bad"}


@bp.get("/workshops", endpoint="register")
@allow("officer", "auditor")
def register_list() -> ResponseReturnValue:
    """The workshops of the actor's county."""
    session = reading()
    county = _county(session)
    given = {key: request.args.get(key, "").strip()[:60] for key in ("q", "status", "mode")}
    found = listing(
        session,
        Filter(county, given["mode"], given["status"], given["q"]),
        page_number(),
    )
    running = _reviews(session, [one.id for one in found.entries])
    numbers = _case_numbers(session, found.entries)
    townships = _names(session, {one.division_code[:9] for one in found.entries})
    modes = _modes(session)
    facts = Facts(division_chain=(county,))
    may_start = allowed(page_actor(), "case.start_review", facts)
    day = today()
    rows: list[dict[str, Any]] = [
        {
            "id": one.id,
            "name": one.name,
            "number": one.number,
            "employer": one.employer.name,
            "mode": modes.get(one.mode, ""),
            "place": townships.get(one.division_code[:9], ""),
            "workers": one.worker_count,
            "recognised": one.recognised_on,
            "due": one.review_due,
            "due_tone": _due(one.review_due, day),
            "early": is_early(one, day),
            "revoked": one.status == "revoked",
            "status": WORKSHOP_STATUSES[one.status],
            "tone": _TONES[one.status],
            "case": numbers.get(one.case_id or 0, ""),
            "review": running.get(one.id, ""),
        }
        for one in found.entries
    ]
    return render_template(
        "officer/register.html",
        rows=rows,
        found=found,
        given=given,
        narrowed=any(given.values()),
        may_start=may_start,
        statuses=[("", "全部状态"), *WORKSHOP_STATUSES.items()],
        modes=[("", "全部模式"), *modes.items()],
    )


def _due(due: date | None, day: date) -> str:
    """The light of a review: overdue, soon (30 days) or nothing."""
    if due is None:
        return ""
    left = (due - day).days
    return "overdue" if left < 0 else "soon" if left <= 30 else ""


@bp.route("/workshops/<int:workshop_id>/review", methods=["GET", "POST"])
@allow("officer")
def review(workshop_id: int) -> ResponseReturnValue:
    """Begin a yearly review; its first step waits for the office that the process names. Before its time with a reason."""
    session = reading()
    workshop = workshop_of(session, workshop_id)
    require(
        page_actor(),
        "case.start_review",
        Facts(division_chain=chain_codes(session, workshop.division_code)),
    )
    early, restoring = is_early(workshop, today()), workshop.status == "revoked"
    fields = (EARLY,) if early else ()
    caption, intro = f"{workshop.name}　{workshop.employer.name}", _intro(workshop)
    answers = Answers()
    if request.method == "POST":
        answers = read_answers(fields)
        if not answers.errors:
            try:
                with transaction() as writing:
                    number = start_review(
                        writing,
                        actor(writing),
                        workshop_of(writing, workshop_id),
                        str(answers.values.get("reason", "")),
                    ).number
            except Invalid as error:
                answers.refuse(error.errors, error.message)
            else:
                flash(f"已发起{'恢复认定' if restoring else '年审'} {number}。", "success")
                return redirect(url_for("officer.case", number=number), 303)
    page = render_template(
        "officer/ask.html",
        title="发起恢复认定" if restoring else "提前发起年审" if early else "发起年审",
        caption=caption,
        intro=intro,
        fields=fields,
        answers=answers,
        main="发起恢复认定" if restoring else "发起年审",
        back=url_for("officer.register"),
    )
    return page, 422 if answers.errors else 200


def _intro(workshop: Workshop) -> str:
    """What the person who begins a review should know."""
    if workshop.status == "revoked":
        return "这个车间已经撤销。复查通过的，恢复认定。"
    if workshop.review_due is None:
        return "没有登记下次年审的日期。现在发起，要写明理由。"
    if is_early(workshop, today()):
        return f"下次年审应在 {day_text(workshop.review_due)}，还没有到期，到期时系统会自动发起。现在就要年审的，请写明理由。"
    return f"年审已在 {day_text(workshop.review_due)}到期。"


def _county(session: Session) -> str:
    me = page_actor()
    codes = [post.division_code for post in me.posts] or [me.division_code or ""]
    code = codes[0][:6]
    if session.get(Division, code) is None:
        raise NotFound("没有可以查看的车间名录。")
    return code


def _reviews(session: Session, workshop_ids: list[int]) -> dict[int, str]:
    """Workshop → number of the review under way."""
    return {
        workshop_id: number
        for workshop_id, number in session.execute(
            select(Case.workshop_id, Case.number).where(
                Case.process == PROCESS, Case.finished_at.is_(None), Case.workshop_id.in_(workshop_ids)
            )
        )
        if workshop_id is not None
    }


def _case_numbers(session: Session, entries: list[Workshop]) -> dict[int, str]:
    wanted = [one.case_id for one in entries if one.case_id is not None]
    return dict(session.execute(select(Case.id, Case.number).where(Case.id.in_(wanted))).all())


def _names(session: Session, codes: set[str]) -> dict[str, str]:
    return dict(session.execute(select(Division.code, Division.name).where(Division.code.in_(codes))).all())


def _modes(session: Session) -> dict[str, str]:
    """The words for ``mode``, from the form that asks it."""
    for process in processes(session):
        for form in process.forms.values():
            for field in form.fields:
                if field.key == "mode" and field.options:
                    return {one.value: one.label for one in field.options}
    return {}
