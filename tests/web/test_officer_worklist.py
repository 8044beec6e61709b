"""The work list: what waits, the most urgent first; filters that remember; who has what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from tests.web.client import Browser, Page, text_of
from tests.web.officer_cases import Filled, worker
from workflows.audit.model import Event
from workflows.base.session import Database
from workflows.cases.model import Case, Notice, WorkItem
from workflows.cases.worklist import CAP, PAGE
from workflows.organisations.model import Assignment
from workflows.registers.model import Employer

Enter = Callable[[str], Browser]
Mover = Callable[[timedelta], None]


def numbers(page: Page) -> list[str]:
    """The cases on the list, from top to bottom."""
    return [text_of(one) for one in page.root.iter("a") if one.get("href", "").startswith("/work/")]


def lights(page: Page) -> list[str]:
    """The words of the lamps, from top to bottom."""
    return [text_of(one) for one in page.all("span", class_="wg-light")]


def tabs(page: Page) -> dict[str, str]:
    """Tab → address, its count in its text."""
    return {
        text_of(one): one.get("href", "")
        for box in page.all("nav", class_="wg-tabs")
        for one in box.iter("a")
    }


def holders(page: Page) -> list[str]:
    """Whose name stands in the last column, from top to bottom."""
    cells = [one for one in page.all("td") if one.get("data-label") == "领取人"]
    return [text_of(one) for one in cells]


def item_of(database: Database, item_id: int) -> WorkItem:
    with database.reading() as session:
        return session.get_one(WorkItem, item_id)


def more_items(database: Database, like: int, many: int, *, days_apart: int = 0) -> None:
    """Further open items beside one, due a day apart or all at once."""
    with database.transaction() as session:
        one = session.get_one(WorkItem, like)
        session.add_all(
            WorkItem(
                case_id=one.case_id,
                task_id=one.task_id,
                step=one.step,
                lane=one.lane,
                title=one.title,
                department_id=one.department_id,
                opened_at=one.opened_at,
                due_at=one.due_at + timedelta(days=days_apart * (number // 2 + 1)),
            )
            for number in range(many)
        )


# What stands on it ---------------------------------------------------------------------------------------------------


def test_the_most_urgent_stands_on_top_with_its_last_day(enter: Enter, cases: Filled) -> None:
    page = enter("renshe.a").get("/work")
    assert numbers(page) == [cases.numbers[name] for name in ("objected-objection", "reviewing", "site")]
    assert [text.split("天")[0] + "天" for text in lights(page)] == ["还剩 2 天", "还剩 14 天", "还剩 14 天"]
    assert "3月4日" in page.main
    assert "3月16日" in page.main
    assert "共 3 条" in page.main


def test_an_office_sees_its_own_items_alone(enter: Enter, cases: Filled) -> None:
    assert numbers(enter("shifan.clerk").get("/work")) == [cases.numbers["accepting"]]
    assert numbers(enter("xiangcun.a").get("/work")) == [
        cases.numbers[name] for name in ("reviewing", "site", "signed")
    ]
    assert "本单位没有待办。" in enter("xiangyang.clerk").get("/work").main


def test_the_lamps_say_what_is_soon_and_what_is_late(enter: Enter, cases: Filled, move: Mover) -> None:
    browser = enter("shifan.clerk")
    move(timedelta(days=5))  # Saturday; the last day is Monday the 9th
    page = browser.get("/work")
    assert "临期 还剩 2 天" not in page.main, "two days and thirteen hours are left"
    move(timedelta(hours=13))
    page = browser.get("/work")
    assert lights(page)[0].startswith("临期 还剩 1 天")
    assert "临期1" in tabs(page)
    assert numbers(browser.get(tabs(page)["临期1"])) == [cases.numbers["accepting"]]
    move(timedelta(days=1))
    assert lights(browser.get("/work?tab=all"))[0].startswith("今天到期")
    move(timedelta(days=1))
    page = browser.get("/work?tab=all")
    assert lights(page)[0].startswith("超期 1 天")
    assert {"临期0", "超期1"} <= set(tabs(page))
    assert numbers(browser.get("/work?tab=overdue")) == [cases.numbers["accepting"]]
    assert "没有临期的待办。" in browser.get("/work?tab=soon").main


def test_being_late_passes_nothing_by_itself(
    enter: Enter, cases: Filled, officer_database: Database, move: Mover
) -> None:
    item = cases.items["accepting", "township_acceptance", "township"]
    move(timedelta(days=30))
    browser = enter("shifan.clerk")
    assert "本环节已经超期" in browser.get(f"/work/{item}").main
    assert item_of(officer_database, item).closed_at is None


# Finding -------------------------------------------------------------------------------------------------------------


def test_conditions_are_remembered_until_they_are_cleared(enter: Enter, cases: Filled) -> None:
    browser = enter("renshe.a")
    found = browser.get(
        "/work?process=workshop_recognition&step=workshop_recognition:hrss_review&tab=unclaimed"
    )
    assert numbers(found) == [cases.numbers["reviewing"]]
    assert "共 1 条" in found.main
    again = browser.get("/work")
    assert numbers(again) == [cases.numbers["reviewing"]]
    chosen = [text_of(one) for one in again.all("option") if one.get("selected") is not None]
    assert chosen == ["就业帮扶车间认定", "审核合同、工资与用工"]
    browser.get("/work?tab=soon")
    cleared = browser.follow(browser.fetch("/work?clear=1"))
    assert len(numbers(cleared)) == 3
    assert len(numbers(browser.get("/work"))) == 3, "cleared is cleared for good"
    assert len(numbers(enter("renshe.b").get("/work"))) == 3, "one person's conditions are no other's"


def test_a_step_of_another_process_is_no_condition(enter: Enter, cases: Filled) -> None:
    browser = enter("renshe.a")
    found = browser.get("/work?process=objection&step=workshop_recognition:hrss_review")
    assert numbers(found) == [cases.numbers["objected-objection"]]
    assert numbers(browser.get("/work?step=workshop_recognition:hrss_review")) == [cases.numbers["reviewing"]]
    assert len(numbers(browser.get("/work?tab=nonsense&step="))) == 3


def test_search_finds_by_number_employer_and_credit_code(
    enter: Enter, cases: Filled, officer_database: Database
) -> None:
    browser = enter("renshe.a")
    with officer_database.reading() as session:
        employer = session.get_one(Employer, session.get_one(Case, cases.cases["site"]).employer_id)
        code = employer.credit_code
    for asked in (cases.numbers["site"], cases.numbers["site"].lower(), "惠民农民", code, code[:10].lower()):
        assert cases.numbers["site"] in numbers(browser.get("/work", query_string={"q": asked})), asked
    assert numbers(browser.get("/work", query_string={"q": "惠民农民"})) == [cases.numbers["site"]]
    for asked in ("%", "_", "\\", "' or 1=1 --"):
        page = browser.get("/work", query_string={"q": asked})
        assert "没有符合条件的待办。" in page.main, asked
        assert "清除条件" in page.links()
        assert [one.get("value") for one in page.all("input", name="q")] == [asked]


def test_cases_of_others_are_not_found_by_searching(enter: Enter, cases: Filled) -> None:
    browser = enter("xiangyang.clerk")
    for name, number in cases.numbers.items():
        found = browser.get("/work", query_string={"q": number})
        assert numbers(found) == [], name
    assert numbers(enter("taonan.renshe").get("/work", query_string={"q": "通榆"})) == []


# Counting and paging -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days_apart", [0, 1], ids=["all due at once", "two due each day"])
def test_pages_follow_one_another_without_gap_or_repeat(
    enter: Enter, cases: Filled, officer_database: Database, days_apart: int
) -> None:
    more_items(
        officer_database,
        cases.items["accepting", "township_acceptance", "township"],
        2 * PAGE + 4,
        days_apart=days_apart,
    )
    browser = enter("shifan.clerk")
    seen: list[str] = []
    page = browser.get("/work")
    sizes = []
    while True:
        found = [
            one.get("href", "") for one in page.root.iter("a") if one.get("href", "").startswith("/work/")
        ]
        sizes.append(len(found))
        seen += found
        assert "共 45 条" in page.main
        following = next((href for text, href in page.links().items() if text.startswith("下一页")), "")
        if not following:
            break
        page = browser.get(following)
        assert any(text.startswith("回到第一页") or "第一页" in text for text in page.links())
    assert sizes == [PAGE, PAGE, 5]
    assert len(set(seen)) == 45
    department = item_of(
        officer_database, cases.items["accepting", "township_acceptance", "township"]
    ).department_id
    with officer_database.reading() as session:
        order = session.scalars(
            select(WorkItem.id)
            .where(WorkItem.department_id == department, WorkItem.closed_at.is_(None))
            .order_by(WorkItem.due_at, WorkItem.id)
        ).all()
    assert seen == [f"/work/{one}" for one in order]


def test_a_place_that_is_none_begins_at_the_top(enter: Enter, cases: Filled) -> None:
    browser = enter("shifan.clerk")
    for after in ("x", "1_x", "99999999999999999999_1", "-1_1", ""):
        assert numbers(browser.get("/work", query_string={"after": after})) == [cases.numbers["accepting"]]


def test_counting_stops_at_a_thousand(enter: Enter, cases: Filled, officer_database: Database) -> None:
    more_items(officer_database, cases.items["accepting", "township_acceptance", "township"], CAP + 3)
    page = enter("shifan.clerk").get("/work")
    assert {"全部1000+", "未领取1000+", "我的0", "超期0"} <= set(tabs(page))
    assert "1000+" in text_of(page.one("nav", class_="wg-nav")), "the menu says how much waits, too"
    assert len(numbers(page)) == PAGE


# Who has what --------------------------------------------------------------------------------------------------------


def test_claiming_in_the_list_stays_in_the_list(
    enter: Enter, cases: Filled, officer_database: Database
) -> None:
    item = cases.items["reviewing", "hrss_review", "hrss"]
    browser = enter("renshe.a")
    browser.get("/work?tab=unclaimed")
    page = browser.submit(f"/work/{item}/claim", {"from": "list"})
    assert browser.path == "/work"
    assert f"已领取 {cases.numbers['reviewing']}" in page.text
    assert cases.numbers["reviewing"] not in numbers(page)
    assert {"全部3", "我的1", "未领取2"} <= set(tabs(page))
    assert numbers(browser.get("/work?tab=mine")) == [cases.numbers["reviewing"]]
    assert holders(browser.get("/work?tab=all"))[1] == "任可心"
    assert item_of(officer_database, item).claimed_by == cases.users["renshe.a"]


def test_claiming_on_the_item_stays_there_and_can_be_given_back(
    enter: Enter, cases: Filled, officer_database: Database
) -> None:
    item = cases.items["reviewing", "hrss_review", "hrss"]
    browser = enter("renshe.a")
    page = browser.submit(f"/work/{item}/claim")
    assert browser.path == f"/work/{item}"
    assert "任可心 领取" in page.main
    page = browser.submit(f"/work/{item}/unclaim")
    assert "本单位其他人员可以领取" in page.text
    assert item_of(officer_database, item).claimed_by is None
    with officer_database.reading() as session:
        kinds = session.scalars(
            select(Event.kind)
            .where(Event.stream == session.get_one(Case, cases.cases["reviewing"]).stream_name)
            .order_by(Event.seq.desc())
            .limit(2)
        ).all()
    assert kinds == ["item-unclaimed", "item-claimed"]


def test_what_a_colleague_has_is_read_and_not_acted_on(enter: Enter, cases: Filled) -> None:
    item = cases.items["reviewing", "hrss_review", "hrss"]
    enter("renshe.a").submit(f"/work/{item}/claim")
    other = enter("renshe.b")
    page = other.get(f"/work/{item}")
    assert "任可心已领取这项工作，您可以查看，不能办理。" in page.main
    assert page.all("form", id="decision") == []
    late = other.submit(f"/work/{item}/claim", {"from": "list"})
    assert "这项工作已由任可心领取。" in late.text
    assert "没有权限" in other.refused(f"/work/{item}/unclaim", status=403).text
    assert "改派" not in page.links()
    other.get(f"/work/{item}/reassign", 403)


def test_the_head_reassigns_and_says_why(enter: Enter, cases: Filled, officer_database: Database) -> None:
    item = cases.items["reviewing", "hrss_review", "hrss"]
    enter("renshe.a").submit(f"/work/{item}/claim")
    head = enter("renshe.head")
    assert "改派" in head.get(f"/work/{item}").links()
    page = head.get(f"/work/{item}/reassign")
    assert "现由任可心领取" in page.main
    people = {text_of(one): one.get("value", "") for one in page.all("option") if one.get("value")}
    people |= {
        text_of(label): one.get("value", "")
        for one in page.all("input", name="user")
        for label in page.all("label")
        if label.get("for") == one.get("id")
    }
    assert set(people) == {"任思齐", "任建华"}, "the office's own people but the holder"
    refused = head.refused(f"/work/{item}/reassign", {"user": people["任思齐"], "reason": ""})
    assert refused.errors
    stranger = str(cases.users["xiangcun.a"])
    refused = head.refused(f"/work/{item}/reassign", {"user": stranger, "reason": "原经办人外出培训。"})
    assert "原经办人外出培训。" in text_of(refused.one("textarea", name="reason"))
    assert item_of(officer_database, item).claimed_by == cases.users["renshe.a"]
    done = head.submit(f"/work/{item}/reassign", {"user": people["任思齐"], "reason": "原经办人外出培训。"})
    assert "已改派给任思齐。" in done.text
    assert item_of(officer_database, item).claimed_by == cases.users["renshe.b"]
    assert "原经办人外出培训。" in head.get(f"/cases/{cases.numbers['reviewing']}").main
    worker(officer_database)
    with officer_database.reading() as session:
        told = session.scalars(select(Notice).where(Notice.user_id == cases.users["renshe.b"])).all()
    assert [one.text for one in told if "已转给您办理" in one.text]


def test_somebody_of_two_offices_sees_both_and_which(
    enter: Enter, cases: Filled, officer_database: Database
) -> None:
    with officer_database.transaction() as session:
        department = session.get_one(
            WorkItem, cases.items["accepting", "township_acceptance", "township"]
        ).department_id
        session.add(
            Assignment(
                user_id=cases.users["renshe.a"],
                department_id=department,
                post="clerk",
                valid_from=date(2026, 1, 1),
            )
        )
    page = enter("renshe.a").get("/work")
    assert cases.numbers["accepting"] in numbers(page)
    assert "示范镇人民政府" in page.main
    assert len(numbers(page)) == 4
