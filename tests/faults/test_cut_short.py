"""Long work is killed in the middle: the reading of a roster, and a migration. What began is there whole or not at all, and is done
when it is begun again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, inspect, select, text

from tests.conftest import TEST_KEYRING
from tests.databases import PostgresHouse, SqliteHouse
from tests.processes.reward_stage import PROCESS, reward
from tests.processes.stage import MONDAY, county_of
from workflows.base import clock
from workflows.base.model import Base
from workflows.base.session import Database
from workflows.cases import check
from workflows.cases.model import ProcessVersion, WorkItem
from workflows.cases.process import newest
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.scenario_people import sheet_of
from workflows.cases.verdicts import current_roster
from workflows.organisations.model import User
from workflows.registers.model import EmployerMember

from .person import Person
from .site import Site

#: More than are staged at once.
PEOPLE = 520
POINTS = ("rows_staged", "statement", "before_commit", "after_commit", "before_flush", "file_written")


def test_a_roster_is_read_whole_or_not_at_all(
    sqlite_county: Database, place: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_under_fire(sqlite_county, place, Random(seed), monkeypatch, 2)


@pytest.mark.long
def test_a_roster_is_read_whole_or_not_at_all_every_time(
    county: Database, place: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_under_fire(county, place, Random(seed), monkeypatch, 25)


def read_under_fire(
    database: Database, place: Path, chance: Random, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    with clock.frozen(MONDAY) as move:
        kinds = [{"kind": "qualified", "count": PEOPLE}]
        run = reward(database, move, "application", roster=kinds)
        offset = (clock.now() - datetime.now(UTC)).total_seconds()
    with database.reading() as session:
        process = newest(session, PROCESS)
        assert process.roster is not None
        content = sheet_of(process.roster, run.people)
        item = session.scalars(select(WorkItem.id).where(WorkItem.case_id == run.walk.case_id)).one()
        unit = county_of(database).employers[1].id
        username = session.scalars(
            select(User.username).join(EmployerMember).where(EmployerMember.employer_id == unit)
        ).first()
    site = Site(place, database, offset)
    monkeypatch.setenv("WENGANG_CLOCK_FILE", str(site.clock))
    with site:
        person = Person(site.address, str(username))
        person.sign_in()
        for number in range(1, times + 1):
            person.get(f"/employer/steps/{item}/roster")
            point = "rows_staged" if number <= 2 else chance.choice(POINTS)
            count = chance.randint(1, 60) if point == "statement" else min(number, chance.randint(1, 3))
            site.order("worker0", point, count)
            sent = person.upload(
                f"/employer/steps/{item}/roster", "file", "花名册.xlsx", content, {"how": "whole"}
            )
            assert sent.status == 303, sent.text
            site.settle()
            site.withdraw("worker0")
            read_whole(database, run.walk.case_id, number)
        assert site.kills >= min(times, 2), "it did die in the middle"


def read_whole(database: Database, case_id: int, number: int) -> None:
    """So many rosters were uploaded; the last one holds, with everybody in it once."""
    with database.reading() as session:
        roster = current_roster(session, case_id)
        assert roster is not None
        uploaded = session.scalars(select(Roster.id).where(Roster.case_id == case_id)).all()
        rows = session.scalar(select(func.count()).where(RosterRow.roster_id == roster.id))
        people = session.scalar(
            select(func.count(RosterRow.person_id.distinct())).where(RosterRow.roster_id == roster.id)
        )
        assert (len(uploaded), roster.id, rows, people) == (number, max(uploaded), PEOPLE, PEOPLE)
    assert check.check(database) == []


# Migrations ----------------------------------------------------------------------------------------------------------


def test_a_migration_that_is_killed_is_begun_again(
    sqlite_house: SqliteHouse, tmp_path: Path, seed: int
) -> None:
    migrate_under_fire(sqlite_house, tmp_path, Random(seed), 1)


@pytest.mark.long
def test_a_migration_that_is_killed_again_and_again(
    house: SqliteHouse | PostgresHouse, tmp_path: Path, seed: int
) -> None:
    migrate_under_fire(house, tmp_path, Random(seed), 20)


def migrate_under_fire(house: SqliteHouse | PostgresHouse, folder: Path, chance: Random, times: int) -> None:
    """``wengang migrate`` makes the tables and publishes the processes; it is killed at so many statements, then let be."""
    TEST_KEYRING.save(folder / "keys.json")
    with house.fresh("nothing", emptied) as database:
        kills = 0
        for _ in range(times):
            (folder / "order").write_text(f"statement {chance.randint(1, 120)} x")
            kills += migrated(database, folder) == -signal.SIGKILL
            with database.engine.connect() as connection:
                made = set(inspect(connection).get_table_names()) - {"alembic_version"}
            assert made in (set(), set(Base.metadata.tables)), "all tables or none"
        (folder / "order").unlink(missing_ok=True)
        assert migrated(database, folder) == 0
        assert kills
        with database.reading() as session:
            numbers = session.scalars(select(ProcessVersion.number)).all()
            assert set(numbers) == {1}, "each process was published once"
            assert session.scalar(text("select version_num from alembic_version"))
        assert check.check(database) == []


def emptied(database: Database) -> None:
    """Without what the house puts into every template."""
    Base.metadata.drop_all(database.engine)


def migrated(database: Database, folder: Path) -> int:
    """How the command ended."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("WENGANG_", "COV_"))},
        "WENGANG_DEMO": "1",
        "WENGANG_DATA_DIR": str(folder),
        "WENGANG_DATABASE_URL": database.url,
        "FAULT_ORDER": str(folder / "order"),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "tests.faults.victim", "migrate"],
        env=environment,
        capture_output=True,
        timeout=120,
    )
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr.decode()
    return ended.returncode
