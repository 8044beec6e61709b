"""What the pages of 财政 read of cases: the payments of a case, and what the cases under way will need."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflows.base.calendar import WorkingCalendar
from workflows.base.clock import today
from workflows.base.privacy import mask_id
from workflows.cases.model import Case
from workflows.cases.officer_views import processes
from workflows.cases.process import Process, process_of
from workflows.cases.roster_model import RosterRow
from workflows.cases.roster_view import name_and_number
from workflows.funds.model import PAYABLE_STATES, Payable
from workflows.funds.views import Page, paged
from workflows.registers.grant_model import Grant

#: What a person may still be taken out of: the bank does not have it yet.
REMOVABLE = ("reserved", "ready", "bounced")


def paying_processes(session: Session) -> list[Process]:
    """The published processes that pay."""
    return [one for one in processes(session) if one.config.get("payment")]


# The payments of a case -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PaidPerson:
    """One person of a case that is paid. ``row_id`` names the row of the roster."""

    row_id: int
    payable_id: int
    name: str
    masked: str
    amount_fen: int
    state: str
    removable: bool

    @property
    def state_title(self) -> str:
        return PAYABLE_STATES[self.state]


@dataclass(frozen=True)
class CasePayments:
    """What a case pays: people and sum without the freed ones, and (state, Chinese, people, fen) of all."""

    people: int
    total_fen: int
    states: list[tuple[str, str, int, int]]


def payments(session: Session, case_id: int) -> CasePayments | None:
    """What a case pays; ``None`` when nothing was ever reserved for it."""
    counted = {
        state: (int(count), int(fen))
        for state, count, fen in session.execute(
            select(Payable.state, func.count(), func.sum(Payable.amount_fen))
            .where(Payable.case_id == case_id)
            .group_by(Payable.state)
        )
    }
    if not counted:
        return None
    living = [counts for state, counts in counted.items() if state != "freed"]
    return CasePayments(
        sum(count for count, _ in living),
        sum(fen for _, fen in living),
        [(state, title, *counted[state]) for state, title in PAYABLE_STATES.items() if state in counted],
    )


def paid_people(session: Session, case: Case, number: int) -> Page[PaidPerson]:
    """A page of the people a case pays, freed ones left out, in the order of the roster."""
    process = process_of(session, case.version_id)
    found = paged(
        session,
        select(Payable, RosterRow)
        .join(RosterRow, RosterRow.id == Payable.row_id)
        .where(Payable.case_id == case.id, Payable.state != "freed")
        .order_by(RosterRow.number),
        number,
    )
    people = [_person(process, payable, row) for payable, row in found.rows]
    return Page(people, found.number, found.total, found.size)


def _person(process: Process, payable: Payable, row: RosterRow) -> PaidPerson:
    name, number = name_and_number(process, row)
    return PaidPerson(
        row.id,
        payable.id,
        name,
        mask_id(number) if number else "",
        payable.amount_fen,
        payable.state,
        payable.state in REMOVABLE,
    )


# What will be needed --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Need:
    """What is expected to be reserved in a month. ``month``: its first day."""

    month: date
    cases: int
    people: int
    fen: int


def needs(session: Session, county_codes: Collection[str]) -> list[Need]:
    """What the cases under way will need, by the month in which they can be paid, the nearest first.

    Counted are the people claimed or held whom no money is reserved for yet, at the amount claimed. The month follows
    from the limits of the steps that are still before a case.
    """
    calendar = WorkingCalendar.read(session)
    months: dict[date, list[tuple[int, int]]] = {}
    for case, people, fen in session.execute(
        select(Case, func.count(Grant.id), func.sum(Grant.amount_fen))
        .join(Grant, Grant.case_id == Case.id)
        .where(
            Grant.county_code.in_(county_codes),
            Grant.state.in_(("claimed", "held")),
            Case.finished_at.is_(None),
        )
        .group_by(Case.id)
    ):
        day = _payable_on(session, case, calendar)
        months.setdefault(day.replace(day=1), []).append((int(people), int(fen)))
    return [
        Need(month, len(some), sum(people for people, _ in some), sum(fen for _, fen in some))
        for month, some in sorted(months.items())
    ]


def _payable_on(session: Session, case: Case, calendar: WorkingCalendar) -> date:
    """When a case can be paid if every office takes as long as it may: the slowest step of each stage, one after
    another, then the publicity."""
    process = process_of(session, case.version_id)
    parameters = case.rules.get("parameters", {})
    day = today()
    stages = [key for key, _ in process.stages]
    ahead = stages[stages.index(case.stage) :] if case.stage in stages else stages
    for stage in ahead:
        limits = [
            (_days(parameters, step.limit_parameter, step.limit.days), step.limit.unit)
            for step in process.steps.values()
            if step.stage == stage and step.limit is not None and not step.pauses_clock
        ]
        if limits:
            days, unit = max(limits)
            day = calendar.add(day, days, unit)
    return calendar.add(day, _days(parameters, "publicity_days", 0), "calendar")


def _days(parameters: Mapping[str, Mapping[str, object]], key: str, usual: int) -> int:
    value = parameters.get(key, {}).get("value")
    return value if isinstance(value, int) else usual
