"""Working days: the national calendar as published, behind a table that the county may edit.

``chinese_calendar`` knows the days off that the State Council has announced; for a year it does not know, and for
local changes, the table speaks; failing both, Monday to Friday are working days and the caller can learn that the year
is unconfirmed.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

import chinese_calendar
from sqlalchemy import Boolean, Date, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from workflows.base.clock import SHANGHAI, midnight
from workflows.base.model import Base


class CalendarDay(Base):
    """One day that differs from (or confirms) the published calendar."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    working: Mapped[bool] = mapped_column(Boolean)
    note: Mapped[str] = mapped_column(String(200))

    __audited__ = ("day", "working", "note")


_days = CalendarDay.__table__.c
_CHANGES = select(_days.day, _days.working)


@lru_cache(maxsize=4096)
def _published(day: date) -> bool | None:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


def is_confirmed(year: int) -> bool:
    """Whether the State Council's calendar of that year is known here."""
    return _published(date(year, 1, 1)) is not None


class WorkingCalendar:
    """Counts working days with the table's changes read once.

    :param changes: day → working or not.
    """

    def __init__(self, changes: dict[date, bool]) -> None:
        self._changes = changes

    @classmethod
    def read(cls, session: Session) -> WorkingCalendar:
        return cls({row.day: row.working for row in session.execute(_CHANGES)})

    def is_working(self, day: date) -> bool:
        if day in self._changes:
            return self._changes[day]
        published = _published(day)
        return day.weekday() < 5 if published is None else published

    def add(self, day: date, days: int, unit: str) -> date:
        """The last day of a period of ``days`` that starts after ``day``.

        The first day is not counted (民法典 art. 201); a period in calendar days that ends on a day off rolls forward to
        the next working day (art. 203).

        :param unit: ``working`` or ``calendar``.
        """
        if unit == "calendar":
            end = day + timedelta(days=days)
        else:
            end = day
            left = days
            while left > 0:
                end += timedelta(days=1)
                left -= self.is_working(end)
            if days > 0:
                return end
        while not self.is_working(end):
            end += timedelta(days=1)
        return end

    def deadline(self, start: datetime, days: int, unit: str) -> datetime:
        """The instant a period ends: 24:00 (Asia/Shanghai) of its last day, in UTC."""
        return midnight(self.add(start.astimezone(SHANGHAI).date(), days, unit) + timedelta(days=1))

    def between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and including ``end``; negative when ``end`` is earlier."""
        if end < start:
            return -self.between(end, start)
        return sum(self.is_working(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))
