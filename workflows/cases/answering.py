"""The form of a step: what it asks, what is known already, what was typed; and how a POST is read.

Pages, the demonstration and the scenarios all come through here, so that one definition judges them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.definition import FormDefinition, Option
from forms.web import Parsed, parse, to_raw
from workflows.base.clock import today
from workflows.cases.attachments import of_step
from workflows.cases.completing import first_signature
from workflows.cases.drafts import typed_so_far
from workflows.cases.facts import CaseView
from workflows.cases.known_values import known_values
from workflows.cases.lists import lists_for
from workflows.cases.model import Case, Decision, WorkItem
from workflows.cases.process import Process, Step, process_of
from workflows.cases.verdicts import current_roster


@dataclass(frozen=True)
class StepForm:
    """Everything a page needs of a step's form.

    :param held: values known already: earlier answers to the same form, what is read from registers, files, the roster.
    :param raw: what to show in the fields: the draft as typed, else the earlier answers, else what is prefilled.
    :param draft: whether ``raw`` is a draft.
    :param signed: in a joint step, what the other office has signed and this one confirms or sends back.
    """

    process: Process
    step: Step
    definition: FormDefinition
    lists: dict[str, tuple[Option, ...]]
    held: dict[str, Any]
    raw: dict[str, list[str]]
    draft: bool
    signed: Decision | None


def step_form(session: Session, case: Case, item: WorkItem) -> StepForm:
    """The form of a work item as it stands."""
    process = process_of(session, case.version_id)
    step = process.step(item.step)
    definition = process.forms[step.form]
    lists = lists_for(session, case, process)
    held = _held(session, case, process, definition, item, lists)
    draft = typed_so_far(session, item)
    return StepForm(
        process=process,
        step=step,
        definition=definition,
        lists=lists,
        held=held,
        raw={**to_raw(definition, held), **draft} if draft is not None else to_raw(definition, held),
        draft=draft is not None,
        signed=first_signature(session, item) if step.joint else None,
    )


def parse_answers(
    session: Session, case: Case, item: WorkItem, raw: Mapping[str, Sequence[str]], outcome: str | None
) -> Parsed:
    """Read a submitted form. In a joint step the second office confirms what was signed: only its word is read."""
    form = step_form(session, case, item)
    if form.signed is not None:
        opinion = " ".join(raw.get("opinion", [])[-1:]).strip()
        values: dict[str, Any] = {"opinion": opinion} if opinion else {}
        return Parsed(values, {key: list(texts) for key, texts in raw.items()}, {}, {})
    return parse(form.definition, raw, today=today(), outcome=outcome, held=form.held, lists=form.lists)


def _held(
    session: Session,
    case: Case,
    process: Process,
    definition: FormDefinition,
    item: WorkItem,
    lists: Mapping[str, Sequence[Option]],
) -> dict[str, Any]:
    step = process.step(item.step)
    held = dict(CaseView.of(session, case, process).answers(step.form))
    if item.department_id is not None:
        # a later round of an office's step begins with an empty opinion, not with the old verdict
        held = {}
    sources = known_values(session, case, definition)
    files: dict[str, list[str]] = {}
    for attachment in of_step(session, item):
        files.setdefault(attachment.material, []).append(str(attachment.id))
    roster = current_roster(session, case.id)
    for section in definition.sections:
        for field in section.fields:
            if field.read_from and field.read_from in sources:
                held[field.key] = sources[field.read_from]
            elif field.prefill in sources and field.key not in held:
                # what may not be chosen is not offered: a unit's township is no village
                offered = lists.get(field.options_from)
                if offered is None or any(one.value == sources[field.prefill] for one in offered):
                    held[field.key] = sources[field.prefill]
            elif field.type == "files":
                held[field.key] = files.get(field.key, [])
            elif field.type == "roster" and roster is not None:
                held[field.key] = str(roster.id)
    return held


def remarks_for(session: Session, case: Case, process: Process, step: Step) -> list[Decision]:
    """The officers' latest words that a returned step must answer: shown beside the fields they name."""
    found = []
    for source in step.config.get("remarks_from", []):
        decision = session.scalars(
            select(Decision)
            .where(Decision.case_id == case.id, Decision.step == source, Decision.outcome != "sent_back")
            .order_by(Decision.id.desc())
            .limit(1)
        ).one_or_none()
        if decision is not None:
            found.append(decision)
    return found


def signatures(session: Session, decision: Decision) -> list[Decision]:
    """A decision and those that other offices signed with it in a joint step, in the order of signing."""
    task = select(WorkItem.task_id).where(WorkItem.id == decision.work_item_id).scalar_subquery()
    return list(
        session.scalars(
            select(Decision)
            .join(WorkItem, WorkItem.id == Decision.work_item_id)
            .where(
                Decision.case_id == decision.case_id,
                Decision.outcome == decision.outcome,
                WorkItem.task_id == task,
                WorkItem.closed_as == "done",
            )
            .order_by(Decision.id)
        )
    )


def remarks_by_field(decisions: Sequence[Decision]) -> dict[str, list[dict[str, str]]]:
    """Field or material → what an officer wrote about it (``problem``, ``action``)."""
    remarks: dict[str, list[dict[str, str]]] = {}
    for decision in decisions:
        for value in decision.answers.values():
            if not isinstance(value, list):
                continue
            for row in value:
                if isinstance(row, dict) and row.get("problem"):
                    remarks.setdefault(str(row.get("field") or "other"), []).append(
                        {"problem": str(row["problem"]), "action": str(row.get("action") or "")}
                    )
    return remarks
