"""What the officers' pages read beside a case itself: what they may search, materials, colleagues, the next item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from workflows.base.clock import today
from workflows.base.files import ATTACHMENTS
from workflows.cases import worklist
from workflows.cases.access import acted_in
from workflows.cases.attachments import listed, of_step
from workflows.cases.model import Attachment, Case, Decision, ProcessVersion, WorkItem
from workflows.cases.offices import LEAD, OWNER
from workflows.cases.process import Process, process_of
from workflows.organisations.actors import Actor, Post
from workflows.organisations.model import Assignment, Division, User
from workflows.organisations.permissions import conflict
from workflows.registers.past_grants import POLICIES
from workflows.registers.project_model import Project

#: Cases on a page of the search.
PAGE = 20


@dataclass(frozen=True)
class File:
    """A stored file of a case."""

    id: int
    name: str
    size: int
    added_at: datetime
    media_type: str

    @property
    def opens(self) -> bool:
        """Whether a browser can show it."""
        return self.media_type in ATTACHMENTS

    @property
    def picture(self) -> bool:
        return self.media_type.startswith("image/")


@dataclass(frozen=True)
class MaterialGroup:
    """What was uploaded for one requirement."""

    title: str
    required: bool
    files: Sequence[File]


@dataclass(frozen=True)
class CaseFilter:
    """What somebody looks for among cases. ``state``: open, finished or empty for both."""

    search: str = ""
    process: str = ""
    status: str = ""
    state: str = ""


@dataclass(frozen=True)
class CasePage:
    """Twenty cases, newest first; ``count`` is capped at ``worklist.CAP``."""

    cases: Sequence[Case]
    count: int
    capped: bool
    next_after: int | None


_LATEST_OF_EACH = (
    select(ProcessVersion.process, func.max(ProcessVersion.number).label("number"))
    .group_by(ProcessVersion.process)
    .subquery()
)
_NEWEST = (
    select(ProcessVersion.id)
    .join(
        _LATEST_OF_EACH,
        and_(
            ProcessVersion.process == _LATEST_OF_EACH.c.process,
            ProcessVersion.number == _LATEST_OF_EACH.c.number,
        ),
    )
    .order_by(ProcessVersion.process)
)


def processes(session: Session) -> list[Process]:
    """The newest version of every published process, in the order of their keys."""
    return [process_of(session, version_id) for version_id in session.scalars(_NEWEST)]


def policy_titles(session: Session) -> dict[str, str]:
    """What a grant is for, in words: the processes that pay, and what lists of the past name."""
    paying = {
        str(one.config["grant"]["policy"]): one.title for one in processes(session) if "grant" in one.config
    }
    return {**POLICIES, **paying}


def _leads(known: Iterable[Process]) -> dict[str, list[str]]:
    """Kind of office → the processes it answers for."""
    found: dict[str, list[str]] = {}
    for process in known:
        found.setdefault(str(process.config.get("lead", "hrss")), []).append(process.key)
    return found


def own_steps(known: Sequence[Process], actor: Actor) -> list[tuple[Process, list[tuple[str, str]]]]:
    """The steps that wait for the actor's kinds of office, by process: key and title."""
    kinds = {post.kind for post in actor.posts}
    if kinds & _leads(known).keys():
        kinds.add(LEAD)
    found = []
    for process in known:
        steps = [
            (step.key, step.title)
            for step in process.steps.values()
            if kinds & set(step.signatories or (process.lanes[step.lane].department,))
        ]
        if steps:
            found.append((process, steps))
    return found


def waiting_count(session: Session, department_ids: Sequence[int]) -> int:
    """How many items wait for some offices; one more than ``worklist.CAP`` when there are more."""
    if not department_ids:
        return 0
    count, capped = worklist.capped_count(
        session, [WorkItem.closed_at.is_(None), WorkItem.department_id.in_(department_ids)]
    )
    return count + capped


# Searching cases -----------------------------------------------------------------------------------------------------


