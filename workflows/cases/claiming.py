"""Claiming, giving back and reassigning work items."""

from __future__ import annotations

from sqlalchemy.orm import Session

from workflows.base import outbox
from workflows.base.clock import today
from workflows.base.errors import Conflict, Forbidden, Invalid
from workflows.cases.access import acted_in, require_case
from workflows.cases.action import Action, begin_on_item
from workflows.cases.model import WorkItem
from workflows.cases.reasons import state
from workflows.cases.turns import who_was_faster
from workflows.organisations.actors import Actor, posts_of
from workflows.organisations.model import User
from workflows.organisations.permissions import conflict


def _locked(session: Session, actor: Actor, item_id: int) -> tuple[Action, WorkItem]:
    action, item = begin_on_item(session, item_id, actor.user_id)
    if item.closed_at is not None:
        raise Conflict(who_was_faster(session, item))
    action.department_id = item.department_id
    return action, item


def _kept_apart(action: Action, item: WorkItem, user_id: int | None) -> str | None:
    """Why somebody must not have an item: what the same person did before in this case. Said before the work is done."""
    if user_id is None:
        return None
    titles = {key: step.title for key, step in action.process.steps.items()}
    acted = acted_in(action.session, action.case.id).get(user_id, ())
    return conflict(action.process.incompatible, acted, item.step, titles)


def claim(session: Session, actor: Actor, item_id: int) -> WorkItem:
    """Take an item as one's own; raises ``Conflict`` naming who has it already."""
    action, item = _locked(session, actor, item_id)
    if (
        item.claimed_by is not None
        and item.claimed_by not in actor.stands_for
        and actor.holds(item.department_id)
    ):
        holder = session.get_one(User, item.claimed_by)
        raise Conflict(f"这项工作已由{holder.name}领取。")
    require_case(session, actor, "case.claim", action.case, item)
    reason = _kept_apart(action, item, actor.user_id)
    if reason is not None:
        raise Forbidden(reason)
    item.claimed_by = actor.user_id
    item.claimed_at = action.at
    action.record("item-claimed", item=item.id, step=item.step)
    return item


def unclaim(session: Session, actor: Actor, item_id: int) -> WorkItem:
    """Give a claimed item back to the office."""
    action, item = _locked(session, actor, item_id)
    require_case(session, actor, "case.unclaim", action.case, item)
    item.claimed_by = None
    item.claimed_at = None
    action.record("item-unclaimed", item=item.id, step=item.step)
    return item


def reassign(session: Session, actor: Actor, item_id: int, user_id: int, reason: str) -> WorkItem:
    """The head of the office gives an item to another of its people.

    :param reason: required; kept in the timeline.
    """
    action, item = _locked(session, actor, item_id)
    require_case(session, actor, "case.reassign", action.case, item)
    if not reason.strip():
        raise Invalid("请填写改派的理由。", {"reason": "请填写改派的理由，例如：原经办人外出培训。"})
    user = session.get(User, user_id)
    if user is None or not user.active:
        raise Invalid("请选择本单位的在岗人员。", {"user": "请选择本单位的在岗人员。"})
    if all(post.department_id != item.department_id for post in posts_of(session, user.id, today())):
        raise Invalid("只能改派给本单位的人员。", {"user": "只能改派给本单位的人员。"})
    kept_apart = _kept_apart(action, item, user.id)
    if kept_apart is not None:
        raise Invalid("不能改派给这位人员。", {"user": kept_apart.replace("您", user.name, 1)})
    item.claimed_by = user.id
    item.claimed_at = action.at
    item.version += 1
    action.record("item-reassigned", (state(action, reason),), item=item.id, step=item.step, to=user.id)
    outbox.put(session, "notice", f"reassigned-{item.id}-{item.version}", {"work_item": item.id})
    return item
