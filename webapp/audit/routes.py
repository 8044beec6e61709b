"""Events with filters, the chain of one case, and everything at once in the background."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, String, cast, literal, or_, select
from sqlalchemy.orm import Session

from webapp import numbers
from webapp.access import actor, allow, page_actor, wants_json
from webapp.audit.blueprint import bp
from webapp.audit.model import Verification
from webapp.audit.verifying import ask
from webapp.audit.words import EVENTS, STREAMS, chain_title, event_title, finding_text
from webapp.database import reading, transaction
from webapp.questions import as_day
from workflows.audit.model import Anchor, Event
from workflows.base.clock import midnight
from workflows.base.errors import NotFound
from workflows.cases.check import verify_case
from workflows.cases.model import Case
from workflows.funds.model import Appropriation
from workflows.organisations.divisions import chain_codes, codes_below
from workflows.organisations.model import Department, Division, User
from workflows.organisations.permissions import Facts, require

PER_PAGE = 50


def visible_cases(code: str | None) -> ColumnElement[bool]:
    """The cases of the auditor's division and below."""
    return Case.county_code.in_(codes_below(code))


def _visible_money(code: str | None) -> ColumnElement[bool]:
    """The chains of the appropriations and of the registers of grants of the auditor's division and below."""
    funds = select(literal("fund:") + cast(Appropriation.id, String)).where(
        Appropriation.county_code.in_(codes_below(code))
    )
    registers = select(literal("grants:") + Division.code).where(Division.code.in_(codes_below(code)))
    return or_(Event.stream.in_(funds), Event.stream.in_(registers))


@bp.get("/events")
@allow("auditor")
def events() -> ResponseReturnValue:
    """What happened, newest first."""
    session = reading()
    given = {name: request.args.get(name, "").strip() for name in ("case", "kind", "who", "from", "to")}
    conditions, problem = _conditions(session, given)
    before = request.args.get("before", type=numbers.key)
    if before:
        conditions.append(Event.id < before)
    found = session.scalars(
        select(Event).where(*conditions).order_by(Event.id.desc()).limit(PER_PAGE + 1)
    ).all()
    more = found[PER_PAGE - 1].id if len(found) > PER_PAGE else None
    page = render_template(
        "audit/events.html",
        rows=_rows(session, list(found[:PER_PAGE])),
        given=given,
        problem=problem,
        kinds=sorted(EVENTS.items(), key=lambda pair: pair[1]),
        more=more,
        first=before is None,
    )
    return page, 422 if problem else 200


def _conditions(session: Session, given: dict[str, str]) -> tuple[list[ColumnElement[bool]], str]:
    seen = select(literal("case:") + cast(Case.id, String)).where(visible_cases(page_actor().division_code))
    conditions: list[ColumnElement[bool]] = [
        or_(
            Event.stream.in_(seen),
            _visible_money(page_actor().division_code),
            Event.stream.in_([name for name in STREAMS if name != "-"]),
        )
    ]
    if given["case"]:
        case_id = session.scalar(
            select(Case.id).where(Case.number == given["case"], visible_cases(page_actor().division_code))
        )
        if case_id is None:
            return conditions, "没有这个编号的办件，请核对。"
        conditions = [Event.stream == f"case:{case_id}"]
    if given["kind"] in EVENTS:
        conditions.append(Event.kind == given["kind"])
    if given["who"]:
        conditions.append(
            Event.actor_id.in_(
                select(User.id).where(or_(User.name == given["who"], User.username == given["who"].lower()))
            )
        )
    try:
        first, last = as_day(given["from"]), as_day(given["to"])
    except ValueError:
        return conditions, "日期格式不对，请写成 2026-11-24 这样的年月日。"
    if first:
        conditions.append(Event.at >= midnight(first))
    if last:
        conditions.append(Event.at < midnight(last + timedelta(days=1)))
    return conditions, ""


