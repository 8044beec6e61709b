"""The bank's answer to a batch: all of it, once, or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.amounts import yuan
from workflows.audit.digest import canonical
from workflows.base import outbox
from workflows.base.clock import local, now, today
from workflows.base.errors import Conflict, Forbidden, Invalid
from workflows.base.files import XLSX, FileStore
from workflows.funds.answer_file import AnswerLine, read_answer
from workflows.funds.appropriations import get as get_fund
from workflows.funds.bank_files import CSV
from workflows.funds.batches import get as get_batch
from workflows.funds.batches import lines_of
from workflows.funds.ledger import Money, lock, move
from workflows.funds.model import BankAnswer, BatchLine, Payable, PaymentBatch
from workflows.funds.payables import set_state
from workflows.funds.telling import tell
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.permissions import Facts, require
from workflows.registers import grants
from workflows.registers.grant_model import Grant

#: Outbox: the payables of a case changed; the case may now go on.
PAYMENTS_CHANGED = "payments_changed"


def import_answer(
    session: Session, actor: Actor, batch_id: int, content: bytes, store: FileStore, *, value_date: date
) -> BankAnswer:
    """Take over the bank's answer to a released batch.

    The file must answer every line of this batch and no other, each with its amount; anything else is refused with
    all that is wrong, and nothing is taken over.

    :param value_date: the day the bank paid.
    """
    batch = get_batch(session, batch_id)
    require(actor, "funds.manage", Facts(division_chain=chain_codes(session, batch.county_code)))
    if actor.user_id is None:
        raise Forbidden("银行回执须由财政部门的人员导入。")
    answered = read_answer(content, today())
    digest = hashlib.sha256(content).hexdigest()
    fund = get_fund(session, batch.appropriation_id)
    lock(session, fund.id)
    session.refresh(batch)
    known = session.scalars(select(BankAnswer).where(BankAnswer.sha256 == digest)).one_or_none()
    if known is not None:
        moment = local(known.imported_at)
        raise Conflict(f"这份回执已于{moment.year}年{moment.month}月{moment.day}日导入过，没有重复导入。")
    _guard_state(batch, value_date)
    lines = {line.seq: line for line in lines_of(session, batch.id)}
    _guard_lines(batch, lines, answered)
    answer = BankAnswer(
        batch_id=batch.id,
        sha256=digest,
        paid_count=sum(one.paid for one in answered),
        paid_fen=sum(one.amount_fen for one in answered if one.paid),
        bounced_count=sum(not one.paid for one in answered),
        bounced_fen=sum(one.amount_fen for one in answered if not one.paid),
        lines_digest=lines_digest([(one.seq, one.paid, one.reference) for one in answered]),
        value_date=value_date,
        imported_by=actor.user_id,
    )
    media_type = XLSX if content[:2] == b"PK" else CSV
    answer.file_id = store.put(session, content, f"{batch.number}-回执", media_type, actor.user_id).id
    session.add(answer)
    session.flush()
    _apply(session, batch, lines, answered, answer, actor)
    batch.state, batch.settled_at = "settled", now()
    covers: tuple[BankAnswer | PaymentBatch, ...] = (answer, batch)
    if answer.paid_fen:
        move(
            session,
            fund,
            Money("pay", answer.paid_fen, batch_id=batch.id, memo=batch.number),
            actor_id=actor.user_id,
            covers=covers,
        )
        covers = ()
    if answer.bounced_fen:
        move(
            session,
            fund,
            Money("bounce", answer.bounced_fen, batch_id=batch.id, memo=batch.number),
            actor_id=actor.user_id,
            covers=covers,
        )
    tell(session, "batch-answered", batch.id)
    return answer


def lines_digest(parts: Sequence[tuple[int, bool, str]]) -> str:
    """SHA-256 over what the bank said of each line, in order of the lines."""
    return hashlib.sha256(canonical([list(one) for one in sorted(parts)]).encode()).hexdigest()


def _guard_state(batch: PaymentBatch, value_date: date) -> None:
    if batch.state == "settled":
        raise Conflict(f"批次 {batch.number} 已经对账，不能再导入回执。")
    if batch.state != "released" or batch.released_at is None:
        raise Conflict(f"批次 {batch.number} 还没有拨付，不能导入回执。")
    if not local(batch.released_at).date() <= value_date <= today():
        raise Invalid("回执没有导入。", {"value_date": "支付日期应在拨付当天到今天之间。"})


def _guard_lines(batch: PaymentBatch, lines: Mapping[int, BatchLine], answered: Sequence[AnswerLine]) -> None:
    problems = []
    for one in answered:
        line = lines.get(one.seq)
        if one.batch != batch.number:
            problems.append(
                f"第 {one.row} 行：批次号是 {one.batch}，不是本批次 {batch.number}。请核对是否选错了批次。"
            )
        elif line is None:
            problems.append(f"第 {one.row} 行：本批次没有序号 {one.seq}（共 {batch.line_count} 笔）。")
        elif line.amount_fen != one.amount_fen:
            problems.append(
                f"第 {one.row} 行：序号 {one.seq} 的金额是 {yuan(one.amount_fen)} 元，拨付的是 {yuan(line.amount_fen)} 元。"
            )
    missing = sorted(set(lines) - {one.seq for one in answered})
    if missing and not problems:
        listed = "、".join(str(number) for number in missing[:10])
        problems.append(
            f"回执少了 {len(missing)} 笔（序号 {listed}{' 等' if len(missing) > 10 else ''}）：文件可能不完整，"
            "请向银行重新索取。"
        )
    if problems:
        raise Invalid(
            f"银行回执没有导入：有 {len(problems)} 处与批次不符。", {"file": "\n".join(problems[:200])}
        )


def _apply(
    session: Session,
    batch: PaymentBatch,
    lines: Mapping[int, BatchLine],
    answered: Sequence[AnswerLine],
    answer: BankAnswer,
    actor: Actor,
) -> None:
    payables = {
        one.id: one
        for one in session.scalars(
            select(Payable).where(
                Payable.id.in_(select(BatchLine.payable_id).where(BatchLine.batch_id == batch.id))
            )
        )
    }
    paid_grants: list[int] = []
    for one in answered:
        line = lines[one.seq]
        payable = payables[line.payable_id]
        line.answer_id, line.bank_reference, line.bounce_reason = answer.id, one.reference, one.reason
        line.state = "paid" if one.paid else "bounced"
        set_state(payable, line.state)
        if one.paid and payable.grant_id is not None:
            paid_grants.append(payable.grant_id)
    if paid_grants:
        grants.pay(
            session,
            list(session.scalars(select(Grant).where(Grant.id.in_(paid_grants)).order_by(Grant.id))),
            on=answer.value_date,
            document_number=batch.number,
            actor_id=actor.user_id,
        )
    for case_id in sorted({one.case_id for one in payables.values()}):
        outbox.put(session, PAYMENTS_CHANGED, f"{case_id}-{answer.id}", {"case": case_id})
