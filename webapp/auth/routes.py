"""Login, logout, a forgotten password, the change of one's own, and the registration of employers."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from forms.model import Field
from webapp import rates
from webapp.access import GUEST, actor, allow, begin_session, everyone, signed_in
from webapp.auth import forms, signing_in
from webapp.database import reading, transaction
from webapp.questions import Answers, read_answers
from webapp.services import services
from workflows.base.errors import Invalid
from workflows.organisations import accounts
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import county_of, township_of
from workflows.organisations.passwords import problems
from workflows.registers.employers import EmployerData, register_employer
from workflows.registers.membership import load_actor, memberships_of

bp = Blueprint("auth", __name__)


@bp.route("/login", methods=["GET", "POST"])
@allow(GUEST)
def login() -> ResponseReturnValue:
    """One error for every reason; afterwards back to where one wanted to go."""
    target = forms.safe_next(request.values.get("next"))
    username, refused = request.form.get("username", ""), ""
    if request.method == "POST":
        done = signing_in.sign_in(username, request.form.get("password", ""))
        if done is not None and done.pending:
            return redirect(url_for("second.code", next=target), 303)
        if done is not None:
            return signing_in.remember_device(redirect(target, 303), done.user_id)
        refused = accounts.LOGIN_REFUSED
    page = render_template(
        "auth/login.html", username=username, refused=refused, next=target, demo=services().settings.demo
    )
    return make_response(page, 422 if refused else 200)


@bp.post("/logout")
@everyone
def logout() -> ResponseReturnValue:
    if current_user.is_authenticated:
        with transaction() as database:
            signing_in.end(database, current_user.token)
    session.clear()
    flash("您已退出。", "success")
    answer = make_response(redirect(url_for("auth.login"), 303))
    # office computers are shared: what the browser kept of the pages goes, too
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@bp.get("/login/forgotten")
@everyone
def forgotten() -> ResponseReturnValue:
    return render_template("auth/forgotten.html")


@bp.route("/account/password", methods=["GET", "POST"])
@signed_in
def password() -> ResponseReturnValue:
    """Change one's own password; whoever was given a temporary one comes here first."""
    answers = Answers()
    if request.method == "POST":
        old, new, again = (request.form.get(name, "") for name in ("old", "new", "again"))
        if new != again:
            answers.errors["again"] = "两次填写的新密码不一致，请重新填写。"
        else:
            try:
                token = _change_password(old, new)
            except Invalid as error:
                answers.refuse(error.errors, error.message)
            else:
                begin_session(token)
                flash("密码已修改。其他设备上的登录已退出。", "success")
                return redirect(url_for("home.index"), 303)
    page = render_template(
        "auth/password.html",
        answers=answers,
        forced=current_user.must_change_password,
        hint=forms.PASSWORD_HINT,
    )
    return make_response(page, 422 if answers.errors else 200)


def _change_password(old: str, new: str) -> str:
    rates.limited("password", 20, 3600, subject=str(current_user.id))
    with transaction() as database:
        user = accounts.change_password(
            database, actor(database), old=old, new=new, demonstration=services().settings.demo
        )
        return signing_in.start(database, user)


@bp.route("/register", methods=["GET", "POST"])
@allow(GUEST)
def register() -> ResponseReturnValue:
    """An employer's first account: unit, person, account and 授权书 on one page."""
    places = forms.townships(reading())
    account, contact, unit = forms.account_fields(), forms.contact_fields(), forms.unit_fields(places)
    answers = Answers()
    if request.method == "POST":
        answers = read_answers((*unit, *contact, *account))
        _check_new_password(answers)
        _check_authorisation(answers)
        if not answers.errors and (token := _register(answers)):
            begin_session(token)
            return redirect(url_for("auth.pending"), 303)
    return _registration(answers, places, unit, contact, account)


@bp.route("/register/unit", methods=["GET", "POST"])
@allow("employer")
def join() -> ResponseReturnValue:
    """Somebody with an account registers a unit, after a refusal or for a second one."""
    places = forms.townships(reading())
    contact, unit = forms.contact_fields(), forms.unit_fields(places)
    answers = Answers()
    if request.method == "POST":
        answers = read_answers((*unit, *contact))
        _check_authorisation(answers)
        if not answers.errors and _join(answers):
            return redirect(url_for("auth.pending"), 303)
    return _registration(answers, places, unit, contact, ())


