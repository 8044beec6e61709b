"""Posts and substitutes: who acts for an office, from when to when."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.model import Field
from webapp.access import actor, allow
from webapp.admin.blueprint import act, bp, codes_below, show
from webapp.admin.users import _mine
from webapp.database import reading, transaction
from webapp.questions import Answers, as_day, options, read_answers
from workflows.base.clock import today
from workflows.base.errors import Conflict, NotFound
from workflows.organisations.model import POSTS, Assignment, Department, User
from workflows.organisations.offices import assign_post, end_assignment, name_substitute


def _post_fields(session: Session) -> tuple[Field, ...]:
    offices = session.execute(
        select(Department.id, Department.name)
        .where(Department.division_code.in_(codes_below(session)))
        .order_by(Department.division_code, Department.id)
    )
    return (
        Field(
            key="department_id",
            label="单位",
            type="choice",
            required=True,
            options=options([(str(number), name) for number, name in offices]),
        ),
        Field(key="post", label="岗位", type="choice", required=True, options=options(POSTS)),
        Field(key="valid_from", label="开始日期", type="date", required=True),
        Field(key="valid_to", label="结束日期", type="date", hint="长期任职的不填。"),
    )


@bp.route("/users/<int:user_id>/posts/new", methods=["GET", "POST"])
@allow("admin")
def user_post_new(user_id: int) -> ResponseReturnValue:
    session = reading()
    found = _mine(session, user_id)
    fields = _post_fields(session)
    name = found.name
    answers = Answers(typed={"valid_from": today().isoformat()})
    if request.method == "POST":
        answers = read_answers(fields)
        given = answers.values

        def assign(inner: Session) -> str:
            assign_post(
                inner,
                actor(inner),
                user_id=user_id,
                department_id=int(given["department_id"]),
                post=given["post"],
                valid_from=as_day(given["valid_from"]),
                valid_to=as_day(given["valid_to"]),
            )
            return "岗位已分配。"

        if done := act(answers, assign, url_for("admin.user", user_id=user_id)):
            return done
    return show(
        "post_form",
        answers,
        fields=fields,
        title="分配岗位",
        person=name,
        main="分配岗位",
        back=url_for("admin.user", user_id=user_id),
    )


@bp.route("/posts/<int:post_id>/substitute", methods=["GET", "POST"])
@allow("admin")
def user_substitute(post_id: int) -> ResponseReturnValue:
    """Name who stands in for the holder of a post, from a day to a day."""
    session = reading()
    row = _post(session, post_id)
    others = session.execute(
        select(User.id, User.name, User.username)
        .where(
            User.kind == "officer",
            User.active.is_(True),
            User.id != row.user_id,
            User.division_code.in_(codes_below(session)),
        )
        .order_by(User.name)
    )
    fields = (
        Field(
            key="by_user_id",
            label="代理人",
            type="choice",
            required=True,
            options=options([(str(number), f"{name}（{username}）") for number, name, username in others]),
            hint="岗位分离仍按本人判断：代理人在同一件申请中办过不相容事项的，不能再办。",
        ),
        Field(key="valid_from", label="开始日期", type="date", required=True),
        Field(key="valid_to", label="结束日期", type="date", required=True),
    )
    owner, person = row.user_id, f"{row.user.name}，{row.department.name}{POSTS[row.post]}"
    answers = Answers(typed={"valid_from": today().isoformat()})
    if request.method == "POST":
        answers = read_answers(fields)
        given = answers.values

        def name(inner: Session) -> str:
            name_substitute(
                inner,
                actor(inner),
                assignment_id=post_id,
                by_user_id=int(given["by_user_id"]),
                valid_from=as_day(given["valid_from"]),
                valid_to=as_day(given["valid_to"]),
            )
            return "代理已设置。"

        if done := act(answers, name, url_for("admin.user", user_id=owner)):
            return done
    return show(
        "post_form",
        answers,
        fields=fields,
        title="设置代理人",
        person=person,
        main="设置代理人",
        back=url_for("admin.user", user_id=owner),
    )


@bp.post("/posts/<int:post_id>/end")
@allow("admin")
def user_post_end(post_id: int) -> ResponseReturnValue:
    """End a post with today."""
    with transaction() as session:
        row = end_assignment(session, actor(session), post_id, today())
        user_id = row.user_id
    flash("岗位到今天结束。", "success")
    return redirect(url_for("admin.user", user_id=user_id), 303)


def _post(session: Session, post_id: int) -> Assignment:
    row = session.get(Assignment, post_id)
    if row is None or row.department.division_code not in codes_below(session):
        raise NotFound("没有这个岗位。")
    if row.valid_to is not None and row.valid_to < today():
        raise Conflict("该岗位已经结束，不能再设置代理人。")
    return row
