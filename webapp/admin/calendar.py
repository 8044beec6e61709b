"""The working calendar: what the State Council announced, and what the county changed."""

from __future__ import annotations

from datetime import date, timedelta

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.model import Field
from webapp.access import actor, allow
from webapp.admin.blueprint import act, bp, show
from webapp.database import reading
from webapp.questions import Answers, as_day, options, read_answers
from workflows.base.calendar import CalendarDay, WorkingCalendar, is_confirmed
from workflows.base.clock import today
from workflows.organisations.settings import set_calendar_day

WEEKDAYS = "一二三四五六日"
_FIELDS = (
    Field(key="day", label="日期", type="date", required=True),
    Field(
        key="working",
        label="这一天",
        type="choice",
        required=True,
        options=options({"no": "不上班（放假）", "yes": "上班（调休）"}),
    ),
    Field(key="note", label="依据", required=True, max_length=200, hint="例如放假通知的名称和文号。"),
)


@bp.route("/calendar", methods=["GET", "POST"])
@allow("admin")
def calendar() -> ResponseReturnValue:
    """A year's days off and made-up working days; a day is changed below."""
    answers = Answers()
    year = request.args.get("year", today().year, type=int)
    year = min(max(year, 2020), today().year + 3)
    if request.method == "POST":
        answers = read_answers(_FIELDS)
        given = answers.values
        chosen = as_day(given["day"]) or today()

        def set_day(session: Session) -> str:
            set_calendar_day(
                session, actor(session), day=chosen, working=given["working"] == "yes", note=given["note"]
            )
            return "工作日历已保存。已经确定的办理期限不变，新产生的期限按新日历计算。"

        target = url_for("admin.calendar", year=chosen.year)
        if done := act(answers, set_day, target):
            return done
    return show(
        "calendar",
        answers,
        year=year,
        years=range(today().year - 1, today().year + 3),
        confirmed=is_confirmed(year),
        rows=_unusual(reading(), year),
        fields=_FIELDS,
    )


def _unusual(session: Session, year: int) -> list[dict[str, object]]:
    """The days of a year that differ from Monday to Friday, and those set here."""
    changes = {
        row.day: row
        for row in session.scalars(
            select(CalendarDay).where(CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31)))
        )
    }
    known = WorkingCalendar({day: row.working for day, row in changes.items()})
    rows: list[dict[str, object]] = []
    day = date(year, 1, 1)
    while day.year == year:
        working = known.is_working(day)
        if day in changes or working != (day.weekday() < 5):
            rows.append(
                {
                    "day": day,
                    "weekday": f"星期{WEEKDAYS[day.weekday()]}",
                    "working": working,
                    "source": changes[day].note if day in changes else "国务院办公厅放假安排",
                    "ours": day in changes,
                }
            )
        day += timedelta(days=1)
    return rows
