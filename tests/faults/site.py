"""A site of real processes: one web, one worker, over a database and a folder; killed and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from tests.conftest import TEST_KEYRING
from webapp.commands.running import measures_folder
from workflows.base.clock import now
from workflows.base.outbox import OutboxRow
from workflows.base.session import Database
from workflows.cases.model import CaseTimer

from .person import BROKEN, Person


@dataclass
class Site:
    """Web and worker over one database.

    :param processes: of the web.
    :param offset: seconds between the site's clock and the machine's.
    """

    folder: Path
    database: Database
    offset: float
    processes: int = 1
    workers: int = 1
    queue_url: str = ""
    kills: int = 0
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        TEST_KEYRING.save(self.folder / "keys.json")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.clock = self.folder / "clock"
        self.clock.write_text(str(self.offset))

    def __enter__(self) -> Site:
        try:
            self.start_all()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    # Processes -------------------------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        return ["web", *(f"worker{number}" for number in range(self.workers))]

    def environment(self, name: str) -> Mapping[str, str]:
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith(("WENGANG_", "COV_"))},
            "WENGANG_DEMO": "1",
            "WENGANG_DATA_DIR": str(self.folder),
            "WENGANG_DATABASE_URL": self.database.url,
            "WENGANG_PUBLIC_URL": self.address,
            "WENGANG_QUEUE_URL": self.queue_url,
            "WENGANG_CLOCK_FILE": str(self.clock),
            "FAULT_ORDER": str(self.order_file(name)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def order_file(self, name: str) -> Path:
        return self.folder / f"order-{name}"

    def start(self, name: str) -> None:
        """Start what is not running."""
        if name in self.running and self.running[name].poll() is None:
            return
        what = (
            ["serve", "--port", str(self.port), "--processes", str(self.processes), "--threads", "4"]
            if name == "web"
            else ["worker", "--threads", "1"]
        )
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.victim", *what],
                env=dict(self.environment(name)),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_all(self) -> None:
        for name in self.names:
            self.start(name)
        self.wait_for_web()

    def stop(self) -> None:
        """End everything, cleanly where it listens."""
        for one in self.running.values():
            if one.poll() is None:
                one.terminate()
        for one in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.wait(30)
            self._kill_group(one)
        shutil.rmtree(measures_folder(self.folder.resolve()), ignore_errors=True)

    def power_cut(self) -> None:
        """Everything is gone at once; then everything is started again."""
        for one in self.running.values():
            self._kill_group(one)
        self.kills += len(self.running)
        self.start_all()

    @staticmethod
    def _kill_group(one: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(one.pid, signal.SIGKILL)
        one.wait(30)

    def wait_for_web(self) -> None:
        """Until the web answers anything at all. Whatever died is started again."""
        deadline = time.monotonic() + 60
        guest = Person(self.address, "")
        while True:
            for name in self.names:
                self.start(name)
            try:
                if guest.get("/login").status < 500:
                    return
            except BROKEN:
                pass
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.05)

    def logs(self) -> str:
        """The ends of all logs, for whoever reads a failure."""
        return "\n".join(
            f"── {file.name}\n" + file.read_text(errors="replace")[-3000:]
            for file in sorted(self.folder.glob("*.log"))
        )

    # Faults ----------------------------------------------------------------------------------------------------------

    def order(self, name: str, point: str, count: int) -> None:
        """Whoever runs under that name dies at the so manieth passing of a point."""
        draft = self.folder / f"draft-{name}"
        draft.write_text(f"{point} {count} {uuid.uuid4().hex}")
        draft.rename(self.order_file(name))

    def withdraw(self, name: str) -> bool:
        """Take an order back; whether it was still there, and nobody died of it."""
        try:
            self.order_file(name).unlink()
        except FileNotFoundError:
            return False
        return True

    def move(self, by: timedelta) -> None:
        """Set the clock of every process, ours included, forwards or backwards."""
        self.offset += by.total_seconds()
        draft = self.folder / "clock-draft"
        draft.write_text(str(self.offset))
        draft.rename(self.clock)

    # The worker ------------------------------------------------------------------------------------------------------

    def waiting(self) -> int:
        """Tasks and timers that are due."""
        with self.database.reading() as session:
            tasks = select(func.count()).select_from(OutboxRow).where(OutboxRow.done_at.is_(None))
            timers = (
                select(func.count())
                .select_from(CaseTimer)
                .where(CaseTimer.closed_at.is_(None), CaseTimer.due_at <= now())
            )
            return (session.scalar(tasks) or 0) + (session.scalar(timers) or 0)

    def settle(self, seconds: float = 90) -> None:
        """Wait until the worker has done everything. One that died is started again; five minutes pass for whatever it had
        claimed."""
        deadline, waited = time.monotonic() + seconds, time.monotonic()
        while self.waiting():
            for name in self.names[1:]:
                if self.running[name].poll() is not None:
                    self.kills += self.running[name].returncode == -signal.SIGKILL
                    self.start(name)
                    self.move(timedelta(minutes=6))
            if time.monotonic() - waited > 10:
                self.move(timedelta(minutes=6))
                waited = time.monotonic()
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.1)
