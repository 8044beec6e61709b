"""The demonstration county: 通榆县 with fictional townships, offices, people, employers and accounts, and a neighbour.

Everything is made up and says so; only the counties' and offices' kinds are real. Loading again changes nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base import yaml_text
from workflows.base.clock import now
from workflows.base.errors import Forbidden
from workflows.base.files import PDF, FileStore
from workflows.base.parameters import Parameter
from workflows.base.privacy import digest_id
from workflows.organisations.actors import SYSTEM
from workflows.organisations.divisions import add_township, add_village, division, load_divisions
from workflows.organisations.model import Assignment, Department, Division, User
from workflows.organisations.offices import add_department, assign_post
from workflows.organisations.passwords import DEMO_PASSWORD, hash_password
from workflows.organisations.settings import set_parameter
from workflows.registers import demo_people
from workflows.registers.demo_cast import ACCOUNTS, COUNTY, OFFICES, TOWNSHIPS, UNITS, Unit
from workflows.registers.demo_people import DemoPerson, credit_code
from workflows.registers.identities import add_rows, close_snapshot, open_snapshot
from workflows.registers.identity_list import IdentityRow
from workflows.registers.model import Employer, EmployerMember
from workflows.registers.people import people_for

#: Days on which the lists of people were true.
SNAPSHOT_DAYS = (date(2023, 12, 31), date(2024, 12, 31), date(2025, 12, 31))
POSTS_FROM = date(2022, 6, 6)
SUCCESSOR_BASIS = {
    "id": "demo_successor",
    "title": "关于常态化帮扶阶段脱贫人口就业帮扶有关政策的通知（演示用，虚构）",
    "number": "通演示〔2026〕1号",
    "article": "第一条",
    "text": "常态化帮扶阶段，就业帮扶车间的认定和一次性奖补继续按吉人社联〔2022〕81号规定的标准办理。（本文件为演示而虚构）",
    "valid_from": "2026-01-01",
    "valid_to": None,
    "note": "本依据为演示而虚构，不得作为办理真实业务的依据。",
    "fictional": True,
}
RECOVERY_ACCOUNT: dict[str, str | bool | None] = {
    "payee_name": "通榆县财政局财政专户（演示，虚构）",
    "account_number": "07108220900000000017",
    "bank_name": "示范银行通榆支行营业部（虚构）",
}


@dataclass(frozen=True)
class DemoCounty:
    """Handles on what was loaded. ``employers`` by number from 1: 1 to 8 are confirmed, 9 waits, 10 is the neighbour's."""

    county_code: str
    users: dict[str, User]
    departments: dict[tuple[str, str], Department]
    employers: dict[int, Employer]
    people: list[DemoPerson]
    person_ids: dict[int, int]
    villages: list[Division]

    def village_of(self, person: DemoPerson) -> str:
        """The person's village as a list writes it: township and village."""
        village = self.villages[person.village]
        return TOWNSHIPS[village.code[:9]][0] + village.name


def load(session: Session, *, demonstration: bool, store: FileStore | None = None) -> DemoCounty:
    """Load the demonstration county, or find it again.

    :param demonstration: the installation's flag; without it nothing is loaded.
    :param store: where the waiting employer's 授权书 is kept; without one it has none to show.
    """
    if not demonstration:
        raise Forbidden("演示数据只能装入演示环境。")
    load_divisions(session)
    villages = _divisions(session)
    departments = {(kind, code): _department(session, kind, code, name) for kind, code, name in OFFICES}
    users = _users(session, departments)
    everybody = demo_people.people(len(villages))
    person_ids = _people(session, everybody)
    _snapshots(session, everybody, villages)
    employers = {unit.number: _employer(session, unit, users, everybody, store) for unit in UNITS}
    _settings(session)
    session.flush()
    return DemoCounty(COUNTY, users, departments, employers, everybody, person_ids, villages)


