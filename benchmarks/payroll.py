"""``payroll_size`` and ``attendance_import``: a month of 5 000 workers, step by step against the same month of five; a calendar
of 100 000 days read and stored against reading the same file and writing as many rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
from sqlalchemy import insert, select, update

from benchmarks.browsing import browser, seconds
from benchmarks.figures import Figure, middle
from benchmarks.world import KINDS, World, analyse
from workflows.base.clock import frozen
from workflows.base.session import Database
from workflows.cases.filling import Filling, save
from workflows.cases.process import newest
from workflows.cases.scenario_people import sheet_of
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.cases.slip_model import PaySlip
from workflows.documents import issue
from workflows.registers.demo_county import load
from workflows.registers.project_model import WorkDay

PROCESS = "work_relief_payroll"
SMALL, MIDDLE, LARGE = 5, 500, 5_000
#: A word that an office speaks must not care how many people the sheet has; what is written for each worker once (days,
#: slots, slips, the paper that names them, the reservation) may cost the same for each, however many they are.
SIZE_GOAL, EACH_GOAL, IMPORT_GOAL = 2.0, 1.5, 4.0
WORDS = ("owner_review", "notice_board")
WRITES = ("payroll", "confirmation", "township_check", "ndrc_review", "pay")
#: Pages that show the month: name → step before which they are asked for (at the end: none), who asks, address.
PAGES: Mapping[str, tuple[str, str, str]] = {
    "审定页": ("owner_review", "shuili.clerk", "/work/{item}"),
    "核验页": ("township_check", "shifan.clerk", "/work/{item}"),
    "审核页": ("ndrc_review", "fagai.clerk", "/work/{item}"),
    "项目总览": ("ndrc_review", "fagai.clerk", "/overview/projects"),
    "业主首页": ("owner_review", "shuili.clerk", "/work"),
    "造批页": ("pay", "caizheng.clerk", "/finance/batches/new"),
}
#: Workers × 31 days: 100 000 cells.
WORKERS, DAYS = 3_226, 31
MADE = Scenarios.read(PROCESS)
STRAIGHT = MADE.get("straight")


def run_size(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a step and database."""
    middle_, large = (50, 300) if quick else (MIDDLE, LARGE)
    for kind in KINDS:
        spent: dict[int, dict[str, float]] = {}
        for people in (SMALL, middle_, large):
            with world.county(kind) as database, _no_papers(), frozen(opening_instant(STRAIGHT)) as move:
                spent[people] = _walk(database, move, people, world.folder)
        for step in WORDS:
            yield Figure(
                f"payroll_size {kind} {step}",
                spent[large][step] * 1000,
                "ms",
                spent[SMALL][step] * 1000,
                SIZE_GOAL,
            )
        for step in WRITES:
            yield Figure(
                f"payroll_size {kind} {step}, each worker",
                spent[large][step] * 1000 / large,
                "ms",
                spent[middle_][step] * 1000 / middle_,
                EACH_GOAL,
            )
        for page in PAGES:
            yield Figure(
                f"payroll_size {kind} {page}",
                spent[large][page] * 1000,
                "ms",
                spent[middle_][page] * 1000,
                SIZE_GOAL,
            )


def _walk(database: Database, move: Any, people: int, folder: Path) -> dict[str, float]:
    """Seconds of each step of the straight month, the best of what can be repeated; ``pay``: 财政's three acts and the answer."""
    with database.reading() as session:
        county = load(session, demonstration=True)
    run = Run(database, _unsigned, MADE, county.employers[1].id, county.county_code, move)
    content = {**STRAIGHT, "roster": [{"kind": "daily", "count": people}], "funds": 10_000_000_000}
    run.begin(content)
    _choose_month(database, run)
    run.walk.upload(_sheet(database, run))
    analyse(database)
    spent: dict[str, float] = {}
    for action in content["walk"]:
        if "slip" in action:
            _everybody_agrees(database)
            continue
        step = str(action.get("step") or next(iter(action)))
        for page, (at, who, path) in PAGES.items():
            if at == step:
                address = path.format(item=_item(database, run, step) if "{item}" in path else 0)
                client = browser(database, folder, who)
                spent[page] = min(seconds(client, address) for _ in range(15))
        begun = time.perf_counter()
        run.take({"pay": {}} if step == "pay" else action, content)
        spent[step] = time.perf_counter() - begun
        if step == "pay":
            break
    return spent


