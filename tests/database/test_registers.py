"""People and their dated identities, employers and memberships, workshops, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.factories import PDF, actor_named, workbook
from workflows.audit.model import Event
from workflows.audit.verify import verify_streams, verify_uncovered
from workflows.base.clock import today
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.base.files import FileStore
from workflows.base.outbox import OutboxRow
from workflows.base.privacy import digest_id
from workflows.base.session import Database
from workflows.organisations.accounts import register_account
from workflows.organisations.actors import PUBLIC, SYSTEM, Actor
from workflows.organisations.divisions import add_village
from workflows.organisations.model import User
from workflows.registers import demo_people, identities, people
from workflows.registers.demo_cast import ACCOUNTS, COUNTY
from workflows.registers.demo_county import load
from workflows.registers.employers import (
    EmployerData,
    employer_of,
    find_by_credit_code,
    register_employer,
    update_contact,
)
from workflows.registers.identities import (
    CHUNK,
    altered_snapshots,
    category_counts,
    check_asked,
    import_identities,
    snapshots_of,
    village_names,
)
from workflows.registers.identity_list import LIST, list_template
from workflows.registers.membership import (
    decide_member,
    end_membership,
    load_actor,
    member_name,
    members_of,
    memberships_of,
    request_membership,
    waiting_for_township,
)
from workflows.registers.model import Employer, EmployerMember, Identity, IdentitySnapshot, Person
from workflows.registers.people import get_or_create, identities_on, identity_on, people_for
from workflows.registers.workshops import (
    Filter,
    WorkshopData,
    change_status,
    listing,
    register,
    set_review_due,
    workshop_of,
)

HEADINGS = ("姓名", "身份证号", "类别", "户籍村", "户编号", "认定日期", "终止日期")
WANG = "220899197111250060"
BORN = date(1980, 1, 1)


def _number(serial: int) -> str:
    return demo_people.id_number(BORN + timedelta(days=serial // 900), serial % 900)


def _texts(session: Session) -> list[str]:
    return [row.payload["text"] for row in session.scalars(select(OutboxRow).order_by(OutboxRow.id))]


# People --------------------------------------------------------------------------------------------------------------


def test_a_person_is_one_however_the_number_is_written(session: Session) -> None:
    first = get_or_create(session, WANG, "王㛃")
    assert (first.name, first.born_on, first.id_digest) == ("王㛃", date(1971, 11, 25), digest_id(WANG))
    assert get_or_create(session, f" {WANG} ", "王某") is first
    old = get_or_create(session, "220899711125006", "王㛃")
    assert get_or_create(session, demo_people.id_number(date(1971, 11, 25), 5), "王㛃").id == old.id
    assert old is first
    assert session.scalar(select(func.count(Person.id))) == 1
    assert first.name == "王㛃"


def test_many_people_at_once_in_batches(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people._batches, "__defaults__", (7,))
    wanted = [(_number(serial), f"某{serial}") for serial in range(20)]
    keys = people_for(session, [*wanted, wanted[0]])
    assert len(keys) == 20
    assert people_for(session, wanted) == keys


def test_invariant_1_two_transactions_that_meet_one_person_end_with_one_row(database: Database) -> None:
    def meet() -> None:
        with database.transaction() as session:
            people_for(session, [(_number(serial), "某") for serial in range(50)])

    threads = [threading.Thread(target=meet) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.scalar(select(func.count(Person.id))) == 50


def test_nobody_else_gets_the_digest_of_a_person(session: Session) -> None:
    get_or_create(session, WANG, "王㛃")
    session.add(Person(id_digest=digest_id(WANG), id_number=WANG, name="冒名"))
    with pytest.raises(IntegrityError):
        session.flush()


# Identity on a day ---------------------------------------------------------------------------------------------------


@pytest.fixture
def dated(county_session: Session) -> Callable[..., int]:
    """Makes a snapshot of one person: ``dated(person_id, as_of, since=…, until=…)``; without a person an empty one."""

    def make(
        person_id: int | None,
        as_of: date,
        *,
        since: date | None = None,
        until: date | None = None,
        whole: bool = True,
        division: str = "220881",
        category: str = "monitored",
    ) -> int:
        snapshot = IdentitySnapshot(division_code=division, as_of=as_of, source="test", sha256="-")
        snapshot.completed_at = snapshot.imported_at = identities.now() if whole else None
        snapshot.imported_at = identities.now()
        county_session.add(snapshot)
        county_session.flush()
        if person_id is not None:
            county_session.add(
                Identity(
                    snapshot_id=snapshot.id,
                    person_id=person_id,
                    category=category,
                    since=since,
                    until=until,
                )
            )
            county_session.flush()
        return snapshot.id

    return make


def test_the_newest_list_before_the_day_speaks(county_session: Session, dated: Callable[..., int]) -> None:
    wang = get_or_create(county_session, _number(1), "王").id
    dated(wang, date(2024, 6, 30))
    dated(None, date(2024, 12, 31))
    dated(wang, date(2025, 6, 30), category="poverty_alleviated")

    def category(day: date) -> str | None:
        found = identity_on(county_session, [wang], day).get(wang)
        return found.category if found else None

    assert category(date(2024, 6, 29)) is None, "before the first list, and it does not say since when"
    assert category(date(2024, 6, 30)) == "monitored"
    assert category(date(2024, 12, 31)) is None, "no longer on the list"
    assert category(date(2025, 6, 30)) == "poverty_alleviated"
    assert identity_on(county_session, [wang], date(2025, 7, 1))[wang].as_of == date(2025, 6, 30)


def test_the_dates_in_the_list_bound_the_category(county_session: Session, dated: Callable[..., int]) -> None:
    wang = get_or_create(county_session, _number(1), "王").id
    dated(wang, date(2024, 6, 30), since=date(2021, 1, 1), until=date(2024, 9, 30))
    expected = {
        date(2020, 12, 31): False,
        date(2021, 1, 1): True,  # before the first list, which says since when
        date(2024, 9, 30): True,
        date(2024, 10, 1): False,
    }
    for day, held in expected.items():
        assert bool(identity_on(county_session, [wang], day)) is held, day


def test_an_unfinished_list_does_not_count_and_a_later_import_of_a_day_replaces_it(
    county_session: Session, dated: Callable[..., int]
) -> None:
    wang, li = (get_or_create(county_session, _number(n), "某").id for n in (1, 2))
    dated(wang, date(2024, 6, 30), since=date(2020, 1, 1))
    again = dated(li, date(2024, 6, 30), since=date(2020, 1, 1))
    dated(wang, date(2024, 9, 30), whole=False)
    for day in (date(2024, 12, 31), date(2021, 1, 1)):
        found = identity_on(county_session, [wang, li], day)
        assert {key: one.snapshot_id for key, one in found.items()} == {li: again}


def test_on_two_counties_lists_the_newer_one_speaks(
    county_session: Session, dated: Callable[..., int]
) -> None:
    wang = get_or_create(county_session, _number(1), "王").id
    for days in (((2026, 1, 31), (2026, 2, 28)), ((2026, 2, 28), (2026, 1, 31))):
        dated(wang, date(*days[0]), division="220881", category="monitored")
        dated(wang, date(*days[1]), division="220882", category="poverty_alleviated")
    newest = identity_on(county_session, [wang], date(2026, 2, 10))[wang]
    assert newest.as_of == date(2026, 1, 31)
    assert identity_on(county_session, [wang], date(2026, 3, 1))[wang].as_of == date(2026, 2, 28)
    dated(wang, date(2026, 3, 31), division="220881")
    dated(wang, date(2026, 3, 15), division="220882")
    assert identity_on(county_session, [wang], date(2026, 4, 1))[wang].as_of == date(2026, 3, 31)


def test_each_on_the_first_day_of_his_own_contract(county_session: Session) -> None:
    county = load(county_session, demonstration=True)
    off_the_list = next(
        person
        for place, person in enumerate(demo_people.listed(county.people))
        if place == len(demo_people.listed(county.people)) - 15
    )
    key = county.person_ids[off_the_list.number]
    steady = county.person_ids[0]
    found = identities_on(county_session, {key: date(2025, 6, 1), steady: date(2026, 2, 1)})
    assert found[key].as_of == date(2024, 12, 31)
    assert found[steady].as_of == date(2025, 12, 31)
    assert found[steady].village_code == "220822901201"
    assert identities_on(county_session, {key: date(2026, 2, 1)}) == {}


def test_five_thousand_people_take_two_statements(county_session: Session) -> None:
    keys = people_for(county_session, [(_number(n), "某") for n in range(5000)]).values()
    statements: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = county_session.get_bind()
    event.listen(engine, "before_cursor_execute", count)
    try:
        assert identity_on(county_session, keys, date(2026, 3, 1)) == {}
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert len(statements) == 2


def test_without_any_list_nobody_holds_anything(session: Session) -> None:
    assert identity_on(session, [1, 2], date(2026, 3, 2)) == {}


# Importing the list --------------------------------------------------------------------------------------------------


def _import(
    database: Database,
    content: bytes,
    actor: Actor | None = None,
    as_of: date | None = None,
    progress: Callable[[int, int], None] | None = None,
    confirmed: bool = False,
) -> identities.ImportResult:
    if actor is None:
        with database.reading() as session:
            actor = actor_named(session, "xiangcun.a")
    return import_identities(
        database,
        actor,
        content,
        division_code=COUNTY,
        as_of=as_of or date(2026, 2, 28),
        source="监测系统导出",
        confirmed=confirmed,
        progress=progress,
    )


def _list(count: int) -> bytes:
    return workbook(
        ("脱贫人口名单",),
        HEADINGS,
        *(
            (f"王{'甲乙丙丁戊'[n % 5]}", _number(n), "脱贫人口", "示范镇前进村", n, "2016-12-31", None)
            for n in range(count)
        ),
    )


def test_a_list_is_imported_in_chunks_with_progress_and_once(
    county_database: Database, clock: Callable[[timedelta], None]
) -> None:
    told: list[tuple[int, int]] = []
    content = _list(CHUNK + 20)
    result = _import(county_database, content, progress=lambda *done: told.append(done))
    assert (result.rows, result.problems, result.repeated) == (520, (), False)
    assert told[-2:] == [(510, 520), (520, 520)]
    assert told == sorted(told, key=lambda one: one[0] / one[1])
    again = _import(county_database, content)
    assert again.repeated
    assert again.snapshot_id == result.snapshot_id
    assert _import(county_database, content, as_of=date(2026, 1, 31)).snapshot_id != result.snapshot_id
    with county_database.reading() as session:
        snapshot = session.get_one(IdentitySnapshot, result.snapshot_id)
        assert (snapshot.row_count, snapshot.source) == (520, "监测系统导出")
        assert category_counts(session, [snapshot.id, 0]) == {
            snapshot.id: {"poverty_alleviated": 520},
            0: {},
        }
        row = session.scalars(select(Identity).where(Identity.snapshot_id == snapshot.id)).first()
        assert row is not None
        assert (row.village_code, row.since) == ("220822901201", date(2016, 12, 31))
        auditor = actor_named(session, "shenji")
        assert snapshots_of(session, auditor, COUNTY).entries[0].id == result.snapshot_id
        with pytest.raises(Forbidden):
            snapshots_of(session, actor_named(session, "guanli"), COUNTY)
        assert list(verify_streams(session)) == []
        assert verify_uncovered(session) == []


def test_after_a_crash_the_same_file_completes_the_list(
    county_database: Database, clock: Callable[[timedelta], None]
) -> None:
    content = _list(CHUNK + 20)

    def crash(done: int, total: int) -> None:
        if done > total / 2:  # the first rows are stored
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _import(county_database, content, progress=crash)
    person = None
    with county_database.reading() as session:
        person = session.scalars(select(Person.id).where(Person.id_digest == digest_id(_number(0)))).one()
        assert identity_on(session, [person], date(2026, 3, 1)) == {}, "half a list says nothing"
    result = _import(county_database, content)
    assert not result.repeated
    with county_database.reading() as session:
        assert session.get_one(IdentitySnapshot, result.snapshot_id).row_count == 520
        assert identity_on(session, [person], date(2026, 3, 1))
        kinds = list(session.scalars(select(Event.kind).order_by(Event.id.desc()).limit(2)))
        assert kinds == ["identities-imported", "identities-import-started"]


def test_closing_twice_changes_nothing(county_session: Session) -> None:
    snapshot = county_session.scalars(select(IdentitySnapshot)).first()
    assert snapshot is not None
    events = county_session.scalar(select(func.count(Event.id)))
    identities.close_snapshot(county_session, SYSTEM, snapshot.id)
    assert county_session.scalar(select(func.count(Event.id))) == events


def test_every_error_of_every_row_at_once_and_nothing_stored(
    county_database: Database, clock: Callable[[timedelta], None]
) -> None:
    with county_database.transaction() as session:
        add_village(session, SYSTEM, township_code="220822902", code="220822902204", name="前进村")
        before = session.scalar(select(func.count(Identity.id)))
    wrong = _number(2)[:-1] + ("0" if _number(2)[-1] != "0" else "1")
    result = _import(
        county_database,
        workbook(
            HEADINGS,
            ("王甲", _number(1), "脱贫人口", "示范镇 前进村", "1", "2016-12-31", None),
            ("王乙", wrong, "脱贫户", "没有村", "1", "2016-13-31", None),
            (None, _number(3), "监测对象", "前进村", "1", "2021-12-31", "2020-12-31"),
            ("王丁", _number(1), "防止返贫监测对象", "春光村", None, None, None),
            ("王戊", _number(5), "脱贫人口", None, None, None, None),
        ),
    )
    assert result.snapshot_id is None
    text = "\n".join(str(one) for one in result.problems)
    for part in (
        "第 3 行 B 列“身份证号”",
        "第 3 行 C 列“类别”",
        "第 3 行 D 列“户籍村”：本县没有这个村",
        "第 3 行 F 列“认定日期”",
        "第 4 行 A 列“姓名”",
        "第 4 行 D 列“户籍村”：本县有两个以上同名的村",
        "第 4 行 G 列“终止日期”",
        "第 5 行 B 列“身份证号”",
        "第 6 行 D 列“户籍村”",
    ):
        assert part in text, text
    assert wrong not in text, "a number in an error message is masked"
    with county_database.reading() as session:
        assert session.scalar(select(func.count(Identity.id))) == before


def test_sheets_that_are_no_list(county_database: Database, clock: Callable[[timedelta], None]) -> None:
    for content, says in (
        (workbook(("姓名", "电话"), ("王甲", "1")), "标题"),
        (workbook(HEADINGS), "没有人员"),
        (workbook(), "没有任何内容"),
        (list_template(), "没有人员"),
    ):
        assert says in str(_import(county_database, content).problems[0])
    with pytest.raises(Invalid, match="PDF"):
        _import(county_database, PDF)


def test_who_may_import_and_what_must_be_said(
    county_database: Database, clock: Callable[[timedelta], None]
) -> None:
    with county_database.reading() as session:
        others = [actor_named(session, name) for name in ("renshe.a", "taonan.xiangcun", "shenji", "guanli")]
    for actor in (*others, PUBLIC):
        with pytest.raises(Forbidden):
            _import(county_database, _list(1), actor)
    with pytest.raises(Invalid) as refused:
        _import(county_database, _list(1), as_of=today() + timedelta(days=1))
    assert list(refused.value.errors) == ["as_of"]
    with pytest.raises(Invalid) as refused:
        import_identities(county_database, SYSTEM, _list(1), division_code=COUNTY, as_of=today(), source=" ")
    assert list(refused.value.errors) == ["source"]
    with pytest.raises(Invalid, match="没有导入") as refused:
        check_asked(today(), "源" * 201)
    assert list(refused.value.errors) == ["source"]


def test_what_may_be_another_sheet_waits_for_a_persons_word(
    county_database: Database, clock: Callable[[timedelta], None]
) -> None:
    with county_database.reading() as session:
        newest = identities.newest_whole(session, COUNTY)
        assert newest is not None
        listed, day = newest.row_count, newest.as_of
    strange = workbook(
        (*HEADINGS, "手机号", None, "开户行"),
        ("王甲", _number(0), "防止返贫监测对象", "示范镇前进村", None, None, None, "13904360001"),
    )
    result = _import(county_database, strange)
    assert (result.snapshot_id, result.rows, result.people) == (None, 1, {"monitored": 1})
    assert len(result.doubts) == 2
    assert "表里有 2 列不是模板里的，不会导入：“手机号”（H 列）、“开户行”（J 列）" in result.doubts[0]
    said = f"这份名单 1 人，上一份 {day.year}年{day.month}月{day.day}日的有 {listed:,} 人"
    assert said in result.doubts[1]
    with county_database.reading() as session:
        assert identities.newest_whole(session, COUNTY).id == newest.id, "a doubt stores nothing"
    assert _import(county_database, strange, confirmed=True).snapshot_id
    # half of the last one is no doubt, and the list just confirmed is the last one now
    assert _import(county_database, _list(1), as_of=date(2026, 3, 1)).snapshot_id


@pytest.mark.parametrize(("people", "doubtful"), [(49, True), (50, False), (200, False)])
def test_less_than_half_of_the_last_list_is_doubtful(people: int, doubtful: bool) -> None:
    newest = IdentitySnapshot(as_of=date(2025, 12, 31), row_count=100)
    assert bool(identities.doubts_of(people, [], newest)) is doubtful
    assert identities.doubts_of(people, [], None) == ()


def test_a_doubt_does_not_name_a_hundred_headings() -> None:
    (doubt,) = identities.doubts_of(1, [f"“列{n}”" for n in range(100)], None)
    assert "有 100 列" in doubt
    assert "“列19”……" in doubt


def test_invariant_6_a_row_of_a_list_changed_behind_our_back_is_found(county_session: Session) -> None:
    assert altered_snapshots(county_session) == []
    row = county_session.scalars(select(Identity).order_by(Identity.id).limit(1)).one()
    county_session.execute(update(Identity).where(Identity.id == row.id).values(category="monitored!"))
    assert [snapshot.id for snapshot in altered_snapshots(county_session)] == [row.snapshot_id]


def test_villages_may_be_named_with_their_township(county_session: Session) -> None:
    names = village_names(county_session, COUNTY)
    assert names["前进村"] == names["示范镇前进村"] == "220822901201"
    assert "永安村" not in names
    # what older lists have, and what only newer ones say
    assert {column.label for column in LIST.columns} == {*HEADINGS, "务工情况", "易地搬迁户"}


# Employers and their people ------------------------------------------------------------------------------------------


def _data(**changes: str) -> EmployerData:
    given = {
        "credit_code": demo_people.credit_code(77),
        "name": "通榆县新单位（演示）",
        "kind": "company",
        "legal_representative": "辛代表",
        "contact_name": "辛联系",
        "contact_phone": "154 0000 7777",
        "address": "一号",
        "division_code": "220822901201",
    }
    return EmployerData(**(given | changes))


def _newcomer(session: Session, username: str = "xin.qiye") -> Actor:
    user = register_account(
        session,
        username=username,
        name="辛企",
        password="Chagan-hu-77",
        division_code=COUNTY,
        phone="15400000001",
    )
    return load_actor(session, user)


def _letter(session: Session, store: FileStore) -> int:
    return store.attach(session, PDF, "授权书.pdf", by=None).id


def test_an_employer_registers_and_waits_for_its_township(county_session: Session, store: FileStore) -> None:
    actor = _newcomer(county_session)
    member = register_employer(
        county_session,
        actor,
        _data(legal_id_number=WANG),
        authorisation_file_id=_letter(county_session, store),
    )
    employer = member.employer
    assert (employer.status, member.status, member.role) == ("pending", "pending", "clerk")
    assert employer.contact_phone == "15400007777"
    assert employer.legal_id_digest == digest_id(WANG)
    assert _texts(county_session) == ["有用人单位登记了账号，请核对授权书后确认。"]
    assert load_actor(county_session, county_session.get_one(User, actor.user_id)).employers == ()
    township = actor_named(county_session, "shifan.clerk")
    assert member in waiting_for_township(county_session, township)
    assert waiting_for_township(county_session, actor_named(county_session, "xiangyang.clerk")) == []
    assert waiting_for_township(county_session, actor_named(county_session, "renshe.a")) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"credit_code": "91220822MA0000000X"}, "credit_code"),
        ({"contact_phone": "12"}, "contact_phone"),
        ({"legal_id_number": "220899197111250061"}, "legal_id_number"),
        ({"kind": "shop"}, "kind"),
        ({"name": " "}, "name"),
        ({"address": "长" * 201}, "address"),
        ({"division_code": "220822"}, "division_code"),
        ({"division_code": "999999"}, "division_code"),
    ],
)
def test_what_a_registration_must_say(county_session: Session, changes: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        register_employer(
            county_session, _newcomer(county_session), _data(**changes), authorisation_file_id=1
        )
    assert list(refused.value.errors) == [field]


def test_a_registration_needs_the_letter_and_an_employers_account(county_session: Session) -> None:
    with pytest.raises(Invalid) as refused:
        register_employer(county_session, _newcomer(county_session), _data(), authorisation_file_id=None)
    assert list(refused.value.errors) == ["authorisation"]
    with pytest.raises(Forbidden):
        register_employer(
            county_session,
            actor_named(county_session, "renshe.a"),
            _data(),
            authorisation_file_id=1,
        )


def _waiting(session: Session) -> EmployerMember:
    return session.scalars(
        select(EmployerMember).join(User, User.id == EmployerMember.user_id).where(User.username == "qiye9")
    ).one()


def test_the_township_confirms_and_the_first_account_owns(county_session: Session) -> None:
    member = _waiting(county_session)
    for stranger in ("xiangyang.clerk", "renshe.a", "guanli", "shenji", "qiye1"):
        with pytest.raises(Forbidden):
            decide_member(county_session, actor_named(county_session, stranger), member.id, agree=True)
    township = actor_named(county_session, "shifan.clerk")
    decide_member(county_session, township, member.id, agree=True)
    assert (member.status, member.role, member.employer.status) == ("confirmed", "owner", "confirmed")
    assert member.employer.confirmed_by == township.user_id
    assert actor_named(county_session, "qiye9").employer_ids == (member.employer_id,)
    assert _texts(county_session) == ["您的单位账号已确认，可以办理业务。"]
    with pytest.raises(Conflict, match="已由他人处理"):
        decide_member(county_session, township, member.id, agree=False, reason="晚了")
    with pytest.raises(NotFound):
        decide_member(county_session, township, 999_999, agree=True)


def test_a_refusal_needs_a_reason_and_the_employer_may_try_again(
    county_session: Session, store: FileStore
) -> None:
    member, township = _waiting(county_session), actor_named(county_session, "shifan.clerk")
    with pytest.raises(Invalid):
        decide_member(county_session, township, member.id, agree=False)
    decide_member(county_session, township, member.id, agree=False, reason="授权书没有盖章")
    employer = member.employer
    assert (member.status, employer.status, member.reason) == ("refused", "refused", "授权书没有盖章")
    again = register_employer(
        county_session,
        actor_named(county_session, "qiye9"),
        _data(credit_code=employer.credit_code, name="更正后的名称"),
        authorisation_file_id=_letter(county_session, store),
    )
    assert again is member
    assert (again.status, again.reason, employer.status) == ("pending", "", "pending")
    assert employer.name == "更正后的名称"
    assert memberships_of(county_session, member.user_id) == [member]


def test_a_stranger_with_the_credit_code_gains_nothing(county_session: Session, store: FileStore) -> None:
    """Credit codes are public: the letter of authorisation decides, and another's data is never overwritten."""
    rightful, stranger = _waiting(county_session), _newcomer(county_session)
    employer = rightful.employer
    before = (employer.name, employer.contact_phone)
    with pytest.raises(Invalid) as refused:
        request_membership(county_session, stranger, employer)
    assert list(refused.value.errors) == ["authorisation"]
    false = register_employer(
        county_session,
        stranger,
        _data(credit_code=f" {employer.credit_code.lower()} "),
        authorisation_file_id=_letter(county_session, store),
    )
    assert (employer.name, employer.contact_phone) == before
    township = actor_named(county_session, "shifan.clerk")
    decide_member(county_session, township, false.id, agree=False, reason="公章不符")
    assert employer.status == "pending", "the rightful one still waits"
    decide_member(county_session, township, rightful.id, agree=True)
    assert employer.status == "confirmed"


