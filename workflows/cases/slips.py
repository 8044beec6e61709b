"""Pay slips: made for everybody whose row is claimed, answered by the workers, closed before the sheet goes on.

A worker who disputes a row stops that row and no other: it leaves this payroll, with its days and its slot, and is paid
by a supplementary one when the matter is settled.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from workflows.base import outbox
from workflows.base.clock import now
from workflows.base.errors import Conflict, Invalid, NotFound
from workflows.base.model import Base
from workflows.base.privacy import keyring
from workflows.cases.action import Action, begin
from workflows.cases.granting import free_some
from workflows.cases.model import Attachment, Case, WorkItem
from workflows.cases.process import process_of
from workflows.cases.roster_digest import RosterDigest, digested
from workflows.cases.roster_model import RosterRow
from workflows.cases.slip_model import PaySlip, SlipAnswer
from workflows.cases.verdicts import current_roster
from workflows.registers import grants

#: Letters and digits that nobody mistakes for one another on paper.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 12
#: How many characters of the ID number a worker is asked for.
LAST = 4
DISPUTED = "disputed"


@dataclass(frozen=True)
class SlipCounts:
    """How far the workers of a payroll have spoken."""

    open: int = 0
    confirmed: int = 0
    signed: int = 0
    disputed: int = 0

    @property
    def total(self) -> int:
        return self.open + self.confirmed + self.signed + self.disputed


def new_code() -> str:
    """A code nobody guesses: 12 of 30 characters."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def digest_of(code: str) -> str:
    """What a slip is found by: typed with or without spaces and dashes, in any case."""
    plain = "".join(one for one in code.upper() if one.isalnum())
    return keyring().digest(plain, "slip")


def issue_slips(action: Action) -> None:
    """A slip for every row that is to be paid; those of an earlier round are void."""
    session = action.session
    session.execute(
        update(PaySlip)
        .where(PaySlip.case_id == action.case.id, PaySlip.state != "void")
        .values(state="void")
        .execution_options(synchronize_session=False)
    )
    living = [one for one in grants.of_case(session, action.case.id) if one.state == "claimed"]
    rows = []
    for one in living:
        code = new_code()
        rows.append(
            {
                "case_id": action.case.id,
                "row_id": one.row_id,
                "person_id": one.person_id,
                "code": code,
                "code_digest": digest_of(code),
                "net_fen": one.amount_fen,
                "state": "open",
                "made_at": action.at,
            }
        )
    if not rows:
        raise Conflict("没有可以发放的人员，不能提交。请先改正考勤和工资表。")
    session.execute(insert(PaySlip), rows)
    action.record("slips-issued", people=len(rows))


def close_slips(action: Action) -> None:
    """Everybody has spoken, on the phone or on the signed sheet; rows in dispute leave this payroll.

    :raises Invalid: some have not spoken and no signed sheet is there.
    """
    session = action.session
    counted = counts(session, action.case.id)
    if counted.open:
        if not _signed_sheet(session, action.case.id):
            raise Invalid(
                f"还有 {counted.open} 名工人没有确认。",
                {
                    "signed_sheet": f"还有 {counted.open} 名工人没有确认：请上传他们签字（按手印）的工资支付表。"
                },
            )
        session.execute(
            update(PaySlip)
            .where(PaySlip.case_id == action.case.id, PaySlip.state == "open")
            .values(state="signed", said_at=action.at)
            .execution_options(synchronize_session=False)
        )
    if counted.total == counted.disputed:
        raise Conflict("所有工人都对工资条有异议，不能往下送。请选择“改正工资表”，核实后重新发工资条。")
    covers = _set_apart(action)
    action.record(
        "slips-closed",
        covers,
        confirmed=counted.confirmed,
        signed=counted.open,
        disputed=counted.disputed,
    )


def _signed_sheet(session: Session, case_id: int) -> bool:
    return bool(
        session.scalar(
            select(func.count())
            .select_from(Attachment)
            .where(
                Attachment.case_id == case_id,
                Attachment.material == "signed_sheet",
                Attachment.removed_at.is_(None),
            )
        )
    )


