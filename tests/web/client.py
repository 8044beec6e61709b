"""A browser for tests: it checks every page it fetches, and sends forms with the token of the page it is on."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask
from werkzeug.test import TestResponse

_LABELLED = {"input", "select", "textarea"}
_UNLABELLED_INPUTS = {"hidden", "submit", "button", "image", "reset"}
_LEAKS = re.compile(r"\{\{|\}\}|\{%|\bNone\b|\bTrue\b|\bFalse\b|<[a-z_]+ object|Traceback|datetime\.")


class Page:
    """A parsed page. Selects by tag and attributes; knows what it says."""

    def __init__(self, text: str, path: str) -> None:
        parser = html5lib.HTMLParser(
            tree=html5lib.getTreeBuilder("etree"), strict=False, namespaceHTMLElements=False
        )
        self.root: Element = parser.parse(text)
        self.parse_errors = [f"{position}: {code} {data}" for position, code, data in parser.errors]
        self.source = text
        self.path = path

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements of a tag with these attributes (``class_`` asks for one of the classes)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}

        def fits(element: Element) -> bool:
            return all(
                value in element.get(name, "").split() if name == "class" else element.get(name) == value
                for name, value in wanted.items()
            )

        return [one for one in self.root.iter(tag) if fits(one)]

    def one(self, tag: str, **attributes: str) -> Element:
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{self.path}: {len(found)} × <{tag} {attributes}>"
        return found[0]

    @property
    def title(self) -> str:
        return text_of(self.one("h1"))

    @property
    def text(self) -> str:
        """What a person reads in the body."""
        return text_of(self.one("body"))

    @property
    def main(self) -> str:
        return text_of(self.one("main"))

    @property
    def errors(self) -> list[str]:
        """The lines of the error summary."""
        return [
            text_of(line) for box in self.all("div", class_="wg-error-summary") for line in box.iter("li")
        ]

    def links(self) -> dict[str, str]:
        """Text → address."""
        return {text_of(one): one.get("href", "") for one in self.all("a")}

    def form(self, id_: str) -> dict[str, list[str]]:
        """What the form of that id sends as it stands, buttons and the session's token apart."""
        found: dict[str, list[str]] = {}
        for one in self.one("form", id=id_).iter():
            name, kind = one.get("name"), one.get("type", "text")
            if name is None or name == "csrf_token" or one.tag not in _LABELLED:
                continue
            if one.tag == "textarea":
                found.setdefault(name, []).append((one.text or "").removeprefix("\n"))
            elif one.tag == "select":
                chosen = [option for option in one.iter("option") if option.get("selected") is not None]
                found.setdefault(name, []).extend(
                    option.get("value", text_of(option)) for option in chosen or list(one.iter("option"))[:1]
                )
            elif kind in {"checkbox", "radio"}:
                if one.get("checked") is not None:
                    found.setdefault(name, []).append(one.get("value", "on"))
            elif kind not in {"submit", "button", "image", "reset", "file"}:
                found.setdefault(name, []).append(one.get("value", ""))
        return found

    def problems(self) -> list[str]:
        """Everything that is wrong with the page as a page."""
        found = [f"parse error at {one}" for one in self.parse_errors]
        html = self.one("html")
        if html.get("lang") != "zh-CN":
            found.append("no lang=zh-CN")
        if len(self.all("title")) != 1 or not text_of(self.all("title")[0]):
            found.append("not exactly one title")
        if len(self.all("h1")) != 1:
            found.append(f"{len(self.all('h1'))} × h1")
        if len(self.all("main")) != 1:
            found.append("not exactly one main")
        ids = Counter(one.get("id") for one in self.root.iter() if one.get("id"))
        found += [f"id {name} stands {count} times" for name, count in ids.items() if count > 1]
        found += self._unlabelled(set(ids))
        found += self._active_content()
        for form in self.all("form", method="post"):
            if not any(one.get("name") == "csrf_token" for one in form.iter("input")):
                found.append(f"form to {form.get('action')} without token")
        found += [f"img without alt: {one.get('src')}" for one in self.all("img") if one.get("alt") is None]
        if leak := _LEAKS.search(self.text):
            found.append(
                f"inner words on the page: …{self.text[max(0, leak.start() - 30) : leak.end() + 30]}…"
            )
        return found

    def _unlabelled(self, ids: set[str | None]) -> list[str]:
        found = []
        labels = {one.get("for") for one in self.all("label")}
        inside = {
            control for label in self.all("label") for control in label.iter() if control.tag in _LABELLED
        }
        for one in self.root.iter():
            if one.tag not in _LABELLED or one.get("type") in _UNLABELLED_INPUTS:
                continue
            named = one.get("aria-label") or one.get("aria-labelledby") or one in inside
            if not named and (one.get("id") is None or one.get("id") not in labels):
                found.append(f"<{one.tag} name={one.get('name')}> has no label")
        for attribute in ("aria-describedby", "aria-labelledby", "aria-controls"):
            for one in self.root.iter():
                for name in one.get(attribute, "").split():
                    if name not in ids:
                        found.append(f"{attribute}={name} points nowhere")
        found += [f"label for={name} points nowhere" for name in labels if name and name not in ids]
        return found

    def _active_content(self) -> list[str]:
        found = []
        for one in self.root.iter():
            if not isinstance(one.tag, str):
                continue
            if one.get("style") is not None or one.tag == "style":
                found.append(f"style in <{one.tag}>")
            if one.tag == "script" and not one.get("src"):
                found.append("script in the page")
            found += [f"{name} on <{one.tag}>" for name in one.attrib if name.startswith("on")]
            for name in ("src", "href", "action"):
                value = one.get(name, "")
                if value.startswith(("javascript:", "//")) or (value.startswith("http") and one.tag != "a"):
                    found.append(f"{name}={value} leads outside")
        return found