def _registration(
    answers: Answers,
    places: forms.Townships,
    unit: tuple[Field, ...],
    contact: tuple[Field, ...],
    account: tuple[Field, ...],
) -> ResponseReturnValue:
    if answers.errors:  # no browser keeps a file that was chosen: say so where it is said what else is wrong
        answers.errors.setdefault("authorisation", "请重新选择授权书，其他内容已保留。")
        asked = [one.key for one in (*unit, *contact, forms.AUTHORISATION, *account)]
        places_of = {key: place for place, key in enumerate([*asked, "password", "again"])}
        answers.errors = dict(sorted(answers.errors.items(), key=lambda one: places_of.get(one[0], -1)))
    page = render_template(
        "auth/register.html",
        answers=answers,
        places=places,
        unit=unit,
        contact=contact,
        account=account,
        authorisation=forms.AUTHORISATION,
        hint=forms.PASSWORD_HINT,
    )
    return make_response(page, 422 if answers.errors else 200)


def _check_new_password(answers: Answers) -> None:
    new, again = request.form.get("password", ""), request.form.get("again", "")
    if wrong := problems(new, request.form.get("username", "")):
        answers.errors["password"] = " ".join(wrong)
    elif new != again:
        answers.errors["again"] = "两次填写的密码不一致，请重新填写。"


def _authorisations() -> list[FileStorage]:
    """The 授权书 that was chosen. A page has two inputs of this name, one for files and one for the camera."""
    return [one for one in request.files.getlist("authorisation-upload") if one.filename]


def _check_authorisation(answers: Answers) -> None:
    if not _authorisations():
        answers.errors["authorisation"] = "请上传加盖公章的授权书。"


def _register(answers: Answers) -> str:
    """Open account and unit together; the token of the new sign-in, or ``""`` with the messages in ``answers``."""
    rates.limited("register", 20, 3600)
    try:
        with transaction() as database:
            user = accounts.register_account(
                database,
                username=answers.values["username"],
                name=answers.values["contact_name"],
                password=request.form["password"],
                division_code=county_of(database, answers.values["division_code"]).code,
                phone=answers.values["contact_phone"],
            )
            _register_unit(database, load_actor(database, user), answers)
            return signing_in.start(database, user)
    except Invalid as error:
        answers.refuse(error.errors, error.message)
        return ""


def _join(answers: Answers) -> bool:
    rates.limited("register", 20, 3600)
    try:
        with transaction() as database:
            _register_unit(database, actor(database), answers)
    except Invalid as error:
        answers.refuse(error.errors, error.message)
        return False
    return True


def _register_unit(database: Session, who: Actor, answers: Answers) -> None:
    chosen = _authorisations()[0]
    try:
        file = services().store.attach(database, chosen.read(), chosen.filename or "", who.user_id)
    except Invalid as error:
        raise Invalid(error.message, {"authorisation": error.message}) from None
    given = answers.values
    register_employer(
        database,
        who,
        EmployerData(
            credit_code=given["credit_code"],
            name=given["name"],
            kind=given["kind"],
            legal_representative=given["legal_representative"],
            contact_name=given["contact_name"],
            contact_phone=given["contact_phone"],
            address=given["address"],
            division_code=given["division_code"],
            legal_id_number=given["legal_id_number"] or "",
        ),
        authorisation_file_id=file.id,
    )


@bp.get("/register/pending")
@allow("employer")
def pending() -> ResponseReturnValue:
    """How the confirmation of one's units stands, and what happens next."""
    database = reading()
    rows = [
        {
            "unit": row.employer.name,
            "status": row.status,
            "reason": row.reason,
            "requested_at": row.requested_at,
            "decided_at": row.decided_at,
            "decider": f"{township_of(database, row.employer.division_code).name}"
            if row.employer.status != "confirmed"
            else "本单位的首个账号",
        }
        for row in memberships_of(database, current_user.id)
    ]
    return render_template("auth/pending.html", rows=rows)
