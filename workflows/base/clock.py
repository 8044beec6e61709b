"""The one clock. "Now" and "today" come from here, so that tests and demonstrations can set them.

Sources: ``set_clock``/``frozen`` in a process; across processes the file named by ``WENGANG_CLOCK_FILE``,
which holds an offset in seconds to the system's clock (browser tests move it forward; never set in production).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_source: Callable[[], datetime] | None = None


def _system() -> datetime:
    instant = datetime.now(UTC)
    path = os.environ.get("WENGANG_CLOCK_FILE")
    if path:
        try:
            return instant + timedelta(seconds=float(Path(path).read_text() or 0))
        except FileNotFoundError:
            return instant
    return instant


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return (_source or _system)().astimezone(UTC)


def today() -> date:
    """The present day in Asia/Shanghai: the only "today" that rules and deadlines know."""
    return now().astimezone(SHANGHAI).date()


def local(instant: datetime) -> datetime:
    """An aware instant as Asia/Shanghai shows it."""
    return instant.astimezone(SHANGHAI)


def midnight(day: date) -> datetime:
    """The instant at which ``day`` begins in Asia/Shanghai, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def set_clock(source: Callable[[], datetime] | None) -> None:
    """Replace the source of time; ``None`` goes back to the system's.

    :param source: returns an aware datetime.
    """
    global _source
    _source = source


@contextmanager
def frozen(instant: datetime) -> Iterator[Callable[[timedelta], None]]:
    """Stand still at ``instant`` (aware); yields a function that moves the hands by a timedelta."""
    hands = [instant.astimezone(UTC)]
    before = _source

    def move(by: timedelta) -> None:
        hands[0] += by

    set_clock(lambda: hands[0])
    try:
        yield move
    finally:
        set_clock(before)
