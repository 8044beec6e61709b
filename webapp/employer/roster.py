"""``/employer/steps/<item>/roster``: template, upload, how far reading is, and every error of every row."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

from flask import Response, flash, jsonify, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from forms.annotate import annotated
from forms.sheet_template import template
from webapp import numbers
from webapp.access import actor, allow
from webapp.database import reading, transaction
from webapp.employer.blueprint import bp, filling, frame, remark_texts, remarks, to
from webapp.filters import time_left
from webapp.views_support import replace_args
from workflows.base.clock import now
from workflows.base.errors import Invalid, NotFound
from workflows.base.files import XLSX
from workflows.cases import rosters, second_look
from workflows.cases.filling import Filling, own_item
from workflows.cases.process import Process
from workflows.cases.roster_model import Roster
from workflows.cases.roster_problems import SIZE, problems
from workflows.cases.verdicts import current_roster

#: A file that is still not read by then has met with something: another may be uploaded over it.
STUCK = timedelta(minutes=5)


@bp.route("/employer/steps/<int:item_id>/roster", methods=["GET", "POST"])
@allow("employer")
def roster(item_id: int) -> ResponseReturnValue:
    found = _asked(filling(reading(), item_id))
    if request.method == "GET":
        return _page(found)
    upload = request.files.get("file")
    content = upload.read() if upload is not None else b""
    name = (upload.filename if upload is not None else "") or "花名册.xlsx"
    try:
        with transaction() as session:
            who = actor(session)
            own_item(session, who, item_id)
            rosters.upload(session, who, item_id, content, name, whole=request.form.get("how") == "whole")
    except Invalid as error:
        return _page(found, error.errors.get("roster", error.message), 422)
    return to("roster", item_id=item_id)


def _asked(found: Filling) -> Filling:
    if not found.asks_roster:
        raise NotFound("这一步不用上传花名册。")
    return found


def _page(found: Filling, error: str = "", status: int = 200) -> ResponseReturnValue:
    session, case_id = found.session, found.item.case_id
    latest = rosters.latest_upload(session, case_id)
    context: dict[str, Any] = {
        **frame(found),
        "error": error,
        "latest": latest,
        "remark": remark_texts(remarks(found)[1]).get("roster"),
        "max_rows": found.process.roster.max_rows if found.process.roster else 0,
    }
    if latest is not None and latest.status == "reading" and not error:
        stuck = now() - latest.uploaded_at > STUCK
        page = render_template(
            "employer/reading.html",
            **context,
            stuck=stuck,
            eta=time_left(latest.uploaded_at, latest.done, latest.total),
        )
        return page, status
    current = current_roster(session, case_id)
    page = render_template(
        "employer/roster.html",
        **context,
        current=current,
        apart=list(second_look.warnings(found).values()),
        check=found.check(),
        **_result(found, current),
    )
    return page, status


def _result(found: Filling, current: Roster | None) -> dict[str, Any]:
    if current is None:
        return {"wrong": None, "doubtful": None}
    chosen = {
        name: request.args.get(name, 0, type=numbers.page) for name in ("kind", "doubt", "page", "more")
    }
    return {
        "wrong": problems(
            found.session, current, found.process, kind=chosen["kind"], page=chosen["page"] or 1
        ),
        "doubtful": problems(
            found.session,
            current,
            found.process,
            warnings=True,
            kind=chosen["doubt"],
            page=chosen["more"] or 1,
        ),
        "size": SIZE,
        "wrong_href": lambda number: replace_args(page=number) + "#wrong-list",
        "doubtful_href": lambda number: replace_args(more=number) + "#doubtful-list",
    }


@bp.get("/employer/steps/<int:item_id>/roster/progress")
@allow("employer")
def roster_progress(item_id: int) -> ResponseReturnValue:
    """How far the reading is, for the page that waits."""
    found = _asked(filling(reading(), item_id))
    latest = rosters.latest_upload(found.session, found.item.case_id)
    if latest is None:
        raise NotFound("还没有上传花名册。")
    finished = latest.status != "reading"
    eta = time_left(latest.uploaded_at, latest.done, latest.total)
    return jsonify(
        done=latest.done,
        total=latest.total,
        text="读取完成" if finished else f"预计还需{eta}" if eta else "正在排队，马上开始",
        finished=finished,
        href=url_for("employer.roster", item_id=item_id),
    )


@bp.get("/employer/steps/<int:item_id>/roster/template")
@allow("employer")
def roster_template(item_id: int) -> Response:
    """The sheet to be filled in, with all choices as drop-down lists."""
    found = _asked(filling(reading(), item_id))
    definition = _definition(found.process)
    content = template(definition, lists=found.form.lists)
    return _sheet(content, f"{definition.title}.xlsx")


@bp.get("/employer/steps/<int:item_id>/roster/annotated")
@allow("employer")
def roster_annotated(item_id: int) -> ResponseReturnValue:
    """What was uploaded, with everything wrong coloured and explained: to be put right and uploaded again."""
    found = _asked(filling(reading(), item_id))
    current = current_roster(found.session, found.item.case_id)
    if current is None:
        flash("还没有读取成功的花名册，没有可以下载的标注。", "warning")
        return to("roster", item_id=item_id)
    rows = rosters.stored_rows(found.session, current.id)
    content = annotated(_definition(found.process), rows, lists=found.form.lists)
    return _sheet(content, f"{_definition(found.process).title}（标注问题）.xlsx")


def _definition(process: Process) -> Any:
    if process.roster is None:
        raise NotFound("这个事项没有花名册。")
    return process.roster


def _sheet(content: bytes, name: str) -> Response:
    return send_file(BytesIO(content), mimetype=XLSX, as_attachment=True, download_name=name)
