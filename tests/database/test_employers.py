"""Employers and the people who act for them."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import PDF, actor_named
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.base.files import FileStore
from workflows.base.outbox import OutboxRow
from workflows.base.privacy import digest_id
from workflows.base.session import Database
from workflows.organisations.accounts import register_account
from workflows.organisations.actors import Actor
from workflows.organisations.model import User
from workflows.registers import demo_people
from workflows.registers.demo_cast import COUNTY
from workflows.registers.demo_county import load
from workflows.registers.employers import (
    EmployerData,
    employer_of,
    find_by_credit_code,
    register_employer,
    update_contact,
)
from workflows.registers.membership import (
    decide_member,
    end_membership,
    load_actor,
    member_name,
    members_of,
    memberships_of,
    request_membership,
    waiting_for_township,
)
from workflows.registers.model import EmployerMember

WANG = "220899197111250060"


def _texts(session: Session) -> list[str]:
    return [row.payload["text"] for row in session.scalars(select(OutboxRow).order_by(OutboxRow.id))]


def _data(**changes: str) -> EmployerData:
    given = {
        "credit_code": demo_people.credit_code(77),
        "name": "通榆县新单位（演示）",
        "kind": "company",
        "legal_representative": "辛代表",
        "contact_name": "辛联系",
        "contact_phone": "154 0000 7777",
        "address": "一号",
        "division_code": "220822901201",
    }
    return EmployerData(**(given | changes))


def _newcomer(session: Session, username: str = "xin.qiye") -> Actor:
    user = register_account(
        session,
        username=username,
        name="辛企",
        password="Chagan-hu-77",
        division_code=COUNTY,
        phone="15400000001",
    )
    return load_actor(session, user)


def _letter(session: Session, store: FileStore) -> int:
    return store.attach(session, PDF, "授权书.pdf", by=None).id


def test_an_employer_registers_and_waits_for_its_township(county_session: Session, store: FileStore) -> None:
    actor = _newcomer(county_session)
    member = register_employer(
        county_session,
        actor,
        _data(legal_id_number=WANG),
        authorisation_file_id=_letter(county_session, store),
    )
    employer = member.employer
    assert (employer.status, member.status, member.role) == ("pending", "pending", "clerk")
    assert employer.contact_phone == "15400007777"
    assert employer.legal_id_digest == digest_id(WANG)
    assert _texts(county_session) == ["有用人单位登记了账号，请核对授权书后确认。"]
    assert load_actor(county_session, county_session.get_one(User, actor.user_id)).employers == ()
    township = actor_named(county_session, "shifan.clerk")
    assert member in waiting_for_township(county_session, township)
    assert waiting_for_township(county_session, actor_named(county_session, "xiangyang.clerk")) == []
    assert waiting_for_township(county_session, actor_named(county_session, "renshe.a")) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"credit_code": "91220822MA0000000X"}, "credit_code"),
        ({"contact_phone": "12"}, "contact_phone"),
        ({"legal_id_number": "220899197111250061"}, "legal_id_number"),
        ({"kind": "shop"}, "kind"),
        ({"name": " "}, "name"),
        ({"address": "长" * 201}, "address"),
        ({"division_code": "220822"}, "division_code"),
        ({"division_code": "999999"}, "division_code"),
    ],
)
def test_what_a_registration_must_say(county_session: Session, changes: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        register_employer(
            county_session, _newcomer(county_session), _data(**changes), authorisation_file_id=1
        )
    assert list(refused.value.errors) == [field]


def test_a_registration_needs_the_letter_and_an_employers_account(county_session: Session) -> None:
    with pytest.raises(Invalid) as refused:
        register_employer(county_session, _newcomer(county_session), _data(), authorisation_file_id=None)
    assert list(refused.value.errors) == ["authorisation"]
    with pytest.raises(Forbidden):
        register_employer(
            county_session,
            actor_named(county_session, "renshe.a"),
            _data(),
            authorisation_file_id=1,
        )


def _waiting(session: Session) -> EmployerMember:
    return session.scalars(
        select(EmployerMember).join(User, User.id == EmployerMember.user_id).where(User.username == "qiye9")
    ).one()


def test_the_township_confirms_and_the_first_account_owns(county_session: Session) -> None:
    member = _waiting(county_session)
    for stranger in ("xiangyang.clerk", "renshe.a", "guanli", "shenji", "qiye1"):
        with pytest.raises(Forbidden):
            decide_member(county_session, actor_named(county_session, stranger), member.id, agree=True)
    township = actor_named(county_session, "shifan.clerk")
    decide_member(county_session, township, member.id, agree=True)
    assert (member.status, member.role, member.employer.status) == ("confirmed", "owner", "confirmed")
    assert member.employer.confirmed_by == township.user_id
    assert actor_named(county_session, "qiye9").employer_ids == (member.employer_id,)
    assert _texts(county_session) == ["您的单位账号已确认，可以办理业务。"]
    with pytest.raises(Conflict, match="已由他人处理"):
        decide_member(county_session, township, member.id, agree=False, reason="晚了")
    with pytest.raises(NotFound):
        decide_member(county_session, township, 999_999, agree=True)


def test_a_refusal_needs_a_reason_and_the_employer_may_try_again(
    county_session: Session, store: FileStore
) -> None:
    member, township = _waiting(county_session), actor_named(county_session, "shifan.clerk")
    with pytest.raises(Invalid):
        decide_member(county_session, township, member.id, agree=False)
    decide_member(county_session, township, member.id, agree=False, reason="授权书没有盖章")
    employer = member.employer
    assert (member.status, employer.status, member.reason) == ("refused", "refused", "授权书没有盖章")
    again = register_employer(
        county_session,
        actor_named(county_session, "qiye9"),
        _data(credit_code=employer.credit_code, name="更正后的名称"),
        authorisation_file_id=_letter(county_session, store),
    )
    assert again is member
    assert (again.status, again.reason, employer.status) == ("pending", "", "pending")
    assert employer.name == "更正后的名称"
    assert memberships_of(county_session, member.user_id) == [member]


def test_a_stranger_with_the_credit_code_gains_nothing(county_session: Session, store: FileStore) -> None:
    """Credit codes are public: the letter of authorisation decides, and another's data is never overwritten."""
    rightful, stranger = _waiting(county_session), _newcomer(county_session)
    employer = rightful.employer
    before = (employer.name, employer.contact_phone)
    with pytest.raises(Invalid) as refused:
        request_membership(county_session, stranger, employer)
    assert list(refused.value.errors) == ["authorisation"]
    false = register_employer(
        county_session,
        stranger,
        _data(credit_code=f" {employer.credit_code.lower()} "),
        authorisation_file_id=_letter(county_session, store),
    )
    assert (employer.name, employer.contact_phone) == before
    township = actor_named(county_session, "shifan.clerk")
    decide_member(county_session, township, false.id, agree=False, reason="公章不符")
    assert employer.status == "pending", "the rightful one still waits"
    decide_member(county_session, township, rightful.id, agree=True)
    assert employer.status == "confirmed"


