"""Workbooks as answers."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response

from forms.workbook import Column, Sheet, book, sheet
from workflows.base.files import XLSX

__all__ = ["Column", "Sheet", "book", "download", "sheet"]


def download(content: bytes, name: str) -> Response:
    """The workbook as an attachment."""
    answer = Response(content, mimetype=XLSX)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return answer
