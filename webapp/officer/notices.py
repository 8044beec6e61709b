"""``/notices``: what the application has told a person; reading one takes it off the count."""

from __future__ import annotations

from flask import current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select, update

from webapp.access import page_actor, signed_in
from webapp.auth.account import bp
from webapp.database import reading, transaction
from webapp.navigation import COUNTS
from webapp.officer.blueprint import page_number
from workflows.base.clock import now
from workflows.base.errors import NotFound
from workflows.cases.jobs import unread
from workflows.cases.model import Case, Notice, WorkItem

PER_PAGE = 20
#: Kind of user → endpoint of a case's page, which takes its number; the first that exists.
_CASE_PAGES = {"officer": ("officer.case",), "auditor": ("officer.case",), "employer": ("employer.case",)}


@bp.get("/notices")
@signed_in
def notices() -> ResponseReturnValue:
    """The person's notices, newest first."""
    session, me = reading(), page_actor()
    page = page_number()
    own = Notice.user_id == me.user_id
    total = session.scalar(select(func.count(Notice.id)).where(own)) or 0
    rows = session.scalars(
        select(Notice).where(own).order_by(Notice.id.desc()).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    ).all()
    left = unread(session, me.user_id or 0)
    return render_template("officer/notices.html", rows=rows, total=total, page=page, left=left)


@bp.post("/notices/<int:notice_id>/open")
@signed_in
def open_notice(notice_id: int) -> ResponseReturnValue:
    """Mark one as read and go where it points."""
    me = page_actor()
    with transaction() as session:
        notice = session.get(Notice, notice_id)
        if notice is None or notice.user_id != me.user_id:
            raise NotFound("没有这条通知。")
        notice.read_at = notice.read_at or now()
        case_id, about = notice.case_id, notice.about
    return redirect(_about(about) if about else _target(case_id), 303)


@bp.post("/notices/read")
@signed_in
def read_notices() -> ResponseReturnValue:
    """Mark all as read."""
    with transaction() as session:
        session.execute(
            update(Notice)
            .where(Notice.user_id == page_actor().user_id, Notice.read_at.is_(None))
            .values(read_at=now())
        )
    return redirect(url_for("account.notices"), 303)


def _about(about: str) -> str:
    """The page of 财政 that a notice leads to."""
    kind, _, key = about.partition(":")
    if kind == "batch":
        return url_for("finance.batch", batch_id=int(key))
    return url_for(f"finance.{kind}")


def _target(case_id: int | None) -> str:
    """An officer's own open item, else the page of the case."""
    session, me = reading(), page_actor()
    case = session.get(Case, case_id) if case_id is not None else None
    if case is None:
        return url_for("account.notices")
    if me.kind == "officer":
        item = session.scalars(
            select(WorkItem.id)
            .where(
                WorkItem.case_id == case.id,
                WorkItem.closed_at.is_(None),
                WorkItem.department_id.in_(me.department_ids),
            )
            .order_by(WorkItem.id)
        ).first()
        if item is not None:
            return url_for("officer.item", item_id=item)
    for endpoint in _CASE_PAGES.get(me.kind, ()):
        if endpoint in current_app.view_functions:
            return url_for(endpoint, number=case.number)
    return url_for("account.notices")


def _unread() -> int:
    return unread(reading(), page_actor().user_id or 0)


COUNTS["account.notices"] = _unread
