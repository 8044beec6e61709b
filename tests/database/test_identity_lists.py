"""Importing the list of 脱贫人口 and 监测对象."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from tests.factories import PDF, actor_named, workbook
from workflows.audit.model import Event
from workflows.audit.verify import verify_streams, verify_uncovered
from workflows.base.clock import today
from workflows.base.errors import Forbidden, Invalid
from workflows.base.privacy import digest_id
from workflows.base.session import Database
from workflows.organisations.actors import PUBLIC, SYSTEM, Actor
from workflows.organisations.divisions import add_village
from workflows.registers import demo_people, identities
from workflows.registers.demo_cast import COUNTY
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
from workflows.registers.model import Identity, IdentitySnapshot, Person
from workflows.registers.people import identity_on

HEADINGS = ("姓名", "身份证号", "类别", "户籍村", "户编号", "认定日期", "终止日期")

BORN = date(1980, 1, 1)


def _number(serial: int) -> str:
    return demo_people.id_number(BORN + timedelta(days=serial // 900), serial % 900)


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
