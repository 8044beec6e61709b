"""The blueprint, and what several of its pages ask."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from webapp.access import page_actor, wants_json
from webapp.database import reading
from webapp.errors import answer
from webapp.filters import short_day
from webapp.navigation import COUNTS
from workflows.base.errors import Conflict
from workflows.cases.answering import remarks_by_field, remarks_for, signatures
from workflows.cases.employer_views import task_count
from workflows.cases.filling import Filling, HeldFile, Problem, own_item
from workflows.cases.model import Case, Decision, Draft
from workflows.cases.slips import counts
from workflows.cases.worklist import light

bp = Blueprint("employer", __name__)

Where = Callable[[Problem], str]


@dataclass(frozen=True)
class Stop:
    """A page of the way through a step, for 上一步 and 下一步."""

    title: str
    href: str


class Closed(Conflict):
    """The step is no longer open: the page of the case says how things stand."""


def filling(session: Session, item_id: int, typed: dict[str, list[str]] | None = None) -> Filling:
    """The step of an item, if it waits for an employer of the person on the page."""
    item = own_item(session, page_actor(), item_id)
    found = Filling(session, item, typed or {})
    if item.closed_at is not None:
        raise Closed("这一步已经办结，不能再修改。")
    return found


@bp.errorhandler(Closed)
def _closed(error: Closed) -> Any:
    """Pages of a closed step lead to its case; what would have changed something is refused like any conflict."""
    if request.method != "GET" or wants_json():
        return answer(error.status, error.message)
    item = own_item(reading(), page_actor(), int((request.view_args or {})["item_id"]))
    flash("这一步已经办结，下面是申请的最新情况。", "info")
    return redirect(url_for("employer.case", number=item.case.number), 303)


def to(endpoint: str, **values: Any) -> Response:
    """See other: after a form that succeeded."""
    return redirect(url_for(f"employer.{endpoint}", **values), 303)


def posted() -> dict[str, list[str]]:
    """Everything that a form sent."""
    return dict(request.form.lists())


def new_key() -> str:
    """The key by which two copies of one form are known as one."""
    return secrets.token_urlsafe(24)


def caption(case: Case) -> str:
    """Number and unit, above a title."""
    return f"{case.number}　{case.employer.name}" if case.employer else case.number


def frame(found: Filling) -> dict[str, Any]:
    """What every page of a step shows around its own matter."""
    stops = way(found)
    here = request.path
    place = next((n for n, stop in enumerate(stops) if stop.href == here), None)
    draft = found.session.get(Draft, found.item.id)
    return {
        "item": found.item,
        "case": found.case,
        "caption": caption(found.case),
        "process": found.process,
        "step": found.step,
        "definition": found.definition,
        "defect_places": {one.value: one.label for one in found.form.lists.get("defect_places", ())},
        "light": light(found.item),
        "saved_at": draft.saved_at if draft else None,
        "back": stops[place - 1] if place else None,
        "next": stops[place + 1] if place is not None and place + 1 < len(stops) else None,
        "stops": stops,
        "place": place,
        "slips": counts(found.session, found.case.id) if found.step.config.get("slips") else None,
    }


def way(found: Filling) -> list[Stop]:
    """The pages of a step in order: sections, roster, materials, the check."""
    item_id = found.item.id
    asked = found.states()
    stops = [
        Stop(one.title, url_for("employer.section", item_id=item_id, section=one.key))
        for one in found.sections
        if one.key in asked
    ]
    if found.asks_roster:
        stops.append(Stop("花名册", url_for("employer.roster", item_id=item_id)))
    if found.asks_materials:
        stops.append(Stop("材料", url_for("employer.materials", item_id=item_id)))
    return [*stops, Stop("检查并提交", url_for("employer.review", item_id=item_id))]


def remarks(found: Filling) -> tuple[list[Decision], dict[str, list[dict[str, str]]]]:
    """What offices wrote that this step must answer: their decisions, and the defects by field or material."""
    decisions = remarks_for(found.session, found.case, found.process, found.step)
    return decisions, remarks_by_field(decisions)


def signed(found: Filling, decisions: list[Decision]) -> dict[int, list[Decision]]:
    """Decision → all that were signed with it: a joint visit speaks for both offices."""
    return {one.id: signatures(found.session, one) for one in decisions}


def remark_texts(by_field: dict[str, list[dict[str, str]]]) -> dict[str, dict[str, str]]:
    """Field → the remark beside it."""
    return {
        key: {
            "text": "\n".join(
                f"{row['problem']}{f'（请{row_action(row)}）' if row['action'] else ''}" for row in rows
            )
        }
        for key, rows in by_field.items()
    }


def row_action(row: dict[str, str]) -> str:
    return row["action"].removeprefix("请").rstrip("。")


def place_href(found: Filling) -> Where:
    """Problem → where it is put right."""

    def href(problem: Problem) -> str:
        item_id = found.item.id
        if problem.place == "roster":
            return url_for("employer.roster", item_id=item_id)
        if problem.place == "materials":
            return url_for("employer.materials", item_id=item_id) + f"#f-{problem.key}"
        if found.single:
            return f"#f-{problem.key}"
        page = url_for("employer.section", item_id=item_id, section=problem.section, check=1)
        return f"{page}#f-{problem.key}"

    return href


def file_links(files: list[HeldFile], *, removable: bool) -> list[dict[str, Any]]:
    """Files as the macros draw them: those this step may take away, or those handed in before."""
    return [
        {
            "id": one.id,
            "name": one.name,
            "size": one.size,
            "href": url_for("files.attachment", attachment_id=one.id),
            "note": "" if one.removable else f"{day_of(one.added_at)}已提交",
        }
        for one in files
        if one.removable is removable
    ]


def day_of(at: datetime) -> str:
    return short_day(at)


def _waiting() -> int:
    return task_count(reading(), page_actor())


COUNTS["employer.index"] = _waiting
