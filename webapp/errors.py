"""What people see when something fails: a plain page, or JSON for scripts; never a stack."""

from __future__ import annotations

import errno
import unicodedata
from typing import Any

from flask import Flask, current_app, g, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from psycopg.errors import DiskFull
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from webapp.access import GUEST, SignInNeeded, allowed_kinds, wants_json
from webapp.database import db
from webapp.services import services
from workflows.base.errors import Invalid, WengangError

#: Status → title and what to do, where the error itself says nothing better.
WORDS = {
    400: ("请求有误", "请返回上一页重新操作。"),
    401: ("请先登录", "登录已失效，请重新登录。"),
    403: ("没有权限", "您的岗位不能进行这项操作。如工作需要，请联系本单位负责人或系统管理员。"),
    404: ("页面不存在", "网址可能有误，或者内容已经删除。请检查网址，或从首页重新进入。"),
    405: ("操作方式不对", "请从页面上的按钮进行操作。"),
    409: ("内容已有变化", "这项内容在您操作期间已由他人更新，请查看最新情况后再办理。"),
    413: ("文件太大", "请压缩后再上传。"),
    422: ("有内容需要更正", "请返回上一页更正。"),
    429: ("操作过于频繁", "请稍后再试。"),
    500: (
        "系统出错",
        "系统没有完成这次操作，没有改动任何数据。请稍后再试；仍不成功的，请把下面的编号告诉系统管理员。",
    ),
    503: ("系统繁忙", "系统暂时不能处理，请稍后再试。"),
}


def install(app: Flask) -> None:
    app.register_error_handler(WengangError, _known)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(RequestEntityTooLarge, _too_large)
    app.register_error_handler(OperationalError, _database_failed)
    app.register_error_handler(PoolTimeout, _busy)
    app.register_error_handler(OSError, _file_failed)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unknown)


def _known(error: WengangError) -> ResponseReturnValue:
    _give_back()
    errors = dict(error.errors) if isinstance(error, Invalid) else {}
    href = url_for("auth.login", next=_came_from()) if isinstance(error, SignInNeeded) else ""
    return answer(error.status, error.message, errors=errors, login_href=href)


def _stale_form(error: CSRFError) -> ResponseReturnValue:
    """A form whose token is worth nothing any more: most often its session has ended, and a login is what helps."""
    if not current_user.is_authenticated and GUEST not in (allowed_kinds(request.endpoint or "") or {GUEST}):
        return _known(SignInNeeded("登录已失效，这次提交没有生效。请重新登录，再回到原来的页面提交。"))
    return answer(
        400, "页面打开的时间太长，或者已在别处重新登录，这次提交没有生效。请重新打开页面后再提交。", keep=True
    )


def _too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    limit = services().settings.max_upload_bytes // 1024 // 1024
    return answer(413, f"一次上传的文件合计不能超过 {limit} 兆，请压缩或分次上传。")


def _busy(error: Exception) -> ResponseReturnValue:
    _note(error)
    return answer(503)


def _no_space(error: Exception) -> ResponseReturnValue:
    _note(error)
    return answer(
        503,
        "服务器磁盘已满，这次操作没有保存，没有改动任何数据。请把填写的内容留好，告诉系统管理员清理磁盘后再提交。",
    )


def _file_failed(error: OSError) -> ResponseReturnValue:
    return _no_space(error) if error.errno in (errno.ENOSPC, errno.EDQUOT) else _unknown(error)


def _database_failed(error: OperationalError) -> ResponseReturnValue:
    """Full, gone or locked: come back later. Any other failure of a statement is ours."""
    if "disk is full" in str(error.orig) or isinstance(error.orig, DiskFull):
        return _no_space(error)
    gone = error.connection_invalidated or not db.engine.url.drivername.startswith("sqlite")
    return _busy(error) if gone or "locked" in str(error.orig) else _unknown(error)


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error
    return answer(error.code or 500)


def _unknown(error: Exception) -> ResponseReturnValue:
    _note(error)
    return answer(500)


def _give_back() -> None:
    """End the transaction that failed. A connection that is gone cannot even be rolled back: it is thrown away."""
    try:
        db.session.rollback()
    except DBAPIError:
        db.session().invalidate()


def _note(error: Exception) -> None:
    _give_back()
    current_app.logger.error("not handled: %s", type(error).__name__, exc_info=error)


def answer(
    status: int,
    message: str = "",
    *,
    errors: dict[str, str] | None = None,
    login_href: str = "",
    keep: bool = False,
) -> ResponseReturnValue:
    """An error as the caller understands it: JSON for a script, else a page.

    :param keep: show what was typed, so that it can be copied; on by itself for 401, 409, 422 and whatever is our fault.
    """
    title, what = WORDS.get(status, WORDS[500 if status >= 500 else 400])
    message = message or what
    if wants_json():
        body: dict[str, Any] = {"error": message, "status": status}
        if errors:
            body["errors"] = errors
        if login_href:
            body["login"] = login_href
        return jsonify(body), status
    typed = typed_text() if keep or status in {401, 409, 422} or status >= 500 else []
    said: dict[str, Any] = {
        "status": status,
        "error_title": title,
        "message": message,
        "errors": list((errors or {}).values()),
        "typed": typed,
        "login_href": login_href,
        "back_href": _came_from(),
        "request_id": g.get("request_id", ""),
    }
    try:
        page = render_template("account/error.html", **said)
    except (DBAPIError, PoolTimeout):  # menu and badges ask the database, and it is the database that is away
        page = current_app.jinja_env.get_template("account/unavailable.html").render(**said)
    return page, status


def typed_text() -> list[str]:
    """The texts a person typed into the form that failed: what must not be lost. No codes, no passwords."""
    return [
        text
        for name, texts in request.form.lists()
        if "password" not in name
        for text in texts
        if any(unicodedata.category(character) == "Lo" for character in text)
    ]


def _came_from() -> str:
    """The page whose form this was, if it is ours; an address one may safely be sent to."""
    from webapp.auth.forms import safe_next

    referrer = request.referrer or ""
    host = request.host_url.rstrip("/")
    if referrer.startswith(host + "/"):
        return safe_next(referrer.removeprefix(host))
    return url_for("home.index")