def _takes_part(
    post: Post, by_kind: Mapping[str, list[str]], leads: Mapping[str, list[str]]
) -> ColumnElement[bool]:
    """Cases in whose lanes a post's office stands: by its kind, as the lead of what is objected to, as the project's owner."""
    if post.kind == OWNER:
        own = select(Project.id).where(Project.owner_department_id == post.department_id)
        return and_(Case.process.in_(by_kind.get(OWNER, [])), Case.project_id.in_(own))
    parents = aliased(Case)
    led = select(parents.id).where(parents.process.in_(leads.get(post.kind, [])))
    return or_(
        Case.process.in_(by_kind.get(post.kind, [])),
        and_(Case.process.in_(by_kind.get(LEAD, [])), Case.parent_id.in_(led)),
    )


def _visible(actor: Actor, known: Sequence[Process]) -> ColumnElement[bool]:
    """Which cases an actor may see, as the permission ``case.view`` says it of one; drafts of employers apart."""
    by_kind: dict[str, list[str]] = {}
    leads = _leads(known)
    drafted = []
    for process in known:
        kinds = {lane.department for lane in process.lanes.values()}
        kinds |= {kind for step in process.steps.values() for kind in step.signatories}
        for kind in kinds:
            by_kind.setdefault(kind, []).append(process.key)
        if process.config.get("started_by") == "employer":
            drafted.append(process.key)
    submitted = or_(Case.submitted_at.is_not(None), Case.process.not_in(drafted))
    if actor.kind == "auditor":
        return and_(submitted, Case.county_code.in_(_counties(actor.division_code or "")))
    offices = [
        and_(
            _takes_part(post, by_kind, leads),
            or_(
                Case.division_code == post.division_code,
                Case.division_code.startswith(post.division_code, autoescape=True),
                Case.county_code == post.division_code,
            ),
        )
        for post in actor.posts
    ]
    return and_(submitted, or_(*offices)) if offices else false()


def _counties(code: str) -> Select[str]:
    tree = select(Division.code).where(Division.code == code).cte("below", recursive=True)
    tree = tree.union_all(
        select(Division.code)
        .join(tree, Division.parent_code == tree.c.code)
        .where(Division.level != "village")
    )
    return select(tree.c.code)


def search(
    session: Session, actor: Actor, wanted: CaseFilter, known: Sequence[Process], after: int | None = None
) -> CasePage:
    """Cases visible to the actor, newest first.

    :param after: ``next_after`` of the page before.
    """
    conditions = [_visible(actor, known)]
    if wanted.search.strip():
        conditions.append(Case.id.in_(worklist.matching_cases(wanted.search)))
    if wanted.process:
        conditions.append(Case.process == wanted.process)
    if wanted.status:
        conditions.append(Case.status == wanted.status)
    if wanted.state == "open":
        conditions.append(Case.finished_at.is_(None))
    elif wanted.state == "finished":
        conditions.append(Case.finished_at.is_not(None))
    some = select(Case.id).where(*conditions).limit(worklist.CAP + 1).subquery()
    count = session.scalar(select(func.count()).select_from(some)) or 0
    query = select(Case).where(*conditions).order_by(Case.id.desc()).limit(PAGE + 1)
    if after is not None:
        query = query.where(Case.id < after)
    cases = list(session.scalars(query.options(joinedload(Case.employer))))
    following = cases[PAGE - 1].id if len(cases) > PAGE else None
    return CasePage(cases[:PAGE], min(count, worklist.CAP), count > worklist.CAP, following)


def holders(session: Session, cases: Sequence[Case]) -> dict[int, list[tuple[str, str]]]:
    """Case → who has it now: step and office, in one query."""
    found: dict[int, list[tuple[str, str]]] = {}
    for item in session.scalars(
        select(WorkItem)
        .where(WorkItem.case_id.in_([case.id for case in cases]), WorkItem.closed_at.is_(None))
        .options(joinedload(WorkItem.department))
        .order_by(WorkItem.id)
    ):
        office = item.department.name if item.department else "申请单位"
        found.setdefault(item.case_id, []).append((item.title, office))
    return found


# One item ------------------------------------------------------------------------------------------------------------


