"""The blueprint, and what every page of administration asks: which part of the province its administrator looks after."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.access import page_actor
from webapp.database import transaction
from webapp.questions import Answers
from workflows.base.errors import Invalid
from workflows.organisations.model import Division

bp = Blueprint("admin", __name__, url_prefix="/admin")

PER_PAGE = 20
LEVELS = {
    "province": "省",
    "prefecture": "市（州）",
    "county": "县（市、区）",
    "township": "乡镇",
    "village": "村",
}


def below(session: Session, code: str | None = None) -> list[Division]:
    """The administrator's division and all below it, down to the townships, in the order of the codes."""
    tree = (
        select(Division.code)
        .where(Division.code == (code or page_actor().division_code))
        .cte("below", recursive=True)
    )
    tree = tree.union_all(select(Division.code).join(tree, Division.parent_code == tree.c.code))
    return list(
        session.scalars(
            select(Division)
            .where(Division.code.in_(select(tree.c.code)), Division.level != "village")
            .order_by(Division.code)
        )
    )


def codes_below(session: Session) -> list[str]:
    return [one.code for one in below(session)]


def division_pairs(divisions: list[Division]) -> list[tuple[str, str]]:
    """Choices; townships say which county they belong to."""
    names = {one.code: one.name for one in divisions}
    return [
        (
            one.code,
            f"{names.get(one.parent_code or '', '')} {one.name}".strip()
            if one.level == "township"
            else one.name,
        )
        for one in divisions
    ]


def act(
    answers: Answers, use_case: Callable[[Session], str | None], target: str
) -> ResponseReturnValue | None:
    """Do it in one transaction, say the sentence it returns and go on; ``None`` with messages when it was refused."""
    if answers.errors:
        return None
    try:
        with transaction() as session:
            said = use_case(session)
    except Invalid as error:
        answers.refuse(error.errors, error.message)
        return None
    if said:
        flash(said, "success")
    return redirect(target, 303)


def show(template: str, answers: Answers | None = None, **context: object) -> ResponseReturnValue:
    """A page, with 422 when it shows messages."""
    given = answers or Answers()
    page = render_template(f"admin/{template}.html", answers=given, **context)
    return make_response(page, 422 if given.errors else 200)
