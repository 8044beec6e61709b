"""Departments and posts: which office of a division answers for a lane, and who sits in it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.errors import Conflict, Invalid, NotFound
from workflows.organisations.accounts import user_of
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain, chain_codes, division
from workflows.organisations.model import DEPARTMENT_KINDS, POSTS, Assignment, Department, User
from workflows.organisations.permissions import Facts, require

LEVELS = {"township": "乡镇", "county": "县（市、区）", "prefecture": "市（州）", "province": "省"}


def department_for(session: Session, kind: str, level: str, division_code: str) -> Department:
    """The office of ``kind`` at ``level`` over a case's division; raises ``NotFound`` in words an administrator understands."""
    above = chain(session, division_code)
    code = next((one.code for one in above if one.level == level), None)
    found = session.scalars(
        select(Department).where(Department.kind == kind, Department.division_code == code)
    ).one_or_none()
    if found is None:
        raise NotFound(
            f"{above[0].name}所在的{LEVELS[level]}没有设置{DEPARTMENT_KINDS[kind]}，请联系系统管理员添加单位。"
        )
    return found


def departments_over(session: Session, division_code: str) -> list[Department]:
    """Every office of a division and of those above it."""
    codes = chain_codes(session, division_code)
    return list(
        session.scalars(select(Department).where(Department.division_code.in_(codes)).order_by(Department.id))
    )


def department_of(session: Session, department_id: int) -> Department:
    """The office; raises ``NotFound``."""
    found = session.get(Department, department_id)
    if found is None:
        raise NotFound("没有这个单位。")
    return found


def officers_of(session: Session, department_id: int, day: date, post: str | None = None) -> list[User]:
    """The active users with a post (or this post) in an office on ``day``, substitutes included, each once."""
    query = (
        select(User)
        .join(Assignment, Assignment.user_id == User.id)
        .where(
            Assignment.department_id == department_id,
            Assignment.valid_from <= day,
            or_(Assignment.valid_to.is_(None), Assignment.valid_to >= day),
            User.active.is_(True),
        )
        .order_by(User.id)
        .distinct()
    )
    if post is not None:
        query = query.where(Assignment.post == post)
    return list(session.scalars(query))


def add_department(
    session: Session,
    actor: Actor,
    *,
    kind: str,
    division_code: str,
    name: str,
    phone: str = "",
    address: str = "",
) -> Department:
    """Set up an office in a division: one of each kind. The name is data, offices merge and are renamed."""
    require(actor, "admin.offices", Facts(division_chain=chain_codes(session, division_code)))
    errors: dict[str, str] = {}
    if kind not in DEPARTMENT_KINDS:
        errors["kind"] = "请选择单位类别。"
    elif (kind == "township") != (division(session, division_code).level == "township"):
        errors["division_code"] = "乡镇人民政府设在乡镇，其他部门设在县级以上。"
    elif session.scalars(
        select(Department.id).where(Department.kind == kind, Department.division_code == division_code)
    ).first():
        errors["kind"] = "该地区已有这一类单位，请直接修改它的名称。"
    if not name.strip():
        errors["name"] = "请填写单位名称。"
    if errors:
        raise Invalid("单位没有保存，请改正下列内容。", errors)
    added = Department(
        kind=kind, division_code=division_code, name=name.strip(), phone=phone, address=address
    )
    session.add(added)
    session.flush()
    _record(session, "department-added", actor, added)
    return added


def update_department(
    session: Session, actor: Actor, department_id: int, *, name: str, phone: str, address: str
) -> Department:
    """Rename an office or change where it is found."""
    found = department_of(session, department_id)
    require(actor, "admin.offices", Facts(division_chain=chain_codes(session, found.division_code)))
    if not name.strip():
        raise Invalid("单位没有保存，请改正下列内容。", {"name": "请填写单位名称。"})
    found.name, found.phone, found.address = name.strip(), phone.strip(), address.strip()
    _record(session, "department-updated", actor, found)
    return found


