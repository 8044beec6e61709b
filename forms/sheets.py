"""Reads a roster out of an uploaded spreadsheet: every error of every row at once, each where a person can find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from forms.checks import Cell, cell_text
from forms.choices import Lists
from forms.loader import RESERVED_HEADINGS
from forms.model import Column, RosterDefinition
from forms.row_checks import RowChecker, check_across
from forms.rows import Row, RowsCheck, place_of
from forms.sheet_guard import SheetRefused, check_file
from forms.sheet_marks import Marks, letters
from forms.sheet_process import Bounds, SheetFacts, Stream, read_sheet
from forms.text import clean, heading

__all__ = ["RosterReading", "SheetRefused", "read_roster"]

HEADING_ROWS = 60
EXAMPLE = "示例"
SERIAL = "序号"


@dataclass
class RosterReading:
    """What came of reading a sheet.

    :param problems: what stops the whole sheet from being taken over, in Chinese; headings, limits, emptiness.
    :param notices: what was passed over and need not be put right.
    :param unknown: the headings that are not the roster's, each with its place: “备注”（H 列）. Many of them, and it is
        perhaps another sheet.
    :param header_row: the row of the headings, 0 when none was found.
    :param letters: column key → letter in this sheet.
    """

    sheet: str
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    header_row: int = 0
    letters: dict[str, str] = field(default_factory=dict)
    empty: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything can be taken over."""
        return not self.problems and all(row.ok for row in self.rows)

    def lines(self, definition: RosterDefinition) -> Iterator[str]:
        """Every error as one sentence: “花名册”第 5 行 C 列“身份证号”：……."""
        for row in self.rows:
            for key, text in row.errors.items():
                place = place_of(row.number, definition.column(key), self.letters.get(key, ""))
                yield f"“{self.sheet}”{place}：{text}"


def read_roster(
    definition: RosterDefinition,
    source: bytes | Path,
    *,
    today: date,
    limit: int | None = None,
    lists: Lists | None = None,
    extra_checks: Mapping[str, RowsCheck] | None = None,
    progress: Callable[[int, int], None] | None = None,
    bounds: Bounds | None = None,
) -> RosterReading:
    """Read and check a roster.

    :param today: the day by which ages and dates are judged.
    :param limit: the most people taken, the roster's ``max_rows`` by default.
    :param lists: the lists behind ``options_from``.
    :param extra_checks: the checks that the roster names and this room does not have.
    :param progress: called with (people read, people in all).
    :raises SheetRefused: when the file is no readable spreadsheet.
    """
    data = source.read_bytes() if isinstance(source, Path) else source
    check_file(data)
    labels = [heading(name) for one in definition.columns for name in (one.label, *one.also)]
    stream = read_sheet(data, labels=labels, sheet=definition.sheet, bounds=bounds or Bounds())
    try:
        return _Reader(definition, today, limit or definition.max_rows, lists, progress).read(
            stream, extra_checks
        )
    finally:
        stream.close()


def _must_be_there(column: Column, places: Mapping[str, int]) -> bool:
    """Whether a sheet cannot do without a column; one that only some rows need goes with what decides that."""
    return column.required and (column.show_if is None or column.show_if.field in places)


