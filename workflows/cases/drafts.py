"""Drafts: whatever has been typed for an open work item, kept as typed, errors and all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from workflows.base.clock import now
from workflows.base.errors import Conflict, NotFound
from workflows.cases.access import require_case
from workflows.cases.model import Case, Draft, WorkItem
from workflows.cases.turns import guard_turn
from workflows.organisations.actors import Actor

#: A draft is what a form holds; anything larger is not one.
MAX_CHARACTERS = 200_000


def save(
    session: Session, actor: Actor, item_id: int, raw: Mapping[str, Sequence[str]], *, merge: bool = False
) -> Draft:
    """Keep what is typed. Not an event: nothing has been decided.

    :param merge: keep the fields of other sections (a form filled in page by page).
    """
    item = session.get(WorkItem, item_id)
    if item is None:
        raise NotFound("没有这项工作。")
    if item.closed_at is not None:
        raise Conflict("这一步已经办结，草稿没有保存。")
    guard_turn(session, actor, item)
    require_case(session, actor, "draft.edit", session.get_one(Case, item.case_id), item)
    typed = {key: [str(value) for value in values] for key, values in raw.items()}
    if sum(len(value) for values in typed.values() for value in values) > MAX_CHARACTERS:
        raise Conflict("填写的内容过长，草稿没有保存。请精简后再试。")
    draft = session.get(Draft, item_id)
    if draft is None:
        draft = Draft(work_item_id=item_id, raw={}, saved_at=now())
        session.add(draft)
    draft.raw = {**draft.raw, **typed} if merge else typed
    draft.saved_at = now()
    draft.saved_by = actor.user_id
    session.flush()
    return draft


def typed_so_far(session: Session, item: WorkItem) -> dict[str, list[str]] | None:
    """The draft of an item, or ``None``."""
    draft = session.get(Draft, item.id)
    return dict(draft.raw) if draft is not None else None
