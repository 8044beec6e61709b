"""``/employer/steps/<item>``: the list of what is to be filled in, and its pages one by one."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from forms.definition import Field
from forms.show import COMPLETE, EMPTY, STARTED
from webapp.access import actor, allow
from webapp.database import reading, transaction
from webapp.employer import uploads
from webapp.employer.blueprint import (
    bp,
    file_links,
    filling,
    frame,
    posted,
    remark_texts,
    remarks,
    signed,
    to,
)
from webapp.filters import hour
from workflows.base.errors import NotFound
from workflows.cases import second_look
from workflows.cases.filling import Filling, errors_of, own_item, save, typed_in
from workflows.cases.rosters import latest_upload
from workflows.cases.verdicts import current_roster


@bp.get("/employer/steps/<int:item_id>")
@allow("employer")
def step(item_id: int) -> ResponseReturnValue:
    """The list of sections, or the one page of a short form."""
    found = filling(reading(), item_id)
    if found.single:
        return to("review", item_id=item_id)
    decisions, by_field = remarks(found)
    return render_template(
        "employer/step.html",
        **frame(found),
        tasks=_tasks(found, by_field),
        decisions=decisions,
        signed=signed(found, decisions),
        check=found.check(),
        left=len(found.problems()),
    )


def _tasks(found: Filling, by_field: dict[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    """The lines of the list: sections, roster, materials."""
    item_id = found.item.id
    states = found.states()
    lines = [
        {
            "title": one.title,
            "href": url_for("employer.section", item_id=item_id, section=one.key),
            "state": STARTED if states[one.key][1] else states[one.key][0],
            "note": _note(states[one.key][1], sum(len(by_field.get(f.key, ())) for f in one.fields)),
        }
        for one in found.sections
        if one.key in states
    ]
    if found.asks_roster:
        state, hint = _roster_state(found)
        lines.append(
            {
                "title": "花名册",
                "href": url_for("employer.roster", item_id=item_id),
                "state": state,
                "hint": hint,
                "note": _note(0, len(by_field.get("roster", ()))),
            }
        )
    if found.asks_materials:
        needs = found.needs()
        required = [one for one in needs if one.required]
        there = [one for one in required if one.files]
        any_file = any(one.files for one in needs)
        lines.append(
            {
                "title": "材料",
                "href": url_for("employer.materials", item_id=item_id),
                "state": COMPLETE if len(there) == len(required) else STARTED if any_file else EMPTY,
                "hint": f"必交 {len(required)} 项，已上传 {len(there)} 项"
                if required
                else "有需要补充的再上传",
                "note": _note(0, sum(len(by_field.get(one.key, ())) for one in needs)),
            }
        )
    return lines


def _note(wrong: int, remarked: int) -> str:
    notes = [f"{remarked} 条意见"] if remarked else []
    return "，".join([*notes, f"{wrong} 处需要更正"] if wrong else notes)


def _roster_state(found: Filling) -> tuple[str, str]:
    latest = latest_upload(found.session, found.item.case_id)
    roster = current_roster(found.session, found.item.case_id)
    if latest is not None and latest.status == "reading":
        return STARTED, "正在读取"
    if roster is None:
        return (STARTED, "上次上传的文件没有读成") if latest else (EMPTY, "下载模板，在电脑上填好后上传")
    if roster.bad:
        return STARTED, f"{roster.total} 人，其中 {roster.bad} 行需要改正"
    return COMPLETE, f"{roster.total} 人"


@bp.route("/employer/steps/<int:item_id>/form/<section>", methods=["GET", "POST"])
@allow("employer")
def section(item_id: int, section: str) -> ResponseReturnValue:
    """One section. 先保存 keeps what is typed as it is; 下一步 keeps it, too, and goes on when nothing is wrong."""
    found = filling(reading(), item_id)
    asked = found.section(section)
    if request.method == "GET":
        errors = errors_of(asked, found.checked().errors) if "check" in request.args else {}
        return _section_page(found, section, errors)
    typed = posted()
    keep(item_id, asked.fields, typed)
    file_errors = uploads.take(item_id, [one.key for one in asked.fields if one.type == "files"])
    found = filling(reading(), item_id)
    if "leave" in typed:
        flash("已保存，可以随时回来继续填写。", "success")
        return to("step", item_id=item_id)
    errors = {**errors_of(asked, found.checked().errors), **file_errors}
    if errors:
        return _section_page(found, section, errors, 422)
    following = _following(found, section)
    return redirect(following, 303)


def _following(found: Filling, section: str) -> str:
    """The page after a section: an answer may have opened or closed others, so it is asked now."""
    page = frame(found)
    here = url_for("employer.section", item_id=found.item.id, section=section)
    hrefs = [stop.href for stop in page["stops"]]
    return str(hrefs[hrefs.index(here) + 1]) if here in hrefs else str(hrefs[-1])


def keep(item_id: int, fields: tuple[Field, ...], typed: dict[str, list[str]]) -> None:
    """Save what is typed on a page, whatever is wrong with it."""
    with transaction() as session:
        own_item(session, actor(session), item_id)
        save(session, actor(session), item_id, fields, typed)


def _section_page(found: Filling, key: str, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    asked = found.section(key)
    _, by_field = remarks(found)
    page = render_template(
        "employer/section.html",
        **frame(found),
        section=asked,
        values=found.raw,
        errors=errors,
        warnings={} if errors else found.draft.warnings | second_look.warnings(found),
        remarks=remark_texts(by_field),
        **field_context(found, asked.fields),
        live=bool(found.step.config.get("live_rules")),
        check=found.check(),
    )
    return page, status


def field_context(found: Filling, fields: tuple[Field, ...]) -> dict[str, Any]:
    """Lists, files and modes of the questions on a page."""
    lists = found.form.lists
    return {
        "options": {one.key: lists.get(one.options_from, ()) for one in fields if one.options_from},
        "files": {
            one.key: file_links(found.files(one.key), removable=True) for one in fields if one.type == "files"
        },
        "earlier": {
            one.key: file_links(found.files(one.key), removable=False)
            for one in fields
            if one.type == "files"
        },
        "modes": {one.key: "read" for one in fields if one.read_from},
    }


@bp.post("/employer/steps/<int:item_id>/autosave")
@allow("employer")
def autosave(item_id: int) -> ResponseReturnValue:
    """What is typed so far, errors and all. ``section`` in the address: the page it stands on; without it, all."""
    with transaction() as session:
        who = actor(session)
        found = Filling(session, own_item(session, who, item_id))
        draft = save(session, who, item_id, _fields(found), posted())
        return jsonify(saved_at=hour(draft.saved_at))


@bp.post("/employer/steps/<int:item_id>/check")
@allow("employer")
def check(item_id: int) -> ResponseReturnValue:
    """What the rules say of what is typed now, as a piece of a page; nothing is kept."""
    found = filling(reading(), item_id)
    found = Filling(found.session, found.item, typed_in(_fields(found), posted()))
    result = found.check()
    if result is None:
        raise NotFound("这一步没有规则核验。")
    return render_template("employer/_check.html", check=result, process=found.process, item=found.item)


def _fields(found: Filling) -> tuple[Field, ...]:
    key = request.args.get("section", "")
    if key:
        return found.section(key).fields
    return tuple(one for section in found.sections for one in section.fields)
