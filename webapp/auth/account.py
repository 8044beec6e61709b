"""One's own account: who the system takes one for, and the posts one holds."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from webapp.access import page_actor, signed_in
from webapp.database import reading
from workflows.organisations.model import POSTS, Department, User
from workflows.registers.model import Employer

bp = Blueprint("account", __name__)

KINDS = {"officer": "工作人员", "employer": "用人单位", "auditor": "审计人员", "admin": "系统管理员"}


@bp.get("/account")
@signed_in
def profile() -> ResponseReturnValue:
    """Name, posts, substitutions, units."""
    session, me = reading(), page_actor()
    offices = dict(
        session.execute(
            select(Department.id, Department.name).where(Department.id.in_(me.department_ids))
        ).all()
    )
    absent = [post.substitute_for for post in me.posts if post.substitute_for is not None]
    names = dict(session.execute(select(User.id, User.name).where(User.id.in_(absent))).all())
    posts = [
        {
            "office": offices.get(post.department_id, ""),
            "post": POSTS[post.post],
            "note": f"代理{names.get(post.substitute_for, '')}" if post.substitute_for else "",
        }
        for post in me.posts
    ]
    units = session.scalars(
        select(Employer.name).where(Employer.id.in_(me.employer_ids)).order_by(Employer.id)
    ).all()
    return render_template(
        "account/profile.html",
        kind=KINDS[current_user.kind],
        posts=posts,
        units=units,
        name=current_user.name,
    )
