"""What an officer does: find the item, read, decide."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.pages.person import Person


class Officer:
    """An officer at work."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def open(self, number: str, step: str = "") -> None:
        """From the work list to the item of this case."""
        self.person.go("/work")
        row = self.person.page.locator("tr", has_text=number)
        if step:
            row = row.filter(has_text=step)
        row.first.get_by_role("link", name=number).click()

    def outcome(self, label: str) -> None:
        """Choose what happens; the button then says it."""
        self.person.tick(self.person.page.get_by_role("radio", name=label, exact=True))
        expect(self.person.page.locator("[data-decision-button]")).to_have_text(label)

    def defect(self, row: int, place: str, problem: str, action: str) -> None:
        """One line of what is to be put right."""
        at = self.person.page.get_by_role("group", name=f"第 {row} 项")
        at.get_by_label("涉及内容").select_option(label=place)
        at.get_by_label("存在的问题").fill(problem)
        at.get_by_label("需要怎么做").fill(action)

    def add_row(self) -> None:
        self.person.page.get_by_role("button", name="再加一行").click()

    def opinion(self, phrase: str) -> None:
        """Take a stock phrase."""
        self.person.page.get_by_role("button", name=phrase, exact=True).click()

    def rest_agreed(self) -> None:
        self.person.tick(self.person.page.locator("#f-rest_verdict"))

    def lift(self, name: str, reason: str) -> None:
        """Agree by name that a held person goes on, with the reason."""
        row = self.person.page.get_by_role("group", name=f"{name}：意见")
        row.get_by_label("同意解除", exact=True).check()
        row.get_by_label(f"{name}：同意解除或者不同意的理由").fill(reason)
        self.person.press("保存本页逐人意见")

    def attach(self, key: str, *files: Path) -> None:
        self.person.attach(key, *files)

    def decide(self) -> None:
        with self.person.page.expect_navigation():
            self.person.page.locator("[data-decision-button]").click()
        self.person.sees("已办理")
