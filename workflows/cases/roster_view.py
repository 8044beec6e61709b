"""A page of a case's roster as people read it: masked, with what the rules and the offices said of each person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from forms.amounts import hundredths
from forms.definition import Option
from forms.show import display
from workflows.base.privacy import mask_id, mask_phone
from workflows.cases.facts import fact_title, show_fact
from workflows.cases.lists import lists_for
from workflows.cases.model import Case
from workflows.cases.process import Process
from workflows.cases.roster_model import Roster, RosterRow, RowVerdict
from workflows.cases.verdicts import AGREE, REFUSE, current_roster
from workflows.organisations.model import Department

#: Rows on a page: the first is what one gets without asking.
SIZES = (20, 50)
LABELS = {AGREE: "同意", REFUSE: "不同意"}
#: A filter's value for rows that were filled in wrongly, and for rows an office has not named.
BAD, UNNAMED = "bad", "none"

_DIGITS = re.compile(r"\d{7,}[\dXx]?")


@dataclass(frozen=True)
class RowFilter:
    """What one looks for. ``result``: of process.yaml's ``row_result``, or ``bad``; ``verdict``: agree, refuse, none."""

    result: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class Word:
    """An office's word on a row."""

    office: str
    verdict: str
    label: str
    reason: str


@dataclass(frozen=True)
class RowView:
    """One person. ``values``: heading and text of what is not sensitive; ``reasons``: text and citation.

    :param tone: good, waiting (a person must look) or bad.
    :param held: a hold that only words with reasons lift, an agreement's too.
    :param own: the word of the office that decides now.
    :param words: the words of the other offices.
    """

    id: int
    number: int
    name: str
    masked: str
    values: list[tuple[str, str]]
    result: str
    tone: str
    reasons: list[tuple[str, str]]
    errors: list[str]
    warnings: list[str]
    bad: bool
    held: bool
    own: RowVerdict | None
    words: list[Word]

    @property
    def unusual(self) -> bool:
        """Whether somebody should look twice."""
        return self.bad or bool(self.warnings) or self.tone in ("waiting", "bad")


@dataclass(frozen=True)
class RosterPage:
    """A page of rows. ``results`` and ``verdicts``: value, label and count, for the filters."""

    roster: Roster
    rows: Sequence[RowView]
    page: int
    size: int
    matching: int
    results: list[tuple[str, str, int]]
    verdicts: list[tuple[str, str, int]]
    named: int

    @property
    def unnamed(self) -> int:
        """Rows the office has not named one by one."""
        return self.roster.total - self.named


