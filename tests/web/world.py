"""The county of the web tests: one named person for each role, one of another county, employers in every state.

Everybody has the same password. Names are fictional.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import update
from sqlalchemy.orm import Session

from workflows.base.clock import now
from workflows.base.files import PDF, StoredFile
from workflows.base.outbox import OutboxRow
from workflows.base.session import Database
from workflows.organisations.accounts import create_user, register_account, user_of
from workflows.organisations.actors import SYSTEM
from workflows.organisations.divisions import add_township, add_village, load_divisions
from workflows.organisations.offices import add_department, assign_post
from workflows.organisations.passwords import hash_password
from workflows.registers.employers import EmployerData, register_employer
from workflows.registers.membership import decide_member, load_actor

PASSWORD = "Jiuye-bangfu-22"
COUNTY, OTHER_COUNTY = "220822", "220881"
TOWNSHIP, OTHER_TOWNSHIP = "220822101", "220881101"
VILLAGE = "220822101201"
LONG_AGO = date(2020, 1, 1)

#: username → (name, kind, division, department kind, post)
PEOPLE: dict[str, tuple[str, str, str, str, str]] = {
    "guan": ("管志远", "admin", COUNTY, "", ""),
    "shen": ("沈明察", "auditor", COUNTY, "", ""),
    "zhao": ("赵晓梅", "officer", TOWNSHIP, "township", "clerk"),
    "qian": ("钱学礼", "officer", TOWNSHIP, "township", "head"),
    "sun": ("孙丽华", "officer", COUNTY, "hrss", "clerk"),
    "lidong": ("李国栋", "officer", COUNTY, "hrss", "head"),
    "zhou": ("周玉兰", "officer", COUNTY, "rural", "clerk"),
    "wubo": ("吴海波", "officer", COUNTY, "finance", "clerk"),
    "chen": ("陈立春", "officer", OTHER_COUNTY, "hrss", "clerk"),
}
#: username → (name, credit code, unit, township, confirmed)
EMPLOYERS: dict[str, tuple[str, str, str, str, bool]] = {
    "zheng": ("郑大江", "91220822MA0Y2LKX58", "通榆县瑞丰农产品加工有限公司", TOWNSHIP, True),
    "feng": ("冯小满", "91220822MA14B7QT36", "通榆县新芽服装厂", TOWNSHIP, False),
    "wang": ("王守田", "91220881MA17C3W929", "洮南市金穗合作社", OTHER_TOWNSHIP, True),
}


@dataclass(frozen=True)
class World:
    """Ids of everybody and of the offices, by name."""

    users: dict[str, int]
    departments: dict[tuple[str, str], int]
    employers: dict[str, int]


def fill(database: Database) -> World:
    """Make the county in an empty database."""
    users: dict[str, int] = {}
    employers: dict[str, int] = {}
    with database.transaction() as session:
        load_divisions(session)
        add_township(session, SYSTEM, county_code=COUNTY, code=TOWNSHIP, name="瞻榆镇")
        add_township(session, SYSTEM, county_code=OTHER_COUNTY, code=OTHER_TOWNSHIP, name="安定镇")
        add_village(session, SYSTEM, township_code=TOWNSHIP, code=VILLAGE, name="向阳村")
        departments = _departments(session)
        secret = hash_password(PASSWORD)
        for username, (name, kind, division, office, post) in PEOPLE.items():
            row, _ = create_user(
                session, SYSTEM, username=username, name=name, kind=kind, division_code=division[:6]
            )
            row.password_hash, row.must_change_password = secret, False
            session.flush()
            users[username] = row.id
            if office:
                assign_post(
                    session,
                    SYSTEM,
                    user_id=row.id,
                    department_id=departments[office, division],
                    post=post,
                    valid_from=LONG_AGO,
                )
        for username in EMPLOYERS:
            users[username], employers[username] = _employer(session, username)
        session.execute(update(OutboxRow).values(done_at=now()))  # the notices of all that are long read
    return World(users, departments, employers)


def _departments(session: Session) -> dict[tuple[str, str], int]:
    made = {}
    for kind, division, name in (
        ("township", TOWNSHIP, "瞻榆镇人民政府"),
        ("township", OTHER_TOWNSHIP, "安定镇人民政府"),
        ("hrss", COUNTY, "通榆县人力资源和社会保障局"),
        ("rural", COUNTY, "通榆县乡村振兴局"),
        ("finance", COUNTY, "通榆县财政局"),
        ("hrss", OTHER_COUNTY, "洮南市人力资源和社会保障局"),
    ):
        made[kind, division] = add_department(
            session, SYSTEM, kind=kind, division_code=division, name=name
        ).id
    return made


def _employer(session: Session, username: str) -> tuple[int, int]:
    name, code, unit, township, confirmed = EMPLOYERS[username]
    user = register_account(
        session,
        username=username,
        name=name,
        password=PASSWORD,
        division_code=township[:6],
        phone="13904360001",
    )
    member = register_employer(
        session,
        load_actor(session, user_of(session, user.id)),
        EmployerData(code, unit, "company", name, name, "13904360001", "镇政府街 1 号", township),
        authorisation_file_id=_authorisation(session, user.id),
    )
    if confirmed:
        decide_member(session, SYSTEM, member.id, agree=True)
    return user.id, member.employer_id


def _authorisation(session: Session, user_id: int) -> int:
    row = StoredFile(
        token=f"authorisation-{user_id}",
        name="授权书.pdf",
        media_type=PDF,
        size=1,
        sha256="0" * 64,
        stored_by=user_id,
    )
    session.add(row)
    session.flush()
    return row.id
