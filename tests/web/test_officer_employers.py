"""The page on which a township confirms the first accounts of employers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.factories import PDF
from tests.web.client import Browser, text_of
from tests.web.world import World
from workflows.base.files import StoredFile
from workflows.base.installation import installation
from workflows.base.session import Database
from workflows.organisations.model import User
from workflows.registers.model import EmployerMember

SignIn = Callable[[str], Browser]


@pytest.fixture
def feng(world: World, web_database: Database) -> EmployerMember:
    """The account that waits for its township."""
    with web_database.reading() as session:
        user_id = world.users["feng"]
        return session.scalars(select(EmployerMember).where(EmployerMember.user_id == user_id)).one()


def status_of(database: Database, row: EmployerMember) -> tuple[str, str, str]:
    with database.reading() as session:
        found = session.get_one(EmployerMember, row.id)
        return found.status, found.employer.status, found.reason


def test_the_township_sees_who_waits_and_confirms(
    sign_in: SignIn, feng: EmployerMember, web_database: Database
) -> None:
    zhao = sign_in("zhao")
    page = zhao.get("/employers")
    shown = text_of(page.one("main"))
    assert "通榆县新芽服装厂" in shown
    assert "91220822MA14B7QT36" in shown
    assert "授权书.pdf" in shown
    page = zhao.submit(f"/employers/{feng.id}/confirm")
    assert "已确认冯小满为通榆县新芽服装厂的首个账号" in text_of(page.one("main"))
    assert "没有等待确认的单位" in text_of(page.one("main"))
    assert status_of(web_database, feng) == ("confirmed", "confirmed", "")
    zhao.refused(f"/employers/{feng.id}/confirm", status=409)


def test_a_refusal_needs_a_reason_that_the_applicant_reads(
    sign_in: SignIn, feng: EmployerMember, web_database: Database
) -> None:
    zhao = sign_in("zhao")
    assert "冯小满" in text_of(zhao.get(f"/employers/{feng.id}/refuse").one("main"))
    assert zhao.refused(f"/employers/{feng.id}/refuse", {"reason": ""}).errors
    zhao.submit(f"/employers/{feng.id}/refuse", {"reason": "授权书没有盖章，请盖章后重新上传。"})
    assert status_of(web_database, feng) == ("refused", "refused", "授权书没有盖章，请盖章后重新上传。")
    assert "授权书没有盖章" in text_of(sign_in("feng").get("/register/pending").one("main"))


def test_the_paper_is_shown_and_its_absence_said(
    sign_in: SignIn, feng: EmployerMember, web_database: Database
) -> None:
    zhao = sign_in("zhao")
    path = f"/employers/{feng.id}/authorisation"
    with web_database.transaction() as session:
        uploader = session.scalars(select(User.id).where(User.username == "feng")).one()
        file = installation().files.put(session, PDF, "授权书.pdf", "application/pdf", uploader)
        session.flush()
        session.get_one(EmployerMember, feng.id).authorisation_file_id = file.id
    answer = zhao.client.get(path)
    assert answer.data == PDF
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    with web_database.transaction() as session:
        session.get_one(EmployerMember, feng.id).authorisation_file_id = None
        assert session.scalars(select(StoredFile.id)).first() is not None
    assert "没有上传" in text_of(zhao.get("/employers").one("main"))
    assert zhao.client.get(path).status_code == 404


@pytest.mark.parametrize("username", ["sun", "chen"])
def test_other_offices_have_no_such_work(sign_in: SignIn, feng: EmployerMember, username: str) -> None:
    browser = sign_in(username)
    page = browser.get("/employers")
    assert "由经营地址所在乡镇人民政府确认" in text_of(page.one("main"))
    assert "单位确认" not in text_of(page.one("nav"))
    assert browser.client.get(f"/employers/{feng.id}/authorisation").status_code == 404
    assert browser.client.get(f"/employers/{feng.id}/refuse").status_code == 404
    browser.refused(f"/employers/{feng.id}/confirm", status=403)


def test_what_is_registered_is_corrected_with_a_reason(
    sign_in: SignIn, feng: EmployerMember, web_database: Database
) -> None:
    zhao = sign_in("zhao")
    path = f"/employers/{feng.employer_id}/correct"
    assert zhao.get("/employers").links()["更正登记信息：通榆县新芽服装厂"] == path
    page = zhao.get("/employers/registered")
    assert "通榆县新芽服装厂 等待确认" in page.main
    assert "通榆县瑞丰农产品加工有限公司" in page.main
    assert "洮南市金穗合作社" not in page.main
    assert "没有找到这个单位" in zhao.get("/employers/registered?q=没有").main
    assert "通榆县瑞丰" not in zhao.get("/employers/registered?q=91220822ma14b7qt36").main
    page = zhao.get(path)
    assert "代码不同的是另一个单位" in page.main
    sent = {
        "name": "通榆县新芽制衣厂",
        "kind": "company",
        "legal_representative": "冯小满",
        "address": "镇政府街 1 号",
        "division_code": "220822101",
        "reason": "",
    }
    assert page.one("input", name="name").get("value") == "通榆县新芽服装厂"
    page = zhao.refused(path, sent)
    assert page.one("input", name="name").get("value") == "通榆县新芽制衣厂"
    same = {**sent, "name": "通榆县新芽服装厂", "reason": "核对"}
    assert "没有改动任何内容" in zhao.refused(path, same).errors[0]
    page = zhao.submit(path, {**sent, "reason": "名称按营业执照更正。"})
    assert "通榆县新芽制衣厂的登记信息已更正" in page.main
    page = zhao.get(path)
    for part in ("以前的更正", "原为：通榆县新芽服装厂", "名称按营业执照更正。", "赵晓梅"):
        assert part in page.main
    assert "更正单位登记信息" in sign_in("shen").get("/audit/events").main
    for username in ("sun", "chen"):
        assert sign_in(username).client.get(path).status_code == 404
        assert "还没有登记的单位" in sign_in(username).get("/employers/registered").main


def test_the_employer_is_told_who_corrects_what(sign_in: SignIn, world: World) -> None:
    assert "由瞻榆镇更正" in sign_in("zheng").get("/employer/unit").main
