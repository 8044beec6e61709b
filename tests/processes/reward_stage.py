"""A reward case brought to where a test needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from workflows.base.session import Database
from workflows.cases.scenarios import Run, Scenarios

from .stage import county_of, unsigned

PROCESS = "one_time_reward"


def reward(
    database: Database,
    move: Callable[[timedelta], None],
    until: str,
    *,
    scenario: str = "straight",
    employer: int = 1,
    seed: int = 1,
    funds: int | None = None,
    roster: list[Mapping[str, Any]] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Run:
    """A claim walked up to (and not including) the first line that has this step, or this key (``advance``, ``pay``)."""
    scenarios = Scenarios.read(PROCESS)
    county = county_of(database)
    run = Run(
        database, unsigned, scenarios, county.employers[employer].id, county.county_code, move, seed=seed
    )
    content = dict(scenarios.get(scenario))
    if funds is not None:
        content["funds"] = funds
    if roster is not None:
        content["roster"] = roster
    if parameters is not None:
        content["parameters"] = parameters
    run.prepare(content)
    run.start_for_workshop(content)
    for action in content["walk"]:
        if action.get("step") == until or until in action:
            break
        run.take(action, content)
    return run
