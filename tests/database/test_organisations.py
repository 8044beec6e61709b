"""Divisions, offices, accounts and settings, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import actor_named, administrator
from workflows.audit.model import Event
from workflows.audit.verify import verify_streams, verify_uncovered
from workflows.base.calendar import WorkingCalendar
from workflows.base.clock import now, today
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.base.parameters import in_force
from workflows.base.session import Database
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
from workflows.organisations.actors import PUBLIC, SYSTEM, Actor, actor_of
from workflows.organisations.divisions import (
    add_township,
    add_village,
    chain,
    chain_codes,
    children,
    county_of,
    division,
    full_address,
    load_divisions,
    township_of,
)
from workflows.organisations.model import Assignment, Department, Division, User
from workflows.organisations.offices import (
    add_department,
    assign_post,
    department_for,
    department_of,
    departments_over,
    end_assignment,
    name_substitute,
    officers_of,
    update_department,
)
from workflows.organisations.passwords import DEMO_PASSWORD, hash_password
from workflows.organisations.settings import set_calendar_day, set_parameter

ADMIN = administrator(80, "220822")
NEW = "Chagan-hu-77"


def _kinds(session: Session) -> list[str]:
    return list(session.scalars(select(Event.kind).order_by(Event.id)))


def _user(session: Session, username: str) -> User:
    return session.scalars(select(User).where(User.username == username)).one()


def _department(session: Session, kind: str, code: str = "220822") -> Department:
    return session.scalars(
        select(Department).where(Department.kind == kind, Department.division_code == code)
    ).one()


# Divisions -----------------------------------------------------------------------------------------------------------


def test_every_division_of_the_list_exists_once(session: Session) -> None:
    assert load_divisions(session) == 1 + 10 + 63
    rows = session.execute(select(Division.level, func.count()).group_by(Division.level))
    counts = dict(rows.all())
    assert counts == {"province": 1, "prefecture": 10, "county": 63}
    local = session.scalars(
        select(Division.code).where(Division.national_code.is_(False)).order_by(Division.code)
    )
    assert list(local) == ["229000", "229001", "229002", "229003"]
    assert load_divisions(session) == 0
    assert _kinds(session) == ["divisions-loaded"]


def test_the_way_up_from_a_village(county_session: Session) -> None:
    names = [one.name for one in chain(county_session, "220822901201")]
    assert names == ["前进村", "示范镇", "通榆县", "白城市", "吉林省"]
    assert chain_codes(county_session, "220822") == ("220822", "220800", "220000")
    assert county_of(county_session, "220822901201").name == "通榆县"
    assert county_of(county_session, "220822").name == "通榆县"
    assert township_of(county_session, "220822901201").name == "示范镇"
    assert [one.name for one in children(county_session, "220822901")] == ["前进村", "春光村", "和顺村"]
    for lookup, code in (
        (county_of, "220800"),
        (township_of, "220822"),
        (division, "999999"),
    ):
        with pytest.raises(NotFound):
            lookup(county_session, code)


def test_a_county_adds_its_townships_and_villages(county_session: Session) -> None:
    added = add_township(county_session, ADMIN, county_code="220822", code="220822903", name=" 新建镇 ")
    assert (added.name, added.level, added.parent_code) == ("新建镇", "township", "220822")
    village = add_village(county_session, ADMIN, township_code="220822903", code="220822903201", name="一村")
    assert village.level == "village"
    assert _kinds(county_session)[-2:] == ["division-added", "division-added"]


@pytest.mark.parametrize(
    ("code", "name", "fields"),
    [
        ("220881903", "新镇", {"code"}),
        ("22082290", "新镇", {"code"}),
        ("22082290x", "新镇", {"code"}),
        ("220822901", "新镇", {"code"}),
        ("220822903", " ", {"name"}),
    ],
)
def test_a_wrong_township_is_refused(county_session: Session, code: str, name: str, fields: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        add_township(county_session, ADMIN, county_code="220822", code=code, name=name)
    assert set(refused.value.errors) == fields


def test_levels_are_kept_and_other_counties_left_alone(county_session: Session) -> None:
    with pytest.raises(Invalid, match="行政区划没有保存") as refused:
        add_village(county_session, ADMIN, township_code="220822", code="220822904201", name="村")
    assert "parent" in refused.value.errors
    with pytest.raises(Forbidden):
        add_township(county_session, ADMIN, county_code="220881", code="220881903", name="镇")


# Offices -------------------------------------------------------------------------------------------------------------


def test_the_office_that_answers_for_a_lane(county_session: Session) -> None:
    at = "220822901201"
    assert department_for(county_session, "township", "township", at).name == "示范镇人民政府"
    assert department_for(county_session, "hrss", "county", at).name == "通榆县人力资源和社会保障局"
    with pytest.raises(NotFound, match="永安村所在的县（市、区）没有设置发展和改革局"):
        department_for(county_session, "ndrc", "county", "220881901201")
    assert {one.kind for one in departments_over(county_session, at)} == {
        "township",
        "hrss",
        "rural",
        "ndrc",
        "finance",
        "owner",
    }


def test_an_office_is_set_up_once_in_its_place(county_session: Session) -> None:
    add_township(county_session, ADMIN, county_code="220822", code="220822903", name="新建镇")
    added = add_department(
        county_session, ADMIN, kind="township", division_code="220822903", name="新建镇人民政府"
    )
    assert department_of(county_session, added.id) is added
    for kind, code, name, field in (
        ("township", "220822903", "又一个", "kind"),
        ("township", "220822", "县里的乡镇", "division_code"),
        ("hrss", "220822903", "镇里的局", "division_code"),
        ("police", "220822", "公安局", "kind"),
        ("hrss", "220822", " ", "name"),
    ):
        with pytest.raises(Invalid) as refused:
            add_department(county_session, ADMIN, kind=kind, division_code=code, name=name)
        assert field in refused.value.errors
    with pytest.raises(Forbidden):
        add_department(county_session, ADMIN, kind="ndrc", division_code="220881", name="洮南市发改局")
    with pytest.raises(NotFound):
        department_of(county_session, 999_999)


def test_an_office_is_renamed_when_offices_merge(county_session: Session) -> None:
    rural = _department(county_session, "rural")
    update_department(county_session, ADMIN, rural.id, name="通榆县农业农村局", phone="1", address="2")
    assert rural.name == "通榆县农业农村局"
    assert _kinds(county_session)[-1] == "department-updated"
    with pytest.raises(Invalid):
        update_department(county_session, ADMIN, rural.id, name="", phone="", address="")
    with pytest.raises(Forbidden):
        update_department(
            county_session, administrator(81, "220881"), rural.id, name="x", phone="", address=""
        )


# Posts ---------------------------------------------------------------------------------------------------------------


def test_a_post_holds_from_its_first_day_to_its_last(county_session: Session) -> None:
    user, _ = create_user(
        county_session, ADMIN, username="xin.ren", name="辛人", kind="officer", division_code="220822"
    )
    hrss = _department(county_session, "hrss")
    day = today()
    row = assign_post(
        county_session,
        ADMIN,
        user_id=user.id,
        department_id=hrss.id,
        post="clerk",
        valid_from=day,
        valid_to=day + timedelta(days=9),
    )

    def holds(on: date) -> bool:
        return actor_of(county_session, user, on).holds(hrss.id, "clerk")

    assert [holds(day + timedelta(days=n)) for n in (-1, 0, 9, 10)] == [False, True, True, False]
    assert user in officers_of(county_session, hrss.id, day, "clerk")
    assert user not in officers_of(county_session, hrss.id, day, "head")
    end_assignment(county_session, ADMIN, row.id, day + timedelta(days=1))
    assert [holds(day + timedelta(days=n)) for n in (0, 1, 2)] == [True, True, False]
    with pytest.raises(Conflict):
        end_assignment(county_session, ADMIN, row.id, day + timedelta(days=1))


def test_a_post_ended_before_it_began_never_held(county_session: Session) -> None:
    hrss, user = _department(county_session, "hrss"), _user(county_session, "fagai.clerk")
    row = assign_post(
        county_session,
        ADMIN,
        user_id=user.id,
        department_id=hrss.id,
        post="clerk",
        valid_from=date(2027, 1, 1),
    )
    end_assignment(county_session, ADMIN, row.id, date(2026, 3, 2))
    assert row.valid_to == date(2026, 12, 31)
    assert not actor_of(county_session, user, date(2027, 1, 1)).holds(hrss.id)


def test_posts_that_cannot_be_given(county_session: Session) -> None:
    hrss = _department(county_session, "hrss")
    renshe, guan = _user(county_session, "renshe.a"), _user(county_session, "guanli")

    def give(user: User, post: str, start: date, end: date | None = None, actor: Actor = ADMIN) -> None:
        assign_post(
            county_session,
            actor,
            user_id=user.id,
            department_id=hrss.id,
            post=post,
            valid_from=start,
            valid_to=end,
        )

    day = today()
    for user, post, start, end, field in (
        (guan, "clerk", day, None, "user_id"),
        (renshe, "boss", day, None, "post"),
        (renshe, "head", day, day - timedelta(days=1), "valid_to"),
    ):
        with pytest.raises(Invalid) as refused:
            give(user, post, start, end)
        assert list(refused.value.errors) == [field]
    with pytest.raises(Conflict, match="已有同一岗位"):
        give(renshe, "clerk", day)
    with pytest.raises(Conflict):
        give(renshe, "clerk", day, day + timedelta(days=3))
    give(renshe, "clerk", date(2020, 1, 1), date(2020, 12, 31))
    with pytest.raises(Forbidden):
        give(renshe, "head", day, actor=administrator(81, "220881"))


def test_a_substitute_stands_in_for_some_days(county_session: Session) -> None:
    hrss, absent = _department(county_session, "hrss"), _user(county_session, "renshe.head")
    stands_in = _user(county_session, "renshe.a")
    post = county_session.scalars(select(Assignment).where(Assignment.user_id == absent.id)).one()
    day = today()
    row = name_substitute(
        county_session,
        ADMIN,
        assignment_id=post.id,
        by_user_id=stands_in.id,
        valid_from=day,
        valid_to=day + timedelta(days=5),
    )
    actor = actor_of(county_session, stands_in, day)
    assert actor.holds(hrss.id, "head")
    assert absent.id in actor.stands_for
    assert officers_of(county_session, hrss.id, day).count(stands_in) == 1
    assert not actor_of(county_session, stands_in, day + timedelta(days=6)).holds(hrss.id, "head")
    assert _kinds(county_session)[-1] == "substitute-named"
    period = {"valid_from": day, "valid_to": day}
    with pytest.raises(Invalid):
        name_substitute(county_session, ADMIN, assignment_id=post.id, by_user_id=absent.id, **period)
    with pytest.raises(Invalid):
        name_substitute(county_session, ADMIN, assignment_id=row.id, by_user_id=absent.id, **period)
    with pytest.raises(Conflict):
        name_substitute(county_session, ADMIN, assignment_id=post.id, by_user_id=stands_in.id, **period)
    with pytest.raises(NotFound):
        name_substitute(county_session, ADMIN, assignment_id=999_999, by_user_id=stands_in.id, **period)


# Signing in ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def clerk(county_session: Session) -> User:
    user = _user(county_session, "renshe.a")
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
    assert _kinds(county_session).count("account-locked") == 4


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


# Keeping accounts ----------------------------------------------------------------------------------------------------


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
    other = _user(county_session, "taonan.renshe").id
    with pytest.raises(Forbidden):
        create_user(
            county_session, ADMIN, username="xin.ren", name="辛人", kind="officer", division_code="220881"
        )
    for use_case in (reset_password, deactivate, reactivate):
        with pytest.raises(Forbidden):
            use_case(county_session, ADMIN, other)
    homeless = _user(county_session, "taonan.renshe")
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
    assert clerk not in officers_of(county_session, _department(county_session, "hrss").id, today())
    with pytest.raises(Conflict):
        deactivate(county_session, ADMIN, clerk.id)
    reactivate(county_session, ADMIN, clerk.id)
    assert authenticate(county_session, "renshe.a", NEW, now()) is clerk
    with pytest.raises(Conflict):
        reactivate(county_session, ADMIN, clerk.id)
    assert _kinds(county_session)[-2:] == ["user-deactivated", "user-reactivated"]


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


# Settings ------------------------------------------------------------------------------------------------------------


def test_the_calendar_is_changed_with_a_reason(county_session: Session) -> None:
    day = date(2026, 3, 3)
    set_calendar_day(county_session, ADMIN, day=day, working=False, note="县人民政府通知")
    assert not WorkingCalendar.read(county_session).is_working(day)
    set_calendar_day(county_session, ADMIN, day=day, working=True, note="更正")
    assert WorkingCalendar.read(county_session).is_working(day)
    with pytest.raises(Invalid):
        set_calendar_day(county_session, ADMIN, day=day, working=False, note=" ")
    with pytest.raises(Forbidden):
        set_calendar_day(county_session, PUBLIC, day=day, working=False, note="x")


def test_a_parameter_is_set_with_its_basis(county_session: Session) -> None:
    given = {"process": "p", "key": "days", "division_code": "220822", "value": 7}
    set_parameter(county_session, ADMIN, basis="县里的文件", valid_from=date(2026, 1, 1), **given)
    found = in_force(county_session, "p", ["220822"], date(2026, 3, 2), {})
    assert (found["days"].value, found["days"].basis) == (7, "县里的文件")
    for basis, end, field in ((" ", None, "basis"), ("文件", date(2025, 1, 1), "valid_to")):
        with pytest.raises(Invalid) as refused:
            set_parameter(
                county_session, ADMIN, basis=basis, valid_from=date(2026, 1, 1), valid_to=end, **given
            )
        assert list(refused.value.errors) == [field]
    with pytest.raises(Forbidden):
        set_parameter(
            county_session,
            administrator(81, "220881"),
            basis="文件",
            valid_from=date(2026, 1, 1),
            valid_to=date(2026, 12, 31),
            **given,
        )


def test_invariant_6_what_was_done_to_offices_and_accounts_is_covered(
    county_database: Database, clock: Callable[[timedelta], None]
) -> None:
    with county_database.transaction() as session:
        user, _ = create_user(
            session, ADMIN, username="xin.ren", name="辛人", kind="officer", division_code="220822"
        )
        set_parameter(
            session,
            ADMIN,
            process="p",
            key="k",
            division_code="220822",
            value=1,
            basis="文件",
            valid_from=date(2026, 1, 1),
            valid_to=date(2026, 12, 31),
        )
        deactivate(session, ADMIN, user.id)
    with county_database.reading() as session:
        assert list(verify_streams(session)) == []
        assert verify_uncovered(session) == []


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("二组", "示范镇前进村二组"),
        ("前进村二组", "示范镇前进村二组"),
        ("示范镇前进村二组", "示范镇前进村二组"),
        (" 示范镇工业园 3 号 ", "示范镇前进村工业园 3 号"),
        ("吉林省白城市通榆县示范镇前进村二组", "示范镇前进村二组"),
        ("", "示范镇前进村"),
    ],
)
def test_an_address_is_written_with_its_township_and_village_once(
    county_session: Session, typed: str, whole: str
) -> None:
    assert full_address(county_session, "220822901201", typed) == whole


def test_an_address_in_a_township_has_no_village(county_session: Session) -> None:
    assert full_address(county_session, "220822901", "主街1号") == "示范镇主街1号"
