"""The employers, closed cases and rosters of ``demo_scale``: fictional, numbered, nobody's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.clock import now, today
from workflows.base.privacy import digest_id
from workflows.cases.model import Case
from workflows.cases.process import Process
from workflows.cases.roster_digest import RosterDigest
from workflows.cases.roster_model import Roster, RosterRow
from workflows.documents.numbering import next_number
from workflows.registers.demo_people import credit_code, id_number
from workflows.registers.model import Employer, Workshop
from workflows.registers.people import people_for

PROCESS = "one_time_reward"
#: A day has 999 numbers; these people were born from here on, before anybody of the demonstration county.
BORN = date(1958, 1, 1)
#: Serials of the employers: after the demonstration county's own.
FIRST_SERIAL = 1_000
_SURNAMES, _GIVEN = "王李张刘陈杨赵黄周吴", "秀芳桂兰玉梅春生国庆凤英海燕立军"


@dataclass(frozen=True)
class Place:
    """A county as its batches need it. ``number`` counts counties from 0."""

    number: int
    county: str
    village: str
    fund_id: int
    rules: dict[str, Any]


@dataclass(frozen=True)
class Closed:
    """What all loaded cases share with the one that was walked."""

    version_id: int
    state: bytes
    passed: list[str]
    end: str


def new_employer(session: Session, place: Place, serial: int) -> Employer:
    employer = Employer(
        credit_code=credit_code(serial),
        name=f"演示帮扶企业{serial}号",
        kind="company",
        legal_representative=f"{_SURNAMES[serial % 10]}代表",
        legal_id_digest=digest_id(id_number(date(1950, 1, 1) + timedelta(days=serial // 999), serial)),
        contact_name="示范联系人",
        contact_phone="15400010000",
        address=f"演示产业园{serial}号",
        division_code=place.village[:9],
        status="confirmed",
        confirmed_at=now(),
    )
    session.add(employer)
    session.flush()
    workshop = Workshop(
        employer_id=employer.id,
        name=f"演示帮扶车间{serial}号",
        mode="factory",
        number=f"演示批量车间{serial}号",
        address=employer.address,
        division_code=place.village,
        county_code=place.county,
        worker_count=20,
        recognised_on=today() - timedelta(days=200),
        first_recognised_on=today() - timedelta(days=200),
        review_due=today() + timedelta(days=600),
    )
    session.add(workshop)
    covers = (employer, workshop)
    payload = {"demonstration": True}
    chain = stream(session, "registers")
    record(session, chain, "demonstration-loaded", actor_id=None, payload=payload, covers=covers)
    return employer


def closed_case(session: Session, process: Process, place: Place, closed: Closed, employer: Employer) -> Case:
    prefix, year = process.config["number_prefix"], today().year
    serial = next_number(session, f"case:{prefix}:{place.county}", year)
    case = Case(
        number=f"{prefix}{place.county}-{year}-{serial:05d}",
        process=PROCESS,
        version_id=closed.version_id,
        employer_id=employer.id,
        division_code=place.village[:9],
        county_code=place.county,
        status="paid",
        stage="closed",
        rules=place.rules,
        state=closed.state,
        passed=closed.passed,
        waiting=[],
        started_at=now() - timedelta(days=30),
        submitted_at=now() - timedelta(days=28),
        changed_at=now(),
        finished_at=now(),
        end=closed.end,
        chain_seq=0,
        chain_head="",
    )
    session.add(case)
    session.flush()
    return case


def people_of(serial: int, count: int) -> Iterator[tuple[str, str]]:
    """Name and number of the people of an employer: nobody else's."""
    for number in range((serial - FIRST_SERIAL) * count, (serial - FIRST_SERIAL + 1) * count):
        name = _SURNAMES[number % 10] + _GIVEN[number % 16] + _GIVEN[number // 16 % 16]
        yield name, id_number(BORN + timedelta(days=number // 999), number)


def read_roster(
    session: Session, process: Process, case: Case, people: Sequence[tuple[str, str]]
) -> list[RosterRow]:
    held = people_for(session, [(number, name) for name, number in people])
    roster = Roster(case_id=case.id, status="current", uploaded_at=case.started_at, problems=[], judged_by={})
    roster.total = roster.done = roster.good = len(people)
    session.add(roster)
    session.flush()
    qualifies = process.config["row_result"]["counts"]
    rows = [
        RosterRow(
            roster_id=roster.id,
            number=place,
            values=_values(name, number),
            raw={"name": name, "id_number": number},
            person_id=held[digest_id(number)],
            id_digest=digest_id(number),
            errors={},
            warnings={},
            across=[],
            result=qualifies,
            bad=False,
            facts={},
            fired=[],
        )
        for place, (name, number) in enumerate(people, start=2)
    ]
    session.add_all(rows)
    session.flush()
    digest = RosterDigest()
    digest.add_rows(sorted(rows, key=lambda row: row.id))
    roster.digest, roster.judged = digest.read, digest.judged
    record(
        session,
        case,
        "demonstration-loaded",
        actor_id=None,
        payload={"people": len(rows)},
        covers=(case, roster),
    )
    return rows


def _values(name: str, number: str) -> dict[str, Any]:
    begins = today() - timedelta(days=150)
    return {
        "name": name,
        "id_number": number,
        "identity_category": "poverty_alleviated",
        "village": "示例镇示例村",
        "phone": "15400010000",
        "job": "包装工",
        "contract_type": "employment_agreement",
        "contract_from": begins.isoformat(),
        "contract_to": (begins + timedelta(days=364)).isoformat(),
        "paid_months": "、".join(
            f"{day.year}-{day.month:02d}" for day in (begins + timedelta(days=32 * n) for n in range(3))
        ),
        "total_wages": "9000.00",
    }
