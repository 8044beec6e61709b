"""Looking up one person's grants: by the whole ID number, with a reason that is kept with who asked and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from forms.identifiers import check_id
from workflows.audit.record import record, stream
from workflows.base.clock import today
from workflows.base.errors import Forbidden, Invalid
from workflows.base.privacy import digest_id
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.permissions import Facts, require
from workflows.registers.grant_model import Grant, GrantLookup
from workflows.registers.model import Person

#: What a reason may be long.
REASON_LENGTH = 200


@dataclass(frozen=True)
class Found:
    """What the register says of a number. ``person``: ``None`` when nobody of that number is known here."""

    person: Person | None
    grants: Sequence[Grant]


def look_up(session: Session, actor: Actor, county_code: str, id_number: str, reason: str) -> Found:
    """Everything the register holds of one person, in the whole province: a grant anywhere stands in the way.

    :param county_code: for whose work the actor asks; the register of its lookups keeps it.
    :raises Invalid: for a number that is none, or without a reason.
    """
    require(actor, "grants.look_up", Facts(division_chain=chain_codes(session, county_code)))
    if actor.user_id is None:
        raise Forbidden("奖补登记须由经办人员查询。")
    errors: dict[str, str] = {}
    number, error, _ = check_id(id_number, today())
    if error:
        errors["id_number"] = error
    text = " ".join(reason.split())
    if len(text) < 2:
        errors["reason"] = "请写明为什么查询，例如：审核某件申请时核对是否重复享受。"
    elif len(text) > REASON_LENGTH:
        errors["reason"] = f"理由最多 {REASON_LENGTH} 字，请缩短。"
    if errors:
        raise Invalid("没有查询，请改正下列内容。", errors)
    person = session.scalars(select(Person).where(Person.id_digest == digest_id(str(number)))).one_or_none()
    grants = _grants(session, person) if person is not None else []
    kept = GrantLookup(
        person_id=person.id if person is not None else None,
        user_id=actor.user_id,
        reason=text,
        found=len(grants),
    )
    session.add(kept)
    record(
        session,
        stream(session, f"grants:{county_code}"),
        "grants-looked-up",
        actor_id=actor.user_id,
        payload={"found": len(grants)},
        covers=(kept,),
    )
    return Found(person, grants)


def _grants(session: Session, person: Person) -> list[Grant]:
    return list(
        session.scalars(
            select(Grant)
            .where(Grant.person_id == person.id)
            .options(joinedload(Grant.blocking))
            .order_by(Grant.id.desc())
        )
    )
