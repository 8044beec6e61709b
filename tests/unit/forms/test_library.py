"""The library reads folders, keeps texts for a version, and names every problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from forms.annotate import annotated
from forms.library import FormLibrary
from forms.row_checks import RowChecker
from forms.rows import Row
from forms.sheet_template import template
from forms.sheets import read_roster
from tests.unit.forms.people import ROSTER, TODAY
from workflows.base.errors import CatalogueError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "shared/employer.yaml": "{key: e, title: 单位, fields: [{key: name, label: 名称}]}",
        "p1/apply.yaml": "title: 申请\nsections: [{include: shared/employer}]",
        "p1/decide.yaml": "title: 决定\noutcomes: [{key: ok, label: 同意}]",
        "p1/roster.yaml": ROSTER,
        "p1/documents/certificate/document.yaml": "title: 证书",
        "p1/documents/loose/notes.txt": "",
        "p2/broken.yaml": "titel: 申请",
        "p2/roster.yaml": "title: 册",
        "p3/only.yaml": "title: 三\noutcomes: [{key: ok, label: 同意}]",
        "code.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_what_a_process_has(root: Path) -> None:
    library = FormLibrary(root)
    assert library.names("p1") == ["apply", "decide"]
    assert library.documents("p1") == ["certificate"]
    assert library.documents("p3") == []
    assert library.has_roster("p1")
    assert not library.has_roster("p3")
    assert library.get("p1", "apply").field("name").label == "名称"
    assert library.get("p1", "apply") is library.get("p1", "apply")
    assert library.roster("p1") is library.roster("p1")
    assert library.problems("p1") == []
    assert library.problems("p3") == []


def test_a_version_keeps_its_texts(root: Path) -> None:
    texts = FormLibrary(root).texts("p1")
    assert set(texts) == {"shared/employer.yaml", "p1/apply.yaml", "p1/decide.yaml", "p1/roster.yaml"}
    later = FormLibrary.from_texts(texts)
    assert later.get("p1", "apply").fields[0].key == "name"
    assert later.documents("p1") == []


def test_problems_name_the_file(root: Path) -> None:
    found = FormLibrary(root).problems("p2")
    assert any("forms/p2/broken.yaml：titel 不认识这个键" in one for one in found)
    assert any("forms/p2/roster.yaml：columns 花名册没有任何列" in one for one in found)


def test_a_form_that_does_not_exist(root: Path) -> None:
    library = FormLibrary(root)
    for ask in (lambda: library.get("p1", "nothing"), lambda: library.roster("p3")):
        with pytest.raises(CatalogueError, match="没有这个文件"):
            ask()


@pytest.mark.parametrize("process", ["workshop_recognition", "objection", "workshop_review"])
def test_our_own_definitions_are_sound(process: str) -> None:
    library = FormLibrary()
    assert library.names(process)
    assert library.problems(process) == []


@pytest.mark.parametrize("process", ["workshop_recognition", "workshop_review"])
def test_our_own_templates_can_be_read(process: str) -> None:
    roster = FormLibrary().roster(process)
    checks = {name: lambda rows: None for name in roster.extra_checks}
    reading = read_roster(roster, template(roster), today=TODAY, extra_checks=checks)
    assert reading.problems == ["“花名册”里只有标题，没有人员。请从第 4 行开始填写，一人一行"]
    example = Row(4, raw={one.key: one.example for one in roster.columns})
    copy = read_roster(roster, annotated(roster, [example]), today=TODAY, extra_checks=checks)
    assert copy.empty, "an example left unchanged is nobody"
    places = {one.key: index for index, one in enumerate(roster.columns)}
    checked = RowChecker(roster, places).check(4, [one.example or None for one in roster.columns], TODAY)
    # An ID number with a wrong check digit belongs to nobody: the only fault an example may have.
    faults = {key: text for key, text in checked.errors.items() if not text.startswith("身份证号校验不通过")}
    assert faults == {}, "the example itself must be right"


def test_the_installed_package_is_the_default() -> None:
    assert FormLibrary().names("no_such_process") == []
