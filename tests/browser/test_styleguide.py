"""The look and the scripts in a real browser: accessible at both widths, and nothing typed is ever lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from tests.web.shell_app import Played, create_shell_app

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_shell_app()


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page whose console must stay silent: a refused inline style or a script error fails the test."""
    context = browser.new_context(viewport=DESKTOP, base_url=address, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(20_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None,
    )
    yield page
    context.close()
    assert not complaints


@pytest.fixture
def played(app: Flask) -> Iterator[Played]:
    played: Played = app.extensions["played"]
    played.__init__()  # type: ignore[misc]  # begin each test afresh
    yield played
    played.status = 200


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", ["/", "/draft", "/decide"])
def test_accessible_and_no_wider_than_the_screen(page: Page, path: str, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]  # a TypedDict to mypy
    page.goto(path)
    violations = Axe().run(page).response["violations"]
    assert not [(one["id"], [node["target"] for node in one["nodes"]]) for one in violations]
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_the_button_says_what_the_chosen_outcome_does(page: Page) -> None:
    page.goto("/decide")
    button = page.locator("[data-decision-button]")
    expect(button).to_have_text("按所选结果办理")
    page.get_by_role("radio", name="不予受理，办结本件").check()
    expect(button).to_have_text("不予受理，办结本件")
    expect(page.get_by_role("button", name="经营地不在本县，不属于本县受理范围。")).to_be_visible()
    expect(page.get_by_role("button", name="材料齐全，符合受理条件，予以受理。")).to_be_hidden()


def test_a_stock_phrase_goes_into_the_opinion_where_the_cursor_is(page: Page) -> None:
    page.goto("/decide")
    page.get_by_role("radio", name="受理，送县级审核", exact=True).check()
    page.get_by_label("意见").fill("已核对。")
    page.get_by_role("button", name="材料齐全，符合受理条件，予以受理。").click()
    expect(page.get_by_label("意见")).to_have_value("已核对。材料齐全，符合受理条件，予以受理。")


def test_what_an_outcome_asks_appears_with_it_and_rows_can_be_added(page: Page) -> None:
    page.goto("/decide")
    expect(page.locator("#f-lacks")).to_be_hidden()
    page.get_by_role("radio", name="一次性告知补正").check()
    rows = page.locator("[data-repeat-row]:visible")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="再加一行").click()
    expect(rows).to_have_count(2)
    expect(page.locator("[name='lacks-1-field']")).to_be_focused()


def test_a_double_click_sends_one_decision(page: Page, played: Played) -> None:
    page.goto("/decide")
    page.get_by_role("radio", name="受理，送县级审核", exact=True).check()
    page.locator("[data-decision-button]").dblclick()
    page.wait_for_timeout(500)
    assert [one["outcome"] for one in played.decided] == [["accept"]]


def test_enter_in_a_question_means_the_main_button_not_another_row(page: Page) -> None:
    page.goto("/draft")
    with page.expect_request(
        lambda request: request.method == "POST" and request.url.endswith("/draft")
    ) as sent:
        page.get_by_label("单位名称").press("Enter")
    assert "add_row" not in (sent.value.post_data or "")


def test_a_draft_saves_itself_and_says_when(page: Page, played: Played) -> None:
    page.goto("/draft")
    page.get_by_label("单位名称").fill("鹤乡服饰有限公司")
    page.get_by_label("统一社会信用代码").focus()
    expect(page.locator("[data-autosave-status]")).to_have_text("已自动保存 14:05")
    assert played.saved[-1]["name"] == ["鹤乡服饰有限公司"]
    assert page.evaluate("sessionStorage.length") == 0


def test_a_session_that_ends_while_typing_loses_nothing(page: Page, played: Played) -> None:
    page.goto("/draft")
    played.status = 401
    page.get_by_label("单位名称").fill("鹤乡服饰有限公司")
    page.get_by_label("统一社会信用代码").focus()
    status = page.locator("[data-autosave-status]")
    expect(status).to_contain_text("登录已失效，填写的内容还在本页")
    expect(status.get_by_role("link", name="在新窗口重新登录")).to_have_attribute("target", "_blank")
    # Back after a new login: it saves by itself.
    played.status = 200
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(status).to_have_text("已自动保存 14:05")
    assert played.saved[-1]["name"] == ["鹤乡服饰有限公司"]


def test_a_submission_refused_for_its_session_is_offered_again(page: Page, played: Played) -> None:
    page.goto("/draft")
    played.status = 401
    page.get_by_label("单位名称").fill("鹤乡服饰有限公司")
    page.get_by_label("带动就业情况").fill("吸纳务工人员三十人")
    page.get_by_label("工伤保险").check()
    page.get_by_role("button", name="保存，进入下一步").click()
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    played.status = 200
    page.goto("/draft")
    expect(page.get_by_label("单位名称")).to_have_value("鹤乡服饰有限公司")
    expect(page.get_by_label("带动就业情况")).to_have_value("吸纳务工人员三十人")
    expect(page.get_by_label("工伤保险")).to_be_checked()
    expect(page.get_by_text("已恢复您")).to_be_visible()


def test_what_one_person_typed_is_not_offered_to_the_next(page: Page, played: Played) -> None:
    page.goto("/draft")
    played.status = 401
    page.get_by_label("单位名称").fill("鹤乡服饰有限公司")
    page.wait_for_timeout(400)
    assert page.evaluate("sessionStorage.length") == 1
    page.evaluate(
        "const key = sessionStorage.key(0);"
        "sessionStorage.setItem(key.replace('sample', 'other'), sessionStorage.getItem(key));"
        "sessionStorage.removeItem(key)"
    )
    page.goto("/decide")
    assert page.evaluate("sessionStorage.length") == 0


def test_lists_are_walked_with_keys_and_keys_can_be_switched_off(page: Page) -> None:
    page.goto("/")
    page.locator("body").press("j")
    expect(page.locator(".wg-item-current a")).to_have_text("RD〔2026〕0138")
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="键盘操作")).to_be_visible()
    page.get_by_label("启用单键操作").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(".wg-item-current a")).to_have_text("RD〔2026〕0141")


def test_rows_are_selected_together_and_a_refusal_asks_for_its_reason(page: Page) -> None:
    page.goto("/")
    page.get_by_label("全选本页").check()
    expect(page.get_by_text("已选 3 人：")).to_be_visible()
    expect(page.get_by_label("乌云其木格：不同意的理由")).to_be_hidden()
    page.locator("#f-verdict-3-refuse").check()
    expect(page.get_by_label("乌云其木格：不同意的理由")).to_be_visible()
    page.get_by_role("button", name="所选不同意").click()
    expect(page.get_by_label("不同意的理由", exact=True)).to_be_focused()


def test_everything_can_be_read_and_sent_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=address)
    page = context.new_page()
    page.goto("/decide")
    assert page.locator("[data-repeat-row]").count() == 3
    assert page.locator("#f-lacks").is_visible()
    assert page.locator("[data-phrase]").first.is_visible()
    page.goto("/")
    assert not page.locator("[data-copy]").first.is_visible()
    context.close()
