"""One warm render process for all tests of documents, and templates written for a single test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from workflows.documents.render_process import RenderProcess
from workflows.documents.templates import DocumentTemplate, load_template

MakeTemplate = Callable[..., DocumentTemplate]


@pytest.fixture(scope="session")
def press() -> Iterator[RenderProcess]:
    """A render process that lives as long as the session."""
    process = RenderProcess()
    yield process
    process.close()


@pytest.fixture
def make_template(tmp_path: Path) -> MakeTemplate:
    """Write a template whose paper is the given HTML: ``make_template("<p>…", context="{extra: text}", sample="…")``."""

    def make(paper: str, name: str = "trial", description: str = "") -> DocumentTemplate:
        folder = tmp_path / "trials" / "documents" / name
        folder.mkdir(parents=True)
        (folder / "document.yaml").write_text(
            f"title: 试样\nkind: notice\npage: A4 portrait\n{description}", "utf-8"
        )
        (folder / "template.html").write_text(
            '{% extends "shared/documents/base.html" %}{% block paper %}' + paper + "{% endblock %}", "utf-8"
        )
        return load_template("trials", name, tmp_path)

    return make


def pages_of(pdf: bytes) -> list[str]:
    """Each page's text without any white space: Chinese has none, and extraction puts some between lines."""
    return [re.sub(r"\s+", "", page.extract_text()) for page in PdfReader(BytesIO(pdf)).pages]
