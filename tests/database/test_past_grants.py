"""Payments made before this system: imported once, blocking for good."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.database.money import claim_for, employer
from tests.factories import actor_named, workbook
from workflows.base.errors import Forbidden, Invalid
from workflows.registers.demo_people import id_number
from workflows.registers.grant_model import Grant
from workflows.registers.past_grants import LIST, import_past_grants, list_template
from workflows.registers.people import people_for

pytestmark = pytest.mark.usefixtures("clock")
HEADINGS = [column.label for column in LIST.columns]


def row(serial: int, code: str, **changes: str) -> list[str]:
    from datetime import date

    values = {
        "name": "李秀英",
        "id_number": id_number(date(1979, 3, 4), serial),
        "policy": "就业帮扶车间一次性奖补",
        "employer": "某某公司",
        "credit_code": code,
        "amount": "1000.00",
        "paid_on": "2024-06-30",
        "document": "通人社发〔2024〕8号",
    } | changes
    return [values[column.key] for column in LIST.columns]


def test_history_blocks_and_the_same_list_again_enters_nothing(county_session: Session) -> None:
    session = county_session
    unit = employer(session, 1)
    content = workbook(HEADINGS, row(1, unit.credit_code), row(2, unit.credit_code), sheet=LIST.sheet)
    actor = actor_named(session, "renshe.a")
    first = import_past_grants(session, actor, content, county_code="220822")
    again = import_past_grants(session, actor, content, county_code="220822")
    assert (first.entered, first.repeated) == (2, 0)
    assert (again.entered, again.repeated) == (0, 2)
    grants = session.scalars(select(Grant)).all()
    assert {(one.state, one.employer_id, one.case_id) for one in grants} == {("paid", unit.id, None)}
    person = people_for(session, [(row(1, "")[1], "李秀英")])
    blocked = claim_for(session, unit, 5, list(person.values()))
    assert [one.kind for one in blocked.refused.values()] == ["same_scope"]
    held = claim_for(session, employer(session, 2), 6, list(person.values()))
    assert [one.obstacle for one in held.held.values()] == ["other_employer"]


def test_a_bad_list_is_refused_whole_with_every_problem(county_session: Session) -> None:
    unit = employer(county_session, 1)
    content = workbook(
        HEADINGS,
        row(1, unit.credit_code),
        row(2, unit.credit_code, id_number="220822197805060025", paid_on="2030-01-01"),
        row(3, unit.credit_code, policy="困难补助", amount="十"),
        sheet=LIST.sheet,
    )
    with pytest.raises(Invalid) as refused:
        import_past_grants(
            county_session, actor_named(county_session, "renshe.a"), content, county_code="220822"
        )
    said = refused.value.errors["file"]
    assert all(f"第 {number} 行" in said for number in (3, 4))
    assert "身份证号" in said
    assert "发放日期" in said
    assert "补贴名称" in said
    assert county_session.scalars(select(Grant)).all() == []


@pytest.mark.parametrize("who", ["caizheng.clerk", "xiangcun.a", "taonan.renshe", "shenji", "qiye1"])
def test_only_the_countys_hrss_imports(county_session: Session, who: str) -> None:
    with pytest.raises(Forbidden):
        import_past_grants(county_session, actor_named(county_session, who), b"", county_code="220822")


def test_the_template_is_read_back_empty(county_session: Session) -> None:
    with pytest.raises(Invalid):
        import_past_grants(
            county_session, actor_named(county_session, "renshe.a"), list_template(), county_code="220822"
        )
