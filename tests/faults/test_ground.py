"""What the site stands on gives way: connections are cut, PostgreSQL is killed, the disk is full."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text

from tests.databases import PostgresHouse, SqliteHouse
from workflows.base.files import FileStore
from workflows.base.session import Database
from workflows.cases import check
from workflows.cases.model import Decision, WorkItem

from .conftest import Stormy, with_the_web
from .person import Answer
from .storm import Storm


class Cut(Storm):
    """The connections to the database end in the middle of a request."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.calm, self.cuts = 0.3, 0
        self.server = create_engine(
            self.database.engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT"
        )

    def struck(self, send: Callable[[], Answer]) -> Answer | None:
        bolt = threading.Timer(self.chance.random() * 0.15, self.cut)
        bolt.start()
        try:
            answer = send()
            assert answer.status in (303, 503), answer.text + self.site.logs()
            return None if answer.status == 503 else answer
        finally:
            bolt.join()
            self.database.engine.dispose()
            self.everything_answers()

    def cut(self) -> None:
        ended = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()"
        )
        with self.server.connect() as connection:
            self.cuts += len(connection.scalars(ended, {"name": self.database.engine.url.database}).all())


class Crash(Cut):
    """PostgreSQL itself is killed, and started again by whoever watches it."""

    house: PostgresHouse

    def cut(self) -> None:
        server = self.house._server
        os.kill(server.get_pid(), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while subprocess.run(["pgrep", "-f", str(server.pgdata)], capture_output=True).returncode == 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for left in ("postmaster.pid", ".s.PGSQL.5432.lock"):  # of a process that nobody may have buried yet
            (server.pgdata / left).unlink(missing_ok=True)
        server.ensure_postgres_running()
        self.cuts += 1


@pytest.mark.long
def test_connections_are_cut(postgres_county: Database, stormy: Stormy) -> None:
    with stormy(postgres_county, 5, Cut) as storm:
        storm.weather(0)
        assert isinstance(storm, Cut)
        storm.server.dispose()
        assert storm.cuts > 20


@pytest.mark.long
def test_postgres_is_killed_and_started_again(
    place: Path, stormy: Stormy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of its own: killing the common one would fail everybody's tests."""
    folder = Path(tempfile.mkdtemp(prefix="wengang-"))
    folder.chmod(0o755)  # the server runs as somebody else
    house = PostgresHouse(folder, durable=True)
    monkeypatch.setattr(Crash, "house", house, raising=False)
    try:
        with house.fresh("site", with_the_web) as database, stormy(database, 3, Crash) as storm:
            storm.weather(0)
            assert isinstance(storm, Crash)
            storm.server.dispose()
            assert storm.cuts > 5
    finally:
        house.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    """48 MB for database and files."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(place)], check=True)
    FileStore(place / "files")  # the folder that was there lies beneath
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_the_disk_is_full(small_disk: Path, stormy: Stormy) -> None:
    """Nothing is half done, what was typed comes back with the reason, and the same form is taken when there is room."""
    with SqliteHouse(small_disk).fresh("site", with_the_web) as database, stormy(database, 1) as storm:
        (case_id,) = storm.cases
        step = storm.step(case_id)
        ballast = small_disk / "ballast"
        fill_up(ballast)
        refused = step.send()
        assert (refused.status, "服务器磁盘已满" in refused.text) == (503, True), refused.text
        assert "情况属实。" in refused.text
        assert storm.person("shifan.clerk").get("/work").status == 200  # reading goes on
        assert decided(database) == ["application"]
        ballast.unlink()
        assert check.check(database) == []
        done = step.send()
        assert (done.status, step.send().to) == (303, done.to)
        assert decided(database) == ["application", "township_check"]
        fill_up(ballast)  # now the worker: what cannot be written is tried again
        with database.reading() as session:
            assert session.scalars(select(WorkItem.step).where(WorkItem.closed_at.is_(None))).all()
        time.sleep(4)
        ballast.unlink()
        storm.blows = 0
        storm.weather(0)


def fill_up(ballast: Path) -> None:
    """Until nothing more can be written."""
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def decided(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Decision.step).order_by(Decision.id)))
