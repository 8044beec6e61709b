"""A pay slip as its worker, the contractor and the offices read it, and what goes onto paper. Read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.amounts import yuan
from workflows.base.clock import local
from workflows.base.installation import installation
from workflows.base.privacy import mask_id
from workflows.cases import days
from workflows.cases.model import Case
from workflows.cases.process import Process, process_of
from workflows.cases.project_parts import DEDUCTIONS, month_and_batch, pay_row
from workflows.cases.roster_model import RosterRow
from workflows.cases.roster_view import attendance_text
from workflows.cases.slip_model import SLIP_STATES, PaySlip, SlipAnswer
from workflows.cases.slips import DISPUTED, SlipCounts, confirming, counts, find
from workflows.funds.model import Payable
from workflows.registers.projects import project_of

#: What counts the work, by the way of paying.
UNITS = {"day": "天", "hour": "小时", "piece": "件"}
#: Slips in one file: what a printer takes at a time, and a layout that stays within its time.
SHEET = 100
#: Slips on a page of the list.
PAGE = 50
#: State of the payment → what a worker is told.
_PAID = {
    "reserved": "正在审核、公示",
    "ready": "已批准，等待财政拨付",
    "released": "财政已拨付，等待银行到账",
    "paid": "已发到卡上",
    "bounced": "银行退回，正在核对账户",
    "recovered": "已追回",
    "freed": "没有发放",
}


@dataclass(frozen=True)
class PayLine:
    """One line of a slip: what, how it comes about, how much in fen."""

    title: str
    detail: str
    fen: int


@dataclass(frozen=True)
class SlipView:
    """One worker's month. Amounts in whole fen; ID number and card are masked.

    :param changed: what was computed, by whom and why it was changed; empty when it was not.
    :param answerable: the worker may still confirm or dispute it.
    :param payment: how far the money is; empty while the sheet is with the workers.
    """

    name: str
    id_number: str
    job: str
    month: str
    batch: str
    project: str
    contractor: str
    phone: str
    attendance: str
    earned: Sequence[PayLine]
    deducted: Sequence[PayLine]
    gross: int
    deductions: int
    net: int
    changed: str
    card: str
    bank: str
    state: str
    state_title: str
    said_at: datetime | None
    words: str
    answerable: bool
    payment: str


@dataclass(frozen=True)
class SlipRow:
    """A line of the contractor's list. ``words``: what a worker found wrong."""

    name: str
    id_number: str
    net: int
    state: str
    state_title: str
    said_at: datetime | None
    words: str


@dataclass(frozen=True)
class SlipPage:
    """A page of the slips of a case, in the order of the sheet."""

    rows: Sequence[SlipRow]
    counts: SlipCounts
    number: int
    total: int

    @property
    def sheets(self) -> list[tuple[int, int]]:
        """First and last number of each file of slips."""
        return sheets(self.counts.total)


def sheets(total: int) -> list[tuple[int, int]]:
    """How many slips are printed in files of :data:`SHEET`: first and last number of each."""
    return [(first, min(first + SHEET - 1, total)) for first in range(1, total + 1, SHEET)]


def shown_slip(session: Session, code: str, last: str) -> SlipView:
    """The slip of a code, for who knows the end of the ID number.

    :raises NotFound: see :func:`workflows.cases.slips.find`.
    """
    slip, row, case = find(session, code, last)
    head = _head(session, case)
    words = _words(session, [slip.id])
    payment = session.scalar(
        select(Payable.state)
        .where(Payable.case_id == case.id, Payable.row_id == row.id)
        .order_by(Payable.id.desc())
        .limit(1)
    )
    asking = confirming(session, case)
    apart = row.result == DISPUTED
    answerable = asking and not apart and slip.state != "confirmed"
    told = "等其他工人确认" if asking and not answerable and not apart else _told(slip, payment, answerable)
    return _view(slip, row, head, words.get(slip.id, ""), answerable, told)


def _told(slip: PaySlip, payment: str | None, answerable: bool) -> str:
    if payment:
        return _PAID[payment]
    if slip.state == "disputed" and not answerable:
        return "有异议，没有列入这次发放；核实后补发"
    return "" if answerable or slip.state == "open" else "正在审核、公示"


@dataclass(frozen=True)
class _Head:
    """What all slips of a case say alike."""

    process: Process
    month: str
    batch: str
    project: str
    contractor: str
    phone: str


def _head(session: Session, case: Case) -> _Head:
    month, batch = month_and_batch(session, case)
    project = project_of(session, case.project_id or 0)
    return _Head(
        process_of(session, case.version_id),
        month,
        batch,
        project.name,
        project.contractor.name,
        project.supervision_phone,
    )


