"""Whatever is uploaded under the name of a spreadsheet: one clear sentence each, before anything is unpacked."""

from __future__ import annotations

import io
import warnings
import zipfile

import pytest

from forms.sheet_guard import MOST_BYTES, MOST_DIRECTORY, SheetRefused, check_file
from tests.unit.forms.files import repacked, zipped
from tests.unit.forms.people import line, saved, workbook

GOOD = saved(workbook([line(1)]))
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def refusal(data: bytes) -> str:
    with pytest.raises(SheetRefused) as refused:
        check_file(data)
    assert refused.value.status == 422
    return refused.value.message


def test_a_spreadsheet_passes() -> None:
    check_file(GOOD)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "文件是空的，没有任何内容"),
        (b"MZ\x90\x00 a renamed program", "这不是表格，而是一个程序文件（可能改过扩展名）"),
        (b"\x7fELF\x02\x01", "这不是表格，而是一个程序文件"),
        (OLE, "这是旧版表格（.xls 或 .et），系统只读 .xlsx"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "表格设有打开密码，系统读不了。请在 Excel 中取消密码"),
        (b"%PDF-1.7", "而是一个 PDF 文件"),
        (b"\xff\xd8\xff\xe0", "而是一张图片"),
        (b"\x89PNG\r\n", "而是一张图片"),
        (b"Rar!\x1a", "这是压缩包，不是表格"),
        (b"{\\rtf1", "而是一个文字文档"),
        ("姓名,身份证号\n王小明,1".encode(), "这是文本文件（如 CSV），系统只读 .xlsx"),
        ("姓名,身份证号\n王小明,1".encode("gb18030"), "这是文本文件（如 CSV）"),
        ("\ufeff姓名\t身份证号".encode("utf-16-le"), "这是文本文件（如 CSV）"),
        (("字" * 1366).encode()[:4097], "这是文本文件（如 CSV）"),
        (b"\xef\xbb\xbf<html><table>", "这是网页格式的表格"),
        (b"<?xml version='1.0'?><Workbook/>", "这是网页格式的表格"),
        (b"\x00\x01\x02\x03", "认不出这是什么文件"),
        (b"\x81\xff\x05", "认不出这是什么文件"),
        (b"PK\x03\x04 cut off", "文件已损坏或不完整"),
        (b"PK\x03\x04" + b"PK\x05\x06" + b"\0" * 18, "这是压缩包，不是表格"),
    ],
)
def test_what_it_really_is(data: bytes, says: str) -> None:
    assert says in refusal(data)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"word/document.xml": b""}, "而是一个 Word 文档"),
        ({"ppt/presentation.xml": b""}, "而是一个演示文稿"),
        ({"mimetype": b"", "content.xml": b""}, "这是 OpenDocument 表格（.ods）"),
        ({"xl/workbook.bin": b""}, "这是二进制表格（.xlsb）"),
        ({"a.xlsx": b""}, "这是压缩包，不是表格。请解压后"),
        ({"xl/workbook.xml": b"", "[Content_Types].xml": b"", "xl/vbaProject.bin": b""}, "表格带有宏"),
        ({f"{number}.xml": b"" for number in range(501)}, "文件展开后过大（约 0 MB、501 个部分）"),
        (
            {"xl/workbook.xml": b"0" * 9_000_000, "[Content_Types].xml": b""},
            "文件展开后过大（约 9 MB、2 个部分）",
        ),
    ],
)
def test_zips_of_other_kinds(parts: dict[str, bytes], says: str) -> None:
    assert says in refusal(zipped(parts))


def test_size() -> None:
    assert "文件有 20 MB，超过 20 MB" in refusal(b"PK\x03\x04" + b"0" * MOST_BYTES)


def test_a_directory_too_long_to_read() -> None:
    end = GOOD.rfind(b"PK\x05\x06")
    long = GOOD[: end + 12] + (MOST_DIRECTORY + 1).to_bytes(4, "little") + GOOD[end + 16 :]
    assert "文件已损坏或不完整" in refusal(long)


def test_a_broken_directory() -> None:
    assert "文件已损坏或不完整" in refusal(GOOD.replace(b"PK\x01\x02", b"PK\x01\x09"))


def test_encrypted_parts() -> None:
    first = GOOD.find(b"PK\x01\x02")
    locked = bytearray(GOOD)
    locked[first + 8] |= 1
    assert "文件设有密码，系统读不了" in refusal(bytes(locked))


def test_two_parts_of_one_name() -> None:
    out = io.BytesIO(repacked(GOOD, {}))
    with warnings.catch_warnings(), zipfile.ZipFile(out, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("xl/workbook.xml", b"")
    assert "内部有重名的部分" in refusal(out.getvalue())