def next_item(
    session: Session, actor: Actor, item: WorkItem, filters: worklist.Filters | None = None
) -> WorkItem | None:
    """The next item of the actor's list that is free or the actor's own, after ``item``; from the top when none is."""
    departments = sorted(actor.department_ids)
    here = f"{int(item.due_at.timestamp())}_{item.id}"
    for after in (here, None):
        page = worklist.page(session, departments, filters, user_id=actor.user_id, after=after)
        for one in page.items:
            if one.id != item.id and (one.claimed_by is None or one.claimed_by in actor.stands_for):
                return one
    return None


def colleagues(
    session: Session, department_id: int | None, without: int | None = None
) -> list[tuple[int, str]]:
    """Who holds a post in an office today: key and name, by name; ``without`` is left out."""
    day = today()
    return [
        (user_id, name)
        for user_id, name in session.execute(
            select(User.id, User.name)
            .join(Assignment, Assignment.user_id == User.id)
            .where(
                Assignment.department_id == department_id,
                Assignment.valid_from <= day,
                (Assignment.valid_to.is_(None)) | (Assignment.valid_to >= day),
                User.active.is_(True),
            )
            .distinct()
            .order_by(User.name)
        )
        if user_id != without
    ]


def duty_conflict(session: Session, case: Case, process: Process, item: WorkItem, actor: Actor) -> str | None:
    """Why this person must not do this step in this case, in a sentence, or ``None``: said before, not after."""
    if actor.user_id is None:
        return None
    done = acted_in(session, case.id).get(actor.user_id, frozenset())
    titles = {key: step.title for key, step in process.steps.items()}
    return conflict(process.incompatible, done, item.step, titles)


def sent_back(session: Session, item: WorkItem) -> tuple[Decision | None, Decision | None]:
    """In a joint step that was sent back: what the other office wrote, and what this one had signed before."""
    decisions = session.scalars(
        select(Decision)
        .join(WorkItem, WorkItem.id == Decision.work_item_id)
        .where(
            WorkItem.case_id == item.case_id,
            WorkItem.task_id == item.task_id,
            WorkItem.id != item.id,
        )
        .options(joinedload(Decision.actor), joinedload(Decision.department))
        .order_by(Decision.id.desc())
    ).all()
    back = next(
        (one for one in decisions if one.outcome == "sent_back" and one.department_id != item.department_id),
        None,
    )
    own = next(
        (one for one in decisions if one.outcome != "sent_back" and one.department_id == item.department_id),
        None,
    )
    return back, own if back is not None else None


# Files ---------------------------------------------------------------------------------------------------------------


def _file(row: Attachment) -> File:
    return File(row.id, row.file.name, row.file.size, row.added_at, row.file.media_type)


def materials(session: Session, case: Case, process: Process) -> list[MaterialGroup]:
    """Everything uploaded in a case: the checklist first, missing ones included, then what steps asked for.

    What an employer gave for a requirement and an office's own photos may carry the same key: who uploaded tells.
    """
    given: dict[tuple[str, bool], list[File]] = {}
    steps = {
        item_id: (step, office is not None)
        for item_id, step, office in session.execute(
            select(WorkItem.id, WorkItem.step, WorkItem.department_id).where(WorkItem.case_id == case.id)
        )
    }
    titles: dict[tuple[str, bool], str] = {}
    for row in listed(session, case.id):
        step, by_office = steps.get(row.work_item_id or 0, ("", False))
        given.setdefault((row.material, by_office), []).append(_file(row))
        for one in process.form(step).fields if step in process.steps else ():
            if one.key == row.material:
                titles[row.material, by_office] = f"{process.steps[step].title}：{one.label}"
    groups = [
        MaterialGroup(str(one["title"]), bool(one.get("required")), given.pop((str(one["key"]), False), []))
        for one in process.materials
    ]
    return groups + [MaterialGroup(titles.get(key, "其他材料"), True, files) for key, files in given.items()]


def step_files(session: Session, item: WorkItem) -> dict[str, list[File]]:
    """Field → the files that this step was given, in this round, whichever of its offices added them."""
    found: dict[str, list[File]] = {}
    for row in of_step(session, item):
        found.setdefault(row.material, []).append(_file(row))
    return found
