"""Accounts: who may sign in, and how a password is tried, changed and reset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.model import USER_KINDS, User
from workflows.organisations.passwords import (
    DEMO_PASSWORD,
    check_policy,
    hash_password,
    matches,
    needs_rehash,
    temporary_password,
)
from workflows.organisations.permissions import Facts, require

#: The one answer to a failed login: it tells nobody whether the account exists, is locked or has left.
LOGIN_REFUSED = (
    "用户名或密码不正确，或该账号暂时不能登录。连续输错会暂停登录一段时间，请稍后再试或联系管理员。"
)
#: Wrong passwords in a row before the account rests.
FAILURES_BEFORE_LOCK = 5
#: How long it rests after the first five, the next five, and every five after that.
LOCKS = (timedelta(minutes=15), timedelta(minutes=30), timedelta(minutes=60))
_USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,39}\Z")


@dataclass(frozen=True)
class LoginAttempt:
    """What :func:`check_login` found, for :func:`note_login` to write down."""

    user_id: int | None
    right: bool
    rehashed: str | None = None


def check_login(
    session: Session, username: str, password: str, *, demonstration: bool = False
) -> LoginAttempt:
    """Try a password, reading only: argon2 takes its time, and no writer should wait for it.

    An unknown name takes as long as a known one. Outside the demonstration its password is refused, even where the
    demonstration's county was loaded.
    """
    user = session.scalars(select(User).where(User.username == username.strip().lower())).one_or_none()
    right = matches(user.password_hash if user else _nobodys_hash(), password)
    if user is None:
        return LoginAttempt(None, False)
    if not user.active or (password == DEMO_PASSWORD and not demonstration):
        return LoginAttempt(user.id, False)
    again = hash_password(password) if right and needs_rehash(user.password_hash) else None
    return LoginAttempt(user.id, right, again)


def note_login(
    session: Session, attempt: LoginAttempt, at: datetime, *, known_device: bool = False
) -> User | None:
    """Write down how a login went; the user who is now signed in, or ``None``. Nothing is raised: the count must commit.

    Five failures in a row rest the account for 15 minutes, five more for 30, then 60. Failures during the rest count
    for nothing, so that it ends; a stranger who keeps trying still cannot keep the owner out, because a browser that
    signed in before (``known_device``, a signed cookie the edge keeps and limits by itself) does not rest.
    """
    if attempt.user_id is None:
        return None
    user = session.scalars(select(User).where(User.id == attempt.user_id).with_for_update()).one()
    resting = user.locked_until is not None and at < user.locked_until
    if (resting and not known_device) or not user.active:
        return None
    if not attempt.right:
        if not resting:
            _count_failure(session, user, at)
        return None
    user.failed_logins = 0
    user.locked_until = None
    if attempt.rehashed is not None:
        user.password_hash = attempt.rehashed
    session.flush()
    return user


def _count_failure(session: Session, user: User, at: datetime) -> None:
    user.failed_logins += 1
    if user.failed_logins % FAILURES_BEFORE_LOCK == 0:
        times = user.failed_logins // FAILURES_BEFORE_LOCK
        user.locked_until = at + LOCKS[min(times, len(LOCKS)) - 1]
        record(
            session,
            stream(session, "organisation"),
            "account-locked",
            actor_id=None,
            payload={"user": user.id, "failures": user.failed_logins},
        )
    session.flush()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return hash_password(temporary_password())


# Keeping accounts ----------------------------------------------------------------------------------------------------


def create_user(
    session: Session,
    actor: Actor,
    *,
    username: str,
    name: str,
    kind: str,
    division_code: str,
    phone: str | None = None,
    email: str | None = None,
) -> tuple[User, str]:
    """Add an account; returns it with its temporary password, which is shown once and must be changed.

    :param division_code: what an auditor or administrator looks after; for others, whose administrator keeps them.
    """
    require(actor, "admin.users", Facts(division_chain=chain_codes(session, division_code)))
    password = temporary_password()
    user = _add(session, username, name, kind, division_code, phone, email, password, must_change=True)
    _record(session, "user-created", actor, user)
    return user, password


def register_account(
    session: Session,
    *,
    username: str,
    name: str,
    password: str,
    division_code: str,
    phone: str,
) -> User:
    """An employer's person opens an account. It may do nothing until an employer is confirmed for it."""
    check_policy(password, username)
    user = _add(session, username, name, "employer", division_code, phone, None, password, must_change=False)
    record(session, stream(session, "organisation"), "account-registered", actor_id=user.id, covers=[user])
    return user


