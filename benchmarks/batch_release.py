"""``batch_release``: 拨付 of 5 000 payments, with its bank file, against writing as many rows in one go."""

from __future__ import annotations

import time
from collections.abc import Iterator

from sqlalchemy import insert

from benchmarks.figures import Figure, middle
from benchmarks.world import KINDS, World, analyse
from workflows.base.clock import now
from workflows.base.installation import installation
from workflows.base.session import Database
from workflows.cases.scenario_money import enter_funds, finance_officers
from workflows.funds import batches, payables
from workflows.funds.batch_model import BatchLine, PaymentBatch

GOAL = 4.0
LINES, QUICK = batches.MAX_LINES, 500
AMOUNT = 100_000
COUNTY, POLICY = "220822", "one_time_reward"


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """One figure a database; batch and floor in turns."""
    lines, times = (QUICK, 3) if quick else (LINES, 7)
    for kind in KINDS:
        with world.county(kind) as database:
            fund = _fund(database, lines * (times + 1))
            pairs = []
            for number in range(times + 1):
                batch = _checked(database, fund, number, lines)
                if number == 0:
                    analyse(database)
                pairs.append((_release(database, batch), _floor(database, fund, batch)))
            yield Figure(
                f"batch_release {kind} {lines}",
                middle([mine for mine, _ in pairs[1:]]) * 1000,
                "ms",
                middle([theirs for _, theirs in pairs[1:]]) * 1000,
                GOAL,
            )


def _fund(database: Database, people: int) -> int:
    with database.transaction() as session:
        return enter_funds(session, COUNTY, POLICY, people * AMOUNT).id


def _checked(database: Database, fund: int, number: int, lines: int) -> int:
    """A batch that waits for its release. The rows of its case are nobody's: 拨付 asks for none."""
    with database.transaction() as session:
        one, other, _ = finance_officers(session, COUNTY)[:3]
        owed = [
            payables.Owed(row, AMOUNT, "示范县帮扶车间有限公司", f"6222600260{row:09d}", "示范银行")
            for row in range(number * lines + 1, (number + 1) * lines + 1)
        ]
        origin = payables.Origin(POLICY, number + 1, f"JB{number}", COUNTY)
        payables.reserve(session, origin, owed, actor_id=one.user_id)
        payables.make_ready(session, number + 1)
        batch = batches.make(session, one, fund, POLICY, blocked=lambda *_: {})
        batches.check(session, other, batch.id, True, "")
        return batch.id


def _release(database: Database, batch: int) -> float:
    with database.reading() as session:
        officer = finance_officers(session, COUNTY)[2]
    begun = time.perf_counter()
    with database.transaction() as session:
        batches.release(session, officer, batch, installation().files, blocked=lambda *_: {})
    return time.perf_counter() - begun


def _floor(database: Database, fund: int, batch: int) -> float:
    """Seconds to write as many lines, of a batch that was cancelled, and nothing else."""
    with database.transaction() as session:
        maker = finance_officers(session, COUNTY)[0].user_id
        empty = PaymentBatch(
            number=f"floor-{batch}",
            county_code=COUNTY,
            appropriation_id=fund,
            process=POLICY,
            state="cancelled",
            line_count=0,
            total_fen=0,
            lines_digest="",
            layout="standard",
            made_by=maker,
            made_at=now(),
        )
        session.add(empty)
        session.flush()
        rows = [
            {
                "batch_id": empty.id,
                "payable_id": line.payable_id,
                "seq": line.seq,
                "amount_fen": line.amount_fen,
                "payee_name": line.payee_name,
                "account_number": line.account_number,
                "bank_name": line.bank_name,
                "state": "dropped",
                "bank_reference": "",
                "bounce_reason": "",
            }
            for line in batches.lines_of(session, batch)
        ]
    begun = time.perf_counter()
    with database.transaction() as session:
        session.execute(insert(BatchLine), rows)
    return time.perf_counter() - begun
