"""The worker: chores at their times, nudges, a queue that fails, a stop that finishes what was begun."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from huey import MemoryHuey
from sqlalchemy import select

from webapp import health, worker
from webapp.config import ConfigurationError, Settings
from webapp.database import transaction
from webapp.queue import make_queue, nudger
from webapp.startup import signer
from webapp.worker import Worker, make_worker
from workflows.base import outbox
from workflows.base.heartbeat import lives
from workflows.base.outbox import OutboxRow
from workflows.base.session import Database


@pytest.fixture
def seen() -> list[int]:
    return []


@pytest.fixture
def made(web_database: Database, seen: list[int]) -> Worker:
    def handle(database: Database, payload: dict[str, Any]) -> None:
        seen.append(payload["number"])

    return Worker(web_database, {"count": handle}, MemoryHuey(), threads=2)


@pytest.fixture
def running(made: Worker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)  # signals belong to the main thread
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join(timeout=20)
    assert not thread.is_alive()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_what_waits_is_done_and_the_worker_lives(
    running: Worker, web_database: Database, seen: list[int]
) -> None:
    with web_database.transaction() as session:
        for number in range(25):
            outbox.put(session, "count", str(number), {"number": number})
    wait_for(lambda: len(seen) == 25)
    assert sorted(seen) == list(range(25))

    def alive() -> bool:
        with web_database.reading() as session:
            return lives(session, health.WORKER)

    wait_for(alive)


def test_a_nudge_wakes_it_before_the_sweep(made: Worker) -> None:
    made.chores = []
    nudger(made.queue)()
    listener = threading.Thread(target=made._listen)
    listener.start()
    assert made._wake.wait(10)
    made.stop()
    listener.join(timeout=10)


def test_a_commit_with_work_nudges_and_one_without_does_not(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    with app.app_context():
        found = app.extensions["wengang"]
        monkeypatch.setitem(
            app.extensions, "wengang", type(found)(found.settings, found.store, lambda: calls.append(1))
        )
        with transaction() as session:
            session.scalars(select(OutboxRow)).all()
        assert calls == []
        with transaction() as session:
            outbox.put(session, "count", "1", {"number": 1})
        assert calls == [1]


def test_a_queue_that_fails_stops_nobody(made: Worker) -> None:
    class Broken:
        def task(self, **_: object) -> Callable[[Any], Any]:
            return lambda function: function

        def pending_count(self) -> int:
            raise OSError("the queue's server is away")

    nudger(Broken())()  # type: ignore[arg-type]  # a fake with what is called


def test_a_chore_that_fails_is_tried_again(made: Worker) -> None:
    tried: list[float] = []

    def fail() -> None:
        tried.append(1)
        raise OSError("the database is away")

    made.chores = [worker.Chore("fails", 5, fail)]
    made.sweep(100)
    made.sweep(101)
    assert len(tried) == 1
    made.sweep(106)
    assert len(tried) == 2


def test_the_queue_by_its_url(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = make_queue(replace(settings, queue_url=""))
    local.storage.close()
    assert (tmp_path / "queue.db").exists()
    monkeypatch.setattr("huey.storage.Redis", None)  # the client of Redis is an extra
    with pytest.raises(ConfigurationError, match="另外安装"):
        make_queue(replace(settings, queue_url="redis://localhost:1/0"))
    with pytest.raises(ConfigurationError, match="只支持"):
        make_queue(replace(settings, queue_url="amqp://localhost"))


def test_outside_the_demonstration_the_seal_is_required(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="WENGANG_SIGNER_FILE"):
        signer(settings)


@pytest.mark.parametrize(("crypto", "algorithm"), [("standard", b"sha256"), ("gm", b"SM2-with-SM3")])
def test_the_demonstration_signs_with_the_chosen_algorithms(
    settings: Settings, crypto: str, algorithm: bytes
) -> None:
    signer(replace(settings, demo=True, crypto=crypto))
    certificate = next(settings.data_dir.glob("*.p12"))
    words = ["openssl", "pkcs12", "-nokeys", "-passin", "pass:", "-in", str(certificate)]
    pem = subprocess.run(words, capture_output=True, check=True).stdout
    told = subprocess.run(
        ["openssl", "x509", "-noout", "-text"], input=pem, capture_output=True, check=True
    ).stdout
    assert algorithm in told


def test_the_whole_worker_is_put_together(settings: Settings) -> None:
    whole = make_worker(replace(settings, demo=True))
    assert {"render_document", "read_roster", "notice", "verify_everything"} <= set(whole.handlers)
    whole.sweep()
    whole.drain()
    whole.database.close()
