"""Compiles a field to one plain check that the web form and every spreadsheet row share.

``compile_field(field)`` does the thinking once; the check it returns takes a cell and the day, and gives
``(value, error, warning)``: the typed value (None when empty or wrong) and two Chinese messages, empty when there is
nothing to say. A message says what is wrong, what was found (masked if personal) and what to do, in the shape of
:func:`forms.text.message`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from forms import amounts, identifiers
from forms.choices import SEPARATORS, Inner, Lists, boolean, choice, choices, declaration, missing, options_of
from forms.identifiers import Checked
from forms.model import SENSITIVE_TYPES, Bound, Field
from forms.months import parse_months
from forms.text import clean, clean_lines, compact, half, message, quoted

#: What a cell holds; dates of date-formatted cells arrive as ISO text.
Cell: TypeAlias = str | int | float | bool | None
Check: TypeAlias = Callable[[Cell, date], Checked]

_HUGE = 10**13
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)


def cell_text(cell: Cell) -> str:
    """What a cell holds, as the text a person would see."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if cell is True or cell is False:
        return "是" if cell else "否"
    return amounts.number_text(cell)


def compile_field(field: Field, lists: Lists | None = None) -> Check:
    """The check of one field.

    :param lists: what the ``options_from`` of definitions stand for at the moment.
    """
    if field.type == "textarea":
        return _over_lines(field, _text(field))
    if field.type == "date":
        return _date(field)
    if field.type in ("integer", "decimal", "money"):
        return _over_text(field, _NUMBERS[field.type](field))
    return _over_text(field, _INNER[field.type](field, lists or {}))


def compile_choices(field: Field, lists: Lists | None = None) -> Callable[[Sequence[str], date], Checked]:
    """The check of a multiple choice whose answers come one by one, as a browser sends them."""
    return choices(field, options_of(field, lists or {}))


def _over_text(field: Field, inner: Inner) -> Check:
    empty: Checked = (None, missing(field) if field.required else "", "")
    # Numbers of more digits than a numeric cell can hold: Excel keeps 15, the rest is lost.
    keeps_digits = field.type in SENSITIVE_TYPES

    def check(cell: Cell, today: date) -> Checked:
        if type(cell) is str:
            text = clean(cell)
        elif keeps_digits and isinstance(cell, int | float) and abs(cell) >= 10**15:
            return None, identifiers.mangled(float(cell)), ""
        else:
            text = cell_text(cell)
        return inner(text, today) if text else empty

    return check


def _over_lines(field: Field, inner: Inner) -> Check:
    empty: Checked = (None, missing(field) if field.required else "", "")

    def check(cell: Cell, today: date) -> Checked:
        text = clean_lines(cell_text(cell))
        return inner(text, today) if text else empty

    return check


def _date(field: Field) -> Check:
    inner = _date_within(field)
    empty: Checked = (None, missing(field) if field.required else "", "")

    def check(cell: Cell, today: date) -> Checked:
        if type(cell) is str:
            text = clean(cell)
            return inner(amounts.parse_date(text), text, today) if text else empty
        if cell is None or isinstance(cell, bool):
            return empty if cell is None else inner("日期格式不对", cell_text(cell), today)
        return inner(amounts.date_of_number(float(cell)), cell_text(cell), today)

    return check


def _date_within(field: Field) -> Callable[[date | str, str, date], Checked]:
    low, high = field.minimum, field.maximum
    past_only, future_only = "not_future" in field.checks, "not_past" in field.checks

    def inner(found: date | str, text: str, today: date) -> Checked:
        if isinstance(found, str):
            return None, message(found, f"填的是{quoted(text)}", "请写成 2026-11-24 这样的年月日"), ""
        shown = f"填的是{amounts.chinese_date(found)}"
        if past_only and found > today:
            return None, message("日期还没有到", shown, "不能晚于今天，请核对"), ""
        if future_only and found < today:
            return None, message("日期已经过去", shown, "不能早于今天，请核对"), ""
        first, last = _day(low, today), _day(high, today)
        if first is not None and found < first:
            return None, message("日期过早", shown, f"不能早于{amounts.chinese_date(first)}"), ""
        if last is not None and found > last:
            return None, message("日期过晚", shown, f"不能晚于{amounts.chinese_date(last)}"), ""
        return found.isoformat(), "", ""

    return inner


