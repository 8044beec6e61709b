"""Employers' pages: from the empty form to the handed-in application, with everything that goes wrong on the way."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from sqlalchemy import func, select

from tests.factories import workbook
from tests.web.client import Browser, Page, text_of
from tests.web.world import PASSWORD, VILLAGE, World
from webapp import access
from workflows.audit.model import Event
from workflows.base import clock
from workflows.base.installation import installation
from workflows.base.outbox import drain
from workflows.base.parameters import Parameter
from workflows.base.session import Database
from workflows.cases import claiming, process
from workflows.cases.answering import parse_answers
from workflows.cases.check import verify_everything
from workflows.cases.completing import complete
from workflows.cases.jobs import handlers
from workflows.cases.model import Attachment, Case, Decision, Draft, WorkItem
from workflows.cases.process import newest
from workflows.cases.roster_digest import altered
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.scenario_people import ScenarioPerson, enter_identities, make_people, sheet_of
from workflows.cases.scenarios import Scenarios
from workflows.organisations.model import User
from workflows.registers.demo_people import id_number
from workflows.registers.membership import load_actor

#: A Monday on which the notice's own basis was in force.
DAY = datetime(2025, 3, 3, 9, 0, tzinfo=clock.SHANGHAI)
OWNER = id_number(date(1974, 1, 1), 77)
PDF = b"%PDF-1.4\n% fictional\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"fictional" * 4

SECTIONS: dict[str, dict[str, Any]] = {
    "employer": {
        "employer_kind": "company",
        "established_on": "2019-05-01",
        "legal_name": "郑大江",
        "legal_id": OWNER,
        "legal_phone": "13904360001",
        "registered_address": "镇政府街 1 号",
        "contact_name": "郑大江",
        "contact_phone": "13904360001",
    },
    "premises": {
        "workshop_name": "瑞丰就业帮扶车间",
        "mode": "factory",
        "industry": "农产品加工",
        "products": "杂粮",
        "business_village": VILLAGE,
        "business_address": "向阳村二组",
        "premises_right": "rent",
        "premises_area": "420.5",
        "resettlement": "no",
    },
    "workers": {
        "staff_count": "12",
        "eligible_count": "3",
        "income_basis": "actual",
        "average_wage": "1200",
        "wage_method": "bank",
        "insurance": ["injury", "accident"],
    },
    "account": {},
    "declarations": {
        "wage_arrears": "no",
        "safety_accident": "no",
        "dishonest": "no",
        "promise_true": "yes",
        "promise_pay": "yes",
        "promise_inform": "yes",
        "promise_inspect": "yes",
    },
}
MATERIALS = (
    "license",
    "legal_identity",
    "contracts",
    "wage_proof",
    "premises",
    "photos",
    "safety",
    "commitment",
)


@pytest.fixture(autouse=True)
def _day() -> Iterator[None]:
    process.forget()
    with clock.frozen(DAY):
        yield


@pytest.fixture
def web_database(published_database: Database) -> Database:
    return published_database


def worker(database: Database) -> int:
    """The worker comes by once."""
    return drain(database, handlers(lambda pdf, reason, when: pdf))


def begin(browser: Browser) -> int:
    """Start an application; the number of its step."""
    browser.get("/employer")
    browser.submit("/employer/start/workshop_recognition/apply")
    return int(re.fullmatch(r"/employer/steps/(\d+)", browser.path)[1])  # type: ignore[index]


def fill_in(browser: Browser, item: int, **changes: dict[str, Any]) -> None:
    """Every section as it should be."""
    for key, answers in SECTIONS.items():
        browser.post(f"/employer/steps/{item}/form/{key}", {**answers, **changes.get(key, {})})


def people(database: Database, *kinds: dict[str, Any], known: bool = True) -> list[ScenarioPerson]:
    """People for a roster; those with an identity stand in the county's list."""
    made = make_people(
        Scenarios.read("workshop_recognition").content["people"],
        kinds,
        today=clock.today(),
        owner_id=OWNER,
        village="瞻榆镇向阳村",
        seed=5,
    )
    if known:
        with database.transaction() as session:
            enter_identities(session, "220822", made, date(2023, 1, 1))
    return made


