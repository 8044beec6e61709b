"""The second factor: asked of whoever moves money or administers, set up by a telephone, lost and set up again."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from flask import Flask
from sqlalchemy import select

from tests.web.client import Browser, Page, text_of
from tests.web.conftest import _running
from tests.web.world import PASSWORD, World
from webapp.auth import signing_in
from webapp.config import ConfigurationError, Settings
from workflows.audit.model import Event
from workflows.base.session import Database
from workflows.organisations import second_factor
from workflows.organisations.model import RecoveryCode, SecondFactor

START = 1_800_000_000.0
ENROL, CODE = "/account/second-factor", "/login/code"


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The machine's time, which a test moves."""
    moment = [START]
    monkeypatch.setattr(second_factor, "_clock", lambda: moment[0])
    return moment


@pytest.fixture
def strict(settings: Settings, world: World) -> Iterator[Flask]:
    with _running(replace(settings, second_factor=True)) as made:
        yield made


def telephone(page: Page, moment: float) -> str:
    """What an authenticator shows that was given the page's secret."""
    secret = "".join(text_of(page.one("code")).split())
    return code_of(secret, moment)


def code_of(secret: str, moment: float) -> str:
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(moment)).decode()


def enrolled(app: Flask, username: str, at: list[float]) -> tuple[Browser, str, list[str]]:
    """Somebody who set it up: the browser, the secret, the recovery codes."""
    browser = Browser(app)
    assert "设置两步验证" in browser.login(username, PASSWORD).title
    page = browser.submit(ENROL, {"begin": "1"})
    secret = "".join(text_of(page.one("code")).split())
    browser.post(ENROL, {"code": code_of(secret, at[0])}, 200)
    assert browser.page is not None
    codes = [text_of(one) for one in browser.page.all("code")]
    at[0] += 60
    return browser, secret, codes


