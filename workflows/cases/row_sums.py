"""Arithmetic that row facts are made of: sums, differences, products, in whole fen and exact decimals, never floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce
from typing import Any

#: Finds the value of a source.
Value = Callable[[Mapping[str, Any]], Any]

#: No digit is lost before the one rounding at the end: a cell holds at most 5 000 characters, a product few factors.
#: Python's own context keeps 28 digits, and rounding twice makes a fen out of 0.499….
_EXACT = Context(prec=100_000, rounding=ROUND_HALF_UP)


def product(factors: Sequence[Any], *, to_fen: bool = False) -> Any:
    """The exact product; ``None`` if one is missing.

    :param to_fen: rounded to a whole fen, half a fen upwards, as wages are rounded.
    """
    if any(one is None for one in factors):
        return None
    total = Decimal(1)
    for factor in factors:
        total = _EXACT.multiply(total, Decimal(str(factor)))
    return whole(rounded(total) if to_fen else total)


def rounded(number: Decimal) -> Decimal:
    """To a whole number, a half upwards."""
    return number.quantize(Decimal(1), context=_EXACT)


def whole(number: Decimal) -> Any:
    """An int where nothing stands behind the point: tables and JSON like those better."""
    return int(number) if number == number.to_integral_value() else number


def _sum(spec: Mapping[str, Any], value: Value) -> Any:
    """What is not filled in adds nothing."""
    return whole(reduce(_EXACT.add, (Decimal(str(value(one) or 0)) for one in spec["of"]), Decimal(0)))


def _minus(spec: Mapping[str, Any], value: Value) -> Any:
    of, less = value(spec["of"]), value(spec["less"])
    return (
        None if of is None or less is None else whole(_EXACT.subtract(Decimal(str(of)), Decimal(str(less))))
    )


def _product(spec: Mapping[str, Any], value: Value) -> Any:
    return product([value(one) for one in spec["of"]], to_fen=bool(spec.get("to_fen")))


def _first(spec: Mapping[str, Any], value: Value) -> Any:
    """The first that is there: what was changed by hand, else what was computed."""
    return next((found for one in spec["of"] if (found := value(one)) is not None), None)


def _equal(spec: Mapping[str, Any], value: Value) -> Any:
    of, to = value(spec["of"]), value(spec["to"])
    return None if of is None or to is None else of == to


def _above(spec: Mapping[str, Any], value: Value) -> Any:
    of, than = value(spec["of"]), value(spec["than"])
    return None if of is None or than is None else Decimal(str(of)) > Decimal(str(than))


ARITHMETIC: Mapping[str, Callable[[Mapping[str, Any], Value], Any]] = {
    "sum": _sum,
    "minus": _minus,
    "product": _product,
    "first": _first,
    "equal": _equal,
    "above": _above,
}
