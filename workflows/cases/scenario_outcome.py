"""What a walk came to, read from the rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import undefer

from workflows.base.session import Database
from workflows.cases.model import Case, RuleResult, WorkItem
from workflows.cases.roster_model import Roster, RosterRow
from workflows.documents.model import IssuedDocument
from workflows.registers.model import Workshop


@dataclass
class Outcome:
    """What a run came to, to be compared with what the scenario expects."""

    case_id: int
    status: str
    end: str | None
    documents: list[str]
    passed: list[str]
    fired: set[str]
    decided: dict[str, str]
    workshop: str | None
    open_steps: list[str] = field(default_factory=list)


def outcome_of(database: Database, case_id: int) -> Outcome:
    """What stands in the rows now."""
    with database.reading() as session:
        case = session.scalars(select(Case).where(Case.id == case_id).options(undefer(Case.passed))).one()
        results = session.scalars(
            select(RuleResult).where(RuleResult.case_id == case.id).order_by(RuleResult.id)
        ).all()
        rows = session.scalars(
            select(RosterRow.fired)
            .join(Roster, Roster.id == RosterRow.roster_id)
            .where(Roster.case_id == case.id)
        ).all()
        workshop = session.get(Workshop, case.workshop_id) if case.workshop_id else None
        return Outcome(
            case_id=case.id,
            status=case.status,
            end=case.end,
            documents=list(
                session.scalars(
                    select(IssuedDocument.name)
                    .where(IssuedDocument.case_id == case.id)
                    .order_by(IssuedDocument.id)
                )
            ),
            passed=list(case.passed),
            fired={rule["id"] for result in results for rule in result.fired}
            | {rule["id"] for fired in rows for rule in fired},
            decided={result.decision: str(result.outputs.get("result")) for result in results},
            workshop=workshop.status if workshop else None,
            open_steps=list(
                session.scalars(
                    select(WorkItem.step).where(WorkItem.case_id == case.id, WorkItem.closed_at.is_(None))
                )
            ),
        )
