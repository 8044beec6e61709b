"""An employer's step, filled in page by page: what is asked, how far it has come, what is lacking, and handing it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from forms.definition import Field, FormDefinition, Section
from forms.show import completeness
from forms.web import Parsed, parse, parse_draft
from workflows.base.clock import today
from workflows.base.errors import Invalid, NotFound
from workflows.cases import drafts, rules
from workflows.cases.action import begin
from workflows.cases.answering import StepForm, step_form
from workflows.cases.attachments import listed, taken_back
from workflows.cases.completing import Completed, complete
from workflows.cases.facts import CaseView
from workflows.cases.model import Case, Command, Draft, WorkItem
from workflows.cases.process import Process, Step, process_of
from workflows.cases.roster_model import Roster
from workflows.cases.rosters import latest_upload, rejudge, typed_answers
from workflows.cases.row_facts import case_inputs
from workflows.cases.rules import Reason
from workflows.cases.verdicts import current_roster
from workflows.organisations.actors import Actor

#: Rows of a roster up to this many are judged anew as soon as an answer changes; longer ones when it is submitted.
JUDGED_AT_ONCE = 500


@dataclass(frozen=True)
class HeldFile:
    """A file that is there. ``removable``: this step added it, before a 撤回 perhaps, so this step may take it away."""

    id: int
    name: str
    size: int
    added_at: datetime
    removable: bool


@dataclass(frozen=True)
class MaterialNeed:
    """A line of the checklist and what was uploaded for it."""

    key: str
    title: str
    required: bool
    help: str
    accept: tuple[str, ...]
    files: list[HeldFile]


@dataclass(frozen=True)
class Problem:
    """What stands in the way of handing in. ``place``: form, roster or materials; ``section`` and ``key`` say where."""

    place: str
    message: str
    section: str = ""
    key: str = ""


class NotReady(Invalid):
    """Something is lacking or wrong; ``problems`` names all of it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(
            "还不能提交，请逐条补充或者改正。", {one.key or one.place: one.message for one in problems}
        )
        self.problems = list(problems)


@dataclass(frozen=True)
class LiveCheck:
    """What the rules say of the draft. ``counts``: result, title and number of the roster's people.

    :param stale: an answer that the row rules read has changed since they ran.
    """

    reasons: list[Reason]
    counts: list[tuple[str, str, int]]
    roster: Roster | None
    stale: bool


