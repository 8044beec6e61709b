"""Cells of a sheet that cannot be trusted: formulas, error values, merged ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from forms.sheet_process import SheetFacts
from forms.text import message

_REF = re.compile(r"([A-Z]+)(\d+)(?::([A-Z]+)(\d+))?\Z")
#: How many (row, range) pairs are kept; ten ordinary merged columns of the longest roster.
_MOST_MARKS = 200_000


def letters(index: int) -> str:
    """Column letters of an index from 0: 0 → A, 26 → AA."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


def index_of(text: str) -> int:
    """The index from 0 of column letters."""
    number = 0
    for letter in text:
        number = number * 26 + ord(letter) - 64
    return number - 1


class Marks:
    """The marked cells of a sheet, by row."""

    def __init__(self, facts: SheetFacts) -> None:
        self.starts_in_1904 = facts.starts_in_1904
        #: How many formulas stand in cells without an address.
        self.nowhere = sum(1 for ref in facts.formulas if not ref)
        #: Whether there are more marked cells than can be told one by one.
        self.too_many = False
        self._count = 0
        self._last_row = facts.last_row
        #: row → (first column, last column, message, address)
        self._by_row: dict[int, list[tuple[int, int, str, str]]] = {}
        for ref in facts.errors:
            self._mark(ref, message("单元格里是错误值", f"{ref} 显示为 #N/A 之类", "请改为实际内容"))
        for ref in facts.formulas:
            self._mark(ref, message("单元格里是公式", ref, "请复制后用“选择性粘贴—数值”改为实际内容"))
        for ref in facts.merged:
            self._mark(ref, message("单元格已合并", ref, "请取消合并，每行每列单独填写"))

    def _mark(self, ref: str, text: str) -> None:
        match = _REF.match(ref)
        if match is None:
            return
        first, top, last, bottom = match.groups()
        # Below the last content there is nothing to spoil.
        rows = range(int(top), min(int(bottom or top), self._last_row) + 1)
        self._count += len(rows)
        if self._count > _MOST_MARKS:
            self.too_many = True
            return
        mark = (index_of(first), index_of(last or first), text, ref)
        for row in rows:
            self._by_row.setdefault(row, []).append(mark)

    def of(self, row: int, places: Mapping[str, int]) -> Mapping[int, str] | None:
        """Index → message of the marked cells of a row; None when there are none."""
        marks = self._by_row.get(row)
        if marks is None:
            return None
        return {
            index: text
            for first, last, text, _ in marks
            for index in places.values()
            if first <= index <= last
        }

    def touching(self, row: int, indexes: Iterable[int]) -> list[str]:
        """Addresses of the marks that touch any of these cells of a row."""
        wanted = list(indexes)
        return [
            ref
            for first, last, _, ref in self._by_row.get(row, ())
            if any(first <= index <= last for index in wanted)
        ]
