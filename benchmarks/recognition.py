"""Cases of 就业帮扶车间认定 brought to the reviews of the two offices, and rounds through its rework loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from workflows.base import clock
from workflows.base.session import Database
from workflows.cases.scenarios import Run, Scenarios
from workflows.registers.demo_county import load

PROCESS = "workshop_recognition"
#: Nine o'clock of a working day under the demonstration's basis. The clock stands still there.
OPENING = datetime(2026, 3, 2, 9, 0, tzinfo=clock.SHANGHAI)
HRSS = {"contracts_checked": ["3"], "wages_checked": ["bank"], "arrears_found": ["no"]}
RURAL = {"checked_against": ["导出名册"], "household_visited": ["yes"]}

Move = Callable[[timedelta], None]


class Reviewed:
    """A case that waits for both offices."""

    def __init__(self, database: Database, move: Move, seed: int, rows: int = 3) -> None:
        scenarios = Scenarios.read(PROCESS)
        with database.reading() as session:
            county = load(session, demonstration=True)
        employer = county.employers[1 + seed % 8]
        run = Run(database, _unsigned, scenarios, employer.id, county.county_code, move, seed=seed)
        scenario = {**scenarios.get("straight"), "roster": [{"kind": "qualified", "count": rows}]}
        run.prepare(scenario)
        run.walk.begin(PROCESS, employer.id)
        for action in scenario["walk"]:
            if action.get("step") in ("hrss_review", "rural_review"):
                break
            run.take(action, scenario)
        self.walk = run.walk

    def hrss(self, outcome: str) -> float:
        """县人社局 decides; seconds it took."""
        return self._act("hrss_review", outcome, HRSS, "renshe.a")

    def rural(self, outcome: str) -> float:
        """县乡村振兴局 decides."""
        return self._act("rural_review", outcome, RURAL, "xiangcun.a")

    def rework(self) -> float:
        """The employer hands in again, which opens the next round."""
        return self._act("rework", "submit", {"reply": ["已按意见修改。"]}, None)

    def _act(self, step: str, outcome: str, answers: dict[str, list[str]], by: str | None) -> float:
        begun = time.perf_counter()
        self.walk.act(step, outcome, answers, opinion="请核对后修改。", by=by)
        return time.perf_counter() - begun


def _unsigned(pdf: bytes, reason: str, when: datetime) -> bytes:
    return pdf
