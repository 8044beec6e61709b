"""``/work/<item>``: what a decision rests on, and the decision itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import defer

from forms.definition import FormDefinition, Option
from forms.show import to_raw
from webapp import numbers
from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.filters import defect_rows, form_value, hour
from webapp.officer import uploads
from webapp.officer.blueprint import bp, case_caption, item_seen, own_office, posted
from webapp.officer.evidence import gather, roster_arguments
from webapp.officer.panel import panel, signed_content
from webapp.officer.worklist import filters_of, remembered
from workflows.base.errors import Conflict, Invalid, WengangError
from workflows.cases import drafts
from workflows.cases.answering import parse_answers, step_form
from workflows.cases.commands import KeyUsed
from workflows.cases.completing import complete
from workflows.cases.lists import lists_for
from workflows.cases.model import Decision, WorkItem
from workflows.cases.officer_views import duty_conflict, next_item, sent_back
from workflows.cases.page import waiting
from workflows.cases.process import process_of
from workflows.cases.verdicts import AGREE, REFUSE, give
from workflows.cases.worklist import light
from workflows.documents.model import IssuedDocument
from workflows.organisations.permissions import allowed

#: The parts of a defect, as its row asks them.
DEFECT_PARTS = ("涉及内容", "存在的问题", "需要怎么做")


@dataclass
class Typed:
    """What came in and was refused: shown again with its messages. ``rows``: the form over the roster."""

    raw: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    row_errors: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[str]] = field(default_factory=dict)

    @property
    def summary(self) -> list[tuple[str, str]]:
        return [*self.errors.items(), *self.row_errors.items()]


@bp.get("/work/<int:item_id>")
@allow("officer")
def item(item_id: int) -> ResponseReturnValue:
    """The decision page; of what is closed or not this office's, the case page."""
    return _show(item_id)


def _show(item_id: int, typed: Typed | None = None, status: int = 200) -> ResponseReturnValue:
    session, me = reading(), page_actor()
    found, facts = item_seen(session, item_id)
    case = found.case
    if found.closed_at is not None or not me.holds(found.department_id):
        if found.closed_at is not None and me.holds(found.department_id):
            flash(f"“{found.title}”已经办结，这里是申请的最新情况。", "info")
        return redirect(url_for("officer.case", number=case.number), 303)
    process = process_of(session, case.version_id)
    typed = typed or Typed()
    may_act = allowed(me, "case.act", facts)
    conflict = duty_conflict(session, case, process, found, me)
    form = step_form(session, case, found)
    back, before = sent_back(session, found)
    raw = dict(form.raw)
    if before is not None and not form.draft:
        raw |= to_raw(form.definition, before.answers) | {
            "outcome": [before.outcome],
            "opinion": [before.opinion],
        }
    following = next_item(session, me, found, filters_of(remembered()))
    page = render_template(
        "officer/item.html",
        item=found,
        caption=case_caption(case),
        light=light(found),
        e=gather(session, case, process, item=found if may_act and not conflict else None),
        panel=panel(session, form, found, raw | typed.raw, typed.errors, following)
        if may_act and not conflict
        else None,
        conflict=conflict,
        signed=signed_content(session, form, found),
        rows_action=url_for("officer.rows", item_id=item_id, **roster_arguments()),
        back=back,
        own=found.claimed_by is not None and found.claimed_by in me.stands_for,
        may_claim=found.claimed_by is None and not conflict,
        may_unclaim=allowed(me, "case.unclaim", facts),
        may_reassign=allowed(me, "case.reassign", facts),
        following=following,
        typed=typed,
    )
    return page, status