def _item(database: Database, run: Run, step: str) -> int:
    with database.reading() as session:
        return run.walk.item(session, step).id


def _everybody_agrees(database: Database) -> None:
    """On the signed sheet: thousands of single answers are the workers' own, not an office's."""
    with database.transaction() as session:
        session.execute(update(PaySlip).where(PaySlip.state == "open").values(state="signed"))


@contextmanager
def _no_papers() -> Iterator[None]:
    """Laying papers out is the worker's, and ``pdf_render``'s."""
    before = issue.render
    issue.render = lambda *_: b"%PDF-1.4\n%%EOF\n"  # type: ignore[assignment]  # restored below
    try:
        yield
    finally:
        issue.render = before


def _unsigned(pdf: bytes, reason: str, when: datetime) -> bytes:
    return pdf


def run_import(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a database: the worker reads the sheet; pay, identities, days and rules of every row with it."""
    workers, times = (100, 1) if quick else (WORKERS, 3)
    for kind in KINDS:
        with world.county(kind) as database, frozen(opening_instant(STRAIGHT)) as move:
            with database.reading() as session:
                county = load(session, demonstration=True)
            run = Run(database, _unsigned, MADE, county.employers[1].id, county.county_code, move)
            people: Mapping[str, Any] = MADE.content["people"]
            full = {**people["daily"], "row": {**people["daily"]["row"], "days": {"from": 1, "to": 30}}}
            run.scenarios = Scenarios(PROCESS, {**MADE.content, "people": {**people, "daily": full}})
            run.begin({**STRAIGHT, "roster": [{"kind": "daily", "count": workers}]})
            sheet = _sheet(database, run)
            _choose_month(database, run)
            pairs = []
            for _ in range(times + 1):
                begun = time.perf_counter()
                run.walk.upload(sheet)
                mine = time.perf_counter() - begun
                pairs.append((mine, _floor(database, sheet)))
            yield Figure(
                f"attendance_import {kind} {workers * DAYS}",
                middle([mine for mine, _ in pairs[1:]]),
                "s",
                middle([floor for _, floor in pairs[1:]]),
                IMPORT_GOAL,
            )


def _sheet(database: Database, run: Run) -> bytes:
    with database.reading() as session:
        definition = newest(session, PROCESS).roster
    if definition is None:
        raise LookupError(f"{PROCESS} has no roster")
    return sheet_of(definition, run.people)


def _choose_month(database: Database, run: Run) -> None:
    """As the form asks before the sheet: its days have their dates then."""
    with database.transaction() as session:
        item = run.walk.item(session, "payroll")
        found = Filling(session, item)
        fields = tuple(field for section in found.sections for field in section.fields)
        save(
            session,
            run.walk.actor_for(session, item),
            item.id,
            fields,
            {"month": ["2026-04"], "batch": ["regular"]},
        )


def _floor(database: Database, sheet: bytes) -> float:
    """Seconds to read every cell of the file and to write as many days, and nothing else."""
    with database.reading() as session:
        person, project = session.execute(select(WorkDay.person_id, WorkDay.project_id).limit(1)).one()
    begun = time.perf_counter()
    book = openpyxl.load_workbook(BytesIO(sheet), read_only=True)
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    days = [
        {
            "person_id": person,
            "day": date(2026, 1, 1) + timedelta(days=place),
            "project_id": project,
            "case_id": 0,
            "roster_id": 0,
            "row_id": number,
            "hundredths": 100,
            "state": "staged",
        }
        for number, row in enumerate(rows)
        for place, value in enumerate(row[:DAYS])
        if value is not None
    ]
    with database.transaction() as session:
        session.execute(insert(WorkDay), days)
    spent = time.perf_counter() - begun
    with database.transaction() as session:
        session.execute(WorkDay.__table__.delete().where(WorkDay.__table__.c.roster_id == 0))  # type: ignore[attr-defined]  # a Table
    return spent
