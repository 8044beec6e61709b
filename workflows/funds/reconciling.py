"""Reconciliation: every row of every batch with its state, what the bank has not answered in time, and whether the
batches and the ledger agree to the fen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflows.base.calendar import WorkingCalendar
from workflows.base.clock import local, now, today
from workflows.funds.batch_model import BankAnswer, BatchLine, PaymentBatch
from workflows.funds.check import check_batch, check_fund
from workflows.funds.model import Appropriation, Payable
from workflows.funds.views import AnyRow, AnySelect, Page, paged
from workflows.registers.model import Person

#: Working days within which a bank answers a batch.
ANSWER_DAYS = 3

LINE_STATES = {
    "waiting": "等待",
    "paid": "已支付",
    "bounced": "退票",
    "dropped": "未拨付（批次退回或作废）",
}


@dataclass(frozen=True)
class Overdue:
    """A released batch without an answer. ``due``: the last day in time; ``days``: working days since then."""

    batch: PaymentBatch
    due: date
    days: int


def overdue(session: Session, county_codes: Collection[str]) -> list[Overdue]:
    """Batches released more than ``ANSWER_DAYS`` working days ago that the bank has not answered, the oldest first."""
    calendar = WorkingCalendar.read(session)
    found = []
    for batch in session.scalars(
        select(PaymentBatch)
        .where(PaymentBatch.county_code.in_(county_codes), PaymentBatch.state == "released")
        .order_by(PaymentBatch.released_at, PaymentBatch.id)
    ):
        due = calendar.add(local(batch.released_at or now()).date(), ANSWER_DAYS, "working")
        if today() > due:
            found.append(Overdue(batch, due, calendar.between(due, today())))
    return found


def _rows(county_codes: Collection[str], state: str, batch: str) -> AnySelect:
    query = (
        select(
            BatchLine, PaymentBatch, Payable.case_number, Payable.state, BankAnswer.value_date, Person.name
        )
        .join(PaymentBatch, PaymentBatch.id == BatchLine.batch_id)
        .join(Payable, Payable.id == BatchLine.payable_id)
        .outerjoin(Person, Person.id == Payable.person_id)
        .outerjoin(BankAnswer, BankAnswer.id == BatchLine.answer_id)
        .where(PaymentBatch.county_code.in_(county_codes))
        .order_by(PaymentBatch.id.desc(), BatchLine.seq)
    )
    if state:
        query = query.where(BatchLine.state == state)
    return query.where(PaymentBatch.number == batch) if batch else query


def row_page(
    session: Session, county_codes: Collection[str], state: str, batch: str, number: int
) -> Page[AnyRow]:
    """Rows of batches, the newest batch first: (line, batch, case number, payable's state, day of payment,
    name of the person)."""
    return paged(session, _rows(county_codes, state, batch), number, 50)


def all_rows(
    session: Session, county_codes: Collection[str], state: str, batch: str, most: int
) -> list[AnyRow]:
    """The same rows at once, for a sheet; at most so many."""
    return list(session.execute(_rows(county_codes, state, batch).limit(most)))


def line_sums(session: Session, county_codes: Collection[str]) -> dict[str, tuple[int, int]]:
    """Line state → (how many, fen)."""
    return {
        state: (int(count), int(fen))
        for state, count, fen in session.execute(
            select(BatchLine.state, func.count(), func.sum(BatchLine.amount_fen))
            .join(PaymentBatch, PaymentBatch.id == BatchLine.batch_id)
            .where(PaymentBatch.county_code.in_(county_codes))
            .group_by(BatchLine.state)
        )
    }


def disagreements(session: Session, county_codes: Collection[str]) -> list[tuple[str, str]]:
    """Where entries, balances, payables, batches and answers of some counties do not agree: (what, sentence)."""
    found: list[tuple[str, str]] = []
    for fund in session.scalars(
        select(Appropriation).where(Appropriation.county_code.in_(county_codes)).order_by(Appropriation.id)
    ):
        found += [(f"资金 {fund.document_number}", message) for message in check_fund(session, fund)]
    for batch in session.scalars(
        select(PaymentBatch).where(PaymentBatch.county_code.in_(county_codes)).order_by(PaymentBatch.id)
    ):
        found += [(f"批次 {batch.number}", message) for message in check_batch(session, batch)]
    return found
