"""A published process as the use cases see it: process.yaml, forms and rules of one version, read once and kept."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, bindparam, select
from sqlalchemy.orm import Session, undefer

from forms.definition import FormDefinition, RosterDefinition
from workflows.base.errors import NotFound
from workflows.cases.model import ProcessVersion
from workflows.cases.package import Package
from workflows.engine import PublishedVersion


@dataclass(frozen=True)
class Limit:
    """A time limit. ``unit``: working or calendar days."""

    days: int
    unit: str


@dataclass(frozen=True)
class Lane:
    """Who acts in a lane: ``department`` kind (or ``employer``, ``system``), at which ``level`` of the case's place."""

    key: str
    title: str
    department: str
    level: str


@dataclass(frozen=True)
class Step:
    """A user task. ``signatories``: offices that must all sign; ``roster``: none, view, edit or decide."""

    key: str
    title: str
    lane: str
    form: str
    limit: Limit | None
    limit_parameter: str
    stage: str
    signatories: tuple[str, ...] = ()
    roster: str = "none"
    pauses_clock: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def joint(self) -> bool:
        return bool(self.signatories)


@dataclass(frozen=True, eq=False)
class Process:
    """One version of one process."""

    version_id: int
    key: str
    number: int
    title: str
    config: Mapping[str, Any]
    published: PublishedVersion
    lanes: Mapping[str, Lane]
    steps: Mapping[str, Step]
    forms: Mapping[str, FormDefinition]
    roster: RosterDefinition | None

    @cached_property
    def has_timers(self) -> bool:
        """Whether a case of this version can ever wait for a time."""
        return any(element.event == "timer" for element in self.published.elements())

    def step(self, key: str) -> Step:
        return self.steps[key]

    def form(self, step: str) -> FormDefinition:
        """The form of a step."""
        return self.forms[self.steps[step].form]

    @property
    def stages(self) -> list[tuple[str, str]]:
        """The stepper in words: key and title, in order."""
        return [(stage["key"], stage["title"]) for stage in self.config.get("stages", [])]

    def status_title(self, status: str) -> str:
        """The Chinese name of a status."""
        return str(self.config["statuses"].get(status, {}).get("title", status))

    def status_tone(self, status: str) -> str:
        return str(self.config["statuses"].get(status, {}).get("tone", "plain"))

    def outcome_label(self, form: str, outcome: str) -> str:
        """What the button said."""
        definition = self.forms.get(form)
        if definition is not None:
            for candidate in definition.outcomes:
                if candidate.key == outcome:
                    return candidate.label
        return {"submit": "提交", "sent_back": "退回会签"}.get(outcome, outcome)

    @property
    def materials(self) -> list[dict[str, Any]]:
        return list(self.config.get("materials", []))

    @property
    def incompatible(self) -> list[list[str]]:
        return list(self.config.get("incompatible", []))


def assemble(version_id: int, number: int, package: Package) -> Process:
    """Build a process from its stored package."""
    published = PublishedVersion.load(package.engine)
    config = package.config
    lanes = {
        key: Lane(key, lane.get("title", key), lane["department"], lane.get("level", "county"))
        for key, lane in config["lanes"].items()
    }
    elements = {element.id: element for element in published.elements()}
    steps = {}
    for key, raw in config["steps"].items():
        limit = raw.get("limit")
        steps[key] = Step(
            key=key,
            title=raw.get("title") or elements[key].name,
            lane=elements[key].lane or "",
            form=raw.get("form", key),
            limit=Limit(int(limit["days"]), limit.get("unit", "working")) if limit else None,
            limit_parameter=str((limit or {}).get("parameter", "")),
            stage=raw.get("stage", ""),
            signatories=tuple(raw.get("signatories", ())),
            roster=raw.get("roster", "none"),
            pauses_clock=bool(raw.get("pauses_clock", False)),
            config=raw,
        )
    return Process(
        version_id=version_id,
        key=config["key"],
        number=number,
        title=config["title"],
        config=config,
        published=published,
        lanes=lanes,
        steps=steps,
        forms=package.load_forms(),
        roster=package.load_roster(),
    )


_NEWEST = (
    select(ProcessVersion.id)
    .where(ProcessVersion.process == bindparam("key"))
    .order_by(ProcessVersion.number.desc())
    .limit(1)
)
#: Database → version → process.
_cache: WeakKeyDictionary[Engine, dict[int, Process]] = WeakKeyDictionary()
_lock = threading.Lock()


def process_of(session: Session, version_id: int) -> Process:
    """The process of a version, from memory once it was read: versions never change."""
    engine = session.get_bind().engine
    found = _cache.get(engine, {}).get(version_id)
    if found is not None:
        return found
    row = session.scalars(
        select(ProcessVersion).where(ProcessVersion.id == version_id).options(undefer(ProcessVersion.package))
    ).one_or_none()
    if row is None:
        raise NotFound("没有这个流程版本。")
    built = _built(row.id, row.number, row.package)
    with _lock:
        return _cache.setdefault(engine, {}).setdefault(version_id, built)


@lru_cache(maxsize=32)
def _built(version_id: int, number: int, package: str) -> Process:
    """The same text under the same key is the same process, whichever database it was read from."""
    return assemble(version_id, number, Package.from_text(package))


def newest(session: Session, key: str) -> Process:
    """The newest published version of a process: the one new cases start on."""
    version_id = session.scalar(_NEWEST, {"key": key})
    if version_id is None:
        raise NotFound("这个流程还没有发布。请联系管理员运行发布命令。")
    return process_of(session, version_id)


def forget() -> None:
    """Empty the cache: tests make many databases."""
    with _lock:
        _cache.clear()
