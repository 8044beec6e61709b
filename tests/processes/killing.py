"""A process that dies in the middle: between two statements, or when it commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from workflows.base.session import Database
from workflows.cases import process


class Killed(BaseException):
    """The process is gone. Nothing in the code may catch this."""


@contextmanager
def killed_at(database: Database, statement: int) -> Iterator[None]:
    """Let the work inside die before its so manieth statement, or at its commit where it has not as many.

    What the process knew is gone with it: the caches start empty.

    :param statement: below zero: at the commit, whenever that is.
    """
    left = statement

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    def commit(*_: object) -> None:
        if statement < 0:
            raise Killed
        count()

    event.listen(database.engine, "before_cursor_execute", count)
    event.listen(database.engine, "commit", commit)
    try:
        yield
    except Killed:
        process.forget()
    finally:
        event.remove(database.engine, "before_cursor_execute", count)
        event.remove(database.engine, "commit", commit)