def test_further_members_are_confirmed_by_the_first(county_session: Session) -> None:
    owner, clerk = (actor_named(county_session, name) for name in ("qiye1", "qiye1.clerk"))
    employer = employer_of(county_session, owner.employer_ids[0])
    newcomer = _newcomer(county_session)
    member = register_employer(
        county_session,
        newcomer,
        _data(credit_code=employer.credit_code),
        authorisation_file_id=None,
    )
    assert _texts(county_session) == ["有人申请加入本单位办理业务，请在“单位账号”中确认。"]
    with pytest.raises(Conflict, match="等待确认"):
        request_membership(county_session, newcomer, employer)
    for other in (clerk, actor_named(county_session, "shifan.clerk"), newcomer):
        with pytest.raises(Forbidden):
            decide_member(county_session, other, member.id, agree=True)
    decide_member(county_session, owner, member.id, agree=True)
    assert (member.status, member.role) == ("confirmed", "clerk")
    assert len(members_of(county_session, clerk, employer.id)) == 3
    assert member_name(county_session, member) == "辛企"
    with pytest.raises(Conflict, match="已是"):
        request_membership(county_session, newcomer, employer)
    with pytest.raises(Conflict, match="已由他人处理"):
        decide_member(county_session, owner, member.id, agree=True)


