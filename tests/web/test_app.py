"""The frame: health, headers, errors in words, sizes, logs without personal data."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from tests.web.client import Browser
from tests.web.world import PASSWORD
from webapp import errors, health, logs
from webapp.access import everyone
from webapp.app import create_app
from webapp.auth import signing_in
from webapp.config import Settings
from webapp.database import db, transaction
from workflows.base.errors import Conflict, Invalid
from workflows.base.heartbeat import beat
from workflows.base.session import Database

SignIn = Callable[[str], Browser]


@pytest.fixture
def failing(app: Flask) -> Flask:
    """The application with routes that fail in each way."""

    @app.post("/stale")
    @everyone
    def stale() -> str:
        raise Conflict("这项工作已由李国栋于 3月2日 办理。")

    @app.post("/wrong")
    @everyone
    def wrong() -> str:
        raise Invalid("有内容需要更正。", {"name": "请填写单位名称。"})

    @app.route("/broken", methods=["GET", "POST"])
    @everyone
    def broken() -> str:
        raise RuntimeError("身份证 220822199001011234 的王五")

    @app.get("/silent")
    def silent() -> str:
        return "nobody said who may come here"

    return app


# Health --------------------------------------------------------------------------------------------------------------


def test_health_is_good_while_everything_runs(guest: Browser, web_database: Database) -> None:
    with web_database.transaction() as session:
        beat(session, health.WORKER)
    answer = guest.fetch("/healthz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "database": "ok", "worker": "ok", "fonts": "ok"}


def test_health_names_the_part_that_is_broken(guest: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = guest.fetch("/healthz")
    assert answer.status_code == 503
    assert answer.json == {"status": "failing", "database": "ok", "worker": "failing", "fonts": "ok"}

    def gone() -> bool:
        raise OSError("no route to the database")

    monkeypatch.setitem(health.CHECKS, "database", gone)
    assert guest.fetch("/healthz").json["database"] == "failing"


def test_a_machine_without_rare_characters_is_unhealthy(
    guest: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "font_problem", lambda: "现有字体缺少生僻字“䶮”。")
    assert guest.fetch("/healthz").json["fonts"] == "failing"


# Errors --------------------------------------------------------------------------------------------------------------


def test_an_unknown_address_is_answered_in_words(guest: Browser) -> None:
    page = guest.get("/no-such-page", 404)
    assert page.title == "页面不存在"
    assert "网址可能有误" in page.main


def test_a_route_that_says_nothing_about_access_is_closed(failing: Flask) -> None:
    Browser(failing).get("/silent", 404)


def test_an_error_shows_a_number_and_no_stack(failing: Flask, caplog: pytest.LogCaptureFixture) -> None:
    page = Browser(failing).get("/broken", 500)
    assert page.title == "系统出错"
    assert "编号" in page.main
    assert "RuntimeError" not in page.source
    assert "王五" not in page.source


def test_what_was_typed_survives_a_conflict(failing: Flask) -> None:
    browser = Browser(failing)
    page = browser.refused(
        "/stale", {"opinion": "同意，建议核对第三页合同。", "outcome": "agree", "password": "密码"}, 409
    )
    assert "已由李国栋" in page.main
    areas = [area.text or "" for area in page.all("textarea")]
    assert [text.strip() for text in areas] == ["同意，建议核对第三页合同。"]


def test_a_form_without_token_keeps_what_was_typed(failing: Flask) -> None:
    browser = Browser(failing)
    browser.get("/login")
    page = browser.refused("/stale", {"csrf_token": "", "opinion": "写了很久的意见"}, 400)
    assert "页面打开的时间太长" in page.main
    assert "写了很久的意见" in page.source


def test_scripts_get_json(failing: Flask) -> None:
    browser = Browser(failing)
    headers = {"X-Requested-With": "fetch", "X-CSRFToken": browser.token()}
    stale = browser.client.post("/stale", headers=headers)
    assert (stale.status_code, stale.json) == (
        409,
        {"error": "这项工作已由李国栋于 3月2日 办理。", "status": 409},
    )
    wrong = browser.client.post("/wrong", headers=headers)
    assert wrong.json == {
        "error": "有内容需要更正。",
        "status": 422,
        "errors": {"name": "请填写单位名称。"},
    }
    away = browser.client.get("/account", headers=headers)
    assert away.status_code == 401
    assert away.json["login"].startswith("/login")


def test_too_much_at_once_is_said_in_megabytes(settings: Settings) -> None:
    app = create_app(replace(settings, max_upload_bytes=2 * 1024 * 1024))
    browser = Browser(app)
    page = browser.refused("/login", {"username": "x" * (3 * 1024 * 1024)}, 413)
    assert "不能超过 2 兆" in page.main
    with app.app_context():
        db.engine.dispose()


def test_a_wrong_method_is_answered_in_words(guest: Browser) -> None:
    assert guest.get("/logout", 405).title == "操作方式不对"


# Headers -------------------------------------------------------------------------------------------------------------


def test_signed_in_pages_are_not_kept_on_shared_computers(sign_in: SignIn) -> None:
    assert sign_in("zhao").fetch("/account").headers["Cache-Control"] == "no-store"


def test_off_localhost_cookies_are_secure(settings: Settings) -> None:
    app = create_app(replace(settings, public_url="https://wengang.example.gov.cn"))
    answer = app.test_client().get("/login", base_url="https://wengang.example.gov.cn")
    assert all("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    with app.app_context():
        db.engine.dispose()


def test_static_files_are_ours(guest: Browser) -> None:
    with guest.fetch("/bootstrap/static/css/bootstrap.min.css") as answer:
        assert answer.status_code == 200


# Transactions --------------------------------------------------------------------------------------------------------


def _half_done() -> None:
    with transaction() as session:
        beat(session, "half-done")
        raise Conflict("没有完成。")


def test_an_action_that_fails_leaves_nothing(app: Flask, web_database: Database) -> None:
    with app.app_context():
        with pytest.raises(Conflict):
            _half_done()
        with transaction() as session:
            beat(session, "done")
    with web_database.reading() as session:
        names = {row[0] for row in session.connection().exec_driver_sql("select name from heartbeats")}
    assert names == {"done"}


# Logs ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, object]]]]:
    """What the process logs, parsed."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    logs.configure(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)


