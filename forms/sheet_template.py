"""Writes the spreadsheet that people fill in: headings, drop-downs, text columns, one marked example."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter

from forms.choices import Lists, options_of
from forms.model import Column, RosterDefinition
from forms.sheet_marks import letters
from forms.sheets import EXAMPLE, SERIAL
from forms.text import neutral

#: The row of the headings in every sheet written here, as Excel counts; title and notes stand above.
HEADER_ROW = 3
#: Excel's own number of the format "text".
EXCEL_TEXT = 49
LIST_SHEET = "选项"
HELP_SHEET = "填写说明"

_TEXT_TYPES = frozenset(
    {"id_number", "phone", "bank_account", "credit_code", "division", "text", "multichoice"}
)
_WORDS: Mapping[str, str] = {
    "date": "日期，如 2026-11-24",
    "integer": "整数，如 12",
    "decimal": "数字，如 120.5",
    "money": "金额，以元为单位，如 4000.00",
    "id_number": "18 位身份证号，末位可以是 X",
    "phone": "11 位手机号，或带区号的固定电话",
    "bank_account": "8 至 30 位数字",
    "credit_code": "18 位统一社会信用代码",
    "boolean": "从下拉列表中选“是”或“否”",
    "choice": "从下拉列表中选择",
    "division": "从下拉列表中选择",
    "multichoice": "可填几项，用顿号隔开",
    "text": "文字",
    "attendance": "出勤一天写 1 或 √，半天写 0.5；按小时计酬的写小时数；没有出勤的空着",
}


class RosterSheet:
    """A workbook with the roster's sheet, laid out the same for the template and for the annotated copy.

    :param lead: further headings before the columns of the definition.
    """

    def __init__(
        self, definition: RosterDefinition, *, title: str, lead: Sequence[tuple[str, int]], lists: Lists
    ) -> None:
        self.definition, self.lists = definition, lists
        self._buffer = io.BytesIO()
        self.book: Any = xlsxwriter.Workbook(
            self._buffer,
            {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
        )
        self.sheet: Any = self.book.add_worksheet(definition.sheet)
        self.formats: dict[str, Any] = {
            "title": self.book.add_format({"bold": True, "font_size": 16}),
            "note": self.book.add_format({"font_color": "#595959", "valign": "top"}),
            "heading": self.book.add_format(
                {"bold": True, "border": 1, "bg_color": "#DCE6F2", "text_wrap": True, "align": "center"}
            ),
            "text": self.book.add_format({"num_format": EXCEL_TEXT}),
            "date": self.book.add_format({"num_format": "yyyy-mm-dd"}),
            "money": self.book.add_format({"num_format": "#,##0.00"}),
            "plain": self.book.add_format({}),
            "example": self.book.add_format(
                {"italic": True, "font_color": "#7F7F7F", "num_format": EXCEL_TEXT}
            ),
        }
        self.first = len(lead)
        self.sheet.write_string(0, 0, title or definition.title, self.formats["title"])
        self.sheet.write_string(1, 0, " ".join(definition.notes), self.formats["note"])
        for index, (name, width) in enumerate(lead):
            self.sheet.set_column(index, index, width, self.formats["plain"])
            self.sheet.write_string(HEADER_ROW - 1, index, name, self.formats["heading"])
        for index, column in enumerate(definition.columns, start=self.first):
            star = "*" if column.required else ""
            self.sheet.set_column(index, index, column.width, self.format_of(column))
            self.sheet.write_string(HEADER_ROW - 1, index, f"{column.label}{star}", self.formats["heading"])
        self.sheet.freeze_panes(HEADER_ROW, self.first)

    def format_of(self, column: Column) -> Any:
        """The cell format of a column: numbers of persons are text, so that no digit is lost."""
        if column.type in _TEXT_TYPES:
            return self.formats["text"]
        return self.formats.get(column.type, self.formats["plain"])

    def add_rules(self, first_row: int, last_row: int) -> None:
        """Drop-downs and input hints for these rows (from 0)."""
        self._lists: Any = None
        self._list_count = 0
        for index, column in enumerate(self.definition.columns, start=self.first):
            self.sheet.data_validation(first_row, index, last_row, index, self._validation(column))

    def _validation(self, column: Column) -> dict[str, Any]:
        hint = "。".join(part for part in (column.hint, _WORDS[column.type]) if part)
        rule: dict[str, Any] = {"input_title": column.label[:32], "input_message": hint[:255]}
        if column.type == "multichoice":
            return {"validate": "any", **rule}
        labels = (
            ["是", "否"]
            if column.type == "boolean"
            else [one.label for one in options_of(column, self.lists)]
        )
        if labels:
            return {
                "validate": "list",
                "source": self._source(column, labels),
                "error_title": "不在可选范围内",
                "error_message": f"请从下拉列表中选择{column.label}"[:255],
                **rule,
            }
        if column.type == "id_number":
            return {
                "validate": "length",
                "criteria": "between",
                "minimum": 15,
                "maximum": 20,
                "error_type": "warning",
                "error_title": "位数不对",
                "error_message": "身份证号应为 18 位，请核对",
                **rule,
            }
        return {"validate": "any", **rule}

    def _source(self, column: Column, labels: Sequence[str]) -> str | list[str]:
        """The options themselves, or where they stand when they are too long for a drop-down's own list."""
        if sum(len(label) + 1 for label in labels) <= 255 and not any("," in label for label in labels):
            return list(labels)
        if self._lists is None:
            self._lists = self.book.add_worksheet(LIST_SHEET)
            self._lists.hide()
        place = self._list_count
        self._list_count += 1
        for row, text in enumerate([column.label, *labels]):
            self._lists.write_string(row, place, neutral(text))
        return f"={LIST_SHEET}!${letters(place)}$2:${letters(place)}${len(labels) + 1}"

    def add_help(self) -> None:
        """A second sheet that explains every column."""
        page: Any = self.book.add_worksheet(HELP_SHEET)
        for index, (name, width) in enumerate((("列名", 20), ("必填", 8), ("怎么填", 60), ("示例", 26))):
            page.set_column(index, index, width, self.formats["text"])
            page.write_string(0, index, name, self.formats["heading"])
        for row, column in enumerate(self.definition.columns, start=1):
            options = options_of(column, {}) if column.type in ("choice", "multichoice") else ()
            words = [column.hint, _WORDS[column.type], "、".join(one.label for one in options)]
            page.write_string(row, 0, column.label)
            page.write_string(row, 1, "是" if column.required else "")
            page.write_string(row, 2, "。".join(part for part in words if part))
            page.write_string(row, 3, neutral(column.example))

    def finish(self) -> bytes:
        """The finished file."""
        self.book.close()
        return self._buffer.getvalue()


