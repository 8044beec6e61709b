"""``/employer/steps/<item>/materials``: the checklist, several files for each line, photos from the phone."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from forms.model import Field
from webapp.access import allow
from webapp.database import reading
from webapp.employer import uploads
from webapp.employer.blueprint import bp, file_links, filling, frame, remark_texts, remarks
from workflows.base.errors import NotFound
from workflows.cases.filling import Filling, MaterialNeed


@bp.route("/employer/steps/<int:item_id>/materials", methods=["GET", "POST"])
@allow("employer")
def materials(item_id: int) -> ResponseReturnValue:
    found = filling(reading(), item_id)
    if not found.asks_materials:
        raise NotFound("这一步不用上传材料。")
    if request.method == "GET":
        return _page(found, {})
    keys = [one.key for one in found.needs()]
    errors = uploads.take(item_id, keys)
    found = filling(reading(), item_id)
    if errors:
        return _page(found, errors, 422)
    if "stay" in request.form:
        key = request.form["stay"]
        anchor = f"#need-{key}" if key in keys else ""
        return redirect(url_for("employer.materials", item_id=item_id) + anchor, 303)
    return redirect(url_for("employer.review", item_id=item_id), 303)


def _page(found: Filling, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    _, by_field = remarks(found)
    page = render_template(
        "employer/materials.html",
        **frame(found),
        needs=[_line(one) for one in found.needs()],
        errors=errors,
        remarks=remark_texts(by_field),
    )
    return page, status


def _line(need: MaterialNeed) -> dict[str, Any]:
    return {
        "need": need,
        "field": Field(
            key=need.key,
            label=need.title,
            type="files",
            required=need.required,
            hint=need.help,
            accept=need.accept,
        ),
        "files": file_links(need.files, removable=True),
        "earlier": file_links(need.files, removable=False),
    }
