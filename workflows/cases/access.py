"""The facts that permissions are asked about, gathered from a case's rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.errors import NotFound
from workflows.cases.model import Case, Decision, WorkItem
from workflows.cases.offices import LEAD, OWNER, lead_of, offices_of
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
    places = session.scalars(
        select(Department.id).where(
            Department.kind.in_(kinds - {OWNER, LEAD}), Department.division_code.in_(codes)
        )
    )
    return frozenset([*places, *offices_of(session, case, kinds & {OWNER, LEAD}).values()])


def acted_in(session: Session, case_id: int) -> dict[int, frozenset[str]]:
    """Who decided which steps of a case, over all rounds."""
    acted: dict[int, set[str]] = {}
    for actor_id, step in session.execute(
        select(Decision.actor_id, Decision.step).where(Decision.case_id == case_id).distinct()
    ):
        if actor_id is not None:
            acted.setdefault(actor_id, set()).add(step)
    return {user: frozenset(steps) for user, steps in acted.items()}


class _FactsOnDemand(CaseFacts):
    """Facts of a case that ask the database when a predicate asks them: most permissions ask for one or two."""

    _session: Session
    _case: Case

    def __init__(self, session: Session, case: Case, item: WorkItem | None) -> None:
        # Written past the frozen base's constructor, which would put its defaults where the properties below answer.
        self.__dict__.update(
            _session=session,
            _case=case,
            # an objection is filed under the employer it is about, who must not read it or learn who objected
            employer_id=None if case.parent_id is not None else case.employer_id,
            county_code=case.county_code,
            item=item_facts(item) if item is not None else None,
            finished=case.finished_at is not None,
        )

    @cached_property
    def division_chain(self) -> tuple[str, ...]:
        return chain_codes(self._session, self._case.division_code)

    @cached_property
    def departments(self) -> frozenset[int]:
        return departments_of(self._session, self._case, self._process)

    @cached_property
    def open_items(self) -> tuple[ItemFacts, ...]:
        return tuple(item_facts(one) for one in self._open_items)

    @cached_property
    def acted(self) -> Mapping[int, frozenset[str]]:
        return acted_in(self._session, self._case.id)

    @cached_property
    def recallable(self) -> bool:
        return is_recallable(self._session, self._case, self._open_items)

    @cached_property
    def applied(self) -> bool:
        return self._process.config.get("started_by") == "employer"

    @cached_property
    def lead(self) -> str:
        return lead_of(self._session, self._case)

    @cached_property
    def handed_in(self) -> bool:
        return self._case.submitted_at is not None or not self.applied

    @cached_property
    def _process(self) -> Process:
        return process_of(self._session, self._case.version_id)

    @cached_property
    def _open_items(self) -> list[WorkItem]:
        return list(
            self._session.scalars(
                select(WorkItem).where(WorkItem.case_id == self._case.id, WorkItem.closed_at.is_(None))
            )
        )


def case_facts(session: Session, case: Case, item: WorkItem | None = None) -> CaseFacts:
    """What permissions need to know of a case, in this transaction."""
    return _FactsOnDemand(session, case, item)


def is_recallable(session: Session, case: Case, open_items: list[WorkItem]) -> bool:
    """撤回: the last decision is the employer's own, and no office has claimed or decided anything since."""
    if case.submitted_at is None or case.finished_at is not None or not open_items:
        return False
    last = session.scalars(
        select(Decision).where(Decision.case_id == case.id).order_by(Decision.id.desc()).limit(1)
    ).one_or_none()
    if last is None or last.department_id is not None:
        return False
    if (
        session.get_one(WorkItem, last.work_item_id).closed_as != "done"
    ):  # taken back once; a timer went on since
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
