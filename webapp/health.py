"""``GET /healthz``: whether everything that must run does, for whoever watches the installation."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from functools import lru_cache

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from webapp.access import everyone
from webapp.database import db, reading
from workflows.base.heartbeat import lives

bp = Blueprint("health", __name__)

#: The worker's name among the heartbeats.
WORKER = "worker"
#: A character that no fallback font of a bare machine has, in use in people's names.
_RARE = "䶮"


def _database() -> bool:
    reading().execute(text("select 1"))
    return True


def _worker() -> bool:
    return lives(reading(), WORKER)


def _fonts() -> bool:
    return font_with(_RARE)


@lru_cache(maxsize=1)
def _fonts_with(character: str, _minute: int) -> bool:
    command = shutil.which("fc-list")
    if command is None:
        return False
    found = subprocess.run(  # noqa: S603 - a fixed command, no shell
        [command, f":charset={ord(character):x}", "family"], capture_output=True, timeout=20, check=False
    )
    return bool(found.stdout.strip())


def font_with(character: str) -> bool:
    """Whether some installed font has the character: without one, PDFs come out wrong and nothing says so.

    Asked at most once a minute; fontconfig comes with Pango.
    """
    return _fonts_with(character, int(time.monotonic()) // 60)


CHECKS: dict[str, Callable[[], bool]] = {"database": _database, "worker": _worker, "fonts": _fonts}


@bp.get("/healthz")
@everyone
def healthz() -> ResponseReturnValue:
    """200 with ``ok`` for every part, else 503 with ``failing`` for the broken ones."""
    parts: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            parts[name] = "ok" if check() else "failing"
        except Exception:  # whatever the driver raises: that part does not work
            db.session.rollback()
            parts[name] = "failing"
    healthy = all(state == "ok" for state in parts.values())
    return jsonify({"status": "ok" if healthy else "failing", **parts}), 200 if healthy else 503
