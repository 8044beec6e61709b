"""Invariant 12 at the edge to the public: what guests read names no person, and a 公示 leaves nothing behind. And
invariant 3: an objection sent twice at once is one. On both databases."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.databases import PostgresHouse, SqliteHouse
from tests.web import public_world
from tests.web.public_world import PublicWorld
from workflows.audit.model import Event
from workflows.base import clock
from workflows.base.errors import Conflict, Invalid, NotFound
from workflows.base.session import Database
from workflows.cases import check, process
from workflows.cases.access import visible_case
from workflows.cases.model import Case, Command, Objection, Publicity
from workflows.cases.objecting import ANONYMOUS, LEAST, submit_objection
from workflows.cases.process import process_of
from workflows.cases.public_papers import find_paper, paper_like, paper_of
from workflows.cases.public_progress import progress_of
from workflows.cases.public_views import (
    PAGE,
    answer_due,
    counties_publishing,
    counties_registered,
    division_names,
    offices_by_county,
    publicity_notice,
    running_publicities,
)
from workflows.cases.scenarios import Run, Scenarios
from workflows.cases.walking import Walk
from workflows.documents.model import IssuedDocument
from workflows.organisations.model import User
from workflows.registers.membership import load_actor
from workflows.registers.model import Employer

CONTENT = "名册里的两个人已经外出打工，平时不在这个车间干活。"
OBJECTOR = ("钱守义", "13943600001")
KEY = "0" * 32
Mover = Callable[[timedelta], None]


def unsigned(pdf: bytes, reason: str, when: datetime) -> bytes:
    """Signing has tests of its own."""
    return pdf


@pytest.fixture(scope="module")
def _worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, PublicWorld]]:
    return tmp_path_factory.mktemp("privacy"), {}


@pytest.fixture
def places(
    house: SqliteHouse | PostgresHouse, _worlds: tuple[Path, dict[int, PublicWorld]]
) -> Iterator[tuple[Database, PublicWorld]]:
    folder, worlds = _worlds

    def make(database: Database) -> None:
        worlds[id(house)] = public_world.fill(database, folder)

    process.forget()
    with house.fresh("privacy", make) as database:
        yield database, worlds[id(house)]
    process.forget()


@pytest.fixture
def database(places: tuple[Database, PublicWorld]) -> Database:
    return places[0]


@pytest.fixture
def world(places: tuple[Database, PublicWorld]) -> PublicWorld:
    return places[1]


@pytest.fixture(autouse=True)
def move(world: PublicWorld) -> Iterator[Mover]:
    """Time stands still while the 公示 runs."""
    with clock.frozen(world.at) as moved:
        yield moved


def words(found: Any) -> str:
    """Everything a read model carries, as one text; rows of tables are not part of what a page shows."""
    if isinstance(found, IssuedDocument):
        return ""
    if dataclasses.is_dataclass(found):
        return " ".join(words(getattr(found, one.name)) for one in dataclasses.fields(found))
    if isinstance(found, dict):
        return words([*found, *found.values()])
    if isinstance(found, list | tuple):
        return " ".join(words(one) for one in found)
    return str(found)


def personal(world: PublicWorld) -> list[str]:
    """Names, ID numbers and phones that the cases hold."""
    held = [part for person in world.people for part in person]
    return [*held, world.phone, "赵德厚", "孙敏", "13804360001", *OBJECTOR]


def everything_public(database: Database, world: PublicWorld) -> str:
    """All that a guest who knows every address and number can read."""
    with database.reading() as session:
        found = [
            running_publicities(session),
            publicity_notice(session, world.token),
            counties_publishing(session),
            counties_registered(session),
            offices_by_county(session),
            progress_of(session, world.case_number, world.phone[-4:]),
            progress_of(session, world.recognised_number, world.phone[-4:]),
            *(paper_of(session, token) for token, _, _ in world.papers.values()),
        ]
        return words(found)


def submit(database: Database, world: PublicWorld, key: str = KEY, content: str = CONTENT) -> str:
    with database.transaction() as session:
        receipt = submit_objection(
            session, world.token, key=key, content=content, name=OBJECTOR[0], phone=OBJECTOR[1]
        )
    return receipt.number


def test_invariant_12_a_running_publicity_names_the_unit_and_no_person(
    database: Database, world: PublicWorld
) -> None:
    submit(database, world)
    shown = everything_public(database, world)
    assert world.employer in shown
    assert [one for one in personal(world) if one in shown] == []


def test_invariant_12_after_the_end_nothing_of_it_is_left(
    database: Database, world: PublicWorld, move: Mover
) -> None:
    with database.reading() as session:
        row = session.scalars(select(Publicity).where(Publicity.token == world.token)).one()
        content = [line["value"] for line in row.content]
    move(world.ends_at - clock.now() - timedelta(seconds=1))
    assert world.employer in everything_public(database, world)
    move(timedelta(seconds=1))
    shown = everything_public(database, world)
    assert world.employer not in shown
    with database.reading() as session:
        notice = publicity_notice(session, world.token)
        assert notice.running is None
        assert [one for one in content if one in words(notice)] == []
        assert running_publicities(session).items == []


def test_invariant_12_an_objector_stays_out_of_audit_and_keys(database: Database, world: PublicWorld) -> None:
    submit(database, world)
    with database.reading() as session:
        texts = [f"{event.kind} {event.payload} {event.covers}" for event in session.scalars(select(Event))]
        texts += [
            f"{command.key} {command.digest} {command.result}" for command in session.scalars(select(Command))
        ]
    leaked = [one for one in (*OBJECTOR, CONTENT) if any(one in text for text in texts)]
    assert leaked == []
    assert check.check(database) == []
    assert check.verify_everything(database) == []


def test_the_unit_objected_to_does_not_learn_who_objected(database: Database, world: PublicWorld) -> None:
    number = submit(database, world)
    with database.reading() as session:
        own = load_actor(session, session.scalars(select(User).where(User.username == "qiye1")).one())
        office = load_actor(session, session.scalars(select(User).where(User.username == "renshe.a")).one())
        assert visible_case(session, own, world.case_number).number == world.case_number
        assert visible_case(session, office, number).number == number
        with pytest.raises(NotFound):
            visible_case(session, own, number)
        assert progress_of(session, number, world.phone[-4:]) is None
        assert progress_of(session, number, OBJECTOR[1][-4:]) is not None


def test_invariant_03_one_form_is_one_objection(database: Database, world: PublicWorld) -> None:
    numbers: list[str] = []
    start = threading.Barrier(4)

    def send() -> None:
        start.wait()
        numbers.append(submit(database, world))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(numbers) == 4
    assert len(set(numbers)) == 1
    with pytest.raises(Invalid, match="已经提交过"):
        submit(database, world, content="车间的地址不对，那里没有厂房。")
    assert submit(database, world, key="1" * 32) not in numbers, "another form is another objection"
    with database.reading() as session:
        assert len(session.scalars(select(Objection)).all()) == 2


def test_what_cannot_be_an_objection_opens_nothing(
    database: Database, world: PublicWorld, move: Mover
) -> None:
    with database.transaction() as session:
        with pytest.raises(Invalid) as short:
            submit_objection(session, world.token, key=KEY, content="不 " * (LEAST - 1))
        assert set(short.value.errors) == {"content"}
        with pytest.raises(NotFound):
            submit_objection(session, "0" * 16, key=KEY, content=CONTENT)
    move(world.ends_at - clock.now())
    with pytest.raises(Conflict, match="公示期已经结束"):
        submit(database, world)
    with database.reading() as session:
        assert session.scalars(select(Objection)).all() == []
        assert session.scalars(select(Case).where(Case.process == "objection")).all() == []


def test_an_answer_is_due_when_all_limits_are_over(database: Database, world: PublicWorld) -> None:
    with database.transaction() as session:
        receipt = submit_objection(session, world.token, key=KEY, content=CONTENT)
        row = session.scalars(select(Objection)).one()
        assert (row.objector_name, row.objector_phone) == (ANONYMOUS, "")
    assert receipt.answer_by == date(2026, 3, 27)


def test_nobody_asks_for_an_anonymous_objection(database: Database, world: PublicWorld) -> None:
    with database.transaction() as session:
        number = submit_objection(session, world.token, key=KEY, content=CONTENT).number
    with database.reading() as session:
        for digits in ("", "0000", world.phone[-4:]):
            assert progress_of(session, number, digits) is None
        assert progress_of(session, "", "") is None


def test_running_ones_come_in_pages_those_that_end_first_on_top(
    database: Database, world: PublicWorld
) -> None:
    with database.transaction() as session:
        first = session.scalars(select(Publicity).where(Publicity.token == world.token)).one()
        for number in range(PAGE + 1):
            session.add(
                Publicity(
                    case_id=first.case_id,
                    county_code="220881",
                    kind=first.kind,
                    token=f"more{number:04d}",
                    title="公示",
                    content=[],
                    opens_at=first.opens_at,
                    ends_at=first.ends_at + timedelta(days=number + 1),
                    days=7,
                    unit="calendar",
                )
            )
    with database.reading() as session:
        page = running_publicities(session)
        assert [one.token for one in page.items[:2]] == [world.token, "more0000"]
        assert (len(page.items), page.more) == (PAGE, True)
        last = running_publicities(session, page=2)
        assert (len(last.items), last.more) == (2, False)
        assert last.items[0].heading == "公示", "one that shows nothing goes by its title"
        assert last.items[0].period == "7天"
        assert len(running_publicities(session, "220881").items) == PAGE
        assert [one.token for one in running_publicities(session, "220822").items] == [world.token]
        assert counties_publishing(session) == [("220822", "通榆县"), ("220881", "洮南市")]
        assert division_names(session, []) == {}


def test_a_paper_is_found_by_code_and_number_and_by_its_bytes(database: Database, world: PublicWorld) -> None:
    token, number, pdf = world.papers["certificate"]
    with database.reading() as session:
        for typed in (number, number.replace("〔", "(").replace("〕", ")"), world.recognised_number):
            found = find_paper(session, typed, token[:8].upper())
            assert found is not None
            assert found.token == token
        for typed, code in ((number, ""), (number, "0000000"), ("", token[:8]), (number, "zzzzzzzz")):
            assert find_paper(session, typed, code) is None
        like = paper_like(session, pdf)
        assert like is not None
        assert like.number == number
        assert paper_like(session, pdf + b" ") is None
        assert paper_of(session, token.upper()) is not None
        assert paper_of(session, token[:-1]) is None


def test_deadlines_and_ends_are_told_as_days(database: Database, world: PublicWorld, move: Mover) -> None:
    number = submit(database, world)
    with database.reading() as session:
        objection = progress_of(session, number, OBJECTOR[1][-4:])
        assert objection is not None
        assert [(one.until, one.own) for one in objection.waiting] == [(date(2026, 3, 13), False)]
        case = progress_of(session, world.case_number, world.phone[-4:])
        assert case is not None
        assert case.publicity == (world.token, date(2026, 3, 18))
        assert not case.publicity_over
        assert case.waiting == []
    move(world.ends_at - clock.now())
    with database.reading() as session:
        case = progress_of(session, world.case_number, world.phone[-4:])
        assert case is not None
        assert (case.publicity, case.publicity_over) == (None, True)
        ended = progress_of(session, world.recognised_number, world.phone[-4:])
        assert ended is not None
        assert ended.finished_on == date(2026, 3, 10)
        assert ended.stopped == ""
        assert {one.state for one in ended.stages} == {"done"}


def test_a_draft_waits_for_its_employer_and_is_known_by_the_employers_phone(
    database: Database, world: PublicWorld
) -> None:
    walk = Walk(database, unsigned)
    with database.reading() as session:
        employer = session.scalars(select(Employer).where(Employer.name.contains("巧手草编"))).one()
    walk.begin("workshop_recognition", employer.id)
    with database.reading() as session:
        number = session.get_one(Case, walk.case_id).number
        found = progress_of(session, number, employer.contact_phone[-4:])
        assert found is not None
        (waiting,) = found.waiting
        assert (waiting.own, waiting.until, waiting.office) == (True, None, "申请单位")
        assert (found.status, found.submitted_on, found.publicity_over) == ("填写中", None, False)
        assert employer.name not in words(found)


def test_a_case_that_ended_badly_stays_where_it_stood(
    database: Database, world: PublicWorld, move: Mover
) -> None:
    scenarios = Scenarios.read("workshop_recognition")
    with database.reading() as session:
        employer = session.scalars(select(Employer).where(Employer.name.contains("巧手草编"))).one()
    run = Run(database, unsigned, scenarios, employer.id, "220822", move, seed=3)
    run.run(scenarios.get("no_basis"))
    with database.reading() as session:
        number = session.get_one(Case, run.walk.case_id).number
        found = progress_of(session, number, world.phone[-4:])
        assert found is not None
        assert found.stopped == "无有效依据，未受理"
        assert found.waiting == []
        assert "current" not in {one.state for one in found.stages}
        assert found.stages[-1].state == "todo"


def test_a_step_without_a_limit_takes_no_time(database: Database, world: PublicWorld) -> None:
    submit(database, world)
    with database.reading() as session:
        case = session.scalars(select(Case).where(Case.process == "objection")).one()
        whole = process_of(session, case.version_id)
        free = {key: replace(step, limit=None) for key, step in whole.steps.items()}
        assert answer_due(session, replace(whole, steps=free), case) == clock.today()
