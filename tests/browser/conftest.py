"""Browsers: one Chromium for a module, people in contexts of their own, the real application behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.house import MONDAY, House, running
from tests.browser.pages.person import Person
from tests.databases import SqliteHouse
from tests.web.officer_cases import picture
from workflows.base import clock
from workflows.base.session import Database
from workflows.cases.publishing import publish_all
from workflows.organisations.passwords import DEMO_PASSWORD
from workflows.registers.demo_county import load


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


def _county(database: Database) -> None:
    with clock.frozen(MONDAY), database.transaction() as session:
        load(session, demonstration=True)
        publish_all(session)


@pytest.fixture
def house(sqlite_house: SqliteHouse, tmp_path: Path) -> Iterator[House]:
    """The application over the demonstration county, in which nothing has happened yet."""
    with sqlite_house.fresh("browser", _county) as database, running(database, tmp_path / "data") as house:
        yield house


@pytest.fixture
def person(browser: Browser, house: House) -> Iterator[Callable[..., Person]]:
    """Somebody at a browser: ``person("公民")``, or signed in as one of the demonstration: ``person("renshe.a")``."""
    people: dict[str, Person] = {}

    def enter(name: str, sign_in: bool = True) -> Person:
        if name not in people:
            people[name] = Person(browser, house.address, name)
            if sign_in:
                people[name].login(name, DEMO_PASSWORD)
        return people[name]

    yield enter
    for one in people.values():
        one.leave()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Files to upload: a PDF and a picture, both fictional."""
    paper, photo = tmp_path / "演示材料.pdf", tmp_path / "车间照片.png"
    paper.write_bytes(b"%PDF-1.4\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\n%%EOF\n")
    photo.write_bytes(picture())
    return {"paper": paper, "photos": photo}
