"""What projects have paid, still owe and have under way, out of the rows: for rules, papers and the overview alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflows.cases.model import Case
from workflows.cases.slip_model import PaySlip
from workflows.funds.model import Payable, Recovery
from workflows.registers.grant_model import Grant
from workflows.registers.project_model import Project
from workflows.registers.projects import ratio_base_of, worker_counts


@dataclass(frozen=True)
class ProjectFigures:
    """Amounts in whole fen; ``ratio`` in hundredths of a percent of the project's own base, rounded down.

    :param paid_fen: labour pay that banks have confirmed, what was recovered left out.
    :param owed_fen: approved and not confirmed yet. :param owed_people: rows of that.
    :param under_way: payrolls handed in or being filled in, not finished.
    :param disputed: rows that a worker disputed and that no later payroll of the same month has paid.
    :param recovering: payments that are demanded back and have not come.
    :param people: registered workers. :param poor: of whom 脱贫人口 and 监测对象.
    """

    paid_fen: int = 0
    owed_fen: int = 0
    owed_people: int = 0
    under_way: int = 0
    disputed: int = 0
    recovering: int = 0
    people: int = 0
    poor: int = 0
    ratio: int = 0

    @property
    def open(self) -> int:
        """How much is not settled: rows owed, in dispute or demanded back, and cases under way."""
        return self.owed_people + self.under_way + self.disputed + self.recovering


def ratio_of(paid_fen: int, base_fen: int) -> int:
    """The share in hundredths of a percent, rounded down: 29.999 % does not reach 30 %."""
    return paid_fen * 10_000 // base_fen if base_fen else 0


def planned_below(answers: Mapping[str, Any]) -> bool | None:
    """Whether the labour pay that a project's form plans is below the share it requires; ``None`` while it is not filled in."""
    try:
        sums = {key: int(answers.get(key) or 0) for key in ("central_fen", "local_fen", "construction_fen")}
        base = ratio_base_of(sums, str(answers["ratio_base"]))
        required = int(Decimal(str(answers["required_ratio"])) * 100)
        planned = int(answers["planned_labour_fen"])
    except (KeyError, ArithmeticError):
        return None
    return base <= 0 or ratio_of(planned, base) < required


def figures_of(
    session: Session, project_ids: Sequence[int], *, but_case: int | None = None
) -> dict[int, ProjectFigures]:
    """The figures of some projects, in seven statements for all of them.

    :param but_case: a case that does not count as under way: the one that asks.
    """
    bases = dict(
        session.execute(select(Project.id, Project.ratio_base_fen).where(Project.id.in_(project_ids))).all()
    )
    sums: dict[tuple[int, str], tuple[int, int]] = {}
    for project, state, number, fen in session.execute(
        select(Case.project_id, Payable.state, func.count(), func.sum(Payable.amount_fen))
        .join(Payable, Payable.case_id == Case.id)
        .where(Case.project_id.in_(project_ids))
        .group_by(Case.project_id, Payable.state)
    ):
        sums[int(project or 0), state] = (int(number), int(fen))
    running = dict(
        session.execute(
            select(Case.project_id, func.count())
            .where(
                Case.project_id.in_(project_ids),
                Case.finished_at.is_(None),
                Case.id != (but_case or 0),
            )
            .group_by(Case.project_id)
        ).all()
    )
    workers = worker_counts(session, project_ids)
    disputed = _disputed(session, project_ids)
    recovering = dict(
        session.execute(
            select(Case.project_id, func.count())
            .join(Payable, Payable.case_id == Case.id)
            .join(Recovery, Recovery.payable_id == Payable.id)
            .where(Case.project_id.in_(project_ids), Recovery.state.in_(("decided", "demanded")))
            .group_by(Case.project_id)
        ).all()
    )
    found = {}
    for project in project_ids:
        paid = sums.get((project, "paid"), (0, 0))[1]
        owed = [sums.get((project, state), (0, 0)) for state in ("reserved", "ready", "released", "bounced")]
        people, poor = workers.get(project, (0, 0))
        found[project] = ProjectFigures(
            paid_fen=paid,
            owed_fen=sum(fen for _, fen in owed),
            owed_people=sum(number for number, _ in owed),
            under_way=int(running.get(project, 0)),
            disputed=disputed.get(project, 0),
            recovering=int(recovering.get(project, 0)),
            people=people,
            poor=poor,
            ratio=ratio_of(paid, bases.get(project, 0)),
        )
    return found


def _disputed(session: Session, project_ids: Sequence[int]) -> dict[int, int]:
    """Project → months of workers that were set apart for a dispute and have not been paid since.

    The slot of the disputed row names project, month and batch (``grant.scope``); a paid slot of the same person in
    another batch of that month settles it.
    """
    open_rows = session.execute(
        select(Case.project_id, Grant.person_id, Grant.scope)
        .join(PaySlip, PaySlip.case_id == Case.id)
        .join(Grant, (Grant.case_id == Case.id) & (Grant.row_id == PaySlip.row_id))
        .where(
            Case.project_id.in_(project_ids),
            Case.finished_at.is_not(None),
            PaySlip.state == "disputed",
            Grant.state == "freed",
        )
    ).all()
    wanted = {(int(project or 0), person, month_of_scope(scope)) for project, person, scope in open_rows}
    if not wanted:
        return {}
    paid = {
        (person, month_of_scope(scope))
        for person, scope in session.execute(
            select(Grant.person_id, Grant.scope).where(
                Grant.person_id.in_({person for _, person, _ in wanted}), Grant.state == "paid"
            )
        )
    }
    found: dict[int, int] = {}
    for project, person, month in wanted:
        if (person, month) not in paid:
            found[project] = found.get(project, 0) + 1
    return found


def month_of_scope(scope: str) -> str:
    """Project and month of a slot for labour pay: what stands before the batch."""
    return scope.rsplit("/", 1)[0]
