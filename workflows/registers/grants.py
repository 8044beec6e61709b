"""The register of grants: claim a slot, hold, lift, approve, pay, recover, free.

Who writes it: the operations of a claim's diagram and the answers of the bank. Every claim first locks its people (in
the order of their keys): two employers who claim one person at the same moment come one after the other, and the second
sees the first. Should that lock ever fail, the unique index still refuses the second living grant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.clock import now
from workflows.base.errors import Conflict, Invalid, WengangError
from workflows.registers.grant_model import GRANT_STATES, GRANT_TRANSITIONS, Grant
from workflows.registers.model import Employer, Person

#: Most keys in one statement.
CHUNK = 5_000


@dataclass(frozen=True)
class Policy:
    """What a process claims under.

    :param key: the policy group; with the scope it makes the slot.
    :param related: policies that pay for the same thing: a grant under one of them holds the claim.
    :param elsewhere: whether a grant of the same policy in another scope holds the claim (奖补) or says nothing
        (a course that is not this course).
    """

    key: str
    related: tuple[str, ...] = ()
    elsewhere: bool = True


@dataclass(frozen=True)
class Claim:
    """One person of a claim. ``amount_fen``: whole fen. ``scope``: the employer's credit code, or the course."""

    person_id: int
    row_id: int
    amount_fen: int
    scope: str


@dataclass(frozen=True)
class Claimant:
    """Who claims, and in which case."""

    case_id: int
    employer: Employer
    county_code: str


@dataclass(frozen=True)
class Obstacle:
    """What stands in a claim's way: which kind, and the grant."""

    kind: str
    grant: Grant

    @property
    def refuses(self) -> bool:
        return self.kind == "same_scope"


@dataclass
class Claimed:
    """What became of a claim. Keys are person ids."""

    free: dict[int, Grant] = field(default_factory=dict)
    held: dict[int, Grant] = field(default_factory=dict)
    refused: dict[int, Obstacle] = field(default_factory=dict)


def obstacles(
    session: Session,
    policy: Policy,
    wanted: Mapping[int, str],
    employer: Employer,
    *,
    but_case: int | None = None,
) -> dict[int, Obstacle]:
    """What stands in the way, by person: the same scope first, then an affiliate, another employer, another policy.

    :param wanted: person → scope.
    :param but_case: the claim's own case, whose grants are not in its way.
    """
    found: dict[int, Obstacle] = {}
    order = ("same_scope", "affiliate", "other_employer", "other_policy")
    for grant in _living(session, list(wanted), (policy.key, *policy.related)):
        if but_case is not None and grant.case_id == but_case:
            continue
        kind = _kind(policy, grant, wanted[grant.person_id], employer)
        if kind is None:
            continue
        known = found.get(grant.person_id)
        if known is None or order.index(kind) < order.index(known.kind):
            found[grant.person_id] = Obstacle(kind, grant)
    return found


def _living(session: Session, people: Sequence[int], policies: Sequence[str]) -> Iterable[Grant]:
    for start in range(0, len(people), CHUNK):
        yield from session.scalars(
            select(Grant)
            .where(
                Grant.person_id.in_(people[start : start + CHUNK]),
                Grant.policy.in_(policies),
                Grant.state != "freed",
            )
            .order_by(Grant.id)
        )


def _kind(policy: Policy, grant: Grant, scope: str, employer: Employer) -> str | None:
    if grant.policy != policy.key:
        return "other_policy"
    if grant.scope == scope:
        return "same_scope"
    if not policy.elsewhere:
        return None
    return "affiliate" if _affiliated(employer, grant.employer) else "other_employer"


def _affiliated(one: Employer, other: Employer | None) -> bool:
    """Same legal representative, or same address: treated as one employer (anti-circumvention; the notice is silent)."""
    if other is None or other.id == one.id:
        return other is not None
    same_person = one.legal_id_digest is not None and one.legal_id_digest == other.legal_id_digest
    same_place = bool(one.address.strip()) and one.address.strip() == other.address.strip()
    return same_person or same_place


