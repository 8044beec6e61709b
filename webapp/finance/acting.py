"""What is done with a batch: 复核, 退回, 拨付, 作废, and the bank's answer."""

from __future__ import annotations

from collections.abc import Callable

from flask import jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from webapp.access import allow
from webapp.database import reading
from webapp.filters import money
from webapp.finance.batches import UPLOAD_STATES, batch_page, time_left
from webapp.finance.blueprint import bp, manages, once
from webapp.questions import as_day
from workflows.base.errors import Invalid, NotFound
from workflows.base.installation import installation
from workflows.cases.paying import blocked_cases
from workflows.funds import answer_uploads, answers, batches
from workflows.funds.batch_model import PaymentBatch
from workflows.organisations.actors import Actor


@bp.post("/batches/<int:batch_id>/check")
@allow("officer")
def batch_check(batch_id: int) -> ResponseReturnValue:
    """复核: agree."""
    return _act(
        batch_id,
        lambda session, who: batches.check(session, who, batch_id, True, request.form.get("opinion", "")),
        lambda batch: f"批次 {batch.number} 已复核，等待拨付。",
    )


@bp.post("/batches/<int:batch_id>/return")
@allow("officer")
def batch_return(batch_id: int) -> ResponseReturnValue:
    """复核: return it with a reason; its rows go back to the list."""
    return _act(
        batch_id,
        lambda session, who: batches.check(session, who, batch_id, False, request.form.get("opinion", "")),
        lambda batch: f"批次 {batch.number} 已退回，其中的款项回到待拨付，由经办人员重新生成。",
    )


@bp.post("/batches/<int:batch_id>/release")
@allow("officer")
def batch_release(batch_id: int) -> ResponseReturnValue:
    """拨付: the bank file is written, once."""
    return _act(
        batch_id,
        lambda session, who: batches.release(
            session, who, batch_id, installation().files, blocked=blocked_cases
        ),
        lambda batch: (
            f"批次 {batch.number} 已拨付 {money(batch.total_fen)}，银行文件已生成。请下载后交银行，收到回执再导入。"
        ),
    )


@bp.post("/batches/<int:batch_id>/cancel")
@allow("officer")
def batch_cancel(batch_id: int) -> ResponseReturnValue:
    """作废: its rows go back to the list."""
    return _act(
        batch_id,
        lambda session, who: batches.cancel(session, who, batch_id),
        lambda batch: f"批次 {batch.number} 已作废，其中的款项回到待拨付。",
    )


@bp.post("/batches/<int:batch_id>/answer")
@allow("officer")
def batch_answer(batch_id: int) -> ResponseReturnValue:
    """The bank's answer: all of it, once, or nothing."""
    upload = request.files.get("file")
    content = upload.read() if upload is not None and upload.filename else b""
    if upload is not None:
        upload.stream.seek(0)
    given = request.form.get("value_date", "")
    manages(reading(), batches.get(reading(), batch_id).county_code)
    errors: dict[str, str] = {}
    try:
        day = as_day(given)
    except ValueError:
        day = None
    if day is None:
        errors["value_date"] = "请填写支付日期，即银行实际付款的日期。"
    if not content:
        errors["file"] = "请选择银行回执文件。"
    if errors or day is None:
        return batch_page(reading(), batch_id, errors=errors, typed={"value_date": given})

    def hand_in(session: Session, who: Actor) -> tuple[str, str]:
        answer_uploads.hand_in(session, who, batch_id, content, installation().files, value_date=day)
        return "回执已收到，正在后台核对，可以离开本页，完成后会通知您。", url_for(
            "finance.batch", batch_id=batch_id
        )

    def act(session: Session, who: Actor) -> tuple[str, str]:
        answer = answers.import_answer(session, who, batch_id, content, installation().files, value_date=day)
        said = f"回执已导入：支付成功 {answer.paid_count} 笔 {money(answer.paid_fen)}"
        if answer.bounced_count:
            said += f"，退票 {answer.bounced_count} 笔 {money(answer.bounced_fen)}，请到“退票更正”更正账户后重新拨付"
        return f"{said}。", url_for("finance.batch", batch_id=batch_id)

    large = answer_uploads.is_large(batches.get(reading(), batch_id))
    try:
        return once(hand_in if large else act)
    except Invalid as error:
        return batch_page(
            reading(),
            batch_id,
            errors=error.errors or {"file": error.message},
            typed={"value_date": given},
        )


@bp.get("/batches/<int:batch_id>/answer/progress")
@allow("officer")
def batch_answer_progress(batch_id: int) -> ResponseReturnValue:
    """How far the worker is with a large answer, for the page that waits."""
    session = reading()
    manages(session, batches.get(session, batch_id).county_code)
    row = answer_uploads.latest(session, batch_id)
    if row is None:
        raise NotFound("这个批次没有正在核对的回执。")
    finished = row.state not in answer_uploads.LIVING
    eta = time_left(row)
    text = f"{UPLOAD_STATES.get(row.state, '')}{f'，预计还需{eta}' if eta else ''}"
    return jsonify(
        done=row.done,
        total=row.total,
        text="核对完成" if finished else text,
        finished=finished,
        href=url_for("finance.batch", batch_id=batch_id),
    )


def _act(
    batch_id: int,
    act: Callable[[Session, Actor], PaymentBatch],
    said: Callable[[PaymentBatch], str],
) -> ResponseReturnValue:
    """One of the acts; what is wrong is shown on the page of the batch with everything typed."""

    def done(session: Session, who: Actor) -> tuple[str, str]:
        return said(act(session, who)), url_for("finance.batch", batch_id=batch_id)

    try:
        return once(done)
    except Invalid as error:
        return batch_page(
            reading(), batch_id, errors=error.errors, typed={"opinion": request.form.get("opinion", "")}
        )