def _divisions(session: Session) -> list[Division]:
    """The county's villages, in the order people are spread over them."""
    for code, (name, villages) in TOWNSHIPS.items():
        if session.get(Division, code) is None:
            add_township(session, SYSTEM, county_code=code[:6], code=code, name=name, kind=name[-1])
        for number, village in enumerate(villages, start=201):
            if session.get(Division, f"{code}{number}") is None:
                add_village(session, SYSTEM, township_code=code, code=f"{code}{number}", name=village)
    return [
        division(session, f"{code}{number}")
        for code, (_, villages) in TOWNSHIPS.items()
        if code.startswith(COUNTY)
        for number in range(201, 201 + len(villages))
    ]


def _department(session: Session, kind: str, code: str, name: str) -> Department:
    found = session.scalars(
        select(Department).where(Department.kind == kind, Department.division_code == code)
    ).one_or_none()
    return found or add_department(
        session,
        SYSTEM,
        kind=kind,
        division_code=code,
        name=name,
        phone="0436-0000000",
        address=f"{name}（演示）",
    )


def _users(session: Session, departments: dict[tuple[str, str], Department]) -> dict[str, User]:
    users = {
        user.username: user
        for user in session.scalars(
            select(User).where(User.username.in_([account.username for account in ACCOUNTS]))
        )
    }
    secret = ""
    for account in ACCOUNTS:
        if account.username in users:
            continue
        secret = secret or hash_password(DEMO_PASSWORD)  # one hash for all: it hides nothing
        user = User(
            username=account.username,
            name=account.name,
            kind=account.kind,
            password_hash=secret,
            division_code=account.division[:6],
            phone="15400009999",
        )
        session.add(user)
        record(session, stream(session, "organisation"), "user-created", actor_id=None, covers=[user])
        users[account.username] = user
    _posts(session, users, departments)
    return users


def _posts(session: Session, users: dict[str, User], departments: dict[tuple[str, str], Department]) -> None:
    held = set(session.execute(select(Assignment.user_id, Assignment.department_id)))
    for account in ACCOUNTS:
        if not account.office:
            continue
        user, department = users[account.username], departments[account.office, account.division]
        if (user.id, department.id) not in held:
            assign_post(
                session,
                SYSTEM,
                user_id=user.id,
                department_id=department.id,
                post=account.post,
                valid_from=POSTS_FROM,
            )


def _people(session: Session, everybody: list[DemoPerson]) -> dict[int, int]:
    """Number → key in the register."""
    ids = people_for(session, [(person.id_number, person.name) for person in everybody])
    return {person.number: ids[digest_id(person.id_number)] for person in everybody}


def _snapshots(session: Session, everybody: list[DemoPerson], villages: list[Division]) -> None:
    """A list a year. The last ten of those listed first come on with 2024, ten others are off the list of 2025."""
    listed = demo_people.listed(everybody)
    for day in SNAPSHOT_DAYS:
        rows = [
            IdentityRow(
                name=person.name,
                id_number=person.id_number,
                category=str(person.category),
                village_code=villages[person.village].code,
                household=person.household,
                work=person.work,
                relocated=person.relocated,
                since=person.since,
            )
            for place, person in enumerate(listed)
            if _on_list(place, len(listed), day)
        ]
        snapshot = open_snapshot(
            session,
            SYSTEM,
            division_code=COUNTY,
            as_of=day,
            source="演示数据（虚构）",
            sha256=hashlib.sha256(f"demo {day}".encode()).hexdigest(),
        )
        if snapshot.completed_at is None:
            add_rows(session, snapshot.id, rows)
            close_snapshot(session, SYSTEM, snapshot.id)


def _on_list(place: int, total: int, day: date) -> bool:
    if place >= total - 10:
        return day > SNAPSHOT_DAYS[0]
    if place >= total - 20:
        return day < SNAPSHOT_DAYS[-1]
    return True


