"""What the page behind a paper's QR code may say: whether it stands, never about whom it speaks."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import local
from workflows.documents.issue import same_bytes, verify
from workflows.documents.model import IssuedDocument
from workflows.registers.model import WORKSHOP_STATUSES, Workshop

#: Characters of the token that papers print as 查验码.
CODE_LENGTH = 8
_CODE = re.compile(r"[0-9a-f]{8}\Z")
_BRACKETS = str.maketrans("[](){}【】［］（）﹝﹞", "〔〕〔〕〔〕〔〕〔〕〔〕〔〕")


@dataclass(frozen=True)
class Paper:
    """An issued paper as the public sees it. ``state``: valid, revoked or pending (being sealed).

    :ivar workshop: name and status of the register's entry that bears the same number: a certificate's holder.
    """

    token: str
    state: str
    title: str
    number: str
    issued_on: date
    offices: Sequence[str]
    revoked_on: date | None
    workshop: tuple[str, str] | None
    document: IssuedDocument


def paper_of(session: Session, token: str) -> Paper | None:
    """The paper of a QR code's token; ``None`` for one that was never issued."""
    found = verify(session, token.lower())
    return None if found.document is None else _paper(session, found.document, found.state)


def find_paper(session: Session, number: str, code: str) -> Paper | None:
    """The paper with this number (or case number) and 查验码; ``None`` alike for either being wrong."""
    prefix = "".join(unicodedata.normalize("NFKC", code).split()).lower()
    if not _CODE.match(prefix):
        return None
    # a range, so that the unique index on tokens serves
    candidates = session.scalars(
        select(IssuedDocument).where(IssuedDocument.token >= prefix, IssuedDocument.token < prefix + "g")
    )
    wanted = clean_number(number)
    for one in candidates:
        if wanted and wanted in {clean_number(one.number), clean_number(str(one.context["case_number"]))}:
            return paper_of(session, one.token)
    return None


def clean_number(text: str) -> str:
    """A number as it compares: any brackets, any width, no spaces."""
    whole = unicodedata.normalize("NFKC", text).translate(_BRACKETS)
    return "".join(whole.split()).upper()


def paper_like(session: Session, content: bytes) -> Paper | None:
    """The paper of which ``content`` is byte for byte the file."""
    digest = hashlib.sha256(content).hexdigest()
    found = session.scalars(select(IssuedDocument).where(IssuedDocument.sha256 == digest)).first()
    return paper_of(session, found.token) if found is not None and same_bytes(found, content) else None


def _paper(session: Session, document: IssuedDocument, state: str) -> Paper:
    workshop = (
        session.scalars(select(Workshop).where(Workshop.number == document.number)).one_or_none()
        if document.number
        else None
    )
    return Paper(
        token=document.token,
        state=state,
        title=document.title,
        number=document.number,
        issued_on=document.issued_on,
        offices=[str(name) for name in document.context.get("offices", [])],
        revoked_on=local(document.revoked_at).date() if document.revoked_at else None,
        workshop=(workshop.name, WORKSHOP_STATUSES[workshop.status]) if workshop else None,
        document=document,
    )
