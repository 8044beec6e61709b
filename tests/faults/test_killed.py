"""Invariant 5 over real HTTP: web and worker are killed at named points and at random; nothing is lost, nothing is done twice, and
whoever was interrupted goes on within a second."""

from __future__ import annotations

import pytest

from workflows.base.session import Database

from .conftest import Stormy
from .storm import AT_ONCE


def test_web_and_worker_are_killed(sqlite_county: Database, stormy: Stormy) -> None:
    with stormy(sqlite_county, 1) as storm:
        # every form passes ten statements and one commit: each of the eight is struck once
        storm.calm, storm.blows, storm.deepest = 0, 1, (10, 1)
        storm.weather(1)
        assert storm.site.kills >= 8


@pytest.mark.long
@pytest.mark.parametrize("half", [1, 2])
def test_web_and_worker_are_killed_a_hundred_times_and_a_hundred_more(
    county: Database, stormy: Stormy, half: int
) -> None:
    """Two storms of their own on each database: one would take longer than a test may."""
    with stormy(county, 14) as storm:
        storm.unsteady, storm.blows, storm.calm, storm.deepest = 0.2, 8, 0.05, (20, 2)
        storm.weather(30)
        assert storm.site.kills >= 100
        assert storm.usual <= AT_ONCE