def _day(bound: Bound, today: date) -> date | None:
    return today if bound == "today" else bound if isinstance(bound, date) else None


def _text(field: Field, lists: Lists | None = None) -> Inner:
    limit = field.max_length
    options = options_of(field, lists or {})
    if options:
        return choice(field, options)

    def inner(text: str, today: date) -> Checked:
        if len(text) > limit:
            return None, message("内容过长", f"共 {len(text)} 字", f"最多 {limit} 字，请缩短"), ""
        return text, "", ""

    if "months_list" in field.checks:
        return _months(inner)
    if "month" in field.checks:
        return _month
    if "person_name" not in field.checks:
        return inner

    def name(text: str, today: date) -> Checked:
        checked = identifiers.check_person_name(text)
        return inner(text, today) if len(text) > limit else checked

    return name


def _months(inner: Inner) -> Inner:
    """Months as people list them, kept as 2026-01、2026-02."""

    def check(text: str, today: date) -> Checked:
        try:
            found = parse_months(text)
        except ValueError as error:
            return (
                None,
                message("月份写法不对", f"填的是{quoted(str(error))}", "请写成 2026-01、2026-02，用顿号隔开"),
                "",
            )
        if len(set(found)) != len(found):
            return None, message("有月份写了两次", f"填的是{quoted(text)}", "每个月只写一次"), ""
        if any(month > (today.year, today.month) for month in found):
            return None, message("有月份还没有到", f"填的是{quoted(text)}", "只写已经发了工资的月份"), ""
        return inner("、".join(f"{year}-{month:02d}" for year, month in sorted(found)), today)

    return check


def _month(text: str, today: date) -> Checked:
    """One month, kept as 2026-05. One that has begun may be named: it is paid as far as it was worked."""
    try:
        found = parse_months(text)
    except ValueError:
        found = []
    if len(found) != 1:
        return None, message("月份写法不对", f"填的是{quoted(text)}", "请写成 2026-05 这样的年和月"), ""
    year, month = found[0]
    if (year, month) > (today.year, today.month):
        return None, message("这个月还没有到", f"填的是{year}年{month}月", "请填写已经出工的月份"), ""
    return f"{year}-{month:02d}", "", ""


def _choice_of(field: Field, lists: Lists) -> Inner:
    """One of what there is to choose. Only where the list was not handed in at all any text passes: whoever has it judges again."""
    if field.options_from and field.options_from not in lists:
        return _text(field)
    return choice(field, options_of(field, lists))


def _multichoice(field: Field, lists: Lists) -> Inner:
    several = choices(field, options_of(field, lists))

    def inner(text: str, today: date) -> Checked:
        return several(SEPARATORS.split(text), today)

    return inner


def _within(number: Decimal, low: Decimal, high: Decimal, shown: Callable[[Decimal], str]) -> str:
    if number < low:
        return message("数值过小", f"填的是 {shown(number)}", f"不能小于 {shown(low)}")
    if number > high:
        return message("数值过大", f"填的是 {shown(number)}", f"不能大于 {shown(high)}")
    return ""


def _no_number(what: str, text: str, todo: str) -> str:
    if _ISO_DATE.match(text):
        todo = "单元格像是日期格式，请改为“常规”后重新填写"
    return message(what, f"填的是{quoted(text)}", todo)


def _limits(field: Field) -> tuple[Decimal, Decimal]:
    """The bounds of a number; without any, it may not be negative, nor larger than the database can add up."""
    low = Decimal(field.minimum) if isinstance(field.minimum, int | str) else Decimal(0)
    high = Decimal(field.maximum) if isinstance(field.maximum, int | str) else Decimal(_HUGE)
    return low, high


