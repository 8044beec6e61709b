"""What papers of 以工代赈 say: the project, the pay table row by row, what a close-out comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from forms.amounts import hundredths, yuan
from workflows.base.privacy import mask_account, mask_id
from workflows.cases import days
from workflows.cases.action import Action
from workflows.cases.facts import CaseView, case_facts_of, show_fact
from workflows.cases.model import Case
from workflows.cases.process import process_of
from workflows.cases.project_figures import figures_of
from workflows.cases.roster_model import RosterRow
from workflows.cases.slip_model import SLIP_STATES, PaySlip
from workflows.funds.model import Payable
from workflows.registers.grant_model import Grant
from workflows.registers.project_model import PAY_MODES, RATIO_BASES, Project
from workflows.registers.projects import project_of


def _project(action: Action) -> Project:
    return project_of(action.session, action.case.project_id or 0)


def project(action: Action, config: Mapping[str, Any]) -> dict[str, Any]:
    """The project's head, as its fund document and its registration say it. Amounts in fen, shares as printed."""
    one = _project(action)
    return {
        "name": one.name,
        "number": one.number,
        "plan_document": one.plan_document,
        "fund_document": one.fund_document,
        "central": one.central_fen,
        "local": one.local_fen,
        "planned_labour": one.planned_labour_fen,
        "ratio": f"{hundredths(one.required_ratio)}%",
        "ratio_base": RATIO_BASES[one.ratio_base],
        "ratio_base_amount": one.ratio_base_fen,
        "ratio_basis": one.ratio_basis,
        "owner": one.owner.name,
        "contractor": one.contractor.name,
        "villages": one.villages,
        "wage_account": mask_account(one.wage_account),
        "wage_bank": one.wage_bank,
        "supervision_phone": one.supervision_phone,
        "starts_on": one.starts_on.isoformat(),
        "ends_on": one.ends_on.isoformat(),
    }


def month(action: Action, config: Mapping[str, Any]) -> str:
    """The month a payroll is for, as 2026年5月."""
    found = days.month_of(CaseView.of(action.session, action.case, action.process))
    return f"{found[0]}年{found[1]}月" if found else ""


def month_and_batch(session: Session, case: Case) -> tuple[str, str]:
    """What a payroll is for, as people say it: 2026年5月, 本月工资."""
    process = process_of(session, case.version_id)
    view = CaseView.of(session, case, process)
    found = days.month_of(view)
    batch = show_fact(process, "batch", case_facts_of(process, view, ["batch"])["batch"])
    return f"{found[0]}年{found[1]}月" if found else "", batch


def pay_rows(action: Action, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The pay table: everybody who is paid by this case, in the order of the sheet, with what art. 15 asks for."""
    living: dict[int | None, int] = dict(
        action.session.execute(
            select(Grant.row_id, Grant.amount_fen).where(
                Grant.case_id == action.case.id, Grant.state.in_(("claimed", "approved", "paid"))
            )
        ).all()
    )
    said = dict(
        action.session.execute(
            select(PaySlip.row_id, PaySlip.state).where(
                PaySlip.case_id == action.case.id, PaySlip.state != "void"
            )
        ).all()
    )
    rows = [
        row
        for start in range(0, len(living), 5_000)
        for row in action.session.execute(
            select(RosterRow.id, RosterRow.number, RosterRow.values, RosterRow.facts).where(
                RosterRow.id.in_(list(living)[start : start + 5_000])
            )
        )
    ]
    return [
        pay_row(row, living[row.id], SLIP_STATES.get(said.get(row.id, ""), ""))
        for row in sorted(rows, key=lambda row: row.number)
    ]


def pay_row(row: RosterRow | Row[Any], net_fen: int, said: str) -> dict[str, Any]:
    """One line of a pay table. Amounts in fen; numbers and cards masked."""
    values, facts = row.values, row.facts
    mode = str(values.get("pay_mode", ""))
    units = facts.get("units")
    return {
        "name": str(values.get("name", "")),
        "id_number": mask_id(str(values.get("id_number", ""))),
        "job": str(values.get("job", "")),
        "mode": PAY_MODES.get(mode, ""),
        "units": str(units if units is not None else ""),
        "rate": int(values.get("rate") or 0),
        "overtime": int(facts.get("overtime_fen") or 0),
        "gross": int(facts.get("gross_fen") or 0),
        "deductions": int(facts.get("deductions_fen") or 0),
        "deducted": deducted(values),
        "net": net_fen,
        "card": mask_account(str(values.get("card", ""))),
        "changed": str(values.get("hand_reason") or ""),
        "said": said,
    }


def closeout(action: Action, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a project comes to: paid, share, people, months. Amounts in fen, the share as printed."""
    one = _project(action)
    figures = figures_of(action.session, [one.id], but_case=action.case.id)[one.id]
    return {
        "paid": figures.paid_fen,
        "ratio": f"{hundredths(figures.ratio)}%",
        "owed": figures.owed_fen,
        "disputed": figures.disputed,
        "people": figures.people,
        "poor": figures.poor,
    }


def payrolls(action: Action, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every payroll of the project that paid somebody, in order: month, batch, people, fen."""
    found = []
    for case, people, fen in action.session.execute(
        select(Case, func.count(), func.sum(Payable.amount_fen))
        .join(Payable, Payable.case_id == Case.id)
        .where(Case.project_id == action.case.project_id, Payable.state == "paid")
        .group_by(Case.id)
        .order_by(Case.id)
    ):
        paid_for, batch = month_and_batch(action.session, case)
        found.append(
            {
                "month": paid_for,
                "batch": batch,
                "number": case.number,
                "people": int(people),
                "amount": int(fen),
            }
        )
    return found


#: Column of a deduction → what it is called.
DEDUCTIONS = {"social_fen": "社会保险", "tax_fen": "个人所得税", "advance_fen": "借支"}


def deducted(values: Mapping[str, Any]) -> str:
    """What was deducted, each by its name, in 元."""
    named = [(title, values.get(key)) for key, title in DEDUCTIONS.items()]
    named.append((str(values.get("other_name") or "其他"), values.get("other_fen")))
    return "、".join(f"{title} {yuan(int(fen))}" for title, fen in named if fen)


PROVIDERS = {
    "project": project,
    "month": month,
    "pay_rows": pay_rows,
    "closeout": closeout,
    "payrolls": payrolls,
}
