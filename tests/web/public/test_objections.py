"""Objections to a 公示: each is a case of its own, once, and is given back when it comes too late."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import select

from tests.web.client import Browser
from tests.web.public.world import OBJECTION, Mover, objection_of, objections, to_the_end
from tests.web.public_world import PublicWorld
from webapp.public import objecting
from workflows.base.session import Database
from workflows.cases.model import Case, Command, WorkItem


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