def _view(slip: PaySlip, row: RosterRow, head: _Head, words: str, answerable: bool, payment: str) -> SlipView:
    values, facts = row.values, row.facts
    line = pay_row(row, slip.net_fen, "")
    worked = sorted(days.worked(head.process, values).items())
    earned = [
        PayLine(
            f"{line['mode']}计酬".replace("计件计酬", "计件"),
            f"{line['units']} {UNITS.get(str(values.get('pay_mode')), '')} × {yuan(line['rate'])} 元",
            int(facts.get("base_fen") or 0),
        )
    ]
    if line["overtime"]:
        detail = f"{values.get('overtime')} 小时 × {yuan(int(values.get('overtime_rate') or 0))} 元"
        earned.append(PayLine("加班", detail, line["overtime"]))
    changed = ""
    if line["changed"]:
        computed = yuan(int(facts.get("computed_fen") or 0))
        changed = f"算出 {computed} 元，改为 {yuan(line['gross'])} 元：{line['changed']}（{values.get('hand_by') or ''}）"
    return SlipView(
        name=line["name"],
        id_number=line["id_number"],
        job=line["job"],
        month=head.month,
        batch=head.batch,
        project=head.project,
        contractor=head.contractor,
        phone=head.phone,
        attendance=attendance_text(worked) if worked else "",
        earned=earned,
        deducted=_deducted(values),
        gross=line["gross"],
        deductions=line["deductions"],
        net=slip.net_fen,
        changed=changed,
        card=line["card"],
        bank=str(values.get("bank") or ""),
        state=slip.state,
        state_title=SLIP_STATES[slip.state],
        said_at=slip.said_at,
        words=words,
        answerable=answerable,
        payment=payment,
    )


def _deducted(values: Any) -> list[PayLine]:
    named = [(title, "", values.get(key)) for key, title in DEDUCTIONS.items()]
    named.append((str(values.get("other_name") or "其他扣款"), "", values.get("other_fen")))
    return [PayLine(title, detail, int(fen)) for title, detail, fen in named if fen]


def _words(session: Session, slip_ids: Sequence[int]) -> dict[int, str]:
    """What the workers found wrong, the last word of each."""
    return {
        slip: text or ""
        for slip, text in session.execute(
            select(SlipAnswer.slip_id, SlipAnswer.words)
            .where(SlipAnswer.slip_id.in_(slip_ids))
            .order_by(SlipAnswer.id)
        )
    }


def slip_page(session: Session, case: Case, state: str = "", number: int = 1) -> SlipPage | None:
    """A page of a case's slips, of one state or of all; ``None`` when it never had any. The same number of queries for any page."""
    counted = counts(session, case.id)
    if not counted.total:
        return None
    wanted = state if state in SLIP_STATES and state != "void" else ""
    total = getattr(counted, wanted) if wanted else counted.total
    number = min(max(1, number), max(1, -(-total // PAGE)))
    conditions = [PaySlip.case_id == case.id, PaySlip.state == wanted if wanted else PaySlip.state != "void"]
    found = session.execute(
        select(PaySlip, RosterRow)
        .join(RosterRow, RosterRow.id == PaySlip.row_id)
        .where(*conditions)
        .order_by(PaySlip.id)
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    ).all()
    words = _words(session, [slip.id for slip, _ in found])
    rows = [
        SlipRow(
            str(row.values.get("name", "")),
            mask_id(str(row.values.get("id_number", ""))),
            slip.net_fen,
            slip.state,
            SLIP_STATES[slip.state],
            slip.said_at,
            words.get(slip.id, ""),
        )
        for slip, row in found
    ]
    return SlipPage(rows, counted, number, total)


def slip_address() -> str:
    """Where slips are looked up: printed on each of them."""
    return installation().public_url + "/slip"


def printed_slips(session: Session, case: Case, first: int) -> dict[str, Any] | None:
    """The context of the paper ``pay_slips``: slips from the ``first``-th on, at most :data:`SHEET`; ``None`` when there are none."""
    found = session.execute(
        select(PaySlip, RosterRow)
        .join(RosterRow, RosterRow.id == PaySlip.row_id)
        .where(PaySlip.case_id == case.id, PaySlip.state != "void")
        .order_by(PaySlip.id)
        .limit(SHEET)
        .offset(first - 1)
    ).all()
    if not found:
        return None
    head = _head(session, case)
    page = slip_address()
    return {
        "title": f"{head.month}工资条",
        "number": "",
        "case_number": case.number,
        "issued_on": local(found[0][0].made_at).date().isoformat(),
        "offices": [head.contractor],
        "chain_head": case.chain_head,
        "verify_url": page,
        "verify_code": "",
        "demonstration": installation().demonstration,
        "month": head.month,
        "batch": head.batch,
        "project": head.project,
        "contractor": head.contractor,
        "phone": head.phone,
        "page": page,
        "slips": [
            _printed(_view(slip, row, head, "", False, ""), slip.code, f"{page}?code={slip.code}")
            for slip, row in found
        ],
    }


def _printed(one: SlipView, code: str, url: str) -> dict[str, Any]:
    return {
        "name": one.name,
        "id_number": one.id_number,
        "job": one.job,
        "attendance": one.attendance,
        "earned": [{"title": line.title, "detail": line.detail, "fen": line.fen} for line in one.earned],
        "deducted": [{"title": line.title, "fen": line.fen} for line in one.deducted],
        "changed": one.changed,
        "gross": one.gross,
        "deductions": one.deductions,
        "net": one.net,
        "card": one.card,
        "bank": one.bank,
        "code": spaced(code),
        "url": url,
    }


def spaced(code: str) -> str:
    """A code as it is read aloud: in fours."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
