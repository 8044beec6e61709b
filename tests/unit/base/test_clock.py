"""The one clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from workflows.base import clock

NIGHT = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)  # 00:30 of the next day in Shanghai


def test_today_is_shanghais_day() -> None:
    with clock.frozen(NIGHT):
        assert clock.now() == NIGHT
        assert clock.today() == date(2026, 3, 2)


def test_a_frozen_clock_moves_only_when_moved_and_gives_way_again() -> None:
    with clock.frozen(NIGHT) as move:
        move(timedelta(days=2))
        assert clock.today() == date(2026, 3, 4)
        with clock.frozen(NIGHT):
            assert clock.today() == date(2026, 3, 2)
        assert clock.today() == date(2026, 3, 4)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=10)


def test_a_day_begins_at_midnight_in_shanghai() -> None:
    assert clock.midnight(date(2026, 3, 2)) == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert clock.local(NIGHT).isoformat() == "2026-03-02T00:30:00+08:00"


def test_a_file_moves_the_clock_of_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offset = tmp_path / "clock"
    monkeypatch.setenv("WENGANG_CLOCK_FILE", str(offset))
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=10), "no file yet: the system's time"
    offset.write_text("86400")
    assert timedelta(hours=23) < clock.now() - datetime.now(UTC) < timedelta(hours=25)
    offset.write_text("")
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=10)
