"""Administration: what an administrator sets is in force, recorded, and kept to the own division."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.web.client import Browser
from tests.web.world import COUNTY, PASSWORD, TOWNSHIP, World
from webapp import health
from webapp.admin.jobs import why
from workflows.audit.model import Event
from workflows.audit.verify import verify_streams
from workflows.base.calendar import CalendarDay
from workflows.base.clock import now, today
from workflows.base.heartbeat import beat
from workflows.base.outbox import MAX_ATTEMPTS, OutboxRow, put, reason
from workflows.base.session import Database
from workflows.documents.errors import DocumentError
from workflows.organisations.actors import posts_of
from workflows.organisations.model import Assignment, Department, User

SignIn = Callable[[str], Browser]


@pytest.fixture
def admin(sign_in: SignIn) -> Browser:
    return sign_in("guan")


def kinds_of_events(database: Database) -> set[str]:
    with database.reading() as session:
        assert not list(verify_streams(session))
        return set(session.scalars(select(Event.kind)))


# Offices -------------------------------------------------------------------------------------------------------------


def test_the_home_of_an_administrator_lists_the_offices(admin: Browser) -> None:
    page = admin.follow(admin.fetch("/"))
    assert page.title == "单位"
    assert "通榆县财政局" in page.main
    assert "洮南市人力资源和社会保障局" not in page.main


def test_an_office_is_added_and_renamed(admin: Browser, web_database: Database) -> None:
    admin.get("/admin/offices/new")
    page = admin.submit(
        "/admin/offices/new",
        {
            "division_code": COUNTY,
            "kind": "ndrc",
            "name": "通榆县发展和改革局",
            "phone": "0436-1",
            "address": "",
        },
    )
    assert "已添加通榆县发展和改革局" in page.text
    assert "无人在岗" in page.main
    with web_database.reading() as session:
        number = session.scalars(select(Department.id).where(Department.kind == "ndrc")).one()
    page = admin.get(f"/admin/offices/{number}/edit")
    assert page.one("input", name="name").get("value") == "通榆县发展和改革局"
    page = admin.submit(
        f"/admin/offices/{number}/edit", {"name": "通榆县发展改革和工业信息化局", "phone": "", "address": ""}
    )
    assert page.title == "通榆县发展改革和工业信息化局"
    assert {"department-added", "department-updated"} <= kinds_of_events(web_database)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "hrss"}, "kind"),
        ({"kind": "township"}, "division_code"),
        ({"division_code": "220881"}, "division_code"),
        ({"name": ""}, "name"),
    ],
)
def test_an_office_that_will_not_do_is_explained(admin: Browser, changes: dict[str, str], field: str) -> None:
    page = admin.refused(
        "/admin/offices/new",
        {"division_code": COUNTY, "kind": "ndrc", "name": "通榆县发展和改革局"} | changes,
    )
    assert page.all("p", id=f"f-{field}-error")


def test_the_offices_of_another_county_are_not_there(admin: Browser, world: World) -> None:
    other = world.departments["hrss", "220881"]
    admin.get(f"/admin/offices/{other}", 404)
    admin.refused(f"/admin/offices/{other}/edit", {"name": "x"}, 404)
    admin.get(f"/admin/users/{world.users['chen']}", 404)
    admin.refused(f"/admin/users/{world.users['chen']}/reset-password", {}, 403)
    admin.get("/admin/divisions/220881", 404)


def test_townships_and_villages_are_added_below(admin: Browser) -> None:
    page = admin.get("/admin/divisions")
    assert "瞻榆镇" in page.main
    page = admin.submit(f"/admin/divisions/{COUNTY}", {"name": "新华镇", "code": "220822105"})
    assert "新华镇" in page.main
    page = admin.submit("/admin/divisions/220822105", {"name": "长胜村", "code": "220822105201"})
    assert "长胜村" in page.main
    admin.refused(f"/admin/divisions/{COUNTY}", {"name": "新华镇", "code": "220881105"})


# Users ---------------------------------------------------------------------------------------------------------------


def test_users_are_found(admin: Browser) -> None:
    page = admin.get("/admin/users")
    assert "赵晓梅" in page.main
    assert "陈立春" not in page.main
    page = admin.get("/admin/users?q=晓梅&kind=officer&state=open")
    assert "赵晓梅" in page.main
    assert "孙丽华" not in page.main
    assert "没有符合条件的用户" in admin.get("/admin/users?q=无此人").main
    assert "没有符合条件的用户" in admin.get("/admin/users?state=closed").main
    assert "没有符合条件的用户" in admin.get("/admin/users?page=9").main


def test_a_new_user_signs_in_with_a_temporary_password(
    admin: Browser, app: Flask, web_database: Database
) -> None:
    admin.get("/admin/users/new")
    admin.post(
        "/admin/users/new",
        {"name": "许冬梅", "username": "xudm", "kind": "officer", "division_code": COUNTY, "phone": ""},
        status=200,
    )
    assert admin.page is not None
    assert admin.page.title == "账号已开通"
    temporary = admin.page.all("code")[0].text or ""
    newcomer = Browser(app)
    assert newcomer.login("xudm", temporary).title == "修改密码"
    admin.refused(
        "/admin/users/new",
        {"name": "许冬梅", "username": "xudm", "kind": "officer", "division_code": COUNTY, "phone": ""},
    )
    assert "user-created" in kinds_of_events(web_database)


def test_a_password_is_reset_once_seen(admin: Browser, app: Flask, world: World) -> None:
    number = world.users["zhao"]
    admin.get(f"/admin/users/{number}")
    admin.post(f"/admin/users/{number}/reset-password", status=200)
    assert admin.page is not None
    temporary = admin.page.all("code")[0].text or ""
    Browser(app).refused("/login", {"username": "zhao", "password": PASSWORD})
    assert Browser(app).login("zhao", temporary).title == "修改密码"
    assert "待修改密码" in admin.get(f"/admin/users/{number}").main


def test_an_account_is_closed_and_opened(admin: Browser, world: World) -> None:
    number = world.users["zhao"]
    admin.get(f"/admin/users/{number}")
    page = admin.submit(f"/admin/users/{number}/deactivate")
    assert "已停用" in page.main
    admin.refused(f"/admin/users/{number}/deactivate", {}, 409)
    page = admin.submit(f"/admin/users/{number}/reactivate")
    assert "启用" in page.main
    admin.refused(f"/admin/users/{number}/reactivate", {}, 409)


def test_nobody_closes_or_resets_the_own_account(admin: Browser, world: World) -> None:
    number = world.users["guan"]
    page = admin.get(f"/admin/users/{number}")
    assert "这是您自己的账号" in page.main
    admin.refused(f"/admin/users/{number}/deactivate", {}, 409)
    admin.refused(f"/admin/users/{number}/reset-password", {}, 409)


def test_a_post_is_assigned_substituted_and_ended(
    admin: Browser, world: World, web_database: Database
) -> None:
    sun, zhou = world.users["sun"], world.users["zhou"]
    rural = world.departments["rural", COUNTY]
    day, later = today().isoformat(), (today() + timedelta(days=7)).isoformat()
    admin.get(f"/admin/users/{sun}/posts/new")
    given = {"department_id": str(rural), "post": "clerk", "valid_from": day, "valid_to": ""}
    page = admin.submit(f"/admin/users/{sun}/posts/new", given)
    assert "通榆县乡村振兴局" in page.main
    admin.refused(f"/admin/users/{sun}/posts/new", given, 409)
    admin.refused(f"/admin/users/{sun}/posts/new", given | {"valid_to": "2020-01-01"})
    with web_database.reading() as session:
        post = session.scalars(
            select(Assignment.id).where(Assignment.user_id == zhou, Assignment.department_id == rural)
        ).one()
    admin.get(f"/admin/posts/{post}/substitute")
    page = admin.submit(
        f"/admin/posts/{post}/substitute", {"by_user_id": str(sun), "valid_from": day, "valid_to": later}
    )
    assert "代理已设置" in page.text
    assert "代理周玉兰" in admin.get(f"/admin/users/{sun}").main
    assert "代理周玉兰" in admin.get(f"/admin/offices/{rural}").main
    admin.submit(f"/admin/posts/{post}/end")
    with web_database.reading() as session:
        assert posts_of(session, zhou, today() + timedelta(days=1)) == ()
    assert {"post-assigned", "substitute-named", "post-ended"} <= kinds_of_events(web_database)


# Calendar ------------------------------------------------------------------------------------------------------------


def test_a_day_is_set_with_its_reason(admin: Browser, web_database: Database) -> None:
    page = admin.get("/admin/calendar?year=2026")
    assert page.title == "2026年工作日历"
    page = admin.submit(
        "/admin/calendar", {"day": "2026-03-02", "working": "no", "note": "通政办〔2026〕2号 暴雪停工"}
    )
    assert "通政办〔2026〕2号 暴雪停工" in page.main
    with web_database.reading() as session:
        assert [row.working for row in session.scalars(select(CalendarDay))] == [False]
    page = admin.refused("/admin/calendar", {"day": "2026-03-02", "working": "no", "note": ""})
    assert page.all("p", id="f-note-error")
    assert "calendar-day-set" in kinds_of_events(web_database)


def test_a_year_that_is_not_published_says_so(admin: Browser) -> None:
    assert "还没有公布" in admin.get(f"/admin/calendar?year={today().year + 2}").main


def test_without_processes_there_are_no_parameters(admin: Browser) -> None:
    assert "还没有发布流程" in admin.get("/admin/parameters").main
    admin.get("/admin/parameters/workshop_recognition/publicity_days", 404)


# Jobs ----------------------------------------------------------------------------------------------------------------


def test_a_failed_job_is_tried_again(admin: Browser, web_database: Database) -> None:
    assert "没有失败的后台任务" in admin.get("/admin/jobs").main
    with web_database.transaction() as session:
        beat(session, health.WORKER)
        put(session, "render_document", "1", {"document": 1})
        put(session, "notice", "2", {"case": 1})
        session.flush()
        failed, waiting = session.scalars(
            select(OutboxRow).where(OutboxRow.done_at.is_(None)).order_by(OutboxRow.id)
        ).all()
        failed.attempts, failed.last_error = MAX_ATTEMPTS, reason(RuntimeError("王五"))
        failed.due_at = now() + timedelta(hours=1)
        number, other = failed.id, waiting.id
    page = admin.get("/admin/jobs")
    assert "生成文书" in page.main
    assert "不再自动重试" in page.main
    assert "程序出错（RuntimeError）" in page.main
    assert "王五" not in page.source
    admin.submit(f"/admin/jobs/{number}/retry")
    with web_database.transaction() as session:
        row = session.get_one(OutboxRow, number)
        assert (row.attempts, row.due_at <= now()) == (0, True)
        session.get_one(OutboxRow, other).done_at = now()
    admin.refused(f"/admin/jobs/{other}/retry", {}, 409)
    admin.refused("/admin/jobs/999/retry", {}, 404)
    assert "job-retried" in kinds_of_events(web_database)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "/srv/王五.pdf"), "请检查磁盘空间"),
        (TimeoutError(), "没有回应"),
        (DocumentError("文书排版超时。", "late"), "文书排版超时。"),
        (KeyError("王五"), "程序出错（KeyError）"),
    ],
)
def test_why_a_job_failed(error: Exception, words: str) -> None:
    assert words in why(reason(error))
    assert "王五" not in why(reason(error))


def test_a_worker_that_does_not_run_is_said(admin: Browser) -> None:
    assert "后台处理程序没有运行" in admin.get("/admin/jobs").main


def test_an_administrator_of_nothing_yet_is_not_an_error(
    app: Flask, web_database: Database, world: World
) -> None:
    with web_database.transaction() as session:
        session.get_one(User, world.users["guan"]).division_code = TOWNSHIP
    browser = Browser(app)
    browser.login("guan", PASSWORD)
    for path in ("/admin/offices", "/admin/users", "/admin/divisions", "/admin/parameters"):
        browser.get(path)