def _set_apart(action: Action) -> tuple[Base, ...]:
    """Rows in dispute get that as their result; their slot and their days are free for a supplementary payroll."""
    session = action.session
    roster = current_roster(session, action.case.id)
    disputed = set(
        session.scalars(
            select(PaySlip.row_id).where(PaySlip.case_id == action.case.id, PaySlip.state == DISPUTED)
        )
    )
    if roster is None or not disputed:
        return ()
    rows = session.scalars(digested(roster.id)).all()
    basis = action.case.rules["parameters"]["dispute_rule"]["basis"]
    for row in rows:
        if row.id in disputed and row.result != DISPUTED:
            row.result = DISPUTED
            row.fired = [
                *row.fired,
                {
                    "id": "pay_slip",
                    "citation": f"依据：{basis}",
                    "annotation": "工人本人对这一行有异议，已从本次发放中单列，不影响其他人；核实后用补发批次发放。",
                },
            ]
    digest = RosterDigest()
    digest.add_rows(rows)
    roster.judged = digest.judged
    out = [
        one
        for one in grants.of_case(session, action.case.id)
        if one.state == "claimed" and one.row_id in disputed
    ]
    free_some(action, out)
    return (roster,)


def counts(session: Session, case_id: int) -> SlipCounts:
    """How many slips of a case stand in each state."""
    found = dict(
        session.execute(
            select(PaySlip.state, func.count())
            .where(PaySlip.case_id == case_id, PaySlip.state != "void")
            .group_by(PaySlip.state)
        ).all()
    )
    return SlipCounts(**found)


def find(session: Session, code: str, last: str) -> tuple[PaySlip, RosterRow, Case]:
    """The slip of a code, for who knows the end of the ID number.

    :raises NotFound: either is wrong; the message does not say which.
    """
    slip = session.scalars(
        select(PaySlip).where(PaySlip.code_digest == digest_of(code), PaySlip.state != "void")
    ).one_or_none()
    row = session.get(RosterRow, slip.row_id) if slip is not None else None
    case = session.get(Case, slip.case_id) if slip is not None else None
    if slip is None or row is None or case is None:
        raise NotFound("没有找到工资条：请核对工资条上的查询码和身份证号后四位。")
    number = str(row.values.get("id_number", ""))
    if not hmac.compare_digest(number[-LAST:].encode(), last.strip().upper().encode()):
        raise NotFound("没有找到工资条：请核对工资条上的查询码和身份证号后四位。")
    return slip, row, case


def answer_slip(session: Session, code: str, last: str, *, agrees: bool, words: str = "") -> PaySlip:
    """A worker confirms the slip, or disputes it in so many words.

    :raises Conflict: it is too late, or it was said already.
    :raises Invalid: a dispute without words.
    """
    slip, row, case = find(session, code, last)
    action = begin(session, case.id, None)
    session.refresh(slip)
    session.refresh(row, ["result"])
    if slip.state == "void":
        raise Conflict("工资表已经更正，这张工资条作废。请向劳资专管员要新的工资条。")
    if not confirming(session, case):
        raise Conflict(
            "这个月的工资已经进入审核，不能再改。有疑问的，请拨打监督电话，或者在公示期间提出异议。"
        )
    if row.result == DISPUTED:  # the unit took its word back; the row has left this payroll all the same
        raise Conflict("这张工资条有异议，已经单列，不在这次发放。核实后会另发工资条，用补发批次发放。")
    if slip.state == "confirmed":
        raise Conflict("您已经确认过这张工资条。")
    if not agrees and not words.strip():
        raise Invalid("请写明哪里不对。", {"words": "请写明哪里不对，例如：出勤应为 22 天，少记 2 天。"})
    slip.state, slip.said_at = "confirmed" if agrees else DISPUTED, now()
    said = SlipAnswer(
        slip_id=slip.id,
        case_id=case.id,
        row_id=slip.row_id,
        net_fen=slip.net_fen,
        agrees=agrees,
        words=None if agrees else words.strip()[:500],
        said_at=now(),
    )
    session.add(said)
    session.flush()
    action.record("slip-confirmed" if agrees else "slip-disputed", (said,), row=slip.row_id)
    if not agrees:
        key = f"slip-{slip.id}-{action.case.chain_seq}"
        text = "有工人对工资条提出异议，请核对后处理。"
        outbox.put(session, "notice", key, {"case": case.id, "to": "employer", "text": text, "key": key})
    return slip


def confirming(session: Session, case: Case) -> bool:
    """Whether the payroll waits for its workers' words: a step with ``slips`` in process.yaml is open."""
    steps = process_of(session, case.version_id).steps.values()
    asking = [step.key for step in steps if step.config.get("slips")]
    return bool(
        session.scalar(
            select(func.count())
            .select_from(WorkItem)
            .where(WorkItem.case_id == case.id, WorkItem.step.in_(asking), WorkItem.closed_at.is_(None))
        )
    )
