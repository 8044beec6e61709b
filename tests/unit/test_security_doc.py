"""docs/security.md names what exists, and leaves out nothing of level 1."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/security.md").read_text("utf-8")
#: ASVS 5.0.0: chapter and section → the numbers at level 1.
LEVEL_1 = {
    "1.2": range(1, 6), "1.3": range(1, 3), "1.5": range(1, 2), "2.1": range(1, 2), "2.2": range(1, 3), "2.3": range(1, 2),
    "3.2": range(1, 3), "3.3": range(1, 2), "3.4": range(1, 3), "3.5": range(1, 4), "4.1": range(1, 2), "4.4": range(1, 2),
    "5.2": range(1, 3), "5.3": range(1, 3), "6.1": range(1, 2), "6.2": range(1, 9), "6.3": range(1, 3), "6.4": range(1, 3),
    "7.2": range(1, 5), "7.4": range(1, 3), "8.1": range(1, 2), "8.2": range(1, 3), "8.3": range(1, 2), "9.1": range(1, 4),
    "9.2": range(1, 2), "10.4": range(1, 6), "11.3": range(1, 3), "11.4": range(1, 2), "12.1": range(1, 2), "12.2": range(1, 3),
    "13.4": range(1, 2), "14.2": range(1, 2), "14.3": range(1, 2), "15.1": range(1, 2), "15.2": range(1, 2), "15.3": range(1, 2),
}  # fmt: skip
_PATH = re.compile(r"(?:webapp|workflows|forms|tests|docs|script)/[\w./-]*\w|constraints\.txt")


def test_every_item_of_level_1_stands_once() -> None:
    section = TEXT[TEXT.index("level 1\n") : TEXT.index("level 2: what")]
    found = re.findall(r"^\|(\d+\.\d+\.\d+)\|", section, re.MULTILINE)
    assert found == [f"{place}.{number}" for place, numbers in LEVEL_1.items() for number in numbers]
    assert len(found) == 70


def test_everything_it_names_exists() -> None:
    named = sorted(set(_PATH.findall(TEXT)))
    assert len(named) > 50
    assert [one for one in named if not (ROOT / one).exists()] == []


def test_scripts_put_no_html_together() -> None:
    scripts = list((ROOT / "webapp/static/js").glob("*.js"))
    assert scripts
    unsafe = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    assert [path.name for path in scripts if unsafe.search(path.read_text("utf-8"))] == []
