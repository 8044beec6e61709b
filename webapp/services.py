"""What an application carries besides its database: settings, the stored files, the way to wake the worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app

from webapp.config import Settings
from workflows.base.files import FileStore

_KEY = "wengang"


@dataclass(frozen=True)
class Services:
    """:param nudge: wakes the worker after a commit; never raises, never waits."""

    settings: Settings
    store: FileStore
    nudge: Callable[[], None]


def install(app: Flask, given: Services) -> None:
    app.extensions[_KEY] = given


def services() -> Services:
    """The present application's services."""
    found: Services = current_app.extensions[_KEY]
    return found
