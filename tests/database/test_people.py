"""People and what they are on a day."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from workflows.base.privacy import digest_id
from workflows.base.session import Database
from workflows.registers import demo_people, identities, people
from workflows.registers.demo_county import load
from workflows.registers.model import Identity, IdentitySnapshot, Person
from workflows.registers.people import get_or_create, identities_on, identity_on, people_for

WANG = "220899197111250060"

BORN = date(1980, 1, 1)


def _number(serial: int) -> str:
    return demo_people.id_number(BORN + timedelta(days=serial // 900), serial % 900)


def test_a_person_is_one_however_the_number_is_written(session: Session) -> None:
    first = get_or_create(session, WANG, "王㛃")
    assert (first.name, first.born_on, first.id_digest) == ("王㛃", date(1971, 11, 25), digest_id(WANG))
    assert get_or_create(session, f" {WANG} ", "王某") is first
    old = get_or_create(session, "220899711125006", "王㛃")
    assert get_or_create(session, demo_people.id_number(date(1971, 11, 25), 5), "王㛃").id == old.id
    assert old is first
    assert session.scalar(select(func.count(Person.id))) == 1
    assert first.name == "王㛃"


def test_many_people_at_once_in_batches(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people._batches, "__defaults__", (7,))
    wanted = [(_number(serial), f"某{serial}") for serial in range(20)]
    keys = people_for(session, [*wanted, wanted[0]])
    assert len(keys) == 20
    assert people_for(session, wanted) == keys


def test_invariant_1_two_transactions_that_meet_one_person_end_with_one_row(database: Database) -> None:
    def meet() -> None:
        with database.transaction() as session:
            people_for(session, [(_number(serial), "某") for serial in range(50)])

    threads = [threading.Thread(target=meet) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.scalar(select(func.count(Person.id))) == 50


def test_nobody_else_gets_the_digest_of_a_person(session: Session) -> None:
    get_or_create(session, WANG, "王㛃")
    session.add(Person(id_digest=digest_id(WANG), id_number=WANG, name="冒名"))
    with pytest.raises(IntegrityError):
        session.flush()


@pytest.fixture
def dated(county_session: Session) -> Callable[..., int]:
    """Makes a snapshot of one person: ``dated(person_id, as_of, since=…, until=…)``; without a person an empty one."""

    def make(
        person_id: int | None,
        as_of: date,
        *,
        since: date | None = None,
        until: date | None = None,
        whole: bool = True,
        division: str = "220881",
        category: str = "monitored",
    ) -> int:
        snapshot = IdentitySnapshot(division_code=division, as_of=as_of, source="test", sha256="-")
        snapshot.completed_at = snapshot.imported_at = identities.now() if whole else None
        snapshot.imported_at = identities.now()
        county_session.add(snapshot)
        county_session.flush()
        if person_id is not None:
            county_session.add(
                Identity(
                    snapshot_id=snapshot.id,
                    person_id=person_id,
                    category=category,
                    since=since,
                    until=until,
                )
            )
            county_session.flush()
        return snapshot.id

    return make


def test_the_newest_list_before_the_day_speaks(county_session: Session, dated: Callable[..., int]) -> None:
    wang = get_or_create(county_session, _number(1), "王").id
    dated(wang, date(2024, 6, 30))
    dated(None, date(2024, 12, 31))
    dated(wang, date(2025, 6, 30), category="poverty_alleviated")

    def category(day: date) -> str | None:
        found = identity_on(county_session, [wang], day).get(wang)
        return found.category if found else None

    assert category(date(2024, 6, 29)) is None, "before the first list, and it does not say since when"
    assert category(date(2024, 6, 30)) == "monitored"
    assert category(date(2024, 12, 31)) is None, "no longer on the list"
    assert category(date(2025, 6, 30)) == "poverty_alleviated"
    assert identity_on(county_session, [wang], date(2025, 7, 1))[wang].as_of == date(2025, 6, 30)


def test_the_dates_in_the_list_bound_the_category(county_session: Session, dated: Callable[..., int]) -> None:
    wang = get_or_create(county_session, _number(1), "王").id
    dated(wang, date(2024, 6, 30), since=date(2021, 1, 1), until=date(2024, 9, 30))
    expected = {
        date(2020, 12, 31): False,
        date(2021, 1, 1): True,  # before the first list, which says since when
        date(2024, 9, 30): True,
        date(2024, 10, 1): False,
    }
    for day, held in expected.items():
        assert bool(identity_on(county_session, [wang], day)) is held, day


def test_an_unfinished_list_does_not_count_and_a_later_import_of_a_day_replaces_it(
    county_session: Session, dated: Callable[..., int]
) -> None:
    wang, li = (get_or_create(county_session, _number(n), "某").id for n in (1, 2))
    dated(wang, date(2024, 6, 30), since=date(2020, 1, 1))
    again = dated(li, date(2024, 6, 30), since=date(2020, 1, 1))
    dated(wang, date(2024, 9, 30), whole=False)
    for day in (date(2024, 12, 31), date(2021, 1, 1)):
        found = identity_on(county_session, [wang, li], day)
        assert {key: one.snapshot_id for key, one in found.items()} == {li: again}


def test_on_two_counties_lists_the_newer_one_speaks(
    county_session: Session, dated: Callable[..., int]
) -> None:
    wang = get_or_create(county_session, _number(1), "王").id
    for days in (((2026, 1, 31), (2026, 2, 28)), ((2026, 2, 28), (2026, 1, 31))):
        dated(wang, date(*days[0]), division="220881", category="monitored")
        dated(wang, date(*days[1]), division="220882", category="poverty_alleviated")
    newest = identity_on(county_session, [wang], date(2026, 2, 10))[wang]
    assert newest.as_of == date(2026, 1, 31)
    assert identity_on(county_session, [wang], date(2026, 3, 1))[wang].as_of == date(2026, 2, 28)
    dated(wang, date(2026, 3, 31), division="220881")
    dated(wang, date(2026, 3, 15), division="220882")
    assert identity_on(county_session, [wang], date(2026, 4, 1))[wang].as_of == date(2026, 3, 31)


def test_each_on_the_first_day_of_his_own_contract(county_session: Session) -> None:
    county = load(county_session, demonstration=True)
    off_the_list = next(
        person
        for place, person in enumerate(demo_people.listed(county.people))
        if place == len(demo_people.listed(county.people)) - 15
    )
    key = county.person_ids[off_the_list.number]
    steady = county.person_ids[0]
    found = identities_on(county_session, {key: date(2025, 6, 1), steady: date(2026, 2, 1)})
    assert found[key].as_of == date(2024, 12, 31)
    assert found[steady].as_of == date(2025, 12, 31)
    assert found[steady].village_code == "220822901201"
    assert identities_on(county_session, {key: date(2026, 2, 1)}) == {}


def test_five_thousand_people_take_two_statements(county_session: Session) -> None:
    keys = people_for(county_session, [(_number(n), "某") for n in range(5000)]).values()
    statements: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = county_session.get_bind()
    event.listen(engine, "before_cursor_execute", count)
    try:
        assert identity_on(county_session, keys, date(2026, 3, 1)) == {}
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert len(statements) == 2


def test_without_any_list_nobody_holds_anything(session: Session) -> None:
    assert identity_on(session, [1, 2], date(2026, 3, 2)) == {}
