"""Who may enter which route: said at the route, enforced in one place, refused when nothing is said.

A route names the kinds of user it serves; what a post may do with one case is asked by the use cases themselves
(``workflows.organisations.permissions``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, abort, current_app, flash, g, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from webapp.auth.model import SignIn
from webapp.database import reading
from webapp.services import services
from workflows.base.errors import Forbidden, WengangError
from workflows.base.privacy import keyring
from workflows.organisations import second_factor
from workflows.organisations.actors import PUBLIC, Actor
from workflows.organisations.model import USER_KINDS, User
from workflows.registers.membership import load_actor

GUEST = "guest"
#: Every kind of visitor a route may name.
KINDS = (GUEST, *USER_KINDS)
_OPEN = {"static", "bootstrap.static"}
#: What someone whose password must be changed can still reach.
_BEFORE_PASSWORD = {"auth.password", "auth.logout", *_OPEN}
#: What someone who must set up a second factor can still reach.
_BEFORE_FACTOR = {"second.enrol", *_BEFORE_PASSWORD}

View = TypeVar("View", bound=Callable[..., Any])


class SignInNeeded(WengangError):
    """Nobody is signed in, or no longer (HTTP 401)."""

    status = 401


def allow(*kinds: str) -> Callable[[View], View]:
    """Say whom a route serves: ``guest`` (nobody signed in), ``employer``, ``officer``, ``auditor``, ``admin``."""
    unknown = set(kinds) - set(KINDS)
    if unknown or not kinds:
        raise ValueError(f"unknown kinds of user: {unknown or 'none given'}")

    def mark(view: View) -> View:
        view.allowed = frozenset(kinds)  # type: ignore[attr-defined]  # read by the guard and by the tests
        return view

    return mark


#: Anybody, signed in or not.
everyone = allow(*KINDS)
#: Anybody who is signed in.
signed_in = allow(*USER_KINDS)


def allowed_kinds(endpoint: str) -> frozenset[str] | None:
    """Whom the endpoint serves; ``None`` when it says nothing and is therefore refused."""
    if endpoint in _OPEN:
        return frozenset(KINDS)
    kinds: frozenset[str] | None = getattr(current_app.view_functions[endpoint], "allowed", None)
    return kinds


@dataclass(frozen=True)
class Visitor(UserMixin):
    """Who is signed in, as a plain value: no row of a session that ends in the middle of a request."""

    id: int
    sign_in_id: int
    username: str
    name: str
    kind: str
    must_change_password: bool
    must_enrol: bool
    token: str

    def get_id(self) -> str:
        return self.token


def token_digest(token: str) -> str:
    return keyring().digest(token, "sign-in")


def load_visitor(token: str) -> Visitor | None:
    """The visitor behind a cookie's token, while the sign-in stands and the account is open."""
    row = (
        reading()
        .execute(
            select(
                User.id,
                SignIn.id,
                User.username,
                User.name,
                User.kind,
                User.must_change_password,
            )
            .join(SignIn, SignIn.user_id == User.id)
            .where(
                SignIn.token_digest == token_digest(token),
                SignIn.ended_at.is_(None),
                SignIn.session_version == User.session_version,
                User.active.is_(True),
            )
        )
        .one_or_none()
    )
    if row is None:
        return None
    lacks = services().settings.second_factor and second_factor.lacking(reading(), row.id, row.kind)
    return Visitor(*row, must_enrol=lacks, token=token)


def actor(session: Session) -> Actor:
    """Who acts, read in this transaction: hand it to use cases."""
    if not current_user.is_authenticated:
        return PUBLIC
    return load_actor(session, session.get_one(User, current_user.id))


def known_visitor() -> Visitor | None:
    """Who was found to be signed in, for whatever comes after the page: never asked anew, the database may be away."""
    visitor = g.get("_login_user")
    return visitor if isinstance(visitor, Visitor) else None


def page_actor() -> Actor:
    """Who looks at the page, read once a request: for what a page shows, never for what an action decides."""
    if "page_actor" not in g:
        g.page_actor = actor(reading())
    found: Actor = g.page_actor
    return found


def wants_json() -> bool:
    """Whether a script asks: it gets JSON instead of a page."""
    if request.headers.get("X-Requested-With", "").lower() in {"fetch", "xmlhttprequest"}:
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def install(app: Flask) -> None:
    """Load visitors, end idle sessions, guard every route."""
    manager = LoginManager(app)
    manager.session_protection = None  # the token is ours, random, and ends on the server
    manager.user_loader(load_visitor)
    app.before_request(end_idle_session)
    app.before_request(guard)


def _clock() -> float:
    """The machine's own time: idleness has nothing to do with the day that a demonstration plays."""
    return time.time()


def end_idle_session() -> None:
    """End the session of somebody who did nothing for as long as the settings say."""
    if "_user_id" not in session or request.endpoint in _OPEN:
        return
    now = int(_clock())
    if now - int(session.get("seen", 0)) > services().settings.idle_minutes * 60:
        session.clear()
        g.idle_ended = True
    elif now - int(session.get("seen", 0)) > 20:
        session["seen"] = now


def begin_session(token: str) -> None:
    """Start the browser's session anew: nothing of the one before is carried over (session fixation)."""
    session.clear()
    session["seen"] = int(_clock())
    login_user(load_visitor(token))


def guard() -> Response | None:
    """Refuse who is not allowed; send who is nobody to the login, and back afterwards."""
    if request.endpoint is None:
        return None
    kinds = allowed_kinds(request.endpoint)
    if kinds is None:
        current_app.logger.error("route %s says nothing about access", request.endpoint)
        abort(404)
    if request.endpoint in _OPEN:
        return None
    if not current_user.is_authenticated:
        if GUEST in kinds:
            return None
        return _sign_in_first()
    if current_user.must_change_password and request.endpoint not in _BEFORE_PASSWORD:
        if wants_json():
            raise Forbidden("请先修改密码。")
        return redirect(url_for("auth.password"), 303)
    if current_user.must_enrol and request.endpoint not in _BEFORE_FACTOR:
        if wants_json():
            raise Forbidden("请先设置两步验证。")
        return redirect(url_for("second.enrol"), 303)
    if current_user.kind not in kinds:
        if kinds == {GUEST}:  # the login and registration pages, for someone who is already in
            return redirect(url_for("home.index"), 303)
        raise Forbidden("您的账号类型不能使用这个页面。")
    return None


def _sign_in_first() -> Response:
    if request.method not in {"GET", "HEAD"} or wants_json():
        raise SignInNeeded("登录已失效，请重新登录。您填写的内容仍保留在原页面。")
    if g.get("idle_ended"):
        minutes = services().settings.idle_minutes
        flash(f"您已超过 {minutes} 分钟没有操作，为保护信息已自动退出，请重新登录。", "info")
    elif "_user_id" in session:
        flash("您的登录已在别处结束，请重新登录。", "info")
    return redirect(url_for("auth.login", next=request.full_path.rstrip("?")), 303)
