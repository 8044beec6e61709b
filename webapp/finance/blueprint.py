"""The blueprint, and what its pages ask: whose money one may see, the tabs above every page, one act of one form."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.model import Field
from webapp.access import actor, page_actor
from webapp.database import reading, transaction
from webapp.filters import short_day
from webapp.navigation import COUNTS, ONLY
from webapp.questions import Answers, read_answers
from workflows.base.errors import Forbidden, Invalid
from workflows.cases.commands import body_digest, remember, replayed
from workflows.funds import appropriations
from workflows.funds.model import Appropriation
from workflows.funds.views import FundState, Waiting, letters_to_serve, waiting
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.model import Division, User
from workflows.organisations.permissions import PERMISSIONS, Facts, allowed, require

bp = Blueprint("finance", __name__, url_prefix="/finance")

#: Kinds of office that see the money of their county.
OFFICES = ("finance", "hrss", "rural", "ndrc")
#: Tones of states, for the tags.
BATCH_TONES = {
    "made": "waiting",
    "returned": "bad",
    "checked": "progress",
    "released": "progress",
    "settled": "good",
    "cancelled": "plain",
}
LINE_TONES = {"waiting": "waiting", "paid": "good", "bounced": "error", "dropped": "plain"}
RECOVERY_TONES = {"decided": "waiting", "demanded": "progress", "received": "good", "cancelled": "plain"}
PAYABLE_TONES = {
    "reserved": "waiting",
    "ready": "progress",
    "released": "progress",
    "paid": "good",
    "bounced": "error",
    "freed": "plain",
    "recovered": "bad",
}


def counties(session: Session) -> list[str]:
    """The counties whose money the person on the page may see; raises ``Forbidden`` when there are none."""
    me = page_actor()
    if me.kind == "auditor":
        found = _below(session, me.division_code or "")
    else:
        found = sorted({post.division_code[:6] for post in me.posts if post.kind in OFFICES})
    if not found:
        raise Forbidden(PERMISSIONS["funds.view"].refusal)
    return found


def _below(session: Session, code: str) -> list[str]:
    """The counties that a division is or has below it."""
    own = session.get(Division, code)
    if own is None or own.level not in ("province", "prefecture"):
        return [code] if own is not None else []
    query = select(Division.code).where(Division.level == "county").order_by(Division.code)
    if own.level == "prefecture":
        query = query.where(Division.parent_code == code)
    return list(session.scalars(query))


def seen(session: Session, county_code: str) -> None:
    """Raise ``Forbidden`` unless the person on the page may see the money of that county."""
    require(page_actor(), "funds.view", Facts(division_chain=chain_codes(session, county_code)))


def manages(session: Session, county_code: str) -> None:
    """Raise ``Forbidden`` unless the person on the page looks after the money of that county."""
    require(page_actor(), "funds.manage", Facts(division_chain=chain_codes(session, county_code)))


def managed_fund(session: Session, fund_id: int) -> Appropriation:
    """An appropriation whose money the person on the page looks after; raises ``NotFound``, ``Forbidden``."""
    found = appropriations.get(session, fund_id)
    manages(session, found.county_code)
    return found


def fund_stage(state: FundState) -> tuple[str, str] | None:
    """Why nothing can be reserved in an appropriation now, with the tone of its tag; ``None`` when it can."""
    if state.open:
        return None
    if state.fund.closed_on is not None:
        return "已关闭", "plain"
    if state.fund.enabled_from is not None:
        return f"{short_day(state.fund.enabled_from)}起启用", "waiting"
    return "还没有启用", "amber"


def may(session: Session, permission: str, county_code: str) -> bool:
    """Whether the person on the page has a permission in a county."""
    return allowed(page_actor(), permission, Facts(division_chain=chain_codes(session, county_code)))


def own_county(session: Session, permission: str) -> str:
    """The county in which the person on the page has a permission; raises ``Forbidden`` with the table's sentence."""
    for post in page_actor().posts:
        if may(session, permission, post.division_code[:6]):
            return post.division_code[:6]
    raise Forbidden(PERMISSIONS[permission].refusal)


