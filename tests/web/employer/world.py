"""What the tests of employers' pages share: a whole application as it is typed, and the steps on its way."""

from __future__ import annotations

import io
import re
from datetime import date, datetime
from typing import Any

from tests.web.client import Browser, Page, text_of
from tests.web.world import VILLAGE
from workflows.base import clock
from workflows.base.outbox import drain
from workflows.base.session import Database
from workflows.cases.jobs import handlers
from workflows.cases.process import newest
from workflows.cases.scenario_people import ScenarioPerson, enter_identities, make_people, sheet_of
from workflows.cases.scenarios import Scenarios
from workflows.registers.demo_people import id_number

#: A Monday on which the notice's own basis was in force.
DAY = datetime(2025, 3, 3, 9, 0, tzinfo=clock.SHANGHAI)

OWNER = id_number(date(1974, 1, 1), 77)

PDF = b"%PDF-1.4\n% fictional\n%%EOF\n"

PNG = b"\x89PNG\r\n\x1a\n" + b"fictional" * 4

SECTIONS: dict[str, dict[str, Any]] = {
    "employer": {
        "employer_kind": "company",
        "established_on": "2019-05-01",
        "legal_name": "郑大江",
        "legal_id": OWNER,
        "legal_phone": "13904360001",
        "registered_address": "镇政府街 1 号",
        "contact_name": "郑大江",
        "contact_phone": "13904360001",
    },
    "premises": {
        "workshop_name": "瑞丰就业帮扶车间",
        "mode": "factory",
        "industry": "农产品加工",
        "products": "杂粮",
        "business_village": VILLAGE,
        "business_address": "向阳村二组",
        "premises_right": "rent",
        "premises_area": "420.5",
        "resettlement": "no",
    },
    "workers": {
        "staff_count": "12",
        "eligible_count": "3",
        "income_basis": "actual",
        "average_wage": "1200",
        "wage_method": "bank",
        "insurance": ["injury", "accident"],
    },
    "account": {},
    "declarations": {
        "wage_arrears": "no",
        "safety_accident": "no",
        "dishonest": "no",
        "promise_true": "yes",
        "promise_pay": "yes",
        "promise_inform": "yes",
        "promise_inspect": "yes",
    },
}

MATERIALS = (
    "license",
    "legal_identity",
    "contracts",
    "wage_proof",
    "premises",
    "photos",
    "safety",
    "commitment",
)


def worker(database: Database) -> int:
    """The worker comes by once."""
    return drain(database, handlers(lambda pdf, reason, when: pdf))


def begin(browser: Browser) -> int:
    """Start an application; the number of its step."""
    browser.get("/employer")
    browser.submit("/employer/start/workshop_recognition/apply")
    return int(re.fullmatch(r"/employer/steps/(\d+)", browser.path)[1])  # type: ignore[index]


def fill_in(browser: Browser, item: int, **changes: dict[str, Any]) -> None:
    """Every section as it should be."""
    for key, answers in SECTIONS.items():
        browser.post(f"/employer/steps/{item}/form/{key}", {**answers, **changes.get(key, {})})


def people(database: Database, *kinds: dict[str, Any], known: bool = True) -> list[ScenarioPerson]:
    """People for a roster; those with an identity stand in the county's list."""
    made = make_people(
        Scenarios.read("workshop_recognition").content["people"],
        kinds,
        today=clock.today(),
        owner_id=OWNER,
        village="瞻榆镇向阳村",
        seed=5,
    )
    if known:
        with database.transaction() as session:
            enter_identities(session, "220822", made, date(2023, 1, 1))
    return made


def sheet(database: Database, made: list[ScenarioPerson]) -> bytes:
    with database.reading() as session:
        definition = newest(session, "workshop_recognition").roster
    assert definition is not None
    return sheet_of(definition, made)


def upload(browser: Browser, item: int, content: bytes, name: str = "花名册.xlsx", status: int = 303) -> None:
    browser.post(f"/employer/steps/{item}/roster", {"file": (io.BytesIO(content), name)}, status)


def attach_all(browser: Browser, item: int) -> None:
    files = {
        f"{key}-upload": (
            io.BytesIO(PNG if key == "photos" else PDF),
            f"{key}.{'png' if key == 'photos' else 'pdf'}",
        )
        for key in MATERIALS
    }
    browser.submit(f"/employer/steps/{item}/materials", files)


def ready(browser: Browser, database: Database) -> int:
    """An application that lacks nothing but to be handed in."""
    item = begin(browser)
    fill_in(browser, item)
    upload(browser, item, sheet(database, people(database, {"kind": "qualified", "count": 3})))
    worker(database)
    attach_all(browser, item)
    return item


def hidden(page: Page, name: str) -> str:
    return page.all("input", name=name)[0].get("value", "")


def hand_in(browser: Browser, item: int) -> Page:
    page = browser.get(f"/employer/steps/{item}/review")
    return browser.submit(
        f"/employer/steps/{item}/review",
        {name: hidden(page, name) for name in ("command_key", "seen_version", "outcome")},
    )


def states(page: Page) -> dict[str, str]:
    """Line of the task list → its state."""
    return {
        text_of(next(line.iter("a"))): text_of(
            next(one for one in line.iter("span") if "wg-tag" in one.get("class", "").split())
        )
        for box in page.all("ol", class_="wg-tasks")
        for line in box.iter("li")
    }


GOOD_ROW = [
    "王秀兰",
    id_number(date(1980, 5, 6), 24),
    "脱贫人口",
    "瞻榆镇向阳村",
    "13800000000",
    "包装工",
    "就业协议",
    "2024-09-01",
    "2025-08-31",
    "9600.00",
    8,
    "1200.00",
    8,
]
