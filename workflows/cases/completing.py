"""Deciding a work item: the one use case through which every step of every process goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from forms.web import Parsed
from workflows.base.errors import Conflict, Forbidden, Invalid
from workflows.cases.access import case_facts
from workflows.cases.action import Action, begin_on_item
from workflows.cases.advance import bindings, close_item, settle
from workflows.cases.commands import body_digest, remember, replayed
from workflows.cases.model import Decision, WorkItem
from workflows.cases.process import Step
from workflows.cases.rosters import rejudge
from workflows.cases.starting import begin_officially
from workflows.cases.turns import guard_turn
from workflows.cases.verdicts import guard_rows
from workflows.engine import runner
from workflows.organisations.actors import Actor
from workflows.organisations.permissions import conflict, require

#: The second office of a joint step disagrees: the first signs again.
SENT_BACK = "sent_back"

_INSERT = insert(Decision.__table__).returning(Decision.__table__.c.id)  # type: ignore[arg-type]  # a Table
_decisions = Decision.__table__.c
_ACTED = (
    select(_decisions.step)
    .where(_decisions.case_id == bindparam("case_id"), _decisions.actor_id == bindparam("actor_id"))
    .distinct()
)


@dataclass(frozen=True)
class Completed:
    """What came of it. ``advanced`` is false while a joint step waits for another office's signature."""

    case_id: int
    case_number: str
    decision_id: int
    advanced: bool
    replayed: bool = False


def complete(
    session: Session,
    actor: Actor,
    item_id: int,
    outcome: str,
    parsed: Parsed,
    *,
    seen_version: int,
    command_key: str,
    rest_verdict: str | None = None,
) -> Completed:
    """Decide a work item.

    :param outcome: one of the form's outcomes; ``submit`` for a form without; ``sent_back`` from the second office of
        a joint step.
    :param parsed: the answers as the step's form read them.
    :param seen_version: the item's version on the page that was sent; another one means that the page is stale.
    :param command_key: the form's idempotency key.
    :param rest_verdict: the office's word on the roster rows it did not name one by one.
    :raises Conflict: somebody else was faster; the message says who and when.
    :raises Invalid: the answers break a rule.
    :raises Forbidden: the post does not allow it.
    """
    action, item = begin_on_item(session, item_id, actor.user_id)
    opinion = str(parsed.values.get("opinion", ""))
    body = [item_id, outcome, parsed.values, rest_verdict]
    digest = body_digest(body)
    # whoever used the key before has closed the item or changed it: only then is there something to look for
    if item.closed_at is not None or item.version != seen_version:
        before = replayed(session, command_key, digest)
        if before is not None:
            return Completed(**before, replayed=True)
    step = action.process.step(item.step)
    _guard_open(session, action, actor, item, seen_version)
    _guard_duty(session, action, actor, step, item)
    action.department_id = item.department_id
    answers = _answers(action, step, item, outcome, parsed, opinion, rest_verdict)

    if step.joint and item.department_id is not None and outcome == SENT_BACK:
        decision = _send_back(action, item, opinion)
        advanced = False
    else:
        decision = _decide(action, step, item, outcome, opinion, answers)
        advanced = not any(one.task_id == item.task_id for one in action.open_items)
    done: dict[str, Any] = {
        "case_id": action.case.id,
        "case_number": action.case.number,
        "decision_id": decision.id,
        "advanced": advanced,
    }
    remember(session, command_key, digest, actor.user_id, action.case.id, done)
    if advanced:
        action.outcomes[step.key] = outcome
        _go_on(action, step, item)
    session.flush()
    return Completed(**done)


def _go_on(action: Action, step: Step, item: WorkItem) -> None:
    """The token moves."""
    if item.employer_id is not None and action.case.submitted_at is None:
        begin_officially(action)
    if step.roster == "edit":
        # days and slips of an earlier round have left their mark on rows: a sheet of days is judged as if just read
        rejudge(action, anew=bool(action.process.config.get("days")))
    result = runner.complete(action.process.published, action.case.state, item.task_id, bindings(action))
    settle(action, result)


def _guard_open(session: Session, action: Action, actor: Actor, item: WorkItem, seen_version: int) -> None:
    guard_turn(session, actor, item)
    require(actor, "case.act", case_facts(session, action.case, item))
    if any(timer.due_at <= action.at for timer in action.open_timers):
        raise Conflict("这一步的期限已到，系统正在按到期办理，请稍后刷新页面。您填写的内容没有提交。")
    if item.version != seen_version:
        raise Conflict("页面打开之后，这项工作有了变化（例如改派或会签退回）。请刷新页面，核对后再提交。")


def _guard_duty(session: Session, action: Action, actor: Actor, step: Step, item: WorkItem) -> None:
    if actor.user_id is None or item.department_id is None:
        return
    acted = set(session.scalars(_ACTED, {"case_id": action.case.id, "actor_id": actor.user_id}))
    titles = {key: other.title for key, other in action.process.steps.items()}
    reason = conflict(action.process.incompatible, acted, step.key, titles)
    if reason is None and step.joint:
        other = session.scalars(
            select(WorkItem.id)
            .join(Decision, Decision.work_item_id == WorkItem.id)
            .where(
                WorkItem.task_id == item.task_id,
                WorkItem.case_id == item.case_id,
                WorkItem.department_id != item.department_id,
                Decision.actor_id == actor.user_id,
            )
        ).first()
        if other is not None:
            reason = "您已代表另一单位签署，会签须由两个单位的不同人员完成。"
    if reason is not None:
        raise Forbidden(reason)


