"""``/cases``: the search, the case page to be read, its diagram."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp import numbers
from webapp.access import allow, page_actor
from webapp.database import reading
from webapp.officer.blueprint import bp, case_caption, replaced
from webapp.officer.evidence import gather
from workflows.cases import page as read
from workflows.cases.access import case_facts, visible_case
from workflows.cases.model import Case, WorkItem
from workflows.cases.officer_views import CaseFilter, holders, processes, search
from workflows.cases.process import Process, process_of
from workflows.organisations.permissions import allowed

_STATES = (("", "全部"), ("open", "正在办理"), ("finished", "已办结"))


@bp.get("/cases", endpoint="cases")
@allow("officer", "auditor")
def case_list() -> ResponseReturnValue:
    """Cases that the offices of the person on the page may see, newest first."""
    session, me = reading(), page_actor()
    known = processes(session)
    given = {key: request.args.get(key, "").strip()[:60] for key in ("q", "process", "status", "state")}
    after = request.args.get("after", type=numbers.key)
    found = search(
        session,
        me,
        CaseFilter(given["q"], given["process"], given["status"], given["state"]),
        known,
        after,
    )
    waiting = holders(session, found.cases)
    rows = [
        _row(process_of(session, case.version_id), case, waiting.get(case.id, [])) for case in found.cases
    ]
    here = url_for("officer.cases")
    return render_template(
        "officer/cases.html",
        rows=rows,
        found=found,
        given=given,
        narrowed=any(given.values()),
        states=_STATES,
        process_options=[("", "全部事项"), *((process.key, process.title) for process in known)],
        status_options=[("", "全部状态"), *_statuses(known, given["process"])],
        first_href=url_for("officer.cases", **replaced(given)) if after else "",
        next_href=url_for("officer.cases", **replaced(given, after=found.next_after))
        if found.next_after
        else "",
        clear=here,
    )


def _statuses(known: list[Process], chosen: str) -> list[Any]:
    """The statuses to choose from, by process."""
    return [
        (process.title, [(key, str(status["title"])) for key, status in process.config["statuses"].items()])
        for process in known
        if chosen in ("", process.key)
    ]


def _row(process: Process, case: Case, waiting: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "number": case.number,
        "who": case.employer.name if case.employer else "—",
        "what": process.config.get("short") or process.title,
        "status": process.status_title(case.status),
        "tone": process.status_tone(case.status),
        "waiting": waiting,
        "submitted": case.submitted_at or case.started_at,
        "finished": case.finished_at,
    }


@bp.get("/cases/<number>")
@allow("officer", "auditor")
def case(number: str) -> ResponseReturnValue:
    """A case to be read: where it is, what it rests on, what happened."""
    session, me = reading(), page_actor()
    found = visible_case(session, me, number)
    process = process_of(session, found.version_id)
    context = gather(session, found, process)
    facts = case_facts(session, found)
    mine: WorkItem | None = next(
        (one.item for one in context["waiting"] if me.holds(one.item.department_id)), None
    )
    return render_template(
        "officer/case.html",
        case=found,
        caption=case_caption(found),
        process=process,
        status=process.status_title(found.status),
        tone=process.status_tone(found.status),
        e=context,
        mine=mine,
        may_terminate=allowed(me, "case.terminate", facts),
        basis=found.rules.get("basis"),
        parent=session.get(Case, found.parent_id) if found.parent_id else None,
    )


@bp.get("/cases/<number>/diagram")
@allow("officer", "auditor")
def diagram(number: str) -> ResponseReturnValue:
    """The process drawn with what this case passed, where it is, and what may come."""
    session = reading()
    found = visible_case(session, page_actor(), number)
    process = process_of(session, found.version_id)
    return render_template(
        "officer/diagram.html",
        case=found,
        caption=case_caption(found),
        process=process,
        svg=read.diagram(session, found, process),
        waiting=read.waiting(session, found),
        stages=read.stages(found, process),
    )