def roster_page(
    session: Session,
    case: Case,
    process: Process,
    wanted: RowFilter | None = None,
    *,
    department_id: int | None = None,
    page: int = 1,
    size: int = SIZES[0],
) -> RosterPage | None:
    """A page of the case's present roster, or ``None`` when there is none. The same number of queries for any page.

    :param department_id: the office whose words are its own; ``None`` for readers.
    """
    roster = current_roster(session, case.id)
    if roster is None or process.roster is None:
        return None
    wanted = wanted or RowFilter()
    size = size if size in SIZES else SIZES[0]
    conditions = _conditions(roster, wanted, department_id)
    matching = session.scalar(select(func.count(RosterRow.id)).where(*conditions)) or 0
    page = min(max(1, page), max(1, -(-matching // size)))
    rows = session.scalars(
        select(RosterRow).where(*conditions).order_by(RosterRow.number).limit(size).offset((page - 1) * size)
    ).all()
    words = _words(session, [row.id for row in rows])
    lists = lists_for(session, case, process)
    verdicts = _verdict_counts(session, roster, department_id)
    return RosterPage(
        roster=roster,
        rows=[_view(process, lists, row, words.get(row.id, []), department_id) for row in rows],
        page=page,
        size=size,
        matching=matching,
        results=_result_counts(session, roster, process),
        verdicts=[
            (UNNAMED, "未审核", roster.total - sum(verdicts.values())),
            *((key, label, verdicts.get(key, 0)) for key, label in LABELS.items()),
        ]
        if department_id is not None
        else [],
        named=sum(verdicts.values()),
    )


def _conditions(roster: Roster, wanted: RowFilter, department_id: int | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [RosterRow.roster_id == roster.id]
    if wanted.result == BAD:
        conditions.append(RosterRow.bad.is_(True))
    elif wanted.result:
        conditions.append(RosterRow.result == wanted.result)
    if wanted.verdict and department_id is not None:
        named = select(RowVerdict.row_id).where(RowVerdict.department_id == department_id)
        if wanted.verdict == UNNAMED:
            conditions.append(RosterRow.id.not_in(named))
        else:
            conditions.append(RosterRow.id.in_(named.where(RowVerdict.verdict == wanted.verdict)))
    return conditions


def _result_counts(session: Session, roster: Roster, process: Process) -> list[tuple[str, str, int]]:
    titles: Mapping[str, str] = process.config.get("row_result", {}).get("titles", {})
    counts: dict[str, int] = {}
    bad = 0
    for result, wrong, number in session.execute(
        select(RosterRow.result, RosterRow.bad, func.count())
        .where(RosterRow.roster_id == roster.id)
        .group_by(RosterRow.result, RosterRow.bad)
    ):
        if wrong:
            bad += number
        elif result:
            counts[result] = counts.get(result, 0) + number
    found = [(key, title, counts[key]) for key, title in titles.items() if counts.get(key)]
    return [*found, (BAD, "填写有误", bad)] if bad else found


def _verdict_counts(session: Session, roster: Roster, department_id: int | None) -> dict[str, int]:
    if department_id is None:
        return {}
    return dict(
        session.execute(
            select(RowVerdict.verdict, func.count())
            .join(RosterRow, RosterRow.id == RowVerdict.row_id)
            .where(RosterRow.roster_id == roster.id, RowVerdict.department_id == department_id)
            .group_by(RowVerdict.verdict)
        ).all()
    )


def _words(session: Session, row_ids: Sequence[int]) -> dict[int, list[tuple[RowVerdict, str]]]:
    found: dict[int, list[tuple[RowVerdict, str]]] = {}
    for verdict, office in session.execute(
        select(RowVerdict, Department.name)
        .join(Department, Department.id == RowVerdict.department_id)
        .where(RowVerdict.row_id.in_(row_ids))
        .order_by(RowVerdict.id)
    ):
        found.setdefault(verdict.row_id, []).append((verdict, office))
    return found


def _view(
    process: Process,
    lists: Mapping[str, Sequence[Option]],
    row: RosterRow,
    words: Sequence[tuple[RowVerdict, str]],
    department_id: int | None,
) -> RowView:
    described = process.config.get("row_result", {})
    name, number = name_and_number(process, row)
    held = row.result != "" and row.result == described.get("held", {}).get("result")
    return RowView(
        id=row.id,
        number=row.number,
        name=name,
        masked=mask_id(number) if number else "",
        values=[*shown_values(process, lists, row), *_shown_facts(process, row)],
        result=str(described.get("titles", {}).get(row.result, row.result)),
        tone="good"
        if row.result == described.get("counts")
        else "waiting"
        if held or row.result == described.get("confirmable")
        else "bad"
        if row.result
        else "",
        reasons=[
            (str(rule.get("annotation") or ""), str(rule.get("citation") or ""))
            for rule in row.fired
            if rule.get("annotation")
        ],
        errors=[veil(text) for text in row.errors.values()],
        warnings=[veil(text) for text in row.warnings.values()],
        bad=row.bad,
        held=held,
        own=next((one for one, _ in words if one.department_id == department_id), None),
        words=[
            Word(office, one.verdict, LABELS.get(one.verdict, one.verdict), one.reason or "")
            for one, office in words
            if one.department_id != department_id
        ],
    )


def _shown_facts(process: Process, row: RosterRow) -> list[tuple[str, str]]:
    """What the rules worked out and ``row_result.shown`` names: amounts beside the cells that they come from."""
    wanted = process.config.get("row_result", {}).get("shown", [])
    return [
        (fact_title(process, name), show_fact(process, name, row.facts[name]))
        for name in wanted
        if row.facts.get(name) not in (None, 0)
    ]


def name_and_number(process: Process, row: RosterRow) -> tuple[str, str]:
    """A row's name and whole ID number, from whichever columns hold them; what was typed when it was wrong."""
    roster = process.roster
    name_key = (roster.name_column if roster else "") or "name"
    id_key = (roster.match_on if roster else "") or "id_number"
    name = row.values.get(name_key) or row.raw.get(name_key) or f"第 {row.number} 行"
    return str(name), str(row.values.get(id_key) or row.raw.get(id_key) or "")


def shown_values(
    process: Process, lists: Mapping[str, Sequence[Option]], row: RosterRow, *, reveal: bool = False
) -> list[tuple[str, str]]:
    """Heading and text of a row's filled cells, without name and number.

    :param reveal: sensitive ones too, whole; the caller has the right and has logged the reason.
    """
    if process.roster is None:
        return []
    roster = process.roster
    shown = [
        (column.label, display(column, row.values[column.key], lists=lists, reveal=reveal))
        for column in roster.columns
        if column.key not in (roster.name_column, roster.match_on)
        and not column.calendar
        and row.values.get(column.key) not in (None, "")
        and (reveal or not column.sensitive)
    ]
    worked = [
        (column.day, int(row.values[column.key]))
        for column in roster.columns
        if column.calendar and row.values.get(column.key)
    ]
    return [*shown, ("出勤", attendance_text(worked))] if worked else shown


def attendance_text(worked: Sequence[tuple[int, int]]) -> str:
    """Days of a month as people say them: 22（1–20日，21日半天…）, days in a row drawn together.

    :param worked: (day, hundredths), in the order of the days.
    """
    runs: list[tuple[int, int, int]] = []
    for day, amount in worked:
        if runs and runs[-1][1] == day - 1 and runs[-1][2] == amount:
            runs[-1] = (runs[-1][0], day, amount)
        else:
            runs.append((day, day, amount))
    parts = [
        (f"{first}日" if first == last else f"{first}—{last}日")
        + ("" if amount == 100 else f"每天{hundredths(amount)}" if first != last else hundredths(amount))
        for first, last, amount in runs
    ]
    return f"共 {hundredths(sum(amount for _, amount in worked))}（{'、'.join(parts)}）"


def veil(text: str) -> str:
    """A message without the whole numbers it quotes: ID numbers, phones and accounts are shown in part."""

    def hide(found: re.Match[str]) -> str:
        digits = found.group()
        return mask_id(digits) if len(digits) >= 15 else mask_phone(digits)

    return _DIGITS.sub(hide, text)
