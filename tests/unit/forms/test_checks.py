"""One check per field, shared by form and sheet: typed values, and messages that say what, found, and what to do."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from forms.checks import Cell, cell_text, compile_choices, compile_field, join
from forms.definition import Field, Option
from forms.model import Value
from tests.unit.forms.people import TODAY, VILLAGES, id_number


def checked(kind: str, cell: Cell, **more: Any) -> tuple[Value, str, str]:
    return compile_field(Field(key="k", label="甲项", type=kind, **more))(cell, TODAY)


OPTIONS = (Option("factory", "厂房式"), Option("home", "居家 式"))


@pytest.mark.parametrize("kind", ["text", "textarea", "date", "money", "integer", "phone", "credit_code"])
def test_nothing_typed_is_missing_only_where_required(kind: str) -> None:
    for nothing in ("", "  \u200b", None):
        assert checked(kind, nothing) == (None, "", "")
        assert checked(kind, nothing, required=True) == (None, "没有填写：请填写甲项", "")


def test_missing_is_said_in_the_verb_of_the_type() -> None:
    assert checked("choice", "", required=True, options=OPTIONS)[1] == "没有选择：请选择甲项"
    assert checked("boolean", None, required=True)[1] == "没有选择：请选择甲项"
    assert checked("declaration", "", required=True)[1] == "没有勾选：请阅读“甲项”，同意后勾选"


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("text", " 缝纫\x00工 ", "缝纫工"),
        ("text", 12, "12"),
        ("textarea", "一 \r\n二", "一\n二"),
        ("integer", "１,200", 1200),
        ("integer", 12, 12),
        ("decimal", "012.50", "12.5"),
        ("decimal", "100", "100"),
        ("money", 4000.1, 400010),
        ("money", "4,000.00", 400000),
        ("date", "2026年11月24日", "2026-11-24"),
        ("date", 46350, "2026-11-24"),
        ("date", 20261124, "2026-11-24"),
        ("boolean", "是", True),
        ("boolean", "no", False),
        ("boolean", True, True),
        ("declaration", "yes", True),
        ("phone", 13812345678, "13812345678"),
        ("id_number", id_number(7).lower(), id_number(7)),
        ("credit_code", "91110000600037341L", "91110000600037341L"),
        ("bank_account", "79927398713", "79927398713"),
        ("division", "220822", "220822"),
    ],
)
def test_values(kind: str, cell: Cell, value: Value) -> None:
    assert checked(kind, cell) == (value, "", "")


@pytest.mark.parametrize(
    ("kind", "cell", "error"),
    [
        ("integer", "12.5", "不是整数：填的是“12.5”，请填写阿拉伯数字的整数，如 12"),
        ("integer", "十二", "不是整数：填的是“十二”，请填写阿拉伯数字的整数，如 12"),
        ("integer", "2026-11-24", "不是整数：填的是“2026-11-24”，单元格像是日期格式，请改为“常规”后重新填写"),
        ("integer", "-1", "数值过小：填的是 -1，不能小于 0"),
        ("decimal", "大", "不是数字：填的是“大”，请填写阿拉伯数字，如 120.5"),
        ("decimal", "-0.5", "数值过小：填的是 -0.5，不能小于 0"),
        ("money", "四千", "不是金额：填的是“四千”，请以元为单位填写数字，如 4,000.00"),
        ("money", "1.2万", "不是金额：填的是“1.2万”，请以元为单位填写数字，如 4,000.00"),
        ("money", "0.005", "金额超过两位小数：填的是“0.005”，最多精确到分，如 4000.50"),
        ("date", "26.1", "日期格式不对：填的是“26.1”，请写成 2026-11-24 这样的年月日"),
        ("date", True, "日期格式不对：填的是“是”，请写成 2026-11-24 这样的年月日"),
        ("boolean", "也许", "不在可选范围内：填的是“也许”，只能填：是、否"),
        ("division", "长春", "没有选择：请选择甲项"),
        ("id_number", 2.20822199001011e17, "号码被 Excel 改成了数字：单元格里是 2.21E+17，后几位已经丢失"),
        ("bank_account", 6.22e18, "号码被 Excel 改成了数字：单元格里是 6.22E+18，后几位已经丢失"),
    ],
)
def test_errors(kind: str, cell: Cell, error: str) -> None:
    value, found, _ = checked(kind, cell)
    assert value is None
    assert found.startswith(error)


def test_bounds_of_numbers() -> None:
    assert checked("integer", "3", minimum=5)[1] == "数值过小：填的是 3，不能小于 5"
    assert checked("integer", "30", maximum=5)[1] == "数值过大：填的是 30，不能大于 5"
    assert checked("integer", "-3", minimum=-5)[0] == -3
    assert checked("decimal", "0.4", minimum="0.5")[1] == "数值过小：填的是 0.4，不能小于 0.5"
    assert checked("money", "99", minimum=10000)[1] == "数值过小：填的是 99.00 元，不能小于 100.00 元"
    assert checked("money", "9" * 15)[1].startswith("数值过大：填的是 999,999,999,999,999.00 元")


def test_units_may_be_typed() -> None:
    assert checked("integer", "12人", unit="人")[0] == 12
    assert checked("decimal", "1.5 亩", unit="亩")[0] == "1.5"


def test_bounds_of_dates() -> None:
    since = date(2022, 6, 6)
    assert checked("date", "2022-06-05", minimum=since)[1] == (
        "日期过早：填的是2022年6月5日，不能早于2022年6月6日"
    )
    assert checked("date", "2022-06-07", maximum=since)[1].startswith("日期过晚：")
    assert checked("date", "2026-11-25", maximum="today")[1].startswith("日期过晚：")
    assert checked("date", "2026-11-25", checks=("not_future",))[1] == (
        "日期还没有到：填的是2026年11月25日，不能晚于今天，请核对"
    )
    assert checked("date", "2026-11-23", checks=("not_past",))[1].startswith("日期已经过去：")
    for checks in (("not_future",), ("not_past",)):
        assert checked("date", "2026-11-24", checks=checks, minimum=since, maximum="today")[0] == "2026-11-24"


def test_length() -> None:
    assert checked("text", "一二三", max_length=2)[1] == "内容过长：共 3 字，最多 2 字，请缩短"
    assert checked("text", "王一二", max_length=2, checks=("person_name",))[1].startswith("内容过长")
    assert checked("text", "王 一", checks=("person_name",))[0] == "王一"


def test_choices_by_value_label_or_loose_label() -> None:
    for typed in ("factory", "厂房式", "厂 房 式"):
        assert checked("choice", typed, options=OPTIONS) == ("factory", "", "")
    assert checked("choice", "工厂", options=OPTIONS)[1] == (
        "不在可选范围内：填的是“工厂”，只能填：厂房式、居家 式"
    )


def test_many_options_are_not_all_listed() -> None:
    options = tuple(Option(str(n), f"第{n}村") for n in range(20))
    assert checked("choice", "x", options=options)[1] == (
        "不在可选范围内：填的是“x”，请从下拉列表的 20 项中选择，如：第0村、第1村、第2村"
    )


def test_lists_handed_in_at_run_time() -> None:
    for kind in ("text", "choice", "division"):
        field = Field(key="k", label="村", type=kind, options_from="villages")
        assert compile_field(field, VILLAGES)("东升村", TODAY) == ("v1", "", "")
        assert compile_field(field, VILLAGES)("北村", TODAY)[1].startswith("不在可选范围内")
    assert (
        compile_field(Field(key="k", label="村", type="choice", options_from="villages"))("北村", TODAY)[0]
        == "北村"
    )


def test_out_of_nothing_nothing_can_be_chosen() -> None:
    """A list that is empty just now is not the same as a list that was not handed in: no text passes for a choice."""
    for field, lists in (
        (Field(key="k", label="村", type="choice", options_from="villages"), {"villages": ()}),
        (Field(key="k", label="村", type="choice"), {}),
    ):
        value, error, _ = compile_field(field, lists)("北村", TODAY)
        assert (value, error) == (None, "不在可选范围内：填的是“北村”，目前没有可以选的")


def test_several_choices_in_one_cell_and_one_by_one() -> None:
    options = (Option("a", "甲"), Option("b", "乙"), Option("c", "丙"))
    field = Field(
        key="k", label="项", type="multichoice", options=options, minimum=2, maximum=2, required=True
    )
    assert compile_field(field)("甲、乙;甲", TODAY) == (["a", "b"], "", "")
    several = compile_choices(field)
    assert several(["甲"], TODAY)[1] == "选得太少：选了 1 项，至少选 2 项"
    assert several(["a", "b", "c"], TODAY)[1] == "选得太多：选了 3 项，最多选 2 项"
    assert several(["丁"], TODAY)[1].startswith("不在可选范围内：填的是“丁”")
    assert several([" "], TODAY)[1] == "没有选择：请选择项"


def test_age_of_workers() -> None:
    assert checked("id_number", id_number(1, "20150101"), checks=("worker_age",))[1].startswith(
        "未满 16 周岁"
    )
    assert checked("id_number", "1", checks=("worker_age",))[1].startswith("身份证号位数不对")
    value, error, warning = checked("id_number", "220822500101001", checks=("worker_age",))
    assert value == id_number(1, "19500101")
    assert error == ""
    assert "15 位旧身份证号" in warning
    assert "；已满 60 周岁" in warning


def test_mobile_only() -> None:
    assert checked("phone", "0438-3212345", checks=("mobile",))[1].startswith("手机号不对")


def test_text_of_cells() -> None:
    assert [cell_text(one) for one in (None, True, False, 3, 3.5, "x")] == ["", "是", "否", "3", "3.5", "x"]


def test_joined_messages() -> None:
    assert [join("a", "b"), join("a", ""), join("", "b")] == ["a；b", "a", "b"]
