"""Accounts: found, opened, reset, closed."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from forms.model import Field
from webapp import numbers
from webapp.access import actor, allow, page_actor
from webapp.admin.blueprint import PER_PAGE, act, below, bp, codes_below, division_pairs, show
from webapp.auth.account import KINDS
from webapp.auth.forms import USERNAME_HINT
from webapp.database import reading, transaction
from webapp.questions import Answers, options, read_answers
from workflows.base.clock import now, today
from workflows.base.errors import NotFound
from workflows.organisations import accounts, second_factor
from workflows.organisations.model import POSTS, Assignment, Division, User


def _fields(divisions: list[Division]) -> tuple[Field, ...]:
    return (
        Field(key="name", label="姓名", required=True, max_length=40),
        Field(key="username", label="用户名", required=True, max_length=40, hint=USERNAME_HINT),
        Field(
            key="kind",
            label="账号类型",
            type="choice",
            required=True,
            options=options({key: KINDS[key] for key in ("officer", "auditor", "admin")}),
            hint="用人单位账号由单位自行登记，乡镇确认。",
        ),
        Field(
            key="division_code",
            label="所属地区",
            type="choice",
            required=True,
            options=options(division_pairs(divisions)),
            hint="审计人员和系统管理员负责该地区及其下级地区。",
        ),
        Field(key="phone", label="手机号", type="phone"),
    )


def _kept(session: Session) -> ColumnElement[bool]:
    """The accounts the administrator keeps: those of the division and below."""
    return User.division_code.in_(codes_below(session))


@bp.get("/users")
@allow("admin")
def users() -> ResponseReturnValue:
    session = reading()
    search, kind, state = (request.args.get(name, "").strip() for name in ("q", "kind", "state"))
    conditions: list[ColumnElement[bool]] = [_kept(session)]
    if search:
        pattern = f"%{search.replace('%', '').replace('_', '')}%"
        conditions.append(or_(User.name.like(pattern), User.username.like(pattern.lower())))
    if kind in KINDS:
        conditions.append(User.kind == kind)
    if state in ("open", "closed"):
        conditions.append(User.active.is_(state == "open"))
    total = session.scalar(select(func.count()).select_from(User).where(*conditions)) or 0
    page = request.args.get("page", 1, type=numbers.page)
    found = session.scalars(
        select(User)
        .where(*conditions)
        .order_by(User.active.desc(), User.id)
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
    ).all()
    places = dict(session.execute(select(Division.code, Division.name)).all())
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "username": one.username,
            "kind": KINDS[one.kind],
            "place": places.get(one.division_code or "", ""),
            "state": _state(one),
        }
        for one in found
    ]
    return show(
        "users",
        rows=rows,
        total=total,
        page=page,
        per_page=PER_PAGE,
        q=search,
        kind=kind,
        state=state,
        kinds=KINDS,
    )


def _state(user: User) -> tuple[str, str]:
    if not user.active:
        return "已停用", "grey"
    if user.locked_until is not None and user.locked_until > now():
        return "暂停登录", "amber"
    if user.must_change_password:
        return "待修改密码", "blue"
    return "启用", "green"


@bp.route("/users/new", methods=["GET", "POST"])
@allow("admin")
def user_new() -> ResponseReturnValue:
    fields = _fields(below(reading()))
    answers = Answers(typed={"division_code": page_actor().division_code or "", "kind": "officer"})
    if request.method == "POST":
        answers = read_answers(fields)
        made: dict[str, str] = {}

        def add(session: Session) -> None:
            user, password = accounts.create_user(session, actor(session), **answers.values)
            made.update(id=str(user.id), password=password)

        if act(answers, add, "/"):
            return _temporary_password(int(made["id"]), made["password"], "账号已开通")
    return show("user_form", answers, fields=fields)


@bp.get("/users/<int:user_id>")
@allow("admin")
def user(user_id: int) -> ResponseReturnValue:
    """One account: state, posts, and what can be done with it."""
    session = reading()
    found = _mine(session, user_id)
    day = today()
    rows = [
        {
            "id": row.id,
            "office": row.department.name,
            "office_id": row.department_id,
            "post": POSTS[row.post],
            "from": row.valid_from,
            "to": row.valid_to,
            "note": f"代理{_name(session, row.substitute_for)}" if row.substitute_for else "",
            "open": row.valid_to is None or row.valid_to >= day,
            "can_substitute": row.substitute_for is None and (row.valid_to is None or row.valid_to >= day),
        }
        for row in session.scalars(
            select(Assignment).where(Assignment.user_id == user_id).order_by(Assignment.id.desc())
        )
    ]
    place = session.get(Division, found.division_code) if found.division_code else None
    return show(
        "user",
        user=found,
        kind=KINDS[found.kind],
        state=_state(found),
        place=place.name if place else "",
        rows=rows,
        oneself=user_id == page_actor().user_id,
        factor=second_factor.has(session, user_id),
    )


@bp.post("/users/<int:user_id>/reset-password")
@allow("admin")
def user_reset(user_id: int) -> ResponseReturnValue:
    with transaction() as session:
        password = accounts.reset_password(session, actor(session), user_id)
    return _temporary_password(user_id, password, "密码已重置")


@bp.post("/users/<int:user_id>/reset-second-factor")
@allow("admin")
def user_reset_factor(user_id: int) -> ResponseReturnValue:
    """Take somebody's second factor away, so that a new one can be set up."""
    with transaction() as session:
        second_factor.reset(session, actor(session), user_id)
    flash("两步验证已解除，其登录已全部退出，本人下次登录时须重新设置。", "success")
    return redirect(url_for("admin.user", user_id=user_id), 303)


@bp.post("/users/<int:user_id>/deactivate")
@allow("admin")
def user_deactivate(user_id: int) -> ResponseReturnValue:
    with transaction() as session:
        accounts.deactivate(session, actor(session), user_id)
    flash("账号已停用，其登录已全部退出。已领取未办的事项请由单位负责人改派。", "success")
    return redirect(url_for("admin.user", user_id=user_id), 303)


@bp.post("/users/<int:user_id>/reactivate")
@allow("admin")
def user_reactivate(user_id: int) -> ResponseReturnValue:
    with transaction() as session:
        accounts.reactivate(session, actor(session), user_id)
    flash("账号已重新启用。", "success")
    return redirect(url_for("admin.user", user_id=user_id), 303)


def _temporary_password(user_id: int, password: str, title: str) -> ResponseReturnValue:
    """Shown once, on the answer to the POST itself: it stands in no address, no cookie and no store."""
    found = accounts.user_of(reading(), user_id)
    return show("temporary_password", user=found, password=password, title=title)


def _mine(session: Session, user_id: int) -> User:
    found = session.scalars(select(User).where(User.id == user_id, _kept(session))).one_or_none()
    if found is None:
        raise NotFound("没有这个用户。")
    return found


def _name(session: Session, user_id: int) -> str:
    return session.scalar(select(User.name).where(User.id == user_id)) or ""
