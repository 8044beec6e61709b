"""The progress of a case for whoever knows its number and the last four digits of its contact's phone."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import local, now
from workflows.cases.facts import CaseView
from workflows.cases.model import NO_LIMIT, Case, Objection, Publicity
from workflows.cases.page import StageView, stages, waiting
from workflows.cases.process import Process, process_of
from workflows.cases.public_views import last_day
from workflows.cases.worklist import Light, deadline_day
from workflows.registers.model import Employer

DIGITS = 4
_DASHES = str.maketrans({"—": "-", "–": "-", "―": "-", "−": "-", "‐": "-"})


@dataclass(frozen=True)
class WaitingFor:
    """Who has the case now. ``office``: a name, no person; ``until`` is None for a step without a limit."""

    title: str
    office: str
    until: date | None
    light: Light
    own: bool


@dataclass(frozen=True)
class Progress:
    """Where a case is. ``publicity``: the token of its 公示 while one runs, with its last day."""

    number: str
    title: str
    status: str
    tone: str
    stages: Sequence[StageView]
    stopped: str
    submitted_on: date | None
    finished_on: date | None
    waiting: Sequence[WaitingFor]
    publicity: tuple[str, date] | None
    publicity_over: bool


def clean_number(text: str) -> str:
    """A case number as it is stored, however it was typed."""
    whole = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return "".join(whole.split()).upper()


def clean_digits(text: str) -> str:
    """Four digits, or nothing."""
    found = "".join(unicodedata.normalize("NFKC", text).split())
    return found if len(found) == DIGITS and found.isascii() and found.isdigit() else ""


def progress_of(session: Session, number: str, digits: str) -> Progress | None:
    """The progress of a case; ``None`` alike for an unknown number and for wrong digits."""
    case = session.scalars(select(Case).where(Case.number == clean_number(number))).one_or_none()
    given = clean_digits(digits)
    phone = _phone(session, case) if case is not None else ""
    right = hmac.compare_digest(phone[-DIGITS:].encode(), given.encode())
    if case is None or not given or not right:
        return None
    return _progress(session, case, process_of(session, case.version_id))


def _phone(session: Session, case: Case) -> str:
    """The contact's phone: of an objection the objector's own, never the employer's whom it is about."""
    if case.parent_id is not None:
        objection = session.scalars(select(Objection).where(Objection.case_id == case.id)).one_or_none()
        return objection.objector_phone if objection else ""
    process = process_of(session, case.version_id)
    first = next((step for step in process.steps.values() if step.lane == "employer"), None)
    answers = CaseView.of(session, case, process).answers(first.form) if first else {}
    employer = session.get(Employer, case.employer_id) if case.employer_id else None
    return str(answers.get("contact_phone") or (employer.contact_phone if employer else ""))


def _progress(session: Session, case: Case, process: Process) -> Progress:
    publicity = session.scalars(
        select(Publicity)
        .where(Publicity.case_id == case.id, Publicity.closed_at.is_(None))
        .order_by(Publicity.id.desc())
        .limit(1)
    ).one_or_none()
    runs = publicity is not None and now() < publicity.ends_at
    tone = process.status_tone(case.status)
    ended_well = case.finished_at is not None and tone == "good"
    return Progress(
        number=case.number,
        title=process.title,
        status=process.status_title(case.status),
        tone=tone,
        stages=_stages(case, process),
        stopped="" if case.finished_at is None or ended_well else process.status_title(case.status),
        submitted_on=local(case.submitted_at).date() if case.submitted_at else None,
        finished_on=local(case.finished_at).date() if case.finished_at else None,
        waiting=[
            WaitingFor(
                one.title,
                one.office,
                None if one.item.due_at == NO_LIMIT or one.item.paused_at else deadline_day(one.item.due_at),
                one.light,
                one.item.employer_id is not None,
            )
            for one in waiting(session, case)
        ],
        publicity=(publicity.token, last_day(publicity.ends_at)) if publicity is not None and runs else None,
        publicity_over=publicity is not None and not runs,
    )


def _stages(case: Case, process: Process) -> Sequence[StageView]:
    """The stepper; a case that ended is nowhere "in progress"."""
    shown = stages(case, process)
    if case.finished_at is None:
        return shown
    return [StageView(one.title, "done" if one.state == "current" else one.state) for one in shown]