def claim(
    session: Session,
    policy: Policy,
    claimant: Claimant,
    claims: Sequence[Claim],
    *,
    actor_id: int | None,
    department_id: int | None = None,
) -> Claimed:
    """Take a slot for each person; what this case claimed before and claims no longer is freed.

    Called again after a correction: a slot that stands is kept, with whatever holds were lifted on it.
    """
    lock_people(session, [one.person_id for one in claims])
    mine = {one.person_id: one for one in of_case(session, claimant.case_id) if one.state != "freed"}
    wanted = {one.person_id: one for one in claims}
    gone = [grant for person, grant in mine.items() if _gone(grant, wanted.get(person))]
    touched = [_set(grant, "freed") for grant in gone]
    session.flush()
    kept = {person: grant for person, grant in mine.items() if grant.state != "freed"}
    found = obstacles(
        session,
        policy,
        {one.person_id: one.scope for one in claims},
        claimant.employer,
        but_case=claimant.case_id,
    )
    new = [
        one
        for one in claims
        if one.person_id not in kept and not (one.person_id in found and found[one.person_id].refuses)
    ]
    made = _insert(session, policy, claimant, new, found)
    result = Claimed()
    for one in claims:
        grant = kept.get(one.person_id) or made.get(one.person_id)
        if grant is None:
            result.refused[one.person_id] = found.get(one.person_id) or _lost_race(session, policy, one)
            continue
        grant.row_id, grant.amount_fen = one.row_id, one.amount_fen
        touched.append(grant)
        (result.held if grant.state == "held" else result.free)[one.person_id] = grant
    _record(session, "grants-claimed", claimant.county_code, touched, actor_id, department_id)
    return result


def _gone(grant: Grant, wanted: Claim | None) -> bool:
    if grant.state not in ("claimed", "held"):
        return False
    return wanted is None or wanted.scope != grant.scope


def lock_people(session: Session, people: Iterable[int]) -> None:
    """Everybody who writes a person's grants or days comes one after the other, always in the order of the keys.

    Rows that name a person are written meanwhile (a foreign key asks for no more than the key): waiting for those too
    would let two who have just read the same people wait for each other.
    """
    ordered = sorted(set(people))
    for start in range(0, len(ordered), CHUNK):
        session.execute(
            select(Person.id)
            .where(Person.id.in_(ordered[start : start + CHUNK]))
            .order_by(Person.id)
            .with_for_update(key_share=True)
        ).all()


def _insert(
    session: Session,
    policy: Policy,
    claimant: Claimant,
    claims: Sequence[Claim],
    found: Mapping[int, Obstacle],
) -> dict[int, Grant]:
    if not claims:
        return {}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    at = now()
    session.execute(
        insert(Grant).on_conflict_do_nothing(),
        [
            {
                "person_id": one.person_id,
                "policy": policy.key,
                "scope": one.scope,
                "employer_id": claimant.employer.id,
                "employer_name": claimant.employer.name,
                "county_code": claimant.county_code,
                "amount_fen": one.amount_fen,
                "state": "held" if one.person_id in found else "claimed",
                "case_id": claimant.case_id,
                "row_id": one.row_id,
                "document_number": "",
                "obstacle": found[one.person_id].kind if one.person_id in found else None,
                "blocking_id": found[one.person_id].grant.id if one.person_id in found else None,
                "created_at": at,
                "changed_at": at,
            }
            for one in claims
        ],
    )
    return {grant.person_id: grant for grant in of_case(session, claimant.case_id) if grant.state != "freed"}


def _lost_race(session: Session, policy: Policy, one: Claim) -> Obstacle:
    grant = session.scalars(
        select(Grant).where(
            Grant.person_id == one.person_id,
            Grant.policy == policy.key,
            Grant.scope == one.scope,
            Grant.state != "freed",
        )
    ).one()
    return Obstacle("same_scope", grant)


def of_case(session: Session, case_id: int) -> list[Grant]:
    """All grants of a case, freed ones among them."""
    return list(session.scalars(select(Grant).where(Grant.case_id == case_id).order_by(Grant.id)))


