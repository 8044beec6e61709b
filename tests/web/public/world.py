"""What the tests of the public pages share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

from sqlalchemy import select

from tests.web.client import Browser, Page
from tests.web.public_world import PublicWorld
from workflows.base import clock as wengang_clock
from workflows.base.session import Database
from workflows.cases.model import Objection

OBJECTION = {
    "content": "名册里的两个人已经外出打工，平时不在这个车间干活。",
    "identity": "real_name",
    "name": "钱守义",
    "phone": "13943600001",
}

Mover = Callable[[timedelta], None]


def to_the_end(public: PublicWorld, move: Mover) -> None:
    move(public.ends_at - wengang_clock.now())


def objection_of(page: Page, **changes: str) -> dict[str, str]:
    """The form as filled in, with the key of the page."""
    key = page.one("input", name="command_key").get("value", "")
    return {**OBJECTION, "command_key": key, **changes}


def objections(database: Database) -> list[Objection]:
    with database.reading() as session:
        return list(session.scalars(select(Objection)))


def upload(browser: Browser, path: str, content: bytes, status: int = 200) -> Page:
    browser.get("/verify")
    browser.post(path, {"file": (BytesIO(content), "文书.pdf")}, status)
    assert browser.page is not None
    return browser.page
