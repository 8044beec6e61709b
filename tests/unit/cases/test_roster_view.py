"""Days of a month as a person reads them on a roster."""

from __future__ import annotations

import pytest

from workflows.cases.roster_view import attendance_text


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
