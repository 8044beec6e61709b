"""The decision panel: what the step's form asks, or, for the second office of a joint step, to sign or to send back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import Session

from forms.answers import holds
from forms.model import Field, Outcome
from forms.show import display
from webapp.access import page_actor
from workflows.cases.answering import StepForm
from workflows.cases.completing import SENT_BACK
from workflows.cases.model import WorkItem
from workflows.cases.officer_views import File, step_files
from workflows.cases.page import show_answers
from workflows.cases.verdicts import current_roster, undecided


def panel(
    session: Session,
    form: StepForm,
    item: WorkItem,
    raw: Mapping[str, Sequence[str]],
    errors: Mapping[str, str],
    following: WorkItem | None,
) -> dict[str, Any]:
    """Everything that ``officer/_panel.html`` needs.

    :param raw: what stands in the fields.
    """
    signing = form.signed is not None
    kept = step_files(session, item)
    files = {
        one.key: [_shown(file) for file in kept.get(one.key, [])]
        for one in form.definition.fields
        if one.type == "files"
    }
    roster = current_roster(session, item.case_id)
    deciding = form.step.roster == "decide" and roster is not None and item.department_id is not None
    office = item.department.name if item.department else ""
    return {
        "outcomes": _signing_outcomes(form) if signing else form.definition.outcomes,
        "fields": () if signing else _asked(form),
        "displays": {
            one.key: display(one, form.held.get(one.key), lists=form.lists)
            for one in form.definition.fields
            if one.read_from
        },
        "values": raw,
        "errors": errors,
        "options": {
            one.key: form.lists[one.options_from]
            for one in form.definition.fields
            if one.options_from in form.lists
        },
        "files": files,
        "has_files": bool(files) and not signing,
        "hidden": {
            "command_key": request.form.get("command_key") or uuid.uuid4().hex,
            "seen_version": item.version,
        },
        "title": "签署" if signing else form.definition.title,
        "intro": "" if signing else form.definition.intro,
        "signed": f"{page_actor().name}，{office}",
        "only_held": deciding and form.step.config.get("roster_rest") == "ignored",
        "left": undecided(session, roster, item.department_id or 0) if deciding and roster else 0,
        "deciding_rows": deciding,
        "next_item": (_next_title(following), url_for("officer.item", item_id=following.id))
        if following is not None
        else None,
        "free": list(form.step.config.get("roster_free", ())),
    }


def _asked(form: StepForm) -> list[Field]:
    """The questions of the form; those that hang on something known already are asked only when it is so."""
    definition = form.definition
    known = {one.key for one in definition.fields if one.read_from}
    return [
        one
        for section in definition.sections
        for one in section.fields
        if not any(
            condition is not None and condition.field in known and not holds(condition, form.held, None)
            for condition in (section.show_if, one.show_if)
        )
    ]


def _next_title(item: WorkItem) -> str:
    employer = item.case.employer
    return f"{item.case.number} {employer.name if employer else item.title}"


def _shown(file: File) -> dict[str, Any]:
    return {
        "id": file.id,
        "name": file.name,
        "size": file.size,
        "href": url_for("files.attachment", attachment_id=file.id),
    }


def _signing_outcomes(form: StepForm) -> tuple[Outcome, ...]:
    """Two buttons: agree with what the other office signed, or give it back with the reason."""
    if form.signed is None:
        return ()
    label = form.process.outcome_label(form.signed.form, form.signed.outcome)
    following = next((one.next for one in form.definition.outcomes if one.key == form.signed.outcome), "")
    return (
        Outcome(
            key=form.signed.outcome,
            label="同意并签署",
            next=f"结论为“{label}”。{following}",
            tone="primary",
            phrases=("同意。",),
        ),
        Outcome(
            key=SENT_BACK,
            label="退回对方单位",
            next="对方单位按您写的理由修改后重新签署，再转给您。",
            opinion="required",
            phrases=("核查情况记录不完整，请补充。",),
        ),
    )


def signed_content(session: Session, form: StepForm, item: WorkItem) -> dict[str, Any] | None:
    """What the other office has signed, to be read before one signs."""
    if form.signed is None:
        return None
    decision = form.signed
    return {
        "office": decision.department.name if decision.department else "",
        "person": decision.actor.name if decision.actor else "",
        "at": decision.decided_at,
        "outcome": form.process.outcome_label(decision.form, decision.outcome),
        "opinion": decision.opinion,
        "sections": show_answers(session, item.case, form.process, decision.form, dict(decision.answers)),
        "files": [file for files in step_files(session, item).values() for file in files],
    }
