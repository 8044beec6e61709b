"""``grant_lookup``: is this person free? In a register of ten thousand grants and of ten million."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date

from sqlalchemy import String, cast, func, insert, literal, select
from sqlalchemy.orm import Session

from benchmarks.figures import Figure, middle
from benchmarks.world import KINDS, World, analyse
from workflows.base.clock import now
from workflows.base.privacy import digest_id
from workflows.base.session import Database
from workflows.registers import grants
from workflows.registers.demo_people import id_number
from workflows.registers.grant_model import Grant
from workflows.registers.grants import Policy
from workflows.registers.model import Employer, Person
from workflows.registers.people import people_for

GOAL = 1.5
SIZES = (10_000, 10_000_000)
QUICK = (10_000, 40_000)
#: People who are really asked for; everybody else is a copy made by the database.
KNOWN = 1_000
POLICY = Policy("workshop_reward", ("absorption_subsidy",))
OTHER = "91220000DEMO00000X"


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a database; the floor is the same question in a register of the first size, in turns."""
    small, large = QUICK if quick else SIZES
    for kind in KINDS:
        with world.county(kind) as here, world.county(kind) as there:
            few, many = _Register(here, small), _Register(there, large)
            pairs = [(few.ask(number), many.ask(number)) for number in range(220)][20:]
            yield Figure(
                f"grant_lookup {kind} {large}",
                middle([far for _, far in pairs]) * 1000,
                "ms",
                middle([near for near, _ in pairs]) * 1000,
                GOAL,
            )


class _Register:
    """A register of so many people, each with one paid grant."""

    def __init__(self, database: Database, size: int) -> None:
        self.database = database
        with database.transaction() as session:
            self.people = [(id_number(date(1961, 1, 1), serial), "演示") for serial in range(KNOWN)]
            people_for(session, self.people[: KNOWN // 2])  # the other half is nobody the register knows
            self.employer = session.scalars(select(Employer).order_by(Employer.id)).first()
            session.expunge_all()
        while (count := self._grants()) < size:
            with database.transaction() as session:
                self._double(session, min(count, size - count))
        analyse(database)

    def _double(self, session: Session, number: int) -> None:
        """As many people again, with digests of nobody: random, so that they fall all over the index."""
        if session.get_bind().dialect.name == "postgresql":
            digest = func.md5(cast(func.random(), String)).concat(func.md5(cast(func.random(), String)))
        else:
            digest = func.lower(func.hex(func.randomblob(32)))
        copies = select(digest, Person.id_number, Person.name, Person.created_at).limit(number)
        names = ["id_digest", "id_number", "name", "created_at"]
        session.execute(insert(Person.__table__).from_select(names, copies))

    def _grants(self) -> int:
        """A grant for everybody who has none yet; returns how many people there are."""
        with self.database.transaction() as session:
            last = session.scalar(select(func.max(Grant.person_id))) or 0
            values = {
                "policy": literal(POLICY.key),
                "scope": literal(OTHER),
                "employer_name": literal("演示企业"),
                "county_code": literal("220822"),
                "amount_fen": literal(100_000),
                "state": literal("paid"),
                "document_number": literal(""),
                "paid_on": literal(date(2024, 6, 30)),
                "created_at": literal(now(), Grant.created_at.type),
                "changed_at": literal(now(), Grant.changed_at.type),
            }
            copies = select(Person.id, *values.values()).where(Person.id > last)
            session.execute(insert(Grant.__table__).from_select(["person_id", *values], copies))
            return session.scalar(select(func.count()).select_from(Person)) or 0

    def ask(self, number: int) -> float:
        """Seconds to hear whether one person is free."""
        who = self.people[number * 7 % KNOWN][0]
        begun = time.perf_counter()
        with self.database.reading() as session:
            person = session.scalar(select(Person.id).where(Person.id_digest == digest_id(who)))
            if person is not None:
                grants.obstacles(session, POLICY, {person: OTHER}, self.employer)
        return time.perf_counter() - begun
