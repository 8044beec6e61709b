"""Payment batches: 财政经办 makes one, 财政复核 checks it, 财政拨付 releases it. Three acts, at least two people.

经办 ≠ 拨付 and 复核 ≠ 经办 are refused here in words and by the table's CHECKs whatever the code does. Whether a case's
rows may be paid at all (its 公示 has ended, no objection is open) is the cases' to say: they hand down ``blocked``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from workflows.audit.digest import canonical
from workflows.audit.record import record, stream
from workflows.base.clock import now, today
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.base.files import FileStore
from workflows.funds.appropriations import get as get_fund
from workflows.funds.bank_files import LAYOUTS, BankLine, write
from workflows.funds.batch_model import BATCH_STATES, BatchLine, PaymentBatch, in_no_batch
from workflows.funds.ledger import Money, lock, move
from workflows.funds.model import Appropriation, Payable
from workflows.funds.telling import tell
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.permissions import Facts, require

#: Case ids → those that may not be paid now, each with a Chinese reason.
Blocked = Callable[[Session, Collection[int]], dict[int, str]]
#: Most lines in one batch: what one bank file takes and one person can still check.
MAX_LINES = 5_000


def make(
    session: Session,
    actor: Actor,
    fund_id: int,
    process: str,
    *,
    blocked: Blocked,
    cases: Mapping[int, int] | None = None,
    layout: str = "standard",
) -> PaymentBatch:
    """财政经办 gathers what is ready into a batch.

    :param cases: case → how many of its payments the clerk saw: the ready payments of these cases; all that are ready
        when ``None`` (at most ``MAX_LINES``). Nobody orders to be paid what has changed since he looked.
    :param blocked: asked again here: a row whose case must not be paid is refused by name of its case.
    :raises Conflict: nothing is ready, a case must not be paid, or has more or fewer ready payments than were seen.
    :raises Invalid: more than ``MAX_LINES`` were chosen, or the layout is unknown; ``errors`` by field.
    """
    fund = get_fund(session, fund_id)
    _require(session, actor, fund.county_code)
    if layout not in LAYOUTS:
        raise Invalid("批次没有生成。", {"layout": "请选择银行文件的格式。"})
    lock(session, fund.id)
    payables = _ready(session, fund, process, cases)
    if not payables:
        raise Conflict("没有待拨付的款项。公示期满、没有异议、未在其他批次中的款项才能进入批次。")
    _refuse_blocked(session, payables, blocked)
    lines = [
        BankLine(number, one.amount_fen, one.payee_name, one.account_number, one.bank_name)
        for number, one in enumerate(payables, 1)
    ]
    batch = PaymentBatch(
        number=_number(session, fund),
        county_code=fund.county_code,
        appropriation_id=fund.id,
        process=process,
        line_count=len(lines),
        total_fen=sum(one.amount_fen for one in lines),
        lines_digest=_digest([(one.id, line) for one, line in zip(payables, lines, strict=True)]),
        layout=layout,
        made_by=_user(actor),
        made_at=now(),
    )
    session.add(batch)
    session.flush()
    session.execute(
        insert(BatchLine),
        [
            {
                "batch_id": batch.id,
                "payable_id": payable.id,
                "seq": line.seq,
                "amount_fen": line.amount_fen,
                "payee_name": line.payee_name,
                "account_number": line.account_number,
                "bank_name": line.bank_name,
                "state": "waiting",
                "bank_reference": "",
                "bounce_reason": "",
            }
            for line, payable in zip(lines, payables, strict=True)
        ],
    )
    _record(session, fund, batch, "batch-made", actor)
    tell(session, "batch-made", batch.id)
    return batch


def _ready(
    session: Session, fund: Appropriation, process: str, cases: Mapping[int, int] | None
) -> list[Payable]:
    wanted = (
        select(Payable)
        .where(
            Payable.appropriation_id == fund.id,
            Payable.process == process,
            Payable.state == "ready",
            in_no_batch(),
        )
        .order_by(Payable.case_id, Payable.id)
    )
    if cases is None:
        return list(session.scalars(wanted.limit(MAX_LINES)))
    if sum(cases.values()) > MAX_LINES and len(cases) > 1:
        raise Invalid(
            "批次没有生成。",
            {
                "case": f"选了 {sum(cases.values())} 笔，一个批次最多 {MAX_LINES} 笔，请少选一些，分几个批次生成。"
            },
        )
    found = list(session.scalars(wanted.where(Payable.case_id.in_(cases))))
    now_ready = Counter(one.case_id for one in found)
    changed = sum(now_ready[case_id] != seen for case_id, seen in cases.items())
    if changed:
        raise Conflict(
            f"选中的申请有 {changed} 件的待拨付款项已经变化（有人剔除、已进入其他批次或者又有到期的）。"
            "下面是现在的情况，请核对后再生成。"
        )
    return found[:MAX_LINES]  # one case alone may be larger than a batch: the rest of it goes into the next


def check(session: Session, actor: Actor, batch_id: int, agree: bool, opinion: str) -> PaymentBatch:
    """财政复核: agree, or return to 经办 with the reason; a returned batch lets its rows go back to the list."""
    batch, fund = _begin(session, actor, batch_id)
    _in_state(batch, "made")
    if actor.user_id == batch.made_by:
        raise Forbidden("这个批次由您经办，按岗位分离要求须由其他人员复核。")
    if not agree and not opinion.strip():
        raise Invalid("请填写退回的理由。", {"opinion": "请写明哪里不对，经办人员据此重做。"})
    batch.checked_by, batch.checked_at, batch.check_opinion = _user(actor), now(), opinion.strip()
    batch.state = "checked" if agree else "returned"
    if not agree:
        _drop(session, batch)
    kind = "batch-checked" if agree else "batch-returned"
    _record(session, fund, batch, kind, actor)
    tell(session, kind, batch.id)
    return batch


def cancel(session: Session, actor: Actor, batch_id: int) -> PaymentBatch:
    """Void a batch that was not released; its rows go back to the list."""
    batch, fund = _begin(session, actor, batch_id)
    if batch.state not in ("made", "checked"):
        raise Conflict(f"批次 {batch.number} 现在是“{BATCH_STATES[batch.state]}”，不能作废。")
    batch.state = "cancelled"
    _drop(session, batch)
    _record(session, fund, batch, "batch-cancelled", actor)
    return batch


def release(
    session: Session, actor: Actor, batch_id: int, store: FileStore, *, blocked: Blocked
) -> PaymentBatch:
    """财政拨付: the money leaves, and the bank file is written, once.

    A row that was stopped, or whose case may no longer be paid, refuses the whole batch: it must be made anew.
    """
    batch, fund = _begin(session, actor, batch_id)
    _in_state(batch, "checked")
    if actor.user_id == batch.made_by:
        raise Forbidden("这个批次由您经办，按岗位分离要求须由其他人员拨付。")
    lines = _lines_and_states(session, batch.id)
    stopped = sum(line.state != "ready" for line in lines)
    if stopped:
        raise Conflict(f"批次 {batch.number} 中有 {stopped} 笔已被停止或者释放，请作废后由经办人员重新生成。")
    rows = [_bank_line(line) for line in lines]
    if _digest([(line.payable_id, row) for line, row in zip(lines, rows, strict=True)]) != batch.lines_digest:
        raise Conflict(
            f"批次 {batch.number} 的明细与经办时的摘要不符，不能拨付。请联系系统管理员和审计人员。"
        )
    _refuse_blocked(session, lines, blocked)
    content, name, media_type = write(batch.layout, batch.number, today(), rows)
    file = store.put(session, content, name, media_type, actor.user_id)
    batch.file_id, batch.file_sha256 = file.id, file.sha256
    batch.state, batch.released_by, batch.released_at = "released", _user(actor), now()
    session.execute(
        update(Payable)
        .where(Payable.id.in_(select(BatchLine.payable_id).where(BatchLine.batch_id == batch.id)))
        .values(state="released", changed_at=now())
        .execution_options(synchronize_session=False)
    )
    for held in list(
        session.identity_map.values()
    ):  # thousands were changed by one statement: read anew if asked
        if isinstance(held, Payable):
            session.expire(held)
    move(
        session,
        fund,
        Money("release", batch.total_fen, batch_id=batch.id, memo=batch.number),
        actor_id=actor.user_id,
        covers=(batch,),
    )
    tell(session, "batch-released", batch.id)
    return batch


def get(session: Session, batch_id: int) -> PaymentBatch:
    """One batch; raises ``NotFound``."""
    batch = session.get(PaymentBatch, batch_id)
    if batch is None:
        raise NotFound("没有这个支付批次。")
    return batch


def lines_of(session: Session, batch_id: int) -> list[BatchLine]:
    """Its lines in order."""
    return list(
        session.scalars(select(BatchLine).where(BatchLine.batch_id == batch_id).order_by(BatchLine.seq))
    )


def _lines_and_states(session: Session, batch_id: int) -> Sequence[Any]:
    """Its lines in order, each with the state and the case of what it pays; plain rows, for there may be thousands."""
    return session.execute(
        select(
            BatchLine.payable_id,
            BatchLine.seq,
            BatchLine.amount_fen,
            BatchLine.payee_name,
            BatchLine.account_number,
            BatchLine.bank_name,
            Payable.state,
            Payable.case_id,
            Payable.case_number,
        )
        .join(Payable, Payable.id == BatchLine.payable_id)
        .where(BatchLine.batch_id == batch_id)
        .order_by(BatchLine.seq)
    ).all()


def digest_of(session: Session, batch: PaymentBatch) -> str:
    """The digest that the stored lines give now: the checker compares it with what was recorded."""
    return _digest([(one.payable_id, _bank_line(one)) for one in lines_of(session, batch.id)])


def _bank_line(line: Any) -> BankLine:
    return BankLine(line.seq, line.amount_fen, line.payee_name, line.account_number, line.bank_name)


def _digest(parts: Sequence[tuple[int, BankLine]]) -> str:
    digest = hashlib.sha256()
    for payable_id, line in parts:
        digest.update(
            canonical(
                [line.seq, payable_id, line.amount_fen, line.payee_name, line.account_number, line.bank_name]
            ).encode()
        )
    return digest.hexdigest()


def _begin(session: Session, actor: Actor, batch_id: int) -> tuple[PaymentBatch, Appropriation]:
    """The batch, its appropriation locked first: everything about its money comes one after another."""
    batch = get(session, batch_id)
    _require(session, actor, batch.county_code)
    lock(session, batch.appropriation_id)
    session.refresh(batch)
    return batch, get_fund(session, batch.appropriation_id)


def _in_state(batch: PaymentBatch, state: str) -> None:
    if batch.state != state:
        raise Conflict(f"批次 {batch.number} 现在是“{BATCH_STATES[batch.state]}”，已由他人办理。请刷新页面。")


def _refuse_blocked(session: Session, payables: Sequence[Any], blocked: Blocked) -> None:
    """``payables``: what names a case, by ``case_id`` and ``case_number``."""
    reasons = blocked(session, {one.case_id for one in payables})
    if reasons:
        numbers = {one.case_id: one.case_number for one in payables}
        listed = "；".join(f"{numbers[case_id]}：{reason}" for case_id, reason in sorted(reasons.items())[:5])
        raise Conflict(f"有 {len(reasons)} 件申请现在不能拨付（{listed}）。请去掉后重新生成批次。")


def _drop(session: Session, batch: PaymentBatch) -> None:
    session.execute(
        update(BatchLine)
        .where(BatchLine.batch_id == batch.id, BatchLine.state == "waiting")
        .values(state="dropped")
        .execution_options(synchronize_session="fetch")
    )


def _number(session: Session, fund: Appropriation) -> str:
    made = session.scalar(
        select(func.count()).select_from(PaymentBatch).where(PaymentBatch.appropriation_id == fund.id)
    )
    return f"ZF{fund.county_code}-{today().year}-{fund.id}-{(made or 0) + 1:03d}"


def _user(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden("支付批次须由财政部门的人员办理。")
    return actor.user_id


def _record(session: Session, fund: Appropriation, batch: PaymentBatch, kind: str, actor: Actor) -> None:
    record(
        session,
        stream(session, fund.stream_name),
        kind,
        actor_id=actor.user_id,
        payload={"batch": batch.id, "lines": batch.line_count, "amount_fen": batch.total_fen},
        covers=(batch,),
    )


def _require(session: Session, actor: Actor, county_code: str) -> None:
    require(actor, "funds.manage", Facts(division_chain=chain_codes(session, county_code)))
