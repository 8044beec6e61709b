"""Which office is competent: lane → department kind × the case's place."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.base.errors import WengangError
from workflows.cases.model import Case
from workflows.organisations.model import Department


def office_of(session: Session, case: Case, kind: str) -> Department:
    """The office of a kind that acts in a case: the township's, or the county's."""
    return department_for(session, kind, case.division_code if kind == "township" else case.county_code)


def department_for(session: Session, kind: str, division_code: str) -> Department:
    """The office of a kind that is competent for a place; villages belong to their township."""
    codes = [division_code, division_code[:9], division_code[:6]]
    found = list(
        session.scalars(
            select(Department).where(Department.kind == kind, Department.division_code.in_(codes))
        ).unique()
    )
    if not found:
        raise WengangError("该地区还没有设置办理这一步的部门，请联系系统管理员在“机构”中添加。")
    return max(found, key=lambda department: len(department.division_code))
