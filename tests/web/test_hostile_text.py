"""HTML, templates, formulas and tricks of writing in every text that anybody may type: shown as text on every page and paper, written
as text into every workbook.

Every process is walked with such texts in all fields that take them; then everybody's pages are followed link by link.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest
from flask import Flask
from sqlalchemy import select, update

from forms.checks import compile_field
from tests.conftest import TEST_KEYRING
from tests.databases import SqliteHouse
from tests.web import client
from tests.web.client import Browser, Page
from tests.web.conftest import demo_settings
from tests.web.crawling import crawl
from tests.web.officer_cases import MONDAY, picture, unsigned
from webapp.config import Settings
from workflows.base import clock
from workflows.base.clock import today
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.session import Database
from workflows.cases import process, scenario_answers
from workflows.cases.answering import parse_answers, step_form
from workflows.cases.completing import Completed
from workflows.cases.model import Case
from workflows.cases.publishing import process_keys, publish_all
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.cases.walking import Walk
from workflows.documents import issue
from workflows.documents.model import IssuedDocument
from workflows.documents.render import job_of
from workflows.documents.render_child import html_of, pdf_of
from workflows.documents.templates import load_template
from workflows.organisations.model import User
from workflows.organisations.passwords import DEMO_PASSWORD
from workflows.registers.demo_county import load
from workflows.registers.model import Employer, Workshop
from workflows.registers.project_model import Project

#: What is typed, the longest first: fields are short, and some take no such signs at all.
MARKUP = (
    "\"'><b id=hostile>&amp;<script>alert(1)</script><img src=x onerror=alert(1)>{{7*7777}}{% include 'x' %}"
)
TEXTS = (
    f'=HYPERLINK("http://x","赢"){MARKUP}{MARKUP}',
    f"=1+1{MARKUP}",
    "=1+1<b id=hostile>{{7*7777}}",
    "=1<b id=hostile>",
    "@<i>",
)
#: Process and scenario, each with a unit of its own; those of a fixed month first.
WALKED = (
    ("work_relief_project", "straight"),
    ("work_relief_payroll", "straight"),
    ("work_relief_closeout", "straight"),
    ("work_relief_entry", "straight"),
    ("workshop_recognition", "straight"),
    ("workshop_recognition", "proposed_then_agreed_then_upheld"),
    ("one_time_reward", "mixed"),
    ("training_allowance", "mixed"),
    ("workshop_review", "rectified"),
)


class HostileWalk(Walk):
    """Types a hostile text into every field that takes one, and wherever a word may be said."""

    placed: set[tuple[str, str]]

    def act(
        self, step: str, outcome: str, answers: Mapping[str, Sequence[str]] | None = None, **more: Any
    ) -> Completed:
        raw = {key: list(values) for key, values in (answers or {}).items()}
        with self.database.reading() as session:
            item = self.item(session, step, more.get("office"))
            case = session.get_one(Case, self.case_id)
            form = step_form(session, case, item)
            typed = [one.key for one in form.definition.fields if one.type in ("text", "textarea")]
            rows = [key for key in raw if key.count("-") == 2]

            def wrong(raw: Mapping[str, list[str]]) -> set[str]:
                tried = {**form.raw, **raw, "outcome": [outcome]}
                return set(parse_answers(session, case, item, tried, outcome).errors)

            usual = wrong(raw)
            for key in dict.fromkeys([*typed, *rows, "opinion"]):
                for text in TEXTS:
                    if wrong({**raw, key: [text]}) <= usual:
                        raw[key] = [text]
                        self.placed.add((step, key))
                        break
        return super().act(step, outcome, raw, **{**more, "opinion": ""})


@dataclass
class Place:
    folder: Path
    numbers: list[str] = field(default_factory=list)
    placed: set[tuple[str, str]] = field(default_factory=set)
    at: Any = None


def hostile_cells(run: Run, placed: set[tuple[str, str]]) -> None:
    """In the roster, too: in whatever column takes such a text. A name must be a name, and stays one."""
    with run.database.reading() as session:
        roster = process.newest(session, run.scenarios.process).roster
    for column in roster.columns if roster else ():
        check = compile_field(column) if column.type == "text" else None
        taken = [text for text in TEXTS if check and check(text, today())[1] == ""]
        for person in run.people:
            if taken and person.cells.get(column.key):
                person.cells[column.key] = taken[0]
                placed.add((run.scenarios.process, column.key))


def walk(database: Database, place: Place, number: int, employer: int, move: Any) -> None:
    known, key = WALKED[number]
    found = Scenarios.read(known)
    scenario = found.get(key)
    begins = opening_instant(scenario)
    if begins > clock.now():
        move(begins - clock.now())
    run = Run(database, unsigned, found, employer, "220822", move, seed=number + 1)
    run.walk = HostileWalk(database, unsigned)
    run.walk.placed = place.placed
    run.begin(scenario)
    hostile_cells(run, place.placed)
    for action in scenario["walk"]:
        run.take(action, scenario)
    run.walk.work()
    with database.reading() as session:
        place.numbers.append(session.get_one(Case, run.walk.case_id).number)


def _fill(database: Database, place: Place) -> None:
    use_installation(Installation("http://localhost", True, FileStore(place.folder / "files")))
    with pytest.MonkeyPatch.context() as patch, clock.frozen(MONDAY - timedelta(days=400)) as move:
        patch.setattr(issue, "render", lambda *_: b"%PDF-1.4\n%%EOF\n")
        patch.setattr(scenario_answers, "IMAGE", picture())
        with database.transaction() as session:
            county = load(session, demonstration=True)
            publish_all(session)
            session.execute(update(Employer).values(name=TEXTS[2] + "公司", address=TEXTS[1]))
            employers = [one.id for one in county.employers.values()]
            session.execute(update(User).values(name="<b id=hostile>" + User.name))
        for number in range(len(WALKED)):
            walk(database, place, number, employers[number % 8], move)
        with database.transaction() as session:
            for model in (Workshop, Project):
                session.execute(update(model).values(name=TEXTS[2]))
        place.at = clock.now()


@pytest.fixture(scope="module")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("hostile")
    TEST_KEYRING.save(folder / "keys.json")
    return Place(folder)


@pytest.fixture
def web_database(_place: Place, sqlite_house: SqliteHouse) -> Iterator[Database]:
    process.forget()
    with sqlite_house.fresh("hostile", lambda database: _fill(database, _place)) as database:
        yield database
    process.forget()


@pytest.fixture
def settings(web_database: Database, _place: Place) -> Settings:
    return demo_settings(_place.folder, web_database.url)


@pytest.fixture
def place(web_database: Database, _place: Place) -> Place:
    return _place


@pytest.fixture(autouse=True)
def at(web_database: Database, _place: Place) -> Iterator[None]:
    with clock.frozen(_place.at):
        yield


#: Who follows links, from where. An employer of each kind of case; whoever sees the most of the county.
FOLLOWED = (
    ("", "/"),
    ("qiye1", "/employer"),
    ("qiye2", "/employer"),
    ("qiye5", "/employer"),
    ("renshe.head", "/cases"),
    ("fagai.clerk", "/cases"),
    ("caizheng.clerk", "/finance"),
    ("shenji", "/cases"),
    ("guanli", "/admin/users"),
)


def obeyed(page: Page) -> list[str]:
    """What of the texts came to life in a page."""
    found = [one.tag for one in page.root.iter() if one.get("id") == "hostile" or one.get("src") == "x"]
    return [*found, *(one for one in page._active_content() if not one.startswith("style"))] + (
        ["template"] if "54439" in page.source else []
    )


def test_everything_typed_is_text_on_every_page(
    app: Flask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        client, "_LEAKS", re.compile(r"(?!)")
    )  # what it takes for a template's words was typed
    files: dict[str, bytes] = {}
    shown = 0
    for username, start in FOLLOWED:
        browser = Browser(app)
        if username:
            browser.login(username, DEMO_PASSWORD)
        _, pages = crawl(browser, start, 60, files)
        assert len(pages) > 3, username
        for path, source in pages.items():
            page = Page(source, path)
            assert obeyed(page) == [], (username, path)
            shown += "<b id=hostile>" in page.text
    assert shown > 60, "the texts are on the pages"
    assert len(place.placed) > 30, place.placed
    books = {path: content for path, content in files.items() if content.startswith(b"PK")}
    assert len(books) > 3
    cells = [
        (path, cell)
        for path, content in books.items()
        for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    ]
    assert [(path, cell.value) for path, cell in cells if cell.data_type == "f"] == []
    assert any("<b id=hostile>" in str(cell.value) for _, cell in cells)


def test_everything_typed_is_text_on_every_paper(web_database: Database) -> None:
    with web_database.reading() as session:
        papers = [(one.process, one.name, one.context) for one in session.scalars(select(IssuedDocument))]
    kinds = {(one[0], one[1]): one for one in papers}
    assert len(kinds) > 12
    told = 0
    for one in papers:
        html = html_of(job_of(load_template(one[0], one[1]), one[2]))
        page = Page(html, one[1])
        assert obeyed(page) == [], one[:2]
        told += "<b id=hostile>" in page.text
    assert told > 12
    paper = next(one for one in kinds.values() if "<b id=hostile>" in str(one[2]))
    text = "".join(
        page.extract_text()
        for page in pypdf.PdfReader(io.BytesIO(pdf_of(job_of(load_template(*paper[:2]), paper[2])))).pages
    )
    assert "<bid=hostile>" in re.sub(r"\s", "", text)


def test_every_process_was_walked() -> None:
    assert set(process_keys()) - {"objection"} == {one[0] for one in WALKED}
