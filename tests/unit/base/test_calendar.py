"""Working days over holidays, weekends worked in exchange, year ends and years not yet published."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.base.calendar import WorkingCalendar, is_confirmed

PLAIN = WorkingCalendar({})
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 3, 2), True),
        (date(2026, 3, 7), False),
        (date(2026, 1, 1), False),
        (date(2026, 2, 14), True),  # a Saturday worked for the Spring Festival
        (date(2026, 2, 23), False),
        (date(2026, 10, 10), True),
    ],
)
def test_the_published_calendar(day: date, working: bool) -> None:
    assert PLAIN.is_working(day) is working


def test_a_year_not_yet_published_has_plain_weeks_and_says_so() -> None:
    assert is_confirmed(2026)
    assert not is_confirmed(2031)
    assert PLAIN.is_working(date(2031, 10, 1)), "a Wednesday: nobody has said yet that it is off"
    assert not PLAIN.is_working(date(2031, 10, 4))


def test_the_table_overrules_the_published_calendar() -> None:
    changed = WorkingCalendar({date(2026, 3, 2): False, date(2026, 3, 7): True})
    assert not changed.is_working(date(2026, 3, 2))
    assert changed.is_working(date(2026, 3, 7))
    assert changed.add(date(2026, 2, 27), 1, "working") == date(2026, 2, 28)
    assert changed.add(date(2026, 2, 28), 1, "working") == date(2026, 3, 3)


@pytest.mark.parametrize(
    ("start", "days", "unit", "end"),
    [
        (date(2026, 3, 2), 5, "working", date(2026, 3, 9)),
        (date(2026, 2, 13), 5, "working", date(2026, 2, 27)),  # over the Spring Festival
        (date(2026, 9, 30), 5, "working", date(2026, 10, 13)),  # over the National Day
        (date(2026, 12, 30), 5, "working", date(2027, 1, 6)),  # over the year's end
        (date(2026, 3, 2), 10, "calendar", date(2026, 3, 12)),
        (date(2026, 9, 25), 10, "calendar", date(2026, 10, 8)),  # ends in the holiday: rolls forward
        (date(2026, 3, 2), 0, "working", date(2026, 3, 2)),
        (date(2026, 3, 7), 0, "working", date(2026, 3, 9)),
    ],
)
def test_periods(start: date, days: int, unit: str, end: date) -> None:
    assert PLAIN.add(start, days, unit) == end


def test_a_deadline_is_the_end_of_its_last_day_in_shanghai() -> None:
    late = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    assert PLAIN.deadline(late, 5, "working") == datetime(2026, 3, 9, 16, tzinfo=UTC)
    after_midnight = datetime(2026, 3, 2, 16, 1, tzinfo=UTC)
    assert PLAIN.deadline(after_midnight, 5, "working") == datetime(2026, 3, 10, 16, tzinfo=UTC)


@given(DAYS, st.integers(1, 40))
def test_a_period_in_working_days_has_that_many_and_ends_on_one(start: date, days: int) -> None:
    end = PLAIN.add(start, days, "working")
    assert PLAIN.is_working(end)
    assert PLAIN.between(start, end) == days
    assert PLAIN.between(end, start) == -days


@given(DAYS, st.integers(0, 40))
def test_a_period_in_calendar_days_is_never_shorter(start: date, days: int) -> None:
    end = PLAIN.add(start, days, "calendar")
    assert (end - start).days >= days
    assert PLAIN.is_working(end)
