"""What the pages of 财政 read of appropriations and batches. Lists come in pages; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from workflows.base.clock import today
from workflows.funds.appropriations import balances
from workflows.funds.batch_model import BankAnswer, BatchLine, PaymentBatch, in_no_batch
from workflows.funds.model import AccountCorrection, Appropriation, Balance, LedgerEntry, Payable, Recovery
from workflows.organisations.model import User
from workflows.registers.model import Person

#: Rows on a page.
PAGE = 20
#: Money that has lain for more days than this is said to be idle.
IDLE_DAYS = 180

T = TypeVar("T")
#: A query, and a row of it, whose columns a docstring names.
AnySelect = Select[*tuple[Any, ...]]
AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows of a list. ``number`` counts from 1; ``total``: all there are."""

    rows: Sequence[T]
    number: int
    total: int
    size: int = PAGE


def paged(session: Session, query: AnySelect, number: int, size: int = PAGE) -> Page[AnyRow]:
    """A page of a query that has its order."""
    total = (
        session.scalar(query.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)) or 0
    )
    rows = session.execute(query.offset((number - 1) * size).limit(size)).all()
    return Page(rows, number, total, size)


# Appropriations -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FundState:
    """An appropriation and how it stands on a day. Amounts in fen.

    :param day: on which it stands so.
    :param idle_days: how long money has lain available since it came in; 0 when there is none.
    :param paid_share: 0 … 1 of what was appropriated has been paid.
    :param year_share: 0 … 1 of its year is over.
    """

    fund: Appropriation
    balance: Balance
    day: date
    idle_days: int
    paid_share: float
    year_share: float

    @property
    def open(self) -> bool:
        """Whether money may be reserved in it now."""
        day = self.day
        enabled, closed = self.fund.enabled_from, self.fund.closed_on
        return enabled is not None and enabled <= day and (closed is None or closed > day)

    @property
    def idle(self) -> bool:
        """Whether it is to be warned of."""
        return self.idle_days > IDLE_DAYS

    @property
    def behind(self) -> bool:
        """Whether payment is a quarter of the year behind the year itself."""
        return self.balance.available_fen > 0 and self.year_share - self.paid_share > 0.25


def fund_state(fund: Appropriation, balance: Balance, day: date) -> FundState:
    """How one appropriation stands on a day."""
    idle = (day - fund.received_on).days if balance.available_fen > 0 else 0
    share = balance.paid_fen / fund.total_fen if fund.total_fen else 0.0
    return FundState(fund, balance, day, max(idle, 0), share, year_share(fund.year, day))


def year_share(year: int, day: date) -> float:
    """How much of a year is over on a day: 0 before it, 1 after it."""
    if day.year != year:
        return 0.0 if day.year < year else 1.0
    return ((day - date(year, 1, 1)).days + 1) / (
        366 if date(year, 12, 31).timetuple().tm_yday == 366 else 365
    )


def fund_states(session: Session, county_codes: Collection[str]) -> list[FundState]:
    """Every appropriation of some counties, newest year first."""
    return [fund_state(fund, balance, today()) for fund, balance in balances(session, list(county_codes))]


def entries(session: Session, fund_id: int, number: int) -> Page[AnyRow]:
    """Entries of an appropriation, the newest first: (entry, name of who moved it, number of the batch)."""
    return paged(
        session,
        select(LedgerEntry, User.name, PaymentBatch.number)
        .outerjoin(User, User.id == LedgerEntry.actor_id)
        .outerjoin(PaymentBatch, PaymentBatch.id == LedgerEntry.batch_id)
        .where(LedgerEntry.appropriation_id == fund_id)
        .order_by(LedgerEntry.id.desc()),
        number,
    )


def carry_targets(session: Session, fund: Appropriation) -> list[Appropriation]:
    """Where the rest of an appropriation may go: open ones of the same county and source, of its year or later."""
    return list(
        session.scalars(
            select(Appropriation)
            .where(
                Appropriation.county_code == fund.county_code,
                Appropriation.source == fund.source,
                Appropriation.id != fund.id,
                Appropriation.year >= fund.year,
                Appropriation.closed_on.is_(None),
            )
            .order_by(Appropriation.year.desc(), Appropriation.id)
        )
    )


# What may be paid -----------------------------------------------------------------------------------------------------


def choices(session: Session, county_codes: Collection[str]) -> list[AnyRow]:
    """What a batch can be made of: (fund, process, how many are ready, their fen), by fund and process."""
    # Added up before the funds are joined: thousands of payables, a handful of sums.
    ready = (
        select(
            Payable.appropriation_id,
            Payable.process,
            func.count().label("people"),
            func.sum(Payable.amount_fen).label("fen"),
        )
        .where(
            Payable.appropriation_id.in_(
                select(Appropriation.id).where(Appropriation.county_code.in_(county_codes))
            ),
            Payable.state == "ready",
            in_no_batch(),
        )
        .group_by(Payable.appropriation_id, Payable.process)
        .subquery()
    )
    return list(
        session.execute(
            select(Appropriation, ready.c.process, ready.c.people, ready.c.fen)
            .join(ready, ready.c.appropriation_id == Appropriation.id)
            .order_by(Appropriation.id, ready.c.process)
        )
    )


# Batches --------------------------------------------------------------------------------------------------------------


def batch_counts(session: Session, county_codes: Collection[str]) -> dict[str, int]:
    """State → how many batches."""
    rows = session.execute(
        select(PaymentBatch.state, func.count())
        .where(PaymentBatch.county_code.in_(county_codes))
        .group_by(PaymentBatch.state)
    )
    return {state: int(count) for state, count in rows}


