"""``/finance/batches``: the batches by state, and one with its lines, its three acts and the bank's answer."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from webapp.access import allow, page_actor
from webapp.database import reading
from webapp.filters import duration
from webapp.finance.blueprint import (
    BATCH_TONES,
    LINE_TONES,
    bp,
    counties,
    county_names,
    may,
    new_key,
    page,
    seen,
)
from webapp.officer.blueprint import page_number
from webapp.officer.files import send
from workflows.base.clock import now, today
from workflows.base.errors import NotFound
from workflows.base.files import StoredFile
from workflows.base.installation import installation
from workflows.base.privacy import mask_account
from workflows.cases.finance_views import paying_processes
from workflows.funds import answer_uploads, views
from workflows.funds import batches as use
from workflows.funds.bank_files import LAYOUTS
from workflows.funds.batch_model import BATCH_STATES, AnswerUpload, BatchLine, PaymentBatch
from workflows.funds.model import FUND_SOURCES
from workflows.funds.reconciling import LINE_STATES

#: What the worker does with a large answer.
UPLOAD_STATES = {"waiting": "正在排队，马上开始", "reading": "正在读取", "booking": "正在逐笔核对、入账"}


@bp.get("/batches")
@allow("officer", "auditor")
def batches() -> ResponseReturnValue:
    """The batches, newest first, one state at a time or all."""
    session = reading()
    codes = counties(session)
    state = request.args.get("state", "")
    state = state if state in BATCH_STATES else ""
    counts = views.batch_counts(session, codes)
    shown = views.batch_list(session, codes, state, page_number())
    return page(
        "finance/batches.html",
        session,
        shown=shown,
        states=[
            {
                "title": title,
                "href": url_for("finance.batches", state=key or None),
                "active": key == state,
                "count": counts.get(key, 0) if key else sum(counts.values()),
            }
            for key, title in [("", "全部"), *BATCH_STATES.items()]
            if key == "" or key == state or counts.get(key)
        ],
        rows=[
            {
                "id": batch.id,
                "number": batch.number,
                "fund": fund.title,
                "document": fund.document_number,
                "county": batch.county_code,
                "lines": batch.line_count,
                "total": batch.total_fen,
                "made": batch.made_at,
                "state": BATCH_STATES[batch.state],
                "tone": BATCH_TONES[batch.state],
                "own": batch.made_by == page_actor().user_id and batch.state in ("made", "checked"),
            }
            for batch, fund in shown.rows
        ],
        places=county_names(session, codes),
        makes=any(may(session, "funds.manage", code) for code in codes),
        state=state,
    )


@bp.get("/batches/<int:batch_id>")
@allow("officer", "auditor")
def batch(batch_id: int) -> ResponseReturnValue:
    """One batch."""
    return batch_page(reading(), batch_id)


def batch_page(
    session: Session,
    batch_id: int,
    *,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> ResponseReturnValue:
    """One batch; with what is wrong in a form that was sent from here."""
    found = use.get(session, batch_id)
    seen(session, found.county_code)
    shown = views.line_page(session, batch_id, page_number())
    answer = views.answer_of(session, batch_id)
    people = views.names(
        session,
        [found.made_by, found.checked_by, found.released_by, answer.imported_by if answer else None],
    )
    titles = {one.key: one.title for one in paying_processes(session)}
    manages = may(session, "funds.manage", found.county_code)
    upload = answer_uploads.latest(session, found.id) if manages and found.state == "released" else None
    errors, typed = errors or {}, typed or {}
    problems = errors.get("file", "").split("\n") if errors.get("file") else []
    if upload is not None and upload.state == "refused" and not errors:
        # found by the worker: said as it would have been said at once, until another file is handed in
        problems, typed = upload.problems, {"value_date": upload.value_date.isoformat(), **typed}
        errors = {"file": "\n".join(problems)}
        status = 200
    else:
        status = 422 if errors else 200
    return page(
        "finance/batch.html",
        session,
        status,
        batch=found,
        fund=found.appropriation,
        source=FUND_SOURCES[found.appropriation.source],
        process=titles.get(found.process, found.process),
        layout=LAYOUTS[found.layout].title if found.layout in LAYOUTS else found.layout,
        state=BATCH_STATES[found.state],
        tone=BATCH_TONES[found.state],
        acts=_acts(found, people),
        answer=answer,
        answered_by=people.get(answer.imported_by, "") if answer else "",
        rows=[_line(*one) for one in shown.rows],
        shown=shown,
        manages=manages,
        own=found.made_by == page_actor().user_id,
        key=request.form.get("command_key") or new_key(),
        errors=errors,
        typed=typed,
        problems=problems,
        upload=upload if upload is not None and upload.state in answer_uploads.LIVING else None,
        upload_eta=time_left(upload) if upload is not None else "",
        today=today(),
    )


def time_left(upload: AnswerUpload) -> str:
    """A guess from how long it has taken so far; empty while there is nothing to go by."""
    if not upload.done or upload.done >= upload.total:
        return ""
    spent = (now() - upload.uploaded_at).total_seconds()
    return duration(spent / upload.done * (upload.total - upload.done))


def _acts(batch: PaymentBatch, people: dict[int, str]) -> list[dict[str, Any]]:
    """The three acts: who and when, or that it is still to be done."""
    sent_back = batch.state == "returned"
    return [
        {"title": "经办", "who": people.get(batch.made_by, ""), "at": batch.made_at, "text": "生成批次"},
        {
            "title": "复核",
            "who": people.get(batch.checked_by or 0, ""),
            "at": batch.checked_at,
            "text": ("退回" if sent_back else "同意") if batch.checked_at else "",
            "opinion": batch.check_opinion,
        },
        {
            "title": "拨付",
            "who": people.get(batch.released_by or 0, ""),
            "at": batch.released_at,
            "text": "已拨付，生成银行文件" if batch.released_at else "",
        },
    ]


def _line(line: BatchLine, case_number: str, payable: str, person: str | None) -> dict[str, Any]:
    """One line. A payable that was freed while its batch waits stops the batch: it must be made anew."""
    stopped = line.state == "waiting" and payable not in ("ready", "released")
    return {
        "seq": line.seq,
        "case": case_number,
        "person": person,
        "payee": line.payee_name,
        "account": mask_account(line.account_number),
        "bank": line.bank_name,
        "amount": line.amount_fen,
        "state": "已停止" if stopped else LINE_STATES[line.state],
        "tone": "error" if stopped else LINE_TONES[line.state],
        "reference": line.bank_reference,
        "reason": "这笔已剔除或者释放，批次须作废后重新生成" if stopped else line.bounce_reason,
    }


@bp.get("/batches/<int:batch_id>/file")
@allow("officer")
def batch_file(batch_id: int) -> Response:
    """The bank file, byte for byte as written at release: for those who pay it in."""
    session = reading()
    found = use.get(session, batch_id)
    seen(session, found.county_code)
    if not may(session, "funds.manage", found.county_code):
        raise NotFound("银行文件只供本县财政部门下载。")
    file = session.get(StoredFile, found.file_id) if found.file_id else None
    if file is None:
        raise NotFound("这个批次还没有拨付，没有银行文件。")
    return send(file, installation().files.read(file), download=True)
