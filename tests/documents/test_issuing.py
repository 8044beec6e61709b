"""Issuing on both databases: the decision fixes a paper, the worker makes its bytes once, and the QR says what holds."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from workflows.base import installation as installations
from workflows.base.errors import NotFound, WengangError
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.session import Database
from workflows.documents import issue
from workflows.documents.issue import Numbering, fix, produce, revoke, same_bytes, verify, verify_path
from workflows.documents.model import IssuedDocument
from workflows.documents.templates import load_template

NAME = ("workshop_recognition", "correction_notice")
SERIES = Numbering("correction:220822", "通人社补〔{year}〕{serial}号")
#: What ``fix`` writes itself.
FIXED = {
    "title",
    "number",
    "case_number",
    "issued_on",
    "chain_head",
    "verify_url",
    "verify_code",
    "demonstration",
}


@pytest.fixture(autouse=True)
def installation(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installations, "_installation", None)
    use_installation(Installation("https://wengang.example", True, store))


@pytest.fixture(autouse=True)
def laid_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Layout has tests of its own: here its number stands for a paper."""
    printed: list[str] = []

    def render(template: Any, context: dict[str, Any]) -> bytes:
        printed.append(context["number"])
        return f"%PDF-1.4\n{context['number']}\n%%EOF\n".encode()

    monkeypatch.setattr(issue, "render", render)
    return printed


def sign(pdf: bytes, reason: str, when: datetime) -> bytes:
    return pdf.replace(b"%%EOF", f"{reason}\n%%EOF".encode())


def decide(session: Session, **changes: Any) -> IssuedDocument:
    """A 补正 notice as a deciding transaction fixes it."""
    sample = copy.deepcopy(dict(load_template(*NAME).sample))
    rest = {key: value for key, value in sample.items() if key not in FIXED} | changes
    return fix(
        session,
        case_id=7,
        case_number="BF220822-2026-0001",
        process=NAME[0],
        name=NAME[1],
        numbering=SERIES,
        day=date(2026, 3, 2),
        chain_head="c" * 64,
        build=lambda number: rest,
    )


def fixed(database: Database) -> int:
    with database.transaction() as session:
        return decide(session).id


def issued(database: Database) -> tuple[int, list[int]]:
    """A paper with its bytes, and the ids of which the event was told."""
    told: list[int] = []
    document = fixed(database)
    assert produce(database, document, sign, lambda session, row: told.append(row.id))
    return document, told


def test_the_decision_fixes_number_chain_and_what_the_paper_says(database: Database) -> None:
    with database.transaction() as session:
        first, second = decide(session), decide(session)
        assert (first.number, second.number) == ("通人社补〔2026〕1号", "通人社补〔2026〕2号")
        assert first.token != second.token
        assert first.status == "pending"
        assert first.context["chain_head"] == "c" * 64
        assert first.context["verify_url"] == "https://wengang.example" + verify_path(first.token)
        assert first.context["verify_code"] == first.token[:8].upper()
        assert first.context["demonstration"] is True


def test_a_paper_that_would_be_wrong_refuses_the_decision_and_gives_its_number_back(
    database: Database,
) -> None:
    def half_known() -> None:
        with database.transaction() as session:
            decide(session, due_on=None)

    with pytest.raises(WengangError, match=r"补正材料通知书.*数据不完整.*due_on"):
        half_known()
    with database.transaction() as session:
        assert decide(session).serial == 1


def test_the_worker_makes_the_bytes_once(database: Database, store: FileStore, laid_out: list[str]) -> None:
    document, told = issued(database)
    assert not produce(database, document, sign, lambda session, row: told.append(row.id))
    assert (told, laid_out) == ([document], ["通人社补〔2026〕1号"])
    with database.reading() as session:
        row = session.get_one(IssuedDocument, document)
        assert row.status == "issued"
        assert row.rendered_at is not None
        assert row.file is not None
        content = store.read(row.file)
        assert b"\xe8\xa1\xa5\xe6\xad\xa3" in content, "signed with its title as the reason"
        assert row.sha256 == hashlib.sha256(content).hexdigest()
        assert same_bytes(row, content)
        assert not same_bytes(row, content + b"\n")


def test_of_two_workers_the_first_ones_bytes_stay(database: Database, store: FileStore) -> None:
    document, told = fixed(database), []

    def note(session: Session, row: IssuedDocument) -> None:
        told.append(row.id)

    def slow(pdf: bytes, reason: str, when: datetime) -> bytes:
        """While this one signs, another does all of it."""
        assert produce(database, document, sign, note)
        return b"%PDF-1.4\nlate\n%%EOF\n"

    assert not produce(database, document, slow, note)
    assert told == [document]
    with database.reading() as session:
        row = session.get_one(IssuedDocument, document)
        assert row.file is not None
        assert b"late" not in store.read(row.file)


def test_a_paper_that_nobody_decided_is_not_made(database: Database) -> None:
    with pytest.raises(NotFound, match="没有这份文书"):
        produce(database, 99, sign, lambda session, row: None)


State = Callable[[Database], str]


def token_of(database: Database, document: int, *, revoked: bool = False) -> str:
    with database.transaction() as session:
        row = session.get_one(IssuedDocument, document)
        if revoked:
            revoke(session, row)
        return row.token


STATES: dict[str, State] = {
    "unknown": lambda database: "f" * 40,
    "pending": lambda database: token_of(database, fixed(database)),
    "valid": lambda database: token_of(database, issued(database)[0]),
    "revoked": lambda database: token_of(database, issued(database)[0], revoked=True),
}


@pytest.mark.parametrize("state", STATES)
def test_the_qr_says_what_holds(database: Database, state: str) -> None:
    token = STATES[state](database)
    with database.reading() as session:
        found = verify(session, token)
        assert found.state == state
        assert (found.document is None) == (state == "unknown")
        if found.document is not None:
            assert found.document.token == token
            assert (found.document.revoked_at is not None) == (state == "revoked")


def test_no_upload_is_a_paper_that_has_no_bytes_yet(database: Database) -> None:
    with database.transaction() as session:
        assert not same_bytes(decide(session), b"")


def test_a_paper_revoked_before_it_was_made_is_made_and_stays_revoked(database: Database) -> None:
    document = fixed(database)
    token = token_of(database, document, revoked=True)
    assert produce(database, document, sign, lambda session, row: None)
    with database.reading() as session:
        assert verify(session, token).state == "revoked"
        assert session.get_one(IssuedDocument, document).sha256 is not None
