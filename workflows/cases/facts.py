"""Facts of a case for its rule tables, gathered as process.yaml says: no process has Python of its own here.

``facts:`` name → ``from``: ``submitted_on`` | ``basis`` | ``rows`` | ``answer`` | ``parameter`` | ``workshop`` | ``constant`` |
``decision`` | ``fund`` | ``approved`` | ``exceeds`` | ``payables``.
The grammar stands in docs/adding-a-process.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflows.base.clock import local, today
from workflows.base.errors import CatalogueError
from workflows.cases.approving import approved
from workflows.cases.model import Case, Decision
from workflows.cases.process import Process
from workflows.cases.project_figures import ProjectFigures, figures_of, planned_below
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.verdicts import confirmed_rows, current_roster, lifted_rows, refused_rows
from workflows.engine import decide
from workflows.funds.appropriations import enabled
from workflows.funds.payables import owed_by
from workflows.registers.grant_model import Grant
from workflows.registers.model import Workshop
from workflows.registers.project_model import Project


@dataclass
class CaseView:
    """What facts are read from: the case's rows, or what somebody is typing."""

    session: Session
    case: Case
    process: Process
    #: Form → answers that stand in for those of the decisions (a draft).
    typed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        session: Session,
        case: Case,
        process: Process,
        answers: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> CaseView:
        return cls(session, case, process, answers or {})

    def answers(self, form: str) -> Mapping[str, Any]:
        """The latest answers to a form (or step)."""
        if form in self.typed:
            return self.typed[form]
        return self._stored(form)

    def _stored(self, form: str) -> Mapping[str, Any]:
        if form not in self._answers:
            column = (
                Decision.step
                if form in self.process.steps and form not in self.process.forms
                else Decision.form
            )
            row = self.session.scalars(
                select(Decision)
                .where(Decision.case_id == self.case.id, column == form)
                .order_by(Decision.id.desc())
                .limit(1)
            ).one_or_none()
            self._answers[form] = dict(row.answers) if row else {}
        return self._answers[form]

    @cached_property
    def _answers(self) -> dict[str, Mapping[str, Any]]:
        return {}

    @cached_property
    def roster(self) -> Roster | None:
        return current_roster(self.session, self.case.id)

    @cached_property
    def row_results(self) -> dict[str, int]:
        """Result of the row rules → how many rows, with the offices' words applied.

        A row that some office refused counts as ``refused`` of process.yaml's ``row_result``; one that the rules left
        open and that an office confirmed counts as what it is confirmable to.
        """
        if self.roster is None:
            return {}
        described = self.process.config.get("row_result", {})
        refused = refused_rows(self.roster.id)
        counts: dict[str, int] = {}
        for result, number in self.session.execute(
            select(RosterRow.result, func.count())
            .where(RosterRow.roster_id == self.roster.id, RosterRow.id.not_in(refused))
            .group_by(RosterRow.result)
        ):
            counts[result] = counts.get(result, 0) + number
        out = self.roster.total - sum(counts.values())
        if out and described.get("refused"):
            counts[described["refused"]] = counts.get(described["refused"], 0) + out
        open_result, good = described.get("confirmable"), described.get("counts")
        if open_result and good and counts.get(open_result):
            confirmed = (
                self.session.scalar(
                    select(func.count())
                    .select_from(RosterRow)
                    .where(
                        RosterRow.roster_id == self.roster.id,
                        RosterRow.result == open_result,
                        RosterRow.id.in_(confirmed_rows(self.roster.id)),
                        RosterRow.id.not_in(refused),
                    )
                )
                or 0
            )
            counts[open_result] -= confirmed
            counts[good] = counts.get(good, 0) + confirmed
        held = described.get("held")
        if held and good and counts.get(held["result"]):
            lifted = (
                self.session.scalar(
                    select(func.count())
                    .select_from(RosterRow)
                    .where(
                        RosterRow.roster_id == self.roster.id,
                        RosterRow.result == held["result"],
                        RosterRow.id.not_in(refused),
                        *(
                            RosterRow.id.in_(lifted_rows(self.roster.id, office))
                            for office in held["offices"]
                        ),
                    )
                )
                or 0
            )
            counts[held["result"]] -= lifted
            counts[good] = counts.get(good, 0) + lifted
        return counts

    @cached_property
    def approved(self) -> list[Grant]:
        """What 复核 would approve as the offices' words stand now."""
        return approved(self.session, self.case, self.process)[0]

    @cached_property
    def project(self) -> Project | None:
        return self.session.get(Project, self.case.project_id) if self.case.project_id else None

    @cached_property
    def project_figures(self) -> ProjectFigures:
        """What the project has paid, owes and has under way, this case left out of what is under way."""
        return figures_of(self.session, [self.case.project_id or 0], but_case=self.case.id)[
            self.case.project_id or 0
        ]

    @cached_property
    def workshop(self) -> Workshop | None:
        return self.session.get(Workshop, self.case.workshop_id) if self.case.workshop_id else None


