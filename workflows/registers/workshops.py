"""The register of recognised 就业帮扶车间: public, counted from, reviewed every year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.errors import Conflict, NotFound
from workflows.organisations.divisions import county_of
from workflows.registers.model import WORKSHOP_STATUSES, Employer, Workshop

#: From → to: what may become of an entry. A revoked one may be restored (恢复), after review alone.
TRANSITIONS = {
    "active": ("rectifying", "revoked"),
    "rectifying": ("active", "revoked"),
    "revoked": ("active",),
}


@dataclass(frozen=True)
class WorkshopData:
    """What a recognition enters into the register. ``annual_income_fen``: agreed or paid per worker and year."""

    employer_id: int
    name: str
    mode: str
    number: str
    address: str
    division_code: str
    worker_count: int
    recognised_on: date
    review_due: date
    case_id: int | None = None
    annual_income_fen: int | None = None
    carrier_type: str = "workshop"
    resettlement: bool = False
    #: Of a carrier that was renamed or moved: when it was first recognised. The indicator "新建" counts this day.
    first_recognised_on: date | None = None


def register(session: Session, data: WorkshopData, *, actor_id: int | None) -> Workshop:
    """Enter a recognised workshop. The number is unique: entering twice fails in the database itself."""
    workshop = Workshop(
        employer_id=data.employer_id,
        case_id=data.case_id,
        name=data.name,
        carrier_type=data.carrier_type,
        mode=data.mode,
        number=data.number,
        address=data.address,
        division_code=data.division_code,
        county_code=county_of(session, data.division_code).code,
        worker_count=data.worker_count,
        annual_income_fen=data.annual_income_fen,
        recognised_on=data.recognised_on,
        first_recognised_on=data.first_recognised_on or data.recognised_on,
        resettlement=data.resettlement,
        status="active",
        review_due=data.review_due,
    )
    session.add(workshop)
    _record(session, "workshop-registered", actor_id, workshop)
    return workshop


def change_status(
    session: Session,
    workshop_id: int,
    status: str,
    *,
    on: date,
    actor_id: int | None,
    review_due: date | None = None,
) -> Workshop:
    """Set an entry to ``rectifying``, ``revoked`` or ``active`` again.

    :param on: the day it takes effect; kept as the day of revocation.
    :param review_due: the next 年审, where the change sets one.
    """
    workshop = session.scalars(
        select(Workshop).where(Workshop.id == workshop_id).with_for_update(of=Workshop)
    ).one_or_none()
    if workshop is None:
        raise NotFound("登记册中没有这个车间。")
    if status not in TRANSITIONS[workshop.status]:
        raise Conflict(
            f"该车间现为“{WORKSHOP_STATUSES[workshop.status]}”，不能改为“{WORKSHOP_STATUSES[status]}”。"
        )
    workshop.status = status
    workshop.revoked_on = on if status == "revoked" else None
    if review_due is not None:
        workshop.review_due = review_due
    _record(session, f"workshop-{'restored' if status == 'active' else status}", actor_id, workshop)
    return workshop


def set_review_due(session: Session, workshop_id: int, due: date, *, actor_id: int | None) -> Workshop:
    """Passed its 年审: the next one is due then."""
    workshop = workshop_of(session, workshop_id)
    workshop.review_due = due
    _record(session, "workshop-reviewed", actor_id, workshop)
    return workshop


def workshop_of(session: Session, workshop_id: int) -> Workshop:
    """The entry; raises ``NotFound``."""
    found = session.get(Workshop, workshop_id)
    if found is None:
        raise NotFound("登记册中没有这个车间。")
    return found


@dataclass(frozen=True)
class Filter:
    """What a reader of the register looks for; empty means all."""

    county_code: str = ""
    mode: str = ""
    status: str = ""
    #: Part of a workshop's or employer's name, or of a number.
    text: str = ""


@dataclass(frozen=True)
class Page:
    """One page of the register. ``total``: entries that match."""

    entries: list[Workshop]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


def listing(session: Session, wanted: Filter, page: int = 1, size: int = 20) -> Page:
    """A page of the register, newest first; a page beyond the end is the last one."""
    conditions = _conditions(wanted)
    total = session.scalar(select(func.count(Workshop.id)).where(*conditions)) or 0
    page = min(max(1, page), max(1, -(-total // size)))
    entries = session.scalars(
        select(Workshop)
        .where(*conditions)
        .order_by(Workshop.recognised_on.desc(), Workshop.id.desc())
        .limit(size)
        .offset((page - 1) * size)
    )
    return Page(list(entries), page, size, total)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (Workshop.county_code, wanted.county_code),
            (Workshop.mode, wanted.mode),
            (Workshop.status, wanted.status),
        )
        if value
    ]
    if text := wanted.text.strip():
        employers = select(Employer.id).where(Employer.name.contains(text, autoescape=True))
        conditions.append(
            or_(
                Workshop.name.contains(text, autoescape=True),
                Workshop.number.contains(text, autoescape=True),
                Workshop.employer_id.in_(employers),
            )
        )
    return conditions


def _record(session: Session, kind: str, actor_id: int | None, workshop: Workshop) -> None:
    record(session, stream(session, "registers"), kind, actor_id=actor_id, covers=[workshop])
