"""A figure: what was measured, the floor beside it, the ratio and whether it is good enough; as JSON and as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from unicodedata import east_asian_width


@dataclass(frozen=True)
class Figure:
    """One line of the report.

    :param goal: what ``ratio`` must reach (``at_least``) or must not pass.
    """

    name: str
    value: float
    unit: str
    floor: float
    goal: float
    at_least: bool = False

    @property
    def ratio(self) -> float:
        return self.value / self.floor

    @property
    def met(self) -> bool:
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    def line(self) -> str:
        """One JSON object."""
        return json.dumps(
            {
                "name": self.name,
                "value": round(self.value, 3),
                "unit": self.unit,
                "floor": round(self.floor, 3),
                "ratio": round(self.ratio, 3),
                "goal": f"{'≥' if self.at_least else '≤'} {self.goal}",
                "met": self.met,
            },
            ensure_ascii=False,
        )


def table(figures: Sequence[Figure]) -> str:
    """The figures for people."""
    rows = [("测什么", "结果", "基准", "比值", "目标", "")]
    for figure in figures:
        rows.append(
            (
                figure.name,
                f"{figure.value:.1f} {figure.unit}",
                f"{figure.floor:.1f} {figure.unit}",
                f"{figure.ratio:.2f}",
                f"{'≥' if figure.at_least else '≤'} {figure.goal}",
                "达到" if figure.met else "未达到",
            )
        )
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def middle(values: Sequence[float]) -> float:
    """The median: one measurement that somebody else's work fell into says nothing."""
    return median(values)
