"""A day's attendance on a phone, and the month's sheet made of what the site noted."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import openpyxl
import pytest
from sqlalchemy import select

from tests.conftest import TEST_KEYRING
from tests.web import wage_cases
from tests.web.client import Browser
from tests.web.conftest import OfficerPlace
from tests.web.officer_cases import Filled
from workflows.base import clock
from workflows.base.session import Database
from workflows.cases.model import Case, WorkItem
from workflows.cases.roster_model import Roster, RosterRow
from workflows.registers.project_model import AttendanceMark, Project, ProjectWorker

Enter = Callable[[str], Browser]
CLERK = "qiye5"


@pytest.fixture(scope="module")
def _officer_place(tmp_path_factory: pytest.TempPathFactory) -> OfficerPlace:
    folder = tmp_path_factory.mktemp("attendance")
    TEST_KEYRING.save(folder / "keys.json")
    return OfficerPlace(folder, template="attendance", fill=wage_cases.fill)


@pytest.fixture
def move(cases: Filled) -> Iterator[Callable[[timedelta], None]]:
    with clock.frozen(wage_cases.OPENED) as moved:
        yield moved


@pytest.fixture
def path(officer_database: Database, cases: Filled) -> str:
    with officer_database.reading() as session:
        return f"/employer/projects/{session.scalars(select(Project.id)).one()}/attendance"


def workers(database: Database) -> list[ProjectWorker]:
    with database.reading() as session:
        return list(session.scalars(select(ProjectWorker).order_by(ProjectWorker.id)))


def marks(database: Database) -> dict[tuple[int, date], int]:
    with database.reading() as session:
        return {(one.person_id, one.day): one.hundredths for one in session.scalars(select(AttendanceMark))}


def test_a_day_is_tapped_kept_and_put_right(enter: Enter, officer_database: Database, path: str) -> None:
    browser, own = enter(CLERK), workers(officer_database)
    assert "记今天的考勤：向前河堤防修复以工代赈工程（虚构）" in browser.get("/employer").links()
    page = browser.get(path)
    assert "2026年5月20日 考勤" in page.title
    assert "在册 5 人，本页已记 0 人" in page.main
    hours = next(one for one in own if one.pay_mode == "hour")
    sent = {f"worked-{one.person_id}": "100" for one in own if one.pay_mode != "hour"}
    sent[f"worked-{hours.person_id}"] = "７.5小时"
    wrong = browser.refused(f"{path}?day=2026-05-19", sent)
    assert f"{hours.name}：请填 0 至 24 之间的小时数，例如 7.5。" in wrong.main
    assert wrong.one("input", id=f"f-worked-{hours.person_id}").get("value") == "７.5小时"
    assert marks(officer_database) == {}
    sent[f"worked-{hours.person_id}"] = "７.5"
    saved = browser.submit(f"{path}?day=2026-05-19", sent)
    assert "已记 5 人。" in saved.main
    found = marks(officer_database)
    assert set(found.values()) == {100, 750}
    assert {day for _, day in found} == {date(2026, 5, 19)}
    browser.submit(f"{path}?day=2026-05-19", {f"worked-{own[0].person_id}": "50"})
    assert marks(officer_database)[own[0].person_id, date(2026, 5, 19)] == 50
    assert len(marks(officer_database)) == 5
    assert (
        browser.get(f"{path}?day=2026-05-19")
        .one("input", id=f"f-worked-{own[0].person_id}-50")
        .get("checked")
        is not None
    )


@pytest.mark.parametrize(
    ("day", "shown"),
    [("2026-05-21", "2026年5月20日"), ("1999-01-01", "2026年1月20日"), ("x", "2026年5月20日")],
)
def test_days_to_come_and_outside_the_project_are_not_asked(
    enter: Enter, path: str, day: str, shown: str
) -> None:
    assert shown in enter(CLERK).get(f"{path}?day={day}").title


def test_other_units_have_no_attendance_here(enter: Enter, path: str) -> None:
    for who in ("qiye6", "shuili.clerk", "shenji"):
        assert enter(who).client.get(path).status_code in (403, 404)
    enter(CLERK).get("/employer/projects/999/attendance", 404)


def test_nobody_is_noted_who_is_not_registered_or_on_a_closed_project(
    enter: Enter, officer_database: Database, path: str
) -> None:
    own = workers(officer_database)
    browser = enter(CLERK)
    browser.get(path)
    browser.submit(path, {"worked-999999": "100"})
    assert marks(officer_database) == {}
    with officer_database.transaction() as session:
        session.scalars(select(Project)).one().status = "closed"
    assert (
        "项目已经办结，不能再记考勤。"
        in browser.refused(path, {f"worked-{own[0].person_id}": "100"}, 409).main
    )


def correction(browser: Browser, database: Database, cases: Filled) -> int:
    """The payroll goes back to its sheet; the open step."""
    with database.reading() as session:
        item = session.scalars(
            select(WorkItem).where(WorkItem.case_id == cases.cases["asked"], WorkItem.closed_at.is_(None))
        ).one()
    address = f"/employer/steps/{item.id}/review"
    page = browser.get(address)
    browser.submit(address, {**page.form("step-confirmation"), "outcome": "correct"})
    with database.reading() as session:
        return session.scalars(
            select(WorkItem.id).where(WorkItem.case_id == cases.cases["asked"], WorkItem.step == "correction")
        ).one()


def test_the_sheet_comes_filled_in_and_can_be_taken_as_it_is(
    enter: Enter, officer_database: Database, cases: Filled, path: str
) -> None:
    browser, own = enter(CLERK), workers(officer_database)
    for day in (1, 2, 30):
        browser.get(path)
        browser.submit(
            f"{path}?day=2026-04-{day:02d}",
            {f"worked-{one.person_id}": "7" if one.pay_mode == "hour" else "100" for one in own},
        )
    item = correction(browser, officer_database, cases)
    sheet = f"/employer/steps/{item}/roster"
    page = browser.get(sheet)
    assert "用登记的人员和考勤填表" in page.main
    book = openpyxl.load_workbook(io.BytesIO(browser.fetch(f"{sheet}/noted").data))
    rows = list(book.worksheets[0].values)
    headings = [str(text).rstrip("*") for text in rows[2]]
    first = dict(zip(headings, rows[3], strict=True))
    assert (first["姓名"], first["计酬方式"], first["单价"]) == (own[0].name, "按日", "180.00")
    assert [first[f"{day}日"] for day in (1, 2, 3, 30)] == ["1", "1", None, "1"]
    assert len([row for row in rows[3:] if row[1]]) == 5
    browser.get(sheet)
    browser.submit(f"{sheet}/noted", {})
    wage_cases.worker(officer_database)
    with officer_database.reading() as session:
        roster = session.scalars(
            select(Roster).where(Roster.case_id == cases.cases["asked"], Roster.status == "current")
        ).one()
        assert (roster.total, roster.bad) == (5, 0)
        values = [
            row.values for row in session.scalars(select(RosterRow).where(RosterRow.roster_id == roster.id))
        ]
    assert sorted(
        sum(value for key, value in one.items() if key.startswith("day_") and value) for one in values
    ) == [
        300,
        300,
        300,
        300,
        2100,
    ]


def test_without_a_month_the_sheet_says_what_is_missing(
    enter: Enter, officer_database: Database, cases: Filled, path: str
) -> None:
    browser = enter(CLERK)
    with officer_database.reading() as session:
        case = session.get_one(Case, cases.cases["asked"])
        start = (
            f"/employer/start/work_relief_payroll/month?employer={case.employer_id}&project={case.project_id}"
        )
    browser.get(start)
    browser.submit(start, {})
    with officer_database.reading() as session:
        item = session.scalars(
            select(WorkItem.id).where(WorkItem.step == "payroll", WorkItem.closed_at.is_(None))
        ).one()
    page = browser.follow(browser.client.get(f"/employer/steps/{item}/roster/noted"))
    assert "请先在“月份”里选定是哪个月的工资" in page.main
