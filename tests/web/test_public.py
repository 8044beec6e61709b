"""The pages that need no login: 公示 and objections, the register, the progress query, the verification of papers."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import TEST_KEYRING
from tests.databases import SqliteHouse
from tests.web import public_world
from tests.web.client import Browser, Page
from tests.web.public_world import PublicWorld
from webapp.config import Settings
from webapp.public import objecting, progress, signatures, verifying
from webapp.public.pages import policy_list
from workflows.base import clock as wengang_clock
from workflows.base.session import Database
from workflows.cases import process
from workflows.cases.model import Case, Command, Objection, Publicity, WorkItem
from workflows.documents import issue, signing
from workflows.documents.model import IssuedDocument
from workflows.organisations.model import Department
from workflows.registers import workshops
from workflows.registers.model import Workshop

OBJECTION = {
    "content": "名册里的两个人已经外出打工，平时不在这个车间干活。",
    "identity": "real_name",
    "name": "钱守义",
    "phone": "13943600001",
}
Mover = Callable[[timedelta], None]


@pytest.fixture(scope="session")
def _public_worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, PublicWorld]]:
    folder = tmp_path_factory.mktemp("public")
    TEST_KEYRING.save(folder / "keys.json")
    return folder, {}


@pytest.fixture
def web_database(
    sqlite_house: SqliteHouse, _public_worlds: tuple[Path, dict[str, PublicWorld]]
) -> Iterator[Database]:
    """In place of the county of the other web tests: one with a running 公示 and a certificate."""
    folder, worlds = _public_worlds

    def make(database: Database) -> None:
        worlds["public"] = public_world.fill(database, folder)

    process.forget()
    with sqlite_house.fresh("public", make) as database:
        yield database
    process.forget()


@pytest.fixture
def public(web_database: Database, _public_worlds: tuple[Path, dict[str, PublicWorld]]) -> PublicWorld:
    return _public_worlds[1]["public"]


@pytest.fixture
def settings(
    web_database: Database, _public_worlds: tuple[Path, dict[str, PublicWorld]], tmp_path: Path
) -> Settings:
    data = tmp_path / "data"
    shutil.copytree(_public_worlds[0], data)
    return Settings(
        data_dir=data,
        database_url=web_database.url,
        public_url="http://localhost",
        keys_file=data / "keys.json",
        queue_url="memory://",
    )


@pytest.fixture(autouse=True)
def move(public: PublicWorld) -> Iterator[Mover]:
    """Time stands still while the 公示 runs; move it on by calling."""
    with wengang_clock.frozen(public.at) as moved:
        yield moved


def to_the_end(public: PublicWorld, move: Mover) -> None:
    move(public.ends_at - wengang_clock.now())


def objection_of(page: Page, **changes: str) -> dict[str, str]:
    """The form as filled in, with the key of the page."""
    key = page.one("input", name="command_key").get("value", "")
    return {**OBJECTION, "command_key": key, **changes}


def objections(database: Database) -> list[Objection]:
    with database.reading() as session:
        return list(session.scalars(select(Objection)))


# First page ----------------------------------------------------------------------------------------------------------


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


# 公示 ----------------------------------------------------------------------------------------------------------------


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


# Objections ----------------------------------------------------------------------------------------------------------


def test_an_objection_opens_a_case_of_its_own(
    guest: Browser, public: PublicWorld, web_database: Database
) -> None:
    form = guest.get(f"/publicity/{public.token}")
    page = guest.submit(f"/publicity/{public.token}/objection", objection_of(form))
    (objection,) = objections(web_database)
    with web_database.reading() as session:
        case = session.get_one(Case, objection.case_id)
        item = session.scalars(select(WorkItem).where(WorkItem.case_id == case.id)).one()
        assert (case.process, item.step) == ("objection", "acknowledge")
        assert item.department is not None
        assert item.department.kind == "hrss"
    assert (objection.objector_name, objection.objector_phone) == ("钱守义", "13943600001")
    assert objection.content == OBJECTION["content"]
    assert page.title == "异议已提交"
    assert case.number in page.main
    assert "2026年3月27日 前办结" in page.main, "two, seven and three working days after 11 March"


def test_the_receipt_outlives_the_publicity_and_is_the_senders_alone(
    app: Flask, guest: Browser, public: PublicWorld, move: Mover
) -> None:
    form = guest.get(f"/publicity/{public.token}")
    guest.submit(f"/publicity/{public.token}/objection", objection_of(form))
    to_the_end(public, move)
    page = guest.get(f"/publicity/{public.token}/objected")
    assert page.title == "异议已提交"
    assert public.employer not in page.source
    assert "钱守义" not in page.source
    stranger = Browser(app)
    response = stranger.fetch(f"/publicity/{public.token}/objected")
    assert response.headers["Location"] == f"/publicity/{public.token}"


def test_sent_twice_an_objection_is_one_case(
    app: Flask, guest: Browser, public: PublicWorld, web_database: Database
) -> None:
    path = f"/publicity/{public.token}/objection"
    data = objection_of(guest.get(f"/publicity/{public.token}"))
    first = guest.submit(path, data).main
    assert guest.submit(path, data).main == first
    assert len(objections(web_database)) == 1


def test_sent_twice_at_the_same_time_an_objection_is_one_case(
    app: Flask, guest: Browser, public: PublicWorld, web_database: Database
) -> None:
    path = f"/publicity/{public.token}/objection"
    data = {**objection_of(guest.get(f"/publicity/{public.token}")), "csrf_token": guest.token()}
    cookie = guest.client.get_cookie("wengang")
    assert cookie is not None
    start = threading.Barrier(4)
    answers: list[int] = []

    def send() -> None:
        client = app.test_client()
        client.set_cookie("wengang", cookie.value)
        start.wait()
        answers.append(client.post(path, data=data).status_code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert answers == [303] * 4
    assert len(objections(web_database)) == 1


def test_the_same_key_with_another_text_is_refused(
    guest: Browser, public: PublicWorld, web_database: Database
) -> None:
    path = f"/publicity/{public.token}/objection"
    data = objection_of(guest.get(f"/publicity/{public.token}"))
    guest.submit(path, data)
    page = guest.refused(path, {**data, "content": "车间的地址不对，那里没有厂房。"})
    assert "已经提交过" in page.errors[0]
    assert len(objections(web_database)) == 1


def test_the_key_keeps_no_trace_of_a_person(
    guest: Browser, public: PublicWorld, web_database: Database
) -> None:
    form = guest.get(f"/publicity/{public.token}")
    guest.submit(f"/publicity/{public.token}/objection", objection_of(form))
    with web_database.reading() as session:
        (command,) = session.scalars(
            select(Command).where(Command.key == form.one("input", name="command_key").get("value"))
        )
        assert set(command.result) == {"number", "answer_by"}


def test_everything_wrong_with_an_objection_is_said_at_once(guest: Browser, public: PublicWorld) -> None:
    form = guest.get(f"/publicity/{public.token}")
    page = guest.refused(
        f"/publicity/{public.token}/objection", objection_of(form, content="不 对", name="", phone="12345")
    )
    assert [one[:4] for one in page.errors] == ["异议内容", "没有填写", "电话号码"]
    assert page.one("textarea", name="content").text.strip() == "不 对", "what was typed is still there"
    assert page.one("input", name="command_key").get("value") == form.one("input", name="command_key").get(
        "value"
    )


def test_an_objection_may_stay_anonymous(guest: Browser, public: PublicWorld, web_database: Database) -> None:
    form = guest.get(f"/publicity/{public.token}")
    data = objection_of(form, identity="anonymous", name="", phone="")
    page = guest.submit(f"/publicity/{public.token}/objection", data)
    assert "没有留姓名和电话" in page.main
    (objection,) = objections(web_database)
    assert (objection.objector_name, objection.objector_phone) == ("匿名", "")
    with web_database.reading() as session:
        number = session.get_one(Case, objection.case_id).number
    for digits in ("0000", ""):
        guest.refused("/progress", {"number": number, "digits": digits})


def test_what_hidden_fields_held_is_not_kept_of_an_anonymous_one(
    guest: Browser, public: PublicWorld, web_database: Database
) -> None:
    form = guest.get(f"/publicity/{public.token}")
    guest.submit(f"/publicity/{public.token}/objection", objection_of(form, identity="anonymous"))
    (objection,) = objections(web_database)
    assert (objection.objector_name, objection.objector_phone) == ("匿名", "")


def test_an_objection_after_the_end_is_refused_and_its_text_given_back(
    guest: Browser, public: PublicWorld, web_database: Database, move: Mover
) -> None:
    form = guest.get(f"/publicity/{public.token}")
    to_the_end(public, move)
    page = guest.refused(f"/publicity/{public.token}/objection", objection_of(form), status=409)
    assert "没有提交" in page.main
    assert OBJECTION["content"] in page.source
    assert "通榆县人力资源和社会保障局" in page.main
    assert public.employer not in page.source
    assert objections(web_database) == []


def test_an_end_while_the_form_travels_is_refused_too(
    guest: Browser, public: PublicWorld, web_database: Database, move: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = guest.get(f"/publicity/{public.token}")
    submit = objecting.submit_objection

    def late(*given: object, **named: object) -> object:
        to_the_end(public, move)
        return submit(*given, **named)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(objecting, "submit_objection", late)
    page = guest.refused(f"/publicity/{public.token}/objection", objection_of(form), status=409)
    assert OBJECTION["content"] in page.source
    assert objections(web_database) == []


@pytest.mark.parametrize("key", ["", "x", "G" * 32])
def test_a_form_without_its_key_is_refused(
    guest: Browser, public: PublicWorld, web_database: Database, key: str
) -> None:
    form = guest.get(f"/publicity/{public.token}")
    page = guest.refused(f"/publicity/{public.token}/objection", objection_of(form, command_key=key))
    assert "刷新页面" in page.errors[0]
    assert objections(web_database) == []


def test_many_objections_from_one_address_are_slowed(
    guest: Browser, public: PublicWorld, web_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objecting, "LIMIT", 2)
    for _ in range(2):
        form = guest.get(f"/publicity/{public.token}")
        guest.submit(f"/publicity/{public.token}/objection", objection_of(form))
    form = guest.get(f"/publicity/{public.token}")
    page = guest.refused(f"/publicity/{public.token}/objection", objection_of(form), status=429)
    assert "过于频繁" in page.errors[0]
    assert page.one("textarea", name="content").text.strip() == OBJECTION["content"]
    assert len(objections(web_database)) == 2


def test_no_post_without_its_token(app: Flask, public: PublicWorld) -> None:
    client = app.test_client()
    for path in (f"/publicity/{public.token}/objection", "/progress", "/verify", f"/v/{'0' * 40}"):
        assert client.post(path, data=OBJECTION).status_code == 400, path


# Register ------------------------------------------------------------------------------------------------------------


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


# Progress ------------------------------------------------------------------------------------------------------------


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


# Verification --------------------------------------------------------------------------------------------------------


def test_a_valid_paper_is_told_without_a_person(guest: Browser, public: PublicWorld) -> None:
    token, number, _ = public.papers["certificate"]
    page = guest.get(f"/v/{token}")
    for words in (
        "现在有效",
        "就业帮扶车间认定证书",
        number,
        "2026年3月10日",
        "通榆县乡村振兴局",
        "名录状态：有效",
    ):
        assert words in page.main
    for words in ("孙敏", "赵德厚", *(part for person in public.people for part in person)):
        assert words not in page.source


def test_a_revoked_paper_is_told(guest: Browser, public: PublicWorld, web_database: Database) -> None:
    token, _, pdf = public.papers["certificate"]
    with web_database.transaction() as session:
        row = session.scalars(select(IssuedDocument).where(IssuedDocument.token == token)).one()
        issue.revoke(session, row)
    page = guest.get(f"/v/{token}")
    assert "已经撤销，不再有效" in page.main
    assert "撤销日期2026年3月11日" in page.main
    page = upload(guest, f"/v/{token}", pdf)
    assert "已经撤销，不再有效" in page.main
    assert "与签发的原件完全一致" in page.main


def test_an_unknown_paper_is_told(guest: Browser) -> None:
    for token in ("0" * 40, "x", "a" * 300):
        assert "查无此文书" in guest.get(f"/v/{token}", status=404).main


def test_a_paper_being_sealed_is_told(guest: Browser, public: PublicWorld, web_database: Database) -> None:
    token, _, pdf = public.papers["approval_form"]
    with web_database.transaction() as session:
        row = session.scalars(select(IssuedDocument).where(IssuedDocument.token == token)).one()
        row.status, row.file_id, row.sha256 = "pending", None, None
    assert "正在签章" in guest.get(f"/v/{token}").main
    assert "暂时不能比对" in upload(guest, f"/v/{token}", pdf).main


def test_number_and_code_lead_to_the_paper(guest: Browser, public: PublicWorld) -> None:
    token, number, _ = public.papers["certificate"]
    code = token[:8]
    for typed, also in (
        (number, code.upper()),
        (number.replace("〔", "[").replace("〕", "]"), f" {code} "),
        (number.replace("〔", "（").replace("〕", "）").replace("号", " 号"), code),
        (public.recognised_number, code),
    ):
        response = guest.post("/verify", {"number": typed, "code": also})
        assert response.headers["Location"] == f"/v/{token}"


def test_a_wrong_number_or_code_is_answered_alike(guest: Browser, public: PublicWorld) -> None:
    token, number, _ = public.papers["certificate"]
    for typed, code in ((number, "00000000"), ("通榆就帮车间〔2026〕9号", token[:8]), (number, "%%%%%%%%")):
        assert guest.refused("/verify", {"number": typed, "code": code}).errors == [verifying.NOT_FOUND]
    assert len(guest.refused("/verify", {"number": "", "code": ""}).errors) == 2


def test_looking_up_is_slowed(guest: Browser, public: PublicWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "LOOKUPS", 1)
    guest.refused("/verify", {"number": "1", "code": "1"})
    assert "过于频繁" in guest.refused("/verify", {"number": "1", "code": "1"}, status=429).errors[0]


def upload(browser: Browser, path: str, content: bytes, status: int = 200) -> Page:
    browser.get("/verify")
    browser.post(path, {"file": (BytesIO(content), "文书.pdf")}, status)
    assert browser.page is not None
    return browser.page


def test_the_issued_file_is_the_issued_file(guest: Browser, public: PublicWorld) -> None:
    token, _, pdf = public.papers["certificate"]
    for path in (f"/v/{token}", "/verify", f"/v/{'0' * 40}"):
        page = upload(guest, path, pdf)
        assert "与签发的原件完全一致" in page.main, path
        assert "电子签名完好" in page.main
        assert "就业帮扶车间认定证书" in page.main


def test_a_tampered_file_is_neither_issued_nor_signed(guest: Browser, public: PublicWorld) -> None:
    token, _, pdf = public.papers["certificate"]
    tampered = pdf.replace(b"595", b"596", 1)
    assert tampered != pdf
    page = upload(guest, f"/v/{token}", tampered)
    assert "与签发的原件不一致" in page.main
    assert "电子签名已失效" in page.main
    assert "现在有效" not in page.main, "no green word over a false file"
    page = upload(guest, "/verify", tampered)
    assert "没有签发过这个文件" in page.main


def test_something_added_after_the_signature_is_noticed(guest: Browser, public: PublicWorld) -> None:
    token, _, pdf = public.papers["certificate"]
    page = upload(guest, f"/v/{token}", pdf + b"\n% more\n")
    assert "与签发的原件不一致" in page.main
    assert "签名之后又加了内容" in page.main


def test_another_paper_of_ours_is_named(guest: Browser, public: PublicWorld) -> None:
    page = upload(guest, f"/v/{public.papers['joint_notice'][0]}", public.papers["certificate"][2])
    assert "不是这份文书" in page.main
    assert "另一份文书：就业帮扶车间认定证书" in page.main


def test_a_file_without_a_signature_and_one_signed_by_a_stranger(
    guest: Browser, public: PublicWorld, tmp_path: Path
) -> None:
    token = public.papers["certificate"][0]
    plain = public_world.blank_page(None, {"title": "就业帮扶车间认定证书", "verify_code": "00000000"})
    assert "没有电子签名" in upload(guest, f"/v/{token}", plain).main
    stranger = signing.load_signer(None, "", tmp_path / "stranger")
    signed = signing.sign(plain, stranger, "认定", "", public.at)
    page = upload(guest, f"/v/{token}", signed)
    assert "不是本系统现在使用的签名证书" in page.main
    assert "不要采信" in page.main


def test_signed_here_and_not_on_record_is_no_proof(
    guest: Browser, public: PublicWorld, settings: Settings
) -> None:
    plain = public_world.blank_page(None, {"title": "通知", "verify_code": "00000000"})
    signed = signing.sign(plain, signing.load_signer(None, "", settings.data_dir), "通知", "", public.at)
    page = upload(guest, "/verify", signed)
    assert "没有签发过这个文件" in page.main
    assert "签发记录里没有这个文件" in page.main


def test_a_paper_under_sm2_is_known_as_ours(
    guest: Browser, app: Flask, public: PublicWorld, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the bounded process, too, where nothing may be written and OpenSSL is another program."""
    chosen = SimpleNamespace(settings=replace(settings, crypto="gm"))
    monkeypatch.setattr(signatures, "services", lambda: chosen)
    plain = public_world.blank_page(None, {"title": "通知", "verify_code": "00000000"})
    signed = signing.sign(
        plain, signing.load_signer(None, "", settings.data_dir, "gm"), "通知", "", public.at
    )
    assert signatures.check_own(signed).trusted
    assert "签名用的是本系统的证书" in upload(guest, "/verify", signed).main
    stranger = signing.load_signer(None, "", settings.data_dir / "stranger", "gm")
    page = upload(guest, "/verify", signing.sign(plain, stranger, "通知", "", public.at))
    assert "不是本系统现在使用的签名证书" in page.main


