"""The first line of everybody's first page: what waits for me, what is late, what changed in the last seven days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask, g, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.access import page_actor
from webapp.database import reading
from webapp.health import WORKER
from webapp.navigation import counted, kind_of_visitor
from workflows.base.clock import now
from workflows.base.heartbeat import lives
from workflows.base.outbox import OutboxRow
from workflows.cases import project_overview, worklist
from workflows.cases.employer_views import tasks
from workflows.cases.glance import begun_and_ended, came_and_went, late_below, spoken_on
from workflows.cases.project_overview import Wanted
from workflows.organisations.model import User

DAYS = 7
Figure = dict[str, Any]


def _figure(label: str, value: object, note: str = "", href: str = "", tone: str = "") -> Figure:
    return {"label": label, "value": value, "note": note, "href": href, "tone": tone}


def _count(endpoint: str) -> int:
    return counted(endpoint) or 0


def tallied(session: Session) -> dict[str, tuple[int, bool]]:
    """The counts of the work list, asked once a request: the first lines of the page and its tabs say the same."""
    if "tallied" not in g:
        me = page_actor()
        g.tallied = worklist.tallies(session, sorted(me.department_ids), me.user_id)
    found: dict[str, tuple[int, bool]] = g.tallied
    return found


def _officer(session: Session) -> list[Figure]:
    me = page_actor()
    departments = sorted(me.department_ids)
    found = tallied(session)
    late, soon = found["overdue"][0], found["soon"][0]
    money, units = _count("finance.index"), _count("officer.employers")
    unpaid = project_overview.count(session, me, Wanted(late=True))
    came, went = came_and_went(session, departments, now() - timedelta(days=DAYS))
    waits = [f"资金 {money} 件"] if money else []
    waits += [f"单位待确认 {units} 个"] if units else []
    notes = [f"两天内到期 {soon} 件"] if soon else []
    notes += [f"{unpaid} 个以工代赈项目有月份超过30天未发"] if unpaid else []
    return [
        _figure(
            "等本单位办理", f"{found['all'][0]} 件", "，".join(waits), url_for("officer.worklist", tab="all")
        ),
        _figure(
            "超期",
            f"{late} 件",
            "，".join(notes),
            url_for("officer.worklist", tab="overdue"),
            "red" if late else "",
        ),
        _figure(
            f"最近{DAYS}天", f"转来 {came} 件，办出 {went} 件", f"未读通知 {_count('account.notices')} 条"
        ),
    ]


def _employer(session: Session) -> list[Figure]:
    me = page_actor()
    own = tasks(session, me)
    late = sum(one.light.tone == "overdue" for one in own)
    said = spoken_on(session, me.employer_ids, now() - timedelta(days=DAYS))
    return [
        _figure("等我办理", f"{len(own)} 件"),
        _figure("超期", f"{late} 件", tone="red" if late else ""),
        _figure(f"最近{DAYS}天", f"各单位作出意见 {said} 次", f"未读通知 {_count('account.notices')} 条"),
    ]


def _auditor(session: Session) -> list[Figure]:
    place = page_actor().division_code
    late = late_below(session, place)
    begun, ended = begun_and_ended(session, place, now() - timedelta(days=DAYS))
    unpaid = project_overview.count(session, page_actor(), Wanted(late=True))
    return [
        _figure("核验", "看结果", "每日自动核验，也可以现在核验", url_for("audit.verification")),
        _figure(
            "本地区超期环节",
            f"{late} 件",
            f"{unpaid} 个以工代赈项目有月份超过30天未发" if unpaid else "",
            url_for("officer.cases"),
            "red" if late else "",
        ),
        _figure(f"最近{DAYS}天", f"提交 {begun} 件，办结 {ended} 件"),
    ]


def _admin(session: Session) -> list[Figure]:
    failed = session.scalar(
        select(func.count())
        .select_from(OutboxRow)
        .where(OutboxRow.done_at.is_(None), OutboxRow.last_error.is_not(None), OutboxRow.attempts > 0)
    )
    waiting = session.scalar(
        select(func.count())
        .select_from(OutboxRow)
        .where(OutboxRow.done_at.is_(None), OutboxRow.due_at <= now())
    )
    new = session.scalar(
        select(func.count()).select_from(User).where(User.created_at >= now() - timedelta(days=DAYS))
    )
    alive = lives(session, WORKER)
    return [
        _figure(
            "后台处理",
            "正在运行" if alive else "没有运行",
            f"排队 {waiting} 项",
            url_for("admin.jobs"),
            "" if alive else "red",
        ),
        _figure("没有办成的后台任务", f"{failed} 项", "", url_for("admin.jobs"), "red" if failed else ""),
        _figure(f"最近{DAYS}天", f"新账号 {new} 个", "", url_for("admin.users")),
    ]


_KINDS: dict[str, Callable[[Session], list[Figure]]] = {
    "officer": _officer,
    "employer": _employer,
    "auditor": _auditor,
    "admin": _admin,
}


def glance() -> list[Figure]:
    """The figures of the person on the page; none for guests."""
    kind = _KINDS.get(kind_of_visitor())
    return kind(reading()) if kind else []


def install(app: Flask) -> None:
    """Templates call it as ``glance()``; pages that do not ask cost nothing."""
    app.jinja_env.globals["glance"] = glance