def text_of(element: Element) -> str:
    """The words of an element, spaces evened out."""
    return " ".join("".join(element.itertext()).split())


class Browser:
    """Fetches pages of an application as one person would."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()
        self.page: Page | None = None
        self.path = "/"

    def get(self, path: str, status: int = 200, **options: Any) -> Page:
        """Fetch a page, follow no redirect; its status and its form must be right."""
        response = self.client.get(path, **options)
        return self._taken(response, path, status)

    def fetch(self, path: str, **options: Any) -> TestResponse:
        """Fetch anything, checked for headers alone."""
        response = self.client.get(path, **options)
        check_headers(response, path)
        return response

    def post(
        self, path: str, data: dict[str, Any] | None = None, status: int = 303, **options: Any
    ) -> TestResponse:
        """Send a form with the token of the present session."""
        filled = {"csrf_token": self.token(), **(data or {})}
        response = self.client.post(path, data=filled, **options)
        check_headers(response, path)
        assert response.status_code == status, self._unexpected(response, path, status)
        if response.status_code < 300 or response.status_code >= 400:
            self._taken(response, path, status)
        return response

    def submit(self, path: str, data: dict[str, Any] | None = None) -> Page:
        """Send a form that must succeed, and follow where it leads."""
        response = self.post(path, data)
        return self.follow(response)

    def refused(self, path: str, data: dict[str, Any] | None = None, status: int = 422) -> Page:
        """Send a form that must be refused; the page shown again."""
        self.post(path, data, status)
        assert self.page is not None
        return self.page

    def refused_with(self, path: str, data: dict[str, Any], headers: dict[str, str], status: int) -> Page:
        """The same for a form sent as it is, its token and its headers included."""
        return self._taken(self.client.post(path, data=data, headers=headers), path, status)

    def follow(self, response: TestResponse, status: int = 200) -> Page:
        """Go where a redirect leads, through further ones, to a page."""
        path = self.path
        for _ in range(5):
            path = urljoin(path, response.headers["Location"])
            response = self.client.get(path)
            if response.status_code not in {301, 302, 303}:
                return self._taken(response, path, status)
        raise AssertionError(f"{path}: redirects without end")

    def login(self, username: str, password: str) -> Page:
        self.get("/login")
        return self.submit("/login", {"username": username, "password": password})

    def token(self) -> str:
        """The CSRF token of this session; from the page one is on, else from the login page or the account."""
        if self.page is None or not self.page.all("meta", name="csrf-token"):
            response = self.client.get("/login")
            if response.status_code != 200:
                response = self.client.get("/account")
            self.page = Page(response.text, "/login")
        return self.page.one("meta", name="csrf-token").get("content", "")

    def _taken(self, response: TestResponse, path: str, status: int) -> Page:
        check_headers(response, path)
        assert response.status_code == status, self._unexpected(response, path, status)
        assert response.mimetype == "text/html", f"{path}: {response.mimetype}"
        page = Page(response.text, path)
        problems = page.problems()
        assert not problems, f"{path}:\n" + "\n".join(problems)
        self.page, self.path = page, path
        return page

    def _unexpected(self, response: TestResponse, path: str, status: int) -> str:
        said = response.headers.get("Location", "")
        if response.mimetype == "text/html" and response.status_code != 303:
            page = Page(response.text, path)
            said = "; ".join(page.errors) or text_of(page.all("main")[0] if page.all("main") else page.root)
        elif response.mimetype == "application/json":
            said = json.dumps(response.json, ensure_ascii=False)
        return f"{path} answered {response.status_code} instead of {status}: {said[:600]}"


def check_headers(response: TestResponse, path: str) -> None:
    """The headers that every answer must carry."""
    policy = response.headers.get("Content-Security-Policy", "")
    assert "default-src 'none'" in policy, f"{path}: no content security policy"
    assert "unsafe" not in policy, f"{path}: {policy}"
    assert response.headers.get("X-Content-Type-Options") == "nosniff", path
    assert response.headers.get("X-Frame-Options") == "DENY", path
    assert response.headers.get("X-Request-Id"), path
    for cookie in response.headers.getlist("Set-Cookie"):
        assert "HttpOnly" in cookie, f"{path}: {cookie}"
        assert "SameSite=Lax" in cookie, f"{path}: {cookie}"
