"""Amounts, dates and numbers as official papers write them."""

from __future__ import annotations

from datetime import date

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.documents.wording import (
    LARGEST_FEN,
    cn_date,
    document_number,
    formal_date,
    small_words,
    yuan,
    yuan_words,
)


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "人民币零元整"),
        (1, "人民币壹分"),
        (50, "人民币伍角整"),
        (55, "人民币伍角伍分"),
        (100_000, "人民币壹仟元整"),
        (105, "人民币壹元零伍分"),
        (150, "人民币壹元伍角整"),
        (1_000_000, "人民币壹万元整"),
        # The four examples of the rule itself, 《支付结算办法》附一.
        (140_950, "人民币壹仟肆佰零玖元伍角整"),
        (600_714, "人民币陆仟零柒元壹角肆分"),
        (32_504, "人民币叁佰贰拾伍元零肆分"),
        (1_640_902, "人民币壹万陆仟肆佰零玖元零贰分"),
        (10_700_053, "人民币壹拾万柒仟元伍角叁分"),
        (10_000_000_100, "人民币壹亿零壹元整"),
        (LARGEST_FEN, "人民币玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
    ],
)
def test_amounts_in_words(fen: int, words: str) -> None:
    assert yuan_words(fen) == words


@given(st.integers(1, LARGEST_FEN // 100))
def test_whole_yuan_in_words_agree_with_cn2an(amount: int) -> None:
    assert yuan_words(amount * 100) == "人民币" + cn2an.an2cn(str(amount), "rmb")


@pytest.mark.parametrize("fen", [-1, LARGEST_FEN + 1])
def test_an_amount_beyond_words_is_refused(fen: int) -> None:
    with pytest.raises(ValueError, match="in words"):
        yuan_words(fen)


@pytest.mark.parametrize(
    ("fen", "figures"), [(0, "0.00"), (5, "0.05"), (123_456_789, "1,234,567.89"), (-1_205, "-12.05")]
)
def test_amounts_in_figures(fen: int, figures: str) -> None:
    assert yuan(fen) == figures


def test_dates_of_papers_and_certificates() -> None:
    assert cn_date("2026-11-24") == cn_date(date(2026, 11, 24)) == "2026年11月24日"
    assert cn_date("2026-01-05") == "2026年1月5日"
    assert cn_date("") == ""
    assert formal_date("2026-11-24") == "二〇二六年十一月二十四日"
    assert formal_date(date(2030, 10, 10)) == "二〇三〇年十月十日"
    assert formal_date("2031-01-31") == "二〇三一年一月三十一日"
    assert [small_words(n) for n in (1, 10, 11, 20, 99)] == ["一", "十", "十一", "二十", "九十九"]


def test_numbers_carry_the_year_in_six_cornered_brackets() -> None:
    assert document_number("梨人社就帮认", 2026, 3) == "梨人社就帮认〔2026〕3号"
    with pytest.raises(ValueError, match="start at 1"):
        document_number("梨人社", 2026, 0)
