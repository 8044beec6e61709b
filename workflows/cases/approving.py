"""Which rows of a claim are approved: the living grants, split by what the rules and the offices said of their rows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.cases.model import Case
from workflows.cases.process import Process
from workflows.cases.roster_model import Roster, RosterRow, RowVerdict
from workflows.cases.verdicts import AGREE, REFUSE, current_roster
from workflows.organisations.model import Department
from workflows.registers import grants
from workflows.registers.grant_model import Grant


@dataclass(frozen=True)
class Word:
    """An office's word on one row. ``kind``: of the office; ``by``: the user."""

    kind: str
    by: int | None
    reason: str


def named(session: Session, roster: Roster, verdict: str) -> dict[int, list[Word]]:
    """Row → the offices' words of one kind (``agree`` or ``refuse``) on this very row."""
    found: dict[int, list[Word]] = {}
    for row_id, kind, by, reason in session.execute(
        select(RowVerdict.row_id, Department.kind, RowVerdict.by, RowVerdict.reason)
        .join(RosterRow, RosterRow.id == RowVerdict.row_id)
        .join(Department, Department.id == RowVerdict.department_id)
        .where(RosterRow.roster_id == roster.id, RowVerdict.verdict == verdict)
    ):
        found.setdefault(row_id, []).append(Word(kind, by, reason or ""))
    return found


def approved(session: Session, case: Case, process: Process) -> tuple[list[Grant], list[Grant]]:
    """The living grants of a claim that is still before 复核: (to be approved, to be freed).

    复核 reserves exactly what the first list comes to; the rule on the office meeting asks for the same sum before.
    """
    roster = current_roster(session, case.id)
    living = [one for one in grants.of_case(session, case.id) if one.state in ("claimed", "held")]
    if roster is None:
        return [], living
    confirmable = process.config["row_result"].get("confirmable")
    refused, agreed = named(session, roster, REFUSE), named(session, roster, AGREE)
    results = {
        row.id: row.result
        for row in session.execute(
            select(RosterRow.id, RosterRow.result).where(RosterRow.roster_id == roster.id)
        )
    }
    good: list[Grant] = []
    out: list[Grant] = []
    for grant in living:
        row = grant.row_id or 0
        if row in refused or row not in results:
            out.append(grant)
        elif results[row] == confirmable and row not in agreed:
            out.append(grant)  # what the rules left open is closed only by a word on this very row
        else:
            good.append(grant)
    return good, out
