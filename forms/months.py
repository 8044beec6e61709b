"""Months as people list them: 2026-01、2026-02, 2026年4月, 202605."""

from __future__ import annotations

import re

from forms.text import half

_SPLIT = re.compile(r"[\s,、;；]+")
_MONTH = re.compile(r"(\d{4})\s?[-/.年]?\s?(\d{1,2})月?(?:份)?\Z", re.ASCII)


def parse_months(text: str) -> list[tuple[int, int]]:
    """The (year, month) pairs of a list, in its order; a part that is no month raises ``ValueError`` with that part."""
    found = []
    for part in _SPLIT.split(half(text).replace("，", ",")):
        if not part:
            continue
        match = _MONTH.match(part)
        if match is None or not 1 <= int(match.group(2)) <= 12 or not 2000 <= int(match.group(1)) <= 2100:
            raise ValueError(part)
        found.append((int(match.group(1)), int(match.group(2))))
    return found
