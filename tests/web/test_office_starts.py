"""``/work/start``: 发改 registers a project; other offices have nothing to begin."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from tests.web.client import Browser, text_of
from workflows.base.session import Database
from workflows.cases.model import Case, WorkItem

Enter = Callable[[str], Browser]
FORM = "/work/start/work_relief_project/register"


def test_the_menu_offers_it_to_whom_it_is_for(enter: Enter) -> None:
    ours, other = enter("fagai.clerk").get("/work/start"), enter("renshe.a").get("/work/start")
    assert "登记以工代赈项目" in text_of(ours.root)
    assert [one.get("href") for one in ours.root.iter("a")].count("/work/start")
    assert "您的岗位现在没有可以自己发起的事项。" in text_of(other.root)
    assert "/work/start" not in [one.get("href") for one in other.root.iter("a")]


def test_without_a_township_it_is_asked_again(enter: Enter) -> None:
    browser = enter("fagai.clerk")
    browser.get(FORM)
    page = browser.refused(FORM, {})
    assert "没有选择" in text_of(page.root)


def test_a_case_begins_at_its_first_form(enter: Enter, officer_database: Database) -> None:
    browser = enter("fagai.clerk")
    browser.get(FORM)
    page = browser.submit(FORM, {"division": "220822901"})
    with officer_database.reading() as session:
        case = session.scalars(select(Case).where(Case.process == "work_relief_project")).one()
        item = session.scalars(select(WorkItem).where(WorkItem.case_id == case.id)).one()
    assert (case.division_code, case.county_code, item.step) == ("220822901", "220822", "registration")
    assert "要求的劳务报酬占比" in text_of(page.root)
    assert "通榆县水利局" in text_of(page.root)


def test_others_cannot_begin_it(enter: Enter, officer_database: Database) -> None:
    browser = enter("renshe.a")
    browser.get("/work/start")
    browser.refused(FORM, {"division": "220822901"}, 404)
    with officer_database.reading() as session:
        assert session.scalars(select(Case).where(Case.process == "work_relief_project")).first() is None
