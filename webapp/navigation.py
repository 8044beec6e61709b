"""The frame around each page: who is here, and where each kind of user can go.

A blueprint that has a page for the menu adds a line to ``MENU``; a line whose endpoint does not exist is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_login import current_user
from sqlalchemy import select

from webapp.access import GUEST, page_actor
from webapp.database import reading
from webapp.services import services
from webapp.views_support import NavItem, Shell
from workflows.base.privacy import keyring
from workflows.organisations.model import Department, Division, User


@dataclass(frozen=True)
class Entry:
    """A line of the menu. ``under``: endpoints that begin so belong to it (the present page is marked)."""

    title: str
    endpoint: str
    under: str = ""


MENU: dict[str, tuple[Entry, ...]] = {
    GUEST: (
        Entry("公示", "public.publicities", "public.publicity"),
        Entry("车间名录", "public.register"),
        Entry("进度查询", "public.progress"),
        Entry("文书核验", "public.verify"),
    ),
    "employer": (
        Entry("我的申请", "employer.index", "employer."),
        Entry("单位信息", "employer.unit"),
    ),
    "officer": (
        Entry("待办", "officer.worklist", "officer."),
        Entry("发起办理", "officer.starts", "officer.start"),
        Entry("办件查询", "officer.cases"),
        Entry("车间名录", "officer.register"),
        Entry("单位确认", "officer.employers", "officer.employer"),
        Entry("总览", "overview.projects", "overview."),
        Entry("资金", "finance.index", "finance."),
        Entry("奖补登记", "officer.grants", "officer.grants"),
        Entry("身份名单", "officer.identities", "officer.identities"),
    ),
    "auditor": (
        Entry("操作记录", "audit.events"),
        Entry("核验", "audit.verification"),
        Entry("办件查询", "officer.cases"),
        Entry("总览", "overview.projects", "overview."),
        Entry("资金", "finance.index", "finance."),
        Entry("奖补登记", "officer.grants", "officer.grants"),
        Entry("身份名单", "officer.identities", "officer.identities"),
    ),
    "admin": (
        Entry("单位", "admin.offices", "admin.office"),
        Entry("用户", "admin.users", "admin.user"),
        Entry("工作日历", "admin.calendar"),
        Entry("办理参数", "admin.parameters", "admin.parameter"),
        Entry("后台任务", "admin.jobs"),
    ),
}

#: Kind of visitor → the page to begin with; the first that exists.
HOMES: dict[str, tuple[str, ...]] = {
    GUEST: ("public.index", "auth.login"),
    "employer": ("employer.index", "auth.pending"),
    "officer": ("officer.worklist",),
    "auditor": ("audit.events",),
    "admin": ("admin.offices",),
}

#: Endpoint → how many wait there for the person on the page; put in by the blueprints.
COUNTS: dict[str, Callable[[], int | None]] = {}
#: Endpoint → whether the person on the page has anything to do there; those not named are for the whole kind.
ONLY: dict[str, Callable[[], bool]] = {}


def kind_of_visitor() -> str:
    return str(current_user.kind) if current_user.is_authenticated else GUEST


def home_href() -> str:
    """Where the person on the page begins."""
    for endpoint in HOMES[kind_of_visitor()]:
        if endpoint in current_app.view_functions:
            return url_for(endpoint)
    return url_for("account.profile" if current_user.is_authenticated else "auth.login")


def counted(endpoint: str) -> int | None:
    """What waits behind an entry of the menu, asked once a request; nothing where nothing is counted."""
    if endpoint not in COUNTS:
        return None
    known: dict[str, int | None] = g.setdefault("counted", {})
    if endpoint not in known:
        known[endpoint] = COUNTS[endpoint]()
    return known[endpoint]


def menu() -> tuple[NavItem, ...]:
    """The menu of the person on the page."""
    if current_user.is_authenticated and current_user.must_change_password:
        return ()
    entries = [
        one
        for one in MENU[kind_of_visitor()]
        if one.endpoint in current_app.view_functions and ONLY.get(one.endpoint, lambda: True)()
    ]
    here = request.endpoint or ""
    exact = next((one for one in entries if one.endpoint == here), None)
    under = [one for one in entries if one.under and here.startswith(one.under)]
    current = exact or max(under, key=lambda one: len(one.under), default=None)
    return tuple(
        NavItem(
            one.title,
            url_for(one.endpoint),
            active=one is current,
            count=counted(one.endpoint),
        )
        for one in entries
    )


def shell() -> Shell:
    """The frame, as the layout draws it."""
    settings = services().settings
    login = url_for("auth.login")
    if not current_user.is_authenticated:
        return Shell(
            nav=menu(), home_href=url_for("home.index"), login_href=login, demonstration=settings.demo
        )
    has_notices = "account.notices" in current_app.view_functions
    return Shell(
        county=_division_name(),
        user=current_user.name,
        office=_office(),
        user_key=keyring().digest(str(current_user.id), "shell")[:16],
        nav=menu(),
        home_href=url_for("home.index"),
        notices_href=url_for("account.notices") if has_notices else "",
        notices=counted("account.notices") or 0,
        account_href=url_for("account.profile"),
        login_href=login,
        logout_href=url_for("auth.logout"),
        demonstration=settings.demo,
    )


def _office() -> str:
    posts = page_actor().posts
    if not posts:
        return ""
    # The actor's posts brought their offices along: the session knows this one.
    name = reading().get_one(Department, posts[0].department_id).name
    return f"{name}等 {len(posts)} 个岗位" if len(posts) > 1 else name


def _division_name() -> str:
    """The county that the person works in or looks after; nothing for employers of several."""
    code = next((post.division_code for post in page_actor().posts), None)
    if code is None:
        code = reading().scalar(select(User.division_code).where(User.id == current_user.id))
    if not code:
        return ""
    return reading().scalar(select(Division.name).where(Division.code == code[:6])) or ""


def install(app: Flask) -> None:
    @app.context_processor
    def _shell() -> dict[str, Any]:
        return {"shell": shell()}
