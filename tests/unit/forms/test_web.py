"""Parsing what a browser sent: nothing undefined, nothing hidden, nothing read-only; nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.definition import FormDefinition, Option, load_form
from forms.web import form_class, parse, parse_draft
from tests.unit.forms.people import TODAY

APPLY = load_form(
    """
title: 认定申请
sections:
  - key: employer
    title: 单位
    fields:
      - {key: name, label: 单位名称, required: true, read_from: employer.name}
      - {key: data, label: 联系人, required: true, check: [person_name]}
      - {key: kind, label: 类型, type: choice, required: true, options: [{value: firm, label: 公司}, {value: coop, label: 合作社}]}
      - {key: members, label: 社员人数, type: integer, required: true, show_if: {field: kind, equals: coop}}
      - {key: phone, label: 电话, type: phone}
  - key: site
    title: 场地
    show_if: {field: kind, in: [firm]}
    fields:
      - {key: area, label: 面积, type: decimal, required: true}
      - {key: modes, label: 模式, type: multichoice, options: [甲, 乙, 丙], max: 2}
      - {key: loud, label: 说明, show_if: {field: modes, in: [丙]}}
      - {key: rest, label: 备注, type: textarea}
  - key: files
    title: 材料
    fields:
      - {key: photos, label: 照片, type: files, required: true, min: 2, max: 3}
      - {key: roster, label: 花名册, type: roster, required: true}
      - {key: start, label: 开始, type: date}
      - {key: end, label: 结束, type: date}
      - {key: account, label: 账号, type: bank_account}
      - {key: truth, label: 以上属实, type: declaration}
rules:
  - {check: not_before, fields: [start, end]}
  - {check: different, fields: [data, rest], level: warning}
""",
    "apply.yaml",
)
HELD = {"name": "东升服装厂", "roster": {"rows": 3, "errors": 0}}
GOOD = {
    "data": ["王小明"],
    "kind": ["firm"],
    "area": ["120.50"],
    "photos": ["f1", "f2"],
    "truth": ["yes"],
}
DECIDE = load_form(
    """
title: 受理审查
sections:
  - key: defects
    title: 补正内容
    fields:
      - {key: defects, label: 需要补正的内容, type: defects, options_from: targets, max_length: 5,
         show_if: {field: outcome, equals: back}}
outcomes:
  - {key: accept, label: 受理, tone: primary}
  - {key: back, label: 退回补正, opinion: required, requires: [defects]}
  - {key: quiet, label: 转办, opinion: none}
