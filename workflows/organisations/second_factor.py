"""The second factor: a code that a telephone makes anew every thirty seconds (TOTP, RFC 6238), for whoever moves money or administers.

Time here is the machine's own: telephones know nothing of the day that a demonstration plays.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import time
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.clock import now, today
from workflows.base.errors import Conflict, Invalid
from workflows.base.privacy import keyring
from workflows.organisations.accounts import kept_by
from workflows.organisations.actors import Actor
from workflows.organisations.model import Assignment, Department, RecoveryCode, SecondFactor, User

STEP, DIGITS = 30, 6
#: Codes of the step before and the step after are taken, too: telephones go slow and fast.
DRIFT = 1
CODES = 10
#: No 0, O, 1, I, L: they are written down by hand.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
WRONG = "验证码不对或者已经用过。请等手机上出现新的验证码后再填。"


def needed(session: Session, user_id: int, kind: str) -> bool:
    """Whether somebody's posts ask for it: administrators, and everybody of 财政."""
    if kind != "officer":
        return kind == "admin"
    day = today()
    finance = (
        select(Assignment.id)
        .join(Department, Department.id == Assignment.department_id)
        .where(
            Assignment.user_id == user_id,
            Department.kind == "finance",
            Assignment.valid_from <= day,
            (Assignment.valid_to.is_(None)) | (Assignment.valid_to >= day),
        )
        .limit(1)
    )
    return session.scalars(finance).first() is not None


def has(session: Session, user_id: int) -> bool:
    """Whether a code is asked of somebody at the login."""
    found = select(SecondFactor.user_id).where(
        SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None)
    )
    return session.scalars(found).first() is not None


def lacking(session: Session, user_id: int, kind: str) -> bool:
    """Whether somebody who needs it has not set it up."""
    return needed(session, user_id, kind) and not has(session, user_id)


def awaited(session: Session, user_id: int) -> str | None:
    """The secret that waits for its first code (base32)."""
    found = session.get(SecondFactor, user_id)
    return found.secret if found is not None and found.confirmed_at is None else None


def begin(session: Session, user_id: int) -> str:
    """Make the secret to be brought into the telephone (base32): the same until the first code is right.

    Raises ``Conflict`` when it is set up already.
    """
    found = session.get(SecondFactor, user_id, with_for_update=True)
    if found is None:
        secret = base64.b32encode(os.urandom(20)).decode()
        found = SecondFactor(user_id=user_id, secret=secret)
        session.add(found)
        session.flush()
    elif found.confirmed_at is not None:
        raise Conflict("两步验证已经设置。要换手机，请联系系统管理员解除后重新设置。")
    return found.secret


def address(username: str, secret: str, host: str) -> str:
    """What the QR says: the form that every authenticator reads. ``host`` tells installations apart."""
    asked = urlencode({"secret": secret, "issuer": host, "digits": DIGITS, "period": STEP})
    return f"otpauth://totp/{quote(host)}:{quote(username)}?{asked}"


def confirm(session: Session, actor: Actor, code: str) -> list[str]:
    """The first code: from now on one is asked for at each login. Returns the recovery codes, which are shown once.

    Raises ``Invalid`` for a wrong code, ``Conflict`` when there is nothing to confirm.
    """
    found = session.get(SecondFactor, actor.user_id, with_for_update=True) if actor.user_id else None
    if found is None or found.confirmed_at is not None:
        raise Conflict("没有待确认的两步验证，请重新打开设置页面。")
    if not _right(found, code):
        raise Invalid(WRONG, {"code": WRONG})
    found.confirmed_at = now()
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == found.user_id))
    codes = [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(2)) for _ in range(CODES)
    ]
    session.add_all(RecoveryCode(user_id=found.user_id, digest=_digest(one)) for one in codes)
    _record(session, "second-factor-set", actor, found.user_id)
    return codes


def check(session: Session, user_id: int, code: str) -> bool:
    """Whether a code of the telephone, or a recovery code, is right; each is taken once."""
    found = session.get(SecondFactor, user_id, with_for_update=True)
    if found is None or found.confirmed_at is None:
        return False
    if _right(found, code):
        return True
    spare = session.scalars(
        select(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.digest == _digest(code),
            RecoveryCode.used_at.is_(None),
        )
        .with_for_update()
    ).first()
    if spare is None:
        return False
    spare.used_at = now()
    return True


def reset(session: Session, actor: Actor, user_id: int) -> None:
    """Another administrator takes it away: a new one is set up at the next login, and every session ends.

    Raises ``Conflict`` for oneself and where there is none.
    """
    user = kept_by(session, actor, user_id)
    if user.id == actor.user_id:
        raise Conflict("不能解除自己的两步验证，请由其他系统管理员办理。")
    found = session.get(SecondFactor, user_id, with_for_update=True)
    if found is None:
        raise Conflict("这个用户没有设置两步验证。")
    session.delete(found)
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.get_one(User, user_id).session_version += 1
    _record(session, "second-factor-reset", actor, user_id)


def _right(found: SecondFactor, code: str) -> bool:
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdigit() and len(typed) == DIGITS):
        return False
    made = TOTP(base64.b32decode(found.secret), DIGITS, SHA1(), STEP)  # noqa: S303  # what the standard and telephones use
    present = int(_clock()) // STEP
    for step in range(present - DRIFT, present + DRIFT + 1):
        if step > found.last_step and hmac.compare_digest(made.generate(step * STEP), typed.encode()):
            found.last_step = step
            return True
    return False


def _digest(code: str) -> str:
    return keyring().digest("".join(code.upper().split()).replace("-", ""), "recovery")


def _clock() -> float:
    return time.time()


def _record(session: Session, kind: str, actor: Actor, user_id: int) -> None:
    record(session, stream(session, "organisation"), kind, actor_id=actor.user_id, payload={"user": user_id})