def template(
    definition: RosterDefinition,
    *,
    title: str = "",
    lists: Lists | None = None,
    examples: Sequence[Mapping[str, str]] | None = None,
    rows: Sequence[Mapping[str, str]] = (),
) -> bytes:
    """The empty roster as xlsx: title, notes, headings in row 3, an example below, which reading passes over.

    :param lists: the lists behind ``options_from``, for the drop-downs.
    :param examples: column key → text, instead of the one example that the definition gives.
    :param rows: what is known already, column key → text as a person would type it; below the examples.
    """
    page = RosterSheet(definition, title=title, lead=[(SERIAL, 8)], lists=lists or {})
    if examples is None:
        examples = [{one.key: one.example for one in definition.columns}]
    for row, example in enumerate(examples, start=HEADER_ROW):
        page.sheet.write_string(row, 0, EXAMPLE, page.formats["example"])
        for index, column in enumerate(definition.columns, start=page.first):
            page.sheet.write_string(row, index, neutral(example.get(column.key, "")), page.formats["example"])
    for row, known in enumerate(rows, start=HEADER_ROW + len(examples)):
        for index, column in enumerate(definition.columns, start=page.first):
            if known.get(column.key):
                page.sheet.write_string(row, index, neutral(known[column.key]), page.format_of(column))
    page.add_rules(HEADER_ROW, HEADER_ROW + len(examples) + definition.max_rows)
    page.add_help()
    return page.finish()
