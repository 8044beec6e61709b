"""Issuing: the deciding transaction fixes number, chain head and context; the worker renders just that, once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import now
from workflows.base.errors import NotFound, WengangError
from workflows.base.files import PDF
from workflows.base.installation import installation
from workflows.base.session import Database
from workflows.documents.model import IssuedDocument
from workflows.documents.numbering import next_number, official
from workflows.documents.render import render
from workflows.documents.templates import load_template

#: From rendered bytes to signed bytes: ``sign(pdf, reason, when)``.
Sign = Callable[[bytes, str, Any], bytes]


@dataclass(frozen=True)
class Numbering:
    """How a kind of document is numbered.

    :param series: what is counted, e.g. ``recognition:220822``; years begin at 1 again.
    :param pattern: how it is printed, with ``{year}`` and ``{serial}``; empty: counted but not printed.
    """

    series: str
    pattern: str


def new_token() -> str:
    """160 random bits for the QR: nobody guesses a document."""
    return secrets.token_hex(20)


def verify_path(token: str) -> str:
    """The public page that says whether a document is genuine."""
    return f"/v/{token}"


def fix(
    session: Session,
    *,
    case_id: int,
    case_number: str,
    process: str,
    name: str,
    numbering: Numbering,
    day: date,
    chain_head: str,
    build: Callable[[str], Mapping[str, Any]],
) -> IssuedDocument:
    """Write a document's row in the deciding transaction.

    :param build: printed number → the further context keys; called once the number is known.
    :raises WengangError: the context does not fit the template: the action is refused rather than the paper wrong.
    """
    template = load_template(process, name)
    serial = next_number(session, f"document:{numbering.series}", day.year)
    number = official(numbering.pattern, day.year, serial)
    token = new_token()
    context = {
        "title": template.title,
        "number": number,
        "case_number": case_number,
        "issued_on": day.isoformat(),
        "chain_head": chain_head,
        "verify_url": installation().public_url + verify_path(token),
        "verify_code": token[:8].upper(),
        "demonstration": installation().demonstration,
        **build(number),
    }
    problems = template.problems(context)
    if problems:
        raise WengangError(
            f"文书“{template.title}”的数据不完整，没有办理：{'；'.join(problems[:5])}。请联系系统管理员。"
        )
    row = IssuedDocument(
        case_id=case_id,
        process=process,
        name=name,
        title=context["title"],
        number=number,
        series=numbering.series,
        year=day.year,
        serial=serial,
        token=token,
        chain_head=chain_head,
        context=context,
        status="pending",
        issued_on=day,
        decided_at=now(),
    )
    session.add(row)
    session.flush()
    return row


def produce(
    database: Database, document_id: int, sign: Sign, on_issued: Callable[[Session, IssuedDocument], None]
) -> bool:
    """Render, sign and store one pending document; ``False`` when it was done already.

    :param on_issued: called in the storing transaction, to record the event.
    """
    with database.reading() as session:
        row = session.get(IssuedDocument, document_id)
        if row is None:
            raise NotFound("没有这份文书。")
        if row.file_id is not None:
            return False
        process, name, context, decided_at, title = (
            row.process,
            row.name,
            row.context,
            row.decided_at,
            row.title,
        )
    pdf = sign(render(load_template(process, name), context), title, decided_at)
    with database.transaction() as session:
        row = session.scalars(
            select(IssuedDocument)
            .where(IssuedDocument.id == document_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one()
        if row.file_id is not None:  # another worker was first: its bytes stay
            return False
        file = installation().files.put(session, pdf, f"{row.title}.pdf", PDF)
        row.file_id = file.id
        row.sha256 = file.sha256
        row.rendered_at = now()
        if row.status == "pending":
            row.status = "issued"
        on_issued(session, row)
    return True


def revoke(session: Session, document: IssuedDocument) -> None:
    """Mark a document as no longer valid: its QR page says so from now on."""
    document.status = "revoked"
    document.revoked_at = now()


@dataclass(frozen=True)
class Verification:
    """What the public page shows: no personal data. ``state``: valid, revoked, pending or unknown."""

    state: str
    document: IssuedDocument | None = None


def verify(session: Session, token: str) -> Verification:
    """What is known of a document by its QR's token."""
    row = session.scalars(select(IssuedDocument).where(IssuedDocument.token == token)).one_or_none()
    if row is None:
        return Verification("unknown")
    return Verification({"issued": "valid"}.get(row.status, row.status), row)


def same_bytes(document: IssuedDocument, upload: bytes) -> bool:
    """Whether an uploaded PDF is byte for byte the one issued."""
    return document.sha256 is not None and secrets.compare_digest(
        hashlib.sha256(upload).hexdigest(), document.sha256
    )
