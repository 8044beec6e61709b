"""What a form shows or offers without asking: the names that ``read_from`` and ``prefill`` of its fields may use.

=========================  =============================================================================
``employer.COLUMN``        the employer's entry in the register
``project.COLUMN``         the project's entry in the register
``case.number``            the case's number
``parameter.KEY``          a parameter as it was when the case began; ``parameter.KEY.basis`` its authority
``decision.TABLE.NAME``    an output of a table's latest run on this case, or a fact that it was run on
=========================  =============================================================================

A question whose ``show_if`` names such a field is asked only when a rule says so: 复核 asks for the office meeting only
above the county's threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.definition import FormDefinition
from workflows.cases.model import Case, RuleResult
from workflows.engine import Decision
from workflows.registers.model import Employer
from workflows.registers.project_model import Project

EMPLOYER_COLUMNS = (
    "name",
    "credit_code",
    "kind",
    "legal_representative",
    "contact_name",
    "contact_phone",
    "address",
    "division_code",
)
PROJECT_COLUMNS = (
    "number",
    "name",
    "villages",
    "ratio_basis",
    "plan_document",
    "fund_document",
    "supervision_phone",
    "wage_bank",
)


def known_values(session: Session, case: Case, definition: FormDefinition) -> dict[str, Any]:
    """Source → value, of the sources that a form names; those that nobody has filled yet are left out."""
    found: dict[str, Any] = {}
    results: dict[str, RuleResult | None] = {}
    for name in sorted(_named(definition)):
        kind, _, rest = name.partition(".")
        if kind == "case":
            found[name] = case.number
        elif kind == "employer" and case.employer_id is not None:
            found[name] = getattr(session.get_one(Employer, case.employer_id), rest)
        elif kind == "project" and case.project_id is not None:
            found[name] = getattr(session.get_one(Project, case.project_id), rest)
        elif kind == "parameter":
            key, _, part = rest.partition(".")
            found[name] = case.rules["parameters"][key]["basis" if part else "value"]
        elif kind == "decision":
            table, _, value = rest.partition(".")
            if table not in results:
                results[table] = _latest(session, case.id, table)
            result = results[table]
            if result is not None:
                found[name] = {**result.facts, **result.outputs}.get(value)
    return found


def unknown_sources(
    definition: FormDefinition, config: Mapping[str, Any], decisions: Mapping[str, Decision]
) -> list[str]:
    """What is wrong with the sources that a form names, each as a Chinese sentence.

    :param config: process.yaml.
    :param decisions: the process's tables, by id.
    """
    problems = []
    for name in sorted(_named(definition)):
        kind, _, rest = name.partition(".")
        first, _, second = rest.partition(".")
        if kind == "case":
            known = rest == "number"
        elif kind == "employer":
            known = rest in EMPLOYER_COLUMNS
        elif kind == "project":
            known = rest in PROJECT_COLUMNS
        elif kind == "parameter":
            known = first in config.get("parameters", {}) and second in ("", "basis")
        else:
            known = kind == "decision" and first in decisions and second in _values_of(decisions[first])
        if not known:
            problems.append(f"{definition.file}：没有“{name}”这个来源，请检查 read_from 和 prefill")
    return problems


def _values_of(table: Decision) -> set[str]:
    return {column.fact for column in table.inputs} | {column.name for column in table.outputs}


def _named(definition: FormDefinition) -> set[str]:
    return {name for one in definition.fields for name in (one.read_from, one.prefill) if name}


def _latest(session: Session, case_id: int, table: str) -> RuleResult | None:
    return session.scalars(
        select(RuleResult)
        .where(RuleResult.case_id == case_id, RuleResult.decision == table)
        .order_by(RuleResult.id.desc())
        .limit(1)
    ).one_or_none()
