"""The columns of the identity list and the reading of it: every error of every row at once, in Chinese."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from forms.model import Column, Option, RosterDefinition, Rule, Value
from forms.rows import Row, place_of
from forms.sheet_template import template
from forms.sheets import read_roster
from forms.text import message, quoted
from workflows.registers.model import IDENTITY_CATEGORIES, WORK

#: A county has some ten thousand people on its list; the sheet reader stops at 50 000 rows.
MAX_ROWS = 45_000

LIST = RosterDefinition(
    file="identity_list.py",
    title="脱贫人口和防止返贫监测对象名单",
    sheet="名单",
    notes=("一人一行；户籍村写“乡镇名＋村名”，例如“示范镇前进村”；终止日期只在已经终止时填写。",),
    max_rows=MAX_ROWS,
    match_on="id_number",
    name_column="name",
    columns=(
        Column(
            key="name", label="姓名", required=True, checks=("person_name",), max_length=40, example="张三"
        ),
        Column(
            key="id_number",
            label="身份证号",
            type="id_number",
            required=True,
            sensitive=True,
            unique=True,
            width=22,
            also=("证件号码", "身份证号码"),
            example="220899199001010014",
        ),
        Column(
            key="category",
            label="类别",
            type="choice",
            required=True,
            width=20,
            also=("身份类别", "人员类别"),
            options=tuple(Option(value=value, label=label) for value, label in IDENTITY_CATEGORIES.items()),
            example="脱贫人口",
        ),
        Column(
            key="village",
            label="户籍村",
            required=True,
            width=20,
            max_length=60,
            also=("村", "行政村"),
            example="示范镇前进村",
        ),
        Column(key="household", label="户编号", max_length=40, example="1001"),
        Column(
            key="work",
            label="务工情况",
            type="choice",
            width=16,
            also=("务工区域",),
            options=tuple(Option(value=value, label=label) for value, label in WORK.items()),
            example="县内务工",
        ),
        Column(
            key="relocated",
            label="易地搬迁户",
            type="choice",
            width=12,
            also=("是否易地搬迁", "是否易地搬迁户"),
            options=(Option(value="yes", label="是"), Option(value="no", label="否")),
            example="否",
        ),
        Column(key="since", label="认定日期", type="date", also=("识别日期",), example="2016-12-31"),
        Column(key="until", label="终止日期", type="date", also=("消除风险日期",)),
    ),
    rules=(Rule(name="not_before", fields=("since", "until")),),
    extra_checks=("village_of_the_county",),
)


@dataclass(frozen=True)
class IdentityRow:
    """One person of the list, checked."""

    name: str
    id_number: str
    category: str
    village_code: str | None
    household: str | None = None
    work: str | None = None
    relocated: bool | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Fault:
    """Something wrong with a list. ``row`` as Excel counts; 0 where it is the sheet as a whole."""

    message: str
    sheet: str = ""
    row: int = 0
    #: The column as Excel names it, and its heading.
    letter: str = ""
    column: str = ""

    def __str__(self) -> str:
        where = place_of(self.row, Column(key="", label=self.column), self.letter)
        return f"“{self.sheet}”{where}：{self.message}" if self.row else self.message


@dataclass(frozen=True)
class ListReading:
    """A list as it was read: its rows, or else what is wrong with it.

    :param unknown: headings that are not the list's, each with its column.
    """

    rows: Sequence[IdentityRow]
    faults: Sequence[Fault]
    unknown: Sequence[str]


def list_template() -> bytes:
    """The empty list as xlsx, with its drop-downs and an example."""
    return template(LIST, title=LIST.title)


def read_list(
    content: bytes,
    villages: Mapping[str, str | None],
    today: date,
    progress: Callable[[int, int], None] | None = None,
) -> ListReading:
    """Read the list: its rows, or else everything that is wrong with it.

    :param villages: how a village may be written → its code, or ``None`` where the name alone is ambiguous.
    :param progress: called with (people read, people in all).
    :raises SheetRefused: when the file is no readable spreadsheet.
    """

    def village_of_the_county(rows: list[Row]) -> None:
        for row in rows:
            name = row.values.get("village")
            if isinstance(name, str):
                _check_village(row, name, villages)

    reading = read_roster(
        LIST,
        content,
        today=today,
        extra_checks={"village_of_the_county": village_of_the_county},
        progress=progress,
    )
    labels = {one.key: one.label for one in LIST.columns}
    faults = [Fault(text, reading.sheet) for text in reading.problems]
    faults += [
        Fault(text, reading.sheet, row.number, reading.letters.get(key, ""), labels[key])
        for row in reading.rows
        for key, text in row.errors.items()
    ]
    rows = [] if faults else [_row(row.values, villages) for row in reading.rows]
    return ListReading(rows, faults, reading.unknown)


def _check_village(row: Row, name: str, villages: Mapping[str, str | None]) -> None:
    key = _village_key(name)
    if key not in villages:
        row.add_error(
            "village",
            message("本县没有这个村", f"填的是{quoted(name)}", "请写“乡镇名＋村名”，例如“示范镇前进村”"),
        )
    elif villages[key] is None:
        row.add_error(
            "village", message("本县有两个以上同名的村", f"填的是{quoted(name)}", "请在前面加上乡镇名")
        )


def _village_key(name: str) -> str:
    return "".join(name.split())


def _row(values: Mapping[str, Value], villages: Mapping[str, str | None]) -> IdentityRow:
    household = values.get("household")
    return IdentityRow(
        name=str(values["name"]),
        id_number=str(values["id_number"]),
        category=str(values["category"]),
        village_code=villages[_village_key(str(values["village"]))],
        household=None if household is None else str(household),
        work=str(values["work"]) if values.get("work") else None,
        relocated={"yes": True, "no": False}.get(str(values.get("relocated") or "")),
        since=_day(values.get("since")),
        until=_day(values.get("until")),
    )


def _day(value: Value | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None