@bp.route("/work/<int:item_id>/decide", methods=["GET", "POST"])
@allow("officer")
def decide(item_id: int) -> ResponseReturnValue:
    """Files first, in their own transaction; then the decision, whole or not at all.

    A page that was shown again after a mistake has this address: whoever reloads or shares it comes to the item.
    """
    if request.method == "GET":
        item_seen(reading(), item_id)
        return redirect(url_for("officer.item", item_id=item_id), 303)
    own_office(item_id)
    raw = posted()
    typed = Typed(raw)
    try:
        errors = uploads.take(item_id)
    except Conflict as error:
        return _conflict(item_id, raw, error)
    if "add_row" in request.form or (errors and "upload" in request.form):
        typed.errors = errors
        return _show(item_id, typed, 422 if errors else 200)
    if "upload" in request.form:
        with transaction() as session:
            drafts.save(session, actor(session), item_id, uploads.without_files(session, item_id, raw))
        flash("照片和已填内容已保存。", "success")
        return redirect(url_for("officer.item", item_id=item_id) + "#decision", 303)
    outcome = request.form.get("outcome", "")
    try:
        with transaction() as session:
            who = actor(session)
            found, _ = item_seen(session, item_id)
            uploads.fill_in(session, found, raw)
            parsed = parse_answers(session, found.case, found, raw, outcome)
            if errors:
                raise Invalid("有内容需要更正。", {**parsed.errors, **errors})
            complete(
                session,
                who,
                item_id,
                outcome,
                parsed,
                seen_version=request.form.get("seen_version", -1, type=numbers.key),
                command_key=_command_key(),
                rest_verdict=request.form.get("rest_verdict") or None,
            )
    except KeyUsed as error:
        return _conflict(item_id, raw, error)
    except Invalid as error:
        typed.errors = error.errors or {"": error.message}
        return _show(item_id, typed, 422)
    except Conflict as error:
        return _conflict(item_id, raw, error)
    return redirect(url_for("officer.done", item_id=item_id), 303)


def _command_key() -> str:
    key = request.form.get("command_key", "")
    if not (key.isalnum() and 16 <= len(key) <= 64):
        raise Invalid("这个页面不完整，请刷新页面后再提交。")
    return key


def _conflict(item_id: int, raw: dict[str, list[str]], error: WengangError) -> ResponseReturnValue:
    """Somebody else was faster, or this page was sent before and said something else: who and when, and everything typed, to
    be copied."""
    session = reading()
    found, _ = item_seen(session, item_id)
    process = process_of(session, found.case.version_id)
    definition = process.form(found.step)
    chosen = next((one.label for one in definition.outcomes if [one.key] == raw.get("outcome")), "")
    page = render_template(
        "officer/conflict.html",
        error_title="已由他人办理" if isinstance(error, Conflict) else "这个页面已经提交过",
        message=error.message,
        case=found.case,
        item=found,
        chosen=chosen,
        kept=_kept(definition, raw, lists_for(session, found.case, process)),
        still_open=found.closed_at is None,
        following=next_item(session, page_actor(), found, filters_of(remembered())),
    )
    return page, error.status


def _kept(
    definition: FormDefinition, raw: dict[str, list[str]], lists: Mapping[str, Sequence[Option]]
) -> list[tuple[str, str]]:
    """What was typed, question by question in the order of the page; of a list of defects, item by item."""
    kept: list[tuple[str, str]] = []
    for one in definition.fields:
        words = {option.value: option.label for option in (*one.options, *lists.get(one.options_from, ()))}
        if one.type == "defects":
            for number, row in enumerate(defect_rows(raw, one.key), 1):
                parts = (words.get(row.get("field", ""), ""), row.get("problem", ""), row.get("action", ""))
                text = "\n".join(
                    f"{name}：{part}" for name, part in zip(DEFECT_PARTS, parts, strict=True) if part
                )
                kept.append((f"{one.label} 第 {number} 项", text))
        else:
            texts = [words.get(text, text) for text in raw.get(one.key, []) if text.strip()]
            kept.append((one.label, "、".join(texts)))
    kept += [("意见", form_value(raw.get("opinion"))), ("不同意的理由", form_value(raw.get("reason")))]
    return [(label, text) for label, text in kept if text]


