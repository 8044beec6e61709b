"""Sums and products that wages are made of: exact, and rounded once."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.cases.row_sums import ARITHMETIC, product

NINES = "9" * 40


@pytest.mark.parametrize(
    ("factors", "fen"),
    [
        (["0.5", 1], 1),
        ([f"0.4{NINES}", 1], 0),  # less than half a fen, however many nines
        ([f"0.0000000000000000000000000000004{NINES}", 10**31], 5),
        (["0.1666", 3], 0),
        ([None, 3], None),
    ],
)
def test_a_product_is_rounded_once_a_half_upwards(factors: list[Any], fen: int | None) -> None:
    assert product(factors, to_fen=True) == fen


texts = st.builds(
    lambda whole, part, zeros: f"{whole}.{'0' * zeros}{part}",
    st.integers(0, 10**6),
    st.integers(0, 10**40),
    st.integers(0, 30),
)


@given(texts, st.integers(0, 10**9))
def test_any_product_is_that_of_fractions(quantity: str, rate: int) -> None:
    exact = Fraction(quantity) * rate
    assert Fraction(str(product([quantity, rate]))) == exact
    assert product([quantity, rate], to_fen=True) == (exact * 2 + 1) // 2


@given(st.lists(st.none() | texts, max_size=5), texts)
def test_sums_and_differences_lose_no_digit(parts: list[str | None], less: str) -> None:
    def value(spec: Any) -> Any:
        return spec["value"]

    total = sum((Fraction(part or 0) for part in parts), Fraction(0))
    found = ARITHMETIC["sum"]({"of": [{"value": part} for part in parts]}, value)
    assert Fraction(str(found)) == total
    rest = ARITHMETIC["minus"]({"of": {"value": str(found)}, "less": {"value": less}}, value)
    assert Fraction(str(rest)) == total - Fraction(less)