def _plain(number: Decimal) -> str:
    shown = format(number, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _integer(field: Field) -> Inner:
    low, high = _limits(field)
    unit = field.unit

    def inner(text: str, today: date) -> Checked:
        number = amounts.parse_decimal(half(text).removesuffix(unit))
        if number is None or number != number.to_integral_value():
            return None, _no_number("不是整数", text, "请填写阿拉伯数字的整数，如 12"), ""
        error = _within(number, low, high, _plain)
        return (None, error, "") if error else (int(number), "", "")

    return inner


def _decimal(field: Field) -> Inner:
    low, high = _limits(field)
    unit = field.unit

    def inner(text: str, today: date) -> Checked:
        number = amounts.parse_decimal(half(text).removesuffix(unit))
        if number is None:
            return None, _no_number("不是数字", text, "请填写阿拉伯数字，如 120.5"), ""
        error = _within(number, low, high, _plain)
        return (None, error, "") if error else (_plain(number), "", "")

    return inner


def _money(field: Field) -> Inner:
    low, high = _limits(field)

    def inner(text: str, today: date) -> Checked:
        fen = amounts.parse_fen(text)
        if fen is None:
            number = amounts.parse_decimal(amounts.strip_currency(text))
            if number is not None:
                return (
                    None,
                    message("金额超过两位小数", f"填的是{quoted(text)}", "最多精确到分，如 4000.50"),
                    "",
                )
            return None, _no_number("不是金额", text, "请以元为单位填写数字，如 4,000.00"), ""
        error = _within(Decimal(fen), low, high, _yuan)
        return (None, error, "") if error else (fen, "", "")

    return inner


def _yuan(fen: Decimal) -> str:
    return f"{amounts.yuan(int(fen))} 元"


def _phone(field: Field, lists: Lists) -> Inner:
    mobile_only = "mobile" in field.checks

    def inner(text: str, today: date) -> Checked:
        return identifiers.check_phone(text, mobile_only=mobile_only)

    return inner


def _id_number(field: Field, lists: Lists) -> Inner:
    if "worker_age" not in field.checks:
        return identifiers.check_id

    def inner(text: str, today: date) -> Checked:
        number, error, warning = identifiers.check_id(text, today)
        if error:
            return None, error, ""
        error, old = identifiers.check_worker_age(number, today)
        return (None, error, "") if error else (number, "", join(warning, old))

    return inner


def _division(field: Field, lists: Lists) -> Inner:
    options = options_of(field, lists)
    if options:
        return choice(field, options)

    def inner(text: str, today: date) -> Checked:
        code = compact(text)
        if not (code.isascii() and code.isdigit() and len(code) in (6, 9, 12)):
            return None, message("没有选择", f"请选择{field.label}"), ""
        return code, "", ""

    return inner


def join(first: str, second: str) -> str:
    """Two messages as one."""
    return f"{first}；{second}" if first and second else first or second


#: What sites write into an attendance sheet, in hundredths of a day: a tick is a day, a half tick half of one, and a
#: cross, a rest or a leave is none.
_TICKS: Mapping[str, int] = (
    dict.fromkeys("√✓✔勤●", 100)
    | {"出勤": 100, "全天": 100, "半天": 50}
    | dict.fromkeys("半△◐", 50)
    | dict.fromkeys("×✗✘xX/-休假旷病事雨", 0)
    | {"休息": 0, "请假": 0, "旷工": 0, "停工": 0}
)
_MOST_HOURS = 24


def _attendance(field: Field, lists: Lists) -> Inner:
    """A day of an attendance sheet: hundredths of a day (or hour, as the row's way of pay says); none is no value."""

    def inner(text: str, today: date) -> Checked:
        ticked = _TICKS.get(text)
        if ticked is not None:
            return ticked or None, "", ""
        number = amounts.parse_decimal(half(text).removesuffix("天").removesuffix("小时").removesuffix("h"))
        if number is None or number * 100 != (number * 100).to_integral_value():
            return (
                None,
                _no_number(
                    "考勤写法不对", text, "出勤一天写 1 或 √，半天写 0.5，按小时的写小时数，没有出勤的空着"
                ),
                "",
            )
        error = _within(number, Decimal(0), Decimal(_MOST_HOURS), _plain)
        return (None, error, "") if error else (int(number * 100) or None, "", "")

    return inner


_NUMBERS: Mapping[str, Callable[[Field], Inner]] = {
    "integer": _integer,
    "decimal": _decimal,
    "money": _money,
}
_INNER: Mapping[str, Callable[[Field, Lists], Inner]] = {
    "text": _text,
    "choice": _choice_of,
    "multichoice": _multichoice,
    "boolean": boolean,
    "declaration": declaration,
    "phone": _phone,
    "credit_code": lambda field, lists: lambda text, today: identifiers.check_credit_code(text),
    "id_number": _id_number,
    "bank_account": lambda field, lists: lambda text, today: identifiers.check_bank_account(text),
    "division": _division,
    "attendance": _attendance,
}
__all__ = [
    "Cell",
    "Check",
    "Lists",
    "cell_text",
    "compile_choices",
    "compile_field",
    "join",
    "missing",
]
