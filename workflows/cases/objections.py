"""Objections from the public page: each opens a case of the objection process."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.errors import Conflict, NotFound
from workflows.cases.action import begin
from workflows.cases.model import Objection, Publicity
from workflows.cases.starting import start
from workflows.organisations.actors import PUBLIC


def object_to(session: Session, token: str, *, name: str, phone: str, content: str) -> Objection:
    """Anyone objects to a running publicity: a case of the objection process opens at once.

    :raises Conflict: the period is over; the message says where to turn.
    """
    publicity = session.scalars(select(Publicity).where(Publicity.token == token)).one_or_none()
    if publicity is None:
        raise NotFound("没有这个公示，或者公示已经结束。")
    parent = begin(session, publicity.case_id, None)
    session.refresh(publicity)
    if publicity.closed_at is not None or parent.at >= publicity.ends_at:
        raise Conflict("公示期已经结束，不能再在网上提出异议。请向公示所列的受理单位反映。")
    process_key = parent.process.config["publicity"][publicity.kind]["objection_process"]
    case = start(
        session,
        PUBLIC,
        process_key,
        division_code=parent.case.division_code,
        employer=parent.case.employer,
        parent=parent.case,
    )
    objection = Objection(
        publicity_id=publicity.id,
        case_id=case.id,
        objector_name=name,
        objector_phone=phone,
        content=content,
        received_at=parent.at,
    )
    session.add(objection)
    parent.record("objection-received", (objection,), objection_case=case.id)
    return objection
