"""The real application for browsers: the demonstration county on a fresh database, a clock that a test moves, and the
worker's jobs done when a test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import update
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.conftest import TEST_KEYRING
from webapp.app import create_app
from webapp.config import Settings
from webapp.database import db
from webapp.worker import Worker, make_worker
from workflows.base import clock
from workflows.base.clock import now
from workflows.base.outbox import OutboxRow
from workflows.base.session import Database
from workflows.cases import jobs, process

#: 2026-03-02, a Monday, 09:00 in Shanghai.
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=clock.SHANGHAI)


@dataclass
class House:
    """A running application.

    :param move: moves its clock, for every thread.
    """

    address: str
    database: Database
    move: Callable[[timedelta], None]
    worker: Worker

    def work(self) -> None:
        """What the worker does when it is woken: due timers, then everything in the outbox.

        In a thread of its own: signing begins an event loop, and Playwright's runs in this one.
        """
        with ThreadPoolExecutor(1) as crew:
            crew.submit(jobs.fire_due_timers, self.database).result()
            for _ in range(5):
                crew.submit(self.worker.drain).result()
                if not self._try_again():
                    return
        raise AssertionError("the worker cannot do what waits: see the log")

    def _try_again(self) -> int:
        """What failed, as a paper does whose rendering was late on a busy machine, is due at once and not in a minute."""
        with self.database.transaction() as session:
            waiting = session.execute(
                update(OutboxRow)
                .where(OutboxRow.done_at.is_(None), OutboxRow.attempts > 0)
                .values(due_at=now())
            )
            return int(waiting.rowcount)

    def days(self, number: int) -> None:
        """Let so many days pass, and the worker do what became due."""
        self.move(timedelta(days=number))
        self.work()


class _Quiet(WSGIRequestHandler):
    """Requests leave no lines on the terminal."""

    def log_request(self, *_: object) -> None:
        pass


@contextmanager
def running(database: Database, folder: Path) -> Iterator[House]:
    """The application over ``database``, its files under ``folder``, at ``MONDAY``."""
    folder.mkdir(parents=True, exist_ok=True)
    TEST_KEYRING.save(folder / "keys.json")
    process.forget()
    server = make_server("127.0.0.1", 0, _later, threaded=True, request_handler=_Quiet)
    address = f"http://127.0.0.1:{server.server_port}"
    settings = Settings(
        data_dir=folder,
        database_url=database.url,
        public_url=address,
        keys_file=folder / "keys.json",
        queue_url="memory://",
        demo=True,
    )
    server.app = app = create_app(settings)
    worker = make_worker(settings)
    thread = threading.Thread(target=server.serve_forever, name="web")
    with clock.frozen(MONDAY) as move:
        thread.start()
        try:
            yield House(address, database, move, worker)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            worker.database.close()
            with app.app_context():
                db.session.remove()
                db.engine.dispose()
            process.forget()


def _later(environ: object, start: object) -> list[bytes]:
    """Stands where the application will be: it must know the port before it is made."""
    raise NotImplementedError
