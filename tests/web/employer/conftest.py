"""A Monday on which the notice's own basis was in force, and the county with its published processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.employer.world import DAY
from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import process


@pytest.fixture(autouse=True)
def _day() -> Iterator[None]:
    process.forget()
    with clock.frozen(DAY):
        yield


@pytest.fixture
def web_database(published_database: Database) -> Database:
    return published_database