class _Reader:
    """Reads one stream of chunks."""

    def __init__(
        self,
        definition: RosterDefinition,
        today: date,
        limit: int,
        lists: Lists | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.definition, self.today, self.limit, self.lists = definition, today, limit, lists
        self.progress = progress or (lambda done, total: None)
        self.labels = {
            heading(name): one.key for one in definition.columns for name in (one.label, *one.also)
        }
        self.example = {one.key: one.example for one in definition.columns if one.example}

    def read(
        self,
        stream: Stream,
        extra_checks: Mapping[str, RowsCheck] | None,
    ) -> RosterReading:
        facts = next(stream)
        assert isinstance(facts, SheetFacts)  # noqa: S101 - the reader's protocol
        self.reading = reading = RosterReading(facts.sheet)
        self.marks = Marks(facts)
        self.checker: RowChecker | None = None
        for chunk in stream:
            if not isinstance(chunk, SheetFacts) and not self._take(chunk, facts):
                break
        if self.checker is None and not reading.problems:
            reading.empty = True
            reading.problems.append(
                f"“{reading.sheet}”里没有任何内容。请下载模板，从标题行的下一行开始填写，一人一行"
            )
        elif not reading.rows and not reading.problems:
            reading.empty = True
            reading.problems.append(
                f"“{reading.sheet}”里只有标题，没有人员。请从第 {reading.header_row + 1} 行开始填写，一人一行"
            )
        check_across(self.definition, reading.rows, extra_checks)
        return reading

    def _take(self, chunk: list[tuple[int, list[Cell]]], facts: SheetFacts) -> bool:
        """Take a chunk of rows; False when nothing more is wanted."""
        reading = self.reading
        if self.checker is None:
            if not chunk:
                return True
            if not self._find_headings(chunk):
                return False
            chunk = [(number, cells) for number, cells in chunk if number > reading.header_row]
        checker, serial = self.checker, self.serial
        assert checker is not None  # noqa: S101 - the headings were found
        for number, cells in chunk:
            if self._is_example(cells, serial) or not self._has_content(cells):
                continue
            if len(reading.rows) == self.limit:
                reading.problems.append(
                    f"人员超过 {self.limit} 行，一次最多导入 {self.limit} 人。请分成几个文件，或联系受理机关"
                )
                return False
            faults = self.marks.of(number, checker.places)
            reading.rows.append(checker.check(number, self._days(cells), self.today, faults))
        if chunk:  # the heading, the example and empty rows are no people
            left = max(facts.last_row - chunk[-1][0], 0)
            self.progress(len(reading.rows), len(reading.rows) + left)
        return True

    def _find_headings(self, chunk: Sequence[tuple[int, list[Cell]]]) -> bool:
        """Find the row of headings among the first rows and learn the places of the columns."""
        best_number, best, most = 0, [], 0
        for number, cells in chunk:
            if number > HEADING_ROWS:
                break
            keys = {self.labels.get(heading(cell)) for cell in cells if isinstance(cell, str)} - {None}
            if len(keys) > most:
                best_number, best, most = number, cells, len(keys)
        if most < min(2, len(self.definition.columns)):
            wanted = "、".join(one.label for one in self.definition.columns)
            self.reading.problems.append(
                f"“{self.reading.sheet}”里没有找到标题行。标题行应有这些列：{wanted}。请下载模板，按模板填写"
            )
            return False
        self.reading.header_row = best_number
        self._learn(best_number, best)
        return True

    def _learn(self, number: int, cells: Sequence[Cell]) -> None:
        reading, columns = self.reading, self.definition.columns
        places: dict[str, int] = {}
        twice: dict[str, list[str]] = {}
        self.serial: int | None = None
        for index, cell in enumerate(cells):
            name = heading(cell_text(cell))
            key = self.labels.get(name)
            if key in places:
                twice.setdefault(key, [letters(places[key])]).append(letters(index))
            elif key is not None:
                places[key] = index
            elif name == SERIAL:
                self.serial = index
            elif name and name not in RESERVED_HEADINGS:
                reading.unknown.append(f"“{clean(cell_text(cell))}”（{letters(index)} 列）")
        reading.letters = {key: letters(index) for key, index in places.items()}
        lacking = [one.label for one in columns if one.key not in places and _must_be_there(one, places)]
        if lacking:
            reading.problems.append(
                f"第 {number} 行标题缺少这些列：{'、'.join(lacking)}。请补上，或把数据粘贴到新下载的模板"
            )
        for key, where in twice.items():
            label = self.definition.column(key).label
            reading.problems.append(
                f"第 {number} 行标题“{label}”重复，在 {'、'.join(where)} 列。请只保留一列"
            )
        marked = self.marks.touching(number, places.values())
        if marked:
            reading.problems.append(
                f"第 {number} 行标题里有合并单元格或公式：{'、'.join(marked)}。请取消合并，每列一个标题，直接填写文字"
            )
        optional = [one.label for one in columns if one.key not in places and not _must_be_there(one, places)]
        if optional:
            reading.notices.append(f"没有这些选填的列，按未填处理：{'、'.join(optional)}")
        if reading.unknown:
            reading.notices.append(f"这些列不在模板中，没有导入：{'、'.join(reading.unknown)}")
        if self.marks.nowhere or self.marks.too_many:
            reading.problems.append(
                "表中有大量公式或合并单元格，无法逐个指出。请全选后复制，用“选择性粘贴—数值”粘贴到新下载的模板"
            )
        self.checker = RowChecker(self.definition, places, self.lists)
        dates = {one.key for one in columns if one.type == "date"}
        self._date_places = [index for key, index in places.items() if key in dates]
        self._places = list(places.values())
        self._examples = [(places[key], text) for key, text in self.example.items() if key in places]

    def _is_example(self, cells: Sequence[Cell], serial: int | None) -> bool:
        """The template's example, by its mark in 序号, or because nothing in it was changed."""
        if (
            serial is not None
            and serial < len(cells)
            and cell_text(cells[serial]).strip().startswith(EXAMPLE)
        ):
            return True
        for index, text in self._examples:
            cell = cells[index] if index < len(cells) else None
            if (cell if type(cell) is str else cell_text(cell)).strip() != text:
                return False
        return bool(self._examples)

    def _has_content(self, cells: Sequence[Cell]) -> bool:
        """Whether the row holds anything in a column of ours: a lone 序号 or remark is no person."""
        width = len(cells)
        for index in self._places:
            if index < width:
                cell = cells[index]
                if cell is not None and (type(cell) is not str or cell.strip()):
                    return True
        return False

    def _days(self, cells: list[Cell]) -> list[Cell]:
        """Day numbers of a sheet that counts from 1904 mean something else: let them be refused as text."""
        if self.marks.starts_in_1904:
            for index in self._date_places:
                if index < len(cells) and isinstance(cells[index], int | float):
                    cells[index] = f"{cell_text(cells[index])}（1904 年起算的序号）"
        return cells
