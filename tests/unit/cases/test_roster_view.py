"""What a person reads of a row: days drawn together, amounts beside the cells."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from workflows.cases.process import Process
from workflows.cases.roster_model import RosterRow
from workflows.cases.roster_view import _shown_facts, attendance_text


@pytest.mark.parametrize(
    ("worked", "text"),
    [
        ([(1, 100)], "共 1（1日）"),
        ([(day, 100) for day in range(1, 6)] + [(8, 100)], "共 6（1—5日、8日）"),
        ([(1, 100), (2, 50)], "共 1.5（1日、2日0.5）"),
        ([(1, 750), (2, 750)], "共 15（1—2日每天7.5）"),
    ],
)
def test_days_in_a_row_are_drawn_together(worked: list[tuple[int, int]], text: str) -> None:
    assert attendance_text(worked) == text


def test_what_the_rules_worked_out_stands_beside_the_cells() -> None:
    described = {
        "row_facts": {
            "gross_fen": {"title": "应发", "type": "number", "unit": "分"},
            "hand_fen": {"title": "人工改为", "type": "number", "unit": "分"},
            "net_fen": {"title": "实发", "type": "number", "unit": "分"},
        },
        "row_result": {"shown": ["hand_fen", "gross_fen", "net_fen"]},
    }
    row = RosterRow(values={}, facts={"gross_fen": 396_000, "hand_fen": 0, "net_fen": None})
    process = cast(Process, SimpleNamespace(config=described))
    assert _shown_facts(process, row) == [("应发", "3,960.00 元")]
    assert _shown_facts(cast(Process, SimpleNamespace(config={})), row) == []
