"""Whose turn an item is. Who comes too late learns who was faster, and gets back what was typed (``Conflict``); what a
post may do at all is asked of the permission table."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import local
from workflows.base.errors import Conflict
from workflows.cases.model import Decision, WorkItem
from workflows.organisations.actors import Actor
from workflows.organisations.model import Department, User


def guard_turn(session: Session, actor: Actor, item: WorkItem) -> None:
    """Raise ``Conflict`` when the item is closed, or a colleague of the actor has taken it."""
    if item.closed_at is not None:
        raise Conflict(who_was_faster(session, item))
    if (
        item.claimed_by is not None
        and item.claimed_by not in actor.stands_for
        and actor.holds(item.department_id)
    ):
        holder = session.get_one(User, item.claimed_by)
        raise Conflict(f"已由他人办理：{holder.name}已领取这项工作。请让本单位负责人改派，或等其交还。")


def who_was_faster(session: Session, item: WorkItem) -> str:
    """ "已由他人办理" with office, name and time."""
    decision = session.scalars(
        select(Decision).where(Decision.work_item_id == item.id).order_by(Decision.id.desc()).limit(1)
    ).one_or_none()
    if decision is None or item.closed_as != "done":
        return "这项工作已经不在办理中（申请被撤回、终止或流程已进入下一步）。您填写的内容没有提交。"
    office = session.get(Department, decision.department_id) if decision.department_id else None
    person = session.get(User, decision.actor_id) if decision.actor_id else None
    moment = local(decision.decided_at)
    return (
        f"已由他人办理：{office.name if office else '申请单位'}{person.name if person else ''}"
        f"于{moment.month}月{moment.day}日 {moment:%H:%M} 办理。您填写的内容没有提交。"
    )
