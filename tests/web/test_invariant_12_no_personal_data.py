"""Invariant 12: after whole cases were walked — with returns, refused people, objections, 公示 — no person stands in
logs, addresses, error pages, public pages, events, notices or the outbox; and no number lies in the database in the open.

``tests/database/test_public_privacy.py`` asks the read models of the public; here it is what leaves the house over HTTP.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect, select, text

from tests.conftest import TEST_KEYRING
from tests.databases import PostgresHouse, SqliteHouse
from tests.web import officer_cases
from tests.web.client import Browser
from tests.web.conftest import demo_settings
from tests.web.crawling import crawl
from tests.web.officer_cases import picture, unsigned, worker
from webapp.config import Settings
from webapp.logs import JsonFormatter
from webapp.officer import cases as case_pages
from workflows.audit.model import Event
from workflows.base import clock
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.outbox import OutboxRow
from workflows.base.session import Database
from workflows.cases import process, scenario_answers
from workflows.cases.check import check
from workflows.cases.model import Case, Command, Notice, Publicity, WorkItem
from workflows.cases.publishing import process_keys, publish_all
from workflows.cases.scenario_answers import OWNER
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.documents import issue
from workflows.organisations.passwords import DEMO_PASSWORD
from workflows.registers.demo_county import load
from workflows.registers.model import Employer

#: Unit, process and scenario; those of a fixed month first. Among them: two rounds, people refused, an adverse visit, an objection
#: rejected, an objection upheld, money sent back by the bank, a worker who disputes.
WALKED = (
    (6, "work_relief_project", "straight"),
    (7, "work_relief_payroll", "mixed"),
    (8, "work_relief_closeout", "straight"),
    (6, "work_relief_entry", "straight"),
    (5, "training_allowance", "mixed"),
    (4, "one_time_reward", "mixed"),
    (2, "workshop_recognition", "returned_and_rectified"),
    (3, "workshop_recognition", "proposed_then_agreed_then_upheld"),
    (7, "workshop_review", "rectified"),
)
#: Columns of rosters that tell of somebody.
PERSONAL = ("id_number", "phone", "bank_account")
OBJECTOR = ("钱守义", "13943600001")
#: The representative, the contact: as the scenarios' form names them.
APPLICANT = ("赵德厚", OWNER, "13804360001", "孙敏", "13804360002")
TOLD = "听说赵德厚的亲戚在册，电话13804360001，请核实。"


@dataclass
class Place:
    """What was walked, and what was logged meanwhile."""

    folder: Path
    at: datetime = field(default_factory=clock.now)
    logged: str = ""
    people: list[tuple[str, ...]] = field(default_factory=list)
    running: int = 0
    token: str = ""
    ends_at: datetime = field(default_factory=clock.now)

    @property
    def numbers(self) -> list[str]:
        """ID numbers, phones, accounts."""
        found = [part for person in self.people for part in person[1:]]
        return [*found, OBJECTOR[1], *(one for one in APPLICANT if one[0].isdigit())]

    @property
    def persons(self) -> list[str]:
        """All that tells of somebody."""
        names = [person[0] for person in self.people]
        return [*names, OBJECTOR[0], "赵德厚", "孙敏", *self.numbers]

    def told(self, said: str) -> list[str]:
        """The personal things that stand in a text."""
        return sorted({one for one in self.persons if one in said})


class Listening(logging.StreamHandler[io.StringIO]):
    """Everything logged, as the installation writes it, and the bare messages too."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        self.setFormatter(JsonFormatter())

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)}\n{record.getMessage()}"


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.long])],
)
def engine(request: pytest.FixtureRequest) -> str:
    """Both kinds of database; PostgreSQL in the long profile: what is asked here is who may see what, not how rows are kept."""
    return str(request.param)