def _add(
    session: Session,
    username: str,
    name: str,
    kind: str,
    division_code: str,
    phone: str | None,
    email: str | None,
    password: str,
    *,
    must_change: bool,
) -> User:
    errors: dict[str, str] = {}
    username = username.strip().lower()
    if not _USERNAME.match(username):
        errors["username"] = "用户名为 3 至 40 位小写字母、数字、点、横线，以字母开头。"
    elif session.scalars(select(User.id).where(User.username == username)).first() is not None:
        errors["username"] = "这个用户名已经使用，请换一个。"
    if not name.strip() or len(name.strip()) > 40:
        errors["name"] = "请填写姓名，不超过 40 个字。"
    if kind not in USER_KINDS:
        errors["kind"] = "请选择账号类型。"
    if errors:
        raise Invalid("账号没有保存，请改正下列内容。", errors)
    user = User(
        username=username,
        name=name.strip(),
        kind=kind,
        password_hash=hash_password(password),
        division_code=division_code,
        phone=phone or None,
        email=email or None,
        must_change_password=must_change,
    )
    session.add(user)
    session.flush()
    return user


def user_of(session: Session, user_id: int) -> User:
    """The user; raises ``NotFound``."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("没有这个用户。")
    return user


def change_password(
    session: Session, actor: Actor, *, old: str, new: str, demonstration: bool = False
) -> User:
    """Change one's own password; every other session of the account ends."""
    user = user_of(session, actor.user_id or 0)
    if not matches(user.password_hash, old):
        raise Invalid("密码没有修改。", {"old": "原密码不正确。"})
    if demonstration and old == DEMO_PASSWORD:
        # The accounts are shared: one visitor must not lock the others out.
        raise Forbidden("演示账号供大家共用，不能修改密码。")
    if new == old:
        raise Invalid("密码没有修改。", {"new": "新密码不能与原密码相同。"})
    check_policy(new, user.username, "new")
    user.password_hash = hash_password(new)
    user.must_change_password = False
    user.session_version += 1
    _record(session, "password-changed", actor, user)
    return user


def reset_password(session: Session, actor: Actor, user_id: int) -> str:
    """A new temporary password, to be told once and changed at the next login; lifts a lock, ends all sessions."""
    user = kept_by(session, actor, user_id)
    if user.id == actor.user_id:
        raise Conflict("请在“修改密码”中修改自己的密码。")
    password = temporary_password()
    user.password_hash = hash_password(password)
    user.must_change_password = True
    user.failed_logins = 0
    user.locked_until = None
    user.session_version += 1
    _record(session, "password-reset", actor, user)
    return password


def deactivate(session: Session, actor: Actor, user_id: int) -> User:
    """Close an account; what it did stays under its name."""
    user = kept_by(session, actor, user_id)
    if user.id == actor.user_id:
        raise Conflict("不能停用自己的账号，请由其他管理员办理。")
    if not user.active:
        raise Conflict("该账号已经停用。")
    user.active = False
    user.session_version += 1
    _record(session, "user-deactivated", actor, user)
    return user


def reactivate(session: Session, actor: Actor, user_id: int) -> User:
    """Open a closed account again. The password stays; reset it where that is doubtful."""
    user = kept_by(session, actor, user_id)
    if user.active:
        raise Conflict("该账号没有停用。")
    user.active = True
    _record(session, "user-reactivated", actor, user)
    return user


def kept_by(session: Session, actor: Actor, user_id: int) -> User:
    """An account that the actor, an administrator of its division or above, looks after. Raises ``Forbidden`` otherwise."""
    user = user_of(session, user_id)
    division_chain = chain_codes(session, user.division_code) if user.division_code else ()
    require(actor, "admin.users", Facts(division_chain=division_chain))
    return user


def _record(session: Session, kind: str, actor: Actor, user: User) -> None:
    record(session, stream(session, "organisation"), kind, actor_id=actor.user_id, covers=[user])
