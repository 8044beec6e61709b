"""Objecting on the page of a 公示."""

from __future__ import annotations

import re
from datetime import date

from flask import Response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from forms.web import Parsed
from webapp.access import everyone
from webapp.database import reading, transaction
from webapp.public.blueprint import bp, fleeting, posted, too_often
from webapp.public.publicity import ended, running_page
from workflows.base.errors import Conflict, Invalid
from workflows.cases.objecting import Receipt, content_problem, submit_objection
from workflows.cases.public_views import PublicityNotice, publicity_notice

#: Objections from one address in an hour. A village may share an address: not too few.
LIMIT, HOUR = 20, 3600
_KEY = re.compile(r"[0-9a-f]{32}\Z")
_STALE = "页面打开的时间太长，请刷新页面后重新提交。"


@bp.post("/publicity/<token>/objection")
@everyone
def object_to(token: str) -> ResponseReturnValue:
    """One form, one case: the receipt is the same however often it is sent."""
    notice = publicity_notice(reading(), token)
    parsed = posted("objection")
    if notice.running is None:
        return _too_late(notice, parsed)
    key = request.form.get("command_key", "")
    errors = _problems(parsed) if _KEY.match(key) else {"": _STALE}
    if errors:
        return _again(notice, token, key, parsed, errors, 422)
    if message := too_often("objection", LIMIT, HOUR):
        return _again(notice, token, key, parsed, {"": message}, 429)
    try:
        receipt = _submit(token, key, parsed)
    except Invalid as error:
        return _again(notice, token, key, parsed, error.errors or {"": error.message}, 422)
    except Conflict:  # it ended while the form was being filled in
        return _too_late(publicity_notice(reading(), token), parsed)
    session["objection"] = [token, receipt.number, receipt.answer_by.isoformat(), parsed.values["identity"]]
    return redirect(url_for("public.objected", token=token), 303)


def _problems(parsed: Parsed) -> dict[str, str]:
    """Everything wrong at once, in the order of the page."""
    problem = content_problem(str(parsed.values.get("content") or ""))
    first = {"content": problem} if problem and "content" not in parsed.errors else {}
    return {**first, **parsed.errors}


def _submit(token: str, key: str, parsed: Parsed) -> Receipt:
    given = parsed.values
    with transaction() as database:
        return submit_objection(
            database,
            token,
            key=key,
            content=str(given["content"]),
            name=str(given.get("name") or ""),
            phone=str(given.get("phone") or ""),
        )


def _again(
    notice: PublicityNotice, token: str, key: str, parsed: Parsed, errors: dict[str, str], status: int
) -> Response:
    message = errors.pop("", "")
    return running_page(
        notice, token, key=key, typed=parsed.raw, errors=errors, message=message, status=status
    )


def _too_late(notice: PublicityNotice, parsed: Parsed) -> Response:
    typed = [text for text in parsed.raw.get("content", []) if text.strip()]
    return ended(notice, typed, status=409)


@bp.get("/publicity/<token>/objected")
@everyone
def objected(token: str) -> ResponseReturnValue:
    """The receipt, for the browser that sent the objection; it outlives the 公示."""
    held = session.get("objection")
    if not isinstance(held, list) or len(held) != 4 or held[0] != token:
        return redirect(url_for("public.publicity", token=token), 303)
    page = render_template(
        "public/objected.html",
        notice=publicity_notice(reading(), token),
        number=held[1],
        answer_by=date.fromisoformat(held[2]),
        anonymous=held[3] == "anonymous",
    )
    return fleeting(page)
