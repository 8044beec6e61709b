"""What anybody may read without signing in: running 公示, the offices to turn to. A 公示 of money names its people
(``public_people``); nothing else here names a person.

A 公示 shows its content while it runs and not an instant longer: what is not running carries no content at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from workflows.base.calendar import WorkingCalendar
from workflows.base.clock import local, now, today
from workflows.base.errors import NotFound, WengangError
from workflows.cases.model import Case, Publicity
from workflows.cases.offices import LEAD, department_for, lead_of
from workflows.cases.process import Process, newest, process_of
from workflows.cases.public_people import PublishedPerson, published_people
from workflows.organisations.model import DEPARTMENT_KINDS, Department, Division
from workflows.registers.model import Workshop

PAGE = 20
_UNITS = {"working": "个工作日", "calendar": "天"}


@dataclass(frozen=True)
class Office:
    """Where one can turn to. ``phone`` and ``address`` may be empty."""

    name: str
    phone: str
    address: str


@dataclass(frozen=True)
class RunningPublicity:
    """A 公示 that runs. ``lines``: label and value as published; ``days_left``: 0 on its last day."""

    token: str
    title: str
    county: str
    lines: Sequence[tuple[str, str]]
    opens_on: date
    ends_on: date
    period: str
    days_left: int
    people: Sequence[PublishedPerson] = ()

    @property
    def heading(self) -> str:
        """What it is about: the first thing it shows."""
        return self.lines[0][1] if self.lines else self.title


@dataclass(frozen=True)
class PublicityPage:
    """Twenty of them, those that end first on top; ``more``: there is another page."""

    items: Sequence[RunningPublicity]
    number: int
    more: bool


@dataclass(frozen=True)
class PublicityNotice:
    """One 公示 as its page shows it. ``running`` is None once it ended or was stopped: nothing of its content is left.

    :ivar office: who receives objections; None where the county has not set one up.
    """

    title: str
    county: str
    office: Office | None
    running: RunningPublicity | None


def last_day(ends_at: datetime) -> date:
    """The last day of a period that ends at 24:00."""
    return (local(ends_at) - timedelta(seconds=1)).date()


def _is_running(publicity: Publicity) -> bool:
    return publicity.closed_at is None and now() < publicity.ends_at


def _shown(publicity: Publicity, county: str) -> RunningPublicity:
    ends_on = last_day(publicity.ends_at)
    return RunningPublicity(
        token=publicity.token,
        title=publicity.title,
        county=county,
        lines=[(line["label"], line["value"]) for line in publicity.content],
        opens_on=local(publicity.opens_at).date(),
        ends_on=ends_on,
        period=f"{publicity.days}{_UNITS.get(publicity.unit, '天')}",
        days_left=max(0, (ends_on - today()).days),
    )


def running_publicities(session: Session, county_code: str = "", page: int = 1) -> PublicityPage:
    """The 公示 that run now, of one county or of all."""
    query = select(Publicity).where(Publicity.closed_at.is_(None), Publicity.ends_at > now())
    if county_code:
        query = query.where(Publicity.county_code == county_code)
    found = session.scalars(
        query.order_by(Publicity.ends_at, Publicity.id).limit(PAGE + 1).offset((page - 1) * PAGE)
    ).all()
    names = division_names(session, (one.county_code for one in found))
    shown = [_shown(one, names.get(one.county_code, "")) for one in found[:PAGE]]
    return PublicityPage(shown, page, len(found) > PAGE)


def counties_publishing(session: Session) -> list[tuple[str, str]]:
    """Code and name of the counties with a running 公示."""
    codes = (
        select(Publicity.county_code)
        .where(Publicity.closed_at.is_(None), Publicity.ends_at > now())
        .distinct()
    )
    return _counties(session, codes)


def counties_registered(session: Session) -> list[tuple[str, str]]:
    """Code and name of the counties with a workshop in the register."""
    return _counties(session, select(Workshop.county_code).distinct())


def _counties(session: Session, codes: Select[str]) -> list[tuple[str, str]]:
    rows = session.execute(
        select(Division.code, Division.name).where(Division.code.in_(codes)).order_by(Division.code)
    )
    return [(code, name) for code, name in rows]


def division_names(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """Code → name, in one query."""
    wanted = set(codes)
    if not wanted:
        return {}
    rows = session.execute(select(Division.code, Division.name).where(Division.code.in_(wanted)))
    return {row.code: row.name for row in rows}


def publicity_notice(session: Session, token: str) -> PublicityNotice:
    """The 公示 of a token, running or over.

    :raises NotFound: there never was one.
    """
    publicity = session.scalars(select(Publicity).where(Publicity.token == token)).one_or_none()
    if publicity is None:
        raise NotFound("没有这个公示。网址可能不完整，请从“公示”列表重新进入。")
    county = division_names(session, [publicity.county_code]).get(publicity.county_code, "")
    running = None
    if _is_running(publicity):
        running = replace(_shown(publicity, county), people=published_people(session, publicity))
    return PublicityNotice(publicity.title, county, _receiver(session, publicity), running)


def _receiver(session: Session, publicity: Publicity) -> Office | None:
    """The office in whose lane an objection to this 公示 begins."""
    case = session.get_one(Case, publicity.case_id)
    process = objection_process(session, case, publicity.kind)
    kind = process.lanes[next(iter(process.steps.values())).lane].department
    kind = lead_of(session, case) if kind == LEAD else kind
    try:
        return _office(department_for(session, kind, case.division_code))
    except WengangError:
        return None


def objection_process(session: Session, case: Case, kind: str) -> Process:
    """The process that handles objections to a kind of 公示."""
    config = process_of(session, case.version_id).config["publicity"][kind]
    return newest(session, config["objection_process"])


def _office(department: Department) -> Office:
    return Office(department.name, department.phone, department.address)


@dataclass(frozen=True)
class CountyOffices:
    """The offices of one county that serve here, the county's before its townships'."""

    county: str
    offices: Sequence[Office]


def offices_by_county(session: Session) -> list[CountyOffices]:
    """Every office that has been set up, by county: the numbers to call."""
    order = list(DEPARTMENT_KINDS)
    departments = sorted(
        session.scalars(select(Department)),
        key=lambda one: (one.division_code[:6], len(one.division_code), order.index(one.kind), one.id),
    )
    names = division_names(session, (one.division_code[:6] for one in departments))
    grouped: dict[str, list[Office]] = {}
    for one in departments:
        grouped.setdefault(one.division_code[:6], []).append(_office(one))
    return [CountyOffices(names.get(code, ""), offices) for code, offices in grouped.items()]


def answer_due(session: Session, process: Process, case: Case) -> date:
    """The last day on which an objection should be answered: the limits of all steps, one after the other."""
    calendar = WorkingCalendar.read(session)
    day = local(case.started_at).date()
    for step in process.steps.values():
        if step.limit is not None:
            parameters = case.rules["parameters"]
            days = int(parameters[step.limit_parameter]["value"]) if step.limit_parameter else step.limit.days
            day = calendar.add(day, days, step.limit.unit)
    return day
