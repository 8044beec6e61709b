"""What is hashed: one text for one value, whatever the order and the time zone it came in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from workflows.audit.digest import canonical, fits, row_digest, row_key
from workflows.base.calendar import CalendarDay
from workflows.base.clock import SHANGHAI


def test_one_value_has_one_text() -> None:
    assert canonical({"b": 1, "a": "王㛃"}) == canonical({"a": "王㛃", "b": 1}) == '{"a":"王㛃","b":1}'
    nine_in_shanghai = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)
    assert canonical(nine_in_shanghai) == canonical(nine_in_shanghai.astimezone(UTC))
    assert canonical([date(2026, 3, 2), Decimal("4000.00")]) == '["2026-03-02","4000.00"]'


def test_a_value_without_a_text_of_its_own_is_refused() -> None:
    """Its text would depend on the machine, and the chain would not verify on another."""
    with pytest.raises(TypeError, match="not auditable: set"):
        canonical({"offices": {"hrss", "rural"}})


def test_a_digest_covers_the_audited_columns_and_hides_them_behind_its_salt() -> None:
    holiday = CalendarDay(day=date(2026, 10, 1), working=False, note="国庆节")
    same = CalendarDay(day=date(2026, 10, 1), working=False, note="国庆节")
    other = CalendarDay(day=date(2026, 10, 1), working=True, note="国庆节")
    assert row_key(holiday) == ("calendar_days", "2026-10-01")
    assert row_digest(holiday, "salt") == row_digest(same, "salt")
    assert row_digest(holiday, "salt") != row_digest(other, "salt")
    assert row_digest(holiday, "salt") != row_digest(holiday, "another salt")


def test_an_event_of_an_earlier_release_verifies_over_the_columns_of_its_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    holiday = CalendarDay(day=date(2026, 10, 1), working=False, note="国庆节")
    monkeypatch.setattr(CalendarDay, "__audited__", ("day", "working"))
    old = row_digest(holiday, "salt")
    monkeypatch.setattr(CalendarDay, "__audited_before__", (("day", "working"),), raising=False)
    monkeypatch.setattr(CalendarDay, "__audited__", ("day", "working", "note"))
    new = row_digest(holiday, "salt")
    assert (old[:2], new[:2]) == ("1:", "2:")
    holiday.note = "调休"
    assert fits(holiday, "salt", old)
    assert not fits(holiday, "salt", new)
    holiday.working = True
    assert not fits(holiday, "salt", old)


@pytest.mark.parametrize("noted", ["0:" + "0" * 64, "3:" + "0" * 64])
def test_a_list_of_columns_that_never_was_fits_nothing(noted: str) -> None:
    assert not fits(CalendarDay(day=date(2026, 10, 1), working=False, note=""), "salt", noted)
