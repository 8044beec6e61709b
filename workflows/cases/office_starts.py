"""What an office may begin by itself, as process.yaml's ``start`` says it, and the beginning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.errors import Conflict, Invalid, NotFound
from workflows.cases.employer_starts import running
from workflows.cases.model import Case
from workflows.cases.process import Process, newest
from workflows.cases.starting import start
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.model import Division
from workflows.organisations.permissions import StartFacts, require
from workflows.registers.project_model import Project


@dataclass(frozen=True)
class OfficeOffer:
    """Something that an office can begin in its county: about a place, or about a project that is there."""

    process: Process
    key: str
    title: str
    county_code: str
    project: Project | None = None


def office_offers(session: Session, actor: Actor, known: Sequence[Process]) -> list[OfficeOffer]:
    """Everything the actor may begin now, in the order of the processes."""
    found: list[OfficeOffer] = []
    for process in known:
        for described in process.config.get("start", []):
            for county in _counties(actor, described):
                key, title = described["key"], described["title"]
                if "project_status" in described:
                    found += [
                        OfficeOffer(process, key, title, county, project)
                        for project in _projects(session, county, described["project_status"])
                        if running(session, process.key, project_id=project.id) is None
                    ]
                elif "workshop_status" not in described and process.config.get("subject") != "workshop":
                    found.append(OfficeOffer(process, key, title, county))
    return found


def begin_in_office(
    session: Session,
    actor: Actor,
    process_key: str,
    key: str,
    *,
    division_code: str = "",
    project_id: int | None = None,
) -> Case:
    """Begin what process.yaml lets the actor's office begin.

    :param division_code: the township it is about, where no project says it.
    :raises Forbidden: it is not for this office.
    :raises Conflict: the same is under way for the project already.
    """
    process = newest(session, process_key)
    described = next((one for one in process.config.get("start", []) if one["key"] == key), None)
    if described is None:
        raise NotFound("没有这个办理事项。")
    project = session.get(Project, project_id) if project_id is not None else None
    if "project_status" in described:
        if project is None or project.status not in described["project_status"]:
            raise Conflict("这个项目现在的状态不能办理这个事项。")
        under_way = running(session, process_key, project_id=project.id)
        if under_way is not None:
            raise Conflict(f"这个项目已有正在办理的同一事项（{under_way.number}），办结后才能再次发起。")
        division_code = project.division_code
    place = session.get(Division, division_code) if division_code else None
    if place is None or place.level not in ("township", "village"):
        raise Invalid("请选择乡镇。", {"division": "请选择项目所在的乡镇。"})
    require(
        actor,
        "case.start_office",
        StartFacts(division_chain=chain_codes(session, division_code), kinds=frozenset(described["by"])),
    )
    return start(
        session,
        actor,
        process_key,
        division_code=division_code,
        employer=project.contractor if project is not None else None,
        project=project,
        start_key=key,
    )


def _counties(actor: Actor, described: Mapping[str, Any]) -> list[str]:
    return sorted({post.division_code[:6] for post in actor.posts if post.kind in described.get("by", ())})


def _projects(session: Session, county: str, statuses: Sequence[str]) -> list[Project]:
    return list(
        session.scalars(
            select(Project)
            .where(Project.county_code == county, Project.status.in_(statuses))
            .order_by(Project.id)
        )
    )
