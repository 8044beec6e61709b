"""Where is my case: for whoever knows its number and the last four digits of the contact's phone."""

from __future__ import annotations

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from webapp import rates
from webapp.access import everyone
from webapp.database import reading
from webapp.public.blueprint import bp, fleeting, form, posted, too_often
from workflows.cases.public_progress import clean_digits, clean_number, progress_of

#: Queries from one address in a quarter of an hour.
LIMIT, QUARTER = 20, 900
#: Wrong answers for one number in a day, from wherever: four digits must not be found by trying.
WRONG, DAY = 10, 86_400
NOT_FOUND = "没有查到。请核对办件编号和联系电话后四位；仍查不到的，请拨打办理单位电话。"
FOUR_DIGITS = "请填写4位数字。"


@bp.route("/progress", methods=["GET", "POST"])
@everyone
def progress() -> ResponseReturnValue:
    """The query, and below it what it found. The digits never stand in an address."""
    if request.method == "GET":
        number = request.args.get("number", "")[:40]
        return _page({"number": [number]} if number else {})
    parsed = posted("progress")
    errors = dict(parsed.errors)
    number, digits = str(parsed.values.get("number") or ""), str(parsed.values.get("digits") or "")
    if "digits" not in errors and not clean_digits(digits):
        errors["digits"] = FOUR_DIGITS
    if errors:
        return _page(parsed.raw, errors, status=422)
    if message := too_often("progress", LIMIT, QUARTER):
        return _page(parsed.raw, {"": message}, status=429)
    subject = clean_number(number)
    try:
        rates.check("progress-of", WRONG, DAY, subject)
    except rates.TooMany:
        return _page(
            parsed.raw, {"": "这个编号今天查询出错的次数太多，请明天再查，或者拨打办理单位电话。"}, status=429
        )
    found = progress_of(reading(), number, digits)
    if found is None:
        rates.note("progress-of", DAY, subject)
        return _page(parsed.raw, {"": NOT_FOUND}, status=422)
    return fleeting(render_template("public/progress_found.html", found=found))


def _page(typed: dict[str, list[str]], errors: dict[str, str] | None = None, status: int = 200) -> Response:
    return fleeting(
        render_template("public/progress.html", form=form("progress"), typed=typed, errors=errors or {}),
        status,
    )