""",
    "decide.yaml",
)
TARGETS = {"targets": [Option("area", "面积"), Option("licence", "营业执照")]}


def sent(**changes: Any) -> dict[str, list[str]]:
    return {key: value for key, value in (GOOD | changes).items() if value is not None}


def test_a_good_form() -> None:
    parsed = parse(
        APPLY, sent(start=["2026/11/24"], end=["2026年11月24日"], rest=["甲\r\n乙"]), today=TODAY, held=HELD
    )
    assert parsed.ok, parsed.errors
    assert parsed.values == {
        "data": "王小明",
        "kind": "firm",
        "area": "120.5",
        "photos": ["f1", "f2"],
        "start": "2026-11-24",
        "end": "2026-11-24",
        "rest": "甲\n乙",
        "truth": True,
    }
    assert parsed.raw["start"] == ["2026/11/24"]


def test_every_error_at_once_in_the_order_of_the_page() -> None:
    parsed = parse(APPLY, {"kind": ["firm"], "start": ["x"], "phone": ["1"]}, today=TODAY)
    assert parsed.errors == {
        "name": "没有填写：请填写单位名称",
        "data": "没有填写：请填写联系人",
        "phone": "电话号码不对：填的是 *，共 1 个字符，应为 11 位手机号，或带区号的固定电话，如 0438-3212345",
        "area": "没有填写：请填写面积",
        "photos": "没有上传：请上传照片",
        "roster": "没有上传：请上传花名册",
        "start": "日期格式不对：填的是“x”，请写成 2026-11-24 这样的年月日",
        "truth": "没有勾选：请阅读“以上属实”，同意后勾选",
    }
    assert list(parsed.errors) == ["name", "data", "phone", "area", "photos", "roster", "start", "truth"]
    assert parsed.raw["start"] == ["x"]


def test_what_the_definition_does_not_know_is_dropped() -> None:
    parsed = parse(
        APPLY, sent(evil=["1"], name=["别的单位"], roster=["9"], opinion=["x"]), today=TODAY, held=HELD
    )
    assert parsed.ok
    assert not {"evil", "name", "roster", "opinion"} & (set(parsed.values) | set(parsed.raw))


def test_only_what_this_step_may_edit_is_taken() -> None:
    parsed = parse(
        APPLY, sent(), today=TODAY, editable={"area", "roster"}, held={"kind": "firm", "roster": {"rows": 1}}
    )
    assert parsed.ok, parsed.errors
    assert parsed.values == {"area": "120.5"}
    lacking = parse(APPLY, sent(), today=TODAY, editable={"area", "roster"}, held={"kind": "firm"})
    assert lacking.errors == {"roster": "没有上传：请上传花名册"}


def test_hidden_questions_are_neither_asked_nor_stored() -> None:
    parsed = parse(
        APPLY, sent(kind=["coop"], members=["5"], modes=["丙"], loud=["x"]), today=TODAY, held=HELD
    )
    assert parsed.ok, parsed.errors
    assert "area" not in parsed.values
    assert "loud" not in parsed.values
    assert parsed.raw["area"] == ["120.50"], "switching back must find what was typed"
    assert "members" in parse(APPLY, sent(kind=["coop"]), today=TODAY, held=HELD).errors
    shown = parse(APPLY, sent(modes=["甲", "丙"], loud=["x"]), today=TODAY, held=HELD)
    assert shown.values["loud"] == "x"
    assert parse(APPLY, sent(modes=["甲"], loud=["x"]), today=TODAY, held=HELD).values.get("loud") is None


def test_rules_speak_at_the_last_field_that_can_be_changed() -> None:
    late = sent(start=["2026-11-24"], end=["2026-11-23"])
    assert list(parse(APPLY, late, today=TODAY, held=HELD).errors) == ["end"]
    only_start = parse(
        APPLY, late, today=TODAY, editable={"start"}, held=HELD | {"end": "2026-11-23", "kind": "firm"}
    )
    assert only_start.errors["start"].startswith("结束早于开始")
    nobody = parse(
        APPLY, late, today=TODAY, editable=set(), held={"start": "2026-11-24", "end": "2026-11-23"}
    )
    assert nobody.ok


def test_warnings_stop_nothing() -> None:
    parsed = parse(APPLY, sent(rest=["王小明"], account=["6222021234567890"]), today=TODAY, held=HELD)
    assert parsed.ok
    assert parsed.warnings["rest"].startswith("备注与联系人相同")
    assert parsed.warnings["account"].startswith("银行账号不符合银行卡的校验规则")
    assert parsed.values["account"] == "6222021234567890"


@pytest.mark.parametrize(
    ("posted", "error"),
    [
        (["f1"], "文件太少：上传了 1 个，至少 2 个"),
        (["f1", "f2", "f3", "f4"], "文件太多：上传了 4 个，最多 3 个"),
        (["../etc", "f2"], "文件没有传上来：请重新上传"),
    ],
)
def test_files(posted: list[str], error: str) -> None:
    assert parse(APPLY, sent(photos=posted), today=TODAY, held=HELD).errors == {"photos": error}


def test_files_held_already_need_not_be_sent_again() -> None:
    parsed = parse(APPLY, sent(photos=None), today=TODAY, held=HELD | {"photos": ["f8", "f9"]})
    assert parsed.ok
    assert parsed.values["photos"] == ["f8", "f9"]


def test_several_choices() -> None:
    assert parse(APPLY, sent(modes=["甲", "乙"]), today=TODAY, held=HELD).values["modes"] == ["甲", "乙"]
    assert (
        parse(APPLY, sent(modes=["甲", "乙", "丙"]), today=TODAY, held=HELD)
        .errors["modes"]
        .startswith("选得太多")
    )


def test_a_draft_requires_nothing_and_keeps_everything() -> None:
    assert parse_draft(APPLY, {}, today=TODAY).ok
    typed = {"kind": ["x"], "area": ["大"], "members": ["\x00五\ud800"], "photos": [""], "data": ["王\u200b"]}
    parsed = parse_draft(APPLY, typed, today=TODAY)
    assert parsed.raw == typed | {"members": ["五"]}
    assert set(parsed.errors) == {"kind", "data"}
    assert parsed.values == {}
    assert parse_draft(APPLY, {"data": ["\u200b"]}, today=TODAY).ok


@given(st.dictionaries(st.sampled_from([one.key for one in APPLY.fields]), st.lists(st.text(), max_size=3)))
def test_no_input_breaks_the_parser(data: dict[str, list[str]]) -> None:
    import json

    for parsed in (parse(APPLY, data, today=TODAY), parse_draft(APPLY, data, today=TODAY)):
        json.dumps([parsed.values, parsed.raw], ensure_ascii=False).encode()
        assert set(parsed.values) <= set(data)


def test_fields_may_be_called_like_parts_of_wtforms() -> None:
    form = form_class(APPLY)()
    assert [one.name for one in form][:2] == ["name", "data"]
    assert form_class(APPLY) is form_class(APPLY)
    assert form_class(APPLY) is not form_class(APPLY, "draft")


def test_wtforms_can_draw_the_fields() -> None:
    form = form_class(APPLY)(_Lists({"kind": ["coop"], "data": ["王<"], "truth": ["yes"]}))
    drawn = {one.name: str(one()) for one in form}
    assert 'value="王&lt;"' in drawn["data"]
    assert '<option selected value="coop">合作社</option>' in drawn["kind"]
    assert "multiple" in drawn["modes"]
    assert drawn["rest"].startswith("<textarea")
    assert 'type="checkbox"' in drawn["truth"]
    assert 'value=""' in drawn["phone"]


class _Lists(dict[str, list[str]]):
    def getlist(self, key: str) -> list[str]:
        return self.get(key, [])


def decide(outcome: str | None, **data: list[str]) -> Any:
    posted = {key.replace("_", "-"): value for key, value in data.items()}
    return parse(DECIDE, posted, today=TODAY, outcome=outcome, lists=TARGETS)


def test_an_outcome_must_be_chosen() -> None:
    for nothing in (None, "invented"):
        assert decide(nothing).errors == {"outcome": "没有选择办理结果：请选择一个办理结果"}


def test_opinions() -> None:
    assert decide("accept").values == {}
    assert decide("accept", opinion=[" 同意\x00 "]).values == {"opinion": "同意"}
    assert decide("quiet", opinion=["同意"]).values == {}
    assert decide("accept", opinion=["字" * 2001]).errors["opinion"] == (
        "意见过长：共 2001 字，最多 2000 字，请缩短"
    )


def test_what_an_outcome_requires() -> None:
    assert decide("back").errors == {
        "defects": "没有填写：请填写需要补正的内容",
        "opinion": "没有填写意见：选择“退回补正”时，请写明意见和理由",
    }
    assert decide("accept", defects_0_problem=["x"]).values == {}, "no defects without a return"


def test_defects_line_by_line() -> None:
    parsed = decide(
        "back",
        opinion=["请补正"],
        defects_7_field=["area"],
        defects_7_problem=["不清楚"],
        defects_0_field=["licence"],
        defects_0_problem=["过期"],
        defects_0_action=["重传"],
        defects_3_field=[" "],
    )
    assert parsed.ok, parsed.errors
    assert parsed.values["defects"] == [
        {"field": "licence", "problem": "过期", "action": "重传"},
        {"field": "area", "problem": "不清楚", "action": ""},
    ]


def test_wrong_lines_of_defects_are_named() -> None:
    parsed = decide(
        "back",
        opinion=["x"],
        defects_0_field=["area"],
        defects_1_problem=["太长了太长了"],
        defects_1_field=["?"],
        defects_2_evil=["x"],
    )
    assert parsed.errors == {
        "defects": "有条目没有填完整：请逐条补充",
        "defects-0-problem": "没有填写：请写明存在什么问题",
        "defects-1-field": "没有选择：请选择是哪一项内容或材料",
        "defects-1-problem": "内容过长：共 6 字，最多 5 字，请缩短",
    }
    many = {f"defects_{number}_problem": ["x"] for number in range(201)}
    assert decide("back", opinion=["x"], **many).errors["defects"] == "条目太多：共 201 条，最多 200 条"


def test_a_draft_of_a_decision() -> None:
    parsed = parse_draft(DECIDE, {"opinion": ["想一想"]}, today=TODAY, outcome=None)
    assert parsed.ok
    assert parsed.values == {"opinion": "想一想"}


def test_defects_without_a_list_of_places() -> None:
    form = load_form(
        "title: x\nsections: [{key: a, title: 甲, fields: [{key: d, label: 乙, type: defects}]}]", "f.yaml"
    )
    assert parse(form, {"d-0-problem": ["x"]}, today=TODAY).values == {
        "d": [{"field": "", "problem": "x", "action": ""}]
    }


def test_conditions_compare_type_and_value() -> None:
    form: FormDefinition = load_form(
        """
title: x
sections:
  - key: a
    title: 甲
    fields:
      - {key: n, label: 数, type: integer}
      - {key: b, label: 是否, type: boolean}
      - {key: c, label: 若是, show_if: {field: b, equals: true}}
      - {key: d, label: 若一, show_if: {field: n, equals: 1}}
""",
        "f.yaml",
    )
    parsed = parse(form, {"n": ["1"], "b": ["no"], "c": ["x"], "d": ["y"]}, today=TODAY)
    assert parsed.values == {"n": 1, "b": False, "d": "y"}