def test_the_standards_own_codes(web_database: Database, world: World, at: list[float]) -> None:
    """RFC 6238, appendix B, the last six digits."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    with web_database.transaction() as session:
        made = SecondFactor(user_id=world.users["wubo"], secret=secret, confirmed_at=second_factor.now())
        session.add(made)
        for moment, code in (
            (59, "287082"),
            (1111111109, "081804"),
            (1111111111, "050471"),
            (1234567890, "005924"),
            (2000000000, "279037"),
            (20000000000, "353130"),
        ):
            at[0] = moment
            made.last_step = 0
            session.flush()
            assert second_factor.check(session, world.users["wubo"], code)
            assert not second_factor.check(session, world.users["wubo"], code)


def test_whoever_moves_money_or_administers_sets_it_up_first(strict: Flask, at: list[float]) -> None:
    for username in ("wubo", "guan"):
        browser = Browser(strict)
        page = browser.login(username, PASSWORD)
        assert "须先设置两步验证" in page.main
        for path in ("/", "/finance", "/admin/users", "/account"):
            assert browser.fetch(path).headers["Location"] == ENROL
        assert browser.fetch("/", headers={"X-Requested-With": "fetch"}).status_code == 403
        page = browser.submit(ENROL, {"begin": "1"})
        assert "otpauth" not in page.source  # it stands in the picture alone
        assert browser.refused(ENROL, {"code": "000000"}).errors
        browser.post(ENROL, {"code": telephone(page, at[0])}, 200)
        assert browser.page is not None
        assert len(browser.page.all("code")) == 10
        browser.get("/account")
        assert "已设置" in browser.get(ENROL).main
    assert "两步验证" not in Browser(strict).login("sun", PASSWORD).title
    employer = Browser(strict)
    employer.login("zheng", PASSWORD)
    employer.get("/account")


def test_the_code_is_asked_for_after_the_password(strict: Flask, at: list[float]) -> None:
    _, secret, _ = enrolled(strict, "wubo", at)
    browser = Browser(strict)
    page = browser.submit("/login", {"username": "wubo", "password": PASSWORD, "next": "/finance"})
    assert page.title == "填写验证码"
    assert browser.fetch("/account").status_code == 303  # no session yet
    code = code_of(secret, at[0])
    for wrong in ("", "12345", "abcdef", "０００００１", code_of(secret, at[0] - 300)):
        assert browser.refused(CODE, {"code": wrong}).errors
    browser.refused(CODE, {"code": code}, 429)  # five wrong ones: the right one waits, too
    other = Browser(strict)
    other.submit("/login", {"username": "wubo", "password": PASSWORD})
    other.refused(CODE, {"code": code}, 429)


def test_a_code_opens_once_and_a_slow_telephone_is_forgiven(strict: Flask, at: list[float]) -> None:
    _, secret, _ = enrolled(strict, "wubo", at)
    browser = Browser(strict)
    browser.submit("/login", {"username": "wubo", "password": PASSWORD, "next": "/account"})
    before = browser.client.get_cookie("wengang").value  # type: ignore[union-attr]  # it is there
    page = browser.submit(CODE, {"code": " ".join(code_of(secret, at[0] - 30)), "next": "/account"})
    assert browser.path == "/account", page.title
    assert browser.client.get_cookie("wengang").value != before  # type: ignore[union-attr]  # the same
    again = Browser(strict)
    again.submit("/login", {"username": "wubo", "password": PASSWORD})
    assert again.refused(CODE, {"code": code_of(secret, at[0] - 30)}).errors
    again.submit(CODE, {"code": code_of(secret, at[0])})
    again.get("/account")


def test_the_password_waits_five_minutes_and_no_longer(
    strict: Flask, at: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret, _ = enrolled(strict, "wubo", at)
    browser = Browser(strict)
    browser.submit("/login", {"username": "wubo", "password": PASSWORD})
    later = time.time() + signing_in.PENDING_SECONDS + 1
    monkeypatch.setattr(signing_in.time, "time", lambda: later)
    assert browser.fetch(CODE).headers["Location"] == "/login"
    answer = browser.post(CODE, {"code": code_of(secret, at[0])})
    assert answer.headers["Location"] == "/login"


def test_a_recovery_code_opens_once(strict: Flask, at: list[float], web_database: Database) -> None:
    _, _, codes = enrolled(strict, "guan", at)
    assert len(set(codes)) == 10
    with web_database.reading() as session:
        kept = session.scalars(select(RecoveryCode.digest)).all()
        assert not any(code.replace("-", "") in str(kept) for code in codes)
    browser = Browser(strict)
    browser.submit("/login", {"username": "guan", "password": PASSWORD})
    browser.submit(CODE, {"code": codes[0].lower()})
    browser.get("/account")
    again = Browser(strict)
    again.submit("/login", {"username": "guan", "password": PASSWORD})
    assert again.refused(CODE, {"code": codes[0]}).errors


def test_an_administrator_takes_it_away_and_never_ones_own(
    strict: Flask, at: list[float], web_database: Database, world: World
) -> None:
    officer, _, _ = enrolled(strict, "wubo", at)
    admin, _, _ = enrolled(strict, "guan", at)
    path = f"/admin/users/{world.users['wubo']}"
    assert "两步验证已设置" in admin.get(path).main
    admin.submit(f"{path}/reset-second-factor")
    assert officer.fetch("/account").status_code == 303  # every session ended
    assert "须先设置" in officer.login("wubo", PASSWORD).main
    admin.refused(f"{path}/reset-second-factor", {}, 409)
    admin.refused(f"/admin/users/{world.users['guan']}/reset-second-factor", {}, 409)
    with web_database.reading() as session:
        kinds = session.scalars(select(Event.kind)).all()
    assert kinds.count("second-factor-set") == 2
    assert kinds.count("second-factor-reset") == 1


def test_who_wants_it_may_have_it_and_the_demonstration_asks_nobody(
    app: Flask, world: World, at: list[float]
) -> None:
    """Without the setting nobody must; whoever set it up is asked all the same."""
    browser = Browser(app)
    browser.login("wubo", PASSWORD)
    browser.get("/account")
    page = browser.submit(ENROL, {"begin": "1"})
    browser.post(ENROL, {"code": telephone(page, at[0])}, 200)
    browser.post(ENROL, {"begin": "1"}, 409)
    browser.post(ENROL, {"code": "123456"}, 409)
    assert Browser(app).login("wubo", PASSWORD).title == "填写验证码"


def test_the_setting_is_on_where_it_is_real() -> None:
    real = {"WENGANG_PUBLIC_URL": "https://wengang.example"}
    assert Settings.from_environment(real).second_factor
    assert not Settings.from_environment({**real, "WENGANG_SECOND_FACTOR": "off"}).second_factor
    assert not Settings.from_environment({"WENGANG_DEMO": "1"}).second_factor
    assert Settings.from_environment({"WENGANG_DEMO": "1", "WENGANG_SECOND_FACTOR": "on"}).second_factor
    with pytest.raises(ConfigurationError, match="WENGANG_SECOND_FACTOR"):
        Settings.from_environment({**real, "WENGANG_SECOND_FACTOR": "maybe"})


def test_the_algorithms_are_chosen_by_configuration() -> None:
    demo = {"WENGANG_DEMO": "1"}
    assert Settings.from_environment(demo).crypto == "standard"
    assert Settings.from_environment({**demo, "WENGANG_CRYPTO": "gm"}).crypto == "gm"
    with pytest.raises(ConfigurationError, match="WENGANG_CRYPTO"):
        Settings.from_environment({**demo, "WENGANG_CRYPTO": "rot13"})
