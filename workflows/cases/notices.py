"""Notices in the application. Each has a key, so that a worker that comes twice writes one. No personal data in a text."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import today
from workflows.base.installation import installation
from workflows.base.outbox import put
from workflows.cases.model import Case, Notice, WorkItem
from workflows.cases.offices import office_of
from workflows.organisations.model import DEPARTMENT_KINDS, Assignment
from workflows.registers.model import EmployerMember

#: The worker's task to let a notice leave the house by one channel.
SEND = "send_notice"


def write(
    session: Session,
    users: Iterable[int],
    case_id: int | None,
    key: str,
    text: str,
    *,
    urgent: bool = False,
    about: str = "",
) -> int:
    """Write a notice to each user who has not had it yet; returns how many.

    :param key: what it is about; once for each user and key.
    :param about: where it leads when it is about no case, see :attr:`workflows.cases.model.Notice.about`.
    """
    written = []
    for user in sorted(set(users)):
        own = f"{key}-{user}"
        if session.scalars(select(Notice.id).where(Notice.key == own)).first() is None:
            written.append(
                Notice(user_id=user, case_id=case_id, about=about, text=text[:300], key=own, urgent=urgent)
            )
    session.add_all(written)
    session.flush()
    for notice in written:
        for channel in installation().channels:
            put(session, SEND, f"{channel}-{notice.id}", {"notice": notice.id, "channel": channel})
    session.flush()
    return len(written)


def _members(session: Session, employer_id: int | None) -> list[int]:
    return list(
        session.scalars(
            select(EmployerMember.user_id).where(
                EmployerMember.employer_id == employer_id, EmployerMember.status == "confirmed"
            )
        )
    )


def people_of(session: Session, department_id: int | None, post: str | None = None) -> list[int]:
    """Who holds a post (or this post) in an office today."""
    day = today()
    query = select(Assignment.user_id).where(
        Assignment.department_id == department_id,
        Assignment.valid_from <= day,
        (Assignment.valid_to.is_(None)) | (Assignment.valid_to >= day),
    )
    if post is not None:
        query = query.where(Assignment.post == post)
    return list(session.scalars(query))


def notify_item(session: Session, item_id: int) -> int:
    """Tell whom a work item waits for: the employer's people, or the officer who has it."""
    item = session.get_one(WorkItem, item_id)
    case = session.get_one(Case, item.case_id)
    if item.employer_id is not None:
        text = f"申请 {case.number} 需要您办理：{item.title}。"
        return write(session, _members(session, item.employer_id), case.id, f"item-{item.id}", text)
    if item.claimed_by is not None:
        text = f"申请 {case.number} 已转给您办理：{item.title}。"
        key = f"item-{item.id}-{item.version}"
        return write(session, [item.claimed_by], case.id, key, text)
    return 0


def notify_case(session: Session, case_id: int, to: str, text: str, key: str) -> int:
    """Tell the employer, or an office's people, something about a case; once for each ``key``."""
    case = session.get_one(Case, case_id)
    whole = f"申请 {case.number}：{text}"
    if to == "employer":
        users = _members(session, case.employer_id)
    elif to in DEPARTMENT_KINDS:
        users = people_of(session, office_of(session, case, to).id)
    else:
        return 0
    return write(session, users, case_id, key, whole)


def notify_user(session: Session, user_id: int, text: str, key: str) -> int:
    """Tell one user something that belongs to no case."""
    return write(session, [user_id], None, key, text)


def notify_department(session: Session, department_id: int, text: str, key: str) -> int:
    """Tell everybody of an office something that belongs to no case."""
    return write(session, people_of(session, department_id), None, key, text)


def notify_overdue(session: Session, item: WorkItem) -> int:
    """超期: the head of the office learns of it; for an employer's step, the employer."""
    case = session.get_one(Case, item.case_id)
    if item.employer_id is not None:
        text = f"申请 {case.number} 的“{item.title}”已超过期限，请尽快办理。"
        return write(session, _members(session, item.employer_id), case.id, f"overdue-{item.id}", text)
    text = f"申请 {case.number} 的“{item.title}”已超期，请督促办理或改派。"
    return write(
        session,
        people_of(session, item.department_id, "head"),
        case.id,
        f"overdue-{item.id}",
        text,
        urgent=True,
    )
