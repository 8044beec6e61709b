"""Which office is competent: lane → department kind × the case's place."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from workflows.base.errors import WengangError
from workflows.cases.model import Case
from workflows.cases.process import process_of
from workflows.organisations.model import Department
from workflows.registers.project_model import Project

#: The kind of office that is named by a project instead of a place.
OWNER = "owner"
#: The kind that stands for whichever office leads the process.
LEAD = "lead"

_departments = Department.__table__.c
_COMPETENT = select(_departments.kind, _departments.division_code, _departments.id).where(
    _departments.kind.in_(bindparam("kinds", expanding=True)),
    _departments.division_code.in_(bindparam("codes", expanding=True)),
)


def office_of(session: Session, case: Case, kind: str) -> Department:
    """The office of a kind that acts in a case: the township's, or the county's."""
    return session.get_one(Department, offices_of(session, case, [kind])[kind])


def offices_of(session: Session, case: Case, kinds: Collection[str]) -> dict[str, int]:
    """Kind → key of the office that acts in a case, for several kinds at once.

    ``owner`` is the office whose project it is; ``lead`` the one that answers for the case's process.
    """
    real = {kind: lead_of(session, case) if kind == LEAD else kind for kind in kinds if kind != OWNER}
    found = _competent(
        session,
        {kind: case.division_code if kind == "township" else case.county_code for kind in real.values()},
    )
    offices = {kind: found[name] for kind, name in real.items()}
    return offices | {OWNER: owner_of(session, case)} if OWNER in kinds else offices


def lead_of(session: Session, case: Case) -> str:
    """The kind of office that answers for a case: ``lead`` in process.yaml, of the case objected to in an objection."""
    with session.no_autoflush:
        about = session.get_one(Case, case.parent_id) if case.parent_id is not None else case
    return str(process_of(session, about.version_id).config.get("lead", "hrss"))


def owner_of(session: Session, case: Case) -> int:
    """Key of the office that owns the case's project."""
    with session.no_autoflush:
        project = session.get(Project, case.project_id) if case.project_id else None
    if project is None:
        raise WengangError("这件申请没有对应的项目，找不到业主单位。请联系系统管理员。")
    return project.owner_department_id


def department_for(session: Session, kind: str, division_code: str) -> Department:
    """The office of a kind that is competent for a place; villages belong to their township."""
    return session.get_one(Department, _competent(session, {kind: division_code})[kind])


def _competent(session: Session, places: Mapping[str, str]) -> dict[str, int]:
    if not places:
        return {}
    codes = {kind: {code, code[:9], code[:6]} for kind, code in places.items()}
    asked = {"kinds": sorted(places), "codes": sorted(set().union(*codes.values()))}
    with session.no_autoflush:  # nothing that happens in a case changes offices
        rows = session.execute(_COMPETENT, asked).all()
    nearest: dict[str, int] = {}
    for kind, code, office in sorted(rows, key=lambda row: len(row.division_code)):
        if code in codes[kind]:
            nearest[kind] = office
    if len(nearest) < len(places):
        raise WengangError("该地区还没有设置办理这一步的部门，请联系系统管理员在“单位”中添加。")
    return nearest