def lift(session: Session, grant: Grant, office: str, *, actor_id: int, reason: str) -> bool:
    """One office's word that a held claim may go on; returns whether both have now said so.

    :param office: ``hrss`` or ``finance``.
    :param reason: required: the auditors read it years later.
    """
    if grant.state != "held":
        raise Conflict("这个人没有暂缓，或者暂缓已经解除。")
    if not reason.strip():
        raise Invalid(
            "解除暂缓须写明理由。", {"reason": "请写明为什么可以再次奖补，例如前一单位未实际用工。"}
        )
    if office == "hrss":
        grant.hrss_lifted_by, grant.hrss_lift_reason = actor_id, reason.strip()
    elif office == "finance":
        grant.finance_lifted_by, grant.finance_lift_reason = actor_id, reason.strip()
    else:
        raise WengangError("只有人社部门和财政部门可以解除暂缓。")
    if grant.hrss_lifted_by is not None and grant.hrss_lifted_by == grant.finance_lifted_by:
        raise Conflict("解除暂缓须由人社、财政两个部门的不同人员分别办理。")
    both = grant.hrss_lifted_by is not None and grant.finance_lifted_by is not None
    if both:
        _set(grant, "claimed")
    _record(session, "hold-lifted" if both else "lift-agreed", grant.county_code, [grant], actor_id, None)
    return both


def approve(
    session: Session, grants: Sequence[Grant], *, actor_id: int | None, department_id: int | None = None
) -> None:
    """人社复核 agreed: the claim is fixed. A grant that is still held refuses all of it."""
    if held := sum(grant.state == "held" for grant in grants):
        raise Conflict(f"还有 {held} 人暂缓，须由人社、财政解除或者不予奖补后才能审定。")
    _move(session, "grants-approved", grants, "approved", actor_id, department_id)


def reopen(session: Session, grant: Grant, *, actor_id: int | None) -> None:
    """An objection was upheld: what was approved is to be judged again."""
    _move(session, "grants-reopened", [grant], "claimed", actor_id, None)


def free(session: Session, grants: Sequence[Grant], *, actor_id: int | None) -> None:
    """Give the slots back: withdrawn, refused, given up. A grant that paid never frees its slot."""
    _move(session, "grants-freed", grants, "freed", actor_id, None)


def pay(
    session: Session, grants: Sequence[Grant], *, on: date, document_number: str, actor_id: int | None
) -> None:
    """The bank paid."""
    for grant in grants:
        grant.paid_on = on
        grant.document_number = grant.document_number or document_number
    _move(session, "grants-paid", grants, "paid", actor_id, None)


def recover(session: Session, grants: Sequence[Grant], *, actor_id: int | None) -> None:
    """The money came back. The slot stays taken: history blocks."""
    _move(session, "grants-recovered", grants, "recovered", actor_id, None)


def _move(
    session: Session,
    event: str,
    grants: Sequence[Grant],
    state: str,
    actor_id: int | None,
    department_id: int | None,
) -> None:
    by_county: dict[str, list[Grant]] = {}
    for grant in grants:
        by_county.setdefault(grant.county_code, []).append(_set(grant, state))
    for county in sorted(by_county):
        _record(session, event, county, by_county[county], actor_id, department_id)


def _set(grant: Grant, state: str) -> Grant:
    if state not in GRANT_TRANSITIONS[grant.state]:
        raise Conflict(
            f"这笔奖补现在是“{GRANT_STATES[grant.state]}”，不能改为“{GRANT_STATES[state]}”。请刷新页面后再看。"
        )
    grant.state, grant.changed_at = state, now()
    return grant


def _record(
    session: Session,
    event: str,
    county: str,
    grants: Sequence[Grant],
    actor_id: int | None,
    department_id: int | None,
) -> None:
    if grants:
        record(
            session,
            stream(session, f"grants:{county}"),
            event,
            actor_id=actor_id,
            department_id=department_id,
            payload={"count": len(grants), "case": grants[0].case_id},
            covers=tuple(grants),
        )
