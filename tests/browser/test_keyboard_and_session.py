"""Without a mouse, and after a pause: an officer decides by keys alone, a session ends while a long form is typed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from tests.browser.house import House, running
from tests.browser.pages.person import Person
from tests.databases import SqliteHouse
from tests.web import officer_cases
from tests.web.officer_cases import Filled
from webapp import access
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.session import Database
from workflows.cases.model import Decision
from workflows.organisations.passwords import DEMO_PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def filled() -> list[Filled]:
    """What the template of this module's database holds; one entry once it is made."""
    return []


@pytest.fixture
def house(sqlite_house: SqliteHouse, tmp_path: Path, filled: list[Filled]) -> Iterator[House]:
    """The application with cases at the steps of ``officer_cases``, two hours later."""

    def fill(database: Database) -> None:
        use_installation(Installation("http://localhost", True, FileStore(tmp_path / "files")))
        filled.append(officer_cases.fill(database))

    with sqlite_house.fresh("browser_cases", fill) as database, running(database, tmp_path) as house:
        house.move(timedelta(hours=2))
        yield house


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until the element of this selector has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not lead to {selector}")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText || document.activeElement.value"))


def test_an_officer_decides_without_a_mouse(house: House, browser: Browser, filled: list[Filled]) -> None:
    officer = Person(browser, house.address, "shifan.clerk")
    page = officer.page
    officer.go("/login")
    page.keyboard.type("shifan.clerk")  # the first field has the focus already
    page.keyboard.press("Tab")
    page.keyboard.type(DEMO_PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    number = filled[0].numbers["accepting"]

    page.keyboard.press("/")
    page.keyboard.type(number)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.locator("body").press("j")
    assert focused(page) == number
    with page.expect_navigation():
        page.keyboard.press("Enter")
    officer.sees_title("受理审查")

    tab_to(
        page, ".wg-to-decision"
    )  # one of the first links; the whole roster stands between it and the panel
    page.keyboard.press("Enter")
    tab_to(page, "#f-outcome", most=3)
    page.locator("body").press("d")  # the same by one key
    assert page.evaluate("document.activeElement.id") == "f-outcome"
    page.keyboard.press("Space")
    button = page.locator("[data-decision-button]")
    expect(button).to_have_text("同意受理，送人社局、乡村振兴局审核")
    tab_to(page, ".wg-phrase")
    page.keyboard.press("Enter")
    expect(page.get_by_label("意见（选填）")).to_have_value("材料齐全，符合受理条件，予以受理。")
    page.keyboard.type("已电话核实。")  # the focus is in the opinion, behind the phrase
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    officer.sees("已办理", number)
    with house.database.reading() as session:
        decided = session.scalars(select(Decision).order_by(Decision.id.desc())).first()
        assert (decided.outcome, decided.opinion) == (
            "accept",
            "材料齐全，符合受理条件，予以受理。已电话核实。",
        )
    officer.leave()


def test_a_session_that_ends_while_a_long_form_is_typed(
    house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an hour of typing without a word to the server: nothing is lost, and a login in another window saves it."""
    clerk = Person(browser, house.address, "qiye4")
    clerk.login("qiye4", DEMO_PASSWORD)
    page = clerk.page
    clerk.follow("申请认定就业帮扶车间")
    clerk.press("开始填写")
    clerk.follow("经营与场地", exact=True)
    late = time.time() + 31 * 60
    monkeypatch.setattr(access, "_clock", lambda: late)
    clerk.write("车间名称", "鹤乡食品分拣就业帮扶车间")
    clerk.choose("创建模式", "居家式")
    status = page.locator("[data-autosave-status]")
    expect(status).to_contain_text("登录已失效，填写的内容还在本页，没有丢失")
    clerk.write("主要产品或者服务", "杂粮分拣")

    with clerk.context.expect_page() as opened:
        status.get_by_role("link", name="在新窗口重新登录").click()
    login = opened.value
    login.get_by_label("用户名").fill("qiye4")
    login.get_by_label("密码").fill(DEMO_PASSWORD)
    with login.expect_navigation():
        login.get_by_role("button", name="登录").click()
    login.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")  # headless windows do not tell
    expect(status).to_contain_text("已自动保存")

    page.reload()
    expect(page.get_by_label("车间名称")).to_have_value("鹤乡食品分拣就业帮扶车间")
    expect(page.get_by_label("主要产品或者服务")).to_have_value("杂粮分拣")
    expect(page.get_by_label("居家式")).to_be_checked()
    clerk.leave()


def test_a_form_sent_after_the_session_ended_comes_back_filled(
    house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The main button leads to the login instead of the next page; after it the form is offered as it was."""
    clerk = Person(browser, house.address, "qiye4")
    clerk.login("qiye4", DEMO_PASSWORD)
    page = clerk.page
    clerk.follow("申请认定就业帮扶车间")
    clerk.press("开始填写")
    clerk.follow("经营与场地", exact=True)
    here = page.url
    late = time.time() + 31 * 60
    monkeypatch.setattr(access, "_clock", lambda: late)
    clerk.write("车间名称", "鹤乡食品分拣就业帮扶车间")
    clerk.write("主要产品或者服务", "杂粮分拣")
    clerk.press("下一步")
    clerk.sees("登录已失效", "杂粮分拣")
    clerk.look("60-session-ended")
    clerk.follow("重新登录")
    clerk.write("用户名", "qiye4")
    clerk.write("密码", DEMO_PASSWORD)
    clerk.press("登录")
    assert page.url == here
    expect(page.get_by_label("车间名称")).to_have_value("鹤乡食品分拣就业帮扶车间")
    clerk.sees("已恢复您")
    clerk.look("61-restored")
    clerk.leave()