def sheet(database: Database, made: list[ScenarioPerson]) -> bytes:
    with database.reading() as session:
        definition = newest(session, "workshop_recognition").roster
    assert definition is not None
    return sheet_of(definition, made)


def upload(browser: Browser, item: int, content: bytes, name: str = "花名册.xlsx", status: int = 303) -> None:
    browser.post(f"/employer/steps/{item}/roster", {"file": (io.BytesIO(content), name)}, status)


def attach_all(browser: Browser, item: int) -> None:
    files = {
        f"{key}-upload": (
            io.BytesIO(PNG if key == "photos" else PDF),
            f"{key}.{'png' if key == 'photos' else 'pdf'}",
        )
        for key in MATERIALS
    }
    browser.submit(f"/employer/steps/{item}/materials", files)


def ready(browser: Browser, database: Database) -> int:
    """An application that lacks nothing but to be handed in."""
    item = begin(browser)
    fill_in(browser, item)
    upload(browser, item, sheet(database, people(database, {"kind": "qualified", "count": 3})))
    worker(database)
    attach_all(browser, item)
    return item


def hidden(page: Page, name: str) -> str:
    return page.all("input", name=name)[0].get("value", "")


def hand_in(browser: Browser, item: int) -> Page:
    page = browser.get(f"/employer/steps/{item}/review")
    return browser.submit(
        f"/employer/steps/{item}/review",
        {name: hidden(page, name) for name in ("command_key", "seen_version", "outcome")},
    )


def states(page: Page) -> dict[str, str]:
    """Line of the task list → its state."""
    return {
        text_of(next(line.iter("a"))): text_of(
            next(one for one in line.iter("span") if "wg-tag" in one.get("class", "").split())
        )
        for box in page.all("ol", class_="wg-tasks")
        for line in box.iter("li")
    }


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


# Bad rosters ---------------------------------------------------------------------------------------------------------


def _workbook(headings: list[str], rows: list[list[Any]], merge: str = "", formula: str = "") -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    page = book.add_worksheet("花名册")
    page.write_row(0, 0, headings)
    for number, row in enumerate(rows, start=1):
        page.write_row(number, 0, row)
    if merge:
        page.merge_range(merge, "王秀兰")
    if formula:
        page.write_formula(formula, "=1+1")
    book.close()
    return target.getvalue()


def _headings(database: Database) -> list[str]:
    with database.reading() as session:
        definition = newest(session, "workshop_recognition").roster
    assert definition is not None
    return [column.label for column in definition.columns]


GOOD_ROW = [
    "王秀兰",
    id_number(date(1980, 5, 6), 24),
    "脱贫人口",
    "瞻榆镇向阳村",
    "13800000000",
    "包装工",
    "就业协议",
    "2024-09-01",
    "2025-08-31",
    "9600.00",
    8,
    "1200.00",
    8,
]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"MZ\x90\x00" + b"\x00" * 200, "这不是表格，而是一个程序文件"),
        (b"", "请选择填好的花名册"),
        (b"PK\x03\x04 broken", "文件已损坏或不完整"),
    ],
    ids=["a renamed exe", "no file", "a broken file"],
)
def test_what_is_no_spreadsheet_is_refused_in_words(
    zheng: Browser, web_database: Database, content: bytes, said: str
) -> None:
    item = begin(zheng)
    if not content:
        upload(zheng, item, content, status=422)
        assert zheng.page is not None
        page = zheng.page
        assert page.errors
    else:
        upload(zheng, item, content)
        worker(web_database)
        page = zheng.get(f"/employer/steps/{item}/roster")
        assert "没有读成" in page.main
    assert said in page.main
    assert "上传花名册" in page.main


