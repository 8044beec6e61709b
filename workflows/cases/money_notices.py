"""Notices to whoever has to act next on money: 经办, 复核, 拨付 of the county, and 人社 for a recovery.

A notice speaks of what is so when the worker comes: a batch that somebody has taken further in the meantime is passed
over in silence. No name and no account in a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.amounts import yuan
from workflows.cases.notices import people_of, write
from workflows.cases.offices import department_for
from workflows.funds.batch_model import AnswerUpload, BankAnswer, PaymentBatch
from workflows.funds.model import AccountCorrection, Appropriation, Payable, Recovery


@dataclass(frozen=True)
class Said:
    """A notice. ``about``: where in the application it leads, see :attr:`workflows.cases.model.Notice.about`."""

    users: set[int]
    text: str
    about: str


def notify_money(session: Session, what: str, row_id: int) -> int:
    """Tell whom it waits for; returns how many were told. May be called twice: each is told once."""
    said = SAID[what](session, row_id)
    if said is None:
        return 0
    return write(session, said.users, None, f"{what}-{row_id}", said.text, about=said.about)


def _colleagues(session: Session, county_code: str, *but: int | None) -> set[int]:
    """The people of the county's 财政, without those who must not do the next act."""
    people = set(people_of(session, department_for(session, "finance", county_code).id))
    return people - set(but)


def _batch(session: Session, batch_id: int, state: str) -> PaymentBatch | None:
    batch = session.get(PaymentBatch, batch_id)
    return batch if batch is not None and batch.state == state else None


def _sum(batch: PaymentBatch) -> str:
    return f"{batch.line_count} 笔，{yuan(batch.total_fen)} 元"


def _made(session: Session, batch_id: int) -> Said | None:
    batch = _batch(session, batch_id, "made")
    if batch is None:
        return None
    return Said(
        _colleagues(session, batch.county_code, batch.made_by),
        f"支付批次 {batch.number}（{_sum(batch)}）已生成，等待复核。",
        f"batch:{batch.id}",
    )


def _checked(session: Session, batch_id: int) -> Said | None:
    batch = _batch(session, batch_id, "checked")
    if batch is None:
        return None
    may = _colleagues(session, batch.county_code, batch.made_by)
    # whoever has just checked knows; in an office of two he is also the one who may release, and is told
    return Said(
        may - {batch.checked_by or 0} or may,
        f"支付批次 {batch.number}（{_sum(batch)}）已复核，等待拨付。",
        f"batch:{batch.id}",
    )


def _returned(session: Session, batch_id: int) -> Said | None:
    batch = _batch(session, batch_id, "returned")
    if batch is None:
        return None
    return Said(
        {batch.made_by},
        f"支付批次 {batch.number} 复核退回，款项已回到待拨付。请看退回理由，改正后重新生成。",
        f"batch:{batch.id}",
    )


def _released(session: Session, batch_id: int) -> Said | None:
    batch = _batch(session, batch_id, "released")
    if batch is None or batch.released_by == batch.made_by:
        return None
    return Said(
        {batch.made_by},
        f"支付批次 {batch.number}（{_sum(batch)}）已拨付。请下载银行文件交银行，收到回执后导入。",
        f"batch:{batch.id}",
    )


def _answered(session: Session, batch_id: int) -> Said | None:
    batch = _batch(session, batch_id, "settled")
    if batch is None:
        return None
    answer = session.scalars(select(BankAnswer).where(BankAnswer.batch_id == batch.id)).one()
    text = f"支付批次 {batch.number} 的银行回执已导入：支付成功 {answer.paid_count} 笔"
    if answer.bounced_count:
        text += f"，退票 {answer.bounced_count} 笔，请更正账户后重新拨付"
    elif answer.imported_by == batch.made_by:
        return None  # he saw it himself, and nothing is left to do
    return Said({batch.made_by}, f"{text}。", "bounced" if answer.bounced_count else f"batch:{batch.id}")


def _refused(session: Session, upload_id: int) -> Said | None:
    row = session.get(AnswerUpload, upload_id)
    if row is None or row.state != "refused":
        return None
    batch = session.get_one(PaymentBatch, row.batch_id)
    return Said(
        {row.uploaded_by},
        f"支付批次 {batch.number} 的银行回执没有导入：有 {len(row.problems)} 处与批次不符或者需要改正。",
        f"batch:{batch.id}",
    )


def _correction(
    state: str, text: str, whom: Callable[[Session, AccountCorrection, str], set[int]]
) -> Callable[[Session, int], Said | None]:
    def said(session: Session, correction_id: int) -> Said | None:
        row = session.get(AccountCorrection, correction_id)
        if row is None or row.state != state:
            return None
        payable = session.get_one(Payable, row.payable_id)
        county = session.get_one(Appropriation, payable.appropriation_id).county_code
        return Said(whom(session, row, county), text.format(number=payable.case_number), "bounced")

    return said


def _others(session: Session, row: AccountCorrection, county_code: str) -> set[int]:
    return _colleagues(session, county_code, row.entered_by)


def _enterer(session: Session, row: AccountCorrection, county_code: str) -> set[int]:
    return {row.entered_by}


def _demanded(session: Session, recovery_id: int) -> Said | None:
    row = session.get(Recovery, recovery_id)
    if row is None or row.state != "demanded":
        return None
    number = session.get_one(Payable, row.payable_id).case_number
    return Said(
        _colleagues(session, row.county_code),
        f"申请 {number} 的一笔追回（{yuan(row.amount_fen)} 元）已送达通知书，款项退回后请登记收回。",
        "recoveries",
    )


def _received(session: Session, recovery_id: int) -> Said | None:
    row = session.get(Recovery, recovery_id)
    if row is None or row.state != "received":
        return None
    number = session.get_one(Payable, row.payable_id).case_number
    return Said({row.decided_by}, f"申请 {number} 的追回款 {yuan(row.amount_fen)} 元已收回。", "recoveries")


#: What happened → who is told what.
SAID: Mapping[str, Callable[[Session, int], Said | None]] = {
    "batch-made": _made,
    "batch-checked": _checked,
    "batch-returned": _returned,
    "batch-released": _released,
    "batch-answered": _answered,
    "answer-refused": _refused,
    "correction-entered": _correction("entered", "申请 {number} 有一笔退票的账户更正，等待您确认。", _others),
    "correction-confirmed": _correction(
        "confirmed", "申请 {number} 的账户更正已确认，款项回到待拨付，可以重新生成批次。", _enterer
    ),
    "correction-refused": _correction(
        "refused", "申请 {number} 的账户更正被否决，请核对后重新录入。", _enterer
    ),
    "recovery-demanded": _demanded,
    "recovery-received": _received,
}
