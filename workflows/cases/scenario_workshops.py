"""Workshops in scenarios: the entry of the register that a case is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from workflows.base.clock import today
from workflows.base.session import Database
from workflows.cases.scenario_people import day_of
from workflows.cases.starting import start
from workflows.organisations.actors import SYSTEM
from workflows.registers import workshops
from workflows.registers.model import Employer, Workshop


def begin_about_workshop(
    database: Database, process: str, scenario: Mapping[str, Any], employer_id: int, seed: int
) -> int:
    """Open a case about the unit's workshop: the one it has in that status, or one entered for it. Its key."""
    described = scenario["workshop"]
    recognised = day_of(described["recognised_on"], today())
    with database.transaction() as session:
        employer = session.get_one(Employer, employer_id)
        workshop = session.scalars(
            select(Workshop).where(
                Workshop.employer_id == employer.id, Workshop.status == described["status"]
            )
        ).first() or workshops.register(
            session,
            workshops.WorkshopData(
                employer_id=employer.id,
                name=f"{employer.name}就业帮扶车间",
                mode="factory",
                number=f"情景车间〔{recognised.year}〕{employer.id}-{seed}号",
                address=employer.address,
                division_code=employer.division_code,
                worker_count=3,
                recognised_on=recognised,
                review_due=today(),
            ),
            actor_id=None,
        )
        if described["status"] != workshop.status:
            workshops.change_status(session, workshop.id, described["status"], on=today(), actor_id=None)
        return start(
            session,
            SYSTEM,
            process,
            division_code=employer.division_code,
            employer=employer,
            workshop=workshop,
            start_key=scenario["start"],
        ).id
