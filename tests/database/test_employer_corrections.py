"""The township corrects what is registered of an employer, by the 营业执照 and with a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from tests.factories import actor_named
from workflows.audit.model import Event
from workflows.audit.verify import verify_streams, verify_uncovered
from workflows.base.errors import Conflict, Forbidden, Invalid
from workflows.base.outbox import OutboxRow
from workflows.registers.employer_corrections import (
    Licence,
    correct_employer,
    corrections_of,
    employers_of_townships,
)
from workflows.registers.model import Employer

pytestmark = pytest.mark.usefixtures("clock")
WHY = "营业执照于2026年2月变更名称，已核对原件。"


@pytest.fixture
def employer(county_session: Session) -> Employer:
    """Of 示范镇, confirmed."""
    return county_session.get_one(Employer, actor_named(county_session, "qiye1").employer_ids[0])


@pytest.mark.tampers
def test_a_correction_is_kept_with_what_stood_there_and_why(
    county_session: Session, employer: Employer
) -> None:
    township, before = actor_named(county_session, "shifan.clerk"), Licence.of(employer)
    after = replace(before, name=" 通榆县新名称有限公司 ", kind="cooperative")
    correct_employer(county_session, township, employer.id, after, f" {WHY} ")
    assert (employer.name, employer.kind) == ("通榆县新名称有限公司", "cooperative")
    (row,) = corrections_of(county_session, employer.id)
    assert row.changes == {
        "name": [before.name, "通榆县新名称有限公司"],
        "kind": [before.kind, "cooperative"],
    }
    assert (row.reason, row.by) == (WHY, township.user_id)
    stored = county_session.execute(text("select changes, reason from employer_corrections")).one()
    assert "新名称" not in str(stored)
    event = county_session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert event.kind == "employer-corrected"
    assert {table for table, *_ in event.covers} == {"employers", "employer_corrections"}
    told = county_session.scalars(
        select(OutboxRow).where(OutboxRow.kind == "notify-user", OutboxRow.done_at.is_(None))
    ).all()
    assert {one.payload["user"] for one in told} >= {
        actor_named(county_session, username).user_id for username in ("qiye1", "qiye1.clerk")
    }
    assert [*verify_streams(county_session), *verify_uncovered(county_session)] == []
    with pytest.raises(DatabaseError, match="append-only"):
        county_session.execute(text("update employer_corrections set employer_id = employer_id + 1"))


def test_what_is_wrong_is_said_field_by_field(county_session: Session, employer: Employer) -> None:
    township, now = actor_named(county_session, "shifan.clerk"), Licence.of(employer)
    for licence, reason, wrong in (
        (Licence("", "none", " ", "", "220822901"), WHY, {"name", "kind", "legal_representative", "address"}),
        (replace(now, name="某"), " ", {"reason"}),
        (replace(now, name="某"), "由" * 201, {"reason"}),
        (replace(now, division_code="220822"), WHY, {"division_code"}),
        (replace(now, division_code="220881901"), WHY, {"division_code"}),
        (now, WHY, {""}),
    ):
        with pytest.raises(Invalid) as refused:
            correct_employer(county_session, township, employer.id, licence, reason)
        assert set(refused.value.errors) == wrong
    assert corrections_of(county_session, employer.id) == []


def test_only_the_township_corrects_and_a_move_gives_the_unit_to_another(
    county_session: Session, employer: Employer
) -> None:
    moved = replace(Licence.of(employer), division_code="220822902")
    for username in ("xiangyang.clerk", "renshe.a", "qiye1", "guanli", "shenji"):
        with pytest.raises(Forbidden):
            correct_employer(county_session, actor_named(county_session, username), employer.id, moved, WHY)
    township, other = (actor_named(county_session, one) for one in ("shifan.clerk", "xiangyang.clerk"))
    correct_employer(county_session, township, employer.id, moved, WHY)
    assert employer.division_code == "220822902"
    assert employer.id in {one.id for one in employers_of_townships(county_session, other).entries}
    assert employer.id not in {one.id for one in employers_of_townships(county_session, township).entries}
    with pytest.raises(Forbidden):
        correct_employer(county_session, township, employer.id, replace(moved, name="某"), WHY)


def test_a_refused_unit_registers_anew(county_session: Session, employer: Employer) -> None:
    employer.status = "refused"
    licence = replace(Licence.of(employer), name="某")
    with pytest.raises(Conflict, match="重新登记"):
        correct_employer(
            county_session, actor_named(county_session, "shifan.clerk"), employer.id, licence, WHY
        )


def test_a_unit_in_a_village_stays_there(county_session: Session, employer: Employer) -> None:
    employer.division_code = "220822901201"
    licence = replace(Licence.of(employer), name="某厂", division_code="220822901")
    correct_employer(county_session, actor_named(county_session, "shifan.clerk"), employer.id, licence, WHY)
    assert (employer.name, employer.division_code) == ("某厂", "220822901201")


def test_employers_are_found_by_name_and_code(county_session: Session, employer: Employer) -> None:
    township = actor_named(county_session, "shifan.clerk")
    for wanted in (employer.name[3:7], employer.credit_code[4:].lower()):
        assert employer.id in {
            one.id for one in employers_of_townships(county_session, township, wanted).entries
        }
    assert employers_of_townships(county_session, township, "%").total == 0
    assert employers_of_townships(county_session, township, page=9).number == 1
    assert employers_of_townships(county_session, actor_named(county_session, "renshe.a")).total == 0
