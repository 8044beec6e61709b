"""The ledger of a project's wages as one archive for an inspection: it can be checked without this system.

《保障农民工工资支付条例》 art. 15 asks for a ledger by worker and month, kept for three years; art. 28 for real names. The archive has
the ledger as a workbook, every signed paper and every material of the payrolls, and the chains of events with the rows
they cover. ``核验.py`` in it needs nothing but Python; the signed list names the SHA-256 of everything.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from io import BytesIO
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.workbook import Column, book
from workflows.audit.digest import audited_columns, canonical, row_key
from workflows.audit.model import Anchor, Event
from workflows.base.clock import local, now
from workflows.base.errors import NotFound
from workflows.base.installation import installation
from workflows.base.model import Base
from workflows.cases.model import Attachment, Case
from workflows.cases.process import process_of
from workflows.cases.project_parts import month_and_batch, pay_row
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.slip_model import SLIP_STATES, PaySlip, SlipAnswer
from workflows.cases.unmasking import log_unmasking
from workflows.documents.issue import Sign
from workflows.documents.model import IssuedDocument
from workflows.documents.render import render
from workflows.documents.templates import load_template
from workflows.funds.batch_model import BatchLine
from workflows.funds.model import PAYABLE_STATES, Appropriation, Payable
from workflows.organisations.actors import Actor
from workflows.registers.project_model import Project
from workflows.registers.projects import project_of

PAYROLL = "work_relief_payroll"
COLUMNS: tuple[Column, ...] = (
    ("项目", "text"),
    ("办件编号", "text"),
    ("月份和批次", "text"),
    ("姓名", "text"),
    ("身份证号", "text"),
    ("工种", "text"),
    ("计酬方式", "text"),
    ("计酬数量", "text"),
    ("单价（元）", "amount"),
    ("加班（元）", "amount"),
    ("应发（元）", "amount"),
    ("扣款（元）", "amount"),
    ("扣款明细", "text"),
    ("实发（元）", "amount"),
    ("人工改动", "text"),
    ("收款账号", "text"),
    ("开户行", "text"),
    ("本人确认", "text"),
    ("发放情况", "text"),
    ("银行流水号", "text"),
)


@dataclass(frozen=True)
class Archive:
    """A finished archive. ``content``: the zip; ``sha256``: of the zip itself."""

    name: str
    content: bytes
    sha256: str


@dataclass(frozen=True)
class _Piece:
    path: str
    content: bytes


def inspection_archive(session: Session, actor: Actor, project_id: int, reason: str, sign: Sign) -> Archive:
    """Everything about the wages of a project, as a zip.

    Whole ID numbers and accounts are in it: each payroll keeps who took them out and why.

    :raises Forbidden: the actor may not see whole numbers of one of the payrolls.
    :raises Invalid: no reason.
    """
    project = project_of(session, project_id)
    cases = list(
        session.scalars(
            select(Case)
            .where(Case.project_id == project_id, Case.process == PAYROLL, Case.submitted_at.is_not(None))
            .order_by(Case.id)
        )
    )
    if not cases:
        raise NotFound("这个项目还没有提交过劳务报酬申请，没有台账。")
    for case in cases:
        log_unmasking(session, actor, case.id, reason)
    session.flush()
    pieces = [
        _Piece("台账.xlsx", _ledger(session, project, cases)),
        *_papers(session, cases),
        *_materials(session, cases),
        *_chains(session, cases),
        *_anchors(session, cases),
        _Piece("核验.py", files("workflows.cases").joinpath("inspection_check.py").read_bytes()),
        _Piece("使用说明.txt", _manual(project).encode("utf-8")),
    ]
    sums = "".join(f"{hashlib.sha256(one.content).hexdigest()}  {one.path}\n" for one in pieces).encode(
        "utf-8"
    )
    pieces.append(_Piece("SHA256SUMS", sums))
    pieces.append(_Piece("清单（已签章）.pdf", _signed_list(project, cases, pieces, sums, sign)))
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for one in pieces:
            made.writestr(one.path, one.content)
    content = target.getvalue()
    name = f"{project.number}工资支付台账-{local(now()):%Y%m%d}.zip"
    return Archive(name, content, hashlib.sha256(content).hexdigest())


def _ledger(session: Session, project: Project, cases: Sequence[Case]) -> bytes:
    rows = [line for case in cases for line in _lines(session, project, case)]
    return book([("工资支付台账", COLUMNS, rows)])


def _lines(session: Session, project: Project, case: Case) -> Iterator[tuple[Any, ...]]:
    """One line for each worker of a payroll, in the order of its sheet, refused and disputed ones included."""
    process = process_of(session, case.version_id)
    titles = process.config["row_result"]["titles"]
    said = dict(
        session.execute(
            select(PaySlip.row_id, PaySlip.state).where(PaySlip.case_id == case.id, PaySlip.state != "void")
        ).all()
    )
    paid = {
        one.row_id: one
        for one in session.scalars(
            select(Payable).where(Payable.case_id == case.id, Payable.state != "freed")
        )
    }
    references = dict(
        session.execute(
            select(BatchLine.payable_id, BatchLine.bank_reference).where(
                BatchLine.payable_id.in_([one.id for one in paid.values()]), BatchLine.state == "paid"
            )
        ).all()
    )
    month = " ".join(month_and_batch(session, case))
    for row in session.scalars(
        select(RosterRow)
        .join(Roster, Roster.id == RosterRow.roster_id)
        .where(Roster.case_id == case.id, Roster.status == "current")
        .order_by(RosterRow.number)
    ):
        line, values, payable = pay_row(row, 0, ""), row.values, paid.get(row.id)
        gross, deductions = line["gross"], line["deductions"]
        yield (
            project.name,
            case.number,
            month,
            line["name"],
            str(values.get("id_number", "")),
            line["job"],
            line["mode"],
            line["units"],
            line["rate"],
            line["overtime"],
            gross,
            deductions,
            line["deducted"],
            payable.amount_fen if payable else gross - deductions,
            line["changed"],
            str(values.get("card", "")),
            str(values.get("bank") or ""),
            SLIP_STATES.get(said.get(row.id, ""), ""),
            PAYABLE_STATES[payable.state] if payable else f"没有发放（{titles.get(row.result, row.result)}）",
            references.get(payable.id, "") if payable else "",
        )


def _papers(session: Session, cases: Sequence[Case]) -> Iterator[_Piece]:
    store = installation().files
    for document in session.scalars(
        select(IssuedDocument)
        .where(IssuedDocument.case_id.in_([case.id for case in cases]), IssuedDocument.file_id.is_not(None))
        .order_by(IssuedDocument.id)
    ):
        if document.file is not None:
            name = f"{document.id:06d}-{document.title}"
            yield _Piece(f"文书/{_plain(name)}.pdf", store.read(document.file))


def _materials(session: Session, cases: Sequence[Case]) -> Iterator[_Piece]:
    store = installation().files
    for one in session.scalars(
        select(Attachment)
        .where(Attachment.case_id.in_([case.id for case in cases]), Attachment.removed_at.is_(None))
        .order_by(Attachment.id)
    ):
        yield _Piece(f"材料/{one.id:06d}-{_plain(one.file.name)}", store.read(one.file))


def _plain(name: str) -> str:
    """A file name that no system minds."""
    return "".join("_" if sign in '\\/:*?"<>|' or ord(sign) < 32 else sign for sign in name)[:80]


#: Rows of a case whose content goes into the archive beside the events that cover them.
_PROVED: tuple[type[Base], ...] = (IssuedDocument, Roster, SlipAnswer)


def _chains(session: Session, cases: Sequence[Case]) -> Iterator[_Piece]:
    """The chain of each case and of each fund that paid: its events, and the rows that they cover, as lines of JSON."""
    for case in cases:
        rows = [
            row
            for model in _PROVED
            for row in session.scalars(select(model).where(model.case_id == case.id).order_by(model.id))  # type: ignore[attr-defined]  # each has both
        ]
        yield from _chain(session, case.stream_name, case.number, rows)
    keys = [case.id for case in cases]
    for fund in session.scalars(
        select(Appropriation)
        .where(Appropriation.id.in_(select(Payable.appropriation_id).where(Payable.case_id.in_(keys))))
        .order_by(Appropriation.id)
    ):
        payables = session.scalars(
            select(Payable)
            .where(Payable.case_id.in_(keys), Payable.appropriation_id == fund.id)
            .order_by(Payable.id)
        )
        yield from _chain(session, fund.stream_name, f"资金{fund.id}", payables)


def _chain(session: Session, stream: str, name: str, rows: Iterable[Base]) -> Iterator[_Piece]:
    events = session.scalars(select(Event).where(Event.stream == stream).order_by(Event.seq))
    yield _Piece(
        f"存证/{name}-事件.jsonl", _jsonl([{key: getattr(one, key) for key in _EVENT} for one in events])
    )
    content = [
        {
            "table": row_key(row)[0],
            "key": row_key(row)[1],
            "values": {column: getattr(row, column) for column in audited_columns(row)},
        }
        for row in rows
    ]
    yield _Piece(f"存证/{name}-内容.jsonl", _jsonl(content))


#: What an event says, in the order in which it is hashed, and its hash.
_EVENT = (
    "stream",
    "seq",
    "at",
    "kind",
    "actor_id",
    "department_id",
    "payload",
    "covers",
    "salt",
    "previous",
    "hash",
)


def _anchors(session: Session, cases: Sequence[Case]) -> Iterator[_Piece]:
    """The newest daily seal that names each chain."""
    names = {case.stream_name for case in cases}
    wanted: dict[int, Anchor] = {}
    for anchor in session.scalars(select(Anchor).order_by(Anchor.id.desc())):
        here = names & {str(head[0]) for head in anchor.heads}
        if here:
            wanted[anchor.id] = anchor
            names -= here
        if not names:
            break
    lines = [
        {"day": one.day, "heads": one.heads, "previous": one.previous, "hash": one.hash}
        for _, one in sorted(wanted.items())
    ]
    yield _Piece("存证/每日封存.jsonl", _jsonl(lines))


def _jsonl(lines: Sequence[dict[str, Any]]) -> bytes:
    return "".join(f"{canonical(line)}\n" for line in lines).encode("utf-8")


def _signed_list(
    project: Project, cases: Sequence[Case], pieces: Sequence[_Piece], sums: bytes, sign: Sign
) -> bytes:
    """The list of everything as a signed PDF: any reader of PDF checks the signature."""
    at: datetime = now()
    template = load_template(PAYROLL, "inspection_list")
    house = installation()
    context = {
        "title": "工资支付台账检查档案清单",
        "number": "",
        "case_number": project.number,
        "issued_on": local(at).date().isoformat(),
        "offices": [project.owner.name],
        "chain_head": cases[-1].chain_head,
        "verify_url": f"{house.public_url}/verify",
        "verify_code": "",
        "demonstration": house.demonstration,
        "project_name": project.name,
        "contractor": project.contractor.name,
        "payrolls": [case.number for case in cases],
        "sums": hashlib.sha256(sums).hexdigest(),
        "pieces": [
            {
                "path": one.path,
                "size": f"{len(one.content):,}",
                "sha256": hashlib.sha256(one.content).hexdigest(),
            }
            for one in pieces
        ],
    }
    return sign(render(template, context), "工资支付台账检查档案清单", at)


def _manual(project: Project) -> str:
    return f"""工资支付台账检查档案
项目：{project.name}（{project.number}）

一、里面有什么
  台账.xlsx            《保障农民工工资支付条例》第十五条的台账，一人一月一行
  文书/                系统签发的 PDF，各带电子签名
  材料/                施工单位和各单位上传的材料（签字的工资表、公示栏照片等）
  存证/                每件申请的操作记录（按件成链）、记录所覆盖的内容、每日封存
  SHA256SUMS           以上每个文件的校验值
  清单（已签章）.pdf   列出每个文件和校验值，电子签名；用任何 PDF 阅读软件都能验签

二、怎样核验（不需要本系统，也不需要联网）
  1. 打开“清单（已签章）.pdf”，看签名是否有效；
  2. 装有 Python 3.8 以上的电脑，解压后在这个文件夹里运行：python 核验.py
     它核对：每个文件和校验值、每条操作记录的链、记录所覆盖的内容、文书的校验值、每日封存。
  3. 没有 Python 的，用系统自带的工具核对校验值，例如：certutil -hashfile 台账.xlsx SHA256

三、注意
  档案里有完整的身份证号和银行账号，按个人信息保护的规定保管，用完销毁。
"""
