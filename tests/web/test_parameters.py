"""Parameters: set from a day on, with their basis; what a notice fixes is not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from tests.web.client import Browser
from tests.web.world import COUNTY
from workflows.audit.model import Event
from workflows.base.clock import today
from workflows.base.parameters import Parameter
from workflows.base.session import Database

SignIn = Callable[[str], Browser]


@pytest.fixture
def web_database(published_database: Database) -> Iterator[Database]:
    return published_database


@pytest.fixture
def admin(sign_in: SignIn) -> Browser:
    return sign_in("guan")


def test_a_parameter_is_set_from_a_day_with_its_basis(admin: Browser, web_database: Database) -> None:
    page = admin.get("/admin/parameters")
    assert "公示期限" in page.main
    assert "5 个工作日" in page.main
    path = "/admin/parameters/workshop_recognition/publicity_days"
    given = {
        "division_code": COUNTY,
        "value": "7",
        "basis": "通就联〔2026〕3号 第四条",
        "valid_from": today().isoformat(),
        "valid_to": "",
    }
    admin.get(path)
    page = admin.submit(path, given)
    assert "7 个工作日" in page.main
    assert "通就联〔2026〕3号 第四条" in page.main
    assert "7 个工作日" in admin.get("/admin/parameters").main
    page = admin.refused(path, given | {"value": "4"})
    assert page.all("p", id="f-value-error")
    page = admin.refused(path, given | {"basis": ""})
    assert page.all("p", id="f-basis-error")
    admin.refused(path, given | {"valid_to": "2020-01-01"})
    with web_database.reading() as session:
        assert "parameter-set" in set(session.scalars(select(Event.kind)))


def test_a_successor_basis_is_named(admin: Browser, web_database: Database) -> None:
    path = "/admin/parameters/workshop_recognition/basis"
    page = admin.submit(
        path,
        {
            "division_code": COUNTY,
            "title": "关于就业帮扶车间认定的通知",
            "number": "通就联〔2026〕3号",
            "article": "第一条",
            "basis": "县政府常务会议纪要",
            "valid_from": "2026-01-01",
            "valid_to": "",
        },
    )
    assert "《关于就业帮扶车间认定的通知》通就联〔2026〕3号" in page.main
    with web_database.reading() as session:
        value = session.scalars(select(Parameter)).one().value
    assert value["valid_from"] == "2026-01-01"
    assert value["valid_to"] is None
    assert value["article"] == "第一条"


def test_the_account_to_which_recovered_money_is_paid_is_named(
    admin: Browser, web_database: Database
) -> None:
    path = "/admin/parameters/one_time_reward/recovery_account"
    given = {
        "division_code": COUNTY,
        "payee_name": "通榆县财政局财政专户",
        "account_number": "0710 8220 9000 0000 0017",
        "bank_name": "示范银行通榆支行",
        "basis": "县财政局书面通知",
        "valid_from": today().isoformat(),
        "valid_to": "",
    }
    assert "未设置" in admin.get(path).main
    page = admin.refused(path, {**given, "account_number": "12", "payee_name": ""})
    assert len(page.errors) == 2
    assert "示范银行通榆支行" in page.source
    page = admin.submit(path, given)
    assert "通榆县财政局财政专户，07108220900000000017，示范银行通榆支行" in page.main
    with web_database.reading() as session:
        assert session.scalars(select(Parameter)).one().value == {
            "payee_name": "通榆县财政局财政专户",
            "account_number": "07108220900000000017",
            "bank_name": "示范银行通榆支行",
        }


def test_what_the_notice_fixes_is_not_asked(admin: Browser) -> None:
    path = "/admin/parameters/workshop_recognition/min_people"
    page = admin.get(path)
    assert "由文件规定，本地不能调整" in page.main
    assert not page.all("input", name="value")
    admin.post(path, {"value": "1"}, status=200)
