"""Whoever has to act next on money is told in the application, and finds the way from there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, select

from tests.web.client import Browser, Page, text_of
from tests.web.money_cases import worker
from tests.web.officer_cases import Filled
from tests.web.test_finance import answer, made, send_answer
from workflows.base.clock import today
from workflows.base.session import Database
from workflows.cases.model import Notice
from workflows.cases.money_notices import notify_money
from workflows.funds.model import Payable
from workflows.organisations.model import Assignment, User

Office = Callable[[str], Browser]
RIGHT = {
    "payee_name": "通榆县晨曦服装加工有限公司",
    "account_number": "6222600260001072444",
    "bank_name": "示范银行通榆支行",
    "reason": "单位补交了开户许可证。",
}


def told(database: Database, username: str) -> list[str]:
    """What somebody has been told of money, the oldest first."""
    worker(database)
    with database.reading() as session:
        return list(
            session.scalars(
                select(Notice.text)
                .join(User, User.id == Notice.user_id)
                .where(User.username == username, Notice.about != "")
                .order_by(Notice.id)
            )
        )


def follow_newest(browser: Browser) -> Page:
    """The newest notice leads to where one acts."""
    page = browser.get("/notices")
    path = page.one("ul", class_="wg-notice-list").find("li/form").get("action")  # type: ignore[union-attr]  # it is there
    return browser.submit(str(path))


def menu(browser: Browser) -> str:
    return text_of(browser.get("/cases").one("nav", aria_label="主菜单"))


def test_each_act_tells_who_is_next(office: Office, claims: Filled, money_database: Database) -> None:
    clerk, checker, head = office("caizheng.clerk"), office("caizheng.b"), office("caizheng.head")
    assert "资金1" in menu(clerk)  # three people are ready: one batch to be made
    path = made(clerk)
    assert told(money_database, "caizheng.clerk") == []
    for username in ("caizheng.b", "caizheng.head"):
        (said,) = told(money_database, username)
        assert "（3 笔，3,000.00 元）已生成，等待复核。" in said
    assert "资金1" in menu(checker)
    assert "资金1" not in menu(clerk)
    assert "复核" in follow_newest(checker).main
    assert checker.path.endswith(path)

    checker.submit(f"{path}/return", {"opinion": "开户行填写不全。"})
    assert "复核退回，款项已回到待拨付" in told(money_database, "caizheng.clerk")[-1]
    path = made(clerk)
    checker.submit(f"{path}/check")
    assert "已复核，等待拨付" in told(money_database, "caizheng.head")[-1]
    assert "已复核" not in told(money_database, "caizheng.b")[-1]
    head.submit(f"{path}/release")
    assert "已拨付。请下载银行文件交银行" in told(money_database, "caizheng.clerk")[-1]
    send_answer(checker, path, answer(money_database, 2))
    said = told(money_database, "caizheng.clerk")[-1]
    assert "支付成功 2 笔，退票 1 笔，请更正账户后重新拨付" in said
    assert follow_newest(clerk).title == "退票更正"
    assert "资金1" in menu(clerk)

    with money_database.reading() as session:
        payable = session.scalars(select(Payable.id).where(Payable.state == "bounced")).one()
    clerk.submit(f"/finance/bounced/{payable}", RIGHT)
    assert "账户更正，等待您确认" in told(money_database, "caizheng.b")[-1]
    checker.submit("/finance/corrections/1", {"agree": "no"})
    assert "更正被否决" in told(money_database, "caizheng.clerk")[-1]
    clerk.submit(f"/finance/bounced/{payable}", RIGHT)
    checker.submit("/finance/corrections/2", {"agree": "yes"})
    assert "可以重新生成批次" in told(money_database, "caizheng.clerk")[-1]
    assert told(money_database, "renshe.a") == told(money_database, "taonan.caizheng") == []


def test_a_recovery_tells_who_is_next(office: Office, claims: Filled, money_database: Database) -> None:
    path = made(office("caizheng.clerk"))
    office("caizheng.b").submit(f"{path}/check")
    office("caizheng.head").submit(f"{path}/release")
    send_answer(office("caizheng.clerk"), path, answer(money_database))
    # he imported it himself and nothing came back: there is nothing to be told
    assert told(money_database, "caizheng.clerk") == []
    with money_database.reading() as session:
        payable = session.scalars(select(Payable.id).where(Payable.state == "paid")).first()
    officer = office("renshe.a")
    due = (today() + timedelta(days=30)).isoformat()
    given = {"reason": "未实际用工。", "grounds": "不符合奖补条件。", "due_on": due}
    officer.submit(f"/finance/payables/{payable}/recover", given)
    assert "资金1" in menu(officer)
    worker(money_database)
    officer.submit("/finance/recoveries/1/demand")
    assert "资金1" not in menu(officer)
    assert "已送达通知书，款项退回后请登记收回" in told(money_database, "caizheng.b")[-1]
    finance = office("caizheng.b")
    assert follow_newest(finance).title == "追回"
    finance.submit("/finance/recoveries/1/receive", {"on": today().isoformat(), "voucher": "收字第1号"})
    assert "追回款 1,000.00 元已收回" in told(money_database, "renshe.a")[-1]


def test_nobody_is_told_of_what_is_past_or_twice(
    office: Office, claims: Filled, money_database: Database
) -> None:
    path = made(office("caizheng.clerk"))
    office("caizheng.b").submit(f"{path}/check")
    # the worker comes late: of the check that has been done nobody is told any more
    assert ["已复核" in said for said in told(money_database, "caizheng.head")] == [True]
    with money_database.transaction() as session:
        for what in ("batch-made", "batch-returned", "batch-released", "batch-answered", "batch-checked"):
            assert notify_money(session, what, 1) == 0
        for what in ("correction-entered", "recovery-demanded", "recovery-received"):
            assert notify_money(session, what, 99) == 0


def test_in_an_office_of_two_whoever_checked_is_told_to_release(
    office: Office, claims: Filled, money_database: Database
) -> None:
    with money_database.transaction() as session:
        head = session.scalars(select(User.id).where(User.username == "caizheng.head")).one()
        session.execute(delete(Assignment).where(Assignment.user_id == head))
    path = made(office("caizheng.clerk"))
    office("caizheng.b").submit(f"{path}/check")
    assert "已复核，等待拨付" in told(money_database, "caizheng.b")[-1]
