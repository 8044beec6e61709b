"""How values are written on a page: money, dates, times, sizes, answers of a form. All total: nothing gives 「—」.

Amounts come in fen, instants aware; what is shown is 元 and Asia/Shanghai.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from forms.model import Field, Option
from forms.web import display
from workflows.base import clock

NOTHING = "—"


def amount(fen: int | None) -> str:
    """``100000`` → ``1,000.00``, for a column whose heading names the unit."""
    if fen is None:
        return NOTHING
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(int(fen)), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def money(fen: int | None) -> str:
    """``100000`` → ``1,000.00 元``."""
    return NOTHING if fen is None else f"{amount(fen)} 元"


def _as_day(value: date | datetime | str | None) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return clock.local(value).date()
    if isinstance(value, date):
        return value
    return date.fromisoformat(value[:10])


def day(value: date | datetime | str | None) -> str:
    """A day, an instant or an ISO text as ``2026年11月23日``; a text that is no date as it stands."""
    try:
        found = _as_day(value)
    except ValueError:
        return str(value)
    return NOTHING if found is None else f"{found.year}年{found.month}月{found.day}日"


def short_day(value: date | datetime | str | None) -> str:
    """``11月23日``, with the year in front when it is not the present one."""
    found = _as_day(value)
    if found is None:
        return NOTHING
    year = "" if found.year == clock.today().year else f"{found.year}年"
    return f"{year}{found.month}月{found.day}日"


def moment(value: datetime | None) -> str:
    """An aware instant as ``11月23日 14:05``, with the year in front when it is not the present one."""
    if value is None:
        return NOTHING
    return f"{short_day(value)} {clock.local(value):%H:%M}"


def full_moment(value: datetime | None) -> str:
    """An aware instant as ``2026年11月23日 14:05``: for print and for evidence."""
    return NOTHING if value is None else f"{day(value)} {clock.local(value):%H:%M}"


def hour(value: datetime | None) -> str:
    """An aware instant as ``14:05``."""
    return NOTHING if value is None else f"{clock.local(value):%H:%M}"


def machine_time(value: date | datetime | None) -> str:
    """ISO text for the ``datetime`` attribute of ``<time>``."""
    if value is None:
        return ""
    return (
        clock.local(value).isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat()
    )


def relative(value: datetime | None) -> str:
    """How long ago: ``刚刚``, ``5 分钟前``, ``今天 09:30``, ``昨天 14:05``, then the date."""
    if value is None:
        return NOTHING
    seconds = (clock.now() - value).total_seconds()
    if 0 <= seconds < 60:
        return "刚刚"
    if 0 <= seconds < 3600:
        return f"{int(seconds // 60)} 分钟前"
    distance = (clock.today() - clock.local(value).date()).days
    words = {0: "今天", 1: "昨天", -1: "明天"}.get(distance)
    return f"{words} {hour(value)}" if words else moment(value)


def duration(seconds: int | float | None) -> str:
    """A rough span for waiting people: ``不到 1 分钟``, ``约 3 分钟``, ``约 2 小时``."""
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return "不到 1 分钟"
    if seconds < 3600:
        return f"约 {round(seconds / 60)} 分钟"
    return f"约 {round(seconds / 3600)} 小时"


def time_left(since: datetime, done: int, total: int) -> str:
    """How long the rest of a work takes, guessed from what is done of it; empty while there is nothing to go by."""
    if not done or not total:
        return ""
    return duration((clock.now() - since).total_seconds() / done * (total - done))


def file_size(count: int | None) -> str:
    """Bytes as ``812 KB`` or ``3.4 MB``."""
    if count is None:
        return NOTHING
    if count < 1024 * 1024:
        return f"{max(1, round(count / 1024))} KB"
    return f"{count / 1024 / 1024:.1f} MB"


def capped(count: int | None, cap: int = 1000) -> str:
    """A count that is exact up to ``cap`` and ``1000+`` beyond: counting a million rows is what makes lists slow."""
    if count is None:
        return NOTHING
    return f"{cap}+" if count > cap else str(count)


def get(thing: Any, name: str, default: Any = None) -> Any:
    """An attribute of an object or an entry of a mapping, so that macros take either."""
    if isinstance(thing, Mapping):
        return thing.get(name, default)
    return getattr(thing, name, default)


def option_groups(options: Iterable[Any] | None) -> list[tuple[str, list[tuple[str, str]]]]:
    """Options of any of the shapes that views have, as (group, [(value, label)]); no group is an empty name.

    Takes plain texts, (value, label) pairs, things with ``value`` and ``label``, and (group, [options]) pairs.
    """
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    for option in options or ():
        if isinstance(option, tuple | list) and len(option) == 2 and not isinstance(option[1], str):
            groups.append((str(option[0]), [pair for _, pairs in option_groups(option[1]) for pair in pairs]))
            continue
        if isinstance(option, str):
            pair = (option, option)
        elif isinstance(option, tuple | list):
            pair = (str(option[0]), str(option[1]))
        else:
            pair = (str(get(option, "value")), str(get(option, "label")))
        if not groups or groups[-1][0]:
            groups.append(("", []))
        groups[-1][1].append(pair)
    return groups


def form_value(value: Any, kind: str = "") -> str:
    """What stands in the input: a text as it was typed, a stored value in the way people type it.

    Lists are what a browser sent under one name; the last one counts.
    """
    if isinstance(value, list | tuple):
        value = value[-1] if value else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if kind == "money" and isinstance(value, int):
        return amount(value).replace(",", "")
    return str(value)


def date_bound(bound: Any) -> str:
    """A date field's limit (a day, ``today`` or nothing) for ``min`` and ``max``."""
    if bound == "today":
        return clock.today().isoformat()
    return bound.isoformat() if isinstance(bound, date) else ""


