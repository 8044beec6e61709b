"""Days that people worked: staged when a sheet is read, claimed when it is handed in, once for a person in the province.

The guard is the partial unique index ``uq_work_days_paid``. What stands here looks first, so that a person reads which
day on which other project stands in the way; whoever loses a race meets the index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from workflows.base.errors import Conflict
from workflows.registers.model import Employer
from workflows.registers.project_model import Project, WorkDay

#: Most keys in one statement.
CHUNK = 5_000


@dataclass(frozen=True)
class Clash:
    """A day that another payroll has claimed already. ``other``, ``mine``: hundredths of a day or an hour."""

    person_id: int
    day: date
    project: str
    contractor: str
    case_id: int
    other: int
    mine: int

    def said(self) -> str:
        """Both days as a person reads them."""
        return (
            f"{self.day.month}月{self.day.day}日：已在“{self.project}”（{self.contractor}）申报，本次又填报"
        )


def stage(session: Session, days: Sequence[Mapping[str, Any]]) -> None:
    """Write the days of freshly read rows: ``person_id, day, project_id, case_id, roster_id, row_id, hundredths``."""
    if days:
        # the table, not the class: a month of a large site is 100 000 rows that nobody reads back
        session.execute(insert(WorkDay.__table__), [{**one, "state": "staged"} for one in days])  # type: ignore[arg-type]  # a Table


def forget(session: Session, case_id: int, roster_id: int) -> None:
    """What one sheet said: it is read again, perhaps as another month."""
    session.execute(
        delete(WorkDay)
        .where(WorkDay.case_id == case_id, WorkDay.roster_id == roster_id)
        .execution_options(synchronize_session=False)
    )


def forget_replaced(session: Session, case_id: int, roster_id: int) -> None:
    """Another sheet took their place: days that only stood staged bind nobody and are of no use."""
    session.execute(
        delete(WorkDay)
        .where(WorkDay.case_id == case_id, WorkDay.roster_id != roster_id, WorkDay.state == "staged")
        .execution_options(synchronize_session=False)
    )


def clashes(
    session: Session, case_id: int, days: Mapping[int, Sequence[tuple[date, int]]]
) -> dict[int, list[Clash]]:
    """Person → days that other payrolls have claimed.

    :param days: person → (day, hundredths) that this case's sheet says.
    """
    people = sorted(days)
    mine = {(person, day): hundredths for person, some in days.items() for day, hundredths in some}
    first = min((day for _, day in mine), default=None)
    last = max((day for _, day in mine), default=None)
    found: dict[int, list[Clash]] = {}
    if first is None or last is None:
        return found
    for start in range(0, len(people), CHUNK):
        for person, day, hundredths, other_case, project, contractor in session.execute(
            select(
                WorkDay.person_id,
                WorkDay.day,
                WorkDay.hundredths,
                WorkDay.case_id,
                Project.name,
                Employer.name,
            )
            .join(Project, Project.id == WorkDay.project_id)
            .join(Employer, Employer.id == Project.contractor_id)
            .where(
                WorkDay.person_id.in_(people[start : start + CHUNK]),
                WorkDay.day.between(first, last),
                WorkDay.state == "claimed",
                WorkDay.case_id != case_id,
            )
            .order_by(WorkDay.person_id, WorkDay.day)
        ):
            if (person, day) in mine:
                found.setdefault(person, []).append(
                    Clash(person, day, project, contractor, other_case, hundredths, mine[person, day])
                )
    return found


def staged_clashes(session: Session, case_id: int, roster_id: int) -> dict[int, list[Clash]]:
    """Row → days of a sheet that other payrolls have claimed by now, in one statement for all rows: freed ones among them,
    which are claimed again when the sheet is handed in again."""
    other = aliased(WorkDay)
    found: dict[int, list[Clash]] = {}
    for row_id, person, day, mine, theirs, other_case, project, contractor in session.execute(
        select(
            WorkDay.row_id,
            WorkDay.person_id,
            WorkDay.day,
            WorkDay.hundredths,
            other.hundredths,
            other.case_id,
            Project.name,
            Employer.name,
        )
        .join(
            other,
            (other.person_id == WorkDay.person_id) & (other.day == WorkDay.day) & (other.state == "claimed"),
        )
        .join(Project, Project.id == other.project_id)
        .join(Employer, Employer.id == Project.contractor_id)
        .where(WorkDay.roster_id == roster_id, other.case_id != case_id)
        .order_by(WorkDay.row_id, WorkDay.day)
    ):
        found.setdefault(row_id, []).append(Clash(person, day, project, contractor, other_case, theirs, mine))
    return found


def claim(session: Session, case_id: int, roster_id: int, but_rows: Sequence[int]) -> int:
    """Claim the days of a sheet that is handed in, those of some rows left out. Returns how many days.

    What the case had claimed before, with this sheet or an earlier one, is let go first.

    :raises Conflict: somebody claimed one of the days at this very moment.
    """
    of_case = update(WorkDay).where(WorkDay.case_id == case_id).execution_options(synchronize_session=False)
    mine = WorkDay.roster_id == roster_id
    session.execute(of_case.where(~mine, WorkDay.state == "claimed").values(state="freed"))
    session.execute(of_case.where(mine, WorkDay.state != "staged").values(state="staged"))
    for start in range(0, len(but_rows), CHUNK):
        some = WorkDay.row_id.in_(but_rows[start : start + CHUNK])
        session.execute(of_case.where(mine, some).values(state="freed"))
    try:
        done = session.execute(of_case.where(mine, WorkDay.state == "staged").values(state="claimed"))
    except IntegrityError as error:
        raise Conflict(
            "有人员的同一天刚刚由另一个项目申报，没有提交。请刷新后再提交，系统会指出是哪一天。"
        ) from error
    return int(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result counts its rows


def free(session: Session, case_id: int, row_ids: Sequence[int] | None = None) -> None:
    """Days that will not be paid by this case: another payroll may claim them.

    :param row_ids: of these rows; all rows of the case where it is ``None``.
    """
    wanted = update(WorkDay).where(WorkDay.case_id == case_id, WorkDay.state == "claimed")
    query = wanted.values(state="freed").execution_options(synchronize_session=False)
    if row_ids is None:
        session.execute(query)
        return
    for start in range(0, len(row_ids), CHUNK):
        session.execute(query.where(WorkDay.row_id.in_(row_ids[start : start + CHUNK])))
