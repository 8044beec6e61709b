"""What is worth a second look before something is handed in: it warns, and stops nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from forms.answers import empty
from forms.definition import FormDefinition
from forms.text import message
from workflows.cases.answering import remarks_for
from workflows.cases.filling import Filling
from workflows.cases.model import Decision, WorkItem
from workflows.cases.verdicts import current_roster

#: The check of a form's field whose number should be that of the people on the roster.
ROSTER_COUNT = "roster_count"


def counts_apart(definition: FormDefinition, answers: Mapping[str, Any], people: int) -> dict[str, str]:
    """Field → what is said there and on the roster, for numbers of people that should be the roster's and are not.

    :param people: how many stand on the roster.
    """
    return {
        one.key: f"“{one.label}”填的是 {answers[one.key]} 人，花名册上有 {people} 人"
        for one in definition.fields
        if ROSTER_COUNT in one.checks and answers.get(one.key) not in (None, people)
    }


def warnings(found: Filling) -> dict[str, str]:
    """Field → message, for what is typed in an employer's step."""
    roster = current_roster(found.session, found.item.case_id)
    if roster is None:
        return {}
    apart = counts_apart(found.definition, found.values, roster.total)
    return {key: message("与花名册人数不一致", said, "请核对，改正填错的一处") for key, said in apart.items()}


def unchanged(found: Filling, outcome: str = "") -> bool:
    """Whether a step that was sent back with remarks would be handed in just as it was: answers, roster and files.

    :param outcome: the way on that was chosen, once it is.
    """
    session, case = found.session, found.case
    if not remarks_for(session, case, found.process, found.step):
        return False
    before = session.scalars(
        select(Decision)
        .join(WorkItem, WorkItem.id == Decision.work_item_id)
        .where(
            Decision.case_id == case.id,
            Decision.form == found.step.form,
            Decision.department_id.is_(None),
            WorkItem.closed_as != "withdrawn",  # what was taken back, no office compares with
        )
        .order_by(Decision.id.desc())
        .limit(1)
    ).one_or_none()
    if before is None or outcome not in ("", before.outcome):
        return False
    added = any(one.removable for files in found.all_files.values() for one in files)
    roster = current_roster(session, case.id)
    other_roster = roster is not None and roster.uploaded_at > before.decided_at
    return not added and not other_roster and _same_answers(found, before)


def _same_answers(found: Filling, before: Decision) -> bool:
    now = found.checked().values
    asked = [
        one.key
        for section in found.sections
        for one in section.fields
        if not one.read_from and one.type not in ("roster", "files")
    ]
    return all(_plain(now.get(key)) == _plain(before.answers.get(key)) for key in asked)


def _plain(value: Any) -> Any:
    return None if empty(value) else value
