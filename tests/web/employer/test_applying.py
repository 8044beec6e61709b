"""From the empty form to the handed-in application: the way, saving, sessions that end, handing in too early."""

from __future__ import annotations

import json
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.web.client import Browser, text_of
from tests.web.employer.world import (
    OWNER,
    SECTIONS,
    attach_all,
    begin,
    fill_in,
    hand_in,
    hidden,
    people,
    ready,
    sheet,
    states,
    upload,
    worker,
)
from tests.web.world import PASSWORD
from webapp import access
from workflows.audit.model import Event
from workflows.base.parameters import Parameter
from workflows.base.session import Database
from workflows.cases.model import Case, Decision, Draft
from workflows.cases.roster_digest import altered
from workflows.cases.roster_model import Roster


def test_the_way_shows_the_limits_that_the_county_has_set(zheng: Browser, web_database: Database) -> None:
    with web_database.transaction() as session:
        session.add(
            Parameter(
                process="workshop_recognition",
                key="review_days",
                division_code="220822",
                value=7,
                basis="县政府令第 1 号（虚构）",
                valid_from=date(2024, 1, 1),
            )
        )
    start = zheng.get("/employer/start/workshop_recognition/apply")
    assert "核对人员身份：县乡村振兴局，7 个工作日内" in start.main


def test_the_whole_way_from_the_empty_form_to_the_township(zheng: Browser, web_database: Database) -> None:
    home = zheng.get("/employer")
    assert "现在没有需要您办理的事项" in home.main
    start = zheng.get(home.links()["申请认定就业帮扶车间"])
    assert "务工人员花名册" in start.main
    assert "瞻榆" not in start.main  # the township follows from the address that is filled in later
    assert "两局联合现场核查：县人力资源和社会保障局、县乡村振兴局，10 个工作日内" in start.main

    item = begin(zheng)
    page = zheng.get(f"/employer/steps/{item}")
    assert states(page) == {
        "单位信息": "填写中",  # what is registered is offered
        "经营与场地": "填写中",
        "用工与吸纳": "未填",
        "对公账户": "未填",
        "声明与承诺": "未填",
        "花名册": "未填",
        "材料": "未填",
    }
    assert "补正、修改说明" not in page.main
    assert " 处需要更正" not in page.main  # nothing is offered that may not be chosen
    assert "还没有花名册" in page.main

    fill_in(zheng, item)
    three = people(web_database, {"kind": "qualified", "count": 3})
    upload(zheng, item, sheet(web_database, three))
    waiting = zheng.get(f"/employer/steps/{item}/roster")
    assert waiting.title == "正在读取花名册"
    asked = zheng.fetch(f"/employer/steps/{item}/roster/progress").json
    assert asked is not None
    assert asked["finished"] is False
    worker(web_database)
    asked = zheng.fetch(f"/employer/steps/{item}/roster/progress").json
    assert asked is not None
    assert (asked["finished"], asked["href"]) == (True, f"/employer/steps/{item}/roster")
    read = zheng.get(f"/employer/steps/{item}/roster")
    assert "花名册填写正确" in read.main
    assert "符合 3 人" in read.main
    person = zheng.get(read.links()["看每个人的结论和理由"])
    assert "已签订合同或者协议，约定期限3个月以上" in person.main

    attach_all(zheng, item)
    page = zheng.get(f"/employer/steps/{item}")
    assert states(page) == dict.fromkeys(states(page), "已完成") | {"对公账户": "未填"}
    assert "已经填完" in page.main

    check = zheng.get(f"/employer/steps/{item}/review")
    assert "还有" not in check.main
    assert "工厂式" in check.main
    assert "瞻榆镇向阳村" in check.main
    assert "符合认定标准" in check.main
    done = hand_in(zheng, item)
    assert "已提交" in done.title
    assert "瞻榆镇人民政府" in done.main
    number = text_of(done.all("strong")[0])

    case = zheng.get(f"/employer/cases/{number}")
    assert "待受理" in case.main
    assert "3 人" in case.main
    assert OWNER not in case.source  # masked once it is handed in
    for address in (f"/employer/cases/{number}/roster", f"/employer/cases/{number}/diagram"):
        zheng.get(address)
    assert three[0].id_number not in zheng.get(f"/employer/cases/{number}/roster").source
    assert number in zheng.get("/employer").main
    # the step's pages lead to the case now
    assert number in zheng.follow(zheng.fetch(f"/employer/steps/{item}")).main


