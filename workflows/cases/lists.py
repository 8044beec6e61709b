"""The lists behind ``options_from`` of forms and rosters."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.definition import Option
from workflows.cases.model import Case
from workflows.cases.offices import OWNER
from workflows.cases.process import Process
from workflows.organisations.divisions import children
from workflows.organisations.model import Department


def lists_for(session: Session, case: Case, process: Process) -> dict[str, tuple[Option, ...]]:
    """The lists behind ``options_from``: divisions, villages, offices' people are the county's; places of defects the
    process's own materials and questions."""
    townships = children(session, case.county_code)
    villages = [
        Option(village.code, f"{township.name}{village.name}")
        for township in townships
        for village in children(session, township.code)
    ]
    places = [Option("roster", "花名册")] if process.roster is not None else []
    places += [Option(str(one["key"]), str(one["title"])) for one in process.materials]
    first = next((step for step in process.steps.values() if step.lane == "employer"), None)
    if first is not None:
        known = {one.value for one in places}
        places += [
            Option(field.key, field.label)
            for section in process.forms[first.form].sections
            for field in section.fields
            if field.key not in known and field.type not in ("roster", "files", "defects")
        ]
    return {
        "divisions": tuple(Option(one.code, one.name) for one in townships),
        "townships": tuple(Option(one.code, one.name) for one in townships),
        "villages": tuple(villages),
        "owners": _owners(session, case) if _asks_for_owners(process) else (),
        "defect_places": (*places, Option("other", "其他")),
    }


@lru_cache(maxsize=64)
def _asks_for_owners(process: Process) -> bool:
    return any(field.options_from == "owners" for form in process.forms.values() for field in form.fields)


def _owners(session: Session, case: Case) -> tuple[Option, ...]:
    """The county's offices that own projects."""
    owners = select(Department).where(
        Department.kind == OWNER, Department.division_code.startswith(case.county_code)
    )
    return tuple(Option(str(one.id), one.name) for one in session.scalars(owners.order_by(Department.id)))
