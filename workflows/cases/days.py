"""Days of a payroll's rows: read out of the sheet's calendar, staged with it, claimed when it is handed in.

``days`` in process.yaml says under which key the roster has its calendar and which answer names the month.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.clock import today
from workflows.base.errors import Conflict
from workflows.cases.action import Action
from workflows.cases.facts import CaseView
from workflows.cases.process import Process
from workflows.cases.roster_digest import RosterDigest, digested
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.verdicts import current_roster
from workflows.registers import work_days
from workflows.registers.grants import lock_people
from workflows.registers.project_model import ProjectWorker
from workflows.registers.work_days import Clash

#: Id under which a row keeps what the register of days said.
RULE = "work_days"
#: Rows whose days a refusal names.
SHOWN = 5


def month_of(view: CaseView) -> tuple[int, int] | None:
    """The month a payroll is for, as it is typed or decided; ``None`` while nobody has said."""
    described = view.process.config.get("days")
    if not described:
        return None
    text = str(view.answers(described["form"]).get(described["month"]) or "")
    year, _, month = text.partition("-")
    return (int(year), int(month)) if year.isdigit() and month.isdigit() else None


def worked(process: Process, values: Mapping[str, Any]) -> dict[int, int]:
    """Day of the month → hundredths, of one row."""
    described = process.config.get("days")
    if not described or process.roster is None:
        return {}
    return {
        column.day: int(values[column.key])
        for column in process.roster.calendar(described["calendar"])
        if values.get(column.key)
    }


def dated(
    process: Process, month: tuple[int, int] | None, values: Mapping[str, Any]
) -> list[tuple[date, int]]:
    """(day, hundredths) of one row; days that the month does not have are left out, and said by the rules."""
    if month is None:
        return []
    last = calendar.monthrange(*month)[1]
    return [
        (date(*month, day), hundredths) for day, hundredths in worked(process, values).items() if day <= last
    ]


def outside(view: CaseView, values: Mapping[str, Any], worker: ProjectWorker | None) -> int | None:
    """How many days of a row cannot have been worked: no such day, still to come, or outside project or agreement.

    :returns: ``None`` while the month is not known.
    """
    month = month_of(view)
    if month is None:
        return None
    project = view.project
    first = max(
        [one for one in (project and project.starts_on, worker and worker.agreement_from) if one],
        default=date.min,
    )
    last = min(
        [one for one in (project and project.ends_on, worker and worker.agreement_to) if one],
        default=date.max,
    )
    good = [day for day, _ in dated(view.process, month, values) if first <= day <= min(last, today())]
    return len(worked(view.process, values)) - len(good)


def stage_rows(
    view: CaseView, roster_id: int, rows: Iterable[tuple[int, int | None, Mapping[str, Any]]]
) -> None:
    """Write the days of rows that were just read: (row, person, values)."""
    project_id = view.case.project_id
    month = month_of(view)
    if project_id is None or month is None:
        return
    work_days.stage(
        view.session,
        [
            {
                "person_id": person,
                "day": day,
                "project_id": project_id,
                "case_id": view.case.id,
                "roster_id": roster_id,
                "row_id": row_id,
                "hundredths": hundredths,
            }
            for row_id, person, values in rows
            if person is not None
            for day, hundredths in dated(view.process, month, values)
        ],
    )


def row_ids(session: Session, roster_id: int, numbers: Sequence[int]) -> dict[int, int]:
    """Row number → key, of rows that were just written."""
    return dict(
        session.execute(
            select(RosterRow.number, RosterRow.id).where(
                RosterRow.roster_id == roster_id, RosterRow.number.in_(numbers)
            )
        ).all()
    )


def stage_anew(view: CaseView, roster: Roster) -> None:
    """The month was changed after the sheet had been read: its days are other days."""
    if not view.process.config.get("days"):
        return
    work_days.forget(view.session, view.case.id, roster.id)
    rows = view.session.execute(
        select(RosterRow.id, RosterRow.person_id, RosterRow.values)
        .where(RosterRow.roster_id == roster.id, RosterRow.bad.is_(False))
        .order_by(RosterRow.id)
    ).all()
    stage_rows(view, roster.id, [(row.id, row.person_id, row.values) for row in rows])


def clashes_of(
    view: CaseView, rows: Iterable[tuple[int | None, Mapping[str, Any]]]
) -> dict[int, list[Clash]]:
    """Person → days that another payroll has claimed, before anything of this sheet is."""
    month = month_of(view)
    mine = {person: dated(view.process, month, values) for person, values in rows if person is not None}
    return work_days.clashes(view.session, view.case.id, mine)


def fired(clashes: Sequence[Clash], citation: str) -> dict[str, str]:
    """The reason that a row keeps: both days, by name of project."""
    return {
        "id": RULE,
        "citation": citation,
        "annotation": "；".join(one.said() for one in clashes) + "。同一天只在一个项目计酬。",
    }


def citation(view: CaseView) -> str:
    """What forbids paying a day twice: the parameter that says so."""
    return f"依据：{view.case.rules['parameters'][view.process.config['days']['parameter']]['basis']}"


def claim_days(action: Action) -> None:
    """Claim the days of every row that the rules did not refuse; rows whose day somebody else has say so and are refused.

    :raises Conflict: somebody else has a day of every row; the first of them are named with both days.
    """
    roster = current_roster(action.session, action.case.id)
    if roster is None:
        raise Conflict("还没有上传考勤和工资表，不能申报。")
    view = CaseView.of(action.session, action.case, action.process)
    refused = action.process.config["row_result"]["refused"]
    rows = action.session.execute(
        select(RosterRow.id, RosterRow.number, RosterRow.person_id, RosterRow.bad, RosterRow.result)
        .where(RosterRow.roster_id == roster.id)
        .order_by(RosterRow.id)
    ).all()
    # whoever claims a day of one of them at this moment is waited for: then the clash can be named
    lock_people(action.session, [row.person_id for row in rows if row.person_id is not None])
    taken = work_days.staged_clashes(action.session, action.case.id, roster.id)
    lost = {row.id for row in rows if row.id in taken and row.result != refused}
    out = [row.id for row in rows if row.bad or row.result == refused or row.id in lost]
    if taken and len(out) == len(rows):
        raise Conflict(_nobody_left(rows, taken))
    if lost:
        _refuse(view, roster, {row_id: taken[row_id] for row_id in lost})
    number = work_days.claim(action.session, action.case.id, roster.id, out)
    action.record("days-claimed", (roster,) if lost else (), days=number, refused=len(out))


def _refuse(view: CaseView, roster: Roster, taken: Mapping[int, Sequence[Clash]]) -> None:
    """Rows whose day somebody claimed after the rules had run get that as their reason."""
    refused, digest = view.process.config["row_result"]["refused"], RosterDigest()
    rows = view.session.scalars(digested(roster.id)).all()
    for row in rows:
        if row.id in taken:
            row.result = refused
            row.fired = [one for one in row.fired if one["id"] != RULE] + [
                fired(taken[row.id], citation(view))
            ]
    digest.add_rows(rows)
    roster.judged = digest.judged


def _nobody_left(rows: Sequence[Any], taken: Mapping[int, Sequence[Clash]]) -> str:
    """Why nothing can be handed in, both days named: what the rows were told goes with the refusal."""
    lost = [row for row in rows if row.id in taken]
    named = [
        f"第 {row.number} 行，{taken[row.id][0].said()}"
        + (f"，还有 {more} 天相同" if (more := len(taken[row.id]) - 1) else "")
        for row in lost[:SHOWN]
    ]
    rest = f"；还有 {len(lost) - SHOWN} 行也是这样" if len(lost) > SHOWN else ""
    return f"没有可以发放的人员，没有提交。{'；'.join(named)}{rest}。请改正考勤和工资表后再提交。"
