"""以工代赈 projects as those who answer for them look at them: planned and paid, whom, what is owed since when, who has it.

Each function asks a fixed number of questions, however many projects there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, distinct, false, func, or_, select
from sqlalchemy.orm import Session, joinedload

from workflows.base.clock import local, now, today
from workflows.cases.model import Case, WorkItem
from workflows.cases.project_figures import ProjectFigures, figures_of
from workflows.funds.model import Payable
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import codes_below
from workflows.organisations.model import Division
from workflows.registers.project_model import Project, ProjectWorker, WorkDay

#: Projects on a page, and most of them in a workbook.
PAGE, MOST = 20, 5_000
#: States of a payable that is owed.
OWED = ("reserved", "ready", "released", "bounced")
#: After so many days without pay a month is called late: wages are due once a month.
LATE_DAYS = 30


@dataclass(frozen=True)
class Wanted:
    """What one looks for. ``status``: running, closed; ``late``: only those that owe for longer than a month."""

    county: str = ""
    status: str = ""
    late: bool = False


@dataclass(frozen=True)
class Holder:
    """Who has a case of the project now. ``days``: calendar days since it came there."""

    office: str
    title: str
    number: str
    days: int


@dataclass(frozen=True)
class ProjectLine:
    """One project. ``unpaid_since``: the last day of the earliest month whose wages are not out; None when all are."""

    project: Project
    county: str
    figures: ProjectFigures
    unpaid_since: date | None
    holders: Sequence[Holder]

    @property
    def late_days(self) -> int:
        """Calendar days since the end of the earliest month that is not paid."""
        return max(0, (today() - self.unpaid_since).days) if self.unpaid_since else 0

    @property
    def late(self) -> bool:
        return self.late_days > LATE_DAYS

    @property
    def short(self) -> bool:
        """Whether the share of labour pay is below the one the project requires."""
        return self.figures.ratio < self.project.required_ratio


@dataclass(frozen=True)
class CountySum:
    """All projects of a county together. Amounts in whole fen; people are counted once in a county."""

    code: str
    name: str
    projects: int
    running: int
    planned_fen: int
    paid_fen: int
    owed_fen: int
    people: int
    poor: int
    unpaid_since: date | None

    @property
    def late_days(self) -> int:
        return max(0, (today() - self.unpaid_since).days) if self.unpaid_since else 0

    @property
    def progress(self) -> int:
        """Percent of the planned labour pay that is paid, rounded down."""
        return self.paid_fen * 100 // self.planned_fen if self.planned_fen else 0


@dataclass(frozen=True)
class ProjectPage:
    """A page of projects. ``total``: of all pages."""

    lines: Sequence[ProjectLine]
    number: int
    total: int


def visible(actor: Actor) -> ColumnElement[bool]:
    """Which projects an actor looks at: of the own place and below, or those whose owner the own office is."""
    if actor.kind == "auditor":
        return Project.county_code.in_(codes_below(actor.division_code))
    found: list[ColumnElement[bool]] = []
    for post in actor.posts:
        if post.kind == "owner":
            found.append(Project.owner_department_id == post.department_id)
        elif len(post.division_code) > 6:
            found.append(Project.division_code.startswith(post.division_code, autoescape=True))
        else:
            found.append(Project.county_code.in_(codes_below(post.division_code)))
    return or_(*found) if found else false()


def visible_project(session: Session, actor: Actor, project_id: int) -> Project | None:
    """One of the projects that an actor looks at."""
    return session.scalars(select(Project).where(Project.id == project_id, visible(actor))).one_or_none()


def _conditions(actor: Actor, wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [visible(actor)]
    if wanted.county:
        found.append(Project.county_code == wanted.county)
    if wanted.status:
        found.append(Project.status == wanted.status)
    if wanted.late:
        edge = (today() - timedelta(days=LATE_DAYS)).replace(day=1)
        found.append(
            Project.id.in_(select(Case.project_id).where(Case.finished_at.is_(None), _first_day() < edge))
        )
    return found


def _first_day() -> ScalarSelect[date]:
    """The first day that a case claims: one look into the index, however many thousand days the payroll has."""
    return (
        select(func.min(WorkDay.day))
        .where(WorkDay.case_id == Case.id, WorkDay.state == "claimed")
        .correlate(Case)
        .scalar_subquery()
    )


def _month_end(day: date | None) -> date | None:
    if day is None:
        return None
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def county_sums(session: Session, actor: Actor, wanted: Wanted) -> list[CountySum]:
    """The projects by county, in the order of the counties' codes."""
    some = select(Project.id).where(*_conditions(actor, wanted))
    heads = session.execute(
        select(
            Project.county_code,
            Division.name,
            func.count(),
            func.count().filter(Project.status == "running"),
            func.sum(Project.planned_labour_fen),
        )
        .join(Division, Division.code == Project.county_code)
        .where(Project.id.in_(some))
        .group_by(Project.county_code, Division.name)
        .order_by(Project.county_code)
    ).all()
    money: dict[tuple[str, bool], int] = {}
    for county, state, fen in session.execute(
        select(Project.county_code, Payable.state, func.sum(Payable.amount_fen))
        .join(Case, Case.project_id == Project.id)
        .join(Payable, Payable.case_id == Case.id)
        .where(Project.id.in_(some), Payable.state.in_(("paid", *OWED)))
        .group_by(Project.county_code, Payable.state)
    ):
        money[county, state == "paid"] = money.get((county, state == "paid"), 0) + int(fen)
    poor = ProjectWorker.identity.in_(("poverty_alleviated", "monitored"))
    people = {
        county: (int(all_), int(some_poor))
        for county, all_, some_poor in session.execute(
            select(
                Project.county_code,
                func.count(distinct(ProjectWorker.person_id)),
                func.count(distinct(ProjectWorker.person_id)).filter(poor),
            )
            .join(ProjectWorker, ProjectWorker.project_id == Project.id)
            .where(Project.id.in_(some))
            .group_by(Project.county_code)
        )
    }
    unpaid = dict(
        session.execute(
            select(Project.county_code, func.min(_first_day()))
            .join(Case, Case.project_id == Project.id)
            .where(Project.id.in_(some), Case.finished_at.is_(None))
            .group_by(Project.county_code)
        ).all()
    )
    return [
        CountySum(
            code,
            name,
            int(count),
            int(running),
            int(planned),
            money.get((code, True), 0),
            money.get((code, False), 0),
            *people.get(code, (0, 0)),
            _month_end(unpaid.get(code)),
        )
        for code, name, count, running, planned in heads
    ]