def county_names(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """County → name; empty when there is only one, which then goes without saying."""
    if len(codes) < 2:
        return {}
    rows = session.execute(select(Division.code, Division.name).where(Division.code.in_(codes)))
    return {row.code: row.name for row in rows}


def what_waits(session: Session) -> Waiting:
    """What waits for the person on the page; asked once a page, for the menu and the tabs."""
    if "money_waiting" not in g:
        g.money_waiting = waiting(session, counties(session), page_actor().user_id)
    found: Waiting = g.money_waiting
    return found


def tabs(session: Session) -> list[dict[str, Any]]:
    """The pages of 财政, with what waits on them; the present one is marked."""
    now = what_waits(session)
    here = (request.endpoint or "").removeprefix("finance.")
    pages = (
        ("资金总览", "index", ("index", "fund"), None),
        ("支付批次", "batches", ("batch",), now.check + now.release),
        ("退票更正", "bounced", ("bounced", "correct"), now.bounced + now.confirm),
        ("对账", "reconciliation", ("reconciliation",), None),
        ("追回", "recoveries", ("recover",), now.to_demand + now.to_receive),
    )
    return [
        {
            "title": title,
            "href": url_for(f"finance.{endpoint}"),
            "active": here.startswith(under),
            "count": count or None,
        }
        for title, endpoint, under, count in pages
    ]


def page(template: str, session: Session, status: int = 200, **context: Any) -> ResponseReturnValue:
    """A page of 财政 with the tabs above it."""
    return render_template(template, tabs_shown=tabs(session), **context), status


def new_key() -> str:
    """The key by which two copies of one form are known as one."""
    return secrets.token_urlsafe(24)


Act = Callable[[Session, Actor], tuple[str, str]]


def once(act: Act) -> ResponseReturnValue:
    """Do what a form asks, once: the same form sent again is answered with what the first one did.

    :param act: returns what to say, and the address to go to.
    """
    key = request.form.get("command_key", "")[:44]
    digest = body_digest(
        {
            **{
                name: texts
                for name, texts in request.form.lists()
                if name not in ("csrf_token", "command_key")
            },
            **{name: _digest(file.stream.read()) for name, file in request.files.items()},
        }
    )
    for file in request.files.values():
        file.stream.seek(0)
    with transaction() as session:
        who = actor(session)
        done, name = None, f"finance:{who.user_id}:{key}"
        if key:
            # two copies of one person's form come one after the other
            session.execute(select(User.id).where(User.id == who.user_id).with_for_update(key_share=True))
            done = replayed(session, name, digest)
        if done is None:
            said, href = act(session, who)
            done = {"said": said, "href": href}
            if key:
                remember(session, name, digest, who.user_id, None, done)
    flash(done["said"], "success")
    return redirect(done["href"], 303)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Question:
    """One act that asks a question or two. ``facts``: what it is about, label and text."""

    title: str
    main: str
    back: str
    fields: Sequence[Field] = ()
    caption: str = ""
    intro: str = ""
    facts: Sequence[tuple[str, str]] = ()
    usual: Mapping[str, Any] | None = None
    danger: bool = False


def ask(
    question: Question, act: Callable[[Session, Actor, dict[str, Any]], tuple[str, str]]
) -> ResponseReturnValue:
    """Show a question; when it is answered, act, and go on. What is wrong is shown with everything typed."""
    answers = Answers(typed=dict(question.usual or {}))
    if request.method == "POST":
        answers = read_answers(question.fields)
        if not answers.errors:
            try:
                return once(lambda session, who: act(session, who, answers.values))
            except Invalid as error:
                answers.refuse(error.errors, error.message)
    shown = render_template(
        "finance/ask.html",
        question=question,
        answers=answers,
        key=request.form.get("command_key") or new_key(),
    )
    return shown, 422 if answers.errors else 200


def _county_page() -> bool:
    """Whether the person on the page finds the money in the menu."""
    return page_actor().kind == "auditor" or any(post.kind in OFFICES for post in page_actor().posts)


def _count() -> int | None:
    """What waits there: for 财政 its acts, for 人社 the letters to be served."""
    kinds = {post.kind for post in page_actor().posts}
    if not kinds & {"finance", "hrss"}:
        return None
    if "finance" not in kinds:  # on every page of 人社: one question, not six
        return letters_to_serve(reading(), counties(reading())) or None
    now = what_waits(reading())
    return now.finance + (now.to_demand if "hrss" in kinds else 0) or None


ONLY["finance.index"] = _county_page
COUNTS["finance.index"] = _count
