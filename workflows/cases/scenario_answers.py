"""A scenario's answers as a page would post them: texts, rows of a table, files that pass for what they are named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from workflows.base.clock import today
from workflows.base.session import Database
from workflows.cases import scenario_projects
from workflows.cases.process import Process
from workflows.cases.scenario_people import day_of
from workflows.organisations.divisions import children
from workflows.registers.demo_people import id_number
from workflows.registers.model import Employer

#: Contents that are enough for a walk, and said to be fictional.
PDF = b"%PDF-1.4\n% \xe6\xbc\x94\xe7\xa4\xba\n%%EOF\n"
IMAGE = b"\x89PNG\r\n\x1a\n" + b"fictional" * 4
#: The employer's legal representative.
OWNER = id_number(date(1974, 1, 1), 77)


def posted(database: Database, employer_id: int, answers: Mapping[str, Any]) -> dict[str, list[str]]:
    """Answers as texts, files left out."""
    plain = {
        key: _texts(database, employer_id, value)
        for key, value in answers.items()
        if not _is_rows(value) and not _is_file(value)
    }
    return plain | {
        f"{key}-{number}-{part}": [str(text)]
        for key, value in answers.items()
        if _is_rows(value)
        for number, row in enumerate(value)
        for part, text in row.items()
    }


def files_for(
    process: Process, step: str, answers: Mapping[str, Any], *, materials: bool
) -> dict[str, tuple[bytes, str]]:
    """What is to be attached: the files that the answers name and, with ``materials``, those that the process requires."""
    wanted = {key: (IMAGE, f"{key}.png") for key, value in answers.items() if _is_file(value)}
    if materials and process.steps[step].config.get("materials") == "edit":
        wanted |= {
            one["key"]: (IMAGE, f"{one['title']}.png")
            if one.get("accept") == ["image"]
            else (PDF, f"{one['title']}.pdf")
            for one in process.materials
            if one.get("required")
        }
    return wanted


def _texts(database: Database, employer_id: int, value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _texts(database, employer_id, one)]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if value == "@owner":
        return [OWNER]
    if isinstance(value, str) and value.startswith("@"):
        found = scenario_projects.meant(database, value, employer_id)
        if found is not None:
            return [found]
    if value == "@village":
        with database.reading() as session:
            place = session.get_one(Employer, employer_id).division_code
            villages = children(session, place)
            return [villages[0].code if villages else place]
    day = day_of(value, today())
    return [day.isoformat() if isinstance(day, date) else str(day)]


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _is_file(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and value[0] in ("@image", "@pdf")
