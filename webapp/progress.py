"""How far long work has come, on stderr: a bar for people, a line now and then for logs."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class Progress:
    """Callable as ``progress(done, total)``.

    :param label: what is being done, in Chinese.
    """

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self.label = label
        self.stream = stream or sys.stderr
        self.began = self.shown = time.monotonic()
        self._bar = self.stream.isatty()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        last = done >= total
        if not last and now - self.shown < (0.1 if self._bar else 5):
            return
        self.shown = now
        spent = now - self.began
        left = f"，约剩 {spent / done * (total - done):.0f} 秒" if done and not last and spent > 2 else ""
        if self._bar:
            filled = 30 * done // max(total, 1)
            self.stream.write(f"\r{self.label} [{'#' * filled:<30}] {done}/{total}{left}\033[K")
            self.stream.write("\n" if last else "")
        else:
            self.stream.write(f"{self.label} {done}/{total}{left}\n")
        self.stream.flush()
