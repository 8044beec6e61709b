"""A year of 一次性奖补 in a county, or in every county of the province: for trying out and for measuring.

300 employers of a county, 20 people each, are paid in twelve batches. What moves people's slots and money goes through
the use cases that the offices use, one transaction a batch; the cases themselves are loaded as closed and have no steps to
look at, apart from one that is walked for real and whose diagram they share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from webapp.demo_cases import roster as sheet_of
from webapp.demo_scale_rows import (
    FIRST_SERIAL,
    PROCESS,
    Closed,
    Place,
    closed_case,
    new_employer,
    people_of,
    read_roster,
)
from workflows.audit.record import record, stream
from workflows.base import clock
from workflows.base.clock import SHANGHAI, now, today
from workflows.base.installation import installation
from workflows.base.session import Database
from workflows.cases.granting import policy_of
from workflows.cases.model import Case
from workflows.cases.process import Process, newest
from workflows.cases.scenario_money import answer_of, finance_officers
from workflows.cases.scenarios import Run, Scenarios
from workflows.cases.starting import rules_on
from workflows.documents.issue import Sign
from workflows.funds import answers, appropriations, batches, payables
from workflows.funds.batch_model import PaymentBatch
from workflows.funds.model import Appropriation
from workflows.organisations.actors import SYSTEM
from workflows.organisations.divisions import add_township, add_village, chain_codes
from workflows.organisations.model import Department, Division, User
from workflows.organisations.offices import add_department, assign_post
from workflows.organisations.passwords import DEMO_PASSWORD, hash_password
from workflows.registers import grants
from workflows.registers.demo_cast import COUNTY
from workflows.registers.demo_county import POSTS_FROM, DemoCounty
from workflows.registers.demo_people import bank_account, listed
from workflows.registers.grants import Claim, Claimant

AMOUNT_FEN = 100_000
EMPLOYERS, PEOPLE, BATCHES = 300, 20, 12
SCALES = ("county", "province")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Size:
    """How much of each. The tests load a little."""

    employers: int = EMPLOYERS
    people: int = PEOPLE
    batches: int = BATCHES

    @property
    def a_batch(self) -> int:
        """Employers in a batch."""
        return self.employers // self.batches


def load(
    database: Database,
    sign: Sign,
    county: DemoCounty,
    scale: str,
    progress: Progress | None = None,
    size: Size | None = None,
) -> int:
    """Load the year; what is there already stays, so that an interrupted load goes on. Returns the batches it made.

    :param scale: ``county`` (the demonstration county) or ``province`` (every county of it).
    """
    size = size or Size()
    closed = _walked(database, sign, county)
    with database.reading() as session:
        counties = session.scalars(
            select(Division.code).where(Division.level == "county").order_by(Division.code)
        ).all()
    wanted = [COUNTY] if scale == "county" else [COUNTY, *(one for one in counties if one != COUNTY)]
    made = 0
    for number, code in enumerate(wanted):
        place = _place(database, number, code, size)
        for month in range(_done(database, place), size.batches):
            _month(database, place, closed, month, size)
            made += 1
            if progress is not None:
                progress(number * size.batches + month + 1, len(wanted) * size.batches)
    return made


def _done(database: Database, place: Place) -> int:
    """How many of a county's batches are there."""
    with database.reading() as session:
        made = session.scalar(
            select(func.count())
            .select_from(PaymentBatch)
            .where(PaymentBatch.appropriation_id == place.fund_id)
        )
    return made or 0


# The case that is walked, and the place --------------------------------------------------------------------------


def _walked(database: Database, sign: Sign, county: DemoCounty) -> Closed:
    """A claim walked to its end through every office: its state is what a closed case looks like.

    It is paid from an appropriation of its own, of an earlier year, so that it is the first to be asked: what else waits
    in the demonstration county is for people to pay.
    """
    with database.reading() as session:
        found = _closed(session)
        employer_id = county.employers[3].id
    if found is not None:
        return found
    scenarios = Scenarios.read(PROCESS)
    people = listed(county.people)[60:62]
    begins = datetime.combine(today() - timedelta(days=400), time(9), SHANGHAI)
    with clock.frozen(begins) as move:
        with database.transaction() as session:
            data = _appropriation(COUNTY, today().year - 2, "演示单件", len(people) * AMOUNT_FEN)
            fund = appropriations.appropriate(session, finance_officers(session, COUNTY)[0], data).id
        scenario = {
            **scenarios.get("straight"),
            "application": {"claimed_count": len(people), "claim_year": today().year},
        }
        run = Run(database, sign, scenarios, employer_id, county.county_code, move, seed=3)
        run.start_for_workshop(scenario)
        months = "、".join(f"{begins.year - 1}-{month:02d}" for month in (9, 10, 11, 12))
        run.walk.upload(sheet_of(database, scenarios, county, people, paid_months=months))
        for action in scenario["walk"]:
            if "pay" in action:
                break
            run.take(action, scenario)
        with database.transaction() as session:
            _paid(session, COUNTY, fund)
        run.walk.work()
    with database.reading() as session:
        found = _closed(session)
    assert found is not None  # noqa: S101 - it was walked to its end
    return found