@pytest.fixture(scope="module")
def _place(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp(f"walked-{engine}")
    TEST_KEYRING.save(folder / "keys.json")
    return Place(folder)


def _fill(database: Database, place: Place) -> None:
    use_installation(Installation("http://localhost", True, FileStore(place.folder / "files")))
    listening = Listening()
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(listening)
    root.setLevel(logging.INFO)
    try:
        with pytest.MonkeyPatch.context() as patch, clock.frozen(officer_cases.MONDAY) as move:
            patch.setattr(issue, "render", lambda *_: b"%PDF-1.4\n%%EOF\n")
            patch.setattr(scenario_answers, "IMAGE", picture())
            with database.transaction() as session:
                county = load(session, demonstration=True)
                publish_all(session)
                employers = {number: one.id for number, one in county.employers.items()}

            def run(unit: int, key: str, name: str, until: str = "") -> Run:
                known = Scenarios.read(key)
                begins = opening_instant(known.get(name))
                move(max(begins - clock.now(), timedelta(0)))
                seed = len(place.people) + 1
                one = Run(database, unsigned, known, employers[unit], "220822", move, seed=seed)
                one.run(known.get(name), until=until)
                place.people += [
                    (
                        person.name,
                        *{str(person.cells[key]) for key in PERSONAL if person.cells.get(key)},
                    )
                    for person in one.people
                ]
                return one

            for unit, key, name in WALKED:
                run(unit, key, name)
            place.running = run(1, "workshop_recognition", "straight", until="advance").walk.case_id
            run(4, "workshop_recognition", "straight", until="advance")
            with database.reading() as session:
                publicity = session.scalars(select(Publicity).where(Publicity.case_id == place.running)).one()
                place.token, place.ends_at = publicity.token, publicity.ends_at
            place.at = clock.now()
    finally:
        root.removeHandler(listening)
        root.setLevel(level)
    place.logged = listening.stream.getvalue()


@pytest.fixture
def walked(engine: str, _place: Place, request: pytest.FixtureRequest) -> Iterator[Database]:
    process.forget()
    house: SqliteHouse | PostgresHouse = request.getfixturevalue(f"{engine}_house")
    with house.fresh(f"walked_{engine}", lambda database: _fill(database, _place)) as database:
        yield database
    process.forget()


@pytest.fixture
def place(walked: Database, _place: Place) -> Place:
    return _place


@pytest.fixture
def web_database(walked: Database) -> Database:
    return walked


@pytest.fixture
def settings(walked: Database, place: Place) -> Settings:
    return demo_settings(place.folder, walked.url)


@pytest.fixture(autouse=True)
def move(place: Place) -> Iterator[Callable[[timedelta], None]]:
    with clock.frozen(place.at) as moved:
        yield moved


@pytest.fixture
def heard() -> Iterator[Listening]:
    """What is logged while the test runs."""
    listening = Listening()
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(listening)
    root.setLevel(logging.INFO)
    yield listening
    root.removeHandler(listening)
    root.setLevel(level)


def signed_in(app: Flask, username: str) -> Browser:
    browser = Browser(app)
    browser.login(username, DEMO_PASSWORD)
    return browser


def object_to(guest: Browser, place: Place) -> str:
    """Object to the 公示 that runs, by name; the number of the objection."""
    page = guest.get(f"/publicity/{place.token}")
    sent = {
        "command_key": page.one("input", name="command_key").get("value", ""),
        "content": TOLD,
        "identity": "real_name",
        "name": OBJECTOR[0],
        "phone": OBJECTOR[1],
    }
    found = re.search(r"YY\d{6}-\d{4}-\d{5}", guest.submit(f"/publicity/{place.token}/objection", sent).main)
    assert found is not None
    return found[0]


def do_things(app: Flask, database: Database, place: Place) -> None:
    """What officers and the employer do with names in every text."""
    said = f"电话问过{place.people[0][0]}和赵德厚（13804360001）。"
    with database.reading() as session:
        case = session.scalars(
            select(Case).where(Case.status == "publicised", Case.id != place.running)
        ).one()
        other, objection = case.number, session.scalars(select(Case).where(Case.process == "objection")).all()
        number = session.get_one(Case, place.running).number
        newest = max(objection, key=lambda one: one.id)
        item = session.scalars(
            select(WorkItem.id).where(WorkItem.case_id == newest.id, WorkItem.closed_at.is_(None))
        ).one()
        colleague = signed_in(app, "renshe.b")
        colleague.get("/account")
    head = signed_in(app, "renshe.head")
    page = head.get(f"/work/{item}/reassign")
    users = [one.get("value", "") for one in page.root.iter() if one.get("name") == "user"]
    users += [one.get("value", "") for one in page.all("option") if one.get("value")]
    chosen = next(one for one in users if one)
    head.submit(f"/work/{item}/reassign", {"user": chosen, "reason": said})
    head.post(f"/cases/{number}/unmask", {"reason": said}, 200)
    head.post(f"/cases/{newest.number}/objector", {"reason": said}, 200)
    head.get(f"/cases?q={OBJECTOR[0]}")
    head.submit(f"/cases/{other}/terminate", {"reason": said})
    assert said in head.get(f"/cases/{other}").main
    worker(database)


def test_every_process_was_walked() -> None:
    assert set(process_keys()) - {"objection"} == {key for _, key, _ in WALKED}


# What was walked -----------------------------------------------------------------------------------------------------


def test_invariant_12_logs_name_nobody(
    app: Flask, place: Place, walked: Database, heard: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place.told(place.logged) == []
    guest = Browser(app)
    object_to(guest, place)
    do_things(app, walked, place)
    guest.get("/login")
    guest.refused("/login", {"username": OBJECTOR[1], "password": f"{OBJECTOR[0]}{OWNER}"})
    guest.get("/progress")
    guest.post("/progress", {"number": OWNER, "digits": OBJECTOR[1][-4:]}, 422)
    guest.fetch(f"/cases/{OWNER}")
    guest.fetch(f"/v/{OBJECTOR[1]}?name={OBJECTOR[0]}")

    def fail(*_: object) -> None:
        raise ValueError(f"{OBJECTOR[0]} {OWNER}")

    monkeypatch.setattr(case_pages, "search", fail)
    page = signed_in(app, "renshe.a").get("/cases", 500)
    assert place.told(page.source) == []
    said = heard.stream.getvalue()
    assert "ValueError" in said, "the failure itself is logged"
    assert place.told(said) == []


def test_invariant_12_events_notices_and_outbox_name_nobody(
    app: Flask, place: Place, walked: Database
) -> None:
    object_to(Browser(app), place)
    do_things(app, walked, place)
    with walked.reading() as session:
        texts = [
            *(f"event {one.kind} {one.payload} {one.covers}" for one in session.scalars(select(Event))),
            *(f"notice {one.key} {one.text}" for one in session.scalars(select(Notice))),
            *(
                f"outbox {' '.join(str(value) for value in row)}"
                for row in session.execute(select(OutboxRow.__table__))
            ),
            *(f"command {one.key} {one.digest} {one.result}" for one in session.scalars(select(Command))),
        ]
    assert len(texts) > 100
    assert [one for one in texts if place.told(one)] == []
    assert check(walked) == []


def test_invariant_12_no_number_lies_in_the_database_in_the_open(
    app: Flask, place: Place, walked: Database
) -> None:
    object_to(Browser(app), place)
    do_things(app, walked, place)
    with walked.reading() as session:
        names = inspect(session.connection()).get_table_names()
        found = {
            (name, one)
            for name in names
            for row in session.execute(text(f'select * from "{name}"'))
            for one in place.numbers
            if any(one in str(value) for value in row)
        }
    assert found == set()


# What leaves over HTTP -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "start"),
    [("qiye2", "/employer"), ("renshe.a", "/cases"), ("shenji", "/cases"), ("guanli", "/admin/users")],
    ids=["employer", "officer", "auditor", "administrator"],
)
def test_invariant_12_addresses_name_nobody(
    app: Flask, place: Place, walked: Database, username: str, start: str
) -> None:
    met, pages = crawl(signed_in(app, username), start, 30)
    assert len(pages) > 5
    assert [one for one in met if place.told(one)] == []
    if username == "guanli":
        assert [path for path, said in pages.items() if place.told(said)] == []


def test_invariant_12_public_pages_name_nobody(app: Flask, place: Place, walked: Database) -> None:
    guest = Browser(app)
    number = object_to(guest, place)
    met, pages = crawl(guest, "/", 60)
    guest.get("/progress")
    guest.post("/progress", {"number": number, "digits": OBJECTOR[1][-4:]}, 200)
    assert guest.page is not None
    assert "办理进度" in guest.page.title
    pages["progress"] = guest.page.source
    with walked.reading() as session:
        employer = session.get_one(Employer, session.get_one(Case, place.running).employer_id).name
    assert any(employer in said for said in pages.values()), "the 公示 that runs is among them"
    assert {path: place.told(said) for path, said in pages.items() if place.told(said)} == {}
    assert [one for one in met if place.told(one)] == []


def test_invariant_12_error_pages_name_nobody(app: Flask, place: Place, walked: Database) -> None:
    with walked.reading() as session:
        number = session.get_one(Case, place.running).number
        item = session.scalars(select(WorkItem.id).where(WorkItem.case_id == place.running)).first()
    for username in ("", "qiye2", "taonan.renshe", "guanli"):
        browser = Browser(app) if not username else signed_in(app, username)
        for path in (f"/cases/{number}", f"/work/{item}", f"/employer/cases/{number}", f"/x/{OWNER}", "/v/x"):
            answer = browser.client.get(path)
            assert answer.status_code in {303, 403, 404, 200}, path
            assert place.told(answer.text.replace(path, "")) == [], (username, path)


def test_invariant_12_a_publicity_shows_what_it_may_and_is_gone_afterwards(
    app: Flask, place: Place, walked: Database, move: Callable[[timedelta], None]
) -> None:
    guest = Browser(app)
    with walked.reading() as session:
        row = session.scalars(select(Publicity).where(Publicity.token == place.token)).one()
        content = [line["value"] for line in row.content]
        employer = session.get_one(Employer, session.get_one(Case, place.running).employer_id).name
    shown = guest.get(f"/publicity/{place.token}")
    assert [one for one in content if one not in shown.main] == []
    assert employer in content
    assert place.told(shown.source) == []
    move(place.ends_at - clock.now())
    worker(walked)
    for path in (f"/publicity/{place.token}", "/publicity", "/public"):
        after = guest.fetch(path)
        assert [one for one in content if len(one) > 3 and one in after.text] == [], path