def _employer(
    session: Session,
    unit: Unit,
    users: dict[str, User],
    everybody: list[DemoPerson],
    store: FileStore | None,
) -> Employer:
    code = credit_code(unit.number)
    found = session.scalars(select(Employer).where(Employer.credit_code == code)).one_or_none()
    if found is not None:
        return found
    confirmed = unit.number != 9
    status = "confirmed" if confirmed else "pending"
    decided = now() if confirmed else None
    legal = everybody[unit.legal]
    employer = Employer(
        credit_code=code,
        name=unit.name,
        kind=unit.kind,
        legal_representative=legal.name,
        legal_id_digest=digest_id(legal.id_number),
        contact_name=unit.contact,
        contact_phone=f"1540001{unit.number:04d}",
        address=f"{division(session, unit.village).name}{unit.number}号（演示）",
        division_code=unit.village[:9],
        status=status,
        confirmed_at=decided,
    )
    session.add(employer)
    session.flush()
    members = [
        EmployerMember(
            employer_id=employer.id,
            user_id=users[account.username].id,
            role="owner" if confirmed and not account.username.endswith(".clerk") else "clerk",
            status=status,
            decided_at=decided,
            authorisation_file_id=None
            if confirmed or store is None
            else store.put(session, authorisation(unit), "授权书.pdf", PDF, users[account.username].id).id,
        )
        for account in ACCOUNTS
        if account.unit == unit.number
    ]
    session.add_all(members)
    record(
        session,
        stream(session, "registers"),
        "employer-registered",
        actor_id=None,
        payload={"demonstration": True},
        covers=[employer, *members],
    )
    return employer


def _settings(session: Session) -> None:
    """What the demonstration county has set: the successor of the basis, and where recovered money is paid to."""
    wanted: list[tuple[str, str, dict[str, str | bool | None]]] = [
        (process, key, SUCCESSOR_BASIS if shape == "basis" else RECOVERY_ACCOUNT)
        for process, key, shape in _to_be_named()
    ]
    for process, key, value in wanted:
        known = session.scalars(
            select(Parameter.id).where(
                Parameter.process == process, Parameter.key == key, Parameter.division_code == COUNTY
            )
        ).first()
        if known is None:
            set_parameter(
                session,
                SYSTEM,
                process=process,
                key=key,
                division_code=COUNTY,
                value=value,
                basis="演示用虚构文件，通演示〔2026〕1号",
                valid_from=date(2026, 1, 1),
            )


@cache
def _to_be_named() -> tuple[tuple[str, str, str], ...]:
    """(process, parameter, shape) of what processes on disk ask a county to name: a basis that follows theirs, an account."""
    configs = {one.name: one.joinpath("process.yaml") for one in files("bpmn").iterdir()}
    return tuple(
        (process, key, str(described["shape"]))
        for process, config in sorted(configs.items())
        if config.is_file()
        for key, described in yaml_text.load(config.read_text(encoding="utf-8")).get("parameters", {}).items()
        if isinstance(described, dict) and described.get("shape") in ("basis", "account")
    )


def authorisation(unit: Unit) -> bytes:
    """A one-page 授权书 as PDF, plainly marked as fictional; it names a font that every reader brings along."""
    lines = ("授权书（演示用，虚构）", f"单位：{unit.name}", f"授权 {unit.contact} 办理就业帮扶相关业务。")
    text = "".join(f"<{line.encode('utf-16-be').hex()}> Tj 0 -36 Td " for line in lines)
    content = f"BT /F 18 Tf 72 740 Td {text}ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H "
        b"/DescendantFonts [6 0 R] >>",
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light "
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /FontDescriptor 7 0 R >>",
        b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 4 /FontBBox [-25 -254 1000 880] "
        b"/ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
    )
    body, places = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        body
        + b"xref\n0 8\n0000000000 65535 f \n"
        + table
        + b"trailer\n<< /Size 8 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    )
