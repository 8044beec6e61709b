"""The work list: what waits for an office, sorted by deadline; the same cost at a hundred and at a million open items.

What makes lists slow is counting and joining. So: a partial index on open items by (office, deadline, id), pages by
keyset, counts capped, and the joins only for the twenty rows shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from workflows.base.clock import local, now, today
from workflows.cases.model import NO_LIMIT, Case, WorkItem
from workflows.organisations.model import Department, User
from workflows.registers.model import Employer

PAGE = 20
#: Counting stops here: "1000+".
CAP = 1000
#: 临期: this many days before the deadline.
SOON = timedelta(days=2)


@dataclass(frozen=True)
class Light:
    """A deadline's state: ``tone`` normal, soon, overdue, paused or none; ``text`` Chinese."""

    tone: str
    text: str


@dataclass(frozen=True)
class Filters:
    """What an officer looks for. ``search``: case number, employer's name or credit code (prefix of each)."""

    process: str = ""
    step: str = ""
    mine: bool = False
    unclaimed: bool = False
    light: str = ""
    search: str = ""


@dataclass(frozen=True)
class Page:
    """Twenty items and where the next ones begin; ``count`` is capped at ``CAP``."""

    items: Sequence[WorkItem]
    count: int
    capped: bool
    next_after: str | None


def light(item: WorkItem, instant: datetime | None = None) -> Light:
    """The lamp of an item: 正常, 临期 (two days), 超期, 暂停."""
    instant = instant or now()
    if item.paused_at is not None:
        return Light("paused", "计时暂停")
    if item.due_at == NO_LIMIT:
        return Light("none", "不限时")
    last = (local(item.due_at) - timedelta(seconds=1)).date()
    days = (last - today()).days
    if instant >= item.due_at:
        return Light("overdue", f"超期 {max(1, -days)} 天")
    if item.due_at - instant <= SOON:
        return Light("soon", "今天到期" if days == 0 else f"临期 还剩 {days} 天")
    return Light("normal", f"还剩 {days} 天")


def deadline_day(due_at: datetime) -> date:
    """The last day of a limit whose end is 24:00."""
    return (local(due_at) - timedelta(seconds=1)).date()


def _where(department_ids: Sequence[int], filters: Filters, user_id: int | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        WorkItem.closed_at.is_(None),
        WorkItem.department_id == department_ids[0]
        if len(department_ids) == 1
        else WorkItem.department_id.in_(department_ids),
    ]
    if filters.step:
        conditions.append(WorkItem.step == filters.step)
    if filters.mine:
        conditions.append(WorkItem.claimed_by == user_id)
    if filters.unclaimed:
        conditions.append(WorkItem.claimed_by.is_(None))
    if filters.light == "overdue":
        conditions.append(WorkItem.due_at <= now())
    if filters.light == "soon":
        conditions.append(and_(WorkItem.due_at > now(), WorkItem.due_at <= now() + SOON))
    if filters.process:
        conditions.append(WorkItem.case_id.in_(select(Case.id).where(Case.process == filters.process)))
    if filters.search:
        conditions.append(WorkItem.case_id.in_(matching_cases(filters.search)))
    return conditions


def matching_cases(search: str) -> Select[int]:
    """Cases whose number, employer's credit code or employer's name begins with the text (name: contains)."""
    text = search.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return (
        select(Case.id)
        .outerjoin(Employer, Employer.id == Case.employer_id)
        .where(
            or_(
                Case.number.like(f"{text.upper()}%", escape="\\"),
                Employer.credit_code.like(f"{text.upper()}%", escape="\\"),
                Employer.name.like(f"%{text}%", escape="\\"),
            )
        )
    )


def page(
    session: Session,
    department_ids: Sequence[int],
    filters: Filters | None = None,
    *,
    user_id: int | None = None,
    after: str | None = None,
    counted: tuple[int, bool] | None = None,
) -> Page:
    """A page of the open items of some offices, the earliest deadline first.

    :param after: ``next_after`` of the page before.
    :param counted: how many there are, where :func:`tallies` said it already.
    """
    filters = filters or Filters()
    if not department_ids:
        return Page([], 0, False, None)
    conditions = _where(department_ids, filters, user_id)
    query = select(WorkItem).where(*conditions)
    if after:
        stamp, _, last_id = after.partition("_")
        reached = tuple_(datetime.fromtimestamp(int(stamp), tz=UTC), int(last_id))
        query = query.where(tuple_(WorkItem.due_at, WorkItem.id) > reached)
    query = query.order_by(WorkItem.due_at, WorkItem.id).limit(PAGE + 1)
    items = list(
        session.scalars(
            # What a line shows, and no more: twenty units' telephones need not be deciphered for it.
            query.options(
                joinedload(WorkItem.case)
                .load_only(Case.number, Case.process)
                .joinedload(Case.employer)
                .load_only(Employer.name),
                joinedload(WorkItem.claimant).load_only(User.name),
                joinedload(WorkItem.department).load_only(Department.name),
            )
        )
    )
    count, capped = counted or capped_count(session, conditions)
    following = None
    if len(items) > PAGE:
        items = items[:PAGE]
        last = items[-1]
        following = f"{int(last.due_at.timestamp())}_{last.id}"
    return Page(items, count, capped, following)


def capped_count(session: Session, conditions: Sequence[ColumnElement[bool]]) -> tuple[int, bool]:
    """How many, up to ``CAP``: reading more index entries than that is what makes a list slow."""
    some = select(WorkItem.id).where(*conditions).limit(CAP + 1).subquery()
    count = session.scalar(select(func.count()).select_from(some)) or 0
    return min(count, CAP), count > CAP


def _tally(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    open_here = (
        WorkItem.closed_at.is_(None),
        WorkItem.department_id.in_(bindparam("departments", expanding=True)),
    )
    some = select(WorkItem.id).where(*open_here, *conditions).limit(CAP + 1).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


#: All tabs in one question, built once: it is asked for every page of every officer.
_TALLIES = select(
    _tally().label("all"),
    _tally(WorkItem.claimed_by == bindparam("user")).label("mine"),
    _tally(WorkItem.claimed_by.is_(None)).label("unclaimed"),
    _tally(WorkItem.due_at > bindparam("instant"), WorkItem.due_at <= bindparam("soon")).label("soon"),
    _tally(WorkItem.due_at <= bindparam("instant")).label("overdue"),
)


def tallies(
    session: Session, department_ids: Sequence[int], user_id: int | None
) -> dict[str, tuple[int, bool]]:
    """Counts for the tabs: all, mine, unclaimed, soon, overdue; each capped."""
    if not department_ids:
        return dict.fromkeys(("all", "mine", "unclaimed", "soon", "overdue"), (0, False))
    instant = now()
    given = {
        "departments": list(department_ids),
        "user": user_id,
        "instant": instant,
        "soon": instant + SOON,
    }
    found = session.execute(_TALLIES, given).one()._mapping
    return {str(name): (min(count, CAP), count > CAP) for name, count in found.items()}
