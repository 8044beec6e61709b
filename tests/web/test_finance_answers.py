"""A large answer of the bank: handed in on the page, taken over by the worker, with how far it is and what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.web.client import Browser, text_of
from tests.web.money_cases import worker
from tests.web.officer_cases import Filled
from tests.web.test_finance import answer, balance, batch_number, made, send_answer, sound
from tests.web.test_finance_notices import told
from workflows.base.clock import today
from workflows.base.session import Database
from workflows.funds import answer_uploads
from workflows.funds.batch_model import AnswerUpload

Office = Callable[[str], Browser]


@pytest.fixture
def released(office: Office, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a released batch whose answer counts as large."""
    monkeypatch.setattr(answer_uploads, "AT_ONCE", 2)
    path = made(office("caizheng.clerk"))
    office("caizheng.b").submit(f"{path}/check")
    office("caizheng.head").submit(f"{path}/release")
    return path


def test_the_page_says_how_far_the_worker_is(
    office: Office, claims: Filled, money_database: Database, released: str
) -> None:
    clerk = office("caizheng.clerk")
    assert clerk.client.get(f"{released}/answer/progress").status_code == 404
    send_answer(clerk, released, answer(money_database, 2))
    page = clerk.get(released)
    assert "正在核对银行回执" in page.main
    assert "已核对 0 / 3" in page.main
    assert "核对并导入回执" not in page.main
    assert not office("shenji").get(released).all("progress")
    state = clerk.client.get(f"{released}/answer/progress").json
    assert state == {
        "done": 0,
        "total": 3,
        "text": "正在排队，马上开始",
        "finished": False,
        "href": released,
    }
    with money_database.transaction() as session:
        session.execute(update(AnswerUpload).values(state="booking", done=1))
    later = office("caizheng.b")
    assert (
        later.client.get(f"{released}/answer/progress")
        .json["text"]
        .startswith("正在逐笔核对、入账，预计还需")
    )
    send_answer(clerk, released, b"another", 409)
    worker(money_database)
    assert clerk.client.get(f"{released}/answer/progress").json["finished"] is True
    page = clerk.get(released)
    assert "支付成功2 笔" in page.main
    assert "退票 1 笔，请更正账户后重新拨付" in told(money_database, "caizheng.clerk")[-1]
    assert balance(money_database) == (44000, 4000, 0, 2000)
    assert sound(money_database) == []


def test_what_the_worker_found_wrong_is_said_on_the_page(
    office: Office, claims: Filled, money_database: Database, released: str
) -> None:
    clerk = office("caizheng.clerk")
    good = answer(money_database)
    number = batch_number(money_database).number
    wrong = good.decode("utf-8-sig").replace(f"{number},1,1000.00", f"{number},1,999.00")
    send_answer(clerk, released, wrong.replace(f"{number},2,", f"{number},9,").encode())
    worker(money_database)
    page = clerk.get(released)
    assert "第 2 行：序号 1 的金额是 999.00 元，拨付的是 1,000.00 元。" in page.errors
    assert "第 3 行：本批次没有序号 9（共 3 笔）。" in page.errors
    assert "2 处问题，见上方" in page.main
    assert "没有导入：有 2 处" in told(money_database, "caizheng.clerk")[-1]
    assert office("shenji").get(released).errors == []
    send_answer(clerk, released, good, 422, value_date=(today() + timedelta(days=9)).isoformat())
    assert clerk.page is not None
    assert "支付日期应在拨付当天到今天之间。" in clerk.page.errors
    send_answer(clerk, released, good)
    worker(money_database)
    page = clerk.get(released)
    assert page.errors == []
    assert "已对账" in text_of(page.one("main"))
    assert sound(money_database) == []
