"""``GET /healthz``: whether everything that must run does, for whoever watches the installation."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from webapp.access import everyone
from webapp.database import db, reading
from workflows.base.heartbeat import lives
from workflows.documents.fonts import font_problem

bp = Blueprint("health", __name__)

#: The worker's name among the heartbeats.
WORKER = "worker"


def _database() -> bool:
    reading().execute(text("select 1"))
    return True


def _worker() -> bool:
    return lives(reading(), WORKER)


def _fonts() -> bool:
    return font_problem() is None


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
