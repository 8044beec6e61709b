"""The first page, 公示, the register and the progress query: what anybody may read, and nobody's data."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.web.client import Browser
from tests.web.public.world import Mover, objection_of, to_the_end
from tests.web.public_world import PublicWorld
from webapp.public import progress
from webapp.public.pages import policy_list
from workflows.base import clock as wengang_clock
from workflows.base.session import Database
from workflows.cases.model import Case, Publicity
from workflows.organisations.model import Department
from workflows.registers import workshops
from workflows.registers.model import Workshop


def test_a_guest_begins_at_the_doors(guest: Browser, public: PublicWorld) -> None:
    page = guest.follow(guest.fetch("/"))
    links = page.links()
    assert {"看公示", "查车间名录", "查办理进度", "核验文书", "登记单位账号", "登录"} <= set(links)
    for address in {href for href in links.values() if href.startswith("/")} - {"/"}:
        assert guest.fetch(address.split("#")[0]).status_code == 200, address
    assert public.employer in page.main, "what is public now stands on the first page"
    assert "0436-0000000" in page.main


def test_policies_cite_their_article(guest: Browser) -> None:
    page = guest.get("/policies")
    for topic in policy_list()["topics"]:
        assert topic["title"] in page.main
        assert re.fullmatch(r"第二条第（[三四五六七八]）项", topic["article"]), topic["title"]
    assert "不低于4000元" in page.main
    assert "3人以上" in page.main


def test_search_engines_are_kept_out(guest: Browser, public: PublicWorld) -> None:
    robots = guest.fetch("/robots.txt").text
    for path in ("/publicity", "/progress", "/v/", "/verify"):
        assert f"Disallow: {path}\n" in robots
    for path in ("/publicity", f"/publicity/{public.token}", "/progress", f"/v/{'0' * 40}"):
        response = guest.fetch(path)
        assert "noindex" in response.headers["X-Robots-Tag"]
        assert response.headers["Cache-Control"] == "no-store"
        assert '<meta name="robots" content="noindex' in response.text


def test_a_running_publicity_says_what_until_when_and_to_whom(guest: Browser, public: PublicWorld) -> None:
    assert public.employer in guest.get("/publicity").main
    page = guest.get(f"/publicity/{public.token}")
    for words in (
        public.employer,
        "工厂式",
        "3 人",
        "还剩 7 天",
        "2026年3月11日 至 2026年3月18日",
        "5个工作日",
    ):
        assert words in page.main
    assert "通榆县人力资源和社会保障局，电话 0436-0000000" in page.main


def test_the_list_can_be_narrowed_to_a_county(guest: Browser, public: PublicWorld) -> None:
    assert public.employer in guest.get("/publicity?county=220822").main
    page = guest.get("/publicity?county=220881")
    assert public.employer not in page.main
    assert "现在没有正在进行的公示" in page.main
    assert "现在没有正在进行的公示" in guest.get("/publicity?page=7").main


def test_on_its_last_day_a_publicity_still_runs(guest: Browser, public: PublicWorld, move: Mover) -> None:
    move(public.ends_at - wengang_clock.now() - timedelta(minutes=1))
    assert "今天截止" in guest.get(f"/publicity/{public.token}").main


def test_after_the_end_nothing_of_the_content_is_left(
    guest: Browser, public: PublicWorld, move: Mover
) -> None:
    to_the_end(public, move)
    page = guest.get(f"/publicity/{public.token}", status=410)
    assert page.title == "公示已经结束"
    for address in ("/publicity", "/public"):
        page = guest.get(address)
        assert public.employer not in page.source
    assert public.employer not in guest.get(f"/publicity/{public.token}", status=410).source


def test_a_cancelled_publicity_is_gone_at_once(
    guest: Browser, public: PublicWorld, web_database: Database
) -> None:
    with web_database.transaction() as session:
        row = session.scalars(select(Publicity).where(Publicity.token == public.token)).one()
        row.closed_at, row.closed_as = wengang_clock.now(), "cancelled"
    page = guest.get(f"/publicity/{public.token}", status=410)
    assert public.employer not in page.source
    assert public.employer not in guest.get("/publicity").source


def test_an_unknown_publicity_is_not_found(guest: Browser) -> None:
    assert "没有这个公示" in guest.get("/publicity/0123456789abcdef", status=404).main


def test_without_an_office_the_page_still_stands(
    guest: Browser, public: PublicWorld, web_database: Database
) -> None:
    with web_database.transaction() as session:
        for office in session.scalars(select(Department).where(Department.kind == "hrss")):
            office.kind = "ndrc" if office.division_code == "220881" else "other"
    assert "受理单位：" not in guest.get(f"/publicity/{public.token}").main


def test_the_register_finds_by_name_number_mode_and_county(guest: Browser, public: PublicWorld) -> None:
    number = public.papers["certificate"][1]
    for query in ("", "?text=向阳服装", f"?text={number}", "?mode=factory&county=220822", "?status=active"):
        page = guest.get(f"/workshops-register{query}")
        assert number in page.main, query
    for query in ("?text=没有这家", "?mode=home", "?county=220881", "?status=revoked"):
        page = guest.get(f"/workshops-register{query}")
        assert number not in page.main, query
        assert "没有符合条件的车间" in page.main
    assert number in guest.get("/workshops-register?mode=nonsense&page=99&text=%00").main


def test_a_revoked_workshop_stays_and_is_marked(
    guest: Browser, public: PublicWorld, web_database: Database
) -> None:
    with web_database.transaction() as session:
        entry = session.scalars(select(Workshop)).one()
        workshops.change_status(session, entry.id, "revoked", on=wengang_clock.today(), actor_id=None)
    page = guest.get("/workshops-register")
    assert "已撤销" in [one.text for one in page.all("span", class_="wg-tag-dark")]
    assert "2026年3月11日" in page.main


def test_an_empty_register_says_so(guest: Browser, web_database: Database) -> None:
    with web_database.transaction() as session:
        for case in session.scalars(select(Case)):
            case.workshop_id = None
        session.flush()
        session.delete(session.scalars(select(Workshop)).one())
    assert "还没有认定的车间" in guest.get("/workshops-register").main


def test_the_progress_names_stage_and_office_and_no_person(guest: Browser, public: PublicWorld) -> None:
    data = {"number": public.case_number, "digits": public.phone[-4:]}
    guest.post("/progress", data, 200)
    assert guest.page is not None
    assert guest.page.title.startswith("办理进度")
    assert "公示中" in guest.page.main
    assert "2026年3月18日 截止" in guest.page.main
    assert public.employer not in guest.page.source
    for words in ("孙敏", "赵德厚", public.phone):
        assert words not in guest.page.source


def test_a_finished_case_shows_its_result(guest: Browser, public: PublicWorld) -> None:
    guest.post("/progress", {"number": public.recognised_number, "digits": public.phone[-4:]}, 200)
    assert guest.page is not None
    assert "结果：已认定" in guest.page.main
    assert not guest.page.all("li", class_="wg-stage-current")


def test_numbers_are_understood_however_they_are_typed(guest: Browser, public: PublicWorld) -> None:
    wide = public.case_number.replace("-", "－").lower()
    guest.post("/progress", {"number": f" {wide} ", "digits": "０００２"}, 200)
    assert guest.page is not None
    assert public.case_number in guest.page.main


def test_wrong_digits_and_an_unknown_number_are_answered_alike(guest: Browser, public: PublicWorld) -> None:
    said = {
        guest.refused("/progress", {"number": number, "digits": digits}).main.replace(number, "")
        for number, digits in (
            (public.case_number, "9999"),
            ("RD220822-2026-09999", "9999"),
            ("' OR 1=1 --", "9999"),
        )
    }
    assert len(said) == 1
    assert progress.NOT_FOUND in said.pop()


@pytest.mark.parametrize("digits", ["12", "abcd", "１２", "12 4"])
def test_four_digits_are_asked_for(guest: Browser, public: PublicWorld, digits: str) -> None:
    page = guest.refused("/progress", {"number": public.case_number, "digits": digits})
    assert page.errors == [progress.FOUR_DIGITS]


def test_nothing_filled_in_is_said_beside_the_fields(guest: Browser) -> None:
    assert len(guest.refused("/progress", {"number": "", "digits": ""}).errors) == 2


def test_digits_cannot_be_found_by_trying(
    guest: Browser, public: PublicWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "WRONG", 3)
    for digits in ("0001", "0003", "0004"):
        guest.refused("/progress", {"number": public.case_number, "digits": digits})
    right = {"number": public.case_number.lower(), "digits": public.phone[-4:]}
    page = guest.refused("/progress", right, status=429)
    assert "请明天再查" in page.errors[0]
    guest.post("/progress", {"number": public.recognised_number, "digits": public.phone[-4:]}, 200)


def test_many_queries_from_one_address_are_slowed(
    guest: Browser, public: PublicWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LIMIT", 2)
    data = {"number": public.case_number, "digits": public.phone[-4:]}
    for _ in range(2):
        guest.post("/progress", data, 200)
    assert "过于频繁" in guest.refused("/progress", data, status=429).errors[0]


def test_an_objector_follows_the_objection_and_the_employer_does_not(
    guest: Browser, public: PublicWorld
) -> None:
    form = guest.get(f"/publicity/{public.token}")
    receipt = guest.submit(f"/publicity/{public.token}/objection", objection_of(form))
    query = guest.get(receipt.links()["查询进度"])
    number = query.one("input", name="number").get("value", "")
    guest.post("/progress", {"number": number, "digits": "0001"}, 200)
    assert guest.page is not None
    assert "通榆县人力资源和社会保障局" in guest.page.main
    assert "2026年3月13日前办结" in guest.page.main
    assert "钱守义" not in guest.page.source
    guest.refused("/progress", {"number": number, "digits": public.phone[-4:]})


def test_after_the_end_an_open_objection_is_waited_for(
    guest: Browser, public: PublicWorld, move: Mover
) -> None:
    form = guest.get(f"/publicity/{public.token}")
    guest.submit(f"/publicity/{public.token}/objection", objection_of(form))
    to_the_end(public, move)
    guest.post("/progress", {"number": public.case_number, "digits": public.phone[-4:]}, 200)
    assert guest.page is not None
    assert "公示期已满" in guest.page.main
