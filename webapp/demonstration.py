"""``script/demo``: one whole case without a browser, in a database of its own, through the use cases that pages use."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select

from webapp.config import Settings
from webapp.startup import open_database, prepare, signer
from workflows.base import clock
from workflows.base.errors import NotFound
from workflows.base.files import FileStore, StoredFile
from workflows.base.model import Base
from workflows.base.privacy import Keyring
from workflows.base.session import Database
from workflows.cases.model import Case
from workflows.cases.publishing import process_keys, publish_all
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.documents.issue import Sign, verify_path
from workflows.documents.model import IssuedDocument
from workflows.registers import demo_county


def run(process: str, scenario_key: str, output: Path) -> dict[str, Any]:
    """Drive a scenario to its end and write its documents to ``output``; what ``script/demo`` prints at last.

    :raises NotFound: no such process or scenario.
    """
    if process not in process_keys():
        raise NotFound(f"没有流程 {process}，可选：{'、'.join(process_keys())}。")
    scenarios = Scenarios.read(process)
    key = scenario_key or scenarios.keys[0]
    if key not in scenarios.keys:
        raise NotFound(f"没有情景 {key}，可选：{'、'.join(scenarios.keys)}。")
    scenario = scenarios.get(key)
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="wengang-demo-") as folder:
        settings = _settings(Path(folder))
        _, store = prepare(settings)
        database = open_database(settings)
        try:
            return _walk(database, signer(settings), store, scenarios, scenario, output)
        finally:
            database.close()


def _settings(folder: Path) -> Settings:
    """An installation that lasts as long as the walk; its address is the configured one, for the QR codes."""
    kept = {name: os.environ[name] for name in ("WENGANG_PUBLIC_URL", "PORT") if name in os.environ}
    configured = Settings.from_environment({**kept, "WENGANG_DEMO": "1", "WENGANG_DATA_DIR": str(folder)})
    Keyring.generate().save(configured.keys_file)
    return replace(configured, queue_url="memory://")


def _walk(
    database: Database,
    sign: Sign,
    store: FileStore,
    scenarios: Scenarios,
    scenario: Mapping[str, Any],
    output: Path,
) -> dict[str, Any]:
    parent = scenario.get("parent")
    begins = Scenarios.read(parent["process"]).get(parent["scenario"]) if parent else scenario
    with clock.frozen(opening_instant(begins)) as move:
        Base.metadata.create_all(database.engine)
        with database.transaction() as session:
            publish_all(session)
            county = demo_county.load(session, demonstration=True, store=store)
            employer_id, code = county.employers[1].id, county.county_code
        walked = _begin(database, sign, scenarios, scenario, employer_id, code, move)
        outcome = walked.outcome()
        with database.reading() as session:
            case = session.get_one(Case, outcome.case_id)
            return {
                "case": case.number,
                "process": scenarios.process,
                "status": outcome.status,
                "steps": [
                    {"work_item": one.work_item, "office": one.office, "outcome": one.outcome}
                    for one in walked.walk.taken
                ],
                "documents": [
                    _write(output, store, number, document, session.get_one(StoredFile, document.file_id))
                    for number, document in enumerate(
                        session.scalars(
                            select(IssuedDocument)
                            .where(
                                IssuedDocument.case_id == outcome.case_id,
                                IssuedDocument.file_id.is_not(None),
                            )
                            .order_by(IssuedDocument.id)
                        ),
                        start=1,
                    )
                ],
            }


def _begin(
    database: Database,
    sign: Sign,
    scenarios: Scenarios,
    scenario: Mapping[str, Any],
    employer_id: int,
    county_code: str,
    move: Any,
) -> Run:
    """Walk the scenario; one that hangs on another process's case (an objection) walks that one up to it first."""
    parent = scenario.get("parent")
    if parent is None:
        whole = Run(database, sign, scenarios, employer_id, county_code, move)
        whole.run(scenario)
        return whole
    outer = Scenarios.read(parent["process"])
    around = Run(database, sign, outer, employer_id, county_code, move)
    around.run(outer.get(parent["scenario"]), until="advance")
    around.take({"objection": {"name": "first", "content": scenario["content"]}}, scenario)
    inner = around.named["first"]
    for action in scenario["walk"]:
        inner.take(action, scenario)
    inner.walk.work()
    return inner


def _write(
    output: Path, store: FileStore, number: int, document: IssuedDocument, file: StoredFile
) -> dict[str, Any]:
    path = output / f"{number:02d}-{document.name}.pdf"
    path.write_bytes(store.read(file))
    return {
        "file": str(path),
        "title": document.title,
        "sha256": document.sha256,
        "verify": verify_path(document.token),
    }


def as_line(result: dict[str, Any]) -> str:
    """One JSON object on one line."""
    return json.dumps(result, ensure_ascii=False)
