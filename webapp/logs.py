"""Logs: one JSON object a line on stderr. Ids, routes and times; never an address with its arguments, never a name."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

from flask import Flask, Response, g, has_request_context, request

_EXTRA = ("method", "route", "status", "ms", "user", "client")
#: What a proxy may hand us as the request's id.
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}\Z")
#: Runs of digits as long as phones, accounts and ID numbers, wherever a library may put them.
_NUMBERS = re.compile(r"(?<![0-9A-Za-z])\d{11,19}[\dXx]?(?![0-9A-Za-z])")

log = logging.getLogger("wengang.request")


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry.update({name: getattr(record, name) for name in _EXTRA if hasattr(record, name)})
        if has_request_context():
            entry["request"] = g.get("request_id", "")
        if record.exc_info:
            entry["error"] = _frames(record.exc_info[1])
        return _NUMBERS.sub("[数字]", json.dumps(entry, ensure_ascii=False, default=str))


def _frames(error: BaseException | None) -> list[str]:
    """What failed and where, cause by cause: not the errors' own words, which may quote what somebody typed."""
    found: list[str] = []
    while error is not None and len(found) < 200:
        found.append(f"{type(error).__module__}.{type(error).__qualname__}")
        found += [
            f"  {frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


def configure(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send every log of this process to ``stream`` (stderr) in that form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("weasyprint", "fontTools", "pyhanko", "huey", "alembic", "spiff"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def install(app: Flask) -> None:
    """Give every request an id, and a line when it is answered."""
    from webapp.access import known_visitor  # commands log too, and need no web for it

    @app.before_request
    def _begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(8)
        g.began = time.monotonic()

    @app.after_request
    def _end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint not in {"static", "bootstrap.static", "health.healthz", "metrics.metrics"}:
            log.info(
                "answered",
                extra={
                    "method": request.method,
                    # The rule, not the address: tokens and numbers stay out.
                    "route": str(request.url_rule or "-"),
                    "status": response.status_code,
                    "ms": round((time.monotonic() - g.get("began", time.monotonic())) * 1000),
                    "user": visitor.id if (visitor := known_visitor()) is not None else None,
                    "client": request.remote_addr,
                },
            )
        return response
