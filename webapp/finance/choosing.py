"""What was chosen for a batch, carried from page to page in the form itself: cases, each with how many payments were seen.

A page shows fifty units or fifty cases. What is ticked on it joins what was ticked on the pages before; nothing of it
lies on the server, so two windows do not disturb each other and going back loses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from flask import request

from webapp import numbers
from workflows.cases.batch_choices import Waiting, WaitingCase, WaitingUnit

#: Units or cases on a page.
PAGE = 50
#: Most pairs that are read from a form: more cases than a batch has lines nobody chooses.
MOST = 5_000
UNITS, CASES = "units", "cases"


@dataclass(frozen=True)
class Place:
    """Which list is shown: ``units`` or ``cases`` (of one unit, when ``unit`` is not 0), and its page from 1."""

    view: str = UNITS
    page: int = 1
    unit: int = 0

    @classmethod
    def read(cls, text: str) -> Place:
        """From what a button says: ``cases:2:17``; whatever makes no sense is the first page of the units."""
        view, _, rest = text.partition(":")
        page, _, unit = rest.partition(":")
        try:
            return cls(
                view if view in (UNITS, CASES) else UNITS, numbers.page(page), numbers.key(unit or "0")
            )
        except ValueError:
            return cls()

    def __str__(self) -> str:
        return f"{self.view}:{self.page}:{self.unit}"


def pairs(text: str) -> dict[int, int]:
    """Key → number, as a page wrote them down: ``12:3,15:4``."""
    found: dict[int, int] = {}
    for one in text.split(",")[:MOST]:
        key, _, number = one.partition(":")
        try:
            found[numbers.key(key)] = numbers.key(number)
        except ValueError:
            continue
    return found


def written(chosen: Mapping[int, int]) -> str:
    """The same, as it is written down."""
    return ",".join(f"{key}:{number}" for key, number in sorted(chosen.items()))


@dataclass
class Choice:
    """What is chosen, and whether a page that was sent spoke of what is no longer so.

    :param cases: case → how many of its payments were seen when it was chosen.
    """

    cases: dict[int, int]
    changed: bool = False

    @classmethod
    def sent(cls, waiting: Waiting) -> Choice:
        """From the form that was sent: what was chosen before, with the ticks of the page it was on."""
        made = cls(pairs(request.form.get("chosen", "")))
        place = Place.read(request.form.get("place", ""))
        shown = pairs(request.form.get("shown", ""))
        ticked = set(numbers.keys(request.form.getlist("unit" if place.view == UNITS else "case")))
        if place.view == UNITS:
            for unit in waiting.units():
                if unit.employer_id in shown:
                    made._take(unit.cases, unit.employer_id in ticked, shown[unit.employer_id])
        else:
            for one in waiting.payable:
                if one.case_id in shown:
                    made._take((one,), one.case_id in ticked, shown[one.case_id])
        gone = ticked - {one.employer_id if place.view == UNITS else one.case_id for one in waiting.payable}
        made.changed = made.changed or bool(gone)
        return made

    def _take(self, cases: Sequence[WaitingCase], ticked: bool, seen: int) -> None:
        """A tick takes all the cases; no tick gives them back, unless only some of them were taken before."""
        keys = {one.case_id for one in cases}
        if ticked:
            if not keys <= set(self.cases):
                self.changed = self.changed or seen != sum(one.people for one in cases)
                self.cases |= {one.case_id: one.people for one in cases if one.case_id not in self.cases}
        elif keys <= set(self.cases):
            for key in keys:
                del self.cases[key]

    def whole(self, unit: WaitingUnit) -> bool:
        """Whether every case of a unit is chosen."""
        return all(one.case_id in self.cases for one in unit.cases)

    def some(self, unit: WaitingUnit) -> int:
        """How many cases of a unit are chosen."""
        return sum(one.case_id in self.cases for one in unit.cases)

    def keep(self, case_ids: Collection[int]) -> None:
        """Forget what can no longer be paid."""
        self.changed = self.changed or not set(self.cases) <= set(case_ids)
        self.cases = {key: seen for key, seen in self.cases.items() if key in case_ids}
