"""The cells of a decision table: a subset of FEEL's unary tests that means the same here and in any DMN editor.

The library evaluates cells as Python, where ``"x","y"`` silently never matches and ``[1..10]`` is an error. Here:

- ``-`` or empty: anything · ``null`` · ``true`` / ``false`` · ``"text"`` · ``12.5`` · ``date("2022-06-06")``
- ``< 5``, ``<= 5``, ``> 5``, ``>= 5`` and the same with dates · ``[1..10]``, ``(1..10]``, ``[1..10)``, ``]1..10[`` …
- several of these with commas (any of them) · ``not(…)`` around such a list

Logic is FEEL's three-valued one: comparing the size of ``null`` is neither true nor false, and ``not`` of that is not
true either; only true matches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

#: What a fact or an output can be.
Scalar: TypeAlias = str | bool | int | Decimal | date | None
ValueType: TypeAlias = Literal["string", "boolean", "number", "integer", "date"]

TYPE_NAMES: dict[str, ValueType] = {
    "string": "string",
    "boolean": "boolean",
    "number": "number",
    "integer": "integer",
    "long": "integer",
    "double": "number",
    "date": "date",
}
TYPE_TITLES: dict[ValueType, str] = {
    "string": "文字",
    "boolean": "是或否",
    "number": "数",
    "integer": "整数",
    "date": "日期",
}


class CellError(ValueError):
    """A cell that is not in the subset; the text says why, in Chinese."""


@dataclass(frozen=True)
class Equal:
    """``value`` itself. Equality with null is true or false, never unknown."""

    value: Scalar

    def holds(self, fact: Scalar) -> bool | None:
        return fact is self.value if self.value is None else fact is not None and fact == self.value


@dataclass(frozen=True)
class Between:
    """An interval; a missing end is unbounded. ``< 5`` is one too."""

    low: int | Decimal | date | None
    high: int | Decimal | date | None
    low_closed: bool
    high_closed: bool

    def holds(self, fact: Scalar) -> bool | None:
        if fact is None:
            return None
        if self.low is not None and (fact < self.low or (fact == self.low and not self.low_closed)):  # type: ignore[operator]  # types are checked when compiled
            return False
        return self.high is None or fact < self.high or (fact == self.high and self.high_closed)  # type: ignore[operator]  # types are checked when compiled


Test: TypeAlias = Equal | Between


@dataclass(frozen=True)
class Cell:
    """A compiled cell. No tests: anything matches."""

    text: str
    tests: tuple[Test, ...] = ()
    negated: bool = False

    def matches(self, fact: Scalar) -> bool:
        """Whether the cell is true of the fact."""
        if self.negated:  # of something unknown the opposite is unknown, too
            return not self.tests or all(test.holds(fact) is False for test in self.tests)
        for test in self.tests:
            if test.holds(fact):
                return True
        return not self.tests

    def mentions_null(self) -> bool:
        return any(isinstance(test, Equal) and test.value is None for test in self.tests)


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<date>date\s*\(\s*"(?P<day>[^"]*)"\s*\))
  | (?P<not>not\s*\()
  | (?P<number>-?\d+(?:\.\d+)?(?![\w.]|\.(?!\.)))
  | (?P<number_range>-?\d+(?=\.\.))
  | (?P<word>true|false|null)(?!\w)
  | (?P<op><=|>=|<|>)
  | (?P<dots>\.\.)
  | (?P<mark>[\[\](),])
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    value: Scalar = None


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise CellError('有看不懂的内容；文字要加英文双引号，日期写 date("2022-06-06")，范围写 [1..10]')
        position = match.end()
        kind, raw = str(match.lastgroup), match.group().strip()
        if match["date"]:
            found.append(_Token("value", raw, _date(match["day"])))
        elif match["string"]:
            found.append(_Token("value", raw, _string(raw)))
        elif match["number"] or match["number_range"]:
            found.append(_Token("value", raw, _number(raw)))
        elif match["word"]:
            found.append(_Token("value", raw, {"true": True, "false": False, "null": None}[raw]))
        elif match["not"]:
            found.append(_Token("not", raw))
        else:
            found.append(_Token(kind, raw))
    return found


def _date(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise CellError('日期要写成 date("2022-06-06")')
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CellError(f"没有 {text} 这一天") from None


def _string(raw: str) -> str:
    body = raw[1:-1]
    if not re.fullmatch(r'(?:[^\\]|\\["\\])*', body, re.DOTALL):
        raise CellError("文字里不能用反斜杠转义")
    return re.sub(r"\\(.)", r"\1", body)


def _number(raw: str) -> int | Decimal:
    if len(raw) > 30:
        raise CellError("数太长")
    return Decimal(raw) if "." in raw else int(raw)


def type_of(value: Scalar) -> ValueType | None:
    """The type a constant has; ``None`` for null. A whole number is an integer."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, Decimal):
        return "integer" if value == value.to_integral_value() else "number"
    if isinstance(value, str):
        return "string"
    return "date"


