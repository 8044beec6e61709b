"""``python -m tests.faults.victim ARGS…`` is the ``wengang`` command in a process that dies when it is told to.

An order is a file (``FAULT_ORDER``) that says ``POINT COUNT NAME``: at the so manieth time that this point is passed the process
dies of SIGKILL, which nothing can catch. The order is gone then, so that whoever is started in its place lives.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

#: What web and worker pass, and what the worker alone passes.
POINTS = ("statement", "before_flush", "after_flush", "before_commit", "after_commit")
WORK = ("paper_begun", "paper_made", "paper_signed", "rows_staged", "file_written")

_passed: dict[str, int] = {}
_lock = threading.Lock()


def passing(point: str) -> None:
    """Die here, if that is the order."""
    order = Path(os.environ["FAULT_ORDER"])
    try:
        said = order.read_text()
    except FileNotFoundError:
        return
    wanted, count, _ = said.split(" ", 2)
    if wanted != point:
        return
    with _lock:
        _passed[said] = _passed.get(said, 0) + 1
        if _passed[said] >= int(count):
            order.unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)


def _at(target: Any, name: str, point: str) -> None:
    event.listen(target, name, lambda *_: passing(point))


def _around(module: Any, name: str, before: str | None, after: str | None) -> None:
    real: Callable[..., Any] = getattr(module, name)

    def done(*given: Any, **named: Any) -> Any:
        if before:
            passing(before)
        result = real(*given, **named)
        if after:
            passing(after)
        return result

    setattr(module, name, done)


def prepare() -> None:
    """Put the points in their places."""
    from workflows.base.files import FileStore
    from workflows.cases import rosters
    from workflows.documents import issue, signing

    _at(Engine, "before_cursor_execute", "statement")
    _at(Session, "before_flush", "before_flush")
    _at(Session, "after_flush", "after_flush")
    _at(Engine, "commit", "before_commit")
    _at(Session, "after_commit", "after_commit")
    _around(issue, "render", "paper_begun", "paper_made")
    _around(signing, "sign", None, "paper_signed")
    _around(rosters, "_stage", None, "rows_staged")
    _around(FileStore, "put", None, "file_written")


if __name__ == "__main__":
    from webapp.cli import main

    prepare()
    main()
