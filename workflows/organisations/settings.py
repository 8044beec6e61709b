"""What an administrator sets: the working calendar and the parameters of a process, each with its reason."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.calendar import CalendarDay
from workflows.base.errors import Invalid
from workflows.base.parameters import Parameter
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.permissions import Facts, require


def set_calendar_day(session: Session, actor: Actor, *, day: date, working: bool, note: str) -> CalendarDay:
    """Say that a day is worked or not, whatever the published calendar says. Deadlines already set do not move."""
    require(actor, "admin.calendar")
    if not note.strip():
        raise Invalid("日历没有保存，请改正下列内容。", {"note": "请填写依据，例如通知名称。"})
    row = session.merge(CalendarDay(day=day, working=working, note=note.strip()))
    record(
        session,
        stream(session, "organisation"),
        "calendar-day-set",
        actor_id=actor.user_id,
        payload={"day": day.isoformat(), "working": working, "note": row.note},
        covers=(row,),
    )
    return row


def set_parameter(
    session: Session,
    actor: Actor,
    *,
    process: str,
    key: str,
    division_code: str,
    value: Any,
    basis: str,
    valid_from: date,
    valid_to: date | None = None,
) -> Parameter:
    """Set a parameter for a division and below, from a day on. A row is added: what was in force before stays known."""
    require(actor, "admin.parameters", Facts(division_chain=chain_codes(session, division_code)))
    errors: dict[str, str] = {}
    if not basis.strip():
        errors["basis"] = "请填写依据，例如文件名称和文号。"
    if valid_to is not None and valid_to < valid_from:
        errors["valid_to"] = "结束日期不能早于开始日期。"
    if errors:
        raise Invalid("参数没有保存，请改正下列内容。", errors)
    row = Parameter(
        process=process,
        key=key,
        division_code=division_code,
        value=value,
        basis=basis.strip(),
        valid_from=valid_from,
        valid_to=valid_to,
        entered_by=actor.user_id,
    )
    session.add(row)
    session.flush()
    record(
        session,
        stream(session, "organisation"),
        "parameter-set",
        actor_id=actor.user_id,
        payload={
            "parameter": row.id,
            "process": process,
            "key": key,
            "division": division_code,
            "value": value,
            "valid_from": valid_from.isoformat(),
            "valid_to": valid_to.isoformat() if valid_to else None,
        },
        covers=(row,),
    )
    return row
