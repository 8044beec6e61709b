"""What runs, counted: requests, actions and jobs, for ``GET /metrics``. Names, ids and addresses are no labels.

Web and worker are several processes. Where ``PROMETHEUS_MULTIPROC_DIR`` is set before this module is imported
(:func:`webapp.commands.running.share_measures`), each keeps its figures in a file there and whoever is asked adds them up;
without it a process counts for itself alone, as in tests.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

from workflows.base.outbox import Handler
from workflows.base.session import Database

#: The figures of this process; where processes share them, of none: the files are read instead.
REGISTRY = CollectorRegistry()
#: Seconds. An action of one officer is meant to end within the second; papers and large lists are the worker's.
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
_NOT_COUNTED = {"static", "bootstrap.static", "health.healthz", "metrics.metrics"}

REQUESTS = Histogram(
    "wengang_request_seconds",
    "Seconds until a request was answered, by endpoint.",
    ("endpoint", "method"),
    buckets=BOUNDS,
    registry=REGISTRY,
)
ACTIONS = Counter(
    "wengang_actions",
    "What people did (every request but GET), by endpoint and how it ended.",
    ("endpoint", "ended"),
    registry=REGISTRY,
)
ERRORS = Counter("wengang_errors", "Answers with a status of 500 and more.", ("endpoint",), registry=REGISTRY)
JOBS = Histogram(
    "wengang_job_seconds",
    "Seconds that one task of the worker took, by kind and how it ended.",
    ("kind", "ended"),
    buckets=BOUNDS,
    registry=REGISTRY,
)


def ended(status: int) -> str:
    """How an action ended, by the answer's status."""
    if status < 400:
        return "done"
    if status >= 500:
        return "failed"
    return {409: "conflict", 422: "refused", 429: "too_many"}.get(status, "denied")


def install(app: Flask) -> None:
    """Count each request when it is answered."""

    @app.after_request
    def _count(response: Response) -> Response:
        endpoint = request.endpoint or "-"
        if endpoint in _NOT_COUNTED:
            return response
        method = request.method if request.method in ("GET", "HEAD", "POST") else "other"
        REQUESTS.labels(endpoint, method).observe(time.monotonic() - g.get("began", time.monotonic()))
        if method == "POST":
            ACTIONS.labels(endpoint, ended(response.status_code)).inc()
        if response.status_code >= 500:
            ERRORS.labels(endpoint).inc()
        return response


def timed(handlers: Mapping[str, Handler]) -> dict[str, Handler]:
    """The worker's handlers, each of whose tasks is counted."""
    return {kind: _timed(kind, handler) for kind, handler in handlers.items()}


def _timed(kind: str, handler: Handler) -> Handler:
    def handle(database: Database, payload: dict[str, Any]) -> None:
        began, how = time.monotonic(), "failed"
        try:
            handler(database, payload)
            how = "done"
        finally:
            JOBS.labels(kind, how).observe(time.monotonic() - began)

    return handle
