"""The worker: drains the outbox, fires timers, notes what is overdue, seals the day, says that it lives.

Everything it must do stands in the database; the queue only wakes it. So it may be killed at any moment, run twice, or
lose its queue: the next sweep finds what is left.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from huey import Huey

from webapp import sending
from webapp.audit.verifying import verification_handler
from webapp.config import Settings
from webapp.health import WORKER
from webapp.measures import timed
from webapp.queue import make_queue
from webapp.startup import open_database, prepare, signer
from workflows.base.heartbeat import beat
from workflows.base.outbox import Handler, drain
from workflows.base.session import Database
from workflows.cases import jobs
from workflows.documents.fonts import font_problem

log = logging.getLogger("wengang.worker")


@dataclass
class Chore:
    """Something done again and again. ``every``: seconds between two times."""

    name: str
    every: float
    do: Callable[[], object]
    due: float = field(default=0.0)


class Worker:
    """One process of workers: threads that drain when woken, and one that sweeps.

    :param database: what is to be done.
    :param handlers: outbox kind → what to do.
    :param queue: what wakes it.
    :param threads: how many drain side by side: a long document must not hold up a roster.
    """

    def __init__(
        self, database: Database, handlers: dict[str, Handler], queue: Huey, threads: int = 2
    ) -> None:
        self.database = database
        self.handlers = handlers
        self.queue = queue
        self.threads = threads
        self._stop = threading.Event()
        self._wake = threading.Event()
        self.chores = [
            Chore("heartbeat", 5, self._beat),
            Chore("timers", 3, lambda: jobs.fire_due_timers(database)),
            Chore("overdue", 30, lambda: jobs.note_overdue(database)),
            Chore("reviews", 300, lambda: jobs.open_due_reviews(database)),
            Chore("anchor", 300, self._anchor),
            Chore("outbox", 3, self._wake.set),
        ]

    # What it does -----------------------------------------------------------------------------------------------

    def drain(self) -> int:
        """Do everything that waits in the outbox; what a handler left there is done in the same go."""
        total = 0
        while not self._stop.is_set() and (done := drain(self.database, self.handlers, limit=20)):
            total += done
        return total

    def sweep(self, at: float | None = None) -> None:
        """Every chore whose time has come. One that fails is logged and tried again at its next time."""
        moment = time.monotonic() if at is None else at
        for chore in self.chores:
            if chore.due > moment or self._stop.is_set():
                continue
            chore.due = moment + chore.every
            try:
                chore.do()
            except Exception:  # the database may be away for a while: the worker outlives it
                log.exception("chore %s failed", chore.name)

    def _beat(self) -> None:
        with self.database.transaction() as session:
            beat(session, WORKER)

    def _anchor(self) -> None:
        """Seal the heads once a day; the line in the log is the copy that lies elsewhere."""
        jobs.anchor_today(self.database, lambda day, text: log.warning("anchor %s", text))

    # How it runs ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Work until told to stop (SIGTERM, SIGINT, :meth:`stop`); what is begun is finished."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        crew = [threading.Thread(target=self._drain_forever, name=f"drain-{n}") for n in range(self.threads)]
        crew.append(threading.Thread(target=self._listen, name="listen", daemon=True))
        for one in crew:
            one.start()
        log.info("worker runs with %s threads", self.threads)
        while not self._stop.wait(0.5):
            self.sweep()
        for one in crew[: self.threads]:
            one.join(timeout=60)
        log.info("worker stopped")

    def stop(self) -> None:
        """Begin nothing new."""
        self._stop.set()
        self._wake.set()

    def _drain_forever(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(5)
            self._wake.clear()
            try:
                if self.drain():
                    self._wake.set()  # let the others look too: there may be more than one can do
            except Exception:
                log.exception("draining failed")
                self._stop.wait(1)

    def _listen(self) -> None:
        """Wait for nudges. A queue that fails is asked again later; the sweep does without."""
        pause = 0.1
        while not self._stop.is_set():
            try:
                message = self.queue.storage.dequeue()
            except Exception:
                log.exception("the queue does not answer")
                message, pause = None, 5.0
            if message is not None:
                self._wake.set()
                pause = 0.1
            else:
                self._stop.wait(pause)
                pause = min(0.5, pause * 1.5) if pause < 1 else 0.5


def make_worker(settings: Settings, threads: int = 2) -> Worker:
    """A worker for these settings."""
    prepare(settings)
    if (
        problem := font_problem()
    ):  # papers would come out wrong without any error: say so before the first one
        log.warning("fonts: %s", problem)
    database = open_database(settings)
    leaving = sending.handlers(sending.make_send(settings))
    handlers = timed({**jobs.handlers(signer(settings)), **verification_handler(), **leaving})
    return Worker(database, handlers, make_queue(settings), threads)
