"""What a process of its own does in a race or until it is killed. A process here is a real one: it has its own engine,
its own caches, and may be killed with SIGKILL."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event

from tests.conftest import TEST_KEYRING
from workflows.base import clock
from workflows.base.errors import WengangError
from workflows.base.files import FileStore
from workflows.base.installation import Installation, installation, use_installation
from workflows.base.privacy import use_keyring
from workflows.base.session import Database
from workflows.documents import issue

from .stage import MONDAY, paper

#: What a process is given to do: on a database, with a way to move its clock and what the test hands over.
Work = Callable[[Database, Callable[..., None], Any], Any]

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.processes.racing", "workflows.cases.scenarios"])


@dataclass(frozen=True)
class Place:
    """Where processes meet. ``at``: the moment at which their clocks stand."""

    url: str
    files: Path
    at: datetime


def place(database: Database, at: datetime = MONDAY) -> Place:
    """Where the processes of a test meet: its database, its files."""
    return Place(database.url, installation().files.root, at)


def _die_at(database: Database, statement: int) -> None:
    """Die of SIGKILL, which nothing can catch, before the so manieth statement or commit."""
    left = statement

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database.engine, "before_cursor_execute", count)
    event.listen(database.engine, "commit", count)


def _run(place: Place, work: Work, given: Any, ready: Any, told: Any, dies_at: int = 0) -> None:
    use_keyring(TEST_KEYRING)
    use_installation(Installation("http://127.0.0.1:8000", True, FileStore(place.files)))
    issue.render = paper
    database = Database(place.url)
    if dies_at:
        _die_at(database, dies_at)
    with clock.frozen(place.at) as move:
        if ready is not None:
            with database.reading() as session:  # connected before the race begins
                session.connection()
            ready.wait(60)
        try:
            told.put((True, work(database, move, given)))
        except WengangError as error:
            told.put((False, (type(error).__name__, error.message)))
    database.engine.dispose()


def race(place: Place, *runners: tuple[Work, Any]) -> tuple[list[Any], list[tuple[str, str]]]:
    """All at the same moment, each in a process of its own: what they returned, and what they were refused with."""
    ready, told = _context.Barrier(len(runners)), _context.Queue()
    crew = [_context.Process(target=_run, args=(place, work, given, ready, told)) for work, given in runners]
    for one in crew:
        one.start()
    said = [told.get(timeout=120) for _ in crew]
    for one in crew:
        one.join(60)
        assert one.exitcode == 0
    return [what for good, what in said if good], [what for good, what in said if not good]


def until_done(place: Place, work: Work, given: Any, deaths: Sequence[int]) -> int:
    """Do the work in a process that dies at so many statements, begin anew; the last one is let be. Returns the deaths."""
    died = 0
    for statement in [*deaths, 0]:
        told = _context.Queue()
        one = _context.Process(target=_run, args=(place, work, given, None, told, statement))
        one.start()
        one.join(120)
        if one.exitcode == -signal.SIGKILL and statement:
            died += 1
            continue
        assert one.exitcode == 0
        good, what = told.get(timeout=30)
        assert good, what
        break
    return died
