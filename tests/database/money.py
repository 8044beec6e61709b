"""A county with money: people, claims, appropriations and batches for the tests of grants and funds. All fictional."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import actor_named
from workflows.base.files import FileStore
from workflows.funds import appropriations, batches, payables
from workflows.funds.batch_model import PaymentBatch
from workflows.funds.check import check_funds
from workflows.funds.model import Appropriation, Payable
from workflows.registers import grants
from workflows.registers.demo_people import id_number
from workflows.registers.grant_model import Grant
from workflows.registers.grants import Claim, Claimant, Claimed, Policy
from workflows.registers.model import Employer
from workflows.registers.people import people_for

COUNTY = "220822"
REWARD = Policy("workshop_reward", related=("absorption_subsidy",))
PROCESS = "one_time_reward"
ACCOUNT = "6222600260001072444"


def nobody_blocked(session: Session, case_ids: Collection[int]) -> dict[int, str]:
    """No case is in the way."""
    return {}


def person(session: Session, serial: int) -> int:
    """A fictional person's key."""
    number = id_number(date(1980, 5, 17), serial)
    return next(iter(people_for(session, [(number, f"演示{serial}")]).values()))


def employer(session: Session, number: int) -> Employer:
    """One of the county's confirmed units."""
    return session.scalars(select(Employer).order_by(Employer.id).offset(number - 1).limit(1)).one()


def claim_for(
    session: Session, unit: Employer, case_id: int, people: Collection[int], policy: Policy = REWARD
) -> Claimed:
    """Claim 1000 元 for each."""
    return grants.claim(
        session,
        policy,
        Claimant(case_id, unit, COUNTY),
        [Claim(one, case_id * 1000 + number, 100_000, unit.credit_code) for number, one in enumerate(people)],
        actor_id=None,
    )


def appropriate(session: Session, fen: int = 10_000_000, number: str = "吉财农〔2026〕1号") -> Appropriation:
    """Money of the county, enabled."""
    return appropriations.appropriate(
        session,
        actor_named(session, "caizheng.clerk"),
        appropriations.AppropriationData(
            COUNTY,
            2026,
            "rural_revitalisation",
            number,
            "",
            fen,
            (PROCESS,),
            date(2026, 3, 1),
            date(2026, 3, 1),
            "县政府常务会议纪要〔2026〕5号",
        ),
    )


@dataclass
class Reserved:
    """A case whose people are approved and whose money is reserved and ready."""

    case_id: int
    grants: list[Grant]
    payables: list[Payable]


def reserved(session: Session, unit: Employer, case_id: int, people: Collection[int]) -> Reserved:
    """Claim, approve, reserve, and end the publicity."""
    claimed = claim_for(session, unit, case_id, people)
    assert not claimed.held
    assert not claimed.refused
    made = list(claimed.free.values())
    grants.approve(session, made, actor_id=None)
    payables.reserve(
        session,
        payables.Origin(PROCESS, case_id, f"JB-{case_id}", COUNTY),
        [
            payables.Owed(
                grant.row_id or 0, grant.amount_fen, unit.name, ACCOUNT, "示范银行", grant.person_id, grant.id
            )
            for grant in made
        ],
        actor_id=None,
    )
    payables.make_ready(session, case_id)
    return Reserved(case_id, made, payables.of_case(session, case_id))


def released(session: Session, fund: Appropriation, store: FileStore) -> PaymentBatch:
    """A batch of all that is ready, made, checked and released by three people."""
    batch = batches.make(
        session, actor_named(session, "caizheng.clerk"), fund.id, PROCESS, blocked=nobody_blocked
    )
    batches.check(session, actor_named(session, "caizheng.b"), batch.id, True, "")
    return batches.release(
        session, actor_named(session, "caizheng.head"), batch.id, store, blocked=nobody_blocked
    )


def answer_csv(session: Session, batch: PaymentBatch, bounced: Collection[int] = ()) -> bytes:
    """The bank's answer; ``bounced``: the sequence numbers that came back."""
    lines = ["批次号,序号,金额（元）,处理结果,退票原因,银行流水号"]
    for line in batches.lines_of(session, batch.id):
        back = line.seq in bounced
        lines.append(
            f"{batch.number},{line.seq},{line.amount_fen / 100:.2f},{'退票' if back else '成功'},"
            f"{'户名不符' if back else ''},R{batch.id}{line.seq:04d}"
        )
    return "\r\n".join(lines).encode("utf-8-sig")


def problems(session: Session) -> list[tuple[str, str]]:
    """What the checker says."""
    session.flush()
    return list(check_funds(session))