def test_the_first_account_refuses_too_and_nobody_confirms_himself(county_session: Session) -> None:
    owner = actor_named(county_session, "qiye1")
    employer = employer_of(county_session, owner.employer_ids[0])
    member = request_membership(county_session, _newcomer(county_session), employer)
    decide_member(county_session, owner, member.id, agree=False, reason="不认识")
    assert (member.status, employer.status) == ("refused", "confirmed")
    own = county_session.scalars(select(EmployerMember).where(EmployerMember.user_id == owner.user_id)).one()
    with pytest.raises(Forbidden, match="自己的账号"):
        decide_member(county_session, owner, own.id, agree=True)


def test_memberships_end_but_the_first_account_stays(county_session: Session) -> None:
    owner, clerk = (actor_named(county_session, name) for name in ("qiye1", "qiye1.clerk"))
    rows = {row.user_id: row for row in members_of(county_session, owner, owner.employer_ids[0])}
    with pytest.raises(Forbidden):
        end_membership(county_session, clerk, rows[owner.user_id].id)
    with pytest.raises(Conflict, match="首个账号"):
        end_membership(county_session, owner, rows[owner.user_id].id)
    end_membership(county_session, clerk, rows[clerk.user_id].id)
    assert actor_named(county_session, "qiye1.clerk").employers == ()
    with pytest.raises(Conflict):
        end_membership(county_session, owner, rows[clerk.user_id].id)
    with pytest.raises(NotFound):
        end_membership(county_session, owner, 999_999)


