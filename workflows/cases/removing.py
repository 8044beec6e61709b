"""剔除: a person falls out after approval. What the page, the papers and the batch say follows at once.

- The reservation and the slot are free again, the case pays less by that amount.
- A 公示 that runs says the new total, and that somebody was taken out: no fresh one is needed for fewer people.
- The papers that state whom is paid how much (``payment.restate`` of process.yaml) are drawn up anew where they were
  issued already; the old ones are revoked, and their QR page says so.
- A batch that holds the person cannot be released (``funds.batches``): it is made anew.

Nobody is ever added so: more people need the whole way, reviews, 复核 and a 公示 of their own.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflows.audit.model import Event
from workflows.base import outbox
from workflows.base.errors import Conflict, Invalid
from workflows.cases.access import require_case
from workflows.cases.action import Action, begin
from workflows.cases.functions import current_publicity
from workflows.cases.granting import free_some
from workflows.cases.offices import LEAD, office_of
from workflows.cases.operations import fix_document, published_content
from workflows.cases.roster_model import RowVerdict
from workflows.cases.verdicts import REFUSE
from workflows.documents import issue
from workflows.documents.model import IssuedDocument
from workflows.funds import payables
from workflows.funds.answers import PAYMENTS_CHANGED
from workflows.funds.model import Payable
from workflows.organisations.actors import Actor
from workflows.registers.grant_model import Grant


def remove_row(session: Session, actor: Actor, case_id: int, row_id: int, reason: str) -> int:
    """剔除 a person after approval: the reservation and the slot are freed, the total is less by that amount.

    :param reason: required; the employer reads it.
    :returns: the fen that were freed.
    """
    action = begin(session, case_id, actor.user_id)
    require_case(session, actor, "payment.remove", action.case)
    if not reason.strip():
        raise Invalid("没有剔除。", {"reason": "请写明剔除的理由，申请单位会看到。"})
    payable = session.scalars(
        select(Payable).where(
            Payable.case_id == case_id, Payable.row_id == row_id, Payable.state.not_in(("freed",))
        )
    ).one_or_none()
    if payable is None:
        raise Conflict("这个人没有待拨付的款项，可能已经剔除。请刷新页面后再看。")
    office = office_of(session, action.case, LEAD).id
    freed = payables.free(session, [payable], actor_id=actor.user_id, memo=action.case.number)
    if payable.grant_id is not None:
        free_some(action, [session.get_one(Grant, payable.grant_id)])
    word = session.scalars(
        select(RowVerdict).where(RowVerdict.row_id == row_id, RowVerdict.department_id == office)
    ).one_or_none()
    if word is None:
        word = RowVerdict(row_id=row_id, department_id=office)
        session.add(word)
    word.verdict, word.reason, word.by, word.at = REFUSE, reason.strip() or None, actor.user_id, action.at
    action.record("row-removed", (word,), row=row_id, amount_fen=freed)
    session.flush()  # what follows asks the rows what is left
    _correct_publicity(action)
    _restate_papers(action)
    outbox.put(session, PAYMENTS_CHANGED, f"{case_id}-removed-{payable.id}", {"case": case_id})
    return freed


def _correct_publicity(action: Action) -> None:
    """A running 公示 says what is left, and that it is less than was published."""
    publicity = current_publicity(action)
    if publicity is None or publicity.closed_at is not None:
        return
    gone = _removed_since_opened(action)
    publicity.content = [
        *published_content(action, publicity.kind),
        {"label": "公示期间剔除", "value": f"{gone} 人，不再奖补"},
    ]
    action.record("publicity-corrected", (publicity,), removed=gone)


def _removed_since_opened(action: Action) -> int:
    """How many people have fallen out of what the running 公示 showed: the chain has it in order."""
    of_case = Event.stream == action.case.stream_name
    opened = select(func.max(Event.seq)).where(of_case, Event.kind == "publicity-opened").scalar_subquery()
    return (
        action.session.scalar(
            select(func.count())
            .select_from(Event)
            .where(of_case, Event.kind == "row-removed", Event.seq > opened)
        )
        or 0
    )


def _restate_papers(action: Action) -> None:
    """Papers that state a sum which is no longer so are revoked, and drawn up anew if anybody is left to be paid."""
    people, _ = payables.owed_by(action.session, action.case.id)
    for name in action.process.config.get("payment", {}).get("restate", ()):
        standing = action.session.scalars(
            select(IssuedDocument).where(
                IssuedDocument.case_id == action.case.id,
                IssuedDocument.name == name,
                IssuedDocument.status != "revoked",
            )
        ).all()
        for paper in standing:
            issue.revoke(action.session, paper)
            action.record("document-revoked", (paper,), document=name)
        if standing and people:
            fix_document(action, name)
