"""Cleaning keeps what belongs to a name and drops what only misleads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.text import clean, clean_lines, half, heading, mask, masked, neutral, plain, quoted


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("张三", "张三"),
        ("  张三 ", "张三"),
        ("张\x00三", "张三"),
        ("\u202e张三\u202c\u200b", "张三"),
        ("张　三", "张 三"),
        ("张\r\n\t三", "张 三"),
        ("𠮷𪚥", "𠮷𪚥"),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("\ud800张", "张"),
        ("", ""),
    ],
)
def test_clean(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@given(st.text())
def test_clean_is_done_after_once(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert not set(once) & set("\x00\n\r\t\u202e\u200f\ufeff")


def test_lines_are_kept() -> None:
    assert clean_lines("\n 一\u202e\r\n二\r三\n\n") == "一\n二\n三"


def test_half_width() -> None:
    assert half("ＡＢ１２－（）") == "AB12-()"


@pytest.mark.parametrize(
    "label", ["身份证号", " 身份证号* ", "身 份 证 号（必填）", "身份证号(18位)：", "身份证号　"]
)
def test_headings_are_the_same_however_written(label: str) -> None:
    assert heading(label) == "身份证号"


def test_masks() -> None:
    assert masked("id_number", "220822199001011234") == "220822********1234"
    assert masked("phone", "13812345678") == "138****5678"
    assert masked("bank_account", "6222021234567890") == "************7890"
    assert masked("text", "王小明") == "王**"
    assert mask("123", 2, 2) == "***"


@pytest.mark.parametrize("text", ["=1+1", "+86", "-5", "@x", "\tx", "＝1"])
def test_no_text_becomes_a_formula(text: str) -> None:
    assert neutral(text) == f"'{text}"
    assert plain(neutral(text)) == text


def test_other_text_is_left_alone() -> None:
    assert neutral("王小明") == plain("王小明") == "王小明"
    assert plain("'引号") == "'引号"


def test_long_finds_are_shortened() -> None:
    assert quoted("一二三四", 3) == "“一二三…”"
