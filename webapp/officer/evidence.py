"""What a decision rests on, gathered for a page: the same for the officer who decides and for whoever reads the case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import Session

from webapp import numbers
from webapp.access import page_actor
from webapp.officer.blueprint import replaced
from webapp.officer.payments import of_case
from webapp.views_support import replace_args
from workflows.base.privacy import mask_name, mask_phone
from workflows.cases import page as read
from workflows.cases.facts import CaseView
from workflows.cases.model import Case, Publicity, WorkItem
from workflows.cases.officer_views import MaterialGroup, materials
from workflows.cases.process import Process
from workflows.cases.publicity import objection_of
from workflows.cases.roster_view import RosterPage, RowFilter, roster_page
from workflows.cases.rules import Reason, reasons_of
from workflows.cases.second_look import counts_apart
from workflows.cases.slip_views import slip_page
from workflows.cases.worklist import light
from workflows.registers.model import Workshop

Link = Callable[..., str]


@dataclass(frozen=True)
class Note:
    """Something unusual, and where on the page it stands."""

    text: str
    href: str = ""
    tone: str = "warning"


@dataclass(frozen=True)
class Part:
    """A section of the page, for the row of links above."""

    key: str
    title: str
    count: int | None = None


def roster_arguments() -> dict[str, Any]:
    """The roster's own part of the address: ``rows`` (page), ``size``, ``result``, ``verdict``."""
    given = {key: request.args.get(key, "")[:24] for key in ("result", "verdict")}
    pages = {key: request.args.get(key, type=numbers.page) for key in ("rows", "size")}
    return replaced({**given, **pages})


def gather(session: Session, case: Case, process: Process, *, item: WorkItem | None = None) -> dict[str, Any]:
    """Everything a case page shows beside its title.

    :param item: the item to be decided: the roster then shows this office's own words.
    """
    deciding = item is not None and process.step(item.step).roster == "decide"
    given = roster_arguments()
    roster = roster_page(
        session,
        case,
        process,
        RowFilter(str(given.get("result", "")), str(given.get("verdict", ""))),
        department_id=item.department_id if deciding and item is not None else None,
        page=given.get("rows", 1),
        size=given.get("size", 0),
    )
    reasons = reasons_of(session, case, process)
    groups = materials(session, case, process)
    opinions = [
        one for one in read.opinions(session, case, process) if one.decision.department_id is not None
    ]
    publicities = read.publicities(session, case)
    documents = read.documents(session, case)
    auditor = page_actor().kind == "auditor"
    entries = read.timeline(session, case, process, everything=auditor)
    link = _links(case, item)
    context: dict[str, Any] = {
        "case": case,
        "process": process,
        "reasons": reasons,
        "sections": read.application_answers(session, case, process),
        "roster": roster,
        "roster_given": given,
        "row_filters": _row_filters(link, given, roster),
        "rows_href": lambda number: link(**{**given, "rows": number}),
        "unmask_row": lambda row: url_for("officer.unmask_row", number=case.number, row_id=row.id),
        "objection_href": lambda other: url_for("officer.case", number=other.number),
        "deciding_rows": deciding,
        "groups": groups,
        "opinions": opinions,
        "publicities": publicities,
        "running": _running(publicities),
        "documents": documents,
        "entries": entries,
        "proof": auditor,
        "stages": read.stages(case, process),
        "waiting": read.waiting(session, case),
        "stopped": f"已于办结前终止，状态为“{process.status_title(case.status)}”。"
        if read.was_terminated(case)
        else "",
        "objected": _objection(session, case),
        "slips": slip_page(session, case, "disputed", request.args.get("said", 1, type=numbers.page)),
        "said_href": lambda number: replace_args(said=number) + "#slips",
        "payments": of_case(session, case),
        "paid_href": lambda number: replace_args(paid=number) + "#payments",
        "workshop": session.get(Workshop, case.workshop_id) if case.workshop_id else None,
        "notes": _notes(
            case, process, reasons, roster, groups, _apart(session, case, process, roster), item, link, given
        ),
    }
    context["parts"] = _parts(context)
    return context


def _links(case: Case, item: WorkItem | None) -> Link:
    """How this page is found again with other conditions on the roster."""

    def link(**arguments: Any) -> str:
        wanted = replaced(arguments)
        if item is not None:
            return url_for("officer.item", item_id=item.id, **wanted) + "#roster"
        return url_for("officer.case", number=case.number, **wanted) + "#roster"

    return link


