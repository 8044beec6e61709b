"""``page_http``: the work list over HTTP under gunicorn, against a bare Flask page of the same query under the same gunicorn."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.figures import Figure
from benchmarks.people import ACCOUNTS
from benchmarks.worklist_growth import Fill
from benchmarks.world import KINDS, World, analyse
from workflows.base.privacy import keyring
from workflows.base.session import Database
from workflows.organisations.passwords import DEMO_PASSWORD

GOAL = 0.6
PROCESSES, THREADS, BROWSERS, ITEMS = 2, 4, 8, 1_000
_COOKIE = re.compile(r"(\w+)=([^;]*)")


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a database: pages a second for eight browsers, windows of both sides alternating."""
    windows, seconds = (1, 1.0) if quick else (5, 4.0)
    for kind in KINDS:
        with world.county(kind) as database:
            Fill(database).up_to(ITEMS)
            analyse(database)
            with (
                _served(database, world.folder, "webapp") as real,
                _served(database, world.folder, "bare") as bare,
            ):
                cookie = _sign_in(real)
                for port, path, sent in ((real, "/work", cookie), (bare, "/", "")):
                    _window(port, path, sent, seconds / 2)
                pairs = [
                    (_window(real, "/work", cookie, seconds), _window(bare, "/", "", seconds))
                    for _ in range(windows)
                ]
            mine, theirs = sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]
            yield Figure(f"page_http {kind}", mine, "pages/s", theirs, GOAL, at_least=True)


@contextmanager
def _served(database: Database, folder: Path, which: str) -> Iterator[int]:
    """The port of a gunicorn that serves the system, or the bare page; stopped afterwards."""
    keys = folder / "keys.json"
    if not keys.exists():
        keyring().save(keys)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    url = database.engine.url.render_as_string(hide_password=False)
    common = ["--processes", str(PROCESSES), "--threads", str(THREADS)]
    command = {
        "webapp": ["-m", "webapp.cli", "serve", "--port", str(port), *common],
        "bare": [
            "-m",
            "gunicorn",
            "-b",
            f"127.0.0.1:{port}",
            "-w",
            str(PROCESSES),
            "-k",
            "gthread",
            "--threads",
            str(THREADS),
            "benchmarks.bare_page:make()",
        ],
    }[which]
    environment = {
        **os.environ,
        "WENGANG_DEMO": "1",
        "WENGANG_DATA_DIR": str(folder / f"serve-{which}"),
        "WENGANG_KEYS_FILE": str(keys),
        "WENGANG_DATABASE_URL": url,
        "BARE_URL": url,
    }
    server = subprocess.Popen(  # noqa: S603  # our own programs
        [sys.executable, *command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            _get(port, "/login", "")
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nobody answers on port {port}")


def _get(port: int, path: str, cookie: str, body: str | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Cookie": cookie} if cookie else {}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request("GET" if body is None else "POST", path, body, headers)
    return connection.getresponse()


def _cookies(answer: http.client.HTTPResponse) -> str:
    found = dict(
        _COOKIE.match(one).groups() for one in answer.msg.get_all("Set-Cookie") or () if _COOKIE.match(one)
    )  # type: ignore[union-attr]  # it matched
    return "; ".join(f"{name}={value}" for name, value in found.items())


def _sign_in(port: int) -> str:
    answer = _get(port, "/login", "")
    token = answer.read().decode().split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "username": ACCOUNTS["hrss"], "password": DEMO_PASSWORD}
    entered = _get(port, "/login", _cookies(answer), urlencode(form))
    if entered.status != 303:
        raise RuntimeError(f"signing in failed: {entered.status}")
    return _cookies(entered)


def _window(port: int, path: str, cookie: str, seconds: float) -> float:
    """Pages a second for all browsers together; each asks again as soon as it has its page."""
    counts = [0] * BROWSERS
    until = time.perf_counter() + seconds

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.perf_counter() < until:
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            if answer.status != 200 or answer.read().count(b"<tr") < 20:
                raise RuntimeError(f"{path} answered {answer.status}")
            counts[number] += 1
        connection.close()

    crew: Sequence[threading.Thread] = [
        threading.Thread(target=ask, args=(number,)) for number in range(BROWSERS)
    ]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    return sum(counts) / seconds
