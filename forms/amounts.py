"""Numbers, money and dates out of what people type and what cells hold. No binary fraction survives here."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from forms.text import half

_NUMBER = re.compile(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d*))?\Z", re.ASCII)
_FEN = re.compile(r"(\d{1,12})(?:\.(\d{1,2}))?\Z", re.ASCII)
_DATE = re.compile(
    r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})\s?日?(?:[ T]00?:00(?::00(?:\.0+)?)?)?\Z", re.ASCII
)
_DIGITS8 = re.compile(r"(\d{4})(\d\d)(\d\d)\Z", re.ASCII)
_EXCEL_EPOCH = date(1899, 12, 30)

FIRST_YEAR, LAST_YEAR = 1900, 2100
#: Serial numbers of 1900-03-01 and 2100-12-31; before the first Excel counts a day that never was.
FIRST_SERIAL, LAST_SERIAL = 61, 73415


def parse_decimal(text: str) -> Decimal | None:
    """A plain or comma-grouped decimal number, or None. ``4,00`` is refused: the comma groups thousands only."""
    match = _NUMBER.match(half(text))
    if match is None:
        return None
    sign, whole, fraction = match.groups()
    return Decimal(f"{sign}{whole.replace(',', '')}.{fraction or '0'}")


def strip_currency(text: str) -> str:
    """An amount without ¥, 人民币 and 元 around it."""
    text = half(text)
    for prefix in ("人民币", "RMB", "CNY", "¥", "￥"):
        text = text.removeprefix(prefix).strip()
    for suffix in ("元整", "元"):
        text = text.removesuffix(suffix).strip()
    return text


def parse_fen(text: str) -> int | None:
    """An amount in 元 as integer fen, or None when it is no amount or has a fraction of a fen."""
    usual = _FEN.match(text)
    if usual is not None:
        return int(usual.group(1)) * 100 + int((usual.group(2) or "").ljust(2, "0"))
    number = parse_decimal(strip_currency(text))
    if number is None:
        return None
    fen = number * 100
    return int(fen) if fen == fen.to_integral_value() else None


def hundredths(number: int) -> str:
    """Hundredths of a day or an hour as people write them: 100 is 1, 50 is 0.5."""
    return f"{number // 100}.{number % 100:02d}".rstrip("0").rstrip(".")


def yuan(fen: int) -> str:
    """Fen as 1,000.00, without the unit."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // 100:,}.{fen % 100:02d}"


def number_text(number: int | float) -> str:
    """The number of a cell as Excel shows it: at most 15 significant digits, no exponent below 10^21."""
    if isinstance(number, int):
        return str(number)
    if 1e-3 < number < 1e15:
        return format(number, ".15g")
    shown = format(Decimal(format(number, ".15g")), "f") if abs(number) < 1e21 else format(number, ".5g")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


@lru_cache(maxsize=8192)
def parse_date(text: str) -> date | str:
    """A date out of text: 2026-11-24, 2026/11/24, 2026.11.24, 2026年11月24日, 20261124; else what is wrong with it."""
    text = half(text)
    match = _DATE.match(text) or _DIGITS8.match(text)
    if match is None:
        return "日期格式不对"
    year, month, day = (int(part) for part in match.groups())
    try:
        found = date(year, month, day)
    except ValueError:
        return "日历上没有这一天"
    return found if FIRST_YEAR <= year <= LAST_YEAR else "年份不对"


def date_of_number(number: int | float) -> date | str:
    """A date out of a numeric cell of a date column: an Excel serial number, or 20261124 typed as a number."""
    if number != int(number):
        number = int(number)
    if FIRST_SERIAL <= number <= LAST_SERIAL:
        return _EXCEL_EPOCH + timedelta(days=int(number))
    return parse_date(str(int(number)))


def chinese_date(day: date) -> str:
    """2026年11月23日."""
    return f"{day.year}年{day.month}月{day.day}日"


@lru_cache(maxsize=4096)
def term_end(start: str, months: int) -> str:
    """The last day (ISO) of a term of full months that starts on an ISO date: 1 March and 3 months give 31 May."""
    return (add_months(date.fromisoformat(start), months) - timedelta(days=1)).isoformat()


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later, or the last day of that month when it is shorter."""
    month = day.month - 1 + months
    first = date(day.year + month // 12, month % 12 + 1, 1)
    month_length = (date(first.year + first.month // 12, first.month % 12 + 1, 1) - first).days
    return first.replace(day=min(day.day, month_length))
