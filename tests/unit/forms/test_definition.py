"""What the grammar accepts, and how it refuses: in Chinese, with file and key, all at once."""

from __future__ import annotations

from datetime import date

import pytest

from forms.definition import Option, load_form, load_roster
from tests.unit.forms.people import roster
from workflows.base.errors import CatalogueError

FORM = """
title: 认定申请
intro: 请如实填写
sections:
  - include: shared/employer
    title: 用人单位
  - key: workshop
    title: 车间
    hint: 车间在哪里
    show_if: {field: kind, in: [company, cooperative]}
    fields:
      - include: shared/address
      - {key: area, label: 面积, type: decimal, min: "0.5", max: 90000, unit: 平方米}
      - {key: pay, label: 工资, type: money, min: 100, max: "9000.50"}
      - {key: since, label: 成立日期, type: date, min: 2000-01-01, max: today, check: [not_future]}
      - {key: photos, label: 照片, type: files, min: 2, accept: [image]}
      - {key: licence, label: 执照, type: files}
      - {key: story, label: 简介, type: textarea, rows: 8, prefill: draft.story}
rules: [{check: different, fields: [name, street], level: warning}]
"""
SHARED = {
    "shared/employer": """
key: employer
title: 单位
fields:
  - {key: name, label: 单位名称, required: true, read_from: employer.name}
  - {key: kind, label: 类型, type: choice, options: [{value: company, label: 公司}, {value: cooperative, label: 合作社}]}
""",
    "shared/address": "{key: address, title: 地址, fields: [{key: street, label: 街道}]}",
}


def problems(text: str, shared: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(CatalogueError) as refused:
        load_form(text, "f.yaml", shared)
    return refused.value.problems


def form_with(field: str) -> str:
    return f"title: 表\nsections: [{{key: a, title: 甲, fields: [{field}]}}]"


def test_a_form_with_shared_sections_and_fields() -> None:
    form = load_form(FORM, "f.yaml", SHARED)
    assert [one.key for one in form.sections] == ["employer", "workshop"]
    assert form.sections[0].title == "用人单位"
    assert [one.key for one in form.fields] == [
        "name",
        "kind",
        "street",
        "area",
        "pay",
        "since",
        "photos",
        "licence",
        "story",
    ]
    assert form.field("kind").options == (Option("company", "公司"), Option("cooperative", "合作社"))
    assert form.field("pay").minimum == 10000
    assert form.field("pay").maximum == 900050
    assert form.field("area").minimum == "0.5"
    assert form.field("since").minimum == date(2000, 1, 1)
    assert form.field("since").maximum == "today"
    assert form.field("licence").accept == ("pdf", "image")
    assert form.field("story").max_length == 2000
    assert form.section_of("street").key == "workshop"
    assert form.rules[0].level == "warning"


def test_looking_up_what_is_not_there() -> None:
    form = load_form(FORM, "f.yaml", SHARED)
    for missing in (form.field, form.section_of, form.outcome):
        with pytest.raises(KeyError):
            missing("nothing")


def test_outcomes() -> None:
    form = load_form(
        """
title: 受理
outcomes:
  - {key: accept, label: 受理, next: 送审, tone: primary, opinion: none, phrases: [同意]}
  - {key: back, label: 退回, opinion: required}
""",
        "f.yaml",
    )
    assert form.outcome("back").opinion == "required"
    assert form.outcome("accept").tone == "primary"
    assert form.outcome("accept").phrases == ("同意",)


def test_personal_numbers_are_sensitive_unless_said_otherwise() -> None:
    form = load_form(
        form_with("{key: a, label: 甲, type: phone}, {key: b, label: 乙, type: phone, sensitive: false}"),
        "f.yaml",
    )
    assert [one.sensitive for one in form.fields] == [True, False]


def test_a_declaration_is_always_required() -> None:
    assert load_form(form_with("{key: a, label: 承诺, type: declaration}"), "f.yaml").field("a").required


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("{label: 甲}", "没有填写，请补上"),
        ("{key: A, label: 甲}", "“A”应为小写字母"),
        ("{key: a}", "“a” label 没有填写"),
        ("{key: a, label: 12}", "“a” label 应为文字，现为 12"),
        ("{key: outcome, label: 甲}", "“outcome”是保留的名称"),
        ("{key: a, label: 甲, type: colour}", "“colour”不在可选范围内，可选：text、"),
        ("{key: a, label: 甲, required: 1}", "required 应为 true 或 false，现为 1"),
        ("{key: a, label: 甲, max_length: 0}", "max_length 应为大于零的整数"),
        ("{key: a, label: 甲, requird: true}", "requird 不认识这个键，可用的键：include、key、"),
        ("{key: a, label: 甲, type: choice}", "选择题应在 options 和 options_from 中填写一个"),
        ("{key: a, label: 甲, options: [子]}", "只有选择题才有选项"),
        ("{key: a, label: 甲, type: choice, options: 子}", "options 应为列表"),
        ("{key: a, label: 甲, type: choice, options: [{value: x}]}", "options[0] label 没有填写"),
        ("{key: a, label: 甲, type: choice, options: [子, 子]}", "选项的 value 重复：子"),
        (
            "{key: a, label: 甲, type: choice, options: [{value: yes, label: 是}]}",
            "数字、日期和 yes/no 请加引号",
        ),
        ("{key: a, label: 甲, check: [12]}", "列表里应都是文字，现有 12"),
        ("{key: a, label: 甲, check: [sorcery]}", "没有“sorcery”这项检查，可用：person_name、"),
        ("{key: a, label: 甲, check: [mobile]}", "“mobile”只能用于类型 phone，这里是 text"),
        ("{key: a, label: 甲, type: date, min: soon}", "应为 today 或 2022-06-06 这样的日期"),
        ("{key: a, label: 甲, type: integer, min: 1.5}", "应为整数，或加引号的小数，现为 1.5"),
        ('{key: a, label: 甲, type: integer, min: "x"}', "应为整数，或加引号的小数，现为 x"),
        ('{key: a, label: 甲, type: money, min: "0.005"}', "最多两位小数"),
        ("{key: a, label: 甲, type: files, accept: [film]}", "“film”不在可选范围内"),
        ("{key: a, label: 甲, show_if: {field: b, equals: 1}}", "“b”不是排在前面的字段"),
        ("{key: a, label: 甲, show_if: {field: b}}", "应写明 equals（一个值）或 in（几个值）"),
        ("{key: a, label: 甲, show_if: {field: b, equals: 1.5}}", "比较的值应为文字、整数或 true/false"),
        ("{key: a, label: 甲}, {key: a, label: 乙}", "字段 “a”重复，请改名"),
        ("甲", "应为“键: 值”的形式"),
        ("{include: shared/nothing}", "没有“shared/nothing”这个共用部分"),
    ],
)
def test_refusals_of_fields(field: str, expected: str) -> None:
    found = problems(form_with(field))
    assert any(expected in one for one in found), found
    assert all(one.startswith("f.yaml：") for one in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title: 表", "sections 表单没有任何内容"),
        ("title: 表\noutcomes: [{key: a, label: 甲, tone: loud}]", "“loud”不在可选范围内"),
        ("title: 表\noutcomes: [{key: a, label: 甲, requires: [b]}]", "“a” requires 没有“b”这个字段"),
        (
            "title: 表\noutcomes: [{key: a, label: 甲}]\nrules: [{check: magic, fields: [a]}]",
            "没有“magic”这项检查",
        ),
        (
            "title: 表\noutcomes: [{key: a, label: 甲}]\nrules: [{check: min_months, fields: [a]}]",
            "months 没有填写，请写明几个月",
        ),
        (
            "title: 表\noutcomes: [{key: a, label: 甲}]\nrules: [{check: not_before, fields: [a]}]",
            "“not_before”需要 2 个字段",
        ),
        ("title: 表\noutcomes: [{key: a, label: 甲}]\nrules: [identity]", "rules[0] 应为“键: 值”的形式"),
        ("title: 表\ntitle: 二", "第 2 行的键重复：title"),
        ("title: 表\n1: 二", "第 2 行的键应为文字：1"),
        ("title: [", "不是正确的 YAML"),
    ],
)
def test_refusals_of_forms(text: str, expected: str) -> None:
    found = problems(text)
    assert any(expected in one for one in found), found


