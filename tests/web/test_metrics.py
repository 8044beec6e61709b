"""What Prometheus reads: what waits, what failed, what people did, and nobody's name; only for whoever may ask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from tests.web.client import Browser
from tests.web.conftest import _running
from tests.web.world import PASSWORD
from webapp import health
from webapp.commands.running import alive, share_measures
from webapp.config import Settings
from webapp.measures import ended, timed
from workflows.base import outbox
from workflows.base.clock import now
from workflows.base.heartbeat import beat
from workflows.base.outbox import MAX_ATTEMPTS
from workflows.base.session import Database


@pytest.fixture
def guarded(settings: Settings) -> Iterator[Flask]:
    with _running(replace(settings, metrics_token="a-long-token")) as made:
        yield made


def read(app: Flask, **headers: str) -> dict[tuple[str, ...], float]:
    """Name and the labels' values in the order of the labels' names → value."""
    answer = app.test_client().get("/metrics", headers=headers)
    assert answer.status_code == 200
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_what_waits_and_what_failed(app: Flask, web_database: Database) -> None:
    before = read(app)
    assert before[("wengang_worker_silent_seconds",)] == -1
    assert before[("wengang_anchor_age_days",)] == -1
    with web_database.transaction() as session:
        beat(session, health.WORKER)
        for number in range(3):
            outbox.put(session, "notice", str(number), {})
        session.flush()
        rows = session.query(outbox.OutboxRow).filter_by(kind="notice", done_at=None).all()
        rows[0].created_at = now() - timedelta(minutes=5)
        rows[1].attempts, rows[1].last_error = 3, "OSError"
        rows[2].attempts, rows[2].last_error = MAX_ATTEMPTS, "OSError"
    found = read(app)
    waiting = ("wengang_outbox_waiting", "notice")
    assert found[waiting] - before.get(waiting, 0) == 3
    assert (found["wengang_outbox_failed", "notice"], found["wengang_outbox_given_up", "notice"]) == (1, 1)
    assert 300 <= found[("wengang_outbox_oldest_seconds",)] < 360
    assert 0 <= found[("wengang_worker_silent_seconds",)] < 60
    assert found[("wengang_work_items_open",)] == found[("wengang_work_items_overdue",)] == 0


def test_what_people_did_and_how_it_ended(app: Flask) -> None:
    def signings(how: str) -> float:
        return read(app).get(("wengang_actions_total", how, "auth.login"), 0)

    done, refused = signings("done"), signings("refused")
    browser = Browser(app)
    browser.get("/login")
    browser.refused("/login", {"username": "sun", "password": "wrong"})
    browser.login("sun", PASSWORD)
    assert (signings("done") - done, signings("refused") - refused) == (1, 1)
    found = read(app)
    assert found["wengang_request_seconds_count", "auth.login", "POST"] >= 2
    assert "孙丽华" not in str(found)
    assert not any("sun" in one for one in found)


@pytest.mark.parametrize(
    ("status", "how"),
    [(303, "done"), (422, "refused"), (409, "conflict"), (429, "too_many"), (403, "denied"), (503, "failed")],
)
def test_how_an_action_ended(status: int, how: str) -> None:
    assert ended(status) == how


def test_jobs_are_counted_done_and_failed(app: Flask) -> None:
    def handle(database: Any, payload: dict[str, Any]) -> None:
        if payload:
            raise RuntimeError

    def count(how: str) -> float:
        return read(app).get(("wengang_job_seconds_count", how, "counted"), 0)

    handler = timed({"counted": handle})["counted"]
    done, failed = count("done"), count("failed")
    handler(None, {})  # type: ignore[arg-type]  # no database is asked
    with pytest.raises(RuntimeError):
        handler(None, {"key": "1"})  # type: ignore[arg-type]  # the same
    assert (count("done") - done, count("failed") - failed) == (1, 1)


def test_an_answer_that_failed_is_counted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setitem(app.view_functions, "auth.forgotten", fail)
    fail.allowed = frozenset({"guest"})  # type: ignore[attr-defined]  # as @allow marks a view
    before = read(app).get(("wengang_errors_total", "auth.forgotten"), 0)
    assert app.test_client().get("/login/forgotten").status_code == 500
    assert read(app)["wengang_errors_total", "auth.forgotten"] - before == 1


@pytest.mark.parametrize("headers", [{"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1"}])
def test_a_proxy_on_this_machine_does_not_open_it(app: Flask, headers: dict[str, str]) -> None:
    assert app.test_client().get("/metrics", headers=headers).status_code == 404


def test_another_machine_is_told_nothing(app: Flask) -> None:
    asked = app.test_client().get("/metrics", environ_overrides={"REMOTE_ADDR": "10.0.0.1"})
    assert asked.status_code == 404
    assert "wengang_" not in asked.text


def test_with_a_token_whoever_brings_it(guarded: Flask) -> None:
    client = guarded.test_client()
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 404
    assert read(guarded, Authorization="Bearer a-long-token", **{"X-Forwarded-For": "10.0.0.1"})


def test_files_of_processes_that_are_gone_are_removed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    share_measures(settings)
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    assert folder.stat().st_mode & 0o777 == 0o700
    old = folder / "counter_999999999.db"
    old.touch()
    mine = folder / "histogram_1.db"
    mine.touch()
    share_measures(settings)
    assert old.exists()  # the web still runs: what a recycled process of it counted stays
    assert alive(mine)
    mine.rename(folder / "histogram_none.db")
    share_measures(settings)
    assert list(folder.iterdir()) == []
    folder.rmdir()
