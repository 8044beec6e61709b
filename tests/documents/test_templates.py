"""Templates on disk: described, checked against their own samples, documented."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.documents.conftest import MakeTemplate
from workflows.base.errors import CatalogueError
from workflows.documents.schema import context_problems, printable, schema_problems
from workflows.documents.templates import FORMS, load_template, load_templates, shared_context

PAPERS = {
    ("workshop_recognition", "approval_form"),
    ("workshop_recognition", "certificate"),
    ("workshop_recognition", "publicity_sheet"),
    ("workshop_recognition", "joint_notice"),
    ("workshop_recognition", "correction_notice"),
    ("workshop_recognition", "not_accepted"),
    ("workshop_recognition", "refusal"),
    ("workshop_recognition", "rectification_notice"),
    ("objection", "objection_reply"),
    ("workshop_review", "revocation"),
    ("workshop_review", "review_rectification"),
    ("workshop_review", "review_result"),
    ("workshop_review", "restoration"),
    ("one_time_reward", "refusal"),
    ("one_time_reward", "publicity_sheet"),
    ("one_time_reward", "approval_form"),
    ("one_time_reward", "payment_form"),
    ("one_time_reward", "payment_list"),
    ("one_time_reward", "recovery_letter"),
}


def test_every_paper_of_the_processes_is_there() -> None:
    assert set(load_templates()) >= PAPERS


def test_the_readme_names_every_paper_and_every_key_a_case_must_supply() -> None:
    text = (FORMS / "shared/documents/README.md").read_text("utf-8")
    for (process, name), template in load_templates().items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"|{process} / {name}|")]
        described = yaml.safe_load((template.folder / "document.yaml").read_text("utf-8"))
        for key in [*described.get("uses", []), *described.get("context", {})]:
            assert key in row, f"{process}/{name}: {key} is missing in README.md"
    for key in shared_context()["every"]:
        assert f"`{key}`" in text


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("number", None, "context.number：应为文字"),
        ("demonstration", 1, "context.demonstration：应为是或否"),
        ("issued_on", "2026-2-30", "context.issued_on：应为日期（年-月-日）"),
        ("issued_on", "20261124", "context.issued_on：应为日期（年-月-日）"),
        ("offices", "梨树县人力资源和社会保障局", "context.offices：应为列表"),
        ("offices", [["梨树县"]], "context.offices[0]：应为文字"),
        ("employer", [], "context.employer：应为映射"),
        ("opinions", [{"title": "村"}], "context.opinions[0].office：缺少"),
        ("extra", "x", "context.extra：多余"),
    ],
)
def test_a_context_that_does_not_fit_is_told_by_its_key(key: str, value: Any, problem: str) -> None:
    template = load_template("workshop_recognition", "approval_form")
    assert problem in template.problems({**template.sample, key: value})


def test_numbers_are_whole_and_booleans_are_not_numbers() -> None:
    assert context_problems(100_000, "money") == []
    assert context_problems(True, "integer") == ["context：应为整数"]
    assert context_problems(1.5, "money") == ["context：应为整数"]
    assert context_problems("", "date?") == []
    assert context_problems("明天", "date?") == ["context：应为日期（年-月-日）"]


def test_a_string_that_carries_behaviour_is_not_data() -> None:
    class Markup(str):
        __slots__ = ()

    assert context_problems(Markup("<b>"), "text") == ["context：应为文字"]


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ("number", "不认识的类型"),
        (["text", "date"], "一种元素类型"),
        ({"a": ["float"]}, "context.a[]"),
        (3, "名称、列表或映射"),
    ],
)
def test_a_type_nobody_knows_is_refused(schema: Any, problem: str) -> None:
    assert problem in "".join(schema_problems(schema))


def test_pasted_control_characters_are_dropped_and_line_ends_unified() -> None:
    assert printable({"a": ["同\x0c意\r\n办\ud800理\r", 3, True]}) == {"a": ["同意\n办理\n", 3, True]}


def test_a_description_with_faults_names_the_file_and_all_of_them(make_template: MakeTemplate) -> None:
    with pytest.raises(CatalogueError) as refused:
        make_template("", description="page: A3\nkind: poster\ntitle: ''\nuses: [nobody]\ncolour: red\n")
    text = refused.value.message
    assert text.count("forms/trials/documents/trial/document.yaml") == 5
    for word in ("不认识的键“colour”", "缺少 title", "kind 须为", "page 须为", "没有共用的“nobody”"):
        assert word in text


def test_a_sample_that_does_not_fit_its_own_types_is_refused(make_template: MakeTemplate) -> None:
    with pytest.raises(CatalogueError, match=r"sample：context\.due_on：缺少"):
        make_template("", description="context: {due_on: date}\n")


@pytest.mark.parametrize(
    ("text", "problem"), [("- a\n", "须为键值"), ("a: [", "读不出来"), (None, "读不出来")]
)
def test_an_unreadable_description_is_refused(tmp_path: Path, text: str | None, problem: str) -> None:
    folder = tmp_path / "p/documents/d"
    folder.mkdir(parents=True)
    if text is not None:
        (folder / "document.yaml").write_text(text, "utf-8")
    with pytest.raises(CatalogueError, match=problem):
        load_template("p", "d", tmp_path)


def test_a_name_cannot_lead_out_of_the_forms_room() -> None:
    with pytest.raises(CatalogueError, match="文件夹名"):
        load_template("..", "d")


def test_loading_all_reports_the_problems_of_all(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(FORMS / "workshop_review/documents/restoration", tmp_path / f"p/documents/{name}")
        (tmp_path / f"p/documents/{name}/template.html").unlink()
    with pytest.raises(CatalogueError) as refused:
        load_templates(tmp_path)
    assert len(refused.value.problems) == 2
    assert all("缺少 template.html" in problem for problem in refused.value.problems)


def test_an_edited_description_is_read_again(make_template: MakeTemplate) -> None:
    template = make_template("")
    file = template.folder / "document.yaml"
    file.write_text(file.read_text("utf-8").replace("试样", "新样"), "utf-8")
    os.utime(file, ns=(1, 1))
    assert load_template(template.process, template.name, template.root).title == "新样"


def test_the_number_of_a_case_has_one_name() -> None:
    """办件编号 on papers and pages, as the glossary says."""
    root = FORMS.parent
    kinds = {".html", ".yaml", ".py", ".bpmn"}
    paths = [path for room in ("forms", "bpmn", "webapp", "workflows") for path in (root / room).rglob("*")]
    texts = [path for path in paths if path.suffix in kinds]
    assert len(texts) > 300
    assert [path for path in texts if "案件编号" in path.read_text("utf-8")] == []