def test_all_problems_of_a_file_come_at_once() -> None:
    assert (
        len(problems("titel: x\nsections: [{key: a, title: 甲, fields: [{key: b, label: 乙, type: z}]}]"))
        == 3
    )


def test_a_problem_in_a_shared_file_names_that_file() -> None:
    found = problems(
        "title: 表\nsections: [{include: shared/x}]",
        {"shared/x": "{key: x, title: 乙, fields: [{include: shared/x}]}"},
    )
    assert found[0].startswith("forms/shared/x.yaml：")
    assert "没有“shared/x”这个共用部分" in found[0]


def test_a_roster() -> None:
    found = roster()
    assert found.sheet == "花名册"
    assert found.max_rows == 5000
    assert found.column("id_number").also == ("证件号码",)
    assert found.column("phone").shared
    assert [one.name for one in found.rules] == ["not_before", "min_months"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title: 册", "花名册没有任何列"),
        ("title: 册\nmax_rows: 20001\ncolumns: [{key: a, label: 甲}]", "不能超过 20000"),
        ("title: 册\ncolumns: [{key: a, label: 甲, type: files}]", "“files”不在可选范围内"),
        ("title: 册\ncolumns: [{key: a, label: 序号}]", "“序号”是保留的列名"),
        ("title: 册\ncolumns: [{key: a, label: 甲}, {key: b, label: 甲*}]", "“甲”重复，请改名"),
        ("title: 册\nmatch_on: z\ncolumns: [{key: a, label: 甲}]", "match_on 没有“z”这个字段"),
        ("title: 册\ncolumns: [{key: a, label: 甲, rows: 3}]", "rows 不认识这个键"),
        ("title: 册\ncolumns: [{key: a, label: 甲, width: x}]", "width 应为大于零的整数"),
        (
            "title: 册\ncolumns: [{key: a, label: 甲}]\nrow_checks: [{check: not_before, fields: [a, b]}]",
            "row_checks not_before 没有“b”这个字段",
        ),
    ],
)
def test_refusals_of_rosters(text: str, expected: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        load_roster(text, "roster.yaml")
    assert any(expected in one for one in refused.value.problems), refused.value.problems


def test_bare_names_are_checks_the_caller_hands_in() -> None:
    found = load_roster(
        "title: 册\ncolumns: [{key: a, label: 甲}]\nrow_checks: [identity_snapshot]", "roster.yaml"
    )
    assert found.extra_checks == ("identity_snapshot",)