def count(session: Session, actor: Actor, wanted: Wanted) -> int:
    """How many projects an actor would see."""
    return session.scalar(select(func.count()).select_from(Project).where(*_conditions(actor, wanted))) or 0


def project_page(
    session: Session, actor: Actor, wanted: Wanted, number: int = 1, size: int = PAGE
) -> ProjectPage:
    """A page of projects, the newest first."""
    conditions = _conditions(actor, wanted)
    total = count(session, actor, wanted)
    number = min(max(1, number), max(1, -(-total // size)))
    projects = session.scalars(
        select(Project).where(*conditions).order_by(Project.id.desc()).limit(size).offset((number - 1) * size)
    ).all()
    return ProjectPage(_lines(session, projects), number, total)


def _lines(session: Session, projects: Sequence[Project]) -> list[ProjectLine]:
    keys = [one.id for one in projects]
    figures = figures_of(session, keys)
    names = dict(
        session.execute(
            select(Division.code, Division.name).where(
                Division.code.in_({one.county_code for one in projects})
            )
        ).all()
    )
    unpaid = dict(
        session.execute(
            select(Case.project_id, func.min(_first_day()))
            .where(Case.project_id.in_(keys), Case.finished_at.is_(None))
            .group_by(Case.project_id)
        ).all()
    )
    holders: dict[int, list[Holder]] = {}
    for item in session.scalars(
        select(WorkItem)
        .join(Case, Case.id == WorkItem.case_id)
        .where(Case.project_id.in_(keys), WorkItem.closed_at.is_(None))
        .options(joinedload(WorkItem.department), joinedload(WorkItem.case))
        .order_by(WorkItem.opened_at, WorkItem.id)
    ):
        holders.setdefault(item.case.project_id or 0, []).append(
            Holder(
                item.department.name if item.department else "施工单位",
                item.title,
                item.case.number,
                (local(now()).date() - local(item.opened_at).date()).days,
            )
        )
    return [
        ProjectLine(
            one,
            names.get(one.county_code, ""),
            figures[one.id],
            _month_end(unpaid.get(one.id)),
            holders.get(one.id, ()),
        )
        for one in projects
    ]
