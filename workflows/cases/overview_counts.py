"""The counts that the notice names, by county: at work, workshops, people absorbed, grants and wages, relocated households.

Each number comes from a register: the newest list of 脱贫人口, the register of workshops, the register of grants. What a
list does not say is not counted and is said to be missing. A fixed number of questions, whatever the number of counties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import Select, and_, distinct, func, or_, select
from sqlalchemy.orm import Session

from workflows.base import yaml_text
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import codes_below
from workflows.organisations.model import Division
from workflows.registers.grant_model import Grant
from workflows.registers.model import AT_WORK, Identity, IdentitySnapshot, Workshop


@dataclass(frozen=True)
class Target:
    """What a notice asks of the whole province: ``people`` at work, and the article."""

    key: str
    title: str
    people: int
    basis: str


@dataclass(frozen=True)
class Paid:
    """Grants of one policy that were paid in the year: how many, and fen."""

    count: int
    fen: int


@dataclass(frozen=True)
class CountyCounts:
    """A county's counts.

    :param district: a 市辖区: the notice's 至少新建1个 speaks of 县（市）.
    :param listed: people of the newest list, 脱贫人口 and 监测对象. :param listed_on: its day; None without a list.
    :param work: where they work (:data:`workflows.registers.model.WORK`) → people; without the key where nothing is said.
    :param new_workshops: first recognised in the year. :param absorbed: people in workshops that count today.
    :param relocated: relocated households. :param without_work: those with labour and nobody at work.
    :param paid: policy → what was paid in the year.
    """

    code: str
    name: str
    district: bool
    listed: int = 0
    listed_on: date | None = None
    work: Mapping[str, int] = field(default_factory=dict)
    new_workshops: int = 0
    workshops: int = 0
    absorbed: int = 0
    relocated: int = 0
    without_work: int = 0
    paid: Mapping[str, Paid] = field(default_factory=dict)

    @property
    def at_work(self) -> int:
        return sum(self.work.get(key, 0) for key in AT_WORK)

    @property
    def unsaid(self) -> int:
        """People of the list whose work it does not say."""
        return self.listed - sum(self.work.values())


@cache
def targets() -> tuple[Target, ...]:
    """``targets.yaml``: data with its articles."""
    text = files("workflows.cases").joinpath("targets.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml_text.load(text)
    return tuple(Target(**one) for one in found)


def counties_of(session: Session, actor: Actor) -> list[Division]:
    """The counties that an actor answers for: those of the own place and below it; of a township, its county."""
    places = {post.division_code[:6] for post in actor.posts} or {actor.division_code or ""}
    below = or_(*(Division.code.in_(codes_below(place)) for place in places))
    return list(
        session.scalars(select(Division).where(Division.level == "county", below).order_by(Division.code))
    )


def county_counts(session: Session, counties: Sequence[Division], year: int) -> list[CountyCounts]:
    """The counts of some counties in a year, in their order."""
    codes = [one.code for one in counties]
    lists = _newest_lists(session, counties)
    work = _work(session, lists)
    relocated = _relocated(session, lists)
    workshops = _workshops(session, codes, year)
    paid = _paid(session, codes, year)
    return [
        CountyCounts(
            code=one.code,
            name=one.name,
            district=one.name.endswith("区"),
            listed=sum(work.get(one.code, {}).values()),
            listed_on=lists[one.code][1] if one.code in lists else None,
            work={key: count for key, count in work.get(one.code, {}).items() if key},
            new_workshops=workshops.get(one.code, (0, 0, 0))[0],
            workshops=workshops.get(one.code, (0, 0, 0))[1],
            absorbed=workshops.get(one.code, (0, 0, 0))[2],
            relocated=relocated.get(one.code, (0, 0))[0],
            without_work=relocated.get(one.code, (0, 0))[1],
            paid=paid.get(one.code, {}),
        )
        for one in counties
    ]


def _newest_lists(session: Session, counties: Sequence[Division]) -> dict[str, tuple[int, date]]:
    """County → its newest whole list; where it has none, that of the prefecture, then of the province."""
    above = {one.code: (one.code, one.code[:4] + "00", one.code[:2] + "0000") for one in counties}
    newest: dict[str, tuple[int, date]] = {}
    for key, place, day in session.execute(
        select(IdentitySnapshot.id, IdentitySnapshot.division_code, IdentitySnapshot.as_of)
        .where(
            IdentitySnapshot.completed_at.is_not(None),
            IdentitySnapshot.division_code.in_({place for places in above.values() for place in places}),
        )
        .order_by(IdentitySnapshot.as_of, IdentitySnapshot.id)
    ):
        newest[place] = (key, day)
    return {
        county: next(newest[place] for place in places if place in newest)
        for county, places in above.items()
        if any(place in newest for place in places)
    }


def _of_lists(lists: Mapping[str, tuple[int, date]]) -> Any:
    return and_(
        Identity.snapshot_id.in_({key for key, _ in lists.values()}),
        Identity.category.in_(("poverty_alleviated", "monitored")),
        Identity.until.is_(None),
    )


def _work(session: Session, lists: Mapping[str, tuple[int, date]]) -> dict[str, dict[str, int]]:
    """County → where its people work → people; the key is empty where the list does not say."""
    county = func.substr(Identity.village_code, 1, 6)
    found: dict[str, dict[str, int]] = {}
    for snapshot, code, work, count in session.execute(
        select(Identity.snapshot_id, county, Identity.work, func.count())
        .where(_of_lists(lists))
        .group_by(Identity.snapshot_id, county, Identity.work)
    ):
        if code in lists and lists[code][0] == snapshot:
            found.setdefault(code, {})[work or ""] = int(count)
    return found


def _relocated(session: Session, lists: Mapping[str, tuple[int, date]]) -> dict[str, tuple[int, int]]:
    """County → (relocated households, of which somebody could work and nobody does)."""
    county = func.substr(Identity.village_code, 1, 6)
    working = func.count().filter(Identity.work.in_(AT_WORK))
    able = func.count().filter(Identity.work.in_((*AT_WORK, "none")))
    households: Select[Any] = (
        select(
            Identity.snapshot_id.label("snapshot"),
            county.label("county"),
            Identity.village_code.label("village"),
            Identity.household.label("household"),
            working.label("working"),
            able.label("able"),
        )
        .where(_of_lists(lists), Identity.relocated.is_(True), Identity.household.is_not(None))
        .group_by(Identity.snapshot_id, county, Identity.village_code, Identity.household)
    )
    each = households.subquery()
    without = and_(each.c.able > 0, each.c.working == 0)
    return {
        code: (int(all_), int(some))
        for snapshot, code, all_, some in session.execute(
            select(each.c.snapshot, each.c.county, func.count(), func.count().filter(without)).group_by(
                each.c.snapshot, each.c.county
            )
        )
        if code in lists and lists[code][0] == snapshot
    }


def _workshops(session: Session, codes: Sequence[str], year: int) -> dict[str, tuple[int, int, int]]:
    """County → (new in the year, that count today, people in those)."""
    new = and_(
        Workshop.first_recognised_on >= date(year, 1, 1), Workshop.first_recognised_on <= date(year, 12, 31)
    )
    living = Workshop.status != "revoked"
    return {
        code: (int(fresh), int(count), int(people or 0))
        for code, fresh, count, people in session.execute(
            select(
                Workshop.county_code,
                func.count(distinct(Workshop.id)).filter(new),
                func.count().filter(living),
                func.sum(Workshop.worker_count).filter(living),
            )
            .where(Workshop.county_code.in_(codes))
            .group_by(Workshop.county_code)
        )
    }


def _paid(session: Session, codes: Sequence[str], year: int) -> dict[str, dict[str, Paid]]:
    found: dict[str, dict[str, Paid]] = {}
    for code, policy, count, fen in session.execute(
        select(Grant.county_code, Grant.policy, func.count(), func.sum(Grant.amount_fen))
        .where(
            Grant.county_code.in_(codes),
            Grant.state == "paid",
            Grant.paid_on >= date(year, 1, 1),
            Grant.paid_on <= date(year, 12, 31),
        )
        .group_by(Grant.county_code, Grant.policy)
    ):
        found.setdefault(code, {})[policy] = Paid(int(count), int(fen))
    return found