def test_our_file_after_a_change_of_certificate(
    guest: Browser, public: PublicWorld, settings: Settings
) -> None:
    (settings.data_dir / "development-signer.p12").unlink()
    page = upload(guest, f"/v/{public.papers['certificate'][0]}", public.papers["certificate"][2])
    assert "现在有效" in page.main
    assert "文件本身与签发的原件一致" in page.main
    (settings.data_dir / "development-signer.p12").write_bytes(b"broken")
    page = upload(guest, f"/v/{public.papers['certificate'][0]}", public.papers["certificate"][2])
    assert "文件本身与签发的原件一致" in page.main


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 422, "请选择"),
        (b"PK\x03\x04 a spreadsheet", 422, "不是 PDF 文件"),
        (b"%PDF-1.7\n" + b"0" * 1000, 413, "超过 5 兆"),
    ],
    ids=["nothing", "no pdf", "too large"],
)
def test_unfit_files_are_refused_in_words(
    guest: Browser,
    public: PublicWorld,
    content: bytes,
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verifying, "LARGEST", 1000)
    for path in ("/verify", f"/v/{public.papers['certificate'][0]}", f"/v/{'0' * 40}"):
        assert words in upload(guest, path, content, status).errors[0]


def test_a_form_sent_without_a_file_is_refused_in_words(guest: Browser, public: PublicWorld) -> None:
    page = guest.refused(f"/v/{public.papers['certificate'][0]}", {"number": "1"})
    assert page.errors == ["请选择要核验的 PDF 文件。"]


