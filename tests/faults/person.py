"""Somebody at a browser, over real HTTP: what was typed is sent again when the line breaks."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any

from tests.web.client import Page
from workflows.organisations.passwords import DEMO_PASSWORD

#: The line broke, or nobody listens: what became of the request is not known.
BROKEN = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Answer:
    """What came back. ``to``: where it leads."""

    status: int
    text: str
    to: str

    @property
    def page(self) -> Page:
        return Page(self.text, "")


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Person:
    """One browser, signed in.

    :param address: where the site is.
    """

    def __init__(self, address: str, username: str) -> None:
        self.address, self.username = address, username
        self._open = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _Stay, urllib.request.HTTPCookieProcessor(CookieJar())
        ).open
        self._token = ""

    def sign_in(self) -> None:
        self.get("/login")
        answer = self.post("/login", {"username": self.username, "password": DEMO_PASSWORD})
        assert answer.status == 303, answer.text
        self.get("/account")

    def get(self, path: str) -> Answer:
        """Fetch a page, and keep the token that its forms carry."""
        answer = self._ask(path, None)
        if answer.status == 200 and 'name="csrf-token"' in answer.text:
            self._token = answer.page.one("meta", name="csrf-token").get("content", "")
        return answer

    def post(self, path: str, form: Mapping[str, Any]) -> Answer:
        """Send a form: texts, or lists of texts."""
        data = urllib.parse.urlencode({"csrf_token": self._token, **form}, doseq=True).encode()
        return self._ask(path, data)

    def upload(self, path: str, field: str, name: str, content: bytes, form: Mapping[str, str]) -> Answer:
        """Send a form with one file."""
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n'.encode()
            for key, text in {"csrf_token": self._token, **form}.items()
        ]
        head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        parts += [f"{head}Content-Type: text/csv\r\n\r\n".encode(), content, b"\r\n--x--\r\n"]
        return self._ask(path, b"".join(parts), {"Content-Type": "multipart/form-data; boundary=x"})

    def _ask(self, path: str, data: bytes | None, headers: Mapping[str, str] | None = None) -> Answer:
        request = urllib.request.Request(self.address + path, data, {**(headers or {})})
        try:
            with self._open(request, timeout=60) as response:
                return Answer(response.status, response.read().decode(), "")
        except urllib.error.HTTPError as error:
            with error:
                to = urllib.parse.urlsplit(error.headers.get("Location", "")).path
                return Answer(error.code, error.read().decode(), to)
