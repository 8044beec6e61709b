"""What must hold of money: entries and balances, payables and balances, batches, lines and answers, grants. To the fen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from forms.amounts import yuan
from workflows.funds.answers import lines_digest
from workflows.funds.batch_model import BankAnswer, BatchLine, PaymentBatch
from workflows.funds.batches import digest_of, lines_of
from workflows.funds.model import ACCOUNTS, Appropriation, Balance, LedgerEntry, Payable
from workflows.registers.grant_model import Grant

#: Payable state → the account in which its amount lies.
_LIES_IN = {
    "reserved": "reserved",
    "ready": "reserved",
    "bounced": "reserved",
    "released": "released",
    "paid": "paid",
}


def check_funds(session: Session) -> Iterator[tuple[str, str]]:
    """What does not hold: (fund or batch, Chinese sentence)."""
    for fund in session.scalars(select(Appropriation).order_by(Appropriation.id)):
        yield from ((f"资金 {fund.document_number}", message) for message in check_fund(session, fund))
    for batch in session.scalars(select(PaymentBatch).order_by(PaymentBatch.id)):
        yield from ((f"批次 {batch.number}", message) for message in check_batch(session, batch))
    yield from _grants(session)


def check_fund(session: Session, fund: Appropriation) -> Iterator[str]:
    """What does not hold of one appropriation: its entries, its balance, what is owed from it."""
    sums: dict[str, int] = defaultdict(int)
    for credit, debit, amount in session.execute(
        select(LedgerEntry.credit, LedgerEntry.debit, func.sum(LedgerEntry.amount_fen))
        .where(LedgerEntry.appropriation_id == fund.id)
        .group_by(LedgerEntry.credit, LedgerEntry.debit)
    ):
        sums[credit] -= int(amount)
        sums[debit] += int(amount)
    balance = session.get_one(Balance, fund.id)
    for account, title in ACCOUNTS.items():
        if account == "source":
            if -sums[account] != fund.total_fen:
                yield f"登记金额 {yuan(fund.total_fen)} 元，分录合计 {yuan(-sums[account])} 元，不一致。"
            continue
        held = int(getattr(balance, f"{account}_fen"))
        if held != sums[account]:
            yield f"{title}余额 {yuan(held)} 元，分录合计 {yuan(sums[account])} 元，不一致。"
    owed: dict[str, int] = defaultdict(int)
    for state, amount in session.execute(
        select(Payable.state, func.sum(Payable.amount_fen))
        .where(Payable.appropriation_id == fund.id)
        .group_by(Payable.state)
    ):
        if state in _LIES_IN:
            owed[_LIES_IN[state]] += int(amount)
    for account in ("reserved", "released", "paid"):
        held = int(getattr(balance, f"{account}_fen"))
        if held != owed[account]:
            yield f"{ACCOUNTS[account]}余额 {yuan(held)} 元，款项合计 {yuan(owed[account])} 元，不一致。"


def check_batch(session: Session, batch: PaymentBatch) -> Iterator[str]:
    """What does not hold of one batch: its lines, its digest, its file, its answer."""
    lines = lines_of(session, batch.id)
    if len(lines) != batch.line_count or sum(line.amount_fen for line in lines) != batch.total_fen:
        yield "明细的笔数或金额与批次不符。"
    if digest_of(session, batch) != batch.lines_digest:
        yield "明细与经办时的摘要不符：被改动。"
    if batch.state in ("released", "settled") and not batch.file_sha256:
        yield "已拨付但没有银行文件。"
    answers = list(session.scalars(select(BankAnswer).where(BankAnswer.batch_id == batch.id)))
    if batch.state == "settled":
        if len(answers) != 1:
            yield f"已对账的批次应有一份银行回执，实有 {len(answers)} 份。"
            return
        said = lines_digest([(line.seq, line.state == "paid", line.bank_reference) for line in lines])
        if said != answers[0].lines_digest:
            yield "明细的支付结果与银行回执不符：被改动。"
    elif answers or any(line.state in ("paid", "bounced") for line in lines):
        yield "没有对账的批次有了支付结果。"


def _grants(session: Session) -> Iterator[tuple[str, str]]:
    """Every paid row has one grant, one batch line and one bank answer."""
    paid = aliased(BatchLine)
    rows = session.execute(
        select(Payable, Grant, func.count(paid.id))
        .outerjoin(Grant, Grant.id == Payable.grant_id)
        .outerjoin(
            paid, (paid.payable_id == Payable.id) & (paid.state == "paid") & paid.answer_id.is_not(None)
        )
        .where(Payable.state.in_(("paid", "recovered")))
        .group_by(Payable.id, Grant.id)
    )
    for payable, grant, lines in rows:
        if lines != 1:
            yield f"申请 {payable.case_number}", f"已支付的一笔款项有 {lines} 条银行回执，应为 1 条。"
        if payable.grant_id is not None and (grant is None or grant.state != payable.state):
            yield f"申请 {payable.case_number}", "已支付的一笔款项与奖补登记的状态不一致。"
    owed = set(session.scalars(select(Payable.grant_id).where(Payable.state.in_(("paid", "recovered")))))
    for grant in session.scalars(
        select(Grant).where(Grant.state.in_(("paid", "recovered")), Grant.case_id.is_not(None))
    ):
        if grant.id not in owed:
            yield f"奖补登记 {grant.id}", "登记为已发放，但没有支付记录。"
