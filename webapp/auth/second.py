"""The second factor's pages: setting it up, and the code at the login."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import rates
from webapp.access import GUEST, actor, allow, begin_session, signed_in
from webapp.auth import signing_in
from webapp.auth.forms import safe_next
from webapp.database import reading, transaction
from webapp.questions import Answers
from webapp.services import services
from workflows.base.errors import Invalid
from workflows.documents.qr import qr_data_uri
from workflows.organisations import second_factor
from workflows.organisations.model import User

bp = Blueprint("second", __name__)

#: Wrong codes of one account in a quarter of an hour.
WRONG, WINDOW = 5, 900


@bp.route("/login/code", methods=["GET", "POST"])
@allow(GUEST)
def code() -> ResponseReturnValue:
    """The code after the password; no session begins without it."""
    user_id = signing_in.awaited()
    if user_id is None:
        flash("请先输入用户名和密码，密码通过后五分钟内填写验证码。", "info")
        return redirect(url_for("auth.login"), 303)
    target, refused = safe_next(request.values.get("next")), ""
    if request.method == "POST":
        rates.check("code", WRONG, WINDOW, subject=str(user_id))
        with transaction() as session:
            right = second_factor.check(session, user_id, request.form.get("code", ""))
            token = signing_in.start(session, session.get_one(User, user_id)) if right else ""
        if right:
            begin_session(token)
            return signing_in.remember_device(redirect(target, 303), user_id)
        rates.note("code", WINDOW, subject=str(user_id))
        refused = second_factor.WRONG
    page = render_template("auth/code.html", refused=refused, next=target)
    return make_response(page, 422 if refused else 200)


@bp.route("/account/second-factor", methods=["GET", "POST"])
@signed_in
def enrol() -> ResponseReturnValue:
    """Bring the secret into the telephone, prove it by a first code, and take the recovery codes along."""
    if request.method == "GET" and second_factor.has(reading(), current_user.id):
        return make_response(render_template("auth/factor_set.html"))
    answers = Answers()
    if "begin" in request.form:
        with transaction() as session:
            second_factor.begin(session, current_user.id)
        return redirect(url_for("second.enrol"), 303)
    if request.method == "POST":
        rates.check("code", WRONG, WINDOW, subject=str(current_user.id))
        try:
            with transaction() as session:
                codes = second_factor.confirm(session, actor(session), request.form.get("code", ""))
            return make_response(render_template("auth/recovery_codes.html", codes=codes))
        except Invalid as error:
            rates.note("code", WINDOW, subject=str(current_user.id))
            answers.refuse(error.errors, error.message)
    secret = second_factor.awaited(reading(), current_user.id)
    page = render_template(
        "auth/factor.html",
        answers=answers,
        forced=current_user.must_enrol,
        qr=_qr(secret) if secret else "",
        secret=[secret[place : place + 4] for place in range(0, len(secret), 4)] if secret else [],
    )
    return make_response(page, 422 if answers.errors else 200)


def _qr(secret: str) -> str:
    host = urlsplit(services().settings.public_url).hostname or "wengang"
    return qr_data_uri(second_factor.address(current_user.username, secret, host))
