"""The process that opens a foreign spreadsheet. It imports nothing of ours, so that it starts fast and holds nothing.

In: one JSON line (:class:`Request`'s fields), then the bytes of the file. Out: JSON lines: first what the sheet is
(name, rows, formulas, merged cells, error values), then chunks of ``[row number, [cells]]``, then ``{"end": true}``;
or ``{"problem": Chinese text}``. Dates of date-formatted cells become ISO text, empty cells null.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import resource
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, BinaryIO
from xml.parsers import expat

HEADING_ROWS = 60
MOST_SHEETS = 30
MOST_MARKS = 20_000
MOST_TEXT = 5000
_LONGEST_TAG = 512
#: Rows times columns that calamine would lay out at about 32 bytes each.
MOST_AREA = 4_000_000
CHUNK = 500

_BRACKETS = re.compile(r"\([^()]*\)$")
_SPACE = re.compile(r"[\s*\u200b\ufeff]+")
_REF = re.compile(rb"""[\s]r\s*=\s*["']([A-Z]{1,3})(\d{1,7})["']""")
_ARRAY = re.compile(rb"""\sref\s*=\s*["']([A-Z]{1,3}\d{1,7}(?::[A-Z]{1,3}\d{1,7})?)["']""")
_MERGED = re.compile(rb"""mergeCell\s[^>]*?ref\s*=\s*["']([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})["']""")
_FAR_COLUMN = re.compile(rb"""\sr\s*=\s*["']([A-Z]{2,3})(\d{1,7})["'][^<>]*>\s*<(?:\w+:)?(?:v|is)\b""")
#: A quick look that spares the one above; writers that put spaces around = are not met in practice.
_BEYOND_Z = re.compile(rb' r="[A-Z][A-Z]')
_ROOT = re.compile(rb"<((?:\w+:)?)worksheet[\s>]")


class Unreadable(Exception):
    """The file is refused; the argument is the Chinese reason."""


def limit(memory: int, seconds: int) -> None:
    """Bound this process: address space, processor time, no files written, no core dump."""
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        # Where the system does not know a limit (macOS: address space), the parent's clock still holds.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def column_number(letters: str) -> int:
    """A → 1, AA → 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


class Workbook:
    """The parts of the zip that say which sheets there are."""

    def __init__(self, data: bytes) -> None:
        self.archive = zipfile.ZipFile(io.BytesIO(data))
        self.starts_in_1904 = False
        self.sheets: dict[str, str] = {}
        for name in self.archive.namelist():
            if name.endswith((".xml", ".rels")):
                with self.archive.open(name) as part:
                    start = part.read(2048)
                if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                    raise Unreadable("文件里有外部定义，系统不予读取。请新下载一份模板填写")
                if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise Unreadable(
                        "文件内部的文字编码不对。请用 Excel 打开后另存为“Excel 工作簿（*.xlsx）”"
                    )
        targets: dict[str, str] = {}
        self._each("xl/_rels/workbook.xml.rels", lambda tag, got: self._relation(targets, tag, got))
        self._each("xl/workbook.xml", lambda tag, got: self._sheet(targets, tag, got))

    def _each(self, part: str, handle: Any) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = lambda tag, got: handle(
            tag.rsplit(" ", 1)[-1], {key.rsplit(" ", 1)[-1]: value for key, value in got.items()}
        )
        parser.Parse(self.archive.read(part), True)

    def _relation(self, targets: dict[str, str], tag: str, got: dict[str, str]) -> None:
        if tag == "Relationship" and "Id" in got:
            target = got.get("Target", "")
            targets[got["Id"]] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

    def _sheet(self, targets: dict[str, str], tag: str, got: dict[str, str]) -> None:
        if tag == "workbookPr":
            self.starts_in_1904 = got.get("date1904", "0").lower() in ("1", "true")
        elif tag == "sheet" and got.get("id") in targets:
            self.sheets[got.get("name", "")] = targets[got["id"]]

    def scan(self, name: str) -> Scan:
        """Look at the XML of a sheet."""
        return Scan(self.archive.read(self.sheets[name]))


class Scan:
    """What calamine does not tell about a sheet: formulas, error values, merged cells, and how far it reaches."""

    def __init__(self, xml: bytes) -> None:
        root = _ROOT.search(xml, 0, 8192)
        prefix = root.group(1) if root else b""
        end = xml.find(b"</" + prefix + b"sheetData")
        self._xml, self._cell, self._end = xml, b"<" + prefix + b"c", end if end >= 0 else 0
        self.formulas = list(self._formulas(b"<" + prefix + b"f"))
        self.errors = [ref for pos in self._find(b't="e"') if (ref := self._ref(pos)) is not None]
        self.merged = [one.decode() for one in _MERGED.findall(xml, self._end)]
        self.last_row = self._last_row(b"<" + prefix)
        self.far_column = (26, "")
        if _BEYOND_Z.search(xml, 0, self._end):
            for one in _FAR_COLUMN.finditer(xml, 0, self._end):
                place = (column_number(one.group(1).decode()), (one.group(1) + one.group(2)).decode())
                self.far_column = max(self.far_column, place)

    def _find(self, needle: bytes) -> Iterator[int]:
        pos = self._xml.find(needle, 0, self._end)
        for _ in range(MOST_MARKS):
            if pos < 0:
                return
            yield pos
            pos = self._xml.find(needle, pos + 1, self._end)
        raise Unreadable(
            f"表中的公式或错误值超过 {MOST_MARKS} 处。请全选后复制，用“选择性粘贴—数值”粘贴到新模板，再上传"
        )

    def _formulas(self, tag: bytes) -> Iterator[str]:
        for pos in self._find(tag):
            if self._xml[pos + len(tag) : pos + len(tag) + 1] not in (b">", b" ", b"/", b"\n", b"\r", b"\t"):
                continue
            # An array formula stands in its first cell only, with the range it fills.
            head = self._xml[pos : pos + _LONGEST_TAG].split(b">", 1)[0]
            array = _ARRAY.search(head) if b"array" in head or b"dataTable" in head else None
            yield array.group(1).decode() if array else self._ref(pos) or ""

    def _ref(self, pos: int) -> str | None:
        """The address of the cell in whose tag or content ``pos`` lies."""
        # One search backwards: looking for what is not there would run over the whole sheet each time.
        start = self._xml.rfind(self._cell, 0, pos)
        while start >= 0 and self._xml[start + len(self._cell)] not in b" >\n\r\t":
            start = self._xml.rfind(self._cell, 0, start)
        end = max(pos, self._xml.find(b">", pos, pos + _LONGEST_TAG))
        match = _REF.search(self._xml, start, end) if start >= 0 else None
        return (match.group(1) + match.group(2)).decode() if match else None

    def _last_row(self, open_tag: bytes) -> int:
        """The row of the last cell that holds anything: rows stand in their order."""
        for start in (max(0, self._end - 65536), 0):
            last = max(
                self._xml.rfind(open_tag + name, start, self._end) for name in (b"v>", b"v ", b"is>", b"is ")
            )
            if last >= 0:
                break
        ref = self._ref(last) if last >= 0 else None
        return int("".join(filter(str.isdigit, ref))) if ref else 0


def check_area(scan: Scan, name: str, most_rows: int) -> None:
    """Refuse a sheet in which something stands so far off that laying it out would fill the memory."""
    columns, ref = scan.far_column
    if scan.last_row * columns <= MOST_AREA and scan.last_row <= most_rows:
        return
    place = f"第 {scan.last_row} 行" if scan.last_row > most_rows or not ref else f"{ref} 单元格"
    raise Unreadable(
        f"“{name}”的{place}还有内容，超出了可以读取的范围。请删除远处多余的内容，"
        "或新下载一份模板，把人员数据粘贴进去再上传"
    )


def heading(value: object) -> str:
    """A heading reduced like :func:`forms.text.heading` reduces it, as far as choosing a sheet needs."""
    return _BRACKETS.sub("", _SPACE.sub("", unicodedata.normalize("NFKC", str(value))).rstrip(":"))


def plain(value: Any) -> str | int | float | None:
    """A cell as text, number or None."""
    if type(value) is str:
        return value[:MOST_TEXT] or None
    if type(value) is float:
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "是" if value else "否"
    return value if isinstance(value, int) else str(value)


def choose(workbook: Any, parts: Workbook, request: dict[str, Any]) -> tuple[Any, Scan]:
    """The visible sheet whose first rows show most of the headings; at a tie the one of the wanted name, the first."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    labels = set(request["labels"])
    wanted = heading(request["sheet"])
    best: tuple[int, Any, Scan] | None = None
    names = [
        one.name
        for one in workbook.sheets_metadata
        if one.visible == SheetVisibleEnum.Visible
        and one.typ == SheetTypeEnum.WorkSheet
        and one.name in parts.sheets
    ]
    names.sort(key=lambda name: heading(name) != wanted)
    for name in names[:MOST_SHEETS]:
        scan = parts.scan(name)
        check_area(scan, name, request["most_rows"])
        sheet = workbook.get_sheet_by_name(name)
        top = sheet.to_python(nrows=HEADING_ROWS) if sheet.start is not None else []
        score = max((len({heading(cell) for cell in row if cell != ""} & labels) for row in top), default=0)
        if best is None or score > best[0]:
            best = (score, sheet, scan)
        if score >= max(2, len(labels) // 2):
            break
    if best is None:
        raise Unreadable("文件里没有可见的工作表。请取消隐藏，或下载模板填写")
    return best[1], best[2]


def rows_of(sheet: Any) -> Iterator[list[Any]]:
    """[row number, cells] of every row that holds anything; row numbers and columns count as in Excel, from 1."""
    if sheet.start is None:
        return
    lead = [None] * sheet.start[1]
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [
            cell or None if type(cell) is str and len(cell) <= MOST_TEXT else plain(cell) for cell in row
        ]
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            yield [number, lead + cells]


def serve(request: dict[str, Any], data: bytes, out: BinaryIO) -> None:
    """Read one workbook and write what is in it."""

    def write(item: object) -> None:
        out.write(json.dumps(item, ensure_ascii=False).encode() + b"\n")

    # Imported only now, within the limits.
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        parts = Workbook(data)
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            sheet, scan = choose(workbook, parts, request)
            write(
                {
                    "sheet": sheet.name,
                    "last_row": scan.last_row,
                    "formulas": scan.formulas,
                    "errors": scan.errors,
                    "merged": scan.merged,
                    "starts_in_1904": parts.starts_in_1904,
                }
            )
            chunk: list[Any] = []
            for row in rows_of(sheet):
                chunk.append(row)
                if len(chunk) == CHUNK:
                    write(chunk)
                    chunk = []
            write(chunk)
        write({"end": True})
    except Unreadable as error:
        write({"problem": str(error)})
    except (CalamineError, zipfile.BadZipFile, KeyError, expat.ExpatError, OSError, ValueError, EOFError):
        write({"problem": "表格内部已损坏，读不出内容。请用 Excel 或 WPS 打开，另存一份后再上传"})


def main() -> None:
    """Serve the one request on standard input."""
    request = json.loads(sys.stdin.buffer.readline())
    limit(request["memory"], request["seconds"])
    sys.path.append(request["packages"])
    data = sys.stdin.buffer.read(request["size"])
    serve(request, data, sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":  # pragma: no cover - only in the process itself
    main()
