"""Signing in and out: a password tried, a session begun, a device remembered."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from flask import current_app, request
from flask import session as flask_session
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from webapp import rates
from webapp.access import begin_session, token_digest
from webapp.auth.model import SignIn
from webapp.database import reading, transaction
from webapp.services import services
from workflows.base.clock import now
from workflows.organisations import second_factor
from workflows.organisations.accounts import check_login, note_login
from workflows.organisations.model import User

#: Wrong passwords from one address in ten minutes. A whole office shares one: only failures count.
FAILURES, WINDOW = 40, 600
#: Wrong passwords from one known device in an hour; beyond it the device is like any other.
DEVICE_FAILURES, DEVICE_WINDOW = 10, 3600
#: How long a right password waits for its code.
PENDING_SECONDS = 300
_PENDING = "code_of"
_DEVICE_COOKIES = {True: "__Secure-wengang_device", False: "wengang_device"}
_DEVICE_SECONDS = 180 * 24 * 3600


@dataclass(frozen=True)
class SignedIn:
    """Whose password was right. ``pending``: a code is still asked for, and no session has begun."""

    user_id: int
    pending: bool


def sign_in(username: str, password: str) -> SignedIn | None:
    """Try a password; on success the browser's session begins, unless a code is asked for first.

    Raises ``TooMany`` for an address that failed too often.
    """
    rates.check("login", FAILURES, WINDOW)
    attempt = check_login(reading(), username, password, demonstration=services().settings.demo)
    with transaction() as session:
        user = note_login(session, attempt, now(), known_device=_known(attempt.user_id))
        user_id = user.id if user is not None else None
        pending = user_id is not None and second_factor.has(session, user_id)
        token = start(session, user) if user is not None and not pending else ""
    if user_id is None:
        rates.note("login", WINDOW)
        if attempt.user_id is not None and _device().get("id"):
            rates.note("device", DEVICE_WINDOW, _device()["id"])
        return None
    if pending:
        await_code(user_id)
    else:
        begin_session(token)
    return SignedIn(user_id, pending)


def start(session: Session, user: User) -> str:
    """A new sign-in of ``user``; returns the token for its cookie. The caller's transaction commits it."""
    token = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            token_digest=token_digest(token),
            user_id=user.id,
            session_version=user.session_version,
            started_at=now(),
        )
    )
    session.flush()
    return token


def await_code(user_id: int) -> None:
    """The password was right: the code must come within five minutes, and nothing of an earlier session is carried over."""
    flask_session.clear()
    flask_session[_PENDING] = [user_id, int(time.time())]


def awaited() -> int | None:
    """Whose code is awaited in this browser."""
    user_id, since = flask_session.get(_PENDING, (None, 0))
    return user_id if time.time() - since <= PENDING_SECONDS else None


def end(session: Session, token: str) -> None:
    """End the sign-in behind a token."""
    row = session.scalars(select(SignIn).where(SignIn.token_digest == token_digest(token))).one_or_none()
    if row is not None and row.ended_at is None:
        row.ended_at = now()


# Devices that signed in before: their owner is not kept out by a stranger's wrong passwords. -----------------------


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="device")


def _device_cookie() -> str:
    return _DEVICE_COOKIES[services().settings.secure_cookies]


def _device() -> dict[str, Any]:
    try:
        found: dict[str, Any] = _signer().loads(
            request.cookies.get(_device_cookie(), ""), max_age=_DEVICE_SECONDS
        )
    except BadSignature:
        return {}
    return found


def _known(user_id: int | None) -> bool:
    device = _device()
    if user_id is None or user_id not in device.get("users", ()):
        return False
    try:
        rates.check("device", DEVICE_FAILURES, DEVICE_WINDOW, device["id"])
    except rates.TooMany:
        return False
    return True


def remember_device(response: Response, user_id: int) -> Response:
    """Let this browser be known as one from which the user signed in."""
    device = _device()
    users = [user_id, *(one for one in device.get("users", ()) if one != user_id)][:5]
    response.set_cookie(
        _device_cookie(),
        _signer().dumps({"id": device.get("id") or secrets.token_hex(8), "users": users}),
        max_age=_DEVICE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=services().settings.secure_cookies,
        path="/login",
    )
    return response
