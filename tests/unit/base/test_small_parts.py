"""Errors, column types, file names and kinds: what needs neither a database nor an application."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from workflows.base import installation
from workflows.base.errors import CatalogueError, Conflict, Forbidden, Invalid, NotFound, WengangError
from workflows.base.files import JPEG, PDF, PNG, FileStore, clean_name, sniff
from workflows.base.installation import Installation, use_installation
from workflows.base.model import JsonText, UtcDateTime

SQLITE, POSTGRES = sqlite.dialect(), postgresql.dialect()


def test_errors_say_how_the_edge_answers() -> None:
    assert [kind.status for kind in (WengangError, Forbidden, NotFound, Conflict, Invalid)] == [
        400,
        403,
        404,
        409,
        422,
    ]
    assert Invalid("不行。").errors == {}
    assert Invalid("不行。", {"name": "请填写。"}).errors == {"name": "请填写。"}
    assert "第一处\n第二处" in CatalogueError(["第一处", "第二处"]).message


def test_instants_are_kept_in_utc_and_naive_ones_refused() -> None:
    column, shanghai = UtcDateTime(), timezone(timedelta(hours=8))
    nine = datetime(2026, 3, 2, 9, tzinfo=shanghai)
    one = datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert column.process_bind_param(nine, SQLITE) == one.replace(tzinfo=None)
    assert column.process_bind_param(nine, POSTGRES) == one
    assert column.process_result_value(one.replace(tzinfo=None), SQLITE) == one
    assert column.process_result_value(nine, POSTGRES) == one
    assert column.process_bind_param(None, SQLITE) is None
    assert column.process_result_value(None, SQLITE) is None
    with pytest.raises(ValueError, match="naive"):
        column.process_bind_param(datetime(2026, 3, 2), SQLITE)


def test_json_keeps_order_and_characters() -> None:
    column = JsonText()
    stored = column.process_bind_param({"b": "王㛃", "a": 1}, SQLITE)
    assert stored == '{"b":"王㛃","a":1}'
    assert list(column.process_result_value(stored, SQLITE)) == ["b", "a"]
    assert column.process_bind_param(None, SQLITE) is None
    assert column.process_result_value(None, SQLITE) is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7 ... %%EOF\n", PDF),
        (b"%PDF-1.7 cut off", None),
        (b"\xff\xd8\xff\xe0", JPEG),
        (b"\x89PNG\r\n\x1a\n", PNG),
        (b"MZ\x90 renamed to .pdf", None),
        (b"", None),
    ],
)
def test_files_are_known_by_their_content(content: bytes, kind: str | None) -> None:
    assert sniff(content) == kind


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("营业执照.pdf", "营业执照.pdf"),
        ("C:\\Users\\王\\合同.pdf", "合同.pdf"),
        ("../../etc/passwd", "passwd"),
        ("a\x00b\u202egnp.exe", "abgnp.exe"),
        ("...", "未命名"),
        ("", "未命名"),
        ("长" * 200 + ".pdf", "长" * 100 + ".pdf"),
    ],
)
def test_file_names_are_made_harmless(given: str, shown: str) -> None:
    assert clean_name(given) == shown


def test_the_installation_is_set_once_at_start_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "_installation", None)
    with pytest.raises(RuntimeError, match="use_installation"):
        installation.installation()
    here = Installation("https://wengang.example", True, FileStore(tmp_path))
    use_installation(here)
    assert installation.installation() is here
