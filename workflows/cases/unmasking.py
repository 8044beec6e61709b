"""Looking at whole ID numbers, phones and accounts: only with a reason, which is kept with who and when."""

from __future__ import annotations

from sqlalchemy.orm import Session

from workflows.base.clock import today
from workflows.base.errors import Invalid, NotFound
from workflows.cases.access import require_case
from workflows.cases.action import Action, begin
from workflows.cases.lists import lists_for
from workflows.cases.model import Case, Unmasking
from workflows.cases.page import application_answers
from workflows.cases.publicity import objection_of
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.roster_view import name_and_number, shown_values
from workflows.organisations.actors import Actor

#: What a reason may be long.
REASON_LENGTH = 200


def unmask_row(session: Session, actor: Actor, row_id: int, reason: str) -> list[tuple[str, str]]:
    """One person of a roster, whole: heading and text. Raises ``Invalid`` without a reason."""
    row = session.get(RosterRow, row_id)
    if row is None:
        raise NotFound("没有这个人员。")
    case_id = session.get_one(Roster, row.roster_id).case_id
    action = log_unmasking(session, actor, case_id, reason, row_id)
    process = action.process
    name, number = name_and_number(process, row)
    lists = lists_for(session, action.case, process)
    return [("姓名", name), ("身份证号", number), *shown_values(process, lists, row, reveal=True)]


def unmask_application(
    session: Session, actor: Actor, case_id: int, reason: str
) -> list[tuple[str, list[tuple[str, str]]]]:
    """The employer's form whole, section by section."""
    action = log_unmasking(session, actor, case_id, reason)
    return application_answers(session, action.case, action.process, reveal=True)


def unmask_objector(session: Session, actor: Actor, case_id: int, reason: str) -> list[tuple[str, str]]:
    """Name and phone of who objected, in the case that handles the objection."""
    objection = objection_of(session, session.get_one(Case, case_id))
    if objection is None:
        raise NotFound("这件办理没有异议人信息。")
    log_unmasking(session, actor, case_id, reason)
    return [("姓名", objection.objector_name), ("联系电话", objection.objector_phone)]


def log_unmasking(
    session: Session, actor: Actor, case_id: int, reason: str, row_id: int | None = None
) -> Action:
    """Ask the permission table, keep the reason, leave an event; the reason itself stays out of the event.

    :raises Forbidden: the actor may not see whole numbers. :raises Invalid: no reason, or too long a one.
    """
    action = begin(session, case_id, actor.user_id)
    facts = require_case(session, actor, "roster.unmask", action.case)
    text = " ".join(reason.split())
    if len(text) < 2:
        raise Invalid("请填写查看的理由。", {"reason": "请写明为什么要查看完整信息，例如：电话核实工资。"})
    if len(text) > REASON_LENGTH:
        raise Invalid("理由过长。", {"reason": f"理由最多 {REASON_LENGTH} 字，请缩短。"})
    if actor.user_id is None:
        raise NotFound("没有这个人员。")
    action.department_id = next(iter(sorted(actor.department_ids & facts.departments)), None)
    kept = Unmasking(
        case_id=case_id, row_id=row_id, user_id=actor.user_id, reason=text, at=action.at, day=today()
    )
    session.add(kept)
    action.record("data-unmasked", (kept,), row=row_id)
    return action
