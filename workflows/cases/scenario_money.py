"""Money in scenarios: what a county has, who was paid earlier, and 财政's three acts with the bank's answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflows.base.clock import today
from workflows.base.installation import installation
from workflows.base.session import Database
from workflows.cases.paying import blocked_cases
from workflows.cases.scenario_people import ScenarioPerson
from workflows.funds import answers, appropriations, batches, corrections
from workflows.funds.batch_model import PaymentBatch
from workflows.funds.model import Appropriation, Payable
from workflows.organisations.actors import SYSTEM, Actor
from workflows.organisations.model import Assignment, Department
from workflows.registers.membership import load_actor
from workflows.registers.model import Employer
from workflows.registers.past_grants import PastGrant, enter

ACCOUNT = "6222600260001072444"


def finance_officers(session: Session, county_code: str) -> list[Actor]:
    """The people of the county's 财政局, in the order of their appointment."""
    users = session.scalars(
        select(Assignment)
        .join(Department, Department.id == Assignment.department_id)
        .where(Department.kind == "finance", Department.division_code == county_code)
        .order_by(Assignment.id)
    )
    return [load_actor(session, one.user) for one in users]


def enter_funds(
    session: Session, county_code: str, process: str, fen: int, document: str | None = None
) -> Appropriation:
    """An appropriation of the county, enabled since a month; under a document, where a project names one: once."""
    day = today() - timedelta(days=30)
    known = session.scalars(
        select(Appropriation).where(
            Appropriation.county_code == county_code, Appropriation.document_number == (document or "")
        )
    ).first()
    if known is not None:
        return known
    serial = (session.scalar(select(func.count()).select_from(Appropriation)) or 0) + 1
    return appropriations.appropriate(
        session,
        finance_officers(session, county_code)[0],
        appropriations.AppropriationData(
            county_code,
            day.year,
            "work_relief" if document else "rural_revitalisation",
            document or f"演示财农〔{day.year}〕{serial}号",
            "",
            fen,
            (process,),
            day,
            day,
            "演示用虚构文件，通演示〔2026〕2号",
        ),
    )


def enter_earlier(
    session: Session,
    county_code: str,
    employer: Employer,
    people: Collection[ScenarioPerson],
    kinds: Mapping[str, Any],
) -> None:
    """Those whose kind says ``earlier`` were paid before: ``same``, ``other``, ``affiliate`` (unit) or ``other_policy``."""
    others = session.scalars(
        select(Employer).where(Employer.id != employer.id).order_by(Employer.id).limit(2)
    ).all()
    wanted = [(one, _earlier(kinds, one.kind)) for one in people]
    if any(how == "affiliate" for _, how in wanted):
        others[1].legal_id_digest = employer.legal_id_digest
    units = {"same": employer, "other": others[0], "affiliate": others[1], "other_policy": others[0]}
    rows = [
        PastGrant(
            one.id_number,
            one.name,
            "absorption_subsidy" if how == "other_policy" else "workshop_reward",
            units[how].name,
            units[how].credit_code,
            100_000,
            date(2024, 6, 30),
            "演示人社发〔2024〕8号",
        )
        for one, how in wanted
        if how
    ]
    if rows:
        enter(session, SYSTEM, rows, county_code=county_code)


def _earlier(kinds: Mapping[str, Any], kind: str) -> str:
    return str(kinds[kind].get("earlier", ""))


def pay(database: Database, county_code: str, process: str, bounce: Collection[int] = ()) -> tuple[int, int]:
    """经办, 复核, 拨付 by three people, then the bank's answer. Returns how many lines and fen the batch had.

    :param bounce: the lines that come back.
    """
    store = installation().files
    with database.transaction() as session:
        maker, checker, releaser = (finance_officers(session, county_code) * 3)[:3]
        fund_id = session.scalars(
            select(Payable.appropriation_id)
            .where(Payable.process == process, Payable.state == "ready")
            .limit(1)
        ).one()
        batch = batches.make(session, maker, fund_id, process, blocked=blocked_cases)
        batches.check(session, checker, batch.id, True, "")
        batches.release(session, releaser, batch.id, store, blocked=blocked_cases)
        batch_id, whole = batch.id, (batch.line_count, batch.total_fen)
    with database.transaction() as session:
        batch = batches.get(session, batch_id)
        content = answer_of(session, batch, bounce)
        answers.import_answer(session, maker, batch_id, content, store, value_date=today())
    return whole


def answer_of(session: Session, batch: PaymentBatch, bounce: Collection[int] = ()) -> bytes:
    """What a bank would answer to a batch."""
    lines = ["批次号,序号,金额（元）,处理结果,退票原因,银行流水号"]
    for line in batches.lines_of(session, batch.id):
        back = line.seq in bounce
        amount = f"{line.amount_fen // 100}.{line.amount_fen % 100:02d}"
        lines.append(
            f"{batch.number},{line.seq},{amount},{'退票' if back else '成功'},{'户名不符' if back else ''},"
            f"YH{batch.id:06d}{line.seq:05d}"
        )
    return "\r\n".join(lines).encode("utf-8-sig")


def correct_accounts(database: Database, county_code: str, process: str) -> int:
    """Every bounced account corrected by one person and confirmed by another; returns how many."""
    with database.transaction() as session:
        one, other = finance_officers(session, county_code)[:2]
        bounced = session.scalars(
            select(Payable).where(Payable.process == process, Payable.state == "bounced").order_by(Payable.id)
        ).all()
        for payable in bounced:
            right = corrections.Account(payable.payee_name, ACCOUNT, "示范银行通榆支行")
            entered = corrections.enter(session, one, payable.id, right, "银行退票：户名不符")
            corrections.decide(session, other, entered.id, True)
        return len(bounced)
