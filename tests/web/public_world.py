"""The county as the public sees it: one 公示 that runs, one workshop recognised with its sealed certificate.

Papers are blank pages, truly signed: what is printed on them has tests of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfWriter
from sqlalchemy import select

from workflows.base import clock
from workflows.base.files import FileStore
from workflows.base.installation import Installation, installation, use_installation
from workflows.base.session import Database
from workflows.cases import process
from workflows.cases.model import Case, Publicity
from workflows.cases.publishing import publish_all
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.documents import issue, signing
from workflows.documents.model import IssuedDocument
from workflows.registers.demo_county import load

SET_UP = datetime(2025, 1, 6, 9, 0, tzinfo=clock.SHANGHAI)
SCENARIO = "straight"


@dataclass(frozen=True)
class PublicWorld:
    """Handles: the instant at which everything below holds, and what the public may know of it."""

    at: datetime
    token: str
    case_number: str
    phone: str
    employer: str
    ends_at: datetime
    recognised_number: str
    papers: Mapping[str, tuple[str, str, bytes]]  # name → token, number, file
    people: tuple[tuple[str, str, str], ...]  # name, ID number, phone


def blank_page(template: Any, context: Mapping[str, Any]) -> bytes:
    """Stands for a rendered paper: a page that bears nothing but its title."""
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    writer.add_metadata({"/Title": f"{context['title']} {context['verify_code']}"})
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def fill(database: Database, folder: Path, scenario: str = SCENARIO) -> PublicWorld:
    """Make the county and walk two cases.

    :param folder: the installation's data: its files and its signer.
    """
    use_installation(Installation("http://localhost", True, FileStore(folder / "files")))
    process.forget()
    signer = signing.load_signer(None, "", folder)

    def sign(pdf: bytes, reason: str, when: datetime) -> bytes:
        return signing.sign(pdf, signer, reason, "", when)

    with clock.frozen(SET_UP), database.transaction() as session:
        county = load(session, demonstration=True)
        publish_all(session)
        employers = {number: (one.id, one.name) for number, one in county.employers.items()}
    scenarios = Scenarios.read("workshop_recognition")
    described = scenarios.get(scenario)
    with pytest.MonkeyPatch.context() as patch, clock.frozen(opening_instant(described)) as move:
        patch.setattr(issue, "render", blank_page)
        done = Run(database, sign, scenarios, employers[2][0], county.county_code, move, seed=2)
        done.run(described)
        move(timedelta(days=1))
        running = Run(database, sign, scenarios, employers[1][0], county.county_code, move, seed=1)
        running.run(described, until="advance")
        return _world(database, running, done, employers[1][1])


def _world(database: Database, running: Run, done: Run, employer: str) -> PublicWorld:
    answers = running.scenarios.content["answers"]["application_form"]
    with database.reading() as session:
        publicity = session.scalars(select(Publicity).where(Publicity.case_id == running.walk.case_id)).one()
        papers = session.scalars(
            select(IssuedDocument).where(IssuedDocument.case_id == done.walk.case_id)
        ).all()
        store = installation().files
        return PublicWorld(
            at=clock.now(),
            token=publicity.token,
            case_number=session.get_one(Case, running.walk.case_id).number,
            phone=str(answers["contact_phone"]),
            employer=employer,
            ends_at=publicity.ends_at,
            recognised_number=session.get_one(Case, done.walk.case_id).number,
            papers={one.name: (one.token, one.number, store.read(one.file)) for one in papers},
            people=tuple((one.name, one.id_number, str(one.cells["phone"])) for one in running.people),
        )