def test_comparing_files_is_slowed(
    guest: Browser, public: PublicWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "FILES", 1)
    token, _, pdf = public.papers["certificate"]
    upload(guest, f"/v/{token}", pdf)
    assert "过于频繁" in upload(guest, f"/v/{token}", pdf, 429).errors[0]


def test_an_uploaded_file_is_not_kept(guest: Browser, public: PublicWorld, settings: Settings) -> None:
    def stored() -> set[Path]:
        return {path for path in settings.data_dir.rglob("*") if path.is_file()}

    before = stored()
    upload(guest, "/verify", public.papers["certificate"][2] + b"%")
    assert stored() == before


def test_a_hostile_file_costs_no_more_than_its_bounds(
    app: Flask, public: PublicWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf = public.papers["certificate"][2]
    with app.app_context():
        assert signatures.check_signature(pdf).valid
        assert not signatures.check_signature(pdf, memory=48 * 1024 * 1024).valid, "too little to even begin"
        monkeypatch.setattr(signatures, "_CHILD", Path(__file__).with_name("no_such_child.py"))
        assert signatures.check_signature(pdf) == signing.SignatureCheck(signed=True)
        assert signatures.check_signature(b"%PDF-1.7") == signing.SignatureCheck()


def test_a_file_that_takes_too_long_is_given_up(
    app: Flask, public: PublicWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(signatures, "_CHILD", sleeper)
    with app.app_context():
        assert not signatures.check_signature(public.papers["certificate"][2], seconds=-4).valid