def first_signature(session: Session, item: WorkItem) -> Decision | None:
    """In a joint step: the decision that another office has signed in this round and that now waits for this one."""
    return session.scalars(
        select(Decision)
        .join(WorkItem, WorkItem.id == Decision.work_item_id)
        .where(
            WorkItem.case_id == item.case_id,
            WorkItem.task_id == item.task_id,
            WorkItem.id != item.id,
            WorkItem.closed_as == "done",
            Decision.outcome != SENT_BACK,
        )
        .order_by(Decision.id.desc())
        .limit(1)
    ).one_or_none()


def _answers(
    action: Action,
    step: Step,
    item: WorkItem,
    outcome: str,
    parsed: Parsed,
    opinion: str,
    rest_verdict: str | None,
) -> dict[str, Any]:
    session = action.session
    signed = first_signature(session, item) if step.joint else None
    if signed is not None:
        if outcome == SENT_BACK:
            if not opinion.strip():
                raise Invalid(
                    "请填写退回会签的理由。", {"opinion": "请写明哪里需要改，对方单位据此修改后重新签署。"}
                )
            return {}
        if outcome != signed.outcome:
            raise Invalid(
                "会签只能同意对方单位的结论，或者退回。", {"outcome": "请选择“同意并签署”或“退回对方单位”。"}
            )
        return dict(signed.answers)
    definition = action.process.form(step.key)
    known = {candidate.key: candidate for candidate in definition.outcomes}
    if outcome not in (known or ("submit",)):
        raise Invalid("请选择办理结果。", {"outcome": "请选择一项办理结果。"})
    errors = dict(parsed.errors)
    if errors:
        raise Invalid("有内容需要修改，请逐条核对。", errors)
    answers = {key: value for key, value in parsed.values.items() if key not in ("opinion", "outcome")}
    again = step.config.get("repeat_requires", {}).get(outcome)
    if again and not answers.get(again) and _decided_before(session, item, outcome):
        label = definition.field(again).label
        raise Invalid(
            "再次补正须写明理由。",
            {
                again: f"没有填写{label}：补正应一次性告知；再次补正只能针对新交内容引出的问题，请写明是哪一处引出的。"
            },
        )
    if step.roster in ("decide", "edit"):
        answers |= guard_rows(action, step, item, outcome, rest_verdict)
    return answers


def _decided_before(session: Session, item: WorkItem, outcome: str) -> bool:
    """Whether an earlier round of this step ended the same way."""
    return (
        session.scalars(
            select(Decision.id).where(
                Decision.case_id == item.case_id, Decision.step == item.step, Decision.outcome == outcome
            )
        ).first()
        is not None
    )


def _write(session: Session, decision: Decision) -> None:
    """Straight into the table: a decision is written once, and its key is needed at once."""
    values = {name: getattr(decision, name) for name in Decision.__audited__}
    decision.id = session.connection().execute(_INSERT, values).scalar_one()


def _decide(
    action: Action, step: Step, item: WorkItem, outcome: str, opinion: str, answers: dict[str, Any]
) -> Decision:
    decision = Decision(
        case_id=action.case.id,
        work_item_id=item.id,
        step=step.key,
        form=step.form,
        round=item.round,
        outcome=outcome,
        opinion=opinion.strip(),
        answers=answers,
        actor_id=action.actor_id,
        department_id=item.department_id,
        decided_at=action.at,
    )
    _write(action.session, decision)
    close_item(action, item, "done")
    action.record("step-decided", (decision,), step=step.key, outcome=outcome, round=item.round, item=item.id)
    return decision


def _send_back(action: Action, item: WorkItem, opinion: str) -> Decision:
    """Take back the other office's signature: it gets its item again, with the reason; this one waits."""
    signed = first_signature(action.session, item)
    if signed is None:
        raise Invalid("对方单位还没有签署，不能退回。", {"outcome": "请直接填写核查结果。"})
    theirs = action.session.get_one(WorkItem, signed.work_item_id)
    decision = Decision(
        case_id=action.case.id,
        work_item_id=item.id,
        step=item.step,
        form=signed.form,
        round=item.round,
        outcome=SENT_BACK,
        opinion=opinion.strip(),
        answers={},
        actor_id=action.actor_id,
        department_id=item.department_id,
        decided_at=action.at,
    )
    _write(action.session, decision)
    theirs.closed_as = "withdrawn"
    action.opened(
        WorkItem(
            case_id=theirs.case_id,
            task_id=theirs.task_id,
            step=theirs.step,
            lane=theirs.lane,
            title=theirs.title,
            round=theirs.round,
            department_id=theirs.department_id,
            claimed_by=signed.actor_id,
            claimed_at=action.at,
            opened_at=action.at,
            due_at=theirs.due_at,
            version=1,
        )
    )
    item.version += 1
    action.record("signature-sent-back", (decision,), step=item.step, round=item.round)
    return decision
