"""The register of workshops, and the demonstration county as a whole."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from workflows.audit.model import Event
from workflows.audit.verify import verify_streams, verify_uncovered
from workflows.base.errors import Conflict, Forbidden, NotFound
from workflows.base.files import FileStore
from workflows.base.session import Database
from workflows.organisations.model import User
from workflows.registers.demo_cast import ACCOUNTS, COUNTY
from workflows.registers.demo_county import load
from workflows.registers.identities import (
    altered_snapshots,
)
from workflows.registers.model import Employer, EmployerMember, Identity, Person
from workflows.registers.workshops import (
    Filter,
    WorkshopData,
    change_status,
    listing,
    register,
    set_review_due,
    workshop_of,
)


def _workshop(session: Session, number: int = 1, **changes: object) -> WorkshopData:
    employer = session.scalars(select(Employer).order_by(Employer.id).limit(1)).one()
    given: dict[str, object] = {
        "employer_id": employer.id,
        "name": f"第{number}车间",
        "mode": "factory",
        "number": f"通榆就帮车间〔2026〕{number}号",
        "address": "一号",
        "division_code": "220822901201",
        "worker_count": 5,
        "recognised_on": date(2026, 3, 2) + timedelta(days=number),
        "review_due": date(2027, 3, 2) + timedelta(days=number),
    }
    return WorkshopData(**(given | changes))  # type: ignore[arg-type]  # a plain bag of values


def test_a_recognised_workshop_is_entered_once(county_session: Session) -> None:
    entered = register(county_session, _workshop(county_session), actor_id=None)
    assert (entered.county_code, entered.status) == (COUNTY, "active")
    assert entered.first_recognised_on == entered.recognised_on
    assert workshop_of(county_session, entered.id) is entered
    renamed = register(
        county_session,
        _workshop(county_session, 2, first_recognised_on=date(2022, 7, 1)),
        actor_id=None,
    )
    assert renamed.first_recognised_on == date(2022, 7, 1)
    with pytest.raises(IntegrityError):
        register(county_session, _workshop(county_session), actor_id=None)


def test_an_entry_is_rectified_revoked_and_restored(county_session: Session) -> None:
    entered = register(county_session, _workshop(county_session), actor_id=None)
    day = date(2027, 4, 1)
    with pytest.raises(Conflict, match="现为“有效”，不能改为“有效”"):
        change_status(county_session, entered.id, "active", on=day, actor_id=None)
    change_status(county_session, entered.id, "rectifying", on=day, actor_id=None)
    change_status(county_session, entered.id, "revoked", on=day, actor_id=None)
    assert entered.revoked_on == day
    with pytest.raises(Conflict):
        change_status(county_session, entered.id, "rectifying", on=day, actor_id=None)
    change_status(county_session, entered.id, "active", on=day, actor_id=None, review_due=date(2028, 4, 1))
    assert (entered.revoked_on, entered.review_due) == (None, date(2028, 4, 1))
    set_review_due(county_session, entered.id, date(2029, 4, 1), actor_id=None)
    kinds = list(county_session.scalars(select(Event.kind).order_by(Event.id)))[-5:]
    assert kinds == [
        "workshop-registered",
        "workshop-rectifying",
        "workshop-revoked",
        "workshop-restored",
        "workshop-reviewed",
    ]
    for lookup in (lambda: workshop_of(county_session, 999_999),):
        with pytest.raises(NotFound):
            lookup()
    with pytest.raises(NotFound):
        change_status(county_session, 999_999, "revoked", on=day, actor_id=None)


def test_the_public_register_is_paged_and_filtered(county_session: Session) -> None:
    for number in range(1, 26):
        register(
            county_session,
            _workshop(county_session, number, mode="home" if number > 20 else "factory"),
            actor_id=None,
        )
    register(county_session, _workshop(county_session, 99, division_code="220881901201"), actor_id=None)
    first = listing(county_session, Filter(county_code=COUNTY), page=1)
    assert (first.total, first.pages, len(first.entries)) == (25, 2, 20)
    assert first.entries[0].name == "第25车间", "the newest first"
    last = listing(county_session, Filter(county_code=COUNTY), page=99)
    assert (last.number, len(last.entries)) == (2, 5)
    assert listing(county_session, Filter(mode="home")).total == 5
    assert listing(county_session, Filter(text="〔2026〕7号")).total == 1
    assert listing(county_session, Filter(text="晨曦")).total == 26, "by the employer's name"
    assert listing(county_session, Filter(text="%")).total == 0, "no wildcard of the database"
    empty = listing(county_session, Filter(status="revoked"), page=3)
    assert (empty.total, empty.pages, empty.number, empty.entries) == (0, 1, 1, [])


def test_the_demonstration_county_is_whole_and_loading_again_changes_nothing(
    county_database: Database, store: FileStore
) -> None:
    def counts(session: Session) -> list[int | None]:
        return [
            session.scalar(select(func.count()).select_from(table))
            for table in (User, Person, Employer, EmployerMember, Identity, Event)
        ]

    with county_database.transaction() as session:
        before = counts(session)
        county = load(session, demonstration=True, store=store)
        assert counts(session) == before
        assert set(county.users) == {account.username for account in ACCOUNTS}
        assert len(county.people) == len(county.person_ids) == 400
        assert [county.employers[number].status for number in range(1, 11)] == [
            *["confirmed"] * 8,
            "pending",
            "confirmed",
        ]
        person = county.people[7]
        assert session.get_one(Person, county.person_ids[7]).id_number == person.id_number
        assert county.village_of(county.people[0]) == "示范镇前进村"
        assert list(verify_streams(session)) == []
        assert verify_uncovered(session) == []
        assert altered_snapshots(session) == []


def test_the_demonstration_is_not_loaded_elsewhere(session: Session) -> None:
    with pytest.raises(Forbidden, match="演示环境"):
        load(session, demonstration=False)
