"""Writes what was read back as a spreadsheet in which everything wrong is coloured, explained, and ready to correct."""

from __future__ import annotations

from collections.abc import Sequence

from forms.choices import Lists
from forms.model import RosterDefinition
from forms.rows import Row
from forms.sheet_marks import letters
from forms.sheet_template import EXCEL_TEXT, HEADER_ROW, RosterSheet
from forms.sheets import SERIAL
from forms.text import neutral

PROBLEMS = "问题说明"
#: Comments make a file heavy; the first column says the same for every row.
MOST_COMMENTS = 2000


def annotated(
    definition: RosterDefinition, rows: Sequence[Row], *, title: str = "", lists: Lists | None = None
) -> bytes:
    """A copy of the roster as xlsx: bad cells red, doubtful ones yellow, the reasons in the first column.

    Every person keeps the row number they had, so that messages still point to the right line. Corrected, the copy
    can be uploaded as it is: 问题说明 is passed over. No cell can become a formula.

    :param rows: as read, with their numbers.
    """
    page = RosterSheet(definition, title=title, lead=[(PROBLEMS, 50), (SERIAL, 8)], lists=lists or {})
    looks = {
        "errors": page.book.add_format({"bg_color": "#F8CBAD", "border": 1, "num_format": EXCEL_TEXT}),
        "warnings": page.book.add_format({"bg_color": "#FFE699", "num_format": EXCEL_TEXT}),
        "reason": page.book.add_format({"font_color": "#C00000"}),
    }
    # A sheet whose people began above the place of our headings moves down as a whole.
    shift = max(0, HEADER_ROW + 1 - min((row.number for row in rows), default=HEADER_ROW + 1))
    comments = 0
    last = HEADER_ROW
    for count, row in enumerate(rows, start=1):
        line = row.number + shift - 1
        last = max(last, line)
        reasons = [f"{definition.column(key).label}：{text}" for key, text in row.errors.items()]
        reasons += [f"（请核对）{definition.column(key).label}：{text}" for key, text in row.warnings.items()]
        if reasons:
            page.sheet.write_string(line, 0, neutral("\n".join(reasons)), looks["reason"])
        page.sheet.write_string(line, 1, str(count))
        for index, column in enumerate(definition.columns, start=page.first):
            text = neutral(row.raw.get(column.key, ""))
            found = row.errors.get(column.key, "") or row.warnings.get(column.key, "")
            look = looks["errors"] if column.key in row.errors else looks["warnings"] if found else None
            if text or look:
                page.sheet.write_string(line, index, text, look or page.formats["text"])
            if found and comments < MOST_COMMENTS:
                page.sheet.write_comment(line, index, found, {"x_scale": 2})
                comments += 1
    columns = page.first + len(definition.columns)
    page.sheet.ignore_errors({"number_stored_as_text": f"A1:{letters(columns - 1)}{last + 1}"})
    page.add_rules(HEADER_ROW, last + definition.max_rows)
    return page.finish()
