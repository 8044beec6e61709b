"""Signing in, and keeping accounts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from tests.database.offices import ADMIN, department_row, kinds, user_named
from tests.factories import actor_named, administrator
from workflows.base.clock import now, today
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.organisations import passwords
from workflows.organisations.accounts import (
    change_password,
    check_login,
    create_user,
    deactivate,
    note_login,
    reactivate,
    register_account,
    reset_password,
    user_of,
)
from workflows.organisations.actors import PUBLIC, SYSTEM, actor_of
from workflows.organisations.model import User
from workflows.organisations.offices import (
    officers_of,
)
from workflows.organisations.passwords import DEMO_PASSWORD, hash_password

NEW = "Chagan-hu-77"


@pytest.fixture
def clerk(county_session: Session) -> User:
    user = user_named(county_session, "renshe.a")
    user.password_hash = hash_password(NEW)
    county_session.flush()
    return user


def authenticate(session: Session, username: str, password: str, at: datetime, **how: bool) -> User | None:
    """A password tried, and how it went written down, in one transaction."""
    attempt = check_login(session, username, password, demonstration=how.get("demonstration", False))
    return note_login(session, attempt, at, known_device=how.get("known_device", False))


def test_the_right_password_signs_in(county_session: Session, clerk: User) -> None:
    assert authenticate(county_session, " Renshe.A ", NEW, now()) is clerk
    assert authenticate(county_session, "renshe.a", "wrong", now()) is None
    assert authenticate(county_session, "nobody", NEW, now()) is None
    assert clerk.failed_logins == 1


def test_five_failures_rest_the_account_longer_each_time(county_session: Session, clerk: User) -> None:
    at = now()
    for minutes in (15, 30, 60, 60):
        for _ in range(5):
            assert authenticate(county_session, "renshe.a", "wrong", at) is None
        assert clerk.locked_until == at + timedelta(minutes=minutes)
        assert authenticate(county_session, "renshe.a", NEW, at) is None, "at rest even the right one fails"
        at += timedelta(minutes=minutes)
    assert authenticate(county_session, "renshe.a", NEW, at) is clerk
    assert (clerk.failed_logins, clerk.locked_until) == (0, None)
    assert kinds(county_session).count("account-locked") == 4


def test_failures_at_rest_do_not_prolong_it_and_the_owners_device_gets_in(
    county_session: Session, clerk: User
) -> None:
    at = now()
    for _ in range(40):
        authenticate(county_session, "renshe.a", "wrong", at)
    assert (clerk.failed_logins, clerk.locked_until) == (5, at + timedelta(minutes=15))
    assert authenticate(county_session, "renshe.a", "wrong", at, known_device=True) is None
    assert clerk.failed_logins == 5
    assert authenticate(county_session, "renshe.a", NEW, at, known_device=True) is clerk


def test_a_guess_that_began_before_the_rest_is_judged_after_it(county_session: Session, clerk: User) -> None:
    attempt = check_login(county_session, "renshe.a", NEW)
    for _ in range(5):
        authenticate(county_session, "renshe.a", "wrong", now())
    assert attempt.right
    assert note_login(county_session, attempt, now()) is None


def test_the_demonstrations_password_works_in_the_demonstration_alone(county_session: Session) -> None:
    assert authenticate(county_session, "renshe.b", DEMO_PASSWORD, now()) is None
    signed_in = authenticate(county_session, "renshe.b", DEMO_PASSWORD, now(), demonstration=True)
    assert signed_in is not None


def test_a_hash_of_old_parameters_is_renewed_at_sign_in(
    county_session: Session, clerk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = clerk.password_hash
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert authenticate(county_session, "renshe.a", NEW, now()) is clerk
    assert clerk.password_hash != before
    assert authenticate(county_session, "renshe.a", NEW, now()) is clerk


def test_an_administrator_adds_an_account_whose_password_must_change(county_session: Session) -> None:
    user, password = create_user(
        county_session,
        ADMIN,
        username="Xin.Ren",
        name=" 辛人 ",
        kind="officer",
        division_code="220822",
        phone="15400000000",
    )
    assert (user.username, user.name, user.must_change_password) == ("xin.ren", "辛人", True)
    assert authenticate(county_session, "xin.ren", password, now()) is user
    actor = actor_of(county_session, user, today())
    changed = change_password(county_session, actor, old=password, new=NEW)
    assert not changed.must_change_password
    assert changed.session_version == 2
    assert authenticate(county_session, "xin.ren", NEW, now()) is user
    assert authenticate(county_session, "xin.ren", password, now()) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": "辛"}, "username"),
        ({"username": "renshe.a"}, "username"),
        ({"name": " "}, "name"),
        ({"name": "长" * 41}, "name"),
        ({"kind": "boss"}, "kind"),
    ],
)
def test_accounts_that_cannot_be(county_session: Session, changes: dict[str, str], field: str) -> None:
    given = {"username": "xin.ren", "name": "辛人", "kind": "officer", "division_code": "220822"} | changes
    with pytest.raises(Invalid) as refused:
        create_user(county_session, ADMIN, **given)
    assert list(refused.value.errors) == [field]


def test_accounts_of_another_county_are_not_ours(county_session: Session) -> None:
    other = user_named(county_session, "taonan.renshe").id
    with pytest.raises(Forbidden):
        create_user(
            county_session, ADMIN, username="xin.ren", name="辛人", kind="officer", division_code="220881"
        )
    for use_case in (reset_password, deactivate, reactivate):
        with pytest.raises(Forbidden):
            use_case(county_session, ADMIN, other)
    homeless = user_named(county_session, "taonan.renshe")
    homeless.division_code = None
    with pytest.raises(Forbidden):
        reset_password(county_session, administrator(81, "220881"), other)
    assert reset_password(county_session, SYSTEM, other)


def test_an_employers_person_opens_an_account_and_keeps_the_policy(county_session: Session) -> None:
    given = {"username": "xin.qiye", "name": "辛企", "division_code": "220822", "phone": "15400000001"}
    user = register_account(county_session, password=NEW, **given)
    assert (user.kind, user.must_change_password) == ("employer", False)
    assert authenticate(county_session, "xin.qiye", NEW, now()) is user
    for password in ("short", DEMO_PASSWORD):
        with pytest.raises(Invalid):
            register_account(county_session, password=password, **(given | {"username": "xin.qiye2"}))


def test_passwords_that_are_not_changed(county_session: Session, clerk: User) -> None:
    actor = actor_named(county_session, "renshe.a")
    for old, new, field in (("wrong", NEW, "old"), (NEW, NEW, "new"), (NEW, "short", "new")):
        with pytest.raises(Invalid) as refused:
            change_password(county_session, actor, old=old, new=new)
        assert list(refused.value.errors) == [field]
    shared = actor_named(county_session, "renshe.b")
    with pytest.raises(Forbidden, match="演示账号"):
        change_password(county_session, shared, old=DEMO_PASSWORD, new=NEW, demonstration=True)
    with pytest.raises(NotFound):
        change_password(county_session, PUBLIC, old="x", new=NEW)


def test_a_reset_lifts_the_lock_ends_sessions_and_must_be_changed(
    county_session: Session, clerk: User
) -> None:
    for _ in range(5):
        authenticate(county_session, "renshe.a", "wrong", now())
    before = clerk.session_version
    password = reset_password(county_session, actor_named(county_session, "guanli"), clerk.id)
    assert clerk.session_version == before + 1
    assert clerk.must_change_password
    assert authenticate(county_session, "renshe.a", password, now()) is clerk
    assert authenticate(county_session, "renshe.a", NEW, now()) is None


def test_a_closed_account_cannot_sign_in_until_opened_again(county_session: Session, clerk: User) -> None:
    attempt = check_login(county_session, "renshe.a", NEW)
    deactivate(county_session, ADMIN, clerk.id)
    assert authenticate(county_session, "renshe.a", NEW, now()) is None
    assert note_login(county_session, attempt, now()) is None, "closed between the password and the note"
    assert clerk not in officers_of(county_session, department_row(county_session, "hrss").id, today())
    with pytest.raises(Conflict):
        deactivate(county_session, ADMIN, clerk.id)
    reactivate(county_session, ADMIN, clerk.id)
    assert authenticate(county_session, "renshe.a", NEW, now()) is clerk
    with pytest.raises(Conflict):
        reactivate(county_session, ADMIN, clerk.id)
    assert kinds(county_session)[-2:] == ["user-deactivated", "user-reactivated"]


def test_an_administrator_does_not_lock_the_door_from_inside(county_session: Session) -> None:
    guan = actor_named(county_session, "guanli")
    for use_case in (deactivate, reset_password):
        with pytest.raises(Conflict):
            use_case(county_session, guan, guan.user_id or 0)
    with pytest.raises(NotFound):
        user_of(county_session, 999_999)


def test_only_officers_have_posts_and_only_auditors_and_administrators_a_division(
    county_session: Session,
) -> None:
    assert actor_named(county_session, "shenji").division_code == "220822"
    assert actor_named(county_session, "renshe.a").division_code is None
    assert actor_named(county_session, "guanli").posts == ()