def batch_list(session: Session, county_codes: Collection[str], state: str, number: int) -> Page[AnyRow]:
    """Batches (with their fund), newest first; ``state``: all when empty."""
    query = (
        select(PaymentBatch, Appropriation)
        .join(Appropriation, Appropriation.id == PaymentBatch.appropriation_id)
        .where(PaymentBatch.county_code.in_(county_codes))
        .order_by(PaymentBatch.id.desc())
    )
    return paged(session, query.where(PaymentBatch.state == state) if state else query, number)


def line_page(session: Session, batch_id: int, number: int, size: int = 50) -> Page[AnyRow]:
    """Lines of a batch in order: (line, case number, state of the payable, name of the person it is paid for)."""
    return paged(
        session,
        select(BatchLine, Payable.case_number, Payable.state, Person.name)
        .join(Payable, Payable.id == BatchLine.payable_id)
        .outerjoin(Person, Person.id == Payable.person_id)
        .where(BatchLine.batch_id == batch_id)
        .order_by(BatchLine.seq),
        number,
        size,
    )


def answer_of(session: Session, batch_id: int) -> BankAnswer | None:
    """The bank's answer to a batch."""
    return session.scalars(select(BankAnswer).where(BankAnswer.batch_id == batch_id)).one_or_none()


def names(session: Session, user_ids: Collection[int | None]) -> dict[int, str]:
    """User → name."""
    wanted = [one for one in user_ids if one is not None]
    rows = session.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    return {row.id: row.name for row in rows}


# Bounced payments and recoveries --------------------------------------------------------------------------------------


def bounced(session: Session, county_codes: Collection[str], number: int) -> Page[AnyRow]:
    """Bounced payments, the oldest first: (payable, its last line, the batch, the correction that waits or ``None``,
    name of the person it is paid for)."""
    last = (
        select(func.max(BatchLine.id))
        .where(BatchLine.payable_id == Payable.id, BatchLine.state == "bounced")
        .correlate(Payable)
        .scalar_subquery()
    )
    return paged(
        session,
        select(Payable, BatchLine, PaymentBatch, AccountCorrection, Person.name)
        .join(Appropriation, Appropriation.id == Payable.appropriation_id)
        .join(BatchLine, BatchLine.id == last)
        .join(PaymentBatch, PaymentBatch.id == BatchLine.batch_id)
        .outerjoin(Person, Person.id == Payable.person_id)
        .outerjoin(
            AccountCorrection,
            (AccountCorrection.payable_id == Payable.id) & (AccountCorrection.state == "entered"),
        )
        .where(Appropriation.county_code.in_(county_codes), Payable.state == "bounced")
        .order_by(Payable.id),
        number,
    )


def recovery_list(session: Session, county_codes: Collection[str], state: str, number: int) -> Page[AnyRow]:
    """Recoveries with their payable, newest first; ``state``: all when empty."""
    query = (
        select(Recovery, Payable)
        .join(Payable, Payable.id == Recovery.payable_id)
        .where(Recovery.county_code.in_(county_codes))
        .order_by(Recovery.id.desc())
    )
    return paged(session, query.where(Recovery.state == state) if state else query, number)


# What waits -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """What waits for 财政, and for whom a recovery waits. ``check``, ``release`` and ``confirm``: not one's own.

    :param batches: how many batches the ready payments make: one for each fund and process.
    """

    batches: int
    ready: int
    ready_fen: int
    check: int
    release: int
    bank: int
    bounced: int
    confirm: int
    to_demand: int
    to_receive: int

    @property
    def finance(self) -> int:
        """How many things there are for 财政 to do; what one batch takes is one thing."""
        return self.batches + self.check + self.release + self.bounced + self.confirm + self.to_receive


def waiting(session: Session, county_codes: Collection[str], user_id: int | None) -> Waiting:
    """What waits in some counties for a person; batches and corrections of one's own wait for others."""
    ready = choices(session, county_codes)
    others = {
        state: int(count)
        for state, count in session.execute(
            select(PaymentBatch.state, func.count())
            .where(PaymentBatch.county_code.in_(county_codes), PaymentBatch.made_by != (user_id or 0))
            .group_by(PaymentBatch.state)
        )
    }
    back = select(Payable.id).join(Appropriation, Appropriation.id == Payable.appropriation_id)
    back = back.where(Appropriation.county_code.in_(county_codes), Payable.state == "bounced")
    entered = select(AccountCorrection.payable_id).where(AccountCorrection.state == "entered")
    recoveries = {
        state: int(count)
        for state, count in session.execute(
            select(Recovery.state, func.count())
            .where(Recovery.county_code.in_(county_codes))
            .group_by(Recovery.state)
        )
    }
    return Waiting(
        batches=len(ready),
        ready=sum(int(count) for _, _, count, _ in ready),
        ready_fen=sum(int(fen) for _, _, _, fen in ready),
        check=others.get("made", 0),
        release=others.get("checked", 0),
        bank=batch_counts(session, county_codes).get("released", 0),
        bounced=_count(session, back.where(Payable.id.not_in(entered))),
        confirm=_count(
            session,
            select(AccountCorrection.id).where(
                AccountCorrection.state == "entered",
                AccountCorrection.payable_id.in_(back),
                AccountCorrection.entered_by != (user_id or 0),
            ),
        ),
        to_demand=recoveries.get("decided", 0),
        to_receive=recoveries.get("demanded", 0),
    )


def letters_to_serve(session: Session, county_codes: Collection[str]) -> int:
    """Recoveries that were decided and whose letter nobody has noted as served."""
    return _count(
        session,
        select(Recovery.id).where(Recovery.county_code.in_(county_codes), Recovery.state == "decided"),
    )


def _count(session: Session, query: AnySelect) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0
