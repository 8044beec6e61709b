"""Who acts for an employer: the first account is confirmed by the township, further ones by the first."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base import outbox
from workflows.base.clock import now, today
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.organisations.accounts import user_of
from workflows.organisations.actors import Actor, Membership, actor_of
from workflows.organisations.divisions import chain_codes
from workflows.organisations.model import User
from workflows.organisations.offices import department_for
from workflows.organisations.permissions import Facts, allowed, require
from workflows.registers.model import Employer, EmployerMember

ROLES = {"owner": "首个账号", "clerk": "经办人"}


def load_actor(session: Session, user: User) -> Actor:
    """The actor a signed-in user is today: posts, substitutions and confirmed memberships."""
    memberships = confirmed_memberships(session, user.id) if user.kind == "employer" else ()
    return actor_of(session, user, today(), memberships)


def confirmed_memberships(session: Session, user_id: int) -> tuple[Membership, ...]:
    """The confirmed memberships of a user in confirmed employers."""
    rows = session.execute(
        select(EmployerMember.employer_id, EmployerMember.role)
        .join(Employer, Employer.id == EmployerMember.employer_id)
        .where(
            EmployerMember.user_id == user_id,
            EmployerMember.status == "confirmed",
            Employer.status == "confirmed",
        )
        .order_by(EmployerMember.id)
    )
    return tuple(Membership(employer_id, role) for employer_id, role in rows)


def memberships_of(session: Session, user_id: int) -> list[EmployerMember]:
    """All memberships of a user, whatever became of them: what the employer's first page shows."""
    return list(
        session.scalars(
            select(EmployerMember).where(EmployerMember.user_id == user_id).order_by(EmployerMember.id)
        )
    )


def members_of(session: Session, actor: Actor, employer_id: int) -> list[EmployerMember]:
    """The accounts of an employer."""
    employer = session.get(Employer, employer_id)
    if employer is None:
        raise NotFound("没有这个单位。")
    require(actor, "employer.view", employer_facts(session, employer))
    return list(
        session.scalars(
            select(EmployerMember)
            .where(EmployerMember.employer_id == employer_id)
            .order_by(EmployerMember.id)
        )
    )


def waiting_for_township(session: Session, actor: Actor) -> list[EmployerMember]:
    """The first accounts that wait for the actor's townships, oldest first."""
    codes = [post.division_code for post in actor.posts if post.kind == "township"]
    if not codes:
        return []
    waiting = session.scalars(
        select(EmployerMember)
        .join(Employer, Employer.id == EmployerMember.employer_id)
        .where(EmployerMember.status == "pending", Employer.status == "pending")
        .order_by(EmployerMember.id)
    )
    return [row for row in waiting if set(chain_codes(session, row.employer.division_code)) & set(codes)]


def request_membership(
    session: Session, actor: Actor, employer: Employer, *, authorisation_file_id: int | None = None
) -> EmployerMember:
    """Ask to act for an employer that is registered already.

    While the employer waits for its township the township decides, by the 授权书; afterwards its first account does.
    """
    require(actor, "employer.register")
    row = session.scalars(
        select(EmployerMember).where(
            EmployerMember.employer_id == employer.id, EmployerMember.user_id == actor.user_id
        )
    ).one_or_none()
    if row is not None and row.status in ("pending", "confirmed"):
        raise Conflict(
            "您已申请加入该单位，请等待确认。" if row.status == "pending" else "您已是该单位的经办人。"
        )
    if employer.status == "pending" and authorisation_file_id is None:
        raise Invalid("申请没有提交，请改正下列内容。", {"authorisation": "请上传加盖公章的授权书。"})
    if row is None:
        row = EmployerMember(employer_id=employer.id, user_id=actor.user_id or 0)
        session.add(row)
    row.role, row.status, row.reason = "clerk", "pending", ""
    row.requested_at, row.decided_at, row.decided_by = now(), None, None
    row.authorisation_file_id = authorisation_file_id
    session.flush()
    _record(session, "membership-requested", actor, row)
    _tell_deciders(session, row, employer)
    return row