@dataclass
class Filling:
    """A step of the employer as it stands; ``typed`` lies over the draft (what a browser has just sent)."""

    session: Session
    item: WorkItem
    typed: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def case(self) -> Case:
        return self.session.get_one(Case, self.item.case_id)

    @cached_property
    def process(self) -> Process:
        return process_of(self.session, self.case.version_id)

    @cached_property
    def step(self) -> Step:
        return self.process.step(self.item.step)

    @cached_property
    def form(self) -> StepForm:
        return step_form(self.session, self.case, self.item)

    @property
    def definition(self) -> FormDefinition:
        return self.form.definition

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The sections that this step asks: process.yaml's ``hide_sections`` are left out."""
        hidden = self.step.config.get("hide_sections", ())
        return tuple(one for one in self.definition.sections if one.key not in hidden)

    def section(self, key: str) -> Section:
        found = next((one for one in self.sections if one.key == key), None)
        if found is None:
            raise NotFound("没有这一部分内容。")
        return found

    @property
    def asks_roster(self) -> bool:
        return self.step.roster == "edit" and self.process.roster is not None

    @property
    def asks_materials(self) -> bool:
        return self.step.config.get("materials") == "edit" and bool(self.process.materials)

    @property
    def whole(self) -> bool:
        """Whether a whole application is handed in here, with all its materials; else only what the form asks."""
        return self.asks_roster or self.process.roster is None

    @property
    def single(self) -> bool:
        """Whether one page holds it all."""
        return len(self.sections) == 1 and not self.asks_roster

    @property
    def outcome(self) -> str:
        """The outcome when there is one way on."""
        return self.definition.outcomes[0].key if self.definition.outcomes else "submit"

    @cached_property
    def raw(self) -> dict[str, list[str]]:
        return {**self.form.raw, **{key: list(texts) for key, texts in self.typed.items()}}

    @property
    def _editable(self) -> frozenset[str]:
        return frozenset(one.key for section in self.sections for one in section.fields)

    @cached_property
    def draft(self) -> Parsed:
        """What is typed, nothing required yet."""
        return parse_draft(
            self.definition,
            self.raw,
            today=today(),
            editable=self._editable,
            held=self.form.held,
            lists=self.form.lists,
        )

    def checked(self, outcome: str | None = None) -> Parsed:
        """What is typed, judged as if it were handed in."""
        return parse(
            self.definition,
            self.raw,
            today=today(),
            editable=self._editable,
            outcome=outcome or self.outcome,
            held=self.form.held,
            lists=self.form.lists,
        )

    @cached_property
    def values(self) -> dict[str, Any]:
        """The answers that hold now: typed ones, and those that are only shown, uploaded or read elsewhere."""
        shown = {
            one.key for one in self.definition.fields if one.read_from or one.type in ("files", "roster")
        }
        return {
            **{key: value for key, value in self.form.held.items() if key in shown},
            **self.draft.values,
        }

    def states(self) -> dict[str, tuple[str, int]]:
        """Section → 未填, 填写中 or 已完成, and how many answers in it are wrong; sections not asked are left out."""
        found = completeness(self.definition, self.values, raw=self.raw, outcome=self.outcome)
        return {
            one.key: (found[one.key], len(errors_of(one, self.draft.errors)))
            for one in self.sections
            if one.key in found
        }

    # Files -----------------------------------------------------------------------------------------------------------

    @cached_property
    def all_files(self) -> dict[str, list[HeldFile]]:
        """Material or field → what the employer uploaded for it, in this step and before."""
        own = set(
            self.session.scalars(
                select(WorkItem.id).where(
                    WorkItem.case_id == self.item.case_id, WorkItem.employer_id.is_not(None)
                )
            )
        )
        removable = {self.item.id, *taken_back(self.session, self.item)}
        found: dict[str, list[HeldFile]] = {}
        for row in listed(self.session, self.item.case_id):
            if row.work_item_id in own:
                one = HeldFile(
                    row.id, row.file.name, row.file.size, row.added_at, row.work_item_id in removable
                )
                found.setdefault(row.material, []).append(one)
        return found

    def files(self, key: str) -> list[HeldFile]:
        """What the employer uploaded for a material or a field."""
        return self.all_files.get(key, [])

    def needs(self) -> list[MaterialNeed]:
        """The checklist of materials."""
        return [
            MaterialNeed(
                str(one["key"]),
                str(one["title"]),
                bool(one.get("required")) and self.whole,
                str(one.get("help", "")),
                tuple(one.get("accept", ())),
                self.files(str(one["key"])),
            )
            for one in self.process.materials
        ]

    # Handing in ------------------------------------------------------------------------------------------------------

    def problems(self, outcome: str | None = None) -> list[Problem]:
        """Everything that stands in the way of handing in, in the order of the pages."""
        errors = self.checked(outcome).errors
        found = [
            Problem("form", message, section.key, key)
            for section in self.sections
            for key, message in errors_of(section, errors).items()
        ]
        if self.asks_roster:
            found += self._roster_problems()
        if self.asks_materials:
            found += [
                Problem("materials", f"没有上传：{one.title}", key=one.key)
                for one in self.needs()
                if one.required and not one.files
            ]
        return found

    def _roster_problems(self) -> list[Problem]:
        latest = latest_upload(self.session, self.item.case_id)
        if latest is not None and latest.status == "reading":
            return [Problem("roster", "花名册正在读取，读完才能提交")]
        roster = current_roster(self.session, self.item.case_id)
        if roster is None:
            return [Problem("roster", "还没有上传花名册")]
        if roster.bad:
            return [Problem("roster", f"花名册有 {roster.bad} 行需要改正")]
        return []

    def check(self) -> LiveCheck | None:
        """What the rules say of what is typed; ``None`` where the step shows none."""
        if not self.step.config.get("live_rules"):
            return None
        answers = self.values
        view = CaseView.of(self.session, self.case, self.process, answers={self.step.form: answers})
        roster = current_roster(self.session, self.item.case_id)
        return LiveCheck(
            reasons=rules.preview(self.session, self.case, self.process, answers, self.step.form),
            counts=self._counts(view, roster),
            roster=roster,
            stale=roster is not None and case_inputs(self.process, view) != roster.judged_by,
        )

    def _counts(self, view: CaseView, roster: Roster | None) -> list[tuple[str, str, int]]:
        titles: Mapping[str, str] = self.process.config.get("row_result", {}).get("titles", {})
        found = [
            (key, str(title), view.row_results[key])
            for key, title in titles.items()
            if view.row_results.get(key)
        ]
        return [*found, ("bad", "填写有误", roster.bad)] if roster is not None and roster.bad else found


