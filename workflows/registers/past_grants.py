"""Payments made before this system existed, imported from Excel: history blocks too.

A list with one bad row is refused whole, each problem with sheet, row and column. A row that repeats a grant the
register holds already is said so and left out: the same list may be sent again after a correction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from forms.model import Column, Option, RosterDefinition
from forms.sheet_template import template
from forms.sheets import read_roster
from workflows.audit.record import record, stream
from workflows.base.clock import now, today
from workflows.base.errors import Invalid
from workflows.base.privacy import digest_id
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.permissions import Facts, require
from workflows.registers.grant_model import Grant
from workflows.registers.grants import lock_people
from workflows.registers.model import Employer
from workflows.registers.people import people_for

#: Policy → Chinese, as the list names them.
POLICIES = {"workshop_reward": "就业帮扶车间一次性奖补", "absorption_subsidy": "一次性吸纳就业补贴"}
CHUNK = 500

LIST = RosterDefinition(
    file="past_grants.py",
    title="历史发放记录",
    sheet="发放记录",
    notes=("一人一行，一次发放一行；单位按当时的全称和统一社会信用代码填写。",),
    max_rows=20_000,
    match_on="id_number",
    name_column="name",
    columns=(
        Column(
            key="name", label="姓名", required=True, checks=("person_name",), max_length=40, example="张三"
        ),
        Column(
            key="id_number",
            label="身份证号",
            type="id_number",
            required=True,
            sensitive=True,
            width=22,
            example="220899199001010014",
        ),
        Column(
            key="policy",
            label="补贴名称",
            type="choice",
            required=True,
            width=24,
            options=tuple(Option(value=key, label=label) for key, label in POLICIES.items()),
            example="就业帮扶车间一次性奖补",
        ),
        Column(key="employer", label="单位名称", required=True, max_length=120, width=30, example="某某公司"),
        Column(
            key="credit_code",
            label="统一社会信用代码",
            type="credit_code",
            required=True,
            width=24,
            example="91220822MA0Y3XKQ7T",
        ),
        Column(
            key="amount", label="金额", type="money", required=True, unit="元", minimum=1, example="1000.00"
        ),
        Column(
            key="paid_on",
            label="发放日期",
            type="date",
            required=True,
            checks=("not_future",),
            example="2024-06-30",
        ),
        Column(key="document", label="发放文号", required=True, max_length=80, example="通人社发〔2024〕8号"),
    ),
)


@dataclass(frozen=True)
class PastGrant:
    """One earlier payment. ``amount_fen``: whole fen."""

    id_number: str
    name: str
    policy: str
    employer_name: str
    credit_code: str
    amount_fen: int
    paid_on: date
    document_number: str


@dataclass(frozen=True)
class Imported:
    """How an import went. ``repeated``: rows that the register held already."""

    entered: int
    repeated: int


def list_template() -> bytes:
    """The empty list as xlsx."""
    return template(LIST, title=LIST.title)


def import_past_grants(session: Session, actor: Actor, content: bytes, *, county_code: str) -> Imported:
    """Import a list of earlier payments of a county.

    :raises Invalid: with every problem in ``errors["file"]``, one sentence a line.
    """
    require(actor, "grants.import", Facts(division_chain=chain_codes(session, county_code)))
    reading = read_roster(LIST, content, today=today())
    problems = [*reading.problems, *reading.lines(LIST)]
    if problems:
        raise Invalid(
            f"历史发放记录没有导入：有 {len(problems)} 处需要改正。", {"file": "\n".join(problems[:200])}
        )
    return enter(
        session,
        actor,
        [
            PastGrant(
                str(row.values["id_number"]),
                str(row.values["name"]),
                str(row.values["policy"]),
                str(row.values["employer"]),
                str(row.values["credit_code"]),
                int(str(row.values["amount"])),
                date.fromisoformat(str(row.values["paid_on"])),
                str(row.values["document"]),
            )
            for row in reading.rows
        ],
        county_code=county_code,
    )


def enter(session: Session, actor: Actor, rows: list[PastGrant], *, county_code: str) -> Imported:
    """Enter earlier payments as paid grants; what the register holds already is left out."""
    people = people_for(session, [(row.id_number, row.name) for row in rows])
    lock_people(session, people.values())  # a claim, or the same list sent twice, waits or is seen here
    codes = {row.credit_code for row in rows}
    employers = {
        one.credit_code: one.id
        for one in session.scalars(select(Employer).where(Employer.credit_code.in_(codes)))
    }
    held = {
        (person, policy, scope)
        for person, policy, scope in session.execute(
            select(Grant.person_id, Grant.policy, Grant.scope).where(
                Grant.person_id.in_(people.values()), Grant.state != "freed"
            )
        )
    }
    new: dict[tuple[int, str, str], PastGrant] = {}
    for row in rows:
        slot = (people[digest_id(row.id_number)], row.policy, row.credit_code)
        if slot not in held:
            new.setdefault(slot, row)
    slots = list(new)
    for start in range(0, len(slots), CHUNK):
        _enter(
            session, actor, {slot: new[slot] for slot in slots[start : start + CHUNK]}, employers, county_code
        )
    return Imported(len(new), len(rows) - len(new))


def _enter(
    session: Session,
    actor: Actor,
    rows: dict[tuple[int, str, str], PastGrant],
    employers: dict[str, int],
    county_code: str,
) -> None:
    at = now()
    made = session.scalars(
        insert(Grant).returning(Grant),
        [
            {
                "person_id": person,
                "policy": policy,
                "scope": scope,
                "employer_id": employers.get(scope),
                "employer_name": row.employer_name,
                "county_code": county_code,
                "amount_fen": row.amount_fen,
                "state": "paid",
                "document_number": row.document_number,
                "paid_on": row.paid_on,
                "created_at": at,
                "changed_at": at,
            }
            for (person, policy, scope), row in rows.items()
        ],
    ).all()
    record(
        session,
        stream(session, f"grants:{county_code}"),
        "past-grants-imported",
        actor_id=actor.user_id,
        payload={"count": len(made)},
        covers=tuple(made),
    )
