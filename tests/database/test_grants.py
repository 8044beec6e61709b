"""The register of grants: a person is paid once for an employer, and held everywhere else until two offices agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.database.money import REWARD, claim_for, employer, person
from tests.factories import actor_named
from workflows.base.errors import Conflict, Invalid
from workflows.base.privacy import Keyring, use_keyring
from workflows.registers import grants
from workflows.registers.demo_people import id_number
from workflows.registers.grant_model import Grant
from workflows.registers.people import people_for

pytestmark = pytest.mark.usefixtures("clock")


def test_a_person_is_claimed_once_by_an_employer(county_session: Session) -> None:
    unit, one = employer(county_session, 1), person(county_session, 1)
    first = claim_for(county_session, unit, 1, [one])
    again = claim_for(county_session, unit, 2, [one])
    assert list(first.free) == [one]
    assert again.refused[one].kind == "same_scope"
    assert again.refused[one].grant.id == first.free[one].id
    assert not again.free
    assert not again.held


@pytest.mark.tampers
def test_the_database_refuses_the_second_grant_whatever_the_code_does(county_session: Session) -> None:
    """Mutant: the code that looks for what stands in the way is gone."""
    unit, one = employer(county_session, 1), person(county_session, 1)
    claim_for(county_session, unit, 1, [one])
    columns = "person_id, policy, scope, employer_id, employer_name, county_code, amount_fen, document_number, created_at, changed_at"
    with pytest.raises(IntegrityError):
        county_session.execute(
            text(
                f"INSERT INTO grants ({columns}, state, case_id) SELECT {columns}, 'claimed', 99 FROM grants"
            )
        )


@pytest.mark.tampers
def test_the_slot_stays_taken_after_payment_and_recovery_and_is_freed_by_withdrawal(
    county_session: Session,
) -> None:
    unit, one, two = employer(county_session, 1), person(county_session, 1), person(county_session, 2)
    made = claim_for(county_session, unit, 1, [one, two]).free
    grants.free(county_session, [made[two]], actor_id=None)
    grants.approve(county_session, [made[one]], actor_id=None)
    grants.pay(county_session, [made[one]], on=date(2026, 3, 20), document_number="ZF1", actor_id=None)
    with pytest.raises(Conflict, match="已发放"):
        grants.free(county_session, [made[one]], actor_id=None)
    grants.recover(county_session, [made[one]], actor_id=None)
    later = claim_for(county_session, unit, 2, [one, two])
    assert list(later.refused) == [one]
    assert list(later.free) == [two]


def test_another_employer_waits_for_two_offices_and_two_people(county_session: Session) -> None:
    one = person(county_session, 1)
    claim_for(county_session, employer(county_session, 1), 1, [one])
    held = claim_for(county_session, employer(county_session, 2), 2, [one]).held[one]
    assert held.obstacle == "other_employer"
    with pytest.raises(Conflict, match="还有 1 人暂缓"):
        grants.approve(county_session, [held], actor_id=None)
    hrss = actor_named(county_session, "renshe.a").user_id
    finance = actor_named(county_session, "caizheng.clerk").user_id
    assert hrss is not None
    assert finance is not None
    with pytest.raises(Invalid, match="写明理由"):
        grants.lift(county_session, held, "hrss", actor_id=hrss, reason=" ")
    assert not grants.lift(county_session, held, "hrss", actor_id=hrss, reason="前一单位已停产，未实际用工")
    with pytest.raises(Conflict, match="不同人员"):
        grants.lift(county_session, held, "finance", actor_id=hrss, reason="同意")
    held.finance_lifted_by = None
    assert grants.lift(county_session, held, "finance", actor_id=finance, reason="已核对，前一单位未发放")
    assert held.state == "claimed"
    grants.approve(county_session, [held], actor_id=None)
    assert held.state == "approved"


@pytest.mark.tampers
def test_the_database_refuses_a_held_grant_that_nobody_lifted(county_session: Session) -> None:
    """Mutant: the check of the hold is skipped."""
    one = person(county_session, 1)
    claim_for(county_session, employer(county_session, 1), 1, [one])
    held = claim_for(county_session, employer(county_session, 2), 2, [one]).held[one]
    with pytest.raises(IntegrityError):
        county_session.execute(text(f"UPDATE grants SET state = 'approved' WHERE id = {held.id}"))


def test_an_affiliate_is_told_from_a_stranger(county_session: Session) -> None:
    one, two = person(county_session, 1), person(county_session, 2)
    first, second = employer(county_session, 1), employer(county_session, 2)
    claim_for(county_session, first, 1, [one])
    second.legal_id_digest = first.legal_id_digest
    assert claim_for(county_session, second, 2, [one]).held[one].obstacle == "affiliate"
    third = employer(county_session, 3)
    third.legal_id_digest, third.address, first.address = None, "示范镇工业路1号", "示范镇工业路1号"
    claim_for(county_session, first, 1, [one, two])
    assert claim_for(county_session, third, 3, [two]).held[two].obstacle == "affiliate"


def test_the_other_policy_holds_and_a_policy_of_courses_does_not(county_session: Session) -> None:
    unit, one = employer(county_session, 1), person(county_session, 1)
    claim_for(county_session, unit, 1, [one], grants.Policy("absorption_subsidy"))
    assert claim_for(county_session, unit, 2, [one]).held[one].obstacle == "other_policy"
    course = grants.Policy("training_subsidy", elsewhere=False)
    for case_id, scope in ((3, "焊工 2026-1"), (4, "电工 2026-1")):
        made = grants.claim(
            county_session,
            course,
            grants.Claimant(case_id, unit, "220822"),
            [grants.Claim(one, case_id, 90_000, scope)],
            actor_id=None,
        )
        assert list(made.free) == [one]


def test_a_correction_keeps_what_stands_and_frees_what_is_gone(county_session: Session) -> None:
    one, two, three = (person(county_session, serial) for serial in (1, 2, 3))
    first = claim_for(county_session, employer(county_session, 1), 1, [one, two])
    second = claim_for(county_session, employer(county_session, 1), 1, [two, three])
    assert second.free[two].id == first.free[two].id
    assert first.free[one].state == "freed"
    assert set(second.free) == {two, three}
    living = county_session.scalars(select(Grant).where(Grant.case_id == 1, Grant.state != "freed")).all()
    assert len(living) == 2


def test_an_old_number_and_new_keys_open_no_second_slot(
    county_session: Session, keyring: Keyring, clock: Callable[[timedelta], None]
) -> None:
    number = id_number(date(1980, 5, 17), 7)
    old = number[:6] + number[8:17]
    one = people_for(county_session, [(number, "演示")])
    rotated = Keyring({"test": bytes(range(32)), "k2": bytes(reversed(range(32)))}, bytes(range(32, 64)))
    use_keyring(rotated)
    try:
        again = people_for(county_session, [(old, "演示"), (number.lower(), "演示")])
    finally:
        use_keyring(keyring)
    assert set(again.values()) == set(one.values())


def test_obstacles_name_the_grant_that_stands_in_the_way(county_session: Session) -> None:
    one, two = person(county_session, 1), person(county_session, 2)
    unit = employer(county_session, 1)
    claim_for(county_session, unit, 1, [one])
    found = grants.obstacles(county_session, REWARD, {one: unit.credit_code, two: unit.credit_code}, unit)
    assert list(found) == [one]
    assert found[one].refuses
    assert found[one].grant.employer_name == unit.name
    assert not grants.obstacles(county_session, REWARD, {one: unit.credit_code}, unit, but_case=1)
