"""What is hashed: one text for one value, whatever the order and the time zone it came in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from workflows.audit.digest import canonical, row_digest, row_key
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
