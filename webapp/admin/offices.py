"""Offices, and the townships and villages they sit in."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forms.model import Field
from webapp.access import actor, allow, page_actor
from webapp.admin.blueprint import act, below, bp, codes_below, division_pairs, show
from webapp.database import reading
from webapp.questions import Answers, options, read_answers
from workflows.base.clock import today
from workflows.base.errors import NotFound
from workflows.organisations.divisions import add_township, add_village, children, division
from workflows.organisations.model import DEPARTMENT_KINDS, POSTS, Assignment, Department, Division, User
from workflows.organisations.offices import add_department, department_of, update_department

_ABOUT = (
    Field(key="name", label="单位名称", required=True, max_length=80, hint="全称，文书上按此落款。"),
    Field(key="phone", label="联系电话", max_length=30, hint="申请人咨询用，印在告知文书上。"),
    Field(key="address", label="办公地址", max_length=120),
)


def _new_fields(divisions: list[Division]) -> tuple[Field, ...]:
    return (
        Field(
            key="division_code",
            label="所在地区",
            type="choice",
            required=True,
            options=options(division_pairs(divisions)),
        ),
        Field(key="kind", label="单位类别", type="choice", required=True, options=options(DEPARTMENT_KINDS)),
        *_ABOUT,
    )


@bp.get("/offices")
@allow("admin")
def offices() -> ResponseReturnValue:
    """Every office of the administrator's division and below, and the counties that miss one."""
    session = reading()
    codes = codes_below(session)
    day = today()
    holders = (
        select(Assignment.department_id, func.count(func.distinct(Assignment.user_id)).label("people"))
        .where(Assignment.valid_from <= day, (Assignment.valid_to.is_(None)) | (Assignment.valid_to >= day))
        .group_by(Assignment.department_id)
        .subquery()
    )
    rows = [
        {
            "id": row.id,
            "name": row.name,
            "kind": DEPARTMENT_KINDS[row.kind],
            "place": row.division.name,
            "phone": row.phone,
            "people": people or 0,
        }
        for row, people in session.execute(
            select(Department, holders.c.people)
            .outerjoin(holders, holders.c.department_id == Department.id)
            .where(Department.division_code.in_(codes))
            .order_by(Department.division_code, Department.id)
        )
    ]
    return show("offices", rows=rows)


@bp.route("/offices/new", methods=["GET", "POST"])
@allow("admin")
def office_new() -> ResponseReturnValue:
    fields = _new_fields(
        [one for one in below(reading()) if one.level in ("county", "township", "prefecture")]
    )
    answers = Answers()
    if request.method == "POST":
        answers = read_answers(fields)
        given = answers.values

        def add(session: Session) -> str:
            add_department(
                session,
                actor(session),
                kind=given["kind"],
                division_code=given["division_code"],
                name=given["name"],
                phone=given["phone"] or "",
                address=given["address"] or "",
            )
            return f"已添加{given['name']}，请为它分配岗位。"

        if done := act(answers, add, url_for("admin.offices")):
            return done
    return show("office_form", answers, fields=fields, title="添加单位", main="添加单位")


@bp.get("/offices/<int:office_id>")
@allow("admin")
def office(office_id: int) -> ResponseReturnValue:
    """One office and who sits in it."""
    session = reading()
    found = _mine(session, office_id)
    day = today()
    names = dict(session.execute(select(User.id, User.name)).all())
    rows = [
        {
            "id": row.id,
            "user_id": row.user_id,
            "name": row.user.name,
            "post": POSTS[row.post],
            "from": row.valid_from,
            "to": row.valid_to,
            "note": f"代理{names[row.substitute_for]}" if row.substitute_for else "",
            "state": "future"
            if row.valid_from > day
            else "past"
            if row.valid_to and row.valid_to < day
            else "now",
            "active": row.user.active,
        }
        for row in session.scalars(
            select(Assignment)
            .where(Assignment.department_id == office_id)
            .order_by(Assignment.valid_to.is_not(None), Assignment.valid_from.desc(), Assignment.id)
        )
    ]
    return show("office", office=found, kind=DEPARTMENT_KINDS[found.kind], rows=rows)


@bp.route("/offices/<int:office_id>/edit", methods=["GET", "POST"])
@allow("admin")
def office_edit(office_id: int) -> ResponseReturnValue:
    found = _mine(reading(), office_id)
    answers = Answers(typed={"name": found.name, "phone": found.phone, "address": found.address})
    if request.method == "POST":
        answers = read_answers(_ABOUT)
        given = answers.values

        def save(session: Session) -> str:
            update_department(
                session,
                actor(session),
                office_id,
                name=given["name"],
                phone=given["phone"] or "",
                address=given["address"] or "",
            )
            return "单位信息已保存。"

        if done := act(answers, save, url_for("admin.office", office_id=office_id)):
            return done
    return show("office_form", answers, fields=_ABOUT, title="修改单位信息", main="保存单位信息")


def _mine(session: Session, office_id: int) -> Department:
    found = department_of(session, office_id)
    if found.division_code not in codes_below(session):
        raise NotFound("没有这个单位。")
    return found


# Townships and villages ----------------------------------------------------------------------------------------------

_PLACE = (
    Field(key="name", label="名称", required=True, max_length=60),
    Field(
        key="code",
        label="区划代码",
        required=True,
        max_length=12,
        hint="统计用区划代码：乡镇 9 位，村 12 位，以上级代码开头。",
    ),
)


@bp.route("/divisions/<code>", methods=["GET", "POST"])
@allow("admin")
def division_page(code: str) -> ResponseReturnValue:
    """What lies below a division; below a county or township, places are added here."""
    session = reading()
    if code not in codes_below(session):
        raise NotFound("没有这个地区。")
    found = division(session, code)
    addable = {"county": "乡镇", "township": "村"}.get(found.level, "")
    answers = Answers()
    if request.method == "POST" and addable:
        answers = read_answers(_PLACE)
        given = answers.values

        def add(inner: Session) -> str:
            who = actor(inner)
            if addable == "乡镇":
                add_township(inner, who, county_code=code, code=given["code"], name=given["name"])
            else:
                add_village(inner, who, township_code=code, code=given["code"], name=given["name"])
            return f"已添加{given['name']}。"

        if done := act(answers, add, url_for("admin.division_page", code=code)):
            return done
    rows = [{"code": one.code, "name": one.name, "level": one.level} for one in children(session, code)]
    return show(
        "division", answers, place=found, parent=found.parent_code, rows=rows, fields=_PLACE, addable=addable
    )


@bp.get("/divisions")
@allow("admin")
def divisions() -> ResponseReturnValue:
    """The administrator's own division."""
    return division_page(page_actor().division_code or "")
