"""Where the thing that is applied for lies, written out whole: people leave out township and village, papers must not."""

from __future__ import annotations

from workflows.cases.action import Action
from workflows.cases.functions import latest_answers
from workflows.cases.process import Process
from workflows.organisations.divisions import full_address
from workflows.registers.model import Employer


def is_address(process: Process, form: str, field: str) -> bool:
    """Whether this is the answer that process.yaml's ``place_from`` names as the address."""
    place = process.config.get("place_from") or {}
    return (place.get("form"), place.get("address")) == (form, field)


def place_of_business(action: Action) -> str:
    """Township, village and address: as the application says, else as the employer is registered."""
    place = action.process.config.get("place_from") or {}
    answers = latest_answers(action, place["form"]) if place else {}
    typed = str(answers.get(place.get("address", "")) or "")
    if typed:
        return full_address(action.session, action.case.division_code, typed)
    employer = action.session.get_one(Employer, action.case.employer_id)
    return full_address(action.session, employer.division_code, employer.address)
