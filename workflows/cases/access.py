"""The facts that permissions are asked about, gathered from a case's rows."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.errors import NotFound
from workflows.cases.model import Case, Decision, WorkItem
from workflows.cases.process import Process, process_of
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.model import Department
from workflows.organisations.permissions import CaseFacts, ItemFacts, allowed, require


def item_facts(item: WorkItem) -> ItemFacts:
    return ItemFacts(item.step, item.department_id, item.employer_id, item.claimed_by, item.closed_at is None)


@lru_cache(maxsize=64)
def _lane_kinds(process: Process) -> frozenset[str]:
    kinds = {lane.department for lane in process.lanes.values()}
    return frozenset(kinds | {kind for step in process.steps.values() for kind in step.signatories})


def departments_of(session: Session, case: Case, process: Process) -> frozenset[int]:
    """The offices of the case's lanes, in its township and county."""
    kinds = _lane_kinds(process) - {"employer", "system", "public"}
    codes = {case.division_code, case.division_code[:9], case.county_code}
    return frozenset(
        session.scalars(
            select(Department.id).where(Department.kind.in_(kinds), Department.division_code.in_(codes))
        )
    )


def acted_in(session: Session, case_id: int) -> dict[int, frozenset[str]]:
    """Who decided which steps of a case, over all rounds."""
    acted: dict[int, set[str]] = {}
    for actor_id, step in session.execute(
        select(Decision.actor_id, Decision.step).where(Decision.case_id == case_id).distinct()
    ):
        if actor_id is not None:
            acted.setdefault(actor_id, set()).add(step)
    return {user: frozenset(steps) for user, steps in acted.items()}


def case_facts(session: Session, case: Case, item: WorkItem | None = None) -> CaseFacts:
    """What permissions need to know of a case."""
    process = process_of(session, case.version_id)
    open_items = list(
        session.scalars(select(WorkItem).where(WorkItem.case_id == case.id, WorkItem.closed_at.is_(None)))
    )
    return CaseFacts(
        division_chain=chain_codes(session, case.division_code),
        # an objection is filed under the employer it is about, who must not read it or learn who objected
        employer_id=None if case.parent_id is not None else case.employer_id,
        county_code=case.county_code,
        departments=departments_of(session, case, process),
        item=item_facts(item) if item is not None else None,
        open_items=tuple(item_facts(one) for one in open_items),
        acted=acted_in(session, case.id),
        recallable=is_recallable(session, case, open_items),
        finished=case.finished_at is not None,
        applied=process.config.get("started_by") == "employer",
    )


def is_recallable(session: Session, case: Case, open_items: list[WorkItem]) -> bool:
    """撤回: the last decision is the employer's own, and no office has claimed or decided anything since."""
    if case.submitted_at is None or case.finished_at is not None or not open_items:
        return False
    last = session.scalars(
        select(Decision).where(Decision.case_id == case.id).order_by(Decision.id.desc()).limit(1)
    ).one_or_none()
    if last is None or last.department_id is not None:
        return False
    return all(item.employer_id is None and not _taken(item) for item in open_items)


def _taken(item: WorkItem) -> bool:
    """Whether someone has taken an item. A later round lies with the earlier officer from the start: nobody's act."""
    return item.claimed_by is not None and not (
        item.round > 1 and item.version == 1 and item.claimed_at == item.opened_at
    )


def visible_case(session: Session, actor: Actor, number: str) -> Case:
    """The case of a number, if the actor may see it; otherwise it does not exist for the actor."""
    case = session.scalars(select(Case).where(Case.number == number)).one_or_none()
    if case is None or not allowed(actor, "case.view", case_facts(session, case)):
        raise NotFound("没有找到这个申请，或者您的岗位不能查看。")
    return case


def require_case(
    session: Session, actor: Actor, permission: str, case: Case, item: WorkItem | None = None
) -> CaseFacts:
    """Ask the permission table; raises ``Forbidden`` with its sentence."""
    facts = case_facts(session, case, item)
    require(actor, permission, facts)
    return facts
