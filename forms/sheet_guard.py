"""Looks at an uploaded file before anything unpacks it: what it really is, and whether it would burst.

What a file is called does not matter. The parts inside are looked at by :mod:`forms._sheet_reader`, in a process of
its own.
"""

from __future__ import annotations

import io
import zipfile

from workflows.base.errors import Invalid

MOST_BYTES = 20 * 1024 * 1024
MOST_ENTRIES = 500
MOST_DIRECTORY = 256 * 1024
MOST_UNPACKED = 200 * 1024 * 1024
#: Unpacked to packed, looked at from :data:`RATIO_FROM` bytes on: a sheet of empty formatted cells reaches about 40.
MOST_RATIO = 150
RATIO_FROM = 8 * 1024 * 1024

SAVE_AS = "请用 Excel 或 WPS 打开后，另存为“Excel 工作簿（*.xlsx）”，再上传"
USE_TEMPLATE = "请下载模板填写后再上传"

_SAMPLE = 4096
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"MZ", f"这不是表格，而是一个程序文件（可能改过扩展名）。{USE_TEMPLATE}"),
    (b"\x7fELF", f"这不是表格，而是一个程序文件（可能改过扩展名）。{USE_TEMPLATE}"),
    (b"%PDF", f"这不是表格，而是一个 PDF 文件。{USE_TEMPLATE}"),
    (b"\xff\xd8\xff", f"这不是表格，而是一张图片。{USE_TEMPLATE}"),
    (b"\x89PNG", f"这不是表格，而是一张图片。{USE_TEMPLATE}"),
    (b"Rar!", "这是压缩包，不是表格。请解压后上传里面的 Excel 文件"),
    (b"7z\xbc\xaf", "这是压缩包，不是表格。请解压后上传里面的 Excel 文件"),
    (b"{\\rtf", f"这不是表格，而是一个文字文档。{USE_TEMPLATE}"),
)


class SheetRefused(Invalid):
    """A file that cannot be read as a roster (HTTP 422); the message says what it is and what to do."""


def check_file(data: bytes) -> None:
    """Refuse whatever is not a harmless xlsx file of bearable size.

    :raises SheetRefused: with a message for the person who uploaded it.
    """
    if not data:
        raise SheetRefused(f"文件是空的，没有任何内容。{USE_TEMPLATE}")
    if len(data) > MOST_BYTES:
        raise SheetRefused(
            f"文件有 {len(data) / 1024 / 1024:.0f} MB，超过 {MOST_BYTES // 1024 // 1024} MB。"
            "请删除图片和无关的工作表，或把人员分成几个文件"
        )
    if not data.startswith(b"PK\x03\x04"):
        raise SheetRefused(_what_it_is(data))
    _check_zip(data)


def _what_it_is(data: bytes) -> str:
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            return "表格设有打开密码，系统读不了。请在 Excel 中取消密码，保存后再上传"
        return f"这是旧版表格（.xls 或 .et），系统只读 .xlsx。{SAVE_AS}"
    for magic, text in _MAGIC:
        if data.startswith(magic):
            return text
    start = data[:_SAMPLE].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        return f"这是网页格式的表格，系统只读 .xlsx。{SAVE_AS}"
    if _is_text(data[:_SAMPLE]):
        return f"这是文本文件（如 CSV），系统只读 .xlsx。{SAVE_AS}"
    return f"认不出这是什么文件，系统只读 .xlsx 表格。{SAVE_AS}"


def _is_text(start: bytes) -> bool:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\x00" in start:
        return False
    # A character of several bytes may be cut at the end of the sample.
    cuts = range(4) if len(start) == _SAMPLE else range(1)
    return any(_decodes(start[: len(start) - cut], name) for name in ("utf-8", "gb18030") for cut in cuts)


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\t\r\n\ufeff" for char in text)


def _check_zip(data: bytes) -> None:
    # The end record tells how large the directory is; zipfile would read all of a huge one first.
    end = data.rfind(b"PK\x05\x06")
    if end < 0 or int.from_bytes(data[end + 12 : end + 16], "little") > MOST_DIRECTORY:
        raise SheetRefused(f"文件已损坏或不完整。{SAVE_AS}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise SheetRefused(f"文件已损坏或不完整。{SAVE_AS}") from None
    if any(entry.flag_bits & 1 for entry in entries):
        raise SheetRefused("文件设有密码，系统读不了。请取消密码，保存后再上传")
    _check_sizes(entries)
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise SheetRefused(f"文件结构异常（内部有重名的部分）。{SAVE_AS}")
    _check_kind(set(names))


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    too_many = len(entries) > MOST_ENTRIES
    bursting = unpacked > RATIO_FROM and unpacked > MOST_RATIO * max(packed, 1)
    if too_many or bursting or unpacked > MOST_UNPACKED:
        raise SheetRefused(
            f"文件展开后过大（约 {unpacked / 1024 / 1024:.0f} MB、{len(entries)} 个部分），系统不予读取。"
            "请新下载一份模板，只把人员数据按“值”粘贴进去再上传"
        )


def _check_kind(names: set[str]) -> None:
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise SheetRefused(f"表格带有宏，系统不予读取。{SAVE_AS}")
    if "xl/workbook.xml" in names and "[Content_Types].xml" in names:
        return
    if "xl/workbook.bin" in names:
        raise SheetRefused(f"这是二进制表格（.xlsb），系统只读 .xlsx。{SAVE_AS}")
    if any(name.startswith("word/") for name in names):
        raise SheetRefused(f"这不是表格，而是一个 Word 文档。{USE_TEMPLATE}")
    if any(name.startswith("ppt/") for name in names):
        raise SheetRefused(f"这不是表格，而是一个演示文稿。{USE_TEMPLATE}")
    if "mimetype" in names and "content.xml" in names:
        raise SheetRefused(f"这是 OpenDocument 表格（.ods），系统只读 .xlsx。{SAVE_AS}")
    raise SheetRefused("这是压缩包，不是表格。请解压后上传里面的 Excel 文件")
