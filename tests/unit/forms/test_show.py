"""What is stored, as people read it; how far a draft has come."""

from __future__ import annotations

import pytest

from forms.definition import Field, Option, load_form
from forms.model import Value
from forms.web import completeness, display, parse, to_raw
from tests.unit.forms.people import TODAY, id_number


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("text", None, "未填"),
        ("text", "", "未填"),
        ("files", [], "未填"),
        ("text", "甲", "甲"),
        ("integer", 1200, "1,200"),
        ("decimal", "12.5", "12.5"),
        ("money", 100000, "1,000.00 元"),
        ("date", "2026-11-23", "2026年11月23日"),
        ("boolean", False, "否"),
        ("boolean", True, "是"),
        ("declaration", True, "已承诺"),
        ("declaration", False, "未承诺"),
        ("files", ["a", "b"], "2 个文件"),
        ("roster", {"rows": 12}, "12 人"),
        ("roster", "r1", "已上传"),
        ("multichoice", ["a", "x"], "甲、x"),
        ("choice", "a", "甲"),
        (
            "defects",
            [
                {"field": "a", "problem": "过期", "action": "重传"},
                {"field": "", "problem": "不清", "action": ""},
            ],
            "甲：过期（重传）\n不清",
        ),
    ],
)
def test_display(kind: str, value: Value, shown: str) -> None:
    field = Field(key="k", label="项", type=kind, options=(Option("a", "甲"),))
    assert display(field, value) == shown


def test_personal_numbers_are_masked_until_revealed() -> None:
    field = Field(key="k", label="身份证号", type="id_number", sensitive=True)
    number = id_number(12)
    assert display(field, number) == f"220822********{number[-4:]}"
    assert display(field, number, reveal=True) == number


def test_units_follow() -> None:
    assert display(Field(key="k", label="面积", type="decimal", unit="平方米"), "12.5") == "12.5 平方米"


def test_a_year_is_no_quantity() -> None:
    assert display(Field(key="a", label="申报年度", type="integer", unit="年"), 2026) == "2026 年"
    assert display(Field(key="a", label="人数", type="integer", unit="人"), 2026) == "2,026 人"


def test_lists_give_their_labels() -> None:
    field = Field(key="k", label="村", type="choice", options_from="villages")
    assert display(field, "v1", lists={"villages": [Option("v1", "东升村")]}) == "东升村"


FORM = load_form(
    """
title: 表
sections:
  - {key: read, title: 已有, fields: [{key: name, label: 名称, read_from: employer.name}]}
  - key: main
    title: 主要
    fields:
      - {key: kind, label: 类型, type: choice, required: true, options: [甲, 乙]}
      - {key: pay, label: 工资, type: money}
      - {key: ok, label: 是否, type: boolean}
      - {key: more, label: 几项, type: multichoice, options: [一, 二]}
  - {key: extra, title: 选填, show_if: {field: kind, equals: 甲}, fields: [{key: note, label: 备注}]}
  - {key: rows, title: 人员, fields: [{key: roster, label: 花名册, type: roster, required: true}]}
  - {key: back, title: 补正, fields: [{key: defects, label: 补正, type: defects}]}
  - {key: hidden, title: 结果, show_if: {field: kind, equals: 乙}, fields: [{key: z, label: 乙项}]}
  - {key: bare, title: 无}
""",
    "f.yaml",
)


def test_completeness() -> None:
    nothing = completeness(FORM, {})
    assert nothing == {"read": "已完成", "main": "未填", "rows": "未填", "back": "未填", "bare": "已完成"}
    begun = completeness(FORM, {"pay": 100, "roster": {"rows": 3, "errors": 1}})
    assert (begun["main"], begun["rows"]) == ("填写中", "填写中")
    done = completeness(
        FORM, {"kind": "甲", "roster": {"rows": 3, "errors": 0}, "defects": [{"problem": "x"}]}
    )
    assert (done["main"], done["rows"], done["extra"], done["back"]) == ("已完成", "已完成", "未填", "已完成")
    assert "hidden" not in done
    assert completeness(FORM, {"kind": "乙"})["hidden"] == "未填"


def test_a_wrong_answer_counts_as_begun() -> None:
    assert completeness(FORM, {}, raw={"kind": ["?"]})["main"] == "填写中"
    assert completeness(FORM, {"kind": "甲"}, raw={"kind": ["甲"], "pay": ["多"]})["main"] == "填写中"
    assert completeness(FORM, {"kind": "甲"}, raw={"kind": ["甲"], "pay": [" "]})["main"] == "已完成"
    assert completeness(FORM, {}, raw={"defects-0-problem": ["x"]})["back"] == "填写中"


def test_stored_answers_can_be_offered_again() -> None:
    values = {
        "kind": "甲",
        "pay": 123456,
        "ok": False,
        "more": ["一", "二"],
        "note": "说明",
        "roster": {"rows": 3},
        "defects": [{"field": "f", "problem": "p", "action": "a"}],
    }
    raw = to_raw(FORM, values)
    assert raw == {
        "kind": ["甲"],
        "pay": ["1234.56"],
        "ok": ["no"],
        "more": ["一", "二"],
        "note": ["说明"],
        "defects-0-field": ["f"],
        "defects-0-problem": ["p"],
        "defects-0-action": ["a"],
    }
    again = parse(FORM, raw, today=TODAY, held={"roster": {"rows": 3}})
    assert again.values == {key: value for key, value in values.items() if key != "roster"}
