"""撤回 (taking back what nobody has acted on) and 终止 (ending a case before its end)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base import outbox
from workflows.base.clock import local
from workflows.base.errors import Conflict, Invalid
from workflows.cases.access import require_case
from workflows.cases.action import Action, begin
from workflows.cases.advance import close_item, settle
from workflows.cases.model import Case, CaseTimer, Decision, Publicity, WorkItem
from workflows.cases.paying import abandon
from workflows.cases.reasons import state
from workflows.engine import runner
from workflows.organisations.actors import Actor

TERMINATED = "terminated"


def recall(session: Session, actor: Actor, case_id: int) -> Case:
    """The employer takes its submission back before any office has claimed or decided anything.

    What was submitted stays as a decision; the step opens again with its answers.
    """
    action = begin(session, case_id, actor.user_id)
    require_case(session, actor, "case.recall", action.case)
    last = session.scalars(
        select(Decision).where(Decision.case_id == case_id).order_by(Decision.id.desc()).limit(1)
    ).one()
    item = session.get_one(WorkItem, last.work_item_id)
    result = runner.recall(action.process.published, action.case.state, item.task_id)
    item.closed_as = "withdrawn"
    if action.process.step(item.step).roster == "edit":
        # slots and days were taken when the sheet was handed in: a later word that is taken back leaves them
        abandon(action)
    for opened in session.scalars(
        select(WorkItem).where(WorkItem.case_id == case_id, WorkItem.closed_at.is_(None))
    ):
        close_item(action, opened, "withdrawn")
    stands = session.scalars(
        select(WorkItem.id)
        .where(WorkItem.case_id == case_id, WorkItem.employer_id.is_not(None), WorkItem.closed_as == "done")
        .limit(1)
    ).first()
    if stands is None:  # the first submission: the next one is submitted under the rules of its own day
        action.case.submitted_at = None
    action.case.status = action.process.config.get("recalled_status", action.case.status)
    action.record("case-recalled", (action.case,), step=item.step)
    settle(action, result)
    for reopened in session.scalars(
        select(WorkItem).where(
            WorkItem.case_id == case_id, WorkItem.step == item.step, WorkItem.closed_at.is_(None)
        )
    ):
        reopened.due_at = item.due_at  # handing in and taking back wins no time
    return action.case


def terminate(session: Session, actor: Actor, case_id: int, reason: str) -> Case:
    """End a case for good: open items, timers and a running publicity close with it; nothing is deleted.

    :param reason: required; it stays in the timeline and the employer reads it.
    """
    action = begin(session, case_id, actor.user_id)
    if action.case.finished_at is not None:
        when = local(action.case.finished_at)
        raise Conflict(f"这个申请已于{when.year}年{when.month}月{when.day}日办结，不能再终止。")
    require_case(session, actor, "case.terminate", action.case)
    if action.case.parent_id is not None:
        raise Conflict("异议应当作出结论并答复异议人，不能终止：被异议的申请在等这个结论。")
    if not reason.strip():
        raise Invalid("请填写终止的理由。", {"reason": "请写明终止的理由，申请单位会看到。"})
    _close(action, reason.strip())
    for child_id in session.scalars(
        select(Case.id).where(Case.parent_id == case_id, Case.finished_at.is_(None)).order_by(Case.id)
    ).all():
        _close(begin(session, child_id, actor.user_id), "所属申请已终止。")
    key = f"terminated-{case_id}"
    outbox.put(
        session, "notice", key, {"case": case_id, "text": "申请已终止，请查看终止的理由。", "key": key}
    )
    return action.case


def _close(action: Action, reason: str) -> None:
    session, case = action.session, action.case
    abandon(action)
    for item in session.scalars(
        select(WorkItem).where(WorkItem.case_id == case.id, WorkItem.closed_at.is_(None))
    ):
        close_item(action, item, "cancelled")
    for timer in session.scalars(
        select(CaseTimer).where(CaseTimer.case_id == case.id, CaseTimer.closed_at.is_(None))
    ):
        timer.closed_at = action.at
        timer.closed_as = "cancelled"
    covers: list[Publicity] = []
    for publicity in session.scalars(
        select(Publicity).where(Publicity.case_id == case.id, Publicity.closed_at.is_(None))
    ):
        publicity.closed_at = action.at
        publicity.closed_as = "cancelled"
        covers.append(publicity)
    case.state = runner.cancel(action.process.published, case.state).state
    case.waiting = []
    case.status = TERMINATED
    case.end = TERMINATED
    case.finished_at = action.at
    case.changed_at = action.at
    action.record("case-terminated", (case, *covers, state(action, reason)))
