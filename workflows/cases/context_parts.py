"""The larger parts of a document's context: opinions, reasons, the application, the roster, defects, facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from forms.show import display
from workflows.base.clock import local
from workflows.base.privacy import mask_id
from workflows.cases.action import Action
from workflows.cases.facts import CaseView, show_fact
from workflows.cases.lists import lists_for
from workflows.cases.model import Decision
from workflows.cases.roster_model import RosterRow
from workflows.cases.rules import reasons_of
from workflows.cases.verdicts import refused_rows

#: A printed roster stops here; the file in the case holds all rows.
PRINTED_ROWS = 500


def _latest(action: Action, step: str, department: str | None = None) -> list[Decision]:
    """The decisions of a step's latest round: one, or one for each office that signed."""
    decisions = list(
        action.session.scalars(
            select(Decision)
            .where(Decision.case_id == action.case.id, Decision.step == step, Decision.outcome != "sent_back")
            .order_by(Decision.id.desc())
        )
    )
    if not decisions:
        return []
    task = decisions[0].work_item.task_id
    found: dict[int | None, Decision] = {}
    for decision in decisions:
        if decision.work_item.task_id == task:
            found.setdefault(decision.department_id, decision)
    return [
        decision
        for decision in reversed(list(found.values()))
        if department is None or (decision.department is not None and decision.department.kind == department)
    ]