@bp.get("/work/<int:item_id>/done")
@allow("officer")
def done(item_id: int) -> ResponseReturnValue:
    """What was decided, what follows, and the next item one key away."""
    session = reading()
    found, _ = item_seen(session, item_id)
    decision = session.scalars(
        select(Decision)
        .where(Decision.work_item_id == item_id, Decision.actor_id == page_actor().user_id)
        .order_by(Decision.id.desc())
        .limit(1)
    ).one_or_none()
    if decision is None:
        return redirect(url_for("officer.item", item_id=item_id), 303)
    process = process_of(session, found.case.version_id)
    documents = session.scalars(
        select(IssuedDocument)
        .where(IssuedDocument.case_id == found.case_id, IssuedDocument.decided_at >= decision.decided_at)
        .options(defer(IssuedDocument.context))  # as in the list of a case's papers
        .order_by(IssuedDocument.id)
    ).all()
    return render_template(
        "officer/done.html",
        item=found,
        case=found.case,
        outcome=process.outcome_label(decision.form, decision.outcome),
        status=process.status_title(found.case.status),
        waiting=[one for one in waiting(session, found.case) if one.item.id != item_id],
        documents=documents,
        following=next_item(session, page_actor(), found, filters_of(remembered())),
    )


@bp.post("/work/<int:item_id>/draft")
@allow("officer")
def draft(item_id: int) -> ResponseReturnValue:
    """Autosave: what is typed so far, errors and all."""
    with transaction() as session:
        saved = drafts.save(
            session, actor(session), item_id, uploads.without_files(session, item_id, posted())
        )
        at = saved.saved_at
        version = session.get_one(WorkItem, item_id).version
    return jsonify(saved_at=hour(at), version=version)


@bp.post("/work/<int:item_id>/rows")
@allow("officer")
def rows(item_id: int) -> ResponseReturnValue:
    """The office's word on rows: over a selection, or one by one as the page shows them."""
    own_office(item_id)
    words, errors = _row_words()
    if errors:
        return _show(item_id, Typed(row_errors=errors, rows=posted()), 422)
    try:
        with transaction() as session:
            who = actor(session)
            item_seen(session, item_id)
            given = sum(
                give(session, who, item_id, row_ids, verdict, reason)
                for (verdict, reason), row_ids in words.items()
            )
    except Invalid as error:
        return _show(item_id, Typed(row_errors={"bulk_reason": error.message}, rows=posted()), 422)
    except Conflict as error:
        reasons = "\n".join(dict.fromkeys(reason for _, reason in words if reason))
        return _conflict(item_id, {"reason": [reasons]}, error)
    flash(f"已保存 {given} 人的意见。", "success")
    return redirect(url_for("officer.item", item_id=item_id, **request.args.to_dict()) + "#roster", 303)


def _row_words() -> tuple[dict[tuple[str, str], list[int]], dict[str, str]]:
    """(verdict, reason) → rows as the form says, and what is wrong with it."""
    form = request.form
    bulk = form.get("bulk", "")
    words: dict[tuple[str, str], list[int]] = {}
    errors: dict[str, str] = {}
    if bulk in (AGREE, REFUSE):
        chosen = numbers.keys(form.getlist("row"))
        reason = form.get("bulk_reason", "").strip() if bulk == REFUSE else ""
        if not chosen:
            errors["bulk_reason"] = "请先勾选人员，再选择同意或不同意。"
        elif bulk == REFUSE and not reason:
            errors["bulk_reason"] = "不同意的，请写明理由，申请单位会看到。"
        return {(bulk, reason): chosen}, errors
    held = set(numbers.keys(form.getlist("held")))
    for row_id in numbers.keys([name.removeprefix("verdict-") for name in form]):
        verdict = form.get(f"verdict-{row_id}", "")
        if verdict not in (AGREE, REFUSE):
            continue
        asked = verdict == REFUSE or row_id in held
        reason = form.get(f"reason-{row_id}", "").strip() if asked else ""
        if asked and not reason:
            errors[f"reason-{row_id}"] = (
                "不同意的，请写明理由。" if verdict == REFUSE else "同意解除暂缓的，也请写明理由。"
            )
        words.setdefault((verdict, reason), []).append(row_id)
    if not words:
        errors["bulk_reason"] = "还没有选择意见：请勾选人员，或者在人员后面选择同意或不同意。"
    return words, errors
