"""Lists of 脱贫人口 and 监测对象 sent on a page: read in the background, doubted, confirmed, dropped, replaced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from tests.factories import PDF, actor_named, workbook
from workflows.audit.model import Event
from workflows.audit.verify import verify_streams, verify_uncovered
from workflows.base.clock import now
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.outbox import OutboxRow, drain
from workflows.base.session import Database
from workflows.cases.jobs import handlers
from workflows.organisations.model import Assignment
from workflows.registers import identity_uploads as uploads
from workflows.registers.demo_people import id_number
from workflows.registers.identities import CHUNK, newest_whole, snapshots_of
from workflows.registers.model import Identity, IdentityProblem, IdentitySnapshot, IdentityUpload

COUNTY = "220822"
HEADINGS = ("姓名", "身份证号", "类别", "户籍村", "户编号", "认定日期", "终止日期")
DAY = date(2026, 2, 28)


@pytest.fixture(autouse=True)
def _installed(clock: Callable[[timedelta], None], store: FileStore) -> None:
    use_installation(Installation("http://localhost", True, store))


def row(serial: int, village: str = "示范镇前进村") -> tuple[object, ...]:
    number = id_number(date(1980, 1, 1) + timedelta(days=serial // 900), serial % 900)
    return f"王{'甲乙丙丁'[serial % 4]}", number, "脱贫人口", village, serial, "2016-12-31", None


def listed(count: int, *more: tuple[object, ...], headings: tuple[object, ...] = HEADINGS) -> bytes:
    return workbook(headings, *(row(serial) for serial in range(count)), *more)


def send(database: Database, content: bytes, username: str = "xiangcun.a", as_of: date = DAY) -> int:
    with database.transaction() as session:
        return uploads.upload(
            session,
            actor_named(session, username),
            content,
            "名单.xlsx",
            division_code=COUNTY,
            as_of=as_of,
            source="监测系统导出",
        ).id


def work(database: Database) -> None:
    assert drain(database, handlers(lambda pdf, *_: pdf)) > 0


def found(session: Session, upload_id: int) -> IdentityUpload:
    return session.get_one(IdentityUpload, upload_id)


def sound(session: Session) -> bool:
    return [*verify_streams(session), *verify_uncovered(session)] == []


def kinds(session: Session) -> list[str]:
    """What was recorded of lists, the newest first."""
    wanted = select(Event.kind).where(Event.kind.startswith("identities-")).order_by(Event.id.desc())
    return list(session.scalars(wanted))


def test_a_list_is_read_in_the_background_and_imported_under_the_name_of_who_sent_it(
    county_database: Database,
) -> None:
    before, content = now(), listed(CHUNK + 20)
    key = send(county_database, content)
    with county_database.reading() as session:
        assert found(session, key).status == "reading"
    work(county_database)
    with county_database.reading() as session:
        one = found(session, key)
        assert (one.status, one.total, one.done) == ("imported", 520, 520)
        assert one.people == {"poverty_alleviated": 520}
        assert one.ended_at is not None
        assert one.ended_at >= before
        snapshot = session.get_one(IdentitySnapshot, one.snapshot_id)
        assert (snapshot.as_of, snapshot.row_count, snapshot.source) == (DAY, 520, "监测系统导出")
        assert snapshot.imported_by == one.uploaded_by == actor_named(session, "xiangcun.a").user_id
        assert kinds(session)[:4] == [
            "identities-read",
            "identities-imported",
            "identities-import-started",
            "identities-uploaded",
        ]
        assert sound(session)
    with pytest.raises(Invalid) as refused:
        send(county_database, content)
    assert "已经作为 2026年2月28日的名单导入过，共 520 人" in refused.value.errors["file"]
    uploads.read(county_database, key)  # once more, as after a crash between the work and its note
    with county_database.reading() as session:
        assert snapshots_of(session, actor_named(session, "shenji"), COUNTY).total == 4


def test_everything_wrong_is_kept_encrypted_until_another_is_sent(county_database: Database) -> None:
    secret = "没有这个村庄"
    bad = [row(serial, secret) for serial in range(CHUNK + 30)]
    bad[7] = (None, *bad[7][1:])
    key = send(county_database, workbook(HEADINGS, *bad))
    work(county_database)
    with county_database.reading() as session:
        one = found(session, key)
        assert (one.status, one.problems, one.snapshot_id) == ("failed", [], None)
        assert one.kinds == [["户籍村：本县没有这个村", 530, 2], ["姓名：没有填写", 1, 9]]
        page = uploads.problems(session, one)
        assert (len(page.cells), page.total, page.page) == (uploads.SIZE, 531, 1)
        first = page.cells[0]
        assert (first.row, first.letter, first.column) == (2, "D", "户籍村")
        assert secret in first.message
        last = uploads.problems(session, one, page=99)
        assert (last.page, len(last.cells)) == (11, 31)
        named = uploads.problems(session, one, kind=2)
        assert [(cell.row, cell.column) for cell in named.cells] == [(9, "姓名")]
        assert uploads.problems(session, one, kind=9).total == 531
        stored = session.execute(text("select message from identity_problems limit 5")).scalars().all()
        assert not any(secret in one for one in stored)
        assert newest_whole(session, COUNTY).as_of == date(2025, 12, 31)  # type: ignore[union-attr]  # the demonstration has one
        assert kinds(session)[:2] == ["identities-read", "identities-uploaded"]
        assert sound(session)
    send(county_database, listed(CHUNK))
    with county_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(IdentityProblem)) == 0


def test_what_is_wrong_with_the_sheet_as_a_whole_is_said(county_database: Database) -> None:
    for content, says in (
        (workbook(("姓名", "身份证号"), row(1)[:2]), "标题缺少这些列：类别、户籍村"),
        (workbook(HEADINGS), "没有人员"),
        (workbook(("公司", "电话"), ("某某", "1")), "没有找到标题行"),
    ):
        key = send(county_database, content)
        work(county_database)
        with county_database.reading() as session:
            one = found(session, key)
            assert one.status == "failed"
            assert says in "\n".join(one.problems)


def test_what_is_no_list_at_all_is_refused_at_once(county_database: Database) -> None:
    for content, says in ((b"", "请选择填好的名单"), (PDF, "PDF 文件"), (b"MZ", "程序文件")):
        with pytest.raises(Invalid) as refused:
            send(county_database, content)
        assert says in refused.value.errors["file"]
    with pytest.raises(Invalid) as refused:
        send(county_database, listed(1), as_of=date(2026, 3, 3))
    assert list(refused.value.errors) == ["as_of"]
    for username in ("renshe.a", "taonan.xiangcun", "shenji", "guanli", "qiye1"):
        with pytest.raises(Forbidden):
            send(county_database, listed(1), username)
    with county_database.reading() as session:
        assert session.scalars(select(IdentityUpload)).all() == []


def test_a_doubtful_list_waits_and_is_imported_when_somebody_says_so(county_database: Database) -> None:
    key = send(county_database, listed(2, headings=(*HEADINGS, "开户行")))
    work(county_database)
    with county_database.reading() as session:
        one = found(session, key)
        assert (one.status, one.total, one.people) == ("doubtful", 2, {"poverty_alleviated": 2})
        assert "“开户行”（H 列）" in one.doubts[0]
        assert "这份名单 2 人" in one.doubts[1]
        assert session.scalars(select(Identity.id).where(Identity.household == "1")).all() == []
    with county_database.transaction() as session:
        for username, error in (("taonan.xiangcun", NotFound), ("renshe.a", NotFound), ("shenji", Forbidden)):
            with pytest.raises(error):
                uploads.confirm(session, actor_named(session, username), key)
        with pytest.raises(NotFound):
            uploads.drop(session, actor_named(session, "xiangcun.a"), 99)
    with county_database.transaction() as session:
        uploads.confirm(session, actor_named(session, "xiangcun.b"), key)
    with county_database.transaction() as session, pytest.raises(Conflict, match="正在导入"):
        uploads.confirm(session, actor_named(session, "xiangcun.a"), key)
    work(county_database)
    with county_database.reading() as session:
        one = found(session, key)
        second = actor_named(session, "xiangcun.b").user_id
        assert (one.status, one.confirmed_by) == ("imported", second)
        assert session.get_one(IdentitySnapshot, one.snapshot_id).imported_by == second
        assert kinds(session)[:5] == [
            "identities-read",
            "identities-imported",
            "identities-import-started",
            "identities-confirmed",
            "identities-read",
        ]
        assert sound(session)


def test_a_doubtful_list_is_dropped(county_database: Database) -> None:
    key = send(county_database, listed(2))
    work(county_database)
    with county_database.transaction() as session:
        uploads.drop(session, actor_named(session, "xiangcun.a"), key)
    with county_database.transaction() as session, pytest.raises(Conflict, match="决定不导入"):
        uploads.confirm(session, actor_named(session, "xiangcun.a"), key)
    with county_database.reading() as session:
        assert found(session, key).status == "dropped"
        assert snapshots_of(session, actor_named(session, "xiangcun.a"), COUNTY).total == 3
        assert kinds(session)[0] == "identities-dropped"
        assert sound(session)


def test_one_list_at_a_time_and_the_last_one_sent_counts(
    county_database: Database, clock: Callable[[timedelta], None]
) -> None:
    first = send(county_database, listed(2))
    with pytest.raises(Conflict, match="正在读取"):
        send(county_database, listed(3), "xiangcun.b")
    clock(uploads.STUCK + timedelta(seconds=1))
    second = send(county_database, listed(3), "xiangcun.b")
    work(county_database)
    third = send(county_database, listed(4))
    work(county_database)
    with county_database.reading() as session:
        assert [found(session, key).status for key in (first, second, third)] == [
            "replaced",
            "replaced",
            "doubtful",
        ]
        assert uploads.latest_upload(session, COUNTY) is not None
        assert uploads.latest_upload(session, "220881") is None
        assert sound(session)
    with county_database.transaction() as session, pytest.raises(Conflict, match="新的名单"):
        uploads.confirm(session, actor_named(session, "xiangcun.a"), second)


def test_who_lost_the_post_meanwhile_imports_nothing(county_database: Database) -> None:
    key = send(county_database, listed(2))
    with county_database.transaction() as session:
        one = found(session, key)
        for post in session.scalars(select(Assignment).where(Assignment.user_id == one.uploaded_by)):
            post.valid_to = date(2026, 3, 1)
    work(county_database)
    with county_database.reading() as session:
        one = found(session, key)
        assert (one.status, one.problems) == (
            "failed",
            ["只有本县乡村振兴部门可以导入脱贫人口和监测对象名单。"],
        )


def test_a_worker_that_dies_in_the_middle_leaves_nothing_twice(
    county_database: Database, clock: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = send(county_database, workbook(HEADINGS, *(row(serial, "没有") for serial in range(CHUNK + 1))))

    def die(*_: object) -> None:
        raise RuntimeError("power")

    with monkeypatch.context() as patch:
        patch.setattr(uploads, "_end", die)
        assert drain(county_database, handlers(lambda pdf, *_: pdf)) == 0
    with county_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(IdentityProblem)) == CHUNK + 1
        failed = session.scalars(select(OutboxRow).where(OutboxRow.last_error.is_not(None))).one()
        assert failed.kind == uploads.KIND
    clock(timedelta(minutes=6))
    work(county_database)
    with county_database.reading() as session:
        assert found(session, key).status == "failed"
        assert session.scalar(select(func.count()).select_from(IdentityProblem)) == CHUNK + 1


def test_whoever_looks_after_a_prefecture_sees_the_lists_of_its_counties(county_database: Database) -> None:
    with county_database.reading() as session:
        auditor = actor_named(session, "shenji")
        wider = type(auditor)(auditor.user_id, auditor.name, "auditor", division_code="220800")
        assert snapshots_of(session, wider, "220800").total == 3
        assert snapshots_of(session, wider, COUNTY, page=9).number == 1
        with pytest.raises(Forbidden):
            snapshots_of(session, auditor, "220800")