def test_further_members_are_confirmed_by_the_first(county_session: Session) -> None:
    owner, clerk = (actor_named(county_session, name) for name in ("qiye1", "qiye1.clerk"))
    employer = employer_of(county_session, owner.employer_ids[0])
    newcomer = _newcomer(county_session)
    member = register_employer(
        county_session,
        newcomer,
        _data(credit_code=employer.credit_code),
        authorisation_file_id=None,
    )
    assert _texts(county_session) == ["有人申请加入本单位办理业务，请在“单位账号”中确认。"]
    with pytest.raises(Conflict, match="等待确认"):
        request_membership(county_session, newcomer, employer)
    for other in (clerk, actor_named(county_session, "shifan.clerk"), newcomer):
        with pytest.raises(Forbidden):
            decide_member(county_session, other, member.id, agree=True)
    decide_member(county_session, owner, member.id, agree=True)
    assert (member.status, member.role) == ("confirmed", "clerk")
    assert len(members_of(county_session, clerk, employer.id)) == 3
    assert member_name(county_session, member) == "辛企"
    with pytest.raises(Conflict, match="已是"):
        request_membership(county_session, newcomer, employer)
    with pytest.raises(Conflict, match="已由他人处理"):
        decide_member(county_session, owner, member.id, agree=True)


