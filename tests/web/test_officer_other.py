"""What else officers do: look at whole numbers with a reason, end a case, search cases, start a review, read notices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select

from tests.factories import actor_named
from tests.web.client import Browser, text_of
from tests.web.officer_cases import Filled, worker
from workflows.audit.model import Event
from workflows.base.errors import Invalid
from workflows.base.session import Database
from workflows.cases.check import check, verify_case
from workflows.cases.model import Case, Notice, Publicity, Unmasking, WorkItem
from workflows.cases.reviews import start_review
from workflows.cases.roster_model import Roster, RosterRow
from workflows.documents.model import IssuedDocument
from workflows.organisations.model import Division
from workflows.registers import workshops
from workflows.registers.model import Employer, Workshop

Enter = Callable[[str], Browser]
REASON = "电话核实工资。"


@pytest.fixture
def person(cases: Filled, officer_database: Database) -> tuple[int, str, str]:
    """Key, ID number and phone of somebody on the roster of the case under review."""
    with officer_database.reading() as session:
        row = session.scalars(
            select(RosterRow)
            .join(Roster, Roster.id == RosterRow.roster_id)
            .where(Roster.case_id == cases.cases["reviewing"])
            .order_by(RosterRow.number)
        ).first()
        assert row is not None
        return row.id, row.values["id_number"], row.values["phone"]


# Whole numbers -------------------------------------------------------------------------------------------------------


def test_a_person_is_shown_whole_for_a_reason_that_is_kept(
    enter: Enter, cases: Filled, person: tuple[int, str, str], officer_database: Database
) -> None:
    row, id_number, phone = person
    browser = enter("renshe.a")
    number = cases.numbers["reviewing"]
    address = f"/cases/{number}/rows/{row}/unmask"
    asked = browser.get(address)
    assert id_number not in asked.source
    refused = browser.refused(address, {"reason": " "})
    assert refused.errors
    assert id_number not in refused.source
    browser.post(address, {"reason": REASON}, 200)
    assert browser.page is not None
    assert id_number in browser.page.main
    assert phone in browser.page.main
    answer = browser.client.post(address, data={"csrf_token": browser.token(), "reason": REASON})
    assert "no-store" in answer.headers["Cache-Control"], "the browser keeps nothing of it"
    with officer_database.reading() as session:
        kept = session.scalars(select(Unmasking)).all()
        assert [(one.user_id, one.row_id, one.reason) for one in kept] == [
            (cases.users["renshe.a"], row, REASON)
        ] * 2
        event = session.scalars(select(Event).where(Event.kind == "data-unmasked")).first()
        assert event is not None
        assert REASON not in str(event.payload)
    assert id_number not in browser.get(f"/cases/{number}").source
    assert check(officer_database) == []


def test_the_form_and_the_objector_too(enter: Enter, cases: Filled) -> None:
    browser = enter("renshe.a")
    address = f"/cases/{cases.numbers['reviewing']}/unmask"
    assert browser.refused(address, {"reason": "看"}).errors
    browser.post(address, {"reason": REASON}, 200)
    assert browser.page is not None
    assert "13804360001" in browser.page.main
    address = f"/cases/{cases.numbers['objected-objection']}/objector"
    shown = browser.get(f"/cases/{cases.numbers['objected-objection']}").source
    assert "钱守义" not in shown
    assert "13943600001" not in shown
    browser.post(address, {"reason": "电话回访异议人。"}, 200)
    assert "钱守义" in browser.page.main
    assert "13943600001" in browser.page.main
    browser.post(f"/cases/{cases.numbers['reviewing']}/objector", {"reason": REASON}, 404)


def test_a_row_of_another_case_is_not_shown_through_this_one(
    enter: Enter, cases: Filled, person: tuple[int, str, str]
) -> None:
    browser = enter("renshe.a")
    browser.get(f"/cases/{cases.numbers['site']}/rows/{person[0]}/unmask", 404)
    browser.get(f"/cases/{cases.numbers['site']}/rows/999999/unmask", 404)


# Ending --------------------------------------------------------------------------------------------------------------


def test_the_head_of_hrss_ends_a_case_with_its_publicity_and_objection(
    enter: Enter, cases: Filled, officer_database: Database
) -> None:
    number = cases.numbers["objected"]
    assert "终止" not in enter("renshe.a").get(f"/cases/{number}").links()
    head = enter("renshe.head")
    page = head.get(f"/cases/{number}")
    address = next(href for text, href in page.links().items() if "终止" in text)
    assert "不能恢复" in head.get(address).main
    assert head.refused(address, {"reason": ""}).errors
    done = head.submit(address, {"reason": "申请单位已注销。"})
    assert f"{number} 已终止" in done.text
    assert "申请单位已注销。" in text_of(done.one("section", id="timeline"))
    late = head.post(address, {"reason": "再终止一次。"}, 403)
    assert late.status_code == 403
    worker(officer_database)
    with officer_database.reading() as session:
        for name in ("objected", "objected-objection"):
            assert session.get_one(Case, cases.cases[name]).status == "terminated"
            waiting = select(WorkItem).where(
                WorkItem.case_id == cases.cases[name], WorkItem.closed_at.is_(None)
            )
            assert session.scalars(waiting).all() == []
        assert [one.closed_as for one in session.scalars(select(Publicity))] == ["cancelled"]
        told = session.scalars(select(Notice).where(Notice.user_id == cases.users["qiye2"])).all()
    assert any("已终止" in one.text for one in told)
    assert "申请单位已注销。" in enter("qiye2").get(f"/employer/cases/{number}").main
    assert check(officer_database) == []


# Searching -----------------------------------------------------------------------------------------------------------


def test_cases_are_found_by_number_employer_code_and_state(
    enter: Enter, cases: Filled, officer_database: Database
) -> None:
    browser = enter("renshe.a")

    def found(**conditions: str) -> set[str]:
        page = browser.get("/cases", query_string=conditions)
        shown = {text_of(one) for one in page.all("a") if one.get("href", "").startswith("/cases/")}
        return {name for name, number in cases.numbers.items() if number in shown}

    with officer_database.reading() as session:
        employer = session.get_one(Case, cases.cases["objected"]).employer_id
        code = session.get_one(Employer, employer).credit_code
    assert found() == set(cases.numbers)
    assert found(q=cases.numbers["site"]) == {"site"}
    assert found(q="绿野杂粮") == {"objected", "objected-objection"}
    assert found(q=code) == {"objected", "objected-objection"}
    assert found(process="objection") == {"objected-objection"}
    assert found(status="publicised") == {"objected"}
    assert found(state="finished") == set()
    assert found(state="open", q="%") == set()
    empty = browser.get("/cases", query_string={"q": "没有这个单位"})
    assert "没有" in empty.main
    assert "清除条件" in empty.links()


# Reviews and notices -------------------------------------------------------------------------------------------------


@pytest.fixture
def workshop(cases: Filled, officer_database: Database) -> int:
    """A recognised workshop whose review is overdue."""
    with officer_database.transaction() as session:
        employer = session.get_one(Employer, session.get_one(Case, cases.cases["site"]).employer_id)
        return workshops.register(
            session,
            workshops.WorkshopData(
                employer_id=employer.id,
                name="惠民就业帮扶车间",
                mode="factory",
                number="通就帮车间〔2025〕3号",
                address=employer.address,
                division_code=employer.division_code,
                worker_count=6,
                recognised_on=date(2025, 2, 20),
                review_due=date(2026, 2, 20),
            ),
            actor_id=None,
        ).id


def test_a_review_is_started_from_the_register_once(
    enter: Enter, cases: Filled, workshop: int, officer_database: Database
) -> None:
    browser = enter("renshe.a")
    page = browser.get("/workshops")
    assert "惠民就业帮扶车间" in page.main
    assert "已到期" in page.main
    started = browser.submit(f"/workshops/{workshop}/review")
    assert "已发起年审" in started.text
    assert "就业帮扶车间年审" in started.main
    again = browser.refused(f"/workshops/{workshop}/review", status=409)
    assert "已有正在办理的年审" in again.main
    assert "正在年审" in browser.get("/workshops").links()
    browser.post("/workshops/999999/review", status=404)
    with officer_database.reading() as session:
        reviews = session.scalars(select(Case).where(Case.process == "workshop_review")).all()
    assert len(reviews) == 1
    assert check(officer_database) == []


def test_a_review_before_its_time_needs_a_reason(
    enter: Enter, cases: Filled, workshop: int, officer_database: Database
) -> None:
    with officer_database.transaction() as session:
        workshops.set_review_due(session, workshop, date(2027, 2, 20), actor_id=None)
    browser, path = enter("renshe.a"), f"/workshops/{workshop}/review"
    assert browser.get("/workshops").links()["提前年审：惠民就业帮扶车间"] == path
    assert "下次年审应在 2027年2月20日，还没有到期" in browser.get(path).main
    page = browser.refused(path, {"reason": " "})
    assert page.errors
    page = browser.submit(path, {"reason": "群众王某反映车间已停产"})
    assert "已发起年审" in page.text
    assert "提前发起年审" in page.main
    assert "群众王某反映车间已停产" in page.main
    with officer_database.reading() as session:
        event = session.scalars(select(Event).where(Event.kind == "review-brought-forward")).one()
        assert [table for table, *_ in event.covers] == ["stated_reasons"]
        assert "王某" not in str(event.payload)
        assert verify_case(session, int(event.stream.removeprefix("case:"))) == []
    enter("caizheng.clerk").get(path, 403)


def test_a_revoked_workshop_is_reviewed_to_be_restored_at_any_time(
    enter: Enter, cases: Filled, workshop: int, officer_database: Database
) -> None:
    with officer_database.transaction() as session:
        workshops.change_status(session, workshop, "revoked", on=date(2026, 3, 1), actor_id=None)
        session.get_one(Workshop, workshop).review_due = None
    browser = enter("renshe.a")
    assert "发起恢复认定：惠民就业帮扶车间" in browser.get("/workshops").main
    assert "已经撤销" in browser.get(f"/workshops/{workshop}/review").main
    assert "已发起恢复认定" in browser.submit(f"/workshops/{workshop}/review").text


def test_a_workshop_without_a_day_of_review_needs_a_reason_too(
    enter: Enter, cases: Filled, workshop: int, officer_database: Database
) -> None:
    with officer_database.transaction() as session:
        session.get_one(Workshop, workshop).review_due = None
    assert "没有登记下次年审的日期" in enter("renshe.a").get(f"/workshops/{workshop}/review").main
    with officer_database.transaction() as session:
        row, officer = session.get_one(Workshop, workshop), actor_named(session, "renshe.a")
        with pytest.raises(Invalid) as refused:
            start_review(session, officer, row, " ")
    assert list(refused.value.errors) == ["reason"]


def test_an_address_is_published_whole(cases: Filled, officer_database: Database) -> None:
    """People leave out township and village; the 公示, and the paper of it, do not."""
    with officer_database.reading() as session:
        case = session.get_one(Case, cases.cases["objected"])
        publicity = session.scalars(select(Publicity).where(Publicity.case_id == case.id)).one()
        shown = next(one["value"] for one in publicity.content if one["label"] == "经营地址")
        paper = session.scalars(
            select(IssuedDocument).where(
                IssuedDocument.case_id == case.id, IssuedDocument.name == "publicity_sheet"
            )
        ).one()
        places = [session.get_one(Division, case.division_code[:length]).name for length in (9, 12)]
    assert shown.startswith("".join(places))
    assert shown.count(places[1]) == 1
    assert paper.context["workshops"][0]["address"] == shown


def test_a_notice_leads_to_its_item_and_is_read(
    enter: Enter, cases: Filled, officer_database: Database
) -> None:
    item = cases.items["reviewing", "hrss_review", "hrss"]
    head = enter("renshe.head")
    head.submit(
        f"/work/{item}/reassign", {"user": str(cases.users["renshe.b"]), "reason": "原经办人外出培训。"}
    )
    worker(officer_database)
    browser = enter("renshe.b")
    page = browser.get("/notices")
    assert "已转给您办理" in page.main
    address = next(
        one.get("action", "") for one in page.all("form", method="post") if "/open" in one.get("action", "")
    )
    browser.submit(address)
    assert browser.path == f"/work/{item}"
    with officer_database.reading() as session:
        left = session.scalars(
            select(Notice).where(Notice.user_id == cases.users["renshe.b"], Notice.read_at.is_(None))
        ).all()
    assert address.split("/")[2] not in {str(one.id) for one in left}
    enter("renshe.a").post(address, status=404)
