"""The base room on both databases: transactions, stored files, parameters, the outbox, the calendar's table."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.factories import PDF
from workflows.base import outbox
from workflows.base.calendar import CalendarDay, WorkingCalendar
from workflows.base.clock import now
from workflows.base.errors import Invalid, NotFound
from workflows.base.files import MAX_BYTES, FileStore, StoredFile
from workflows.base.heartbeat import Heartbeat, beat, lives
from workflows.base.outbox import MAX_ATTEMPTS, OutboxRow, drain, put
from workflows.base.parameters import Parameter, Value, in_force
from workflows.base.session import Database, configure_engine, transaction


def _days(database: Database) -> list[date]:
    with database.reading() as session:
        return list(session.scalars(select(CalendarDay.day).order_by(CalendarDay.day)))


def _day(number: int) -> CalendarDay:
    return CalendarDay(day=date(2026, 3, number), working=False, note="test")


# Transactions --------------------------------------------------------------------------------------------------------


def test_an_action_commits_once_at_its_end(database: Database) -> None:
    with database.transaction() as session:
        session.add(_day(1))
        session.flush()
        assert _days(database) == []
    assert _days(database) == [date(2026, 3, 1)]


def test_an_error_takes_everything_back(database: Database) -> None:
    def fail_half_way() -> None:
        with database.transaction() as session:
            session.add(_day(1))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    assert _days(database) == []


def test_what_was_read_before_is_read_again_under_the_lock(database: Database) -> None:
    with database.transaction() as session:
        session.add(_day(1))
    with database.sessions() as session:
        seen = session.get_one(CalendarDay, date(2026, 3, 1))
        assert seen.note == "test"
        with database.transaction() as other:
            other.get_one(CalendarDay, date(2026, 3, 1)).note = "changed"
        with transaction(session):
            assert session.get_one(CalendarDay, date(2026, 3, 1)).note == "changed"


def test_reading_leaves_nothing_behind(database: Database) -> None:
    with database.reading() as session:
        session.add(_day(1))
        session.flush()
    assert _days(database) == []


def test_a_session_on_a_bare_connection_is_refused(database: Database) -> None:
    with database.engine.connect() as connection, Session(connection) as session:
        with pytest.raises(TypeError, match="engine"), transaction(session):
            pass
        session.rollback()


def test_writers_take_turns_and_lose_nothing(database: Database) -> None:
    """Read, think, write: without the writer's lock on SQLite one of these would fail at once or overwrite."""
    with database.transaction() as session:
        session.add(Parameter(process="p", key="n", value=0, basis="-", valid_from=date(2026, 1, 1)))

    def add_ten() -> None:
        for _ in range(10):
            with database.transaction() as session:
                row = session.scalars(select(Parameter).with_for_update()).one()
                row.value = row.value + 1

    threads = [threading.Thread(target=add_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.scalars(select(Parameter.value)).one() == 40


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    with database.transaction() as session:
        session.add(_day(1))
        session.flush()
        started = time.monotonic()
        assert _days(database) == []
        assert time.monotonic() - started < 5


def test_an_engine_is_configured_once_and_foreign_keys_hold(sqlite_database: Database) -> None:
    assert configure_engine(sqlite_database.engine) is sqlite_database.engine
    with sqlite_database.reading() as session:
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"


def test_a_database_in_memory_needs_no_writers_lock() -> None:
    database = Database("sqlite:///:memory:")
    try:
        with database.transaction() as session:
            assert session.scalar(text("SELECT 1")) == 1
    finally:
        database.close()


# Stored files --------------------------------------------------------------------------------------------------------


def test_a_file_is_kept_encrypted_under_a_random_name(session: Session, store: FileStore) -> None:
    row = store.attach(session, PDF, "../授权书.pdf", by=7)
    assert (row.name, row.size, row.stored_by) == ("授权书.pdf", len(PDF), 7)
    assert store.read(row) == PDF
    (path,) = store.root.glob("??/*")
    assert "授权书" not in path.name
    assert b"%PDF" not in path.read_bytes()


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "空的"), (b"MZ program", "只接受"), (PDF + b"x" * MAX_BYTES, "超过 20 兆")],
)
def test_what_may_not_be_attached(session: Session, store: FileStore, content: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        store.attach(session, content, "材料.pdf", by=None)
    assert list(store.root.glob("??/*")) == []


def test_a_lost_or_altered_file_is_told(session: Session, store: FileStore) -> None:
    row = store.attach(session, PDF, "a.pdf", by=None)
    row.sha256 = "0" * 64
    with pytest.raises(Invalid, match="不一致"):
        store.read(row)
    next(store.root.glob("??/*")).unlink()
    with pytest.raises(NotFound, match="备份"):
        store.read(row)


def test_what_a_crash_left_is_found_after_a_day_and_nothing_else(
    database: Database, store: FileStore
) -> None:
    with database.transaction() as session:
        kept = store.attach(session, PDF, "kept.pdf", by=None).token

    def crash() -> None:
        with database.transaction() as session:
            store.attach(session, PDF, "orphan.pdf", by=None)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        crash()
    with database.reading() as session:
        assert session.scalars(select(StoredFile.token)).all() == [kept]
        assert store.orphans(session) == [], "the orphan is too young: its row may be about to commit"
        for path in store.root.glob("??/*"):
            os.utime(path, (0, 0))
        (orphan,) = store.orphans(session)
        assert orphan.name != kept


# Parameters ----------------------------------------------------------------------------------------------------------

DEFAULTS = {"days": Value(5, "process"), "people": Value(3, "notice")}


def _set(session: Session, value: int, division: str, start: date, end: date | None = None) -> None:
    session.add(
        Parameter(
            process="p",
            key="days",
            division_code=division,
            value=value,
            basis=f"{division} {value}",
            valid_from=start,
            valid_to=end,
        )
    )
    session.flush()


def test_the_nearest_setting_in_force_wins_and_the_past_stays(session: Session) -> None:
    _set(session, 6, "220000", date(2026, 1, 1))
    _set(session, 7, "220822", date(2026, 2, 1), date(2026, 2, 28))
    _set(session, 8, "220822", date(2026, 2, 1), date(2026, 2, 28))
    _set(session, 99, "220881", date(2020, 1, 1))
    _set(session, 4, "220000", date(2024, 1, 1))
    chain = ["220822901", "220822", "220800", "220000"]

    def days(day: date) -> tuple[Any, str]:
        found = in_force(session, "p", chain, day, DEFAULTS)
        assert found["people"] == DEFAULTS["people"]
        return found["days"].value, found["days"].division_code

    assert days(date(2023, 12, 31)) == (5, "")
    assert days(date(2025, 12, 31)) == (4, "220000")
    assert days(date(2026, 1, 1)) == (6, "220000")
    assert days(date(2026, 2, 10)) == (8, "220822"), "of two for one day the later entry"
    assert days(date(2026, 3, 1)) == (6, "220000")
    assert in_force(session, "other", chain, date(2026, 2, 10), DEFAULTS) == DEFAULTS


def test_the_calendar_reads_its_table(session: Session) -> None:
    session.add(_day(2))
    session.flush()
    calendar = WorkingCalendar.read(session)
    assert not calendar.is_working(date(2026, 3, 2))
    assert calendar.is_working(date(2026, 3, 3))


# Outbox --------------------------------------------------------------------------------------------------------------


def _rows(database: Database) -> list[OutboxRow]:
    with database.reading() as session:
        rows = list(session.scalars(select(OutboxRow).order_by(OutboxRow.id)))
        session.expunge_all()
    return rows


def test_a_row_is_done_once(database: Database, clock: Callable[[timedelta], None]) -> None:
    done: list[Any] = []
    handlers = {"mail": lambda database, payload: done.append(payload)}
    with database.transaction() as session:
        put(session, "mail", "1", {"user": 7})
    assert drain(database, handlers) == 1
    assert drain(database, handlers) == 0
    assert done == [{"key": "1", "user": 7}]
    (row,) = _rows(database)
    assert row.key == "mail:1"
    assert row.done_at == now()


def test_a_failing_row_keeps_its_reason_backs_off_and_is_given_up(
    database: Database, clock: Callable[[timedelta], None], caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []

    def fail(database: Database, payload: dict[str, Any]) -> None:
        tries.append(1)
        raise OSError("post office closed")

    with database.transaction() as session:
        put(session, "mail", "1", {})
    assert drain(database, {"mail": fail}) == 0
    assert drain(database, {"mail": fail}) == 0, "it waits before it is tried again"
    assert len(tries) == 1
    (row,) = _rows(database)
    assert row.last_error == "OSError"  # its words may quote what somebody typed
    assert row.due_at == now() + timedelta(seconds=10)
    for _ in range(30):
        clock(timedelta(hours=1))
        drain(database, {"mail": fail})
    assert len(tries) == MAX_ATTEMPTS
    assert "outbox row" in caplog.text


def test_after_a_failure_comes_success(database: Database, clock: Callable[[timedelta], None]) -> None:
    with database.transaction() as session:
        put(session, "mail", "1", {})
    assert drain(database, {}) == 0, "no handler of that kind yet"
    clock(timedelta(minutes=1))
    assert drain(database, {"mail": lambda database, payload: None}) == 1
    (row,) = _rows(database)
    assert row.last_error is None


def test_two_workers_do_a_row_once(database: Database, clock: Callable[[timedelta], None]) -> None:
    """A second worker drains while the first is at the row; then it comes with a list it read before the row was done."""
    done: list[str] = []

    def second(database: Database, payload: dict[str, Any]) -> None:
        done.append("second")

    def first(database: Database, payload: dict[str, Any]) -> None:
        done.append("first")
        assert drain(database, {"mail": second}) == 0

    with database.transaction() as session:
        put(session, "mail", "1", {})
    (row,) = _rows(database)
    assert drain(database, {"mail": first}) == 1
    assert not outbox._attempt(database, {"mail": second}, row.id)
    assert done == ["first"]


# Heartbeats ----------------------------------------------------------------------------------------------------------


def test_signs_of_life_grow_old(session: Session) -> None:
    assert not lives(session, "worker")
    beat(session, "worker")
    session.flush()
    assert lives(session, "worker")
    session.get_one(Heartbeat, "worker").at -= timedelta(minutes=5)
    assert not lives(session, "worker")
    beat(session, "worker")
    assert lives(session, "worker")
