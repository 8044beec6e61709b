"""Named people and small things that many tests need. The people of the database are those of the demonstration county."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import openpyxl
from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.organisations.actors import Actor, Membership, Post
from workflows.organisations.model import User
from workflows.registers.membership import load_actor

PDF = b"%PDF-1.4\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\n%%EOF\n"


def actor_named(session: Session, username: str) -> Actor:
    """The actor that a user of the database is today: ``actor_named(session, "renshe.a")``."""
    return load_actor(session, session.scalars(select(User).where(User.username == username)).one())


def officer(
    user_id: int, department_id: int, kind: str, division_code: str, post: str = "clerk", **more: int
) -> Actor:
    """An officer with one post, for tests without a database."""
    held = Post(department_id, kind, division_code, post, more.get("substitute_for"))
    return Actor(user_id, f"{kind} {user_id}", "officer", posts=(held,))


def employers_person(user_id: int, employer_id: int, role: str = "owner") -> Actor:
    """Somebody who acts for an employer, for tests without a database."""
    return Actor(user_id, f"member {user_id}", "employer", employers=(Membership(employer_id, role),))


def auditor(user_id: int, division_code: str) -> Actor:
    return Actor(user_id, f"auditor {user_id}", "auditor", division_code=division_code)


def administrator(user_id: int, division_code: str) -> Actor:
    return Actor(user_id, f"admin {user_id}", "admin", division_code=division_code)


def workbook(*rows: Sequence[object], sheet: str = "名单") -> bytes:
    """An xlsx file with one sheet of these rows."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(list(row))
    target = BytesIO()
    book.save(target)
    return target.getvalue()