def _rows(session: Session, found: list[Event]) -> list[dict[str, Any]]:
    users = _names(session, User, {one.actor_id for one in found})
    offices = _names(session, Department, {one.department_id for one in found})
    ids = {int(one.stream.removeprefix("case:")) for one in found if one.stream.startswith("case:")}
    numbers = dict(session.execute(select(Case.id, Case.number).where(Case.id.in_(ids))).all())
    funds = _fund_names(session, {one.stream for one in found})
    rows = []
    for one in found:
        number = (
            numbers.get(int(one.stream.removeprefix("case:")), "") if one.stream.startswith("case:") else ""
        )
        rows.append(
            {
                "at": one.at,
                "where": number or funds.get(one.stream) or chain_title(one.stream),
                "number": number,
                "seq": one.seq,
                "what": event_title(one.kind),
                "who": users.get(one.actor_id or 0, "系统" if one.actor_id is None else ""),
                "office": offices.get(one.department_id or 0, ""),
                "hash": one.hash[:12],
            }
        )
    return rows


def _fund_names(session: Session, chains: set[str]) -> dict[str, str]:
    """Chain of an appropriation → the number of its document."""
    ids = numbers.keys([one.removeprefix("fund:") for one in chains if one.startswith("fund:")])
    rows = session.execute(
        select(Appropriation.id, Appropriation.document_number).where(Appropriation.id.in_(ids))
    )
    return {f"fund:{row.id}": f"资金 {row.document_number}" for row in rows}


def _names(session: Session, model: type[User] | type[Department], ids: set[int | None]) -> dict[int, str]:
    return dict(session.execute(select(model.id, model.name).where(model.id.in_(ids - {None}))).all())


@bp.get("/verification")
@allow("auditor")
def verification() -> ResponseReturnValue:
    """The chain of one case at once; everything through the worker, with its past runs."""
    session = reading()
    number = request.args.get("case", "").strip()
    checked = None
    if number:
        case = session.scalars(select(Case).where(Case.number == number)).one_or_none()
        if case is None:
            raise NotFound("没有这个编号的办件，请核对。")
        require(page_actor(), "audit.verify", Facts(division_chain=chain_codes(session, case.division_code)))
        checked = {"number": number, "events": case.chain_seq, "head": case.chain_head}
        checked["findings"] = [finding_text(one.message) for one in verify_case(session, case.id)]
    runs = session.scalars(select(Verification).order_by(Verification.id.desc()).limit(10)).all()
    anchor = session.scalars(select(Anchor).order_by(Anchor.id.desc()).limit(1)).one_or_none()
    return render_template(
        "audit/verification.html", number=number, checked=checked, runs=runs, anchor=anchor
    )


@bp.post("/verification")
@allow("auditor")
def verification_ask() -> ResponseReturnValue:
    with transaction() as session:
        number = ask(session, actor(session)).id
    flash("已开始核验全部记录。", "success")
    return redirect(url_for("audit.verification_run", run_id=number), 303)


@bp.get("/verification/<int:run_id>")
@allow("auditor")
def verification_run(run_id: int) -> ResponseReturnValue:
    """How a run stands; for scripts the same as JSON."""
    session = reading()
    row = session.get(Verification, run_id)
    if row is None:
        raise NotFound("没有这次核验。")
    if wants_json():
        return jsonify(
            done=row.done,
            total=row.total,
            text="",
            finished=row.finished_at is not None,
            href=url_for("audit.verification_run", run_id=run_id),
        )
    findings = [
        {"subject": _subject(session, one["subject"]), "message": finding_text(one["message"])}
        for one in row.findings
    ]
    return render_template("audit/run.html", run=row, findings=findings)


def _subject(session: Session, subject: str) -> str:
    """A chain as people know it."""
    if subject.startswith("case:") and numbers.keys([subject.removeprefix("case:")]):
        number = session.scalar(select(Case.number).where(Case.id == int(subject.removeprefix("case:"))))
        return f"办件 {number}" if number else "已不存在的办件"
    return _fund_names(session, {subject}).get(subject) or chain_title(subject, subject)