def assign_post(
    session: Session,
    actor: Actor,
    *,
    user_id: int,
    department_id: int,
    post: str,
    valid_from: date,
    valid_to: date | None = None,
    substitute_for: int | None = None,
) -> Assignment:
    """Give an officer a post in an office, from a day, to a day or until ended. Whoever is signed in signs in anew: a session is of
    one role."""
    department = department_of(session, department_id)
    require(actor, "admin.users", Facts(division_chain=chain_codes(session, department.division_code)))
    user = user_of(session, user_id)
    errors: dict[str, str] = {}
    if user.kind != "officer" or not user.active:
        errors["user_id"] = "岗位只能分配给启用中的工作人员账号。"
    if post not in POSTS:
        errors["post"] = "请选择岗位。"
    if valid_to is not None and valid_to < valid_from:
        errors["valid_to"] = "结束日期不能早于开始日期。"
    if errors:
        raise Invalid("岗位没有保存，请改正下列内容。", errors)
    if _overlapping(session, user_id, department_id, post, substitute_for, valid_from, valid_to):
        raise Conflict("该人员在这段时间已有同一岗位。")
    row = Assignment(
        user_id=user_id,
        department_id=department_id,
        post=post,
        valid_from=valid_from,
        valid_to=valid_to,
        substitute_for=substitute_for,
    )
    session.add(row)
    user.session_version += 1
    session.flush()
    kind = "post-assigned" if substitute_for is None else "substitute-named"
    record(session, stream(session, "organisation"), kind, actor_id=actor.user_id, covers=[row])
    return row


def _overlapping(
    session: Session,
    user_id: int,
    department_id: int,
    post: str,
    substitute_for: int | None,
    valid_from: date,
    valid_to: date | None,
) -> bool:
    query = select(Assignment.id).where(
        Assignment.user_id == user_id,
        Assignment.department_id == department_id,
        Assignment.post == post,
        Assignment.substitute_for == substitute_for
        if substitute_for is not None
        else Assignment.substitute_for.is_(None),
        or_(Assignment.valid_to.is_(None), Assignment.valid_to >= valid_from),
    )
    if valid_to is not None:
        query = query.where(Assignment.valid_from <= valid_to)
    return session.scalars(query).first() is not None


def name_substitute(
    session: Session,
    actor: Actor,
    *,
    assignment_id: int,
    by_user_id: int,
    valid_from: date,
    valid_to: date,
) -> Assignment:
    """Let another officer stand in for a post from a day to a day. Incompatible posts are still judged by the person."""
    post = _assignment(session, assignment_id)
    if by_user_id == post.user_id:
        raise Invalid("代理没有保存，请改正下列内容。", {"by_user_id": "不能由本人代理自己。"})
    if post.substitute_for is not None:
        raise Invalid("代理没有保存，请改正下列内容。", {"by_user_id": "代理岗位不能再由他人代理。"})
    return assign_post(
        session,
        actor,
        user_id=by_user_id,
        department_id=post.department_id,
        post=post.post,
        valid_from=valid_from,
        valid_to=valid_to,
        substitute_for=post.user_id,
    )


def end_assignment(session: Session, actor: Actor, assignment_id: int, last_day: date) -> Assignment:
    """End a post after ``last_day``; the officer's sessions end now."""
    row = _assignment(session, assignment_id)
    require(actor, "admin.users", Facts(division_chain=chain_codes(session, row.department.division_code)))
    if row.valid_to is not None and row.valid_to <= last_day:
        raise Conflict("该岗位到那一天已经结束。")
    if last_day < row.valid_from:
        # It never began: the last day before its first, so that no day falls between.
        last_day = date.fromordinal(row.valid_from.toordinal() - 1)
    row.valid_to = last_day
    user_of(session, row.user_id).session_version += 1
    record(session, stream(session, "organisation"), "post-ended", actor_id=actor.user_id, covers=[row])
    return row


def _assignment(session: Session, assignment_id: int) -> Assignment:
    row = session.get(Assignment, assignment_id)
    if row is None:
        raise NotFound("没有这个岗位。")
    return row


def _record(session: Session, kind: str, actor: Actor, department: Department) -> None:
    record(session, stream(session, "organisation"), kind, actor_id=actor.user_id, covers=[department])
