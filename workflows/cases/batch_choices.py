"""What a payment batch can be made of: the cases of an appropriation whose money waits, and their units with sums.

A county pays thousands of people and hundreds of cases at once: the clerk chooses units and cases, not people. A person
who must not be paid is taken out of the case (``removing.remove_row``), not out of the batch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import case as either
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflows.cases.model import Case
from workflows.cases.paying import blocked_cases
from workflows.funds.batch_model import in_no_batch
from workflows.funds.batches import MAX_LINES
from workflows.funds.model import Payable
from workflows.registers.model import Employer

#: Held back without a reason of the case itself.
NOT_YET = "公示期满、异议办结后转入待拨付"


@dataclass(frozen=True)
class WaitingCase:
    """A case with money that no batch holds. ``people``, ``fen``: what waits; ``blocked``: why it cannot be paid now."""

    case_id: int
    number: str
    employer_id: int
    employer: str
    people: int
    fen: int
    blocked: str = ""


@dataclass(frozen=True)
class WaitingUnit:
    """A unit with what may be paid to it, over all its cases."""

    employer_id: int
    name: str
    cases: tuple[WaitingCase, ...]

    @property
    def people(self) -> int:
        return sum(one.people for one in self.cases)

    @property
    def fen(self) -> int:
        return sum(one.fen for one in self.cases)


@dataclass(frozen=True)
class Waiting:
    """All cases of an appropriation that wait: those that may be paid now, and those that may not, each by number."""

    payable: Sequence[WaitingCase]
    held: Sequence[WaitingCase]

    @property
    def people(self) -> int:
        return sum(one.people for one in self.payable)

    @property
    def fen(self) -> int:
        return sum(one.fen for one in self.payable)

    def units(self) -> list[WaitingUnit]:
        """What may be paid, by unit, by name."""
        found: dict[int, list[WaitingCase]] = {}
        for one in self.payable:
            found.setdefault(one.employer_id, []).append(one)
        units = [WaitingUnit(key, some[0].employer, tuple(some)) for key, some in found.items()]
        return sorted(units, key=lambda unit: (unit.name, unit.employer_id))

    def first(self, most: int = MAX_LINES) -> dict[int, int]:
        """Whole cases in the order of their numbers until one batch is full: case → people.

        A case that is larger than a batch goes alone; the batch takes as much of it as it can.
        """
        taken: dict[int, int] = {}
        left = most
        for one in self.payable:
            if one.people > left:
                break
            taken[one.case_id] = one.people
            left -= one.people
        return taken or {one.case_id: one.people for one in self.payable[:1]}


def waiting_cases(session: Session, fund_id: int, process: str) -> Waiting:
    """What waits in an appropriation, asked of the database in sums: one row for a case, however many its people."""
    ready = either((Payable.state == "ready", 1), else_=0)
    added = (
        select(
            Payable.case_id,
            func.sum(ready).label("ready_people"),
            func.sum(ready * Payable.amount_fen).label("ready_fen"),
            func.count().label("people"),
            func.sum(Payable.amount_fen).label("fen"),
        )
        .where(
            Payable.appropriation_id == fund_id,
            Payable.process == process,
            Payable.state.in_(("ready", "reserved")),
            in_no_batch(),
        )
        .group_by(Payable.case_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Case.id,
            Case.number,
            Employer.id,
            Employer.name,
            added.c.ready_people,
            added.c.ready_fen,
            added.c.people,
            added.c.fen,
        )
        .join(added, added.c.case_id == Case.id)
        .join(Employer, Employer.id == Case.employer_id)
        .order_by(Case.id)
    ).all()
    reasons = blocked_cases(session, [row[0] for row in rows if row[4]])
    payable, held = [], []
    for case_id, number, employer_id, name, ready_people, ready_fen, people, fen in rows:
        reason = reasons.get(case_id, "") if ready_people else NOT_YET
        if reason:
            held.append(WaitingCase(case_id, number, employer_id, name, int(people), int(fen), reason))
        else:
            payable.append(WaitingCase(case_id, number, employer_id, name, int(ready_people), int(ready_fen)))
    return Waiting(payable, held)


def still_there(waiting: Waiting, chosen: Mapping[int, int]) -> dict[int, int]:
    """Of a choice, the cases that can be paid, each with what is ready now."""
    people = {one.case_id: one.people for one in waiting.payable}
    return {case_id: people[case_id] for case_id in chosen if case_id in people}


def sums(waiting: Waiting, chosen: Collection[int]) -> tuple[int, int, int]:
    """What a choice comes to: cases, people, fen."""
    some = [one for one in waiting.payable if one.case_id in chosen]
    return len(some), sum(one.people for one in some), sum(one.fen for one in some)