def test_who_sees_the_accounts_of_an_employer(county_session: Session) -> None:
    employer = actor_named(county_session, "qiye1").employer_ids[0]
    for allowed in ("qiye1.clerk", "shifan.clerk", "renshe.a", "xiangcun.a", "shenji"):
        assert members_of(county_session, actor_named(county_session, allowed), employer)
    for refused in ("qiye2", "xiangyang.clerk", "taonan.renshe", "guanli", "caizheng.clerk"):
        with pytest.raises(Forbidden):
            members_of(county_session, actor_named(county_session, refused), employer)
    with pytest.raises(NotFound):
        members_of(county_session, actor_named(county_session, "qiye1"), 999_999)


def test_contact_details_are_the_employers_to_change(county_session: Session) -> None:
    clerk = actor_named(county_session, "qiye1.clerk")
    employer = employer_of(county_session, clerk.employer_ids[0])
    update_contact(county_session, clerk, employer.id, contact_name=" 新人 ", contact_phone="15400001234")
    assert (employer.contact_name, employer.contact_phone) == ("新人", "15400001234")
    with pytest.raises(Invalid) as refused:
        update_contact(county_session, clerk, employer.id, contact_name=" ", contact_phone="1")
    assert set(refused.value.errors) == {"contact_name", "contact_phone"}
    with pytest.raises(Forbidden):
        update_contact(
            county_session,
            actor_named(county_session, "qiye2"),
            employer.id,
            contact_name="某",
            contact_phone="15400001234",
        )
    with pytest.raises(NotFound):
        employer_of(county_session, 999_999)