def test_logs_name_routes_and_ids_only(failing: Flask, lines: Callable[[], list[dict[str, object]]]) -> None:
    browser = Browser(failing)
    browser.login("zhao", PASSWORD)
    browser.get("/broken?id=220822199001011234", 500)
    logged = lines()
    text = json.dumps(logged, ensure_ascii=False)
    assert "220822199001011234" not in text
    assert PASSWORD not in text
    assert "赵晓梅" not in text
    assert "王五" not in text
    answered = [line for line in logged if line["message"] == "answered"]
    assert answered[-1]["route"] == "/broken"
    assert answered[-1]["status"] == 500
    assert answered[-1]["request"]


def test_an_error_is_said_though_the_database_is_away(
    guest: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Menu and badges ask the database: without them the page still says what is wrong, and gives the text back."""

    def away(*_: object, **__: object) -> str:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    token = guest.token()
    monkeypatch.setattr(errors, "render_template", away)
    page = guest.refused_with("/no-such-page", {"csrf_token": token, "opinion": "情况属实。"}, {}, 404)
    assert "页面不存在" in page.main
    monkeypatch.setattr(signing_in, "sign_in", away)
    page = guest.refused_with("/login", {"username": "张三", "csrf_token": token}, {}, 500)
    assert "系统没有完成这次操作" in page.main
    assert [(one.text or "").strip() for one in page.all("textarea")] == ["张三"]


def test_a_connection_that_is_gone_is_thrown_away(guest: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rolling it back fails, too: the page still says that the system is busy, in our words."""
    token = guest.token()
    gone = OperationalError(
        "SELECT 1", {}, Exception("server closed the connection"), connection_invalidated=True
    )

    def away(*_: object, **__: object) -> None:
        raise gone

    monkeypatch.setattr(signing_in, "sign_in", away)
    monkeypatch.setattr(db.session, "rollback", away)
    page = guest.refused_with("/login", {"username": "张三", "csrf_token": token}, {}, 503)
    assert "系统暂时不能处理" in page.main