def _closed(session: Session) -> Closed | None:
    version = newest(session, PROCESS).version_id
    case = session.scalars(
        select(Case)
        .where(Case.process == PROCESS, Case.status == "paid", Case.version_id == version)
        .options(undefer(Case.state), undefer(Case.passed))
        .limit(1)
    ).one_or_none()
    return None if case is None else Closed(version, case.state, list(case.passed), str(case.end))


def _place(database: Database, number: int, code: str, size: Size) -> Place:
    """The county's village, offices, people and money; made where they are not there yet."""
    with database.transaction() as session:
        village = session.scalars(
            select(Division.code)
            .where(Division.level == "village", Division.code.like(f"{code}%"))
            .order_by(Division.code)
            .limit(1)
        ).one_or_none()
        if village is None:
            township = f"{code}901"
            add_township(session, SYSTEM, county_code=code, code=township, name="示例镇", kind="镇")
            village = f"{township}201"
            add_village(session, SYSTEM, township_code=township, code=village, name="示例村")
        _officers(session, code)
        year = today().year - 1
        document = f"演示批量财农〔{year}〕{number + 1}号"
        fund = session.scalars(
            select(Appropriation.id).where(
                Appropriation.county_code == code, Appropriation.document_number == document
            )
        ).one_or_none()
        if fund is None:
            total = size.employers * size.people * AMOUNT_FEN * 11 // 10
            with clock.frozen(now() - timedelta(days=370)):
                data = _appropriation(code, year, document, total)
                fund = appropriations.appropriate(session, finance_officers(session, code)[0], data).id
        rules = rules_on(session, newest(session, PROCESS), list(chain_codes(session, code)), today())
    return Place(number, code, village, fund, rules)


def _appropriation(code: str, year: int, document: str, total: int) -> appropriations.AppropriationData:
    return appropriations.AppropriationData(
        code,
        year,
        "rural_revitalisation",
        document,
        "衔接资金（演示批量）",
        total,
        (PROCESS,),
        today(),
        today(),
        "演示用虚构文件",
    )


def _officers(session: Session, code: str) -> None:
    """Three people of a 财政局: 经办, 复核 and 拨付."""
    office = session.scalars(
        select(Department).where(Department.kind == "finance", Department.division_code == code)
    ).one_or_none() or add_department(
        session, SYSTEM, kind="finance", division_code=code, name="财政局（演示）"
    )
    for number in range(len(finance_officers(session, code)), 3):
        user = User(
            username=f"caizheng.{code}.{number + 1}",
            name=f"金{'甲乙丙'[number]}",
            kind="officer",
            password_hash=hash_password(DEMO_PASSWORD),
            division_code=code,
            phone="15400009999",
        )
        session.add(user)
        record(session, stream(session, "organisation"), "user-created", actor_id=None, covers=[user])
        assign_post(
            session,
            SYSTEM,
            user_id=user.id,
            department_id=office.id,
            post="clerk",
            valid_from=POSTS_FROM,
        )


# A batch ---------------------------------------------------------------------------------------------------------


def _month(database: Database, place: Place, closed: Closed, month: int, size: Size) -> None:
    """One batch, some days before the next, and everything that leads to it."""
    day = today() - timedelta(days=30 * (size.batches - month))
    with clock.frozen(datetime.combine(day, time(10), SHANGHAI)), database.transaction() as session:
        process = newest(session, PROCESS)
        for number in range(month * size.a_batch, (month + 1) * size.a_batch):
            _claimed(session, process, place, closed, number, size)
        _paid(session, place.county, place.fund_id)


def _claimed(
    session: Session, process: Process, place: Place, closed: Closed, number: int, size: Size
) -> None:
    """One employer's claim: its people's slots are approved and their money may be paid."""
    serial = FIRST_SERIAL + place.number * size.employers + number
    employer = new_employer(session, place, serial)
    case = closed_case(session, process, place, closed, employer)
    rows = read_roster(session, process, case, list(people_of(serial, size.people)))
    claimed = grants.claim(
        session,
        policy_of(process),
        Claimant(case.id, employer, place.county),
        [Claim(row.person_id or 0, row.id, AMOUNT_FEN, employer.credit_code) for row in rows],
        actor_id=None,
    )
    good = list(claimed.free.values())
    grants.approve(session, good, actor_id=None)
    account = bank_account(serial)
    payables.reserve(
        session,
        payables.Origin(PROCESS, case.id, case.number, place.county),
        [
            payables.Owed(
                one.row_id or 0, AMOUNT_FEN, employer.name, account, "示范银行", one.person_id, one.id
            )
            for one in good
        ],
        actor_id=None,
    )
    payables.make_ready(session, case.id)


def _paid(session: Session, county: str, fund: int) -> None:
    """经办, 复核, 拨付 by three people, and the bank's answer, in which everything was paid."""
    one, other, third = finance_officers(session, county)[:3]
    store = installation().files
    made = batches.make(session, one, fund, PROCESS, blocked=_nothing)
    batches.check(session, other, made.id, True, "")
    batches.release(session, third, made.id, store, blocked=_nothing)
    answers.import_answer(session, one, made.id, answer_of(session, made), store, value_date=today())


def _nothing(_session: Session, _cases: Any) -> dict[int, str]:
    """The cases are loaded as closed: no 公示 of theirs runs."""
    return {}
