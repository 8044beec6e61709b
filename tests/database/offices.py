"""What the tests of offices and of accounts share."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import administrator
from workflows.audit.model import Event
from workflows.organisations.model import Department, User

ADMIN = administrator(80, "220822")


def kinds(session: Session) -> list[str]:
    return list(session.scalars(select(Event.kind).order_by(Event.id)))


def user_named(session: Session, username: str) -> User:
    return session.scalars(select(User).where(User.username == username)).one()


def department_row(session: Session, kind: str, code: str = "220822") -> Department:
    return session.scalars(
        select(Department).where(Department.kind == kind, Department.division_code == code)
    ).one()
