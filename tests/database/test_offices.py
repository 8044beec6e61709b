"""Divisions, offices, and who holds which post on which day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.database.offices import ADMIN, department_row, kinds, user_named
from tests.factories import administrator
from workflows.audit.verify import verify_streams, verify_uncovered
from workflows.base.calendar import WorkingCalendar
from workflows.base.clock import today
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.base.parameters import in_force
from workflows.base.session import Database
from workflows.organisations.accounts import (
    create_user,
    deactivate,
)
from workflows.organisations.actors import PUBLIC, Actor, actor_of
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
from workflows.organisations.model import Assignment, Division, User
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
from workflows.organisations.settings import set_calendar_day, set_parameter


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
    assert kinds(session) == ["divisions-loaded"]


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
    assert kinds(county_session)[-2:] == ["division-added", "division-added"]


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
    rural = department_row(county_session, "rural")
    update_department(county_session, ADMIN, rural.id, name="通榆县农业农村局", phone="1", address="2")
    assert rural.name == "通榆县农业农村局"
    assert kinds(county_session)[-1] == "department-updated"
    with pytest.raises(Invalid):
        update_department(county_session, ADMIN, rural.id, name="", phone="", address="")
    with pytest.raises(Forbidden):
        update_department(
            county_session, administrator(81, "220881"), rural.id, name="x", phone="", address=""
        )


def test_a_post_holds_from_its_first_day_to_its_last(county_session: Session) -> None:
    user, _ = create_user(
        county_session, ADMIN, username="xin.ren", name="辛人", kind="officer", division_code="220822"
    )
    hrss = department_row(county_session, "hrss")
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
    hrss, user = department_row(county_session, "hrss"), user_named(county_session, "fagai.clerk")
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
    hrss = department_row(county_session, "hrss")
    renshe, guan = user_named(county_session, "renshe.a"), user_named(county_session, "guanli")

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
    hrss, absent = department_row(county_session, "hrss"), user_named(county_session, "renshe.head")
    stands_in = user_named(county_session, "renshe.a")
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
    assert kinds(county_session)[-1] == "substitute-named"
    period = {"valid_from": day, "valid_to": day}
    with pytest.raises(Invalid):
        name_substitute(county_session, ADMIN, assignment_id=post.id, by_user_id=absent.id, **period)
    with pytest.raises(Invalid):
        name_substitute(county_session, ADMIN, assignment_id=row.id, by_user_id=absent.id, **period)
    with pytest.raises(Conflict):
        name_substitute(county_session, ADMIN, assignment_id=post.id, by_user_id=stands_in.id, **period)
    with pytest.raises(NotFound):
        name_substitute(county_session, ADMIN, assignment_id=999_999, by_user_id=stands_in.id, **period)


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
