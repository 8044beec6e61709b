"""Chains, anchors and their verification: whatever somebody with the database's own rights does is found and named."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from workflows.audit.anchors import make_anchor
from workflows.audit.model import Anchor, Event, Stream
from workflows.audit.record import record, stream
from workflows.audit.verify import (
    verify_anchors,
    verify_chain,
    verify_streams,
    verify_uncovered,
)
from workflows.base.calendar import CalendarDay
from workflows.base.clock import today
from workflows.base.parameters import Parameter

Clock = Callable[[timedelta], None]
BASIS = "通人社发〔2026〕1号（虚构依据，仅供演示）"


@pytest.fixture
def chain(session: Session, clock: Clock) -> Stream:
    """Three events in one chain: a parameter, a holiday, and the parameter again after a change."""
    found = stream(session, "trial")
    days = Parameter(process="trial", key="days", value=5, basis=BASIS, valid_from=date(2026, 1, 1))
    holiday = CalendarDay(day=date(2026, 10, 1), working=False, note="国庆节")
    session.add_all([days, holiday])
    record(session, found, "parameter-set", actor_id=1, covers=[days])
    record(session, found, "calendar-changed", actor_id=1, covers=[holiday])
    days.valid_to = date(2026, 12, 31)
    record(session, found, "parameter-ended", actor_id=1, covers=[days])
    session.flush()
    return found


def raw(session: Session, statement: str) -> None:
    """What somebody with the database's own rights does: triggers off, then SQL."""
    for table in ("events", "anchors"):
        if session.get_bind().dialect.name == "sqlite":
            for verb in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{verb}"))
        else:
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
    session.flush()
    changed = session.execute(text(statement))
    assert changed.rowcount, "the attack changed nothing"  # type: ignore[attr-defined]
    session.expunge_all()


def found_in_chain(session: Session) -> list[tuple[str, str]]:
    return [(one.where, one.message) for one in verify_chain(session, session.get_one(Stream, "trial"))]


def heads_of(session: Session) -> dict[str, tuple[int, str]]:
    return {row.name: (row.chain_seq, row.chain_head) for row in session.scalars(select(Stream))}


def seal(session: Session, asked: list[object] | None = None) -> Anchor | None:
    """Seal the day; ``asked`` is told for which chains the heads were asked."""

    def heads(names: Collection[str] | None) -> list[tuple[str, int, str]]:
        if asked is not None:
            asked.append(names)
        return [(name, *head) for name, head in heads_of(session).items() if names is None or name in names]

    return make_anchor(session, heads)


def found_in_anchors(session: Session) -> list[tuple[str, str]]:
    return [(one.where, one.message) for one in verify_anchors(session, heads_of(session).get)]


# Chains --------------------------------------------------------------------------------------------------------------


def test_an_untouched_chain_verifies_and_counts(session: Session, chain: Stream) -> None:
    assert list(verify_streams(session)) == []
    assert verify_uncovered(session) == []
    assert (chain.chain_seq, chain.chain_head) == (
        3,
        session.scalar(select(Event.hash).order_by(Event.seq.desc())),
    )


def test_a_later_event_joins_the_chain_where_it_ended(session: Session, chain: Stream) -> None:
    again = stream(session, "trial")
    assert again is chain
    fourth = record(session, again, "trial-ended", actor_id=None)
    assert (fourth.seq, fourth.previous, again.chain_head) == (
        4,
        session.scalar(select(Event.hash).where(Event.seq == 3)),
        fourth.hash,
    )
    session.flush()
    assert found_in_chain(session) == []


def test_an_untouched_chain_is_read_at_once(session: Session, chain: Stream) -> None:
    """Event by event is for a chain that somebody altered: a long one must not pay for it."""
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert found_in_chain(session) == []
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len([one for one in statements if "FROM events" in one]) == 1


def test_events_name_rows_and_hold_nothing_that_stands_in_them(session: Session, chain: Stream) -> None:
    for noted in session.scalars(select(Event)):
        assert BASIS not in str((noted.payload, noted.covers))
        assert [table for table, _, _ in noted.covers] in (["parameters"], ["calendar_days"])


