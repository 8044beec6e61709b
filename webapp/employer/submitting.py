"""``/employer/steps/<item>/review``: all answers on one page, then handing in; short forms are filled in here, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from forms.answers import is_shown
from forms.definition import Field, Section
from forms.show import display
from webapp import numbers
from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.employer import uploads
from webapp.employer.blueprint import (
    bp,
    file_links,
    filling,
    frame,
    new_key,
    place_href,
    posted,
    remark_texts,
    remarks,
    signed,
    to,
)
from webapp.employer.steps import field_context, keep
from workflows.base.errors import Invalid
from workflows.cases import page as read
from workflows.cases import second_look
from workflows.cases.filling import Filling, NotReady, Problem, own_item, submit
from workflows.cases.process import process_of
from workflows.cases.verdicts import current_roster


@bp.route("/employer/steps/<int:item_id>/review", methods=["GET", "POST"])
@allow("employer")
def review(item_id: int) -> ResponseReturnValue:
    """Check and hand in. What was sent back and would go again as it was is asked about once more."""
    if request.method == "GET":
        found = filling(reading(), item_id)
        return _page(found, found.problems() if not found.single else [])
    return _hand_in(item_id)


def _hand_in(item_id: int) -> ResponseReturnValue:
    found = Filling(reading(), own_item(reading(), page_actor(), item_id))
    typed = posted()
    outcome = request.form.get("outcome", found.outcome)
    if found.single and found.item.closed_at is None:
        fields = found.sections[0].fields
        keep(item_id, fields, typed)
        refused = uploads.take(item_id, [one.key for one in fields if one.type == "files"])
        if "leave" in typed:
            flash("已保存，可以随时回来继续填写。", "success")
            return to("review", item_id=item_id)
        if refused:
            found = filling(reading(), item_id)
            problems = [Problem("form", text, found.sections[0].key, key) for key, text in refused.items()]
            return _page(found, problems, 422, outcome)
    # read again: with what the one page has just kept; a form sent twice finds the step closed and is answered below
    found = Filling(reading(), own_item(reading(), page_actor(), item_id))
    if found.item.closed_at is None and "unchanged" not in typed and second_look.unchanged(found, outcome):
        if problems := found.problems(outcome):
            return _page(found, problems, 422, outcome)
        return _page(found, [], 422, outcome, asked=True)
    try:
        with transaction() as session:
            submit(
                session,
                actor(session),
                item_id,
                outcome,
                seen_version=request.form.get("seen_version", 0, type=numbers.key),
                command_key=request.form.get("command_key") or new_key(),
            )
    except NotReady as error:
        return _page(filling(reading(), item_id), error.problems, 422, outcome)
    except Invalid as error:
        problems = [Problem("form", text, key=key) for key, text in error.errors.items()]
        return _page(filling(reading(), item_id), problems or [Problem("form", error.message)], 422, outcome)
    return to("done", item_id=item_id)


def _page(
    found: Filling, problems: Sequence[Problem], status: int = 200, outcome: str = "", *, asked: bool = False
) -> ResponseReturnValue:
    """The page. ``asked``: nothing was changed, and the person is to say that it shall go so."""
    decisions, by_field = remarks(found)
    href = place_href(found)
    lines = [(href(one) if one.place != "form" or one.key else "", one.message) for one in problems]
    context: dict[str, Any] = {
        **frame(found),
        "key": request.form.get("command_key") or new_key(),
        "problems": lines,
        "refused": status == 422,
        "decisions": decisions,
        "signed": signed(found, decisions),
        "remarks": remark_texts(by_field),
        "outcomes": found.definition.outcomes,
        "outcome": outcome or (found.outcome if len(found.definition.outcomes) == 1 else ""),
        "check": found.check(),
        "asked": asked,
        "unchanged": asked or (status == 200 and second_look.unchanged(found)),
    }
    if found.single:
        section = found.sections[0]
        context |= {
            "section": section,
            "values": {**found.raw, "outcome": outcome},
            "errors": {one.key: one.message for one in problems if one.key},
            "warnings": {} if status == 422 else second_look.warnings(found),
            **field_context(found, section.fields),
            "defects": _defects(decisions),
        }
        return render_template("employer/single.html", **context), status
    wrong = {one.key: one.message for one in problems if one.place == "form"}
    doubtful = second_look.warnings(found)
    context |= {
        "doubtful": [
            (href(Problem("form", doubtful[one.key], section.key, one.key)), doubtful[one.key])
            for section in found.sections
            for one in section.fields
            if one.key in doubtful
        ],
        "summaries": [
            _summary(found, section, wrong, doubtful) for section in found.sections if _asked(found, section)
        ],
        "roster": current_roster(found.session, found.item.case_id) if found.asks_roster else None,
        "needs": [
            (one, [*file_links(one.files, removable=True), *file_links(one.files, removable=False)])
            for one in (found.needs() if found.asks_materials else ())
        ],
    }
    return render_template("employer/review.html", **context), status


def _asked(found: Filling, section: Section) -> list[Field]:
    return [one for one in section.fields if is_shown(section, one, found.values, found.outcome)]


def _summary(
    found: Filling, section: Section, wrong: dict[str, str], doubtful: dict[str, str]
) -> dict[str, Any]:
    """A section's answers as rows. What the person typed is shown whole: nobody can check a masked number."""
    href = url_for("employer.section", item_id=found.item.id, section=section.key)
    rows = []
    for one in _asked(found, section):
        value = found.values.get(one.key)
        typed = "、".join(text for text in found.raw.get(one.key, ()) if text)
        if value in (None, "", []) and typed:
            text = typed  # wrong, so shown as it was typed
        else:
            text = display(one, value, lists=found.form.lists, reveal=True)
        rows.append(
            {
                "label": one.label,
                "value": text,
                "href": "" if one.read_from else f"{href}#f-{one.key}",
                "error": wrong.get(one.key, ""),
                "warning": doubtful.get(one.key, ""),
            }
        )
    return {"title": section.title, "rows": rows}


def _defects(decisions: Sequence[Any]) -> list[dict[str, str]]:
    """What offices found, where it is a list that the one page answers as a whole."""
    return [
        row
        for decision in decisions
        for value in decision.answers.values()
        if isinstance(value, list)
        for row in value
        if isinstance(row, dict) and row.get("problem")
    ]


@bp.get("/employer/steps/<int:item_id>/done")
@allow("employer")
def done(item_id: int) -> ResponseReturnValue:
    """What was handed in, who has it now, until when, and what comes next."""
    session = reading()
    item = own_item(session, page_actor(), item_id)
    if item.closed_at is None:
        return to("step", item_id=item_id)
    if item.closed_as != "done":
        return to("case", number=item.case.number)
    process = process_of(session, item.case.version_id)
    definition = process.form(item.step)
    return render_template(
        "employer/done.html",
        item=item,
        case=item.case,
        process=process,
        following=definition.outcomes[0].next if len(definition.outcomes) == 1 else "",
        waiting=read.waiting(session, item.case),
        status=process.status_title(item.case.status),
    )