def test_an_employer_is_found_by_its_code_however_typed(county_session: Session) -> None:
    code = demo_people.credit_code(1)
    found = find_by_credit_code(county_session, f" {code[:6].lower()} {code[6:]}")
    assert found is not None
    assert found.credit_code == code
    assert find_by_credit_code(county_session, "nonsense") is None


# Workshops -----------------------------------------------------------------------------------------------------------


def _workshop(session: Session, number: int = 1, **changes: object) -> WorkshopData:
    employer = session.scalars(select(Employer).order_by(Employer.id).limit(1)).one()
    given: dict[str, object] = {
        "employer_id": employer.id,
        "name": f"第{number}车间",
        "mode": "factory",
        "number": f"通榆就帮车间〔2026〕{number}号",
        "address": "一号",
        "division_code": "220822901201",
        "worker_count": 5,
        "recognised_on": date(2026, 3, 2) + timedelta(days=number),
        "review_due": date(2027, 3, 2) + timedelta(days=number),
    }
    return WorkshopData(**(given | changes))  # type: ignore[arg-type]  # a plain bag of values


def test_a_recognised_workshop_is_entered_once(county_session: Session) -> None:
    entered = register(county_session, _workshop(county_session), actor_id=None)
    assert (entered.county_code, entered.status) == (COUNTY, "active")
    assert entered.first_recognised_on == entered.recognised_on
    assert workshop_of(county_session, entered.id) is entered
    renamed = register(
        county_session,
        _workshop(county_session, 2, first_recognised_on=date(2022, 7, 1)),
        actor_id=None,
    )
    assert renamed.first_recognised_on == date(2022, 7, 1)
    with pytest.raises(IntegrityError):
        register(county_session, _workshop(county_session), actor_id=None)


