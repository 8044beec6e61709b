"""The blueprint, and what several of its pages ask."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, request
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from forms.model import Field
from webapp import numbers
from webapp.access import page_actor
from webapp.database import reading
from webapp.filters import short_day
from workflows.base.errors import Forbidden, NotFound
from workflows.cases.access import case_facts
from workflows.cases.model import Case, WorkItem
from workflows.cases.worklist import deadline_day
from workflows.organisations.divisions import chain_codes
from workflows.organisations.model import Division
from workflows.organisations.permissions import PERMISSIONS, CaseFacts, Facts, allowed, require

bp = Blueprint("officer", __name__)


def reason_field(hint: str, label: str = "理由") -> Field:
    """The question for a reason, where an act needs one."""
    return Field(key="reason", label=label, type="textarea", required=True, max_length=200, hint=hint, rows=3)


@bp.app_template_filter("last_day")
def last_day(due_at: datetime) -> str:
    """The last day of a limit that ends at 24:00, as ``11月23日``."""
    return short_day(deadline_day(due_at))


def item_seen(session: Session, item_id: int) -> tuple[WorkItem, CaseFacts]:
    """A work item whose case the person on the page may see; for anybody else it does not exist."""
    item = session.scalars(
        select(WorkItem)
        .where(WorkItem.id == item_id)
        .options(
            joinedload(WorkItem.case).joinedload(Case.employer),
            joinedload(WorkItem.claimant),
            joinedload(WorkItem.department),
        )
    ).one_or_none()
    if item is None:
        raise NotFound("没有这项工作。")
    facts = case_facts(session, item.case, item)
    require(page_actor(), "case.view", facts)
    return item, facts


def place_of(session: Session, permission: str) -> str:
    """Where the person on the page has a permission over a county's register; raises ``Forbidden``."""
    for code in _own_places():
        if session.get(Division, code) is not None and allowed(
            page_actor(), permission, Facts(division_chain=chain_codes(session, code))
        ):
            return code
    raise Forbidden(PERMISSIONS[permission].refusal)


def may(permission: str) -> bool:
    """Whether there is such a place. Asks no database: the menu of every page wants to know."""
    return any(allowed(page_actor(), permission, Facts(division_chain=(code,))) for code in _own_places())


def _own_places() -> list[str]:
    """The counties of the posts of the person on the page, or what an auditor looks after."""
    me = page_actor()
    return [post.division_code[:6] for post in me.posts] or [me.division_code or ""]


def own_office(item_id: int) -> None:
    """Refuse whoever sees an item and belongs to none of the offices that do it, before anything is read of a form."""
    found, _ = item_seen(reading(), item_id)
    if not page_actor().holds(found.department_id):
        raise Forbidden(PERMISSIONS["case.act"].refusal)


def posted() -> dict[str, list[str]]:
    """What a form sent, without what belongs to the page."""
    own = {"csrf_token", "command_key", "seen_version", "add_row"}
    return {key: texts for key, texts in request.form.lists() if key not in own}


def case_caption(case: Case) -> str:
    """Number and employer, above a title."""
    return f"{case.number}　{case.employer.name}" if case.employer else case.number


def page_number(name: str = "page") -> int:
    """A page number from the address; 1 for anything else."""
    return request.args.get(name, 1, type=numbers.page)


def replaced(arguments: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Arguments of an address with some changed; empty ones are left out."""
    return {key: value for key, value in {**arguments, **changes}.items() if value not in ("", None, False)}
