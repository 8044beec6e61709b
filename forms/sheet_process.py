"""Runs :mod:`forms._sheet_reader` in a process of bounded time and memory, and passes on what it reads."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TypeAlias, cast

from forms.checks import Cell
from forms.sheet_guard import SAVE_AS, SheetRefused

SECONDS = 60
MEMORY = 1024 * 1024 * 1024
#: The last row in which anything may stand: the most people of one roster, and room above and between.
MOST_ROWS = 50_000

Stream: TypeAlias = Generator["SheetFacts | list[tuple[int, list[Cell]]]", None, None]

_READER = Path(__file__).with_name("_sheet_reader.py")


@dataclass(frozen=True)
class SheetFacts:
    """What is known of a sheet before its rows: addresses are like B5 or A1:B2; "" where none could be found."""

    sheet: str
    last_row: int
    formulas: Sequence[str] = field(default=())
    errors: Sequence[str] = field(default=())
    merged: Sequence[str] = field(default=())
    starts_in_1904: bool = False


@dataclass(frozen=True)
class Bounds:
    """How much time (seconds) and memory (bytes) reading one file may take."""

    seconds: int = SECONDS
    memory: int = MEMORY


@lru_cache(maxsize=1)
def _packages() -> str:
    """Where the reader finds calamine, without running the rest of ``site``."""
    spec = find_spec("python_calamine")
    return str(Path(spec.origin).parent.parent) if spec and spec.origin else ""


def read_sheet(data: bytes, *, labels: Sequence[str], sheet: str, bounds: Bounds) -> Stream:
    """First the facts of the sheet that shows most of the headings, then its rows in chunks.

    Closing the iterator early ends the process.

    :param labels: headings, reduced by :func:`forms.text.heading`.
    :param sheet: the sheet's expected name, preferred at a tie.
    :raises SheetRefused: when the file cannot be read, or reading it takes too long or too much.
    """
    request = {
        "size": len(data),
        "labels": list(labels),
        "sheet": sheet,
        "most_rows": MOST_ROWS,
        "seconds": bounds.seconds,
        "memory": bounds.memory,
        "packages": _packages(),
    }
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
        [sys.executable, "-I", "-S", "-X", "utf8", str(_READER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(bounds.seconds, stop)
    timer.daemon = True
    timer.start()
    pipes = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    try:
        yield from _talk(*pipes, request, data, late)
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        for pipe in pipes:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _talk(
    stdin: IO[bytes], stdout: IO[bytes], request: dict[str, object], data: bytes, late: threading.Event
) -> Stream:
    with contextlib.suppress(BrokenPipeError):
        stdin.write(json.dumps(request).encode() + b"\n" + data)
        stdin.close()
    for line in stdout:
        item = json.loads(line)
        if isinstance(item, list):
            yield [(number, cells) for number, cells in item]
        elif "problem" in item:
            raise SheetRefused(item["problem"])
        elif "end" in item:
            return
        else:
            yield SheetFacts(**item)
    if late.is_set():
        raise SheetRefused(
            f"读取表格超过 {request['seconds']} 秒，已停止。请新下载一份模板，只把人员数据按“值”粘贴进去再上传"
        )
    raise SheetRefused(
        f"读取表格时出错，可能是文件过大或结构异常。{SAVE_AS}；仍不行时，请新下载一份模板，把人员数据粘贴进去"
    )