def test_an_entry_is_rectified_revoked_and_restored(county_session: Session) -> None:
    entered = register(county_session, _workshop(county_session), actor_id=None)
    day = date(2027, 4, 1)
    with pytest.raises(Conflict, match="现为“有效”，不能改为“有效”"):
        change_status(county_session, entered.id, "active", on=day, actor_id=None)
    change_status(county_session, entered.id, "rectifying", on=day, actor_id=None)
    change_status(county_session, entered.id, "revoked", on=day, actor_id=None)
    assert entered.revoked_on == day
    with pytest.raises(Conflict):
        change_status(county_session, entered.id, "rectifying", on=day, actor_id=None)
    change_status(county_session, entered.id, "active", on=day, actor_id=None, review_due=date(2028, 4, 1))
    assert (entered.revoked_on, entered.review_due) == (None, date(2028, 4, 1))
    set_review_due(county_session, entered.id, date(2029, 4, 1), actor_id=None)
    kinds = list(county_session.scalars(select(Event.kind).order_by(Event.id)))[-5:]
    assert kinds == [
        "workshop-registered",
        "workshop-rectifying",
        "workshop-revoked",
        "workshop-restored",
        "workshop-reviewed",
    ]
    for lookup in (lambda: workshop_of(county_session, 999_999),):
        with pytest.raises(NotFound):
            lookup()
    with pytest.raises(NotFound):
        change_status(county_session, 999_999, "revoked", on=day, actor_id=None)


