"""Somebody at a browser: every page they look at must be accessible and fit the desk and the phone."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Locator, Page, expect

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa"]},
    "resultTypes": ["violations"],
}
_AXE = Axe()


class Person:
    """One person with a browser of their own.

    :param name: how their pages are called in messages and pictures.
    """

    def __init__(self, browser: Browser, address: str, name: str) -> None:
        self.name = name
        self.context = browser.new_context(viewport=DESKTOP, base_url=address, locale="zh-CN")  # type: ignore[arg-type]  # a TypedDict to mypy
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._said)
        self.looked: list[str] = []

    def _said(self, message: object) -> None:
        text = str(getattr(message, "text", ""))
        if "Content Security Policy" in text:
            self.complaints.append(text)

    # Going about ------------------------------------------------------------------------------------------------

    def go(self, path: str) -> None:
        self.page.goto(path)

    def follow(self, name: str, exact: bool = False) -> None:
        """Click the first link of this name, the menu apart, and wait for the page that it leads to."""
        with self.page.expect_navigation():
            self._link(name, exact).click()

    def pull(self, name: str) -> None:
        """Click the first link of this name, which leads to a file and to no other page."""
        self._link(name).click()

    def _link(self, name: str, exact: bool = False) -> Locator:
        return self.page.locator(".wg-page").get_by_role("link", name=name, exact=exact).first

    def menu(self, name: str) -> None:
        """Go where the menu leads."""
        with self.page.expect_navigation():
            self.page.get_by_role("navigation", name="主菜单").get_by_role("link", name=name).click()

    def press(self, name: str) -> None:
        """Click the first button of this name and wait for the page that it leads to."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name).first.click()

    def main(self) -> Locator:
        return self.page.locator("main")

    def sees(self, *texts: str) -> None:
        """All these words stand on the page, somewhere in its content."""
        for text in texts:
            expect(self.main()).to_contain_text(text)

    def sees_title(self, text: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(text)

    def login(self, username: str, password: str) -> None:
        self.go("/login")
        self.write("用户名", username)
        self.write("密码", password)
        self.press("登录")

    # Filling in -------------------------------------------------------------------------------------------------

    def write(self, label: str, value: str) -> None:
        self.page.get_by_label(label, exact=True).fill(value)

    def tick(self, box: Locator) -> None:
        """Tick a box or radio button; whoever missed it, because the page moved below the pointer, clicks again."""
        try:
            box.check()
        except Error:
            box.check()

    def choose(self, question: str, *answers: str) -> None:
        """Tick radio buttons or boxes of the question with this legend."""
        group = self.page.get_by_role("group", name=question)
        for answer in answers:
            self.tick(group.get_by_label(answer, exact=True))

    def select(self, label: str, option: str) -> None:
        """Pick from a list: the option whose text begins so."""
        field = self.page.get_by_label(label, exact=True)
        found = field.locator("option", has_text=re.compile(f"^\\s*{re.escape(option)}")).first
        field.select_option(value=found.get_attribute("value"))

    def attach(self, key: str, *files: Path) -> None:
        """Choose files for the question with this key: labels of file inputs repeat themselves."""
        self.page.locator(f"#f-{key}").set_input_files(list(files))

    # Looking ----------------------------------------------------------------------------------------------------

    def look(self, name: str) -> None:
        """Check the page at both widths; keep a picture where ``WENGANG_SCREENSHOTS`` names a folder."""
        self.looked.append(name)
        for size in (DESKTOP, PHONE):
            self.page.set_viewport_size(size)  # type: ignore[arg-type]  # a TypedDict to mypy
            width = self.page.evaluate("document.documentElement.scrollWidth")
            self._keep(f"{name}-{size['width']}")
            assert width <= size["width"], f"{self.name}, {name}: {width} px wide at {size['width']}"
            found = self._violations()
            wrong = [
                (one["id"], [(node["target"], node["failureSummary"]) for node in one["nodes"]])
                for one in found
            ]
            assert not wrong, f"{self.name}, {name} at {size['width']}: {wrong}"
        self.page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]  # a TypedDict to mypy

    def _violations(self) -> list[dict[str, Any]]:
        """What axe-core finds. Its script is large: it is brought into a page once, for both widths."""
        if self.page.evaluate("typeof axe") == "undefined":
            self.page.evaluate(_AXE.axe_script)
        found: list[dict[str, Any]] = self.page.evaluate(
            "rules => axe.run(document, rules).then((found) => found.violations)", _RULES
        )
        return found

    def _keep(self, name: str) -> None:
        folder = os.environ.get("WENGANG_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def leave(self) -> None:
        """Close the browser; nothing on any page may have complained."""
        self.context.close()
        assert not self.complaints, f"{self.name}: {self.complaints}"
