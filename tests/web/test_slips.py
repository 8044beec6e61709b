"""Pay slips: on the worker's phone, with the contractor who hands them out, and before the offices that check the sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import TEST_KEYRING
from tests.web import wage_cases
from tests.web.client import Browser, text_of
from tests.web.conftest import OfficerPlace
from tests.web.officer_cases import Filled
from webapp.public import slip as page
from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import slip_views
from workflows.cases.model import Case, WorkItem
from workflows.cases.roster_model import RosterRow
from workflows.cases.slip_model import PaySlip, SlipAnswer

Enter = Callable[[str], Browser]
#: Who fills in for the unit of the payroll.
CLERK = "qiye5"


@pytest.fixture(scope="module")
def _officer_place(tmp_path_factory: pytest.TempPathFactory) -> OfficerPlace:
    folder = tmp_path_factory.mktemp("slips")
    TEST_KEYRING.save(folder / "keys.json")
    return OfficerPlace(folder, template="wages", fill=wage_cases.fill)


@pytest.fixture
def move(cases: Filled) -> Iterator[Callable[[timedelta], None]]:
    with clock.frozen(wage_cases.OPENED + timedelta(days=1)) as moved:
        yield moved


@pytest.fixture
def phone(officer_app: Flask, move: object) -> Browser:
    """Somebody without an account."""
    return Browser(officer_app)


def slips(database: Database) -> list[tuple[str, str, str]]:
    """(code, end of the ID number, way of paying) in the order of the sheet."""
    with database.reading() as session:
        return [
            (slip.code, str(row.values["id_number"])[-4:], str(row.values["pay_mode"]))
            for slip, row in session.execute(
                select(PaySlip, RosterRow)
                .join(RosterRow, RosterRow.id == PaySlip.row_id)
                .where(PaySlip.state != "void")
                .order_by(PaySlip.id)
            ).all()
        ]


def state_of(database: Database, code: str) -> str:
    with database.reading() as session:
        return {one.code: one.state for one in session.scalars(select(PaySlip))}[code]


def said(phone: Browser, code: str, last: str, **more: str) -> str:
    """Send the form of the page; what stands there then."""
    phone.post("/slip", {"code": code, "last": last, **more}, 200)
    assert phone.page is not None
    return phone.page.main


def test_a_slip_is_read_confirmed_and_not_confirmed_twice(phone: Browser, officer_database: Database) -> None:
    code, last, _ = next(one for one in slips(officer_database) if one[2] == "hour")
    shown = phone.get(f"/slip?code={code}")
    assert shown.one("input", name="code").get("value") == code
    assert "查看工资条" in shown.main
    text = said(phone, code, last)
    # 150 hours at 25 元, three hours overtime at 37.50, an advance of 100
    for part in ("150 小时 × 25.00 元", "3 小时 × 37.50 元", "扣借支", "3,762.50", "共 150（1—20日每天7.5）"):
        assert part in text
    assert "金额对，确认" in text
    assert state_of(officer_database, code) == "open"
    text = said(phone, code, last, say="agree")
    assert "确认成功" in text
    assert "金额对，确认" not in text
    assert state_of(officer_database, code) == "confirmed"
    again = phone.refused("/slip", {"code": code, "last": last, "say": "agree"}, 409)
    assert "您已经确认过这张工资条" in text_of(again.root)


def test_a_dispute_needs_words_and_can_be_taken_back(
    phone: Browser, enter: Enter, officer_database: Database, cases: Filled
) -> None:
    code, last, _ = slips(officer_database)[0]
    phone.get("/slip")
    typed = {"code": code, "last": last, "say": "dispute"}
    empty = phone.refused("/slip", {**typed, "words": " "}, 422)
    assert "哪里不对" in text_of(empty.root)
    assert state_of(officer_database, code) == "open"
    words = "出勤应为 24 天，少记 2 天。<b>"
    text = said(phone, **typed, words=words)
    assert "异议已提交" in text
    assert words in text
    clerk = enter(CLERK)
    listed = clerk.get(f"/employer/cases/{cases.numbers['asked']}/slips?state=disputed")
    assert words in text_of(listed.root)
    assert "本人有异议" in text_of(listed.root)
    said(phone, code, last, say="agree")
    assert state_of(officer_database, code) == "confirmed"
    with officer_database.reading() as session:
        assert [one.agrees for one in session.scalars(select(SlipAnswer).order_by(SlipAnswer.id))] == [
            False,
            True,
        ]


@pytest.mark.parametrize(
    ("code", "last"), [("ZZZZZZZZZZZZ", ""), ("", "9999"), ("", "abcd"), ("  ", ""), ("\x00" * 12, "")]
)
def test_nobody_learns_whether_a_code_exists(
    phone: Browser, officer_database: Database, code: str, last: str
) -> None:
    right_code, right_last, _ = slips(officer_database)[0]
    phone.get("/slip")
    answer = phone.refused("/slip", {"code": code or right_code, "last": last or right_last}, 422)
    text = text_of(answer.root)
    assert "没有找到工资条：请核对工资条上的查询码和身份证号后四位。" in text or "请填写" in text
    assert "应发" not in text


def test_endings_cannot_be_tried_one_after_the_other(
    phone: Browser, officer_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "WRONG", 3)
    code, last, _ = slips(officer_database)[0]
    phone.get("/slip")
    for ending in ("0000", "0001", "0002"):
        phone.refused("/slip", {"code": code, "last": ending}, 422)
    locked = phone.refused("/slip", {"code": code, "last": last}, 429)
    assert "查询出错的次数太多" in text_of(locked.root)


def test_one_address_asks_only_so_often(
    phone: Browser, officer_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "LIMIT", 2)
    code, last, _ = slips(officer_database)[0]
    phone.get("/slip")
    for _ in range(2):
        said(phone, code, last)
    assert "操作过于频繁" in text_of(phone.refused("/slip", {"code": code, "last": last}, 429).root)


def test_codes_may_be_typed_as_they_are_printed(phone: Browser, officer_database: Database) -> None:
    code, last, _ = slips(officer_database)[1]
    phone.get("/slip")
    printed = slip_views.spaced(code).lower()
    assert "应发" in said(phone, printed, last)


def test_what_moved_on_can_be_read_and_no_longer_answered(
    phone: Browser, enter: Enter, officer_database: Database, cases: Filled
) -> None:
    found = slips(officer_database)
    phone.get("/slip")
    for code, last, _ in found[1:]:
        said(phone, code, last, say="agree")
    said(phone, *found[0][:2], say="dispute", words="少记两天。")
    clerk = enter(CLERK)
    with officer_database.reading() as session:
        item = session.scalars(
            select(WorkItem).where(WorkItem.case_id == cases.cases["asked"], WorkItem.step == "confirmation")
        ).one()
        path = f"/employer/steps/{item.id}/review"
    step = clerk.get(path)
    assert "本人已确认" in text_of(step.root)
    assert "打印工资条，看谁已确认" in text_of(step.root)
    clerk.submit(path, {**step.form("step-confirmation"), "outcome": "confirmed", "signed_by": "孙敏"})
    with officer_database.reading() as session:
        assert session.get_one(Case, cases.cases["asked"]).status == "owner_reviewing"
    text = said(phone, *found[0][:2])
    assert "有异议，没有列入这次发放；核实后补发" in text
    assert "金额对，确认" not in text
    late = phone.refused(
        "/slip", {"code": found[1][0], "last": found[1][1], "say": "dispute", "words": "晚了。"}, 409
    )
    assert "这个月的工资已经进入审核" in text_of(late.root)
    office = enter("shuili.clerk").get(f"/cases/{cases.numbers['asked']}")
    assert "工人确认" in text_of(office.root)
    assert "少记两天。" in text_of(office.root)


def test_slips_are_printed_for_those_who_hand_them_out(
    enter: Enter, officer_database: Database, cases: Filled
) -> None:
    number = cases.numbers["asked"]
    clerk = enter(CLERK)
    listed = clerk.get(f"/employer/cases/{number}/slips")
    assert f"/employer/cases/{number}/slips/1.pdf" in [one.get("href") for one in listed.root.iter("a")]
    answer = clerk.client.get(f"/employer/cases/{number}/slips/1.pdf")
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF")
    assert "attachment" in answer.headers["Content-Disposition"]
    for first in ("0", "6", "999999999"):
        assert clerk.client.get(f"/employer/cases/{number}/slips/{first}.pdf").status_code == 404
    with officer_database.reading() as session:
        case = session.get_one(Case, cases.cases["asked"])
        context = slip_views.printed_slips(session, case, 1)
    assert context is not None
    assert len(context["slips"]) == 5
    assert [one["url"] for one in context["slips"]] == [
        f"http://localhost/slip?code={code}" for code, _, _ in slips(officer_database)
    ]
    assert "雨天看守材料" in "".join(one["changed"] for one in context["slips"])
    assert slip_views.sheets(205) == [(1, 100), (101, 200), (201, 205)]


def test_other_people_have_no_slips_to_print(enter: Enter, cases: Filled) -> None:
    number = cases.numbers["asked"]
    for who, path in product(("qiye6", "shuili.clerk"), ("slips", "slips/1.pdf")):
        assert enter(who).client.get(f"/employer/cases/{number}/{path}").status_code in (403, 404)