def chosen(value: Any) -> Sequence[str]:
    """The values ticked: a list as texts, one value as a list of one."""
    if value is None or value == "":
        return []
    if isinstance(value, list | tuple | set | frozenset):
        return [str(one) for one in value]
    return [form_value(value)]


_DEFECT = re.compile(r"(\d{1,4})-(field|problem|action)\Z", re.ASCII)


def defect_rows(values: Mapping[str, Any], key: str) -> list[dict[str, str]]:
    """The rows of a repeatable list: as stored under ``key``, or put together from ``KEY-0-problem`` … as posted."""
    stored = values.get(key)
    if stored:
        return list(stored)
    rows: dict[int, dict[str, str]] = {}
    for name, value in values.items():
        match = _DEFECT.match(name[len(key) + 1 :]) if name.startswith(f"{key}-") else None
        if match:
            rows.setdefault(int(match[1]), {})[match[2]] = form_value(value)
    return [rows.get(number, {}) for number in range(max(rows, default=-1) + 1)]


def answer(value: Any, field: Field, options: Iterable[Any] | None = None, reveal: bool = False) -> str:
    """A stored answer, or one as typed, as a person reads it. Sensitive ones are masked unless ``reveal``.

    :param options: the list of ``options_from``, in any shape of :func:`option_groups`.
    """
    if isinstance(value, list) and field.type not in ("multichoice", "files", "defects", "roster"):
        value = form_value(value)
    if isinstance(value, str) and value:
        if field.type in ("boolean", "declaration"):
            value = value in ("yes", "true", "on")
        elif field.type in ("money", "date"):
            return f"{value} 元" if field.type == "money" else day(value)
    choices = [Option(key, label) for _, pairs in option_groups(options) for key, label in pairs]
    return display(field, value, lists={field.options_from: choices} if choices else {}, reveal=reveal)


FILTERS: dict[str, Callable[..., Any]] = {
    "amount": amount,
    "money": money,
    "day": day,
    "short_day": short_day,
    "moment": moment,
    "full_moment": full_moment,
    "hour": hour,
    "machine_time": machine_time,
    "relative": relative,
    "duration": duration,
    "file_size": file_size,
    "capped": capped,
    "option_groups": option_groups,
    "form_value": form_value,
    "date_bound": date_bound,
    "chosen": chosen,
    "defect_rows": defect_rows,
    "answer": answer,
}
