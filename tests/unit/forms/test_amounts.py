"""Money to the fen, dates in every usual spelling, numbers as Excel shows them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.amounts import (
    add_months,
    chinese_date,
    date_of_number,
    number_text,
    parse_date,
    parse_decimal,
    parse_fen,
    term_end,
    yuan,
)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("4,000.00", 400000),
        ("4000", 400000),
        ("４０００．５", 400050),
        ("￥1,234,567.89 元", 123456789),
        ("人民币4000元整", 400000),
        ("0.01", 1),
        ("4000.", 400000),
        ("4000.100", 400010),
        ("-1.5", -150),
        ("4,00", None),
        ("40,00.00", None),
        ("4000.005", None),
        ("1e3", None),
        ("四千", None),
        ("", None),
        ("１.２.３", None),
    ],
)
def test_fen(text: str, fen: int | None) -> None:
    assert parse_fen(text) == fen


@given(st.integers(min_value=-(10**13), max_value=10**13))
def test_money_survives_to_the_fen(fen: int) -> None:
    shown = yuan(fen)
    assert parse_fen(shown) == fen
    assert parse_fen(shown.replace(",", "")) == fen
    assert parse_fen(f"¥{shown}元") == fen
    assert Decimal(shown.replace(",", "")) * 100 == fen


@given(st.decimals(min_value=0, max_value=10**12, places=3))
def test_a_fraction_of_a_fen_is_never_rounded_away(amount: Decimal) -> None:
    expected = int(amount * 100) if amount * 100 == int(amount * 100) else None
    assert parse_fen(str(amount)) == expected


@given(st.integers(min_value=0, max_value=10**12))
def test_the_number_of_a_cell_gives_its_fen(fen: int) -> None:
    assert parse_fen(number_text(fen / 100)) == fen


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (12, "12"),
        (12.0, "12"),
        (4000.1, "4000.1"),
        (0.1 + 0.2, "0.3"),
        (2.20822199001011e17, "220822199001011000"),
        (0.0, "0"),
        (-5.5, "-5.5"),
        (1e22, "1e+22"),
    ],
)
def test_number_text(number: float, text: str) -> None:
    assert number_text(number) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24",
        "2026/11/24",
        "2026.11.24",
        "2026年11月24日",
        "20261124",
        "２０２６－１１－２４",
        "2026-11-24 00:00:00",
        "2026 年 11 月 24 日",
    ],
)
def test_dates(text: str) -> None:
    assert parse_date(text) == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2026-02-30", "日历上没有这一天"),
        ("26-11-24", "日期格式不对"),
        ("2026年11月", "日期格式不对"),
        ("2026-11-24 08:30", "日期格式不对"),
        ("1850-01-01", "年份不对"),
        ("明天", "日期格式不对"),
    ],
)
def test_what_is_no_date(text: str, problem: str) -> None:
    assert parse_date(text) == problem


def test_dates_kept_as_numbers() -> None:
    assert date_of_number(46350) == date(2026, 11, 24)
    assert date_of_number(46350.5) == date(2026, 11, 24)
    assert date_of_number(20261124) == date(2026, 11, 24)
    assert date_of_number(12) == "日期格式不对"


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31)))
def test_every_date_comes_back(day: date) -> None:
    assert parse_date(chinese_date(day)) == parse_date(day.isoformat()) == day


@given(
    st.dates(min_value=date(1950, 1, 1), max_value=date(2080, 1, 1)), st.integers(min_value=1, max_value=60)
)
def test_months_are_added_by_the_calendar(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


def test_a_term_ends_the_day_before() -> None:
    assert term_end("2026-03-01", 3) == "2026-05-31"
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)


def test_decimals() -> None:
    assert parse_decimal("+1,200.50") == Decimal("1200.5")
    assert parse_decimal("一") is None
