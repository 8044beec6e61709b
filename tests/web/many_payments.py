"""Many units whose money is ready, put straight into the rows beside a claim that was walked: pages of money at the size
of a county. All units and amounts are fictional."""

from __future__ import annotations

from sqlalchemy import insert, select

from tests.web.officer_cases import Filled
from workflows.base.session import Database
from workflows.cases.model import Case, Publicity
from workflows.funds.model import Appropriation, Balance, Payable
from workflows.registers.demo_people import credit_code
from workflows.registers.model import Employer


def pour(database: Database, claims: Filled, units: int, cases: int, people: int) -> list[int]:
    """Add units with so many cases of so many people each, 1000 元 a person; returns the keys of the cases.

    Cases, publicities and payments are copies of those of the claim that is ready; entries and balance agree with them.
    """
    with database.transaction() as session:
        model = session.get_one(Case, claims.cases["ready"])
        shown = session.scalars(select(Publicity).where(Publicity.case_id == model.id)).one()
        paid = session.scalars(select(Payable).where(Payable.case_id == model.id)).first()
        assert paid is not None
        made: list[int] = []
        for number in range(units):
            unit = Employer(
                credit_code=credit_code(1000 + number),
                name=f"演示{number:04d}号单位",
                kind="company",
                division_code=model.division_code,
                legal_representative="演示",
                contact_name="演示",
                contact_phone="13804360000",
                address="示范镇",
            )
            session.add(unit)
            session.flush()
            for serial in range(cases):
                made.append(_copy(session, model, shown, unit.id, f"JB220822-2026-{number:04d}{serial:02d}"))
        rows = [
            {
                "appropriation_id": paid.appropriation_id,
                "process": paid.process,
                "case_id": case_id,
                "case_number": f"JB-{case_id}",
                "row_id": 1_000_000 + case_id * 10_000 + row,
                "amount_fen": 100_000,
                "state": "ready",
                "payee_name": "演示单位",
                "account_number": paid.account_number,
                "bank_name": paid.bank_name,
                "changed_at": paid.changed_at,
            }
            for case_id in made
            for row in range(people)
        ]
        session.execute(insert(Payable), rows)
        fund = session.get_one(Appropriation, paid.appropriation_id)
        balance = session.get_one(Balance, fund.id)
        fund.total_fen += 100_000 * len(rows)
        balance.reserved_fen += 100_000 * len(rows)
    return made


def _copy(session, model: Case, shown: Publicity, employer_id: int, number: str) -> int:  # type: ignore[no-untyped-def]
    values = {column.key: getattr(model, column.key) for column in Case.__table__.c if column.key != "id"}
    case = Case(**{**values, "employer_id": employer_id, "number": number})
    session.add(case)
    session.flush()
    values = {
        column.key: getattr(shown, column.key) for column in Publicity.__table__.c if column.key != "id"
    }
    session.add(Publicity(**{**values, "case_id": case.id, "token": f"t{case.id}"}))
    return int(case.id)