def errors_of(section: Section, errors: Mapping[str, str]) -> dict[str, str]:
    """The errors at a section's questions, those of lists that grow included."""
    keys = {one.key for one in section.fields}
    return {key: text for key, text in errors.items() if key.split("-", 1)[0] in keys}


def own_item(session: Session, actor: Actor, item_id: int) -> WorkItem:
    """A step of the actor's own employer; for anybody else it does not exist."""
    item = session.scalars(
        select(WorkItem)
        .where(WorkItem.id == item_id)
        .options(joinedload(WorkItem.case).joinedload(Case.employer))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if item is None or item.employer_id is None or item.employer_id not in actor.employer_ids:
        raise NotFound("没有找到这项工作，或者它不属于您的单位。")
    return item


def typed_in(fields: Sequence[Field], posted: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """What a page says about its questions: a box without a tick sends nothing, and that is an answer too."""
    typed: dict[str, list[str]] = {}
    for one in fields:
        if one.read_from or one.type in ("files", "roster"):
            continue
        if one.type == "defects":
            typed |= {key: list(texts) for key, texts in posted.items() if key.startswith(f"{one.key}-")}
        else:
            typed[one.key] = list(posted.get(one.key, []))
    return typed


def save(
    session: Session, actor: Actor, item_id: int, fields: Sequence[Field], posted: Mapping[str, Sequence[str]]
) -> Draft:
    """Keep what is typed on a page, errors and all; people on the roster are judged by it at once if they are few."""
    draft = drafts.save(session, actor, item_id, typed_in(fields, posted), merge=True)
    item = session.get_one(WorkItem, item_id)
    roster = current_roster(session, item.case_id)
    if roster is not None and roster.total <= JUDGED_AT_ONCE:
        action = begin(session, item.case_id, actor.user_id)
        if action.process.step(item.step).roster == "edit":
            rejudge(action, typed_answers(session, action.case, action.process))
    return draft


def submit(
    session: Session,
    actor: Actor,
    item_id: int,
    outcome: str,
    *,
    seen_version: int,
    command_key: str,
) -> Completed:
    """Hand in what is typed. The same form sent twice is answered with what the first one did.

    :raises NotReady: answers, roster or materials are not yet as they must be.
    :raises Conflict: the step is done already, or the page is stale.
    """
    item = own_item(session, actor, item_id)
    before = session.scalars(
        select(Command).where(
            Command.key == command_key, Command.actor_id == actor.user_id, Command.case_id == item.case_id
        )
    ).one_or_none()
    if before is not None:
        return Completed(**before.result, replayed=True)
    found = Filling(session, item)
    if item.closed_at is None and (problems := found.problems(outcome)):
        raise NotReady(problems)
    return complete(
        session,
        actor,
        item_id,
        outcome,
        found.checked(outcome),
        seen_version=seen_version,
        command_key=command_key,
    )
