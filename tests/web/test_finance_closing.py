"""Enabling, giving back and closing an appropriation on its pages."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from tests.web.client import Browser
from tests.web.officer_cases import Filled
from tests.web.test_finance import sound
from workflows.base.session import Database
from workflows.funds.model import Appropriation

Office = Callable[[str], Browser]
GIVEN = {
    "year": "2026",
    "source": "rural_revitalisation",
    "document_number": "吉财农〔2026〕9号",
    "title": "",
    "amount": "20000",
    "processes": "one_time_reward",
    "received_on": "2026-03-02",
    "enabled_from": "",
    "enabled_basis": "",
}


def entered(browser: Browser, **changes: str) -> str:
    """An appropriation entered on its page; returns its address."""
    return browser.post("/finance/funds/new", {**GIVEN, **changes}).headers["Location"]


def test_money_is_entered_first_and_enabled_when_the_county_decides(
    office: Office, money_database: Database
) -> None:
    clerk = office("caizheng.clerk")
    page = clerk.refused("/finance/funds/new", {**GIVEN, "enabled_from": "2026-03-03"})
    assert "请填写启用的依据" in page.errors[0]
    path = entered(clerk)
    page = clerk.get(path)
    assert "还没有启用" in page.main
    assert "还没有启用" in clerk.get("/finance").main
    page = clerk.refused(f"{path}/enable", {"day": "2026-03-01", "memo": ""})
    assert page.errors == ["没有填写：请填写启用的依据"]
    page = clerk.refused(f"{path}/enable", {"day": "2026-03-01", "memo": "常务会议纪要〔2026〕5号"})
    assert page.errors == ["启用日期不能早于下达日期。"]
    assert "常务会议纪要〔2026〕5号" in page.source
    page = clerk.submit(f"{path}/enable", {"day": "2026-04-30", "memo": "常务会议纪要〔2026〕5号"})
    assert "4月30日起启用" in page.main
    assert "改启用日期" in page.links()
    page = clerk.submit(f"{path}/enable", {"day": "2026-03-10", "memo": "常务会议纪要〔2026〕6号"})
    assert "2026年3月10日起，常务会议纪要〔2026〕6号" in page.main
    assert "启用" not in page.links()
    clerk.refused(f"{path}/enable", {"day": "2026-03-10", "memo": "再次"}, 409)
    assert sound(money_database) == []


def test_money_is_carried_to_what_there_is_and_nowhere_else(office: Office) -> None:
    clerk = office("caizheng.clerk")
    path = entered(clerk, source="local", document_number="吉财农〔2026〕77号")
    memo = {"memo": "吉财农〔2026〕30号"}
    for to in ("", "2", "default", "999999999999999999999"):
        page = clerk.refused(f"{path}/carry", {**memo, "to": to})
        assert "转入哪一笔资金" in page.errors[0] or "没有可以选的" in page.errors[0]


def test_an_appropriation_is_closed_once_nothing_is_bound(
    office: Office, claims: Filled, money_database: Database
) -> None:
    clerk = office("caizheng.clerk")
    with money_database.reading() as session:
        bound = session.scalars(select(Appropriation.id)).one()
    memo = {"memo": "2026年度清理结余，通财发〔2027〕1号"}
    page = clerk.refused(f"/finance/funds/{bound}/close", {**memo, "rest": "give_back"}, 409)
    assert "还有 6,000.00 元预占" in page.main
    path = entered(clerk)
    other = entered(clerk, document_number="吉财农〔2026〕10号", year="2027")
    page = clerk.get(f"{path}/close")
    assert "可用余额怎么处理 可用余额 20,000.00 元。" in page.main
    assert "结转到：2027年" in page.main
    assert len(clerk.refused(f"{path}/close", {"memo": "", "rest": ""}).errors) == 2
    page = clerk.submit(f"{path}/close", {**memo, "rest": other.rpartition("/")[2]})
    assert "资金已关闭，结转 20,000.00 元" in page.main
    assert "2026年度清理结余，通财发〔2027〕1号" in page.main
    assert not {"启用", "调整金额", "结转", "登记上级收回", "关闭"} & set(page.links())
    assert "已关闭" in clerk.get("/finance").main
    page = clerk.get(f"{other}/give-back")
    assert "登记收回 40,000.00 元" in page.main
    assert clerk.refused(f"{other}/give-back", {"memo": ""}).errors
    assert "可用 → 下达来源" in clerk.submit(f"{other}/give-back", memo).main
    page = clerk.get(f"{other}/close")
    assert "怎么处理" not in page.main
    assert "资金已关闭。" in clerk.submit(f"{other}/close", memo).main
    assert sound(money_database) == []
