"""``roster_import``: a roster of 10 000 people read, checked, judged and stored, against reading the file and storing as much."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook
from sqlalchemy import delete, insert, select

from benchmarks.figures import Figure, middle
from benchmarks.world import BEFORE, KINDS, World
from workflows.base.clock import frozen
from workflows.base.session import Database
from workflows.cases.process import newest
from workflows.cases.publishing import publish_process
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenario_people import sheet_of
from workflows.cases.scenarios import Run, Scenarios, opening_instant

PROCESS = "workshop_recognition"
PEOPLE, GOAL = 10_000, 4.0
CHUNK = 500


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a database; the upload is kept, read by the worker and swapped in, as a clerk sees it."""
    people, times = (200, 1) if quick else (PEOPLE, 3)
    made = Scenarios.read(PROCESS)
    scenario = {**made.get("straight"), "roster": [{"kind": "qualified", "count": people}]}
    for kind in KINDS:
        with world.county(kind) as database, frozen(opening_instant(scenario)) as move:
            _widen(database, world.folder / kind, people)
            sheet, run_ = _begun(database, made, scenario, move)
            pairs = []
            for _ in range(times + 1):
                begun = time.perf_counter()
                run_.walk.upload(sheet)
                mine = time.perf_counter() - begun
                pairs.append((mine, _floor(database, sheet)))
            yield Figure(
                f"roster_import {kind} {people}",
                middle([mine for mine, _ in pairs[1:]]),
                "s",
                middle([floor for _, floor in pairs[1:]]),
                GOAL,
            )


def _widen(database: Database, folder: Path, people: int) -> None:
    """Publish the process with room for so many: a real one takes 5 000 people in one case."""
    with as_file(files("forms")) as here:
        shutil.copytree(here, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    roster = folder / PROCESS / "roster.yaml"
    said = roster.read_text("utf-8")
    wide = said.replace("max_rows: 5000", f"max_rows: {people}")
    if wide == said:
        raise LookupError("the roster's limit is not where it was")
    roster.write_text(wide, "utf-8")
    with frozen(BEFORE), database.transaction() as session:
        publish_process(session, PROCESS, forms=folder)


def _begun(database: Database, made: Scenarios, scenario: dict[str, Any], move: Any) -> tuple[bytes, Run]:
    from workflows.registers.demo_county import load

    with database.reading() as session:
        county = load(session, demonstration=True)
        definition = newest(session, PROCESS).roster
    if definition is None:
        raise LookupError(f"{PROCESS} has no roster")
    run_ = Run(
        database, lambda pdf, reason, when: pdf, made, county.employers[1].id, county.county_code, move
    )
    run_.begin(scenario)
    return sheet_of(definition, run_.people), run_


def _floor(database: Database, sheet: bytes) -> float:
    """Seconds to read every cell with the same library and to store the same columns, enciphered as they are."""
    with database.reading() as session:
        roster_id = session.scalars(select(RosterRow.roster_id).limit(1)).one()
        columns = [str(one) for one in session.scalars(select(RosterRow.values).limit(1)).one()]
    begun = time.perf_counter()
    rows = CalamineWorkbook.from_filelike(BytesIO(sheet)).get_sheet_by_index(0).to_python()
    stored = [
        {
            "roster_id": roster_id,
            "number": 1_000_000 + number,
            "values": dict(zip(columns, map(str, row), strict=False)),
            "raw": [str(cell) for cell in row],
            "errors": {},
            "warnings": {},
            "across": [],
            "bad": False,
            "result": "",
            "facts": {},
            "fired": [],
        }
        for number, row in enumerate(rows)
    ]
    for start in range(0, len(stored), CHUNK):
        with database.transaction() as session:
            session.execute(insert(RosterRow), stored[start : start + CHUNK])
    spent = time.perf_counter() - begun
    with database.transaction() as session:
        session.execute(delete(RosterRow).where(RosterRow.number >= 1_000_000))
    return spent
