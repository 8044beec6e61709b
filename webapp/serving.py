"""The web behind gunicorn: processes with threads, logs of our own, stopped cleanly."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from webapp.app import create_app
from webapp.config import Settings


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's own messages, in the form and place of all others."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self.settings = settings
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """In each process, after the fork: no connection is shared."""
        return create_app(self.settings)


def serve(settings: Settings, host: str, port: int, processes: int, threads: int) -> None:
    """Serve until told to stop. Settings that are unfit are said before anything listens."""
    settings.load_keyring()
    _Server(
        settings,
        {
            "bind": f"{host}:{port}",
            "workers": processes,
            "worker_class": "gthread",
            "threads": threads,
            "timeout": 120,
            "graceful_timeout": 20,
            "keepalive": 5,
            "max_requests": 20000,
            "max_requests_jitter": 2000,
            "limit_request_line": 8190,
            "accesslog": None,  # ours has no addresses with arguments
            "logger_class": "webapp.serving.QuietLogger",
            "proc_name": "wengang",
        },
    ).run()
