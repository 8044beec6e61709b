"""A piece of work on what somebody sent, in a child process that may neither run nor grow without end."""

from __future__ import annotations

import logging
import multiprocessing
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(__name__)
Result = TypeVar("Result")
_GIGABYTE = 2**30
_fork = multiprocessing.get_context("fork")


class Exceeded(Exception):
    """The child ran too long, grew too large, failed or died."""


def bounded(work: Callable[[], Result], *, seconds: int = 20, memory: int = 2 * _GIGABYTE) -> Result:
    """What ``work`` returns, done in a forked child. For commands alone: a process with threads must not fork.

    :param seconds: of processor time, and twice as many of waiting.
    :param memory: bytes that the child may have beyond what it begins with.
    :raises Exceeded: it did not come to an answer within these.
    """
    mine, theirs = _fork.Pipe(duplex=False)
    child = _fork.Process(target=_run, args=(theirs, work, seconds, memory))
    child.start()
    theirs.close()
    try:
        if not mine.poll(seconds * 2):
            raise Exceeded
        answer: Result = mine.recv()
    except EOFError:
        raise Exceeded from None
    finally:
        mine.close()
        child.kill()
        child.join()
    return answer


def _run(answer: object, work: Callable[[], object], seconds: int, memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    now = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))
    try:
        result = work()
    except Exception:  # whatever it is: whoever asked learns that there is no answer, and no stack
        log.debug("the bounded work failed", exc_info=True)
        os._exit(1)
    answer.send(result)  # type: ignore[attr-defined]  # the pipe's end