def test_an_empty_sheet_says_where_to_begin(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    upload(zheng, item, _workbook(_headings(web_database), []))
    worker(web_database)
    assert "没有人员" in zheng.get(f"/employer/steps/{item}/roster").main


def test_every_mistake_of_every_row_with_place_and_what_to_do(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    good = id_number(date(1980, 5, 6), 24)
    bad_number = good[:-1] + ("0" if good[-1] != "0" else "1")
    second = [*GOOD_ROW[:1], bad_number, *GOOD_ROW[2:]]
    third = ["李桂英", id_number(date(1981, 1, 1), 5), *GOOD_ROW[2:7], "三月初", *GOOD_ROW[8:]]
    rows = [GOOD_ROW, second, third, ["", id_number(date(1982, 1, 1), 5), *GOOD_ROW[2:]], GOOD_ROW]
    upload(zheng, item, _workbook(_headings(web_database), rows, formula="J4"))
    worker(web_database)
    page = zheng.get(f"/employer/steps/{item}/roster")
    said = page.main
    assert "需要改正" in said
    assert "第 3 行“身份证号”" in said  # the wrong check digit
    assert "第 4 行“合同起”" in said
    assert "第 4 行“近12个月实发工资”" in said  # a formula
    assert "公式" in said
    assert "第 5 行“姓名”" in said
    assert bad_number not in page.source  # shown in part
    assert bad_number[:6] in said
    # one kind alone, by its link
    kinds = {text: href for text, href in page.links().items() if "kind=" in href}
    assert kinds
    text, href = next((text, href) for text, href in kinds.items() if "公式" in text)
    alone = zheng.get(href.split("#")[0])
    assert f"只看“{text}”" in alone.main
    assert "第 5 行“姓名”" not in alone.main
    # the copy with remarks, and the file to begin with
    copy = zheng.fetch(f"/employer/steps/{item}/roster/annotated")
    assert zipfile.is_zipfile(io.BytesIO(copy.data))
    assert "attachment" in copy.headers["Content-Disposition"]
    blank = zheng.fetch(f"/employer/steps/{item}/roster/template")
    assert zipfile.is_zipfile(io.BytesIO(blank.data))


def test_merged_cells_are_named(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    second = ["", id_number(date(1981, 1, 1), 5), *GOOD_ROW[2:]]
    upload(zheng, item, _workbook(_headings(web_database), [GOOD_ROW, second], merge="A2:A3"))
    worker(web_database)
    assert "合并" in zheng.get(f"/employer/steps/{item}/roster").main


def test_a_corrected_upload_replaces_the_bad_rows_alone(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    second = ["李桂英", id_number(date(1981, 1, 1), 5), *GOOD_ROW[2:7], "三月初", *GOOD_ROW[8:]]
    headings = _headings(web_database)
    upload(zheng, item, _workbook(headings, [GOOD_ROW, second]))
    worker(web_database)
    assert "只替换有问题的行" in zheng.get(f"/employer/steps/{item}/roster").main
    # only the row that was wrong comes again
    upload(zheng, item, _workbook(headings, [[*second[:7], "2024-09-01", *second[8:]]]))
    worker(web_database)
    assert "花名册填写正确" in zheng.get(f"/employer/steps/{item}/roster").main
    with web_database.reading() as session:
        current = session.scalars(select(Roster).where(Roster.status == "current")).one()
        names = session.scalars(select(RosterRow).where(RosterRow.roster_id == current.id)).all()
        assert sorted(row.values["name"] for row in names) == ["李桂英", "王秀兰"]


def test_a_row_that_is_no_longer_claimed_can_be_left_out(zheng: Browser, web_database: Database) -> None:
    """A correction keeps what it does not mention, so that a wrong row could never be got rid of."""
    item = begin(zheng)
    headings = _headings(web_database)
    upload(zheng, item, _workbook(headings, [GOOD_ROW, ["合计", "", *GOOD_ROW[2:]]]))
    worker(web_database)
    address = f"/employer/steps/{item}/roster"
    assert "全部换成这份文件" in zheng.get(address).main
    changed = [*GOOD_ROW[:3], "新华镇前进村", *GOOD_ROW[4:]]
    upload(zheng, item, _workbook(headings, [changed]))
    worker(web_database)
    page = zheng.get(address)
    assert "需要改正 1 行" in page.main
    assert "第 2 行原来填写正确，这次填的不一样，没有采用" in page.main

    again = {"file": (io.BytesIO(_workbook(headings, [changed])), "花名册.xlsx"), "how": "whole"}
    zheng.post(address, again)
    worker(web_database)
    page = zheng.get(address)
    assert "花名册填写正确" in page.main
    assert "没有采用" not in page.main
    with web_database.reading() as session:
        current = session.scalars(select(Roster).where(Roster.status == "current")).one()
        rows = session.scalars(select(RosterRow).where(RosterRow.roster_id == current.id)).all()
        assert [row.values["village"] for row in rows] == ["新华镇前进村"]


def test_a_file_that_cannot_be_read_leaves_the_roster_that_is_there(
    zheng: Browser, web_database: Database
) -> None:
    item = begin(zheng)
    upload(zheng, item, sheet(web_database, people(web_database, {"kind": "qualified", "count": 3})))
    worker(web_database)
    upload(zheng, item, b"MZ nothing", "花名册.xlsx")
    worker(web_database)
    page = zheng.get(f"/employer/steps/{item}/roster")
    assert "没有读成" in page.main
    assert "上一次读成的花名册仍然有效" in page.main


def test_uploads_that_come_to_nothing_are_on_record(zheng: Browser, web_database: Database) -> None:
    """Else the auditor is told that somebody smuggled them in."""
    item = begin(zheng)
    good = sheet(web_database, people(web_database, {"kind": "qualified", "count": 3}))
    upload(zheng, item, b"MZ nothing", "花名册.xlsx")
    assert verify_everything(web_database) == []  # not yet read
    worker(web_database)
    upload(zheng, item, good)
    upload(zheng, item, good)  # before the first of the two is read
    worker(web_database)
    with web_database.reading() as session:
        found = session.scalars(select(Roster.status).order_by(Roster.id)).all()
    assert found == ["failed", "replaced", "current"]
    assert verify_everything(web_database) == []


# Materials -----------------------------------------------------------------------------------------------------------


def test_materials_one_bad_file_does_not_spoil_the_others(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    address = f"/employer/steps/{item}/materials"
    page = zheng.refused(
        address,
        {
            "license-upload": [(io.BytesIO(PDF), "营业执照.pdf"), (io.BytesIO(b"MZ"), "病毒.pdf")],
            "photos-upload": (io.BytesIO(PNG), "门头.png"),
            "stay": "license",
        },
    )
    assert len(page.errors) == 1
    assert "“病毒.pdf”没有上传" in page.errors[0]
    assert "营业执照.pdf" in page.main
    assert "门头.png" in page.main
    with web_database.reading() as session:
        keys = {row.material: row.id for row in session.scalars(select(Attachment))}
    page = zheng.submit(address, {"photos-remove": str(keys["photos"]), "stay": "photos"})
    assert "已删除 1 个文件" in page.main
    assert "门头.png" not in page.main
    shown = zheng.fetch(page.links()["营业执照.pdf"])
    assert shown.data == PDF


def test_a_wage_sheet_may_be_a_spreadsheet_and_is_only_downloaded(
    zheng: Browser, web_database: Database
) -> None:
    item = begin(zheng)
    address = f"/employer/steps/{item}/materials"
    wages = workbook(("姓名", "1月"), ("王秀兰", 3200))
    page = zheng.get(address)
    assert ".xlsx" in page.one("input", id="f-wage_proof").get("accept", "")
    assert ".xlsx" not in page.one("input", id="f-license").get("accept", "")
    macro = io.BytesIO(wages)
    with zipfile.ZipFile(macro, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    sent = {
        "wage_proof-upload": [
            (io.BytesIO(wages), "工资表.xlsx"),
            (io.BytesIO(macro.getvalue()), "带宏.xlsx"),
            (io.BytesIO(b"a,b"), "工资表.csv"),
        ],
        "license-upload": (io.BytesIO(wages), "执照.xlsx"),
        "photos-upload": (io.BytesIO(PDF), "照片.pdf"),
    }
    page = zheng.refused(address, sent)
    told = dict(zip(("license", "wage_proof", "photos"), page.errors, strict=True))
    assert "只接受 PDF、JPG、PNG 文件" in told["license"]
    assert "“带宏.xlsx”没有上传：表格带有宏" in told["wage_proof"]
    assert "“工资表.csv”没有上传：只接受 Excel（xlsx）、PDF、JPG、PNG 文件" in told["wage_proof"]
    assert "只接受 JPG、PNG 文件" in told["photos"]
    answer = zheng.fetch(page.links()["工资表.xlsx"])
    assert answer.data == wages
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")


# Short forms, remarks, taking back, giving up ------------------------------------------------------------------------


def _decide(database: Database, step: str, outcome: str, username: str, **answers: Any) -> None:
    """An officer decides, as on the officers' pages."""
    with database.transaction() as session:
        item = session.scalars(
            select(WorkItem).where(WorkItem.step == step, WorkItem.closed_at.is_(None))
        ).one()
        user = session.scalars(select(User).where(User.username == username)).one()
        raw = {key: value if isinstance(value, list) else [value] for key, value in answers.items()}
        raw["outcome"] = [outcome]
        parsed = parse_answers(session, item.case, item, raw, outcome)
        assert not parsed.errors
        complete(
            session,
            load_actor(session, user),
            item.id,
            outcome,
            parsed,
            seen_version=item.version,
            command_key=f"{step}-{item.id}",
        )


def _correct(database: Database) -> None:
    _decide(
        database,
        "township_acceptance",
        "correct",
        "zhao",
        **{
            "defects-0-field": "staff_count",
            "defects-0-problem": "职工总数与工资表不一致",
            "defects-0-action": "按工资表核对后改正。",
            "defects-1-field": "photos",
            "defects-1-problem": "照片看不清",
            "opinion": "请一次补齐。",
            "verified_with": ["committee"],
        },
    )


def test_remarks_stand_beside_the_fields_they_name(zheng: Browser, web_database: Database) -> None:
    item = ready(zheng, web_database)
    number = text_of(hand_in(zheng, item).all("strong")[0])
    _correct(web_database)
    home = zheng.get("/employer")
    assert "按通知补正材料" in home.main
    page = zheng.get(f"/employer/cases/{number}")
    assert "请一次补齐" in page.main  # sent to the employer, so it reads it
    again = int(re.search(r"/employer/steps/(\d+)", page.source)[1])  # type: ignore[index]
    tasks = zheng.get(f"/employer/steps/{again}")
    assert "1 条意见" in tasks.main
    assert "补正、修改说明" in tasks.main
    fields = zheng.get(f"/employer/steps/{again}/form/workers")
    remark = fields.one("div", id="f-staff_count-remark")
    assert "职工总数与工资表不一致" in text_of(remark)
    assert fields.one("input", name="staff_count").get("value") == "12"
    assert "照片看不清" in zheng.get(f"/employer/steps/{again}/materials").main
    # what was handed in before can no longer be taken away, only added to
    assert "以前提交的" in zheng.get(f"/employer/steps/{again}/materials").main
    zheng.post(f"/employer/steps/{again}/form/workers", {**SECTIONS["workers"], "staff_count": "15"})
    assert "已提交：按通知补正材料" in hand_in(zheng, again).main


def test_the_words_of_offices_among_themselves_stay_with_them(zheng: Browser, web_database: Database) -> None:
    number = text_of(hand_in(zheng, ready(zheng, web_database)).all("strong")[0])
    _decide(
        web_database,
        "township_acceptance",
        "accept",
        "zhao",
        opinion="内部意见不外传。",
        verified_with=["committee"],
    )
    page = zheng.get(f"/employer/cases/{number}")
    assert "受理审查" in page.main
    assert "内部意见不外传" not in page.source
    assert "没有另写意见" not in page.main


def test_taking_back_before_anybody_acted(zheng: Browser, web_database: Database) -> None:
    number = text_of(hand_in(zheng, ready(zheng, web_database)).all("strong")[0])
    page = zheng.get(f"/employer/cases/{number}")
    ask = zheng.get(page.links()["撤回修改"])
    assert "不能再撤回" in ask.main
    back = zheng.submit(f"/employer/cases/{number}/recall")
    assert "已撤回" in back.main
    assert "已经填完" in back.main
    again = int(zheng.path.rsplit("/", 1)[1])
    assert "已提交" in hand_in(zheng, again).title
    # once an office has it, no more
    with web_database.transaction() as session:
        item = session.scalars(select(WorkItem).where(WorkItem.closed_at.is_(None))).one()
        user = session.scalars(select(User).where(User.username == "zhao")).one()
        claiming.claim(session, load_actor(session, user), item.id)
    assert "撤回修改" not in zheng.get(f"/employer/cases/{number}").main
    assert "已有单位开始办理" in zheng.refused(f"/employer/cases/{number}/recall", {}, 403).main


def test_what_was_added_before_taking_back_can_be_removed(zheng: Browser, web_database: Database) -> None:
    first = ready(zheng, web_database)
    number = text_of(hand_in(zheng, first).all("strong")[0])
    zheng.submit(f"/employer/cases/{number}/recall")
    again = int(zheng.path.rsplit("/", 1)[1])
    page = zheng.get(f"/employer/steps/{again}/materials")
    assert "不能删除" not in page.main
    with web_database.reading() as session:
        added = session.scalars(
            select(Attachment).where(Attachment.material == "license", Attachment.work_item_id == first)
        ).one()
    zheng.submit(f"/employer/steps/{again}/materials", {"license-remove": str(added.id), "stay": "license"})
    assert "已删除 1 个文件" in zheng.page.main  # type: ignore[union-attr]  # a page was fetched
    with web_database.reading() as session:
        assert session.get_one(Attachment, added.id).removed_at is not None
    assert "没有上传：营业执照" in zheng.get(f"/employer/steps/{again}/review").main
    # what an office has acted on stays: the step that follows can only add
    attach_all(zheng, again)
    hand_in(zheng, again)
    _decide(
        web_database,
        "township_acceptance",
        "correct",
        "zhao",
        **{"defects-0-field": ["license"], "defects-0-problem": ["看不清。"]},
    )
    with web_database.reading() as session:
        item = session.scalars(select(WorkItem.id).where(WorkItem.closed_at.is_(None))).one()
    assert "不能删除" in zheng.get(f"/employer/steps/{item}/materials").main


def _sent_back(browser: Browser, database: Database) -> int:
    """An application handed in and sent back for correction; the number of the step that waits now."""
    hand_in(browser, ready(browser, database))
    _correct(database)
    with database.reading() as session:
        return session.scalars(select(WorkItem.id).where(WorkItem.closed_at.is_(None))).one()


def test_a_correction_without_any_change_is_asked_about_once(zheng: Browser, web_database: Database) -> None:
    item = _sent_back(zheng, web_database)
    address = f"/employer/steps/{item}/review"
    page = zheng.get(address)
    assert "还没有改动任何内容" in page.main
    sent = {name: hidden(page, name) for name in ("command_key", "seen_version", "outcome")}
    page = zheng.refused(address, sent)
    assert "没有改动任何内容，确定交回吗？" in page.main
    assert "没有改动，仍然交回" in page.main
    with web_database.reading() as session:
        assert session.get_one(WorkItem, item).closed_at is None
    assert "已提交" in zheng.submit(address, {**sent, "unchanged": hidden(page, "unchanged")}).title


@pytest.mark.parametrize("change", ["answer", "file", "roster"])
def test_whatever_was_changed_in_a_correction_is_a_change(
    zheng: Browser, web_database: Database, change: str
) -> None:
    item = _sent_back(zheng, web_database)
    step = f"/employer/steps/{item}"
    if change == "answer":
        zheng.post(f"{step}/form/workers", {**SECTIONS["workers"], "staff_count": "13"})
    elif change == "file":
        files = {"license-upload": (io.BytesIO(PDF), "新执照.pdf"), "stay": "license"}
        zheng.submit(f"{step}/materials", files)
        assert "还没有改动任何内容" not in zheng.get(f"{step}/review").main
        with web_database.reading() as session:
            added = session.scalars(select(Attachment.id).where(Attachment.work_item_id == item)).one()
        zheng.submit(f"{step}/materials", {"license-remove": str(added), "stay": "license"})
        assert "还没有改动任何内容" in zheng.get(f"{step}/review").main, "added and taken away again"
        zheng.submit(
            f"{step}/materials", {"license-upload": (io.BytesIO(PDF), "新执照.pdf"), "stay": "license"}
        )
    else:
        with web_database.reading() as session:
            roster = session.scalars(select(Roster).where(Roster.status == "current")).one()
            assert roster.file is not None
            content = installation().files.read(roster.file)
        with clock.frozen(DAY + timedelta(hours=1)):
            upload(zheng, item, content)
            worker(web_database)
    assert "还没有改动任何内容" not in zheng.get(f"{step}/review").main
    assert "已提交" in hand_in(zheng, item).title


def test_a_number_of_people_that_is_not_the_rosters_is_warned_of(
    zheng: Browser, sign_in: Callable[[str], Browser], web_database: Database
) -> None:
    item = ready(zheng, web_database)
    page = zheng.get(f"/employer/steps/{item}/review")
    assert "与花名册人数不一致" not in page.main
    zheng.post(f"/employer/steps/{item}/form/workers", {**SECTIONS["workers"], "eligible_count": "5"})
    said = "与花名册人数不一致：“其中脱贫人口和监测对象”填的是 5 人，花名册上有 3 人，请核对，改正填错的一处"
    for place in ("form/workers", "review"):
        assert said in zheng.get(f"/employer/steps/{item}/{place}").main
    assert said in zheng.get(f"/employer/steps/{item}/roster").main
    assert "已提交" in hand_in(zheng, item).title, "it warns and stops nobody"
    with web_database.reading() as session:
        waiting = session.scalars(select(WorkItem.id).where(WorkItem.closed_at.is_(None))).one()
    page = sign_in("zhao").get(f"/work/{waiting}")
    assert "“其中脱贫人口和监测对象”填的是 5 人，花名册上有 3 人，两处不一致" in page.main


def test_giving_up_needs_a_reason_and_ends_the_case(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    with web_database.reading() as session:
        number = session.get_one(WorkItem, item).case.number
    address = f"/employer/cases/{number}/give-up"
    assert "不能再继续填写" in zheng.get(address).main
    assert zheng.refused(address, {"reason": ""}).errors
    page = zheng.submit(address, {"reason": "车间搬走了。"})
    assert "已终止" in page.main
    assert "车间搬走了" in page.main
    zheng.refused(address, {"reason": "再来一次"}, 403)


# Others --------------------------------------------------------------------------------------------------------------


def test_invariant_7_another_employer_finds_nothing(
    zheng: Browser, sign_in: Callable[[str], Browser], web_database: Database
) -> None:
    item = begin(zheng)
    with web_database.reading() as session:
        number = session.get_one(WorkItem, item).case.number
    wang = sign_in("wang")
    step = f"/employer/steps/{item}"
    for address in (
        step,
        f"{step}/form/workers",
        f"{step}/roster",
        f"{step}/roster/template",
        f"{step}/roster/annotated",
        f"{step}/roster/progress",
        f"{step}/materials",
        f"{step}/review",
        f"{step}/done",
        f"/employer/cases/{number}",
        f"/employer/cases/{number}/roster",
        f"/employer/cases/{number}/diagram",
        f"/employer/cases/{number}/recall",
        f"/employer/cases/{number}/give-up",
    ):
        assert wang.fetch(address).status_code == 404, address
    for address in (
        f"{step}/form/workers",
        f"{step}/autosave",
        f"{step}/check",
        f"{step}/roster",
        f"{step}/materials",
        f"{step}/review",
        f"/employer/cases/{number}/recall",
        f"/employer/cases/{number}/give-up",
    ):
        answer = wang.client.post(address, data={"csrf_token": wang.token(), "reason": "别人的"})
        assert answer.status_code == 404, address
    with web_database.reading() as session:
        assert session.get(Draft, item) is None


def test_an_unconfirmed_employer_learns_what_comes_next(
    sign_in: Callable[[str], Browser], world: World
) -> None:
    feng = sign_in("feng")
    page = feng.get("/employer")
    assert "还没有通过确认" in page.title
    assert "核对授权书" in page.main
    answer = feng.client.post(
        f"/employer/start/workshop_recognition/apply?employer={world.employers['feng']}",
        data={"csrf_token": feng.token()},
    )
    assert answer.status_code == 403


def test_the_unit_its_contact_and_its_people(
    zheng: Browser, sign_in: Callable[[str], Browser], web_database: Database, guest: Browser
) -> None:
    page = zheng.get("/employer/unit")
    assert "91220822MA0Y2LKX58" in page.main
    assert zheng.refused("/employer/unit", {"contact_name": "郑小江", "contact_phone": "123"}).errors
    page = zheng.submit("/employer/unit", {"contact_name": "郑小江", "contact_phone": "13904360009"})
    assert "联系信息已保存" in page.main
    assert page.one("input", name="contact_phone").get("value") == "13904360009"
    # a colleague asks to act for the unit; the first account decides
    feng = sign_in("feng")
    feng.get("/register/unit")
    feng.post(
        "/register/unit",
        {
            "credit_code": "91220822MA0Y2LKX58",
            "name": "通榆县瑞丰农产品加工有限公司",
            "kind": "company",
            "division_code": "220822101",
            "address": "镇政府街 1 号",
            "legal_representative": "郑大江",
            "legal_id_number": "",
            "contact_name": "冯小满",
            "contact_phone": "13904360001",
            "authorisation-upload": (io.BytesIO(PDF), "授权书.pdf"),
        },
    )
    page = zheng.get("/employer/unit")
    assert "冯小满" in page.main
    confirm = next(one.get("action", "") for one in page.all("form") if "confirm" in one.get("action", ""))
    assert zheng.refused(confirm.replace("confirm", "refuse"), {"reason": ""}).errors
    assert "已同意冯小满" in zheng.submit(confirm).main
    assert "我的申请" in feng.get("/employer").title
    end = next(href for href in zheng.get("/employer/unit").links().values() if href.endswith("/end"))
    assert "立即不能再查看" in zheng.get(end).main
    zheng.submit(end)
    assert feng.fetch("/employer").status_code == 303, "what the session was begun for is over"
    feng = sign_in("feng")
    assert "还没有通过确认" in feng.get("/employer").title
