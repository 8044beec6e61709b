"""Login, sessions that end, passwords, and the registration of employers."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.web.client import Browser
from tests.web.world import PASSWORD, TOWNSHIP, World
from webapp import access, rates
from webapp.auth import signing_in
from webapp.auth.forms import safe_next
from workflows.base.clock import today
from workflows.base.session import Database
from workflows.organisations.accounts import LOGIN_REFUSED, deactivate, reset_password
from workflows.organisations.actors import SYSTEM
from workflows.organisations.model import User
from workflows.organisations.offices import assign_post, end_assignment
from workflows.organisations.passwords import DEMO_PASSWORD, hash_password
from workflows.registers.membership import decide_member
from workflows.registers.model import Employer, EmployerMember

SignIn = Callable[[str], Browser]
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
NEW_PASSWORD = "Xiangcun-zhenxing-26"


def registration(**changes: object) -> dict[str, object]:
    """A registration as it must be filled in."""
    return {
        "credit_code": "91220822MA0Y6UKX5R",
        "name": "通榆县绿野手工编织厂",
        "kind": "individual",
        "division_code": TOWNSHIP,
        "address": "瞻榆镇兴隆街 8 号",
        "legal_representative": "何春生",
        "legal_id_number": "",
        "contact_name": "何春雨",
        "contact_phone": "13904361234",
        "username": "hechunyu",
        "password": NEW_PASSWORD,
        "again": NEW_PASSWORD,
        "authorisation-upload": (io.BytesIO(PDF), "授权书.pdf"),
    } | changes


# Login ---------------------------------------------------------------------------------------------------------------


def test_login_leads_where_one_wanted_to_go(guest: Browser) -> None:
    page = guest.follow(guest.fetch("/account/password"))
    target = page.one("input", name="next").get("value")
    assert target == "/account/password"
    page = guest.submit("/login", {"username": "zhao", "password": PASSWORD, "next": target})
    assert page.title == "修改密码"


def test_login_forgives_capitals_and_spaces_in_the_name(guest: Browser) -> None:
    guest.submit("/login", {"username": " Zhao ", "password": PASSWORD})
    assert "赵晓梅" in guest.get("/account").main


@pytest.mark.parametrize(
    ("username", "password"), [("zhao", "wrong"), ("nobody", PASSWORD), ("", ""), ("zhao", PASSWORD + " ")]
)
def test_every_refusal_says_the_same(guest: Browser, username: str, password: str) -> None:
    page = guest.refused("/login", {"username": username, "password": password})
    assert page.errors == [LOGIN_REFUSED]
    assert page.one("input", name="username").get("value") == username
    assert not page.one("input", name="password").get("value")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/\tx",
        "http:/x",
    ],
)
def test_a_login_leads_nowhere_else(app: Flask, target: str) -> None:
    with app.test_request_context():
        assert safe_next(target) == "/"
        assert safe_next("/cases/1?page=2") == "/cases/1?page=2"


def test_a_login_begins_a_new_session(app: Flask) -> None:
    browser = Browser(app)
    before = browser.token()
    browser.login("zhao", PASSWORD)
    browser.page = None
    assert browser.token() != before


def test_five_wrong_passwords_rest_the_account_but_not_on_a_known_device(app: Flask, sign_in: SignIn) -> None:
    known = sign_in("zhao")
    known.submit("/logout")
    stranger = Browser(app)
    for _ in range(5):
        stranger.refused("/login", {"username": "zhao", "password": "wrong"})
    stranger.refused("/login", {"username": "zhao", "password": PASSWORD})
    page = known.login("zhao", PASSWORD)
    assert page.path != "/login"


def test_an_address_that_fails_too_often_must_wait(guest: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_in, "FAILURES", 3)
    for _ in range(3):
        guest.refused("/login", {"username": "nobody", "password": "wrong"})
    page = guest.refused("/login", {"username": "zhao", "password": PASSWORD}, 429)
    assert "分钟后再试" in page.main
    now = rates._clock()
    monkeypatch.setattr(rates, "_clock", lambda: now + signing_in.WINDOW)
    guest.submit("/login", {"username": "zhao", "password": PASSWORD})


def test_the_password_of_the_demonstration_opens_nothing_elsewhere(
    app: Flask, demo_app: Flask, web_database: Database, world: World
) -> None:
    with web_database.transaction() as session:
        session.get_one(User, world.users["zhao"]).password_hash = hash_password(DEMO_PASSWORD)
    Browser(app).refused("/login", {"username": "zhao", "password": DEMO_PASSWORD})
    Browser(demo_app).login("zhao", DEMO_PASSWORD)


# Sessions ------------------------------------------------------------------------------------------------------------


def test_a_session_ends_on_the_server_too(sign_in: SignIn, app: Flask) -> None:
    browser = sign_in("zhao")
    stolen = browser.client.get_cookie("wengang")
    assert stolen is not None
    page = browser.submit("/logout")
    assert "您已退出" in page.text
    thief = Browser(app)
    thief.client.set_cookie("wengang", stolen.value)
    assert thief.fetch("/account").status_code == 303


def test_a_session_ends_after_thirty_idle_minutes(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = sign_in("zhao")
    start = access._clock()
    monkeypatch.setattr(access, "_clock", lambda: start + 29 * 60)
    browser.get("/account")
    monkeypatch.setattr(access, "_clock", lambda: start + 58 * 60)
    browser.get("/account")
    monkeypatch.setattr(access, "_clock", lambda: start + 58 * 60 + 30 * 60 + 1)
    page = browser.follow(browser.fetch("/account"))
    assert page.title == "登录"
    assert "超过 30 分钟没有操作" in page.text


def test_what_was_typed_survives_a_session_that_ended(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = sign_in("feng")
    browser.get("/register/unit")
    start = access._clock()
    monkeypatch.setattr(access, "_clock", lambda: start + 3600)
    page = browser.refused("/register/unit", {"name": "通榆县新芽服装厂"}, 401)
    assert "登录已失效" in page.main
    assert "通榆县新芽服装厂" in page.source
    assert page.links()["重新登录"].startswith("/login?next=")


def test_closing_an_account_ends_its_sessions(sign_in: SignIn, web_database: Database, world: World) -> None:
    browser = sign_in("zhao")
    with web_database.transaction() as session:
        deactivate(session, SYSTEM, world.users["zhao"])
    assert browser.fetch("/account").status_code == 303
    browser.refused("/login", {"username": "zhao", "password": PASSWORD})


def test_another_post_is_another_session(sign_in: SignIn, web_database: Database, world: World) -> None:
    """A session is of one role: whoever is given a post, or loses one, signs in anew."""
    browser = sign_in("sun")
    with web_database.transaction() as session:
        office = next(iter(world.departments.values()))
        row = assign_post(
            session,
            SYSTEM,
            user_id=world.users["sun"],
            department_id=office,
            post="head",
            valid_from=today() - timedelta(days=1),
        )
        given = row.id
    assert browser.fetch("/account").status_code == 303
    browser.login("sun", PASSWORD)
    with web_database.transaction() as session:
        end_assignment(session, SYSTEM, given, today() - timedelta(days=1))
    assert browser.fetch("/account").status_code == 303


# Passwords -----------------------------------------------------------------------------------------------------------


def test_changing_the_password_ends_the_other_sessions(sign_in: SignIn, app: Flask) -> None:
    here, elsewhere = sign_in("zhao"), sign_in("zhao")
    page = here.submit("/account/password", {"old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert "密码已修改" in page.text
    here.get("/account")
    assert elsewhere.fetch("/account").status_code == 303
    Browser(app).login("zhao", NEW_PASSWORD)


@pytest.mark.parametrize(
    ("old", "new", "again", "says"),
    [
        ("wrong", NEW_PASSWORD, NEW_PASSWORD, "原密码不正确"),
        (PASSWORD, NEW_PASSWORD, "other", "两次填写的新密码不一致"),
        (PASSWORD, "short", "short", "至少 12 个字符"),
        (PASSWORD, PASSWORD, PASSWORD, "不能与原密码相同"),
        (PASSWORD, "", "", "至少 12 个字符"),
    ],
)
def test_a_password_that_will_not_do_is_explained(
    sign_in: SignIn, old: str, new: str, again: str, says: str
) -> None:
    page = sign_in("zhao").refused("/account/password", {"old": old, "new": new, "again": again})
    assert says in page.errors[0]
    assert all(not field.get("value") for field in page.all("input", type="password"))


def test_a_temporary_password_must_be_changed_first(
    guest: Browser, web_database: Database, world: World
) -> None:
    with web_database.transaction() as session:
        temporary = reset_password(session, SYSTEM, world.users["zhao"])
    page = guest.login("zhao", temporary)
    assert page.title == "修改密码"
    assert "临时密码" in page.main
    assert guest.follow(guest.fetch("/account")).title == "修改密码"
    assert not page.all("nav", class_="wg-nav")
    guest.submit("/account/password", {"old": temporary, "new": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert guest.get("/account").title == "我的账号"


def test_a_forgotten_password_is_explained(guest: Browser) -> None:
    assert "临时密码" in guest.get("/login/forgotten").main


# One's own account ---------------------------------------------------------------------------------------------------


def test_the_account_shows_posts_and_units(sign_in: SignIn) -> None:
    assert "瞻榆镇人民政府" in sign_in("zhao").get("/account").main
    assert "通榆县瑞丰农产品加工有限公司" in sign_in("zheng").get("/account").main
    assert "系统管理员" in sign_in("guan").get("/account").main


# Registration --------------------------------------------------------------------------------------------------------


def test_an_employer_registers_and_waits_for_its_township(
    guest: Browser, web_database: Database, world: World
) -> None:
    guest.get("/register")
    page = guest.submit("/register", registration())
    assert page.title == "单位账号的确认情况"
    assert "等待确认" in page.main
    assert "瞻榆镇" in page.main
    with web_database.transaction() as session:
        employer = session.scalars(select(Employer).where(Employer.name == "通榆县绿野手工编织厂")).one()
        member = session.scalars(
            select(EmployerMember).where(EmployerMember.employer_id == employer.id)
        ).one()
        assert member.authorisation_file_id is not None
        decide_member(session, SYSTEM, member.id, agree=True)
    assert "已确认" in guest.get("/register/pending").main


def test_a_refused_employer_reads_why_and_registers_again(
    sign_in: SignIn, web_database: Database, world: World
) -> None:
    with web_database.transaction() as session:
        member = session.scalars(
            select(EmployerMember).where(EmployerMember.user_id == world.users["feng"])
        ).one()
        decide_member(session, SYSTEM, member.id, agree=False, reason="授权书没有盖章。")
    browser = sign_in("feng")
    page = browser.get("/register/pending")
    assert "授权书没有盖章。" in page.main
    assert page.links()["重新登记"] == "/register/unit"
    data = registration(credit_code="91220822MA14B7QT36", name="通榆县新芽服装厂")
    page = browser.submit("/register/unit", data)
    assert "等待确认" in page.main


def test_the_authorisation_may_come_from_the_camera(guest: Browser, world: World) -> None:
    """Page and camera have an input each, of one name: the first one is empty then."""
    files = [(io.BytesIO(b""), ""), (io.BytesIO(PDF), "拍照.pdf")]
    page = guest.submit("/register", registration(**{"authorisation-upload": files}))
    assert "等待确认" in page.main


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"credit_code": "91220822MA0Y6UKX50"}, "credit_code"),
        ({"contact_phone": "12345"}, "contact_phone"),
        ({"legal_id_number": "220822199001011230"}, "legal_id_number"),
        ({"division_code": ""}, "division_code"),
        ({"division_code": "110000"}, "division_code"),
        ({"username": "zhao"}, "username"),
        ({"password": "short", "again": "short"}, "password"),
        ({"again": "other"}, "again"),
        ({"authorisation-upload": (io.BytesIO(b""), "")}, "authorisation"),
        ({"authorisation-upload": (io.BytesIO(b"MZ\x90"), "授权书.pdf")}, "authorisation"),
    ],
)
def test_a_registration_that_will_not_do_keeps_what_was_typed(
    guest: Browser, changes: dict[str, object], field: str, web_database: Database, world: World
) -> None:
    page = guest.refused("/register", registration(**changes))
    summary = page.one("div", class_="wg-error-summary")
    linked = [link.get("href") for link in summary.iter("a")]
    assert sorted(linked) == sorted({f"#f-{field}", "#f-authorisation"}), "no browser keeps the file"
    assert page.all("p", id=f"f-{field}-error")
    assert page.one("input", name="name").get("value") == "通榆县绿野手工编织厂"
    with web_database.reading() as session:
        assert session.scalars(select(User.id).where(User.username == "hechunyu")).first() is None


def test_everything_that_is_lacking_is_listed_in_the_order_of_the_page(guest: Browser, world: World) -> None:
    nothing = {key: "" for key in registration() if key != "authorisation-upload"}
    page = guest.refused("/register", {**nothing, "authorisation-upload": (io.BytesIO(b""), "")})
    summary = page.one("div", class_="wg-error-summary")
    linked = [link.get("href", "").removeprefix("#f-") for link in summary.iter("a")]
    assert linked == [
        "credit_code",
        "name",
        "kind",
        "division_code",
        "address",
        "legal_representative",
        "contact_name",
        "contact_phone",
        "authorisation",
        "username",
        "password",
    ]
    assert "请上传加盖公章的授权书" in page.main


def test_a_second_person_asks_the_first_account(guest: Browser) -> None:
    page = guest.submit(
        "/register", registration(credit_code="91220822MA0Y2LKX58", name="通榆县瑞丰农产品加工有限公司")
    )
    assert "由本单位的首个账号确认" in page.main


def test_registration_is_for_guests_and_the_rest_are_sent_home(sign_in: SignIn) -> None:
    assert sign_in("zhao").fetch("/register").headers["Location"] == "/"
    assert sign_in("zhao").fetch("/login").headers["Location"] == "/"