def _tell_deciders(session: Session, row: EmployerMember, employer: Employer) -> None:
    key = f"member-{row.id}-{row.requested_at.isoformat()}"
    if employer.status == "pending":
        township = department_for(session, "township", "township", employer.division_code)
        outbox.put(
            session,
            "notify-department",
            key,
            {"department": township.id, "text": "有用人单位登记了账号，请核对授权书后确认。"},
        )
        return
    owners = session.scalars(
        select(EmployerMember.user_id).where(
            EmployerMember.employer_id == employer.id,
            EmployerMember.role == "owner",
            EmployerMember.status == "confirmed",
        )
    )
    for owner in owners:
        outbox.put(
            session,
            "notify-user",
            f"{key}-{owner}",
            {"user": owner, "text": "有人申请加入本单位办理业务，请在“单位账号”中确认。"},
        )


def decide_member(
    session: Session, actor: Actor, member_id: int, *, agree: bool, reason: str = ""
) -> EmployerMember:
    """Confirm or refuse an account: the township decides on the first one, the first one on the others.

    With the first account the employer itself is confirmed; it is refused when no request is left.
    """
    row = session.scalars(
        select(EmployerMember).where(EmployerMember.id == member_id).with_for_update(of=EmployerMember)
    ).one_or_none()
    if row is None:
        raise NotFound("没有这条账号申请。")
    employer = session.scalars(select(Employer).where(Employer.id == row.employer_id).with_for_update()).one()
    first, facts = employer.status != "confirmed", employer_facts(session, employer)
    if row.status == "pending" or not allowed(actor, "employer.confirm", facts):
        # the township's second officer learns below who was faster, not that it is none of his business
        require(actor, "employer.confirm" if first else "employer.members", facts)
    if row.user_id == actor.user_id:
        raise Forbidden("不能确认自己的账号。")
    if row.status != "pending":
        raise Conflict("这条账号申请已由他人处理。")
    if not agree and not reason.strip():
        raise Invalid("没有保存，请改正下列内容。", {"reason": "请写明不同意的原因，申请人会看到。"})
    row.status = "confirmed" if agree else "refused"
    row.role = "owner" if first and agree else "clerk"
    row.reason = reason.strip()
    row.decided_at, row.decided_by = now(), actor.user_id
    covers: list[EmployerMember | Employer] = [row]
    if first and (agree or not _others_wait(session, row)):
        employer.status = row.status
        if agree:
            employer.confirmed_at, employer.confirmed_by = now(), actor.user_id
        covers.append(employer)
    record(
        session,
        stream(session, "registers"),
        "membership-confirmed" if agree else "membership-refused",
        actor_id=actor.user_id,
        payload={"employer": employer.id, "member": row.id},
        covers=covers,
    )
    text = (
        "您的单位账号已确认，可以办理业务。"
        if agree
        else "您的单位账号没有通过确认，请登录查看原因后重新申请。"
    )
    outbox.put(
        session,
        "notify-user",
        f"member-{row.id}-decided-{row.decided_at.isoformat()}",
        {"user": row.user_id, "text": text},
    )
    return row


def _others_wait(session: Session, row: EmployerMember) -> bool:
    return (
        session.scalars(
            select(EmployerMember.id).where(
                EmployerMember.employer_id == row.employer_id,
                EmployerMember.status == "pending",
                EmployerMember.id != row.id,
            )
        ).first()
        is not None
    )


def end_membership(session: Session, actor: Actor, member_id: int) -> EmployerMember:
    """The first account ends another's membership, or anyone their own, as long as a first account stays."""
    row = session.get(EmployerMember, member_id)
    if row is None:
        raise NotFound("没有这个单位账号。")
    if row.user_id != actor.user_id:
        require(actor, "employer.members", Facts(employer_id=row.employer_id))
    if row.status != "confirmed":
        raise Conflict("该账号不是已确认的经办人。")
    if row.role == "owner":
        raise Conflict("首个账号不能直接退出，请先由乡镇确认新的授权。")
    row.status = "ended"
    row.decided_at, row.decided_by = now(), actor.user_id
    if row.user_id != actor.user_id:  # what it was signed in for is over
        session.get_one(User, row.user_id).session_version += 1
    _record(session, "membership-ended", actor, row)
    return row


def employer_facts(session: Session, employer: Employer) -> Facts:
    """What permissions ask about an employer."""
    return Facts(division_chain=chain_codes(session, employer.division_code), employer_id=employer.id)


def member_name(session: Session, row: EmployerMember) -> str:
    """The name of the user behind a membership."""
    return user_of(session, row.user_id).name


def _record(session: Session, kind: str, actor: Actor, row: EmployerMember) -> None:
    record(
        session,
        stream(session, "registers"),
        kind,
        actor_id=actor.user_id,
        payload={"employer": row.employer_id, "member": row.id},
        covers=[row],
    )
