"""A worker's pay slip on the phone: look it up, confirm it, or say what is wrong with it."""

from __future__ import annotations

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from webapp import rates
from webapp.access import everyone
from webapp.database import reading, transaction
from webapp.public.blueprint import bp, fleeting, form, posted, too_often
from workflows.base.errors import Conflict, Invalid, NotFound
from workflows.cases.slip_views import shown_slip
from workflows.cases.slips import answer_slip, digest_of

#: Queries from one address in a quarter of an hour: a whole site may share one.
LIMIT, QUARTER = 120, 900
#: Wrong endings of one code in a day, from wherever: four characters must not be found by trying.
WRONG, DAY = 10, 86_400


@bp.route("/slip", methods=["GET", "POST"])
@everyone
def slip() -> ResponseReturnValue:
    """The query, and in its place what it found. The end of the ID number never stands in an address.

    ``say`` is what the worker answers: ``agree`` or ``dispute``; without it the slip is only shown.
    """
    if request.method == "GET":
        code = request.args.get("code", "")[:40]
        return _query({"code": [code]} if code else {})
    parsed = posted("slip")
    if parsed.errors:
        return _query(parsed.raw, dict(parsed.errors), 422)
    code, last = str(parsed.values["code"]), str(parsed.values["last"])
    if message := too_often("slip", LIMIT, QUARTER):
        return _query(parsed.raw, {"": message}, 429)
    try:
        rates.check("slip-of", WRONG, DAY, digest_of(code))
    except rates.TooMany:
        return _query(
            parsed.raw,
            {"": "这张工资条今天查询出错的次数太多，请明天再查，或者拨打工资条上的监督电话。"},
            429,
        )
    try:
        return _answered(code, last)
    except NotFound as error:
        rates.note("slip-of", DAY, digest_of(code))
        return _query(parsed.raw, {"": error.message}, 422)


def _answered(code: str, last: str) -> Response:
    """Say what the worker says, if anything, and show how the slip stands then."""
    say = request.form.get("say", "")
    errors: dict[str, str] = {}
    refused = said = ""
    status = 200
    if say in ("agree", "dispute"):
        agrees = say == "agree"
        parsed = posted("slip_answer")
        errors = {} if agrees else dict(parsed.errors)
        if not errors:
            try:
                with transaction() as writing:
                    answer_slip(
                        writing, code, last, agrees=agrees, words=str(parsed.values.get("words") or "")
                    )
                said = say
            except Invalid as error:
                errors = error.errors
            except Conflict as error:
                refused = error.message
        status = 422 if errors else 409 if refused else 200
    page = render_template(
        "public/slip_found.html",
        slip=shown_slip(reading(), code, last),
        code=code,
        last=last,
        form=form("slip_answer"),
        typed={"words": request.form.getlist("words")},
        errors=errors,
        refused=refused,
        said=said,
    )
    return fleeting(page, status)


def _query(typed: dict[str, list[str]], errors: dict[str, str] | None = None, status: int = 200) -> Response:
    return fleeting(
        render_template("public/slip.html", form=form("slip"), typed=typed, errors=errors or {}), status
    )