def test_the_first_account_refuses_too_and_nobody_confirms_himself(county_session: Session) -> None:
    owner = actor_named(county_session, "qiye1")
    employer = employer_of(county_session, owner.employer_ids[0])
    member = request_membership(county_session, _newcomer(county_session), employer)
    decide_member(county_session, owner, member.id, agree=False, reason="不认识")
    assert (member.status, employer.status) == ("refused", "confirmed")
    own = county_session.scalars(select(EmployerMember).where(EmployerMember.user_id == owner.user_id)).one()
    with pytest.raises(Forbidden, match="自己的账号"):
        decide_member(county_session, owner, own.id, agree=True)


def test_memberships_end_but_the_first_account_stays(county_session: Session) -> None:
    owner, clerk = (actor_named(county_session, name) for name in ("qiye1", "qiye1.clerk"))
    rows = {row.user_id: row for row in members_of(county_session, owner, owner.employer_ids[0])}
    with pytest.raises(Forbidden):
        end_membership(county_session, clerk, rows[owner.user_id].id)
    with pytest.raises(Conflict, match="首个账号"):
        end_membership(county_session, owner, rows[owner.user_id].id)
    end_membership(county_session, clerk, rows[clerk.user_id].id)
    assert actor_named(county_session, "qiye1.clerk").employers == ()
    with pytest.raises(Conflict):
        end_membership(county_session, owner, rows[clerk.user_id].id)
    with pytest.raises(NotFound):
        end_membership(county_session, owner, 999_999)


def test_who_sees_the_accounts_of_an_employer(county_session: Session) -> None:
    employer = actor_named(county_session, "qiye1").employer_ids[0]
    for allowed in ("qiye1.clerk", "shifan.clerk", "renshe.a", "xiangcun.a", "shenji"):
        assert members_of(county_session, actor_named(county_session, allowed), employer)
    for refused in ("qiye2", "xiangyang.clerk", "taonan.renshe", "guanli", "caizheng.clerk"):
        with pytest.raises(Forbidden):
            members_of(county_session, actor_named(county_session, refused), employer)
    with pytest.raises(NotFound):
        members_of(county_session, actor_named(county_session, "qiye1"), 999_999)


def test_contact_details_are_the_employers_to_change(county_session: Session) -> None:
    clerk = actor_named(county_session, "qiye1.clerk")
    employer = employer_of(county_session, clerk.employer_ids[0])
    update_contact(county_session, clerk, employer.id, contact_name=" 新人 ", contact_phone="15400001234")
    assert (employer.contact_name, employer.contact_phone) == ("新人", "15400001234")
    with pytest.raises(Invalid) as refused:
        update_contact(county_session, clerk, employer.id, contact_name=" ", contact_phone="1")
    assert set(refused.value.errors) == {"contact_name", "contact_phone"}
    with pytest.raises(Forbidden):
        update_contact(
            county_session,
            actor_named(county_session, "qiye2"),
            employer.id,
            contact_name="某",
            contact_phone="15400001234",
        )
    with pytest.raises(NotFound):
        employer_of(county_session, 999_999)


def test_an_employer_is_found_by_its_code_however_typed(county_session: Session) -> None:
    code = demo_people.credit_code(1)
    found = find_by_credit_code(county_session, f" {code[:6].lower()} {code[6:]}")
    assert found is not None
    assert found.credit_code == code
    assert find_by_credit_code(county_session, "nonsense") is None


def test_the_waiting_employer_shows_its_letter(database: Database, store: FileStore) -> None:
    with database.transaction() as session:
        load(session, demonstration=True, store=store)
        member = _waiting(session)
        assert member.authorisation_file_id is not None
    assert len(list(store.root.glob("??/*"))) == 1
