"""A warm child process that renders, and what keeps it on a leash: time, memory, restarts.

A cold WeasyPrint costs half a second and a bad layout can overflow the C stack, eat the memory or never end. So one
child lives long, takes one job at a time over a pipe, and is replaced whenever it dies, is late, or has done its share.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from workflows.documents import render_child
from workflows.documents.errors import DocumentError

#: Address space of the child in bytes: Noto CJK is mapped, not read, and 5 000 rows need about 700 MB.
MEMORY_BYTES = 1_600_000_000
#: Seconds for one document, and a second more for so many bytes of what it says: a list of 5 000 rows takes half a
#: minute, and twice that on a machine that others use too.
JOB_SECONDS = 60.0
BYTES_A_SECOND = 20_000
#: Seconds for a child to import, find fonts and draw its first page on a busy machine.
START_SECONDS = 60.0
#: A child is replaced after so many documents, so that a slow leak in a C library never matters.
JOBS_PER_CHILD = 500

_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "XDG_CACHE_HOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH")

_BROKEN = "文书排版程序中断，本次没有生成文书。请重试一次；仍不成功时请联系系统管理员。"
_LATE = "文书排版超过了时限，已停止。请检查文书内容是否过长，或者联系系统管理员。"
_TOO_LARGE = "文书内容过大，无法排版。请减少内容后重试。"
_REFUSED = "文书模板或者数据有误，没有生成文书。请联系系统管理员检查模板。"


class RenderProcess:
    """One rendering child and its queue. Safe to share between threads and to inherit over a fork.

    :param seconds: limit for one job.
    :param memory: limit of the child's address space in bytes.
    :param jobs: documents after which the child is replaced.
    """

    def __init__(
        self, seconds: float = JOB_SECONDS, memory: int = MEMORY_BYTES, jobs: int = JOBS_PER_CHILD
    ) -> None:
        self._seconds = seconds
        self._memory = memory
        self._jobs = jobs
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._done = 0

    def warm(self) -> None:
        """Start the child now instead of with the first job."""
        with self._lock:
            self._ready_child()

    def close(self) -> None:
        """End the child. The next job starts another."""
        with self._lock:
            self._stop()

    @property
    def pid(self) -> int | None:
        """The child's process id while it lives."""
        return self._child.pid if self._child and self._child.poll() is None else None

    def run(self, job: Mapping[str, Any], seconds: float | None = None) -> bytes:
        """Render one job (see :func:`render_child.html_of`) and return the PDF.

        :param seconds: a limit for this job instead of the process's own, which grows with what the job says.
        :raises DocumentError: the template failed, the child died or was late; the next job finds a fresh child.
        """
        size = len(json.dumps(job, ensure_ascii=False).encode())
        limit = self._seconds + size // BYTES_A_SECOND if seconds is None else seconds
        payload = json.dumps({**job, "seconds": limit}, ensure_ascii=False).encode()
        if len(payload) > render_child.LARGEST_FRAME:
            raise DocumentError(_TOO_LARGE, f"job of {len(payload)} bytes")
        with self._lock:
            child = self._ready_child()
            kind, result = self._exchange(child, payload, limit)
            self._done += 1
            if self._done >= self._jobs or result in (b"MemoryError", b"RecursionError"):
                self._stop()
        if kind == render_child.PDF:
            return result
        raise DocumentError(_TOO_LARGE if result == b"MemoryError" else _REFUSED, result.decode())

    def _ready_child(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():
            # After a fork the pipes belong to the parent's child: leave them alone and start our own.
            self._child = None
        if self._child is None or self._child.poll() is not None:
            self._stop()
            self._start()
        if self._child is None:  # pragma: no cover
            raise AssertionError("_start() either sets the child or raises")
        return self._child

    def _start(self) -> None:
        environment = {key: os.environ[key] for key in _KEPT_ENVIRONMENT if key in os.environ}
        self._owner = os.getpid()
        self._done = 0
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
            [sys.executable, "-I", "-X", "utf8", "-m", render_child.__name__, str(self._memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,  # Ctrl-C in a terminal is for the worker, which finishes its job first
        )
        self._exchange(self._child, None, START_SECONDS)

    def _exchange(
        self, child: subprocess.Popen[bytes], payload: bytes | None, limit: float
    ) -> tuple[bytes, bytes]:
        """Send a job (or nothing, at the start) and wait for the answer, not longer than the limit."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(limit, stop)
        timer.daemon = True
        timer.start()
        try:
            frame = _converse(child, payload)
        finally:
            timer.cancel()
            timer.join()
        if frame is None and not late.is_set():
            # Its output ended, so it is ending: leave it the moment it needs to tell us how.
            with suppress(subprocess.TimeoutExpired):
                child.wait(1.0)
        if late.is_set() or frame is None:
            code = self._stop()
            raise DocumentError(_LATE if late.is_set() else _BROKEN, f"child ended with {code}")
        return frame

    def _stop(self) -> int | None:
        child, self._child = self._child, None
        if child is None:
            return None
        child.kill()
        code = child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:  # pragma: no branch - it was started with pipes
                with suppress(OSError):  # closing flushes what the dead child did not read
                    pipe.close()
        return code


def _converse(child: subprocess.Popen[bytes], payload: bytes | None) -> tuple[bytes, bytes] | None:
    if child.stdin is None or child.stdout is None:  # pragma: no cover
        raise AssertionError("the child has pipes")
    try:
        if payload is not None:
            render_child.write_frame(child.stdin, render_child.JOB, payload)
        return render_child.read_frame(child.stdout)
    except OSError:
        return None
