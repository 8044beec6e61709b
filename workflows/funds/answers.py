"""The bank's answer to a batch: all of it, once, or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from forms.amounts import yuan
from workflows.audit.digest import canonical
from workflows.base import outbox
from workflows.base.clock import local, now, today
from workflows.base.errors import Conflict, Forbidden, Invalid
from workflows.base.files import XLSX, FileStore, StoredFile
from workflows.funds.answer_file import AnswerLine, read_answer
from workflows.funds.appropriations import get as get_fund
from workflows.funds.appropriations import require_manager
from workflows.funds.bank_files import CSV
from workflows.funds.batch_model import BankAnswer, BatchLine, PaymentBatch
from workflows.funds.batches import get as get_batch
from workflows.funds.ledger import Money, lock, move
from workflows.funds.model import Payable
from workflows.funds.payables import require_transition
from workflows.funds.telling import tell
from workflows.organisations.actors import Actor
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
    require_manager(session, actor, batch.county_code)
    answered = read_answer(content, today())
    media_type = XLSX if content[:2] == b"PK" else CSV
    file = store.put(session, content, f"{batch.number}-回执", media_type, actor.user_id)
    return book(session, actor, batch, answered, file, value_date=value_date)


def book(
    session: Session,
    actor: Actor,
    batch: PaymentBatch,
    answered: Sequence[AnswerLine],
    file: StoredFile,
    *,
    value_date: date,
) -> BankAnswer:
    """Take over an answer that was read, all of it or nothing. See :func:`import_answer`."""
    require_manager(session, actor, batch.county_code)
    if actor.user_id is None:
        raise Forbidden("银行回执须由财政部门的人员导入。")
    fund = get_fund(session, batch.appropriation_id)
    lock(session, fund.id)
    session.refresh(batch)
    guard_new(session, batch, file.sha256, value_date)
    lines = _lines(session, batch.id)
    _guard_lines(batch, lines, answered)
    answer = BankAnswer(
        batch_id=batch.id,
        sha256=file.sha256,
        file_id=file.id,
        paid_count=sum(one.paid for one in answered),
        paid_fen=sum(one.amount_fen for one in answered if one.paid),
        bounced_count=sum(not one.paid for one in answered),
        bounced_fen=sum(one.amount_fen for one in answered if not one.paid),
        lines_digest=lines_digest([(one.seq, one.paid, one.reference) for one in answered]),
        value_date=value_date,
        imported_by=actor.user_id,
    )
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


@dataclass(frozen=True)
class _Line:
    """What an answer is compared with."""

    id: int
    payable_id: int
    amount_fen: int


def _lines(session: Session, batch_id: int) -> dict[int, _Line]:
    """The lines of a batch by their number, without names and accounts."""
    return {
        row.seq: _Line(row.id, row.payable_id, row.amount_fen)
        for row in session.execute(
            select(BatchLine.id, BatchLine.seq, BatchLine.payable_id, BatchLine.amount_fen).where(
                BatchLine.batch_id == batch_id
            )
        )
    }


def lines_digest(parts: Sequence[tuple[int, bool, str]]) -> str:
    """SHA-256 over what the bank said of each line, in order of the lines."""
    return hashlib.sha256(canonical([list(one) for one in sorted(parts)]).encode()).hexdigest()


def guard_new(session: Session, batch: PaymentBatch, sha256: str, value_date: date) -> None:
    """Whether an answer may be taken over at all: not the same file twice, not before release, not after the first."""
    known = session.scalars(select(BankAnswer).where(BankAnswer.sha256 == sha256)).one_or_none()
    if known is not None:
        moment = local(known.imported_at)
        raise Conflict(f"这份回执已于{moment.year}年{moment.month}月{moment.day}日导入过，没有重复导入。")
    if batch.state == "settled":
        raise Conflict(f"批次 {batch.number} 已经对账，不能再导入回执。")
    if batch.state != "released" or batch.released_at is None:
        raise Conflict(f"批次 {batch.number} 还没有拨付，不能导入回执。")
    if not local(batch.released_at).date() <= value_date <= today():
        raise Invalid("回执没有导入。", {"value_date": "支付日期应在拨付当天到今天之间。"})


def _guard_lines(batch: PaymentBatch, lines: Mapping[int, _Line], answered: Sequence[AnswerLine]) -> None:
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
    lines: Mapping[int, _Line],
    answered: Sequence[AnswerLine],
    answer: BankAnswer,
    actor: Actor,
) -> None:
    """Write down what the bank said. In statements over the batch, not row by row: five thousand rows, names and
    accounts with them, would be read and decrypted for nothing."""
    of_batch = Payable.id.in_(select(BatchLine.payable_id).where(BatchLine.batch_id == batch.id))
    payables = {
        one.id: one
        for one in session.execute(
            select(Payable.id, Payable.state, Payable.case_id, Payable.case_number, Payable.grant_id).where(
                of_batch
            )
        )
    }
    for one in payables.values():
        require_transition(one.case_number, one.state, "paid")
    session.execute(
        update(BatchLine),
        [
            {
                "id": lines[one.seq].id,
                "answer_id": answer.id,
                "bank_reference": one.reference,
                "bounce_reason": one.reason,
                "state": "paid" if one.paid else "bounced",
            }
            for one in answered
        ],
    )
    for state in ("paid", "bounced"):
        session.execute(
            update(Payable)
            .where(
                Payable.id.in_(
                    select(BatchLine.payable_id).where(
                        BatchLine.batch_id == batch.id, BatchLine.state == state
                    )
                )
            )
            .values(state=state, changed_at=now())
            .execution_options(synchronize_session=False)
        )
    for row in list(session.identity_map.values()):
        if isinstance(row, BatchLine | Payable):
            session.expire(row)  # what somebody holds of them is older than the statements above
    paid = [payables[lines[one.seq].payable_id].grant_id for one in answered if one.paid]
    paid_grants = [grant_id for grant_id in paid if grant_id is not None]
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