def _running(publicities: list[tuple[Publicity, Any]]) -> Publicity | None:
    return next((one for one, _ in publicities if one.closed_at is None), None)


def _row_filters(
    link: Link, given: dict[str, Any], roster: RosterPage | None
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Links that narrow the roster: by result, by this office's word."""
    if roster is None:
        return []
    found = []
    for name, title, choices in (
        ("result", "规则结论", roster.results),
        ("verdict", "本单位意见", roster.verdicts),
    ):
        if not choices:
            continue
        links = [("", "全部", roster.roster.total), *choices]
        found.append(
            (
                title,
                [
                    {
                        "title": label,
                        "count": count,
                        "active": given.get(name, "") == key,
                        "href": link(**{**given, "rows": None, name: key}),
                    }
                    for key, label, count in links
                ],
            )
        )
    return found


def _notes(
    case: Case,
    process: Process,
    reasons: list[Reason],
    roster: RosterPage | None,
    groups: list[MaterialGroup],
    apart: list[str],
    item: WorkItem | None,
    link: Link,
    given: dict[str, Any],
) -> list[Note]:
    """What is unusual, the gravest first."""
    notes = [
        Note(f"{one.title}：{one.annotation or one.conclusion}", "#reasons", "bad")
        for one in reasons
        if one.tone == "bad"
    ]
    notes += [
        Note(f"{one.title}：{one.annotation or one.conclusion}", "#reasons")
        for one in reasons
        if one.tone == "wait"
    ]
    counted = str(process.config.get("row_result", {}).get("counts", ""))
    if roster is not None and roster.roster.total:
        notes += [
            Note(f"花名册有 {count} 人“{label}”", link(**{**given, "rows": None, "result": key}))
            for key, label, count in _open_results(roster, counted)
        ]
        notes += [Note(f"{said}，两处不一致", "#application") for said in apart]
    missing = [group.title for group in groups if group.required and not group.files]
    if missing and case.submitted_at is not None:
        notes.append(Note(f"没有上传：{'、'.join(missing)}", "#materials"))
    if item is not None and item.round > 1:
        notes.append(Note(f"这是第 {item.round} 轮办理，以前的意见见“各单位意见”", "#opinions", "info"))
    if item is not None and light(item).tone == "overdue":
        notes.append(Note("本环节已经超期", "", "bad"))
    return notes


def _apart(session: Session, case: Case, process: Process, roster: RosterPage | None) -> list[str]:
    """Numbers of people in the forms that are not the roster's."""
    if roster is None:
        return []
    view = CaseView.of(session, case, process)
    return [
        said
        for key, definition in process.forms.items()
        for said in counts_apart(definition, view.answers(key), roster.roster.total).values()
    ]


def _open_results(roster: RosterPage, counted: str) -> list[tuple[str, str, int]]:
    """The results of rows that somebody should look at: all but the one that counts."""
    return [one for one in roster.results if one[0] != counted]


def _objection(session: Session, case: Case) -> dict[str, Any] | None:
    """What an objection says, its author masked, and the case it speaks against."""
    objection = objection_of(session, case)
    if objection is None:
        return None
    parent = session.get(Case, case.parent_id) if case.parent_id else None
    return {
        "name": mask_name(objection.objector_name),
        "phone": mask_phone(objection.objector_phone),
        "content": objection.content,
        "received_at": objection.received_at,
        "publicity": objection.publicity,
        "parent": parent,
    }


def _parts(context: dict[str, Any]) -> list[Part]:
    """The sections that the page has."""
    roster: RosterPage | None = context["roster"]
    candidates = (
        (context["objected"], Part("objection", "异议内容")),
        (context["reasons"], Part("reasons", "规则结论")),
        (context["sections"], Part("application", "申请内容")),
        (roster, Part("roster", "花名册", roster.roster.total if roster else None)),
        (context["slips"], Part("slips", "工人确认")),
        (context["groups"], Part("materials", "材料", sum(len(one.files) for one in context["groups"]))),
        (context["opinions"], Part("opinions", "各单位意见", len(context["opinions"]))),
        (context["publicities"], Part("publicity", "公示和异议")),
        (context["payments"], Part("payments", "资金拨付")),
        (context["documents"], Part("documents", "文书", len(context["documents"]))),
        (context["entries"], Part("timeline", "办理记录")),
    )
    return [part for present, part in candidates if present]
