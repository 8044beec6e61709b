"""What sites note of their workers' days. Notes only: a day counts when it stands in a month's sheet and is claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from workflows.base.clock import now, today
from workflows.base.errors import Conflict, Invalid
from workflows.registers.project_model import AttendanceMark, Project, ProjectWorker

#: Workers on a page.
PAGE = 50


@dataclass(frozen=True)
class WorkerPage:
    """Workers whose agreement covers a day, by name of their village and job."""

    workers: Sequence[ProjectWorker]
    number: int
    total: int


def workers_on(session: Session, project_id: int, day: date, number: int = 1) -> WorkerPage:
    """A page of those who may work on a day, in the order in which they were registered."""
    where = (
        ProjectWorker.project_id == project_id,
        ProjectWorker.agreement_from <= day,
        ProjectWorker.agreement_to >= day,
    )
    total = session.scalar(select(func.count()).select_from(ProjectWorker).where(*where)) or 0
    number = min(max(1, number), max(1, -(-total // PAGE)))
    found = session.scalars(
        select(ProjectWorker).where(*where).order_by(ProjectWorker.id).limit(PAGE).offset((number - 1) * PAGE)
    ).all()
    return WorkerPage(found, number, total)


def mark(
    session: Session, project: Project, day: date, marks: Mapping[int, int], *, actor_id: int | None
) -> int:
    """Note a day: person → hundredths of a day, or of an hour; what was noted before is replaced. Returns how many.

    :raises Invalid: the day is still to come, or lies outside the project or somebody's agreement.
    :raises Conflict: the project is closed.
    """
    if project.status != "running":
        raise Conflict("项目已经办结，不能再记考勤。")
    if day > today():
        raise Invalid("还没有到这一天。", {"day": "不能记以后的日子。"})
    if not project.starts_on <= day <= project.ends_on:
        raise Invalid("不在工期内。", {"day": f"工期是 {project.starts_on} 至 {project.ends_on}。"})
    may = set(
        session.scalars(
            select(ProjectWorker.person_id).where(
                ProjectWorker.project_id == project.id,
                ProjectWorker.person_id.in_(list(marks)),
                ProjectWorker.agreement_from <= day,
                ProjectWorker.agreement_to >= day,
            )
        )
    )
    if set(marks) - may:
        raise Invalid("有人员不在册。", {"": "有人员没有实名登记，或者这一天不在用工协议期内，没有保存。"})
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    at = now()
    rows = [
        {
            "project_id": project.id,
            "person_id": person,
            "day": day,
            "hundredths": hundredths,
            "marked_at": at,
            "marked_by": actor_id,
        }
        for person, hundredths in marks.items()
    ]
    if rows:
        statement = insert(AttendanceMark)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["project_id", "person_id", "day"],
                set_={
                    key: getattr(statement.excluded, key) for key in ("hundredths", "marked_at", "marked_by")
                },
            ),
            rows,
        )
    return len(rows)


def marks_between(session: Session, project_id: int, first: date, last: date) -> dict[int, dict[date, int]]:
    """Person → day → hundredths, of the days from the one to the other."""
    found: dict[int, dict[date, int]] = {}
    for person, day, hundredths in session.execute(
        select(AttendanceMark.person_id, AttendanceMark.day, AttendanceMark.hundredths).where(
            AttendanceMark.project_id == project_id, AttendanceMark.day.between(first, last)
        )
    ):
        found.setdefault(person, {})[day] = hundredths
    return found