def submitted_on(case: Case) -> date:
    """The day a case was submitted, or today while it is a draft."""
    return local(case.submitted_at).date() if case.submitted_at else today()


def storable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON keeps them: dates as ISO text, decimals as text."""
    return {
        name: value if value is None or isinstance(value, str | int | bool) else str(value)
        for name, value in facts.items()
    }


def case_facts_of(process: Process, view: CaseView, names: Iterable[str]) -> dict[str, Any]:
    """The named facts, typed as their table wants them."""
    described = process.config.get("facts", {})
    found = {}
    for name in names:
        if name not in described:
            raise CatalogueError([f"process.yaml：facts 中没有“{name}”，规则表需要它。"])
        found[name] = _fact(described[name], view)
    return found


def _fact(spec: Mapping[str, Any], view: CaseView) -> Any:
    source = spec["from"]
    if source == "submitted_on":
        return submitted_on(view.case)
    if source == "basis":
        basis = view.case.rules.get("basis")
        listed = {one["id"] for one in view.process.config.get("basis", [])}
        if spec.get("is") == "successor":
            return basis is not None and basis.get("id") not in listed
        return basis is not None
    if source == "rows":
        return sum(view.row_results.get(result, 0) for result in spec["in"])
    if source == "answer":
        value = view.answers(spec["form"]).get(spec["field"])
        return spec.get("default") if value is None else value
    if source == "parameter":
        return view.case.rules["parameters"][spec["key"]]["value"]
    if source == "workshop":
        return getattr(view.workshop, spec["field"], spec.get("default"))
    if source == "project":
        return getattr(view.project, spec["field"], spec.get("default"))
    if source == "project_figure":
        return getattr(view.project_figures, spec["of"])
    if source == "planned_share":
        return planned_below(view.answers(spec["form"]))
    if source == "constant":
        return spec["value"]
    if source == "decision":
        table = view.process.published.decision(spec["decision"])
        inner = case_facts_of(view.process, view, [column.fact for column in table.inputs])
        return decide(table, inner).outputs[spec["output"]]
    if source == "fund":
        return bool(enabled(view.session, view.case.county_code, view.process.key, submitted_on(view.case)))
    if source == "approved":
        return len(view.approved) if spec["of"] == "count" else sum(one.amount_fen for one in view.approved)
    if source == "exceeds":
        of, than = _fact(spec["of"], view), _fact(spec["than"], view)
        return of is not None and than is not None and of > than
    if source == "payables":
        people, fen = owed_by(view.session, view.case.id)
        return people if spec["of"] == "count" else fen
    raise CatalogueError([f"process.yaml：facts 不认识来源“{source}”。"])


def fact_title(process: Process, name: str) -> str:
    """A fact's Chinese name."""
    for group in ("facts", "row_facts"):
        described = process.config.get(group, {}).get(name)
        if described:
            return str(described["title"])
    return name


def show_fact(process: Process, name: str, value: Any) -> str:
    """A fact as a person reads it: with its unit, yes and no in words, days written out, fen as 元."""
    for group in ("facts", "row_facts"):
        described = process.config.get(group, {}).get(name)
        if not described:
            continue
        labels = described.get("labels", {})
        if value is None:
            return "未填"
        if isinstance(value, bool):
            return "是" if value else "否"
        if str(value) in labels:
            return str(labels[str(value)])
        if described.get("type") == "date":
            day = date.fromisoformat(str(value))
            return f"{day.year}年{day.month}月{day.day}日"
        unit = described.get("unit", "")
        if unit == "分":
            return f"{int(value) // 100:,}.{int(value) % 100:02d} 元"
        return f"{value} {unit}".strip()
    return str(value)