SECOND, THIRD = "第 2 条记录", "第 3 条记录"
ALTERED = "内容与摘要不符：记录被改动。"
UNREADABLE = "内容无法读取：记录被改动。"
ATTACKS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "an event says something else": (
        "UPDATE events SET payload = '[9]' WHERE seq = 2",
        [(SECOND, ALTERED)],
    ),
    "an event is written over with what is no event": (
        "UPDATE events SET payload = 'gone' WHERE seq = 2",
        [(SECOND, UNREADABLE), (THIRD, "与上一条记录的摘要不相连。")],
    ),
    "an event names rows in a way that it never does": (
        "UPDATE events SET covers = '[1, 2]' WHERE seq = 2",
        [(SECOND, ALTERED)],
    ),
    "an event names a table that there is not": (
        'UPDATE events SET covers = \'[["nothing","1",""]]\' WHERE seq = 2',
        [(SECOND, ALTERED), ("nothing 1", "数据行与第 2 条记录的摘要不符：被改动。")],
    ),
    "an event in the middle goes": (
        "DELETE FROM events WHERE seq = 2",
        [(THIRD, "应为第 2 条：之前的记录被删除。"), (THIRD, "与上一条记录的摘要不相连。")],
    ),
    "the newest event goes": (
        "DELETE FROM events WHERE seq = 3",
        [
            ("链头", "登记为第 3 条，实际到第 2 条：最新的记录被删除或链头被改动。"),
            ("parameters 1", "数据行与第 1 条记录的摘要不符：被改动。"),
        ],
    ),
    "the head is set back": (
        "UPDATE streams SET chain_seq = 2 WHERE name = 'trial'",
        [("链头", "登记为第 2 条，实际到第 3 条：最新的记录被删除或链头被改动。")],
    ),
    "a row is altered": (
        "UPDATE parameters SET value = '9'",
        [("parameters 1", "数据行与第 3 条记录的摘要不符：被改动。")],
    ),
    "a row is written over with what cannot be read": (
        "UPDATE parameters SET value = 'nine'",
        [("parameters 1", "数据行与第 3 条记录的摘要不符：被改动。")],
    ),
    "a row known by its day goes": (
        "DELETE FROM calendar_days",
        [("calendar_days 2026-10-01", "登记过的数据行被删除。")],
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_was_altered_or_removed_is_named(session: Session, chain: Stream, attack: str) -> None:
    statement, expected = ATTACKS[attack]
    raw(session, statement)
    assert found_in_chain(session) == expected


def test_a_row_put_in_past_the_system_is_named(session: Session, chain: Stream) -> None:
    raw(session, "INSERT INTO calendar_days (day, working, note) VALUES ('2026-12-31', false, '元旦')")
    assert [(one.where, one.message) for one in verify_uncovered(session)] == [
        ("calendar_days 2026-12-31", "数据行没有任何记录：绕过系统插入。")
    ]


@pytest.mark.parametrize("covers", ["gone", "null", "[1]"])
def test_a_row_whose_event_no_longer_names_it_is_covered_by_nothing(
    session: Session, chain: Stream, covers: str
) -> None:
    raw(session, f"UPDATE events SET covers = '{covers}' WHERE seq = 2")
    assert [one.where for one in verify_uncovered(session)] == ["calendar_days 2026-10-01"]


# Anchors -------------------------------------------------------------------------------------------------------------


def test_an_anchor_seals_once_a_day_what_moved(session: Session, chain: Stream, clock: Clock) -> None:
    first = seal(session)
    assert first is not None
    assert (first.day, first.previous) == (today(), "")
    assert first.heads == [["trial", 3, chain.chain_head]]
    assert seal(session) is None
    clock(timedelta(days=1))
    record(session, stream(session, "second"), "second-began", actor_id=None)
    stream(session, "without events")
    session.flush()
    second = seal(session)
    assert second is not None
    assert [name for name, _, _ in second.heads] == ["second"]
    assert second.previous == first.hash
    assert found_in_anchors(session) == []


def test_a_day_asks_for_what_happened_on_it_and_a_month_for_everything(
    session: Session, chain: Stream, clock: Clock
) -> None:
    asked: list[object] = []
    seal(session, asked)
    clock(timedelta(days=10))
    seal(session, asked)  # nothing happened
    record(session, stream(session, "second"), "second-began", actor_id=None)
    clock(timedelta(days=1))
    record(session, stream(session, "third"), "third-began", actor_id=None)
    found = seal(session, asked)
    assert asked == [None, {"trial"}, {"second", "third"}]
    assert found is not None
    assert [name for name, _, _ in found.heads] == ["second", "third"]
    # a clock set back by more than the margin hides an event until the month is over
    clock(timedelta(days=-6))
    record(session, stream(session, "hidden"), "hidden-began", actor_id=None)
    clock(timedelta(days=7))
    hidden = seal(session, asked)
    assert hidden is not None
    assert hidden.heads == []
    clock(timedelta(days=25))
    whole = seal(session, asked)
    assert whole is not None
    assert [name for name, _, _ in whole.heads] == ["hidden"]
    assert asked[-1] is None
    assert found_in_anchors(session) == []


def test_what_was_sealed_cannot_be_rewritten_with_its_head(session: Session, chain: Stream) -> None:
    seal(session)
    raw(session, "DELETE FROM events WHERE seq = 3")
    raw(
        session,
        "UPDATE streams SET chain_seq = 2,"
        " chain_head = (SELECT hash FROM events WHERE stream = 'trial' AND seq = 2) WHERE name = 'trial'",
    )
    assert found_in_anchors(session) == [(THIRD, "与封存的锚点不符：记录被删除或重写。")]


def test_a_chain_that_was_sealed_cannot_be_removed_whole(session: Session, chain: Stream) -> None:
    seal(session)
    raw(session, "DELETE FROM events")
    raw(session, "DELETE FROM streams")
    assert found_in_anchors(session) == [("整条链", "已封存的链不存在：整件被删除。")]


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        ("UPDATE anchors SET heads = '[]' WHERE id = 1", ["锚点 2026-03-02"]),
        ("UPDATE anchors SET heads = 'gone' WHERE id = 1", ["第 1 个锚点", "锚点 2026-03-03"]),
        ("UPDATE anchors SET heads = '[1]' WHERE id = 1", ["锚点 2026-03-02"]),
        ("DELETE FROM anchors WHERE id = 1", ["锚点 2026-03-03"]),
    ],
)
def test_an_anchor_that_was_altered_or_removed_is_named(
    session: Session, chain: Stream, clock: Clock, attack: str, expected: list[str]
) -> None:
    seal(session)
    clock(timedelta(days=1))
    seal(session)
    raw(session, attack)
    assert [where for where, _ in found_in_anchors(session)] == expected
