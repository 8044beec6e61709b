"""``GET /metrics`` for Prometheus: what :mod:`webapp.measures` counted, and what the database says now.

No personal data, yet not for everybody: with ``WENGANG_METRICS_TOKEN`` for whoever brings it, without for this machine alone.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from datetime import datetime

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp import measures
from webapp.access import everyone
from webapp.database import reading
from webapp.health import WORKER
from webapp.services import services
from workflows.audit.model import Anchor
from workflows.base.clock import now, today
from workflows.base.errors import NotFound
from workflows.base.heartbeat import silence
from workflows.base.outbox import MAX_ATTEMPTS, OutboxRow
from workflows.cases.model import CaseTimer, WorkItem

bp = Blueprint("metrics", __name__)

_LOOPBACK = {"127.0.0.1", "::1"}
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")


class State(Collector):
    """What waits and what is late, read when asked."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def collect(self) -> Iterable[Metric]:
        moment = now()
        yield from self._outbox(moment)
        opened = WorkItem.closed_at.is_(None)
        yield _gauge("wengang_work_items_open", "Work items that wait for somebody.", self._count(opened))
        yield _gauge(
            "wengang_work_items_overdue",
            "Work items past their deadline.",
            self._count(opened, WorkItem.due_at <= moment, WorkItem.paused_at.is_(None)),
        )
        due = self.session.scalar(
            select(func.min(CaseTimer.due_at)).where(
                CaseTimer.closed_at.is_(None), CaseTimer.due_at <= moment
            )
        )
        yield _gauge(
            "wengang_timer_lag_seconds", "Seconds since the oldest timer fell due.", _age(moment, due)
        )
        yield _gauge(
            "wengang_worker_silent_seconds",
            "Seconds since a worker was heard of; -1: never.",
            silence(self.session, WORKER),
        )
        sealed = self.session.scalar(select(func.max(Anchor.day)))
        yield _gauge(
            "wengang_anchor_age_days",
            "Days since the newest daily seal; -1: none yet.",
            (today() - sealed).days if sealed else -1,
        )

    def _outbox(self, moment: datetime) -> Iterable[Metric]:
        depth = GaugeMetricFamily(
            "wengang_outbox_waiting", "Tasks that wait for the worker.", labels=["kind"]
        )
        failed = GaugeMetricFamily(
            "wengang_outbox_failed", "Tasks that failed and are tried again.", labels=["kind"]
        )
        given_up = GaugeMetricFamily(
            "wengang_outbox_given_up",
            "Tasks that failed too often: an administrator must look.",
            labels=["kind"],
        )
        oldest = None
        rows = self.session.execute(
            select(
                OutboxRow.kind,
                func.count(),
                func.count().filter(OutboxRow.last_error.is_not(None), OutboxRow.attempts < MAX_ATTEMPTS),
                func.count().filter(OutboxRow.attempts >= MAX_ATTEMPTS),
                func.min(OutboxRow.created_at),
            )
            .where(OutboxRow.done_at.is_(None))
            .group_by(OutboxRow.kind)
        ).all()
        for kind, count, wrong, ends, since in rows:
            depth.add_metric([kind], count)
            failed.add_metric([kind], wrong)
            given_up.add_metric([kind], ends)
            oldest = min(oldest or since, since)
        yield from (depth, failed, given_up)
        yield _gauge(
            "wengang_outbox_oldest_seconds",
            "Seconds since the oldest task that waits was asked for.",
            _age(moment, oldest),
        )

    def _count(self, *conditions: object) -> int:
        return self.session.scalar(select(func.count()).select_from(WorkItem).where(*conditions)) or 0  # type: ignore[arg-type]  # conditions


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)


def _age(moment: datetime, since: datetime | None) -> float:
    return max(0.0, (moment - since).total_seconds()) if since else 0.0


@bp.get("/metrics")
@everyone
def metrics() -> Response:
    """Everything in Prometheus' text format; 404 for whoever may not ask."""
    if not _may_ask(services().settings.metrics_token):
        raise NotFound("页面不存在。")
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's
    else:
        registry.register(measures.REGISTRY)
    registry.register(State(reading()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_ask(token: str) -> bool:
    if token:
        brought = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        return hmac.compare_digest(brought, token.encode())
    direct = not any(name in request.headers for name in _FORWARDED)
    return direct and request.remote_addr in _LOOPBACK