def test_the_public_register_is_paged_and_filtered(county_session: Session) -> None:
    for number in range(1, 26):
        register(
            county_session,
            _workshop(county_session, number, mode="home" if number > 20 else "factory"),
            actor_id=None,
        )
    register(county_session, _workshop(county_session, 99, division_code="220881901201"), actor_id=None)
    first = listing(county_session, Filter(county_code=COUNTY), page=1)
    assert (first.total, first.pages, len(first.entries)) == (25, 2, 20)
    assert first.entries[0].name == "第25车间", "the newest first"
    last = listing(county_session, Filter(county_code=COUNTY), page=99)
    assert (last.number, len(last.entries)) == (2, 5)
    assert listing(county_session, Filter(mode="home")).total == 5
    assert listing(county_session, Filter(text="〔2026〕7号")).total == 1
    assert listing(county_session, Filter(text="晨曦")).total == 26, "by the employer's name"
    assert listing(county_session, Filter(text="%")).total == 0, "no wildcard of the database"
    empty = listing(county_session, Filter(status="revoked"), page=3)
    assert (empty.total, empty.pages, empty.number, empty.entries) == (0, 1, 1, [])


# The demonstration county --------------------------------------------------------------------------------------------


def test_the_demonstration_county_is_whole_and_loading_again_changes_nothing(
    county_database: Database, store: FileStore
) -> None:
    def counts(session: Session) -> list[int | None]:
        return [
            session.scalar(select(func.count()).select_from(table))
            for table in (User, Person, Employer, EmployerMember, Identity, Event)
        ]

    with county_database.transaction() as session:
        before = counts(session)
        county = load(session, demonstration=True, store=store)
        assert counts(session) == before
        assert set(county.users) == {account.username for account in ACCOUNTS}
        assert len(county.people) == len(county.person_ids) == 400
        assert [county.employers[number].status for number in range(1, 11)] == [
            *["confirmed"] * 8,
            "pending",
            "confirmed",
        ]
        person = county.people[7]
        assert session.get_one(Person, county.person_ids[7]).id_number == person.id_number
        assert county.village_of(county.people[0]) == "示范镇前进村"
        assert list(verify_streams(session)) == []
        assert verify_uncovered(session) == []
        assert altered_snapshots(session) == []


def test_the_waiting_employer_shows_its_letter(database: Database, store: FileStore) -> None:
    with database.transaction() as session:
        load(session, demonstration=True, store=store)
        member = _waiting(session)
        assert member.authorisation_file_id is not None
    assert len(list(store.root.glob("??/*"))) == 1


def test_the_demonstration_is_not_loaded_elsewhere(session: Session) -> None:
    with pytest.raises(Forbidden, match="演示环境"):
        load(session, demonstration=False)