def fits(value: Scalar, wanted: ValueType) -> bool:
    """Whether a non-null value is of the wanted type. Floats and datetimes never are."""
    if isinstance(value, datetime | float):
        return False
    found = type_of(value)
    return found == wanted or (found == "integer" and wanted == "number")


def read_constant(text: str, wanted: ValueType) -> Scalar:
    """An output entry: one constant.

    :raises CellError: it is empty, no constant, or of another type.
    """
    tokens = _tokens(text)
    if len(tokens) != 1 or tokens[0].kind != "value":
        raise CellError("应写一个常量（文字加英文双引号，或数、true、false、date(…)、null）")
    return _typed(tokens[0].value, wanted)


def _typed(value: Scalar, wanted: ValueType) -> Scalar:
    if value is not None and not fits(value, wanted):
        raise CellError(f"这一列是{TYPE_TITLES[wanted]}，写的却是别的类型，永远不会相符")
    return value


def read_cell(text: str, wanted: ValueType) -> Cell:
    """An input entry.

    :raises CellError: not in the subset, or of another type than its column.
    """
    stripped = text.strip()
    if stripped in ("", "-"):
        return Cell("-")
    tokens = _tokens(stripped)
    negated = tokens[0].kind == "not"
    if negated:
        if tokens[-1].text != ")" or len(tokens) < 3:
            raise CellError("not( 后面要写内容并用 ) 收尾")
        tokens = tokens[1:-1]
    reader = _Reader(tokens, wanted)
    return Cell(stripped, reader.all_tests(), negated)


class _Reader:
    def __init__(self, tokens: list[_Token], wanted: ValueType) -> None:
        self._tokens = tokens
        self._wanted = wanted

    def _take(self, *kinds: str) -> _Token:
        if not self._tokens or self._tokens[0].kind not in kinds:
            raise CellError('写法不完整；可以写 -、常量、< 5、[1..10]、"甲","乙"、not(…)')
        return self._tokens.pop(0)

    def all_tests(self) -> tuple[Test, ...]:
        tests = [self._test()]
        while self._tokens:
            if self._take("mark").text != ",":
                raise CellError("几种情况之间要用英文逗号隔开")
            tests.append(self._test())
        return tuple(tests)

    def _test(self) -> Test:
        token = self._take("value", "op", "mark")
        if token.kind == "value":
            return Equal(_typed(token.value, self._wanted))
        if token.kind == "op":
            bound = self._bound()
            if token.text.startswith("<"):
                return Between(None, bound, False, token.text == "<=")
            return Between(bound, None, token.text == ">=", False)
        return self._interval(token)

    def _interval(self, opening: _Token) -> Test:
        if opening.text not in "[(]":
            raise CellError("范围要以 [ 或 ( 开头，例如 [1..10]")
        low = self._bound()
        self._take("dots")
        high = self._bound()
        closing = self._take("mark")
        if closing.text not in "])[":
            raise CellError("范围要以 ] 或 ) 收尾，例如 [1..10]")
        low_closed, high_closed = opening.text == "[", closing.text == "]"
        if low > high or (low == high and not (low_closed and high_closed)):  # type: ignore[operator]  # same type, checked
            raise CellError("范围是空的，前面的值应小于后面的值")
        return Between(low, high, low_closed, high_closed)

    def _bound(self) -> int | Decimal | date:
        value = _typed(self._take("value").value, self._wanted)
        if value is None or isinstance(value, bool | str):
            raise CellError("只有数和日期可以比较大小或写范围")
        return value