def opinions(action: Action, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The boxes of the 审批表, in the order of process.yaml; ``by_hand`` ones are left to be signed."""
    boxes: list[dict[str, Any]] = []
    for box in config.get("opinions", []):
        empty = {"title": box["title"], "office": "", "outcome": "", "text": "", "name": "", "date": ""}
        if box.get("by_hand"):
            boxes.append(empty)
            continue
        for decision in _latest(action, box["step"], box.get("department")):
            boxes.append(
                {
                    "title": box["title"],
                    "office": decision.department.name if decision.department else "",
                    "outcome": action.process.outcome_label(decision.form, decision.outcome),
                    "text": decision.opinion,
                    "name": decision.actor.name if decision.actor else "",
                    "date": local(decision.decided_at).date().isoformat(),
                }
            )
    return boxes


def reasons(action: Action, config: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rules that fired, each with its article."""
    return [
        {
            "rule": reason.title,
            "conclusion": reason.conclusion,
            "facts": "；".join(f"{title}：{value}" for title, value in reason.facts),
            "basis": reason.citation,
            "rule_id": reason.rule_id,
        }
        for reason in reasons_of(action.session, action.case, action.process)
    ]


def application(action: Action, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every field of the employer's form, in its sections, as a person reads it."""
    first = next(step for step in action.process.steps.values() if step.lane == "employer")
    definition = action.process.forms[first.form]
    answers = CaseView.of(action.session, action.case, action.process).answers(first.form)
    groups = []
    lists = lists_for(action.session, action.case, action.process)
    for section in definition.sections:
        fields = [
            {"label": field.label, "value": display(field, answers[field.key], lists=lists)}
            for field in section.fields
            if answers.get(field.key) is not None and field.type not in ("roster", "files", "defects")
        ]
        if fields:
            groups.append({"group": section.title, "fields": fields})
    return groups


def roster(action: Action, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The people of the current roster, masked, with what the rules and the offices said of each."""
    view = CaseView.of(action.session, action.case, action.process)
    definition = action.process.roster
    if view.roster is None or definition is None:
        return []
    described = action.process.config.get("row_result", {})
    columns = action.process.config.get("printed_columns", {})
    refused = set(action.session.scalars(refused_rows(view.roster.id)))
    rows = action.session.scalars(
        select(RosterRow)
        .where(RosterRow.roster_id == view.roster.id)
        .order_by(RosterRow.number)
        .limit(PRINTED_ROWS)
    )
    known = {column.key: column for column in definition.columns}

    def text(row: RosterRow, key: str) -> str:
        column = columns.get(key, key)
        value = row.values.get(column)
        return display(known[column], value) if column in known and value is not None else ""

    return [
        {
            "name": str(row.values.get(definition.name_column or "name", "")),
            "id_number": mask_id(str(row.values.get(columns.get("id_number", "id_number"), ""))),
            "identity": text(row, "identity"),
            "village": text(row, "village"),
            "job": text(row, "job"),
            "contract": "至".join(
                part for part in (text(row, "contract_from"), text(row, "contract_to")) if part
            ),
            "income": int(row.facts.get("annual_income_fen") or 0),
            "result": described.get("titles", {}).get(
                described.get("refused", "") if row.id in refused else row.result, row.result
            ),
        }
        for row in rows
    ]


def listed(action: Action, config: Mapping[str, Any]) -> dict[str, Any]:
    """The people of the roster in the columns that ``listed`` of the paper names: ``{title, column}`` or ``{title, fact}``.

    Numbers and cards are masked; the offices' refusals are said in a last column.
    """
    view = CaseView.of(action.session, action.case, action.process)
    definition = action.process.roster
    wanted = config.get("listed", [])
    headings = [*(str(one["title"]) for one in wanted), "结论"]
    if view.roster is None or definition is None:
        return {"headings": headings, "rows": []}
    known = {column.key: column for column in definition.columns}
    lists = lists_for(action.session, action.case, action.process)
    described = action.process.config.get("row_result", {})
    refused = set(action.session.scalars(refused_rows(view.roster.id)))

    def cell(row: RosterRow, one: Mapping[str, Any]) -> str:
        if "fact" in one:
            return show_fact(action.process, one["fact"], row.facts.get(one["fact"]))
        value = row.values.get(one["column"])
        return display(known[one["column"]], value, lists=lists) if value is not None else ""

    def result(row: RosterRow) -> str:
        key = described.get("refused", "") if row.id in refused else row.result
        return str(described.get("titles", {}).get(key, key))

    rows = action.session.scalars(
        select(RosterRow)
        .where(RosterRow.roster_id == view.roster.id)
        .order_by(RosterRow.number)
        .limit(PRINTED_ROWS)
    )
    return {
        "headings": headings,
        "rows": [{"cells": [*(cell(row, one) for one in wanted), result(row)]} for row in rows],
    }


def summary(action: Action, config: Mapping[str, Any]) -> list[dict[str, str]]:
    """The roster in numbers."""
    view = CaseView.of(action.session, action.case, action.process)
    titles = action.process.config.get("row_result", {}).get("titles", {})
    total = view.roster.total if view.roster else 0
    lines = [{"label": "花名册人数", "value": f"{total}人"}]
    lines += [{"label": titles[key], "value": f"{view.row_results.get(key, 0)}人"} for key in titles]
    return lines


def defects(action: Action, config: Mapping[str, Any]) -> list[dict[str, str]]:
    """The list of defects an officer named, with the words of the form or material each is about."""
    source = config.get("defects_from")
    if not source:
        return []
    rows = [
        row
        for step in source.get("steps", [source["step"]])
        for decision in _latest(action, step)[-1:]
        for row in decision.answers.get(source["field"]) or []
    ]
    return [
        {
            "item": defect_place(action, str(row.get("field", ""))),
            "problem": str(row.get("problem", "")),
            "action": str(row.get("action", "") or "请改正后重新提交。"),
        }
        for row in rows
    ]


def defect_place(action: Action, key: str) -> str:
    """What a defect's ``field`` names: a material, a field of some form, or itself."""
    for material in action.process.materials:
        if material["key"] == key:
            return str(material["title"])
    for form in action.process.forms.values():
        for section in form.sections:
            for field in section.fields:
                if field.key == key:
                    return field.label
    return {"": "其他", "roster": "花名册", "other": "其他"}.get(key, key)


def facts(action: Action, config: Mapping[str, Any]) -> list[str]:
    """Established facts, a sentence each, from the answers that process.yaml names."""
    sentences: list[str] = []
    for source in config.get("facts_from", []):
        found = _latest(action, source["step"])
        if not found:
            continue
        decision = found[-1]
        value = decision.opinion if source["field"] == "opinion" else decision.answers.get(source["field"])
        for line in str(value or "").splitlines():
            if line.strip() and line.strip() not in sentences:
                sentences.append(line.strip())
    return sentences or ["（见审查意见）"]
