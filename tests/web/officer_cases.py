"""The demonstration county with cases at the steps that officers' pages are about. All people are fictional."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask
from PIL import Image
from sqlalchemy import select

from tests.web.client import Browser, Page
from workflows.base import clock
from workflows.base.installation import installation
from workflows.base.session import Database
from workflows.cases import scenario_answers
from workflows.cases.model import Case, WorkItem
from workflows.cases.publishing import publish_all
from workflows.cases.scenarios import Run, Scenarios
from workflows.cases.walking import Walk
from workflows.documents import issue
from workflows.organisations.model import User
from workflows.registers.demo_county import load

#: 2026-03-02, a Monday, 09:00 in Shanghai.
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=clock.SHANGHAI)
#: Twelve people: three who count, three whom a person must look at, some who do not count.
ROSTER = [
    {"kind": "qualified", "count": 5},
    {"kind": "elderly", "count": 1},
    {"kind": "other_province", "count": 2},
    {"kind": "no_end", "count": 1},
    {"kind": "low_income", "count": 2},
    {"kind": "stranger", "count": 1},
]
ACCEPT = {
    "step": "township_acceptance",
    "by": "township",
    "outcome": "accept",
    "opinion": "材料齐全，予以受理。",
}
AGREED = (
    {"step": "hrss_review", "by": "hrss", "outcome": "agree", "opinion": "合同、工资真实，审核通过。"},
    {"step": "rural_review", "by": "rural", "outcome": "agree", "opinion": "身份无误。"},
)
#: Case → unit and what is done after the application.
CASES: dict[str, tuple[int, tuple[Mapping[str, Any], ...]]] = {
    "accepting": (1, ()),
    "reviewing": (3, (ACCEPT,)),
    "site": (5, (ACCEPT, *AGREED)),
    "signed": (7, (ACCEPT, *AGREED, {"step": "site_check", "by": "hrss", "outcome": "pass"})),
    "objected": (
        2,
        (
            ACCEPT,
            *AGREED,
            {"step": "site_check", "by": ["hrss", "rural"], "outcome": "pass"},
            {"step": "meeting", "by": "hrss_head", "outcome": "agree"},
            {"objection": {"name": "first", "content": "听说有一个人没有在车间干活。"}},
        ),
    ),
}


@dataclass(frozen=True)
class Filled:
    """Ids by name. ``items``: (case, step, department kind) → open item."""

    cases: dict[str, int]
    numbers: dict[str, str]
    items: dict[tuple[str, str, str], int]
    users: dict[str, int]


def unsigned(pdf: bytes, reason: str, when: datetime) -> bytes:
    """Signing has tests of its own."""
    return pdf


def worker(database: Database) -> None:
    """The worker comes by: the outbox, then due timers, until nothing is left. Papers are blank."""
    before, issue.render = issue.render, lambda *_: b"%PDF-1.4\n%%EOF\n"  # type: ignore[assignment]  # see fill
    try:
        Walk(database, unsigned).work()
    finally:
        issue.render = before


def picture() -> bytes:
    """A real photo, small."""
    target = io.BytesIO()
    Image.new("RGB", (160, 120), (120, 150, 190)).save(target, "PNG")
    return target.getvalue()


def fill(database: Database) -> Filled:
    """Make county and cases in an empty database; files go to the present installation."""
    before = scenario_answers.IMAGE, issue.render
    scenario_answers.IMAGE, issue.render = picture(), lambda *_: b"%PDF-1.4\n%%EOF\n"  # type: ignore[assignment]  # laying papers out has tests of its own
    try:
        with clock.frozen(MONDAY) as move:
            with database.transaction() as session:
                county = load(session, demonstration=True, store=installation().files)
                publish_all(session)
                employers = {number: one.id for number, one in county.employers.items()}
            made = Scenarios.read("workshop_recognition")
            cases = {}
            for seed, (name, (unit, walk)) in enumerate(CASES.items(), start=1):
                run = Run(database, unsigned, made, employers[unit], "220822", move, seed=seed)
                scenario = {
                    "roster": ROSTER,
                    "walk": [{"step": "application", "by": "employer", "outcome": "submit"}, *walk],
                }
                run.run(scenario)
                cases[name] = run.walk.case_id
                cases |= {f"{name}-objection": inner.walk.case_id for inner in run.named.values()}
        return found(database, cases)
    finally:
        scenario_answers.IMAGE, issue.render = before


def found(database: Database, cases: dict[str, int]) -> Filled:
    """What was made, by name."""
    names = {case_id: name for name, case_id in cases.items()}
    with database.reading() as session:
        numbers = {
            names[one.id]: one.number for one in session.scalars(select(Case).where(Case.id.in_(names)))
        }
        items = {
            (names[one.case_id], one.step, one.department.kind): one.id
            for one in session.scalars(
                select(WorkItem).where(WorkItem.closed_at.is_(None), WorkItem.case_id.in_(names))
            )
            if one.department is not None
        }
        users = dict(session.execute(select(User.username, User.id)).all())
    return Filled(cases, numbers, items, users)


def answered(page: Page, **answers: Any) -> dict[str, list[str]]:
    """The decision form of a page as it stands, with these answers instead."""
    texts = {key: value if isinstance(value, list) else [value] for key, value in answers.items()}
    return {**page.form("decision"), **texts}


def at_once(
    app: Flask, posts: list[tuple[Browser, dict[str, list[str]]]], path: str
) -> list[tuple[int, str, str]]:
    """Send forms at the same moment; status, where to, and text of each answer."""
    start = threading.Barrier(len(posts))
    answers: list[tuple[int, str, str]] = []

    def send(browser: Browser, sent: dict[str, list[str]]) -> None:
        client = app.test_client()
        for cookie in browser.client._cookies.values():  # type: ignore[union-attr]  # a second tab of the same browser
            client.set_cookie(cookie.key, cookie.value, domain=cookie.domain, path=cookie.path)
        token = browser.token()
        start.wait()
        answer = client.post(path, data={"csrf_token": token, **sent})
        answers.append((answer.status_code, answer.headers.get("Location", ""), answer.text))

    threads = [threading.Thread(target=send, args=one) for one in posts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(answers) == len(posts)
    return answers
