from __future__ import annotations

import pytest

from tests.unit.engine.drawing import approval
from tests.unit.engine.office import Desk
from workflows.engine import PublishedVersion


@pytest.fixture(scope="session")
def version() -> PublishedVersion:
    """The approval of :func:`drawing.approval`, published."""
    return approval().publish()


@pytest.fixture
def desk(version: PublishedVersion) -> Desk:
    """A case at its first step."""
    return Desk(version)
