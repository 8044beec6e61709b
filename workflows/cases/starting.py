"""Starting a case: on the newest version, under the basis and the parameters of the day."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import now, today
from workflows.base.parameters import Value, in_force
from workflows.cases.action import Action
from workflows.cases.advance import bindings, settle
from workflows.cases.functions import answer
from workflows.cases.model import Case, Draft, WorkItem
from workflows.cases.process import Process, newest
from workflows.documents.numbering import next_number
from workflows.engine import runner
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import county_among, division, levels_above
from workflows.registers.model import Employer, Workshop
from workflows.registers.project_model import Project


def rules_on(session: Session, process: Process, codes: list[str], day: date) -> dict[str, Any]:
    """The basis in force and every parameter's value and authority on ``day``.

    A county's ``basis`` parameter names a successor; without one the process's own list speaks. No basis in force is
    kept as ``None``: a rule table, not this function, refuses the case and says why.
    """
    defaults = {
        key: Value(raw["value"], raw.get("basis", ""))
        for key, raw in process.config.get("parameters", {}).items()
    }
    values = in_force(session, process.key, codes, day, defaults)
    candidates = [*([values["basis"].value] if "basis" in values else []), *process.config.get("basis", [])]
    basis = next((one for one in candidates if one and _covers(one, day)), None)
    return {
        "day": day.isoformat(),
        "basis": basis,
        "parameters": {
            key: {"value": value.value, "basis": value.basis, "division": value.division_code}
            for key, value in values.items()
            if key != "basis"
        },
    }


def _covers(basis: dict[str, Any], day: date) -> bool:
    return bool(basis.get("valid_from", "") <= day.isoformat() <= (basis.get("valid_to") or "9999-12-31"))


def start(
    session: Session,
    actor: Actor,
    process_key: str,
    *,
    division_code: str,
    employer: Employer | None = None,
    parent: Case | None = None,
    workshop: Workshop | None = None,
    project: Project | None = None,
    start_key: str = "",
) -> Case:
    """Open a case and run it to its first work item. The caller has asked the permission table.

    :param division_code: the township (or village) whose offices receive it.
    :param start_key: which of process.yaml's ``start``s; its answers are offered as the first step's draft.
    """
    process = newest(session, process_key)
    day = today()
    levels = levels_above(session, division_code)
    county = county_among(levels)
    rules = rules_on(session, process, list(levels), day)
    prefix = process.config["number_prefix"]
    # from here on, whoever starts another case of this kind in this county waits
    serial = next_number(session, f"case:{prefix}:{county}", day.year)
    moment = now()
    case = Case(
        number=f"{prefix}{county}-{day.year}-{serial:05d}",
        process=process.key,
        version_id=process.version_id,
        employer_id=employer.id if employer else None,
        division_code=division_code,
        county_code=county,
        parent_id=parent.id if parent else None,
        workshop_id=workshop.id if workshop else None,
        project_id=project.id if project else None,
        status=process.config.get("initial_status", "draft"),
        rules=rules,
        state=b"",
        passed=[],
        waiting=[],
        started_by=actor.user_id,
        started_at=moment,
        changed_at=moment,
        chain_seq=0,
        chain_head="",
    )
    session.add(case)
    session.flush()
    action = Action(session, case, process, actor.user_id, beginning=True)
    action.record("case-started", (case,), process=process.key, version=process.number)
    settle(action, runner.start(process.published, bindings(action)))
    _offer(action, start_key)
    return case


def begin_officially(action: Action) -> None:
    """The first submission: the case keeps the basis and the parameters of this day, not of the day a draft was begun,
    and goes to the township that the application names."""
    case, session = action.case, action.session
    place = action.process.config.get("place_from")
    if place:
        named = str(answer(action, place["form"], place["field"]) or "")
        if named:
            case.division_code = division(session, named).code
    with session.no_autoflush:  # a case changes neither divisions nor parameters
        levels = levels_above(session, case.division_code)
        if place:
            case.county_code = county_among(levels)
        case.rules = rules_on(session, action.process, list(levels), today())
    case.submitted_at = action.at
    action.record("case-submitted", (case,))


def _offer(action: Action, start_key: str) -> None:
    """Put a start's answers into the draft of the step it opened."""
    described: dict[str, Any] = next(
        (one for one in action.process.config.get("start", []) if one["key"] == start_key), {}
    )
    for step, answers in described.get("answers", {}).items():
        item = action.session.scalars(
            select(WorkItem).where(
                WorkItem.case_id == action.case.id, WorkItem.step == step, WorkItem.closed_at.is_(None)
            )
        ).first()
        if item is not None:
            raw = {key: [str(value)] for key, value in answers.items()}
            action.session.add(Draft(work_item_id=item.id, raw=raw, saved_at=action.at))
            action.session.flush()
