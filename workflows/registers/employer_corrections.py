"""The township corrects what is registered of an employer, by its 营业执照: before it confirms it, and whenever the licence
changes. The 统一社会信用代码 stays: a unit with another code is another unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base import outbox
from workflows.base.clock import now
from workflows.base.errors import Conflict, Invalid
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import codes_below, county_of, township_of
from workflows.organisations.permissions import require
from workflows.registers.employers import employer_of, licence_errors
from workflows.registers.membership import employer_facts
from workflows.registers.model import Employer, EmployerCorrection, EmployerMember

#: What a reason may be long.
REASON_LENGTH = 200
#: Employers on a page.
SIZE = 20


@dataclass(frozen=True)
class Licence:
    """What the 营业执照 says. ``division_code``: the township of the 经营地址, which then looks after the unit."""

    name: str
    kind: str
    legal_representative: str
    address: str
    division_code: str

    @classmethod
    def of(cls, employer: Employer) -> Licence:
        """As it is registered now."""
        return cls(*(getattr(employer, name) for name in cls.__dataclass_fields__))


def correct_employer(
    session: Session, actor: Actor, employer_id: int, licence: Licence, reason: str
) -> EmployerCorrection:
    """Put right what is registered, and keep what stood there and why it was changed; the unit's people are told.

    :raises Invalid: with the fields that are wrong, ``reason`` among them, or when nothing differs.
    :raises Conflict: the registration was refused: the unit registers anew.
    """
    employer_of(session, employer_id)
    employer = session.scalars(
        select(Employer)
        .where(Employer.id == employer_id)
        .with_for_update(of=Employer)
        .execution_options(populate_existing=True)
    ).one()
    require(actor, "employer.correct", employer_facts(session, employer))
    if employer.status == "refused":
        raise Conflict("这个单位的登记没有通过，请对方更正后重新登记。")
    clean = Licence(*(str(getattr(licence, name)).strip() for name in Licence.__dataclass_fields__))
    errors = licence_errors(
        session, clean.name, clean.kind, clean.legal_representative, clean.address, clean.division_code
    )
    if "division_code" not in errors:
        if not _same_county(session, employer.division_code, clean.division_code):
            errors["division_code"] = "只能改到本县的乡镇；迁到外县的，请到当地重新登记。"
        elif township_of(session, employer.division_code).code == clean.division_code:
            clean = replace(clean, division_code=employer.division_code)  # a village of it: nothing moves
    if not reason.strip() or len(reason.strip()) > REASON_LENGTH:
        errors["reason"] = f"请写明更正的理由，不超过 {REASON_LENGTH} 个字，例如：营业执照已变更名称。"
    before = Licence.of(employer)
    changes = {
        name: [getattr(before, name), getattr(clean, name)]
        for name in Licence.__dataclass_fields__
        if getattr(before, name) != getattr(clean, name)
    }
    if not changes and not errors:
        errors[""] = "没有改动任何内容，没有保存。"
    if errors:
        raise Invalid("登记信息没有保存，请改正下列内容。", errors)
    for name, (_, after) in changes.items():
        setattr(employer, name, after)
    row = EmployerCorrection(
        employer_id=employer.id, changes=changes, reason=reason.strip(), by=actor.user_id, at=now()
    )
    session.add(row)
    record(
        session,
        stream(session, "registers"),
        "employer-corrected",
        actor_id=actor.user_id,
        payload={"employer": employer.id},
        covers=[employer, row],
    )
    _tell(session, employer, row)
    return row


def _same_county(session: Session, before: str, after: str) -> bool:
    return county_of(session, before).code == county_of(session, after).code


def _tell(session: Session, employer: Employer, row: EmployerCorrection) -> None:
    text = (
        f"本单位的登记信息已由{township_of(session, employer.division_code).name}更正，请在“单位信息”中查看。"
    )
    for user_id in session.scalars(
        select(EmployerMember.user_id).where(
            EmployerMember.employer_id == employer.id, EmployerMember.status == "confirmed"
        )
    ):
        outbox.put(
            session, "notify-user", f"employer-corrected-{row.id}-{user_id}", {"user": user_id, "text": text}
        )


def corrections_of(session: Session, employer_id: int) -> list[EmployerCorrection]:
    """What was corrected, the newest first. The caller asks who may see it."""
    return list(
        session.scalars(
            select(EmployerCorrection)
            .where(EmployerCorrection.employer_id == employer_id)
            .order_by(EmployerCorrection.id.desc())
        )
    )


@dataclass(frozen=True)
class EmployerPage:
    """A page of employers. ``total``: of all pages."""

    number: int
    total: int
    entries: Sequence[Employer]


def employers_of_townships(session: Session, actor: Actor, text: str = "", page: int = 1) -> EmployerPage:
    """The employers, confirmed or waiting, of the townships that the actor works for, by name.

    :param text: part of a name, or of a 统一社会信用代码.
    :param page: from 1.
    """
    codes = [post.division_code for post in actor.posts if post.kind == "township"]
    asked: list[ColumnElement[bool]] = [
        Employer.status.in_(("pending", "confirmed")),
        or_(False, *(Employer.division_code.in_(codes_below(code)) for code in dict.fromkeys(codes))),
    ]
    if wanted := text.strip():
        asked.append(
            or_(
                Employer.name.contains(wanted, autoescape=True),
                Employer.credit_code.contains(wanted.upper(), autoescape=True),
            )
        )
    total = session.scalar(select(func.count()).select_from(Employer).where(*asked)) or 0
    number = min(max(1, page), max(1, -(-total // SIZE)))
    found = session.scalars(
        select(Employer)
        .where(*asked)
        .order_by(Employer.name, Employer.id)
        .limit(SIZE)
        .offset((number - 1) * SIZE)
    )
    return EmployerPage(number, total, found.all())