def test_the_start_button_pressed_twice_opens_one_draft(zheng: Browser, web_database: Database) -> None:
    assert begin(zheng) == begin(zheng)
    with web_database.reading() as session:
        assert session.scalar(select(func.count(Case.id))) == 1
    assert "继续填写" in zheng.get("/employer").main


def test_going_on_names_every_mistake_and_keeps_what_was_typed(
    zheng: Browser, web_database: Database
) -> None:
    item = begin(zheng)
    wrong = {**SECTIONS["workers"], "staff_count": "十二", "average_wage": "", "insurance": ["injury"]}
    page = zheng.refused(f"/employer/steps/{item}/form/workers", wrong)
    assert len(page.errors) == 2
    assert page.one("input", name="staff_count").get("value") == "十二"
    assert page.one("input", name="staff_count").get("aria-invalid") == "true"
    # nothing is lost on another day either, and a mistake is shown where the list is
    again = zheng.get(f"/employer/steps/{item}/form/workers")
    assert again.one("input", name="staff_count").get("value") == "十二"
    assert not again.errors
    assert "1 处需要更正" in zheng.get(f"/employer/steps/{item}").main
    assert zheng.get(f"/employer/steps/{item}/form/workers?check=1").errors


def test_saving_for_later_asks_nothing(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    page = zheng.submit(f"/employer/steps/{item}/form/workers", {"staff_count": "许多", "leave": "1"})
    assert "已保存" in page.main
    assert zheng.path == f"/employer/steps/{item}"
    assert (
        zheng.get(f"/employer/steps/{item}/form/workers").one("input", name="staff_count").get("value")
        == "许多"
    )


def test_a_box_whose_tick_is_taken_away_stays_without(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    zheng.post(f"/employer/steps/{item}/form/workers", SECTIONS["workers"])
    zheng.post(f"/employer/steps/{item}/form/workers", {**SECTIONS["workers"], "insurance": ["accident"]})
    page = zheng.get(f"/employer/steps/{item}/form/workers")
    ticked = [
        one.get("value") for one in page.all("input", name="insurance") if one.get("checked") is not None
    ]
    assert ticked == ["accident"]


def test_autosave_keeps_the_page_as_typed_and_says_when(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    zheng.post(f"/employer/steps/{item}/form/premises", SECTIONS["premises"])
    zheng.get(f"/employer/steps/{item}/form/workers")
    answer = zheng.client.post(
        f"/employer/steps/{item}/autosave?section=workers",
        data={"csrf_token": zheng.token(), "staff_count": "一", "workshop_name": "混进来的"},
        headers={"Accept": "application/json", "X-Requested-With": "fetch"},
    )
    assert (answer.status_code, answer.json) == (200, {"saved_at": "09:00"})
    with web_database.reading() as session:
        raw = session.get_one(Draft, item).raw
    assert raw["staff_count"] == ["一"]
    assert raw["workshop_name"] == ["瑞丰就业帮扶车间"]  # of another page, and left alone


def test_autosave_without_a_token_is_refused(zheng: Browser) -> None:
    item = begin(zheng)
    answer = zheng.client.post(
        f"/employer/steps/{item}/autosave?section=workers",
        data={"staff_count": "1"},
        headers={"X-Requested-With": "fetch"},
    )
    assert answer.status_code == 400
    assert "error" in json.loads(answer.text)


def test_a_session_that_ends_while_a_form_is_typed(
    app: Flask, zheng: Browser, web_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = begin(zheng)
    page = zheng.get(f"/employer/steps/{item}/form/workers")
    token = hidden(page, "csrf_token")
    later = access._clock() + 3 * 3600
    monkeypatch.setattr(access, "_clock", lambda: later)
    typed = {"csrf_token": token, "staff_count": "12", "statement": "一段很长的情况说明"}
    answer = zheng.client.post(
        f"/employer/steps/{item}/autosave?section=workers",
        data=typed,
        headers={"Accept": "application/json", "X-Requested-With": "fetch"},
    )
    assert answer.status_code == 401
    assert answer.json is not None
    assert "重新登录" in answer.json["error"]
    assert answer.json["login"].startswith("/login")
    # the whole page sent: what was typed comes back to be copied
    lost = zheng.client.post(
        f"/employer/steps/{item}/form/premises", data={**typed, "industry": "农产品加工"}
    )
    assert lost.status_code in (400, 401)
    assert "农产品加工" in lost.text
    with web_database.reading() as session:
        assert session.get(Draft, item) is None


def test_after_a_session_that_ended_the_page_offers_what_was_typed(
    zheng: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = begin(zheng)
    path = f"/employer/steps/{item}/form/workers"
    token = hidden(zheng.get(path), "csrf_token")
    autosave = f"/employer/steps/{item}/autosave?section=workers"
    typed = {"csrf_token": token, "staff_count": "12"}
    assert zheng.client.post(autosave, data=typed).status_code == 200
    later = access._clock() + 3 * 3600
    monkeypatch.setattr(access, "_clock", lambda: later)
    lost = zheng.refused_with(
        path, {**typed, "average_wage": "一千二"}, {"Referer": f"http://localhost{path}"}, 401
    )
    assert "一千二" in lost.source
    login = lost.links()["重新登录"]
    zheng.get(login)
    back = zheng.submit(login, {"username": "zheng", "password": PASSWORD})
    assert zheng.path == path
    assert back.one("input", name="staff_count").get("value") == "12"
    assert [one for one in back.all("form", method="post") if one.get("data-autosave-url")], (
        "the tab's own copy is offered by the form that takes part in keeping"
    )


def test_a_double_click_hands_in_once(zheng: Browser, web_database: Database) -> None:
    item = ready(zheng, web_database)
    page = zheng.get(f"/employer/steps/{item}/review")
    form = {name: hidden(page, name) for name in ("command_key", "seen_version", "outcome")}
    first = zheng.post(f"/employer/steps/{item}/review", form)
    second = zheng.post(f"/employer/steps/{item}/review", form)
    assert first.headers["Location"] == second.headers["Location"] == f"/employer/steps/{item}/done"
    with web_database.reading() as session:
        assert session.scalar(select(func.count(Decision.id))) == 1
    # another copy of the page, opened before, is told what happened
    stale = zheng.refused(f"/employer/steps/{item}/review", {**form, "command_key": "another-key"}, 409)
    assert "已由他人办理" in stale.main


def test_handing_in_too_early_names_everything_with_links(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    fill_in(zheng, item, declarations={"promise_pay": "", "leave": "1"})
    page = zheng.get(f"/employer/steps/{item}/review")
    assert not page.errors  # a hint before the first attempt, not an error
    assert "还有 10 处没有填完" in page.main
    page = zheng.refused(
        f"/employer/steps/{item}/review",
        {name: hidden(page, name) for name in ("command_key", "seen_version", "outcome")},
    )
    assert any("还没有上传花名册" in one for one in page.errors)
    assert "没有上传：营业执照（登记证书）" in page.errors
    links = page.links()
    assert links["没有上传：营业执照（登记证书）"] == f"/employer/steps/{item}/materials#f-license"
    assert links["还没有上传花名册"] == f"/employer/steps/{item}/roster"
    place = next(href for text, href in links.items() if "form/declarations" in href and "check=1" in href)
    assert place.endswith("#f-promise_pay")
    assert zheng.get(place.split("#")[0]).errors


def test_the_rules_are_shown_live_before_handing_in(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    fill_in(zheng, item)
    upload(
        zheng,
        item,
        sheet(web_database, people(web_database, {"kind": "qualified", "count": 2}, {"kind": "low_income"})),
    )
    worker(web_database)
    page = zheng.get(f"/employer/steps/{item}")
    assert "符合 2 人" in page.main
    assert "不足3人" in page.main
    answer = zheng.client.post(
        f"/employer/steps/{item}/check?section=declarations",
        data={"csrf_token": zheng.token(), "wage_arrears": "yes"},
        headers={"X-Requested-With": "fetch"},
    )
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "拖欠工资" in answer.text
    with web_database.reading() as session:  # nothing was kept
        assert session.get_one(Draft, item).raw["wage_arrears"] == ["no"]


def test_a_roster_uploaded_first_is_judged_again_when_its_answers_come(
    zheng: Browser, web_database: Database
) -> None:
    item = begin(zheng)
    upload(zheng, item, sheet(web_database, people(web_database, {"kind": "qualified", "count": 3})))
    worker(web_database)
    assert (
        "待核实 3 人" in zheng.get(f"/employer/steps/{item}").main
    )  # how income is reckoned is not yet said
    fill_in(zheng, item)
    assert "符合 3 人" in zheng.get(f"/employer/steps/{item}").main
    with web_database.reading() as session:
        assert altered(session, session.scalars(select(Roster)).one()) == []
        assert session.scalar(select(func.count()).where(Event.kind == "rows-judged"))
