"""Rule tables applied to a case: gather the facts that process.yaml names, run the table, keep what fired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.cases.action import Action
from workflows.cases.facts import CaseView, case_facts_of, fact_title, show_fact, storable
from workflows.cases.model import Case, RuleResult
from workflows.cases.process import Process
from workflows.engine import Decided, decide


@dataclass(frozen=True)
class Reason:
    """One line of the table of reasons: which rule, what it said, on which facts, on which basis."""

    decision: str
    title: str
    conclusion: str
    tone: str
    facts: list[tuple[str, str]]
    citation: str
    annotation: str
    rule_id: str


def evaluate(action: Action, decision_id: str) -> None:
    """Run a table on the whole case and store result, facts and the rules that fired: what the engine calls."""
    view = CaseView.of(action.session, action.case, action.process)
    facts, decided = run(action.process, decision_id, view)
    result = RuleResult(
        case_id=action.case.id,
        decision=decision_id,
        facts=storable(facts),
        outputs=decided.outputs,
        fired=fired_rules(decided),
        evaluated_at=action.at,
    )
    action.session.add(result)
    action.record("rules-applied", (result,), decision=decision_id)


def run(process: Process, decision_id: str, view: CaseView) -> tuple[dict[str, Any], Decided]:
    """The facts a table needs, and what it says of them; nothing is stored."""
    table = process.published.decision(decision_id)
    facts = case_facts_of(process, view, [column.fact for column in table.inputs])
    return facts, decide(table, facts)


def fired_rules(decided: Decided) -> list[dict[str, Any]]:
    """The rules that fired, with citation and reason text, as they are kept and printed."""
    return [
        {"id": rule.id, "citation": rule.citation, "annotation": "；".join(rule.annotations) or rule.note}
        for rule in decided.rules
    ]


def latest_results(session: Session, case_id: int) -> list[RuleResult]:
    """The latest result of each table on a case."""
    newest: dict[str, RuleResult] = {}
    for result in session.scalars(
        select(RuleResult).where(RuleResult.case_id == case_id).order_by(RuleResult.id)
    ):
        newest[result.decision] = result
    return list(newest.values())


def preview(
    session: Session, case: Case, process: Process, answers: Mapping[str, Any], form: str
) -> list[Reason]:
    """The same rules on what is typed so far: the employer sees them before submitting. Nothing is stored.

    A table that counts people waits for the roster, one about what the offices approved for the offices; a question
    nobody has answered is shown as open, not as no.
    """
    view = CaseView.of(session, case, process, answers={form: dict(answers)})
    described = process.config.get("facts", {})
    reasons = []
    for decision_id, raw in process.config.get("decisions", {}).items():
        if raw.get("scope") != "case":
            continue
        inputs = [column.fact for column in process.published.decision(decision_id).inputs]
        sources = {described.get(name, {}).get("from") for name in inputs}
        if "approved" in sources or (view.roster is None and "rows" in sources):
            continue
        facts, decided = run(process, decision_id, view)
        shown = {name: None if _unanswered(described[name], view) else facts[name] for name in facts}
        result = storable(shown), decided.outputs, fired_rules(decided)
        reasons.extend(_reasons(case, process, decision_id, *result))
    return reasons


def _unanswered(spec: Mapping[str, Any], view: CaseView) -> bool:
    return spec["from"] == "answer" and view.answers(spec["form"]).get(spec["field"]) is None


def reasons_of(session: Session, case: Case, process: Process) -> list[Reason]:
    """What the rules said of a case, as it was stored."""
    return [
        reason
        for result in latest_results(session, case.id)
        for reason in _reasons(case, process, result.decision, result.facts, result.outputs, result.fired)
    ]


_TONES = {
    "in_force": "good",
    "eligible": "good",
    "qualifies": "good",
    "lapsed": "bad",
    "not_eligible": "bad",
    "not": "bad",
}


def _reasons(
    case: Case,
    process: Process,
    decision_id: str,
    facts: Mapping[str, Any],
    outputs: Any,
    fired: list[dict[str, Any]],
) -> list[Reason]:
    decision = process.config["decisions"][decision_id]
    result = outputs.get("result", "") if isinstance(outputs, dict) else ""
    titles = decision.get("titles", {})
    shown = [(fact_title(process, name), show_fact(process, name, value)) for name, value in facts.items()]
    return [
        Reason(
            decision=decision_id,
            title=decision["title"],
            conclusion=str(titles.get(result, {}).get("title", result))
            if isinstance(titles.get(result), dict)
            else str(titles.get(result, rule["annotation"])),
            tone=decision.get("tones", {}).get(result) or _TONES.get(str(result), "wait"),
            facts=shown,
            citation=_cited(case, process, rule["citation"]),
            annotation=rule["annotation"],
            rule_id=rule["id"],
        )
        for rule in fired
    ]


def _cited(case: Case, process: Process, citation: str) -> str:
    """An article, and the county's successor by which it still holds when the process's own basis has lapsed."""
    basis = case.rules.get("basis")
    if not basis or basis.get("id") in {one["id"] for one in process.config.get("basis", [])}:
        return citation
    return f"{citation}（按{basis['number']}沿用）"
