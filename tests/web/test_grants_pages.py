"""The register of grants on its pages, the payments of a case, 剔除, and 追回."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import openpyxl
import pytest
from sqlalchemy import delete, func, select

from tests.factories import workbook
from tests.web.client import Browser, text_of
from tests.web.money_cases import worker
from tests.web.officer_cases import Filled
from tests.web.test_finance import answer, balance, made, send_answer, sound
from workflows.audit.model import Event
from workflows.base.clock import today
from workflows.base.parameters import Parameter
from workflows.base.session import Database
from workflows.cases.officer_views import policy_titles
from workflows.cases.roster_model import RosterRow
from workflows.documents.model import IssuedDocument
from workflows.funds.model import Payable, Recovery
from workflows.registers.grant_model import Grant, GrantLookup

Office = Callable[[str], Browser]

HEADINGS = ["姓名", "身份证号", "补贴名称", "单位名称", "统一社会信用代码", "金额", "发放日期", "发放文号"]
ROW = [
    "张三",
    "110101199003072316",
    "就业帮扶车间一次性奖补",
    "某某公司",
    "91220822MA0Y2LKX58",
    "1000.00",
    "2024-06-30",
    "通人社发〔2024〕8号",
]


def someone(database: Database) -> tuple[str, str]:
    """Name and number of a person whose money is reserved."""
    with database.reading() as session:
        row = session.scalars(
            select(RosterRow).join(Payable, Payable.row_id == RosterRow.id).order_by(Payable.id)
        ).first()
        assert row is not None
        return row.values["name"], row.values["id_number"]


def test_every_policy_has_a_name_a_person_can_read(money_database: Database, claims: Filled) -> None:
    with money_database.reading() as session:
        titles = policy_titles(session)
    assert titles["workshop_reward"] == "就业帮扶车间一次性奖补"
    assert titles["absorption_subsidy"] == "一次性吸纳就业补贴"
    assert titles["labour_pay"] == "以工代赈劳务报酬发放"


def test_a_lookup_needs_a_reason_and_is_kept(
    office: Office, claims: Filled, money_database: Database
) -> None:
    name, number = someone(money_database)
    officer = office("renshe.a")
    page = officer.refused("/officer/grants", {"id_number": number, "reason": " "})
    assert page.errors
    assert number in page.source
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    page = officer.refused("/officer/grants", {"id_number": wrong, "reason": "核对"})
    assert "校验不通过" in page.errors[0]
    given = {"id_number": number, "reason": "审核时核对是否重复享受"}
    officer.post("/officer/grants", given, 200)
    assert officer.page is not None
    main = officer.page.main
    assert f"{name} {number}" in main
    assert "已审定" in main
    assert claims.numbers["ready"] in main
    with money_database.reading() as session:
        kept = session.scalars(select(GrantLookup)).one()
        assert (kept.reason, kept.found) == ("审核时核对是否重复享受", 1)
        event = session.scalars(select(Event).where(Event.kind == "grants-looked-up")).one()
        assert event.stream == "grants:220822"
        assert event.payload == {"found": 1}
    assert "查询奖补登记" in office("shenji").get("/audit/events?kind=grants-looked-up").main
    assert "查询奖补登记" not in text_of(
        office("taonan.shenji").get("/audit/events?kind=grants-looked-up").one("table")
    )


def test_nobody_known_and_whoever_may_not_ask(office: Office, money_database: Database) -> None:
    auditor = office("shenji")
    auditor.post("/officer/grants", {"id_number": ROW[1], "reason": "审计抽查"}, 200)
    assert auditor.page is not None
    assert "系统里没有这个身份证号的人员" in auditor.page.main
    office("shifan.clerk").get("/officer/grants", 403)
    office("shifan.clerk").refused("/officer/grants", {"id_number": ROW[1], "reason": "好奇"}, 403)
    for username in ("caizheng.b", "xiangcun.a"):
        office(username).get("/officer/grants")
        office(username).get("/officer/grants/import", 403)
    with money_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(GrantLookup)) == 1


def test_earlier_payments_are_imported_whole_or_not_at_all(office: Office, money_database: Database) -> None:
    officer = office("renshe.a")
    path = "/officer/grants/import"
    book = openpyxl.load_workbook(BytesIO(officer.client.get("/officer/grants/template").data))
    assert "发放记录" in book.sheetnames

    def send(content: bytes, status: int) -> None:
        officer.post(
            path, {"file": (BytesIO(content), "发放记录.xlsx")}, status, content_type="multipart/form-data"
        )

    officer.get(path)
    send(b"", 422)
    send(b"MZ nothing", 422)
    bad = workbook(HEADINGS, ROW, [*ROW[:1], "123", *ROW[2:5], "零元", *ROW[6:]], sheet="发放记录")
    send(bad, 422)
    assert officer.page is not None
    assert len(officer.page.errors) == 2
    with money_database.reading() as session:
        before = session.scalar(select(func.count()).select_from(Grant))
    send(workbook(HEADINGS, ROW, sheet="发放记录"), 303)
    assert "已登记 1 条" in officer.get("/officer/grants").main
    send(workbook(HEADINGS, ROW, sheet="发放记录"), 303)
    assert "1 条登记里已经有" in officer.get("/officer/grants").main
    with money_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Grant)) == (before or 0) + 1
    officer.post("/officer/grants", {"id_number": ROW[1], "reason": "核对导入"}, 200)
    for text in ("某某公司", "1,000.00", "2024年6月30日", "通人社发〔2024〕8号", "已发放"):
        assert text in officer.page.main


def test_a_case_shows_its_payments_and_a_person_is_taken_out(
    office: Office, claims: Filled, money_database: Database
) -> None:
    number = claims.numbers["ready"]
    path = f"/cases/{number}"
    name, _ = someone(money_database)
    officer = office("renshe.a")
    page = officer.get(path)
    assert "3 人，合计 3,000.00 元" in page.main
    assert "剔除" in page.main
    assert "剔除" not in text_of(office("caizheng.b").get(path).one("section", id="payments"))
    assert "3 人，合计 3,000.00 元" in office("qiye1").get(f"/employer/cases/{number}").main
    with money_database.reading() as session:
        row = session.scalars(select(Payable.row_id).order_by(Payable.id)).first()
        other = session.scalars(
            select(Payable.row_id).where(Payable.case_id == claims.cases["shown"])
        ).first()
    office("caizheng.b").get(f"{path}/rows/{row}/remove", 403)
    officer.get(f"{path}/rows/{other}/remove", 404)
    assert name in officer.get(f"{path}/rows/{row}/remove").main
    assert officer.refused(f"{path}/rows/{row}/remove", {"reason": ""}).errors
    page = officer.submit(f"{path}/rows/{row}/remove", {"reason": "本人说明已离岗"})
    assert "2 人，合计 2,000.00 元" in page.main
    officer.refused(f"{path}/rows/{row}/remove", {"reason": "本人说明已离岗"}, 409)
    assert balance(money_database) == (45000, 5000, 0, 0)
    assert sound(money_database) == []


@pytest.fixture
def paid(office: Office, money_database: Database) -> int:
    """One of three payments that the bank has made."""
    path = made(office("caizheng.clerk"))
    office("caizheng.b").submit(f"{path}/check")
    office("caizheng.head").submit(f"{path}/release")
    send_answer(office("caizheng.clerk"), path, answer(money_database))
    with money_database.reading() as session:
        found = session.scalars(select(Payable.id).where(Payable.state == "paid")).first()
    assert found is not None
    return found


def test_a_payment_is_taken_back(office: Office, claims: Filled, money_database: Database, paid: int) -> None:
    officer, finance = office("renshe.a"), office("caizheng.b")
    page = officer.get(f"/cases/{claims.numbers['ready']}")
    assert "决定追回" in page.main
    path = f"/finance/payables/{paid}/recover"
    finance.get(path, 403)
    page = officer.get(path)
    assert "1,000.00 元（人民币壹仟元整）" in page.main
    assert "通榆县财政局财政专户（演示，虚构），07108220900000000017" in page.main
    given = {
        "reason": "核查发现未实际用工。",
        "grounds": "不符合奖补条件。",
        "due_on": (today() + timedelta(days=30)).isoformat(),
    }
    page = officer.refused(path, {**given, "due_on": today().isoformat()})
    assert page.errors == ["退回期限应晚于今天。"]
    assert "核查发现未实际用工。" in page.source
    assert "不符合奖补条件。" in page.source
    assert len(officer.refused(path, {"reason": "", "grounds": " ", "due_on": ""}).errors) == 3
    page = officer.submit(path, given)
    assert "核查发现未实际用工。" in page.main
    assert "追回通知书 通榆人社奖补追〔2026〕1号，正在签章" in page.main
    officer.refused(path, given, 409)
    with money_database.reading() as session:
        found = session.scalars(select(Recovery)).one()
        row, letter = found.id, found.document_id
    assert "正在签章" in officer.refused(f"/finance/recoveries/{row}/demand", {}, 409).main
    worker(money_database)
    for username in ("caizheng.b", "qiye1", "renshe.a"):
        assert office(username).fetch(f"/documents/{letter}/pdf").data.startswith(b"%PDF")
    for username in ("qiye3", "taonan.caizheng"):
        assert office(username).fetch(f"/documents/{letter}/pdf").status_code in (403, 404)
    assert (
        "追回一次性奖补资金通知书" in office("qiye1").get(f"/employer/cases/{claims.numbers['ready']}").main
    )
    assert "文书“追回一次性奖补资金通知书”已生成" in office("qiye1").get("/notices").main
    finance.refused(f"/finance/recoveries/{row}/demand", {}, 403)
    receive = f"/finance/recoveries/{row}/receive"
    given = {"on": today().isoformat(), "voucher": "收字第1号"}
    finance.refused(receive, given, 409)
    officer.submit(f"/finance/recoveries/{row}/demand")
    officer.get(receive, 403)
    assert "追回，待登记收回 1 笔" in finance.get("/finance").main
    assert finance.refused(receive, {**given, "voucher": ""}).errors
    page = finance.submit(receive, given)
    assert "收字第1号" in page.main
    assert "没有这个状态的追回" in finance.get("/finance/recoveries?state=cancelled").main
    assert balance(money_database)[3] == 2000
    assert "已追回" in finance.get("/finance/reconciliation").main
    assert sound(money_database) == []


def test_no_recovery_without_an_account_to_pay_to(
    office: Office, money_database: Database, paid: int
) -> None:
    with money_database.transaction() as session:
        session.execute(delete(Parameter).where(Parameter.key == "recovery_account"))
    officer = office("renshe.a")
    path = f"/finance/payables/{paid}/recover"
    assert "本县还没有登记收款账户" in officer.get(path).main
    given = {
        "reason": "核查发现未实际用工。",
        "grounds": "不符合奖补条件。",
        "due_on": (today() + timedelta(days=30)).isoformat(),
    }
    page = officer.refused(path, given)
    assert "没有作出决定" in page.errors[0]
    assert "核查发现未实际用工。" in page.source
    with money_database.reading() as session:
        assert session.scalars(select(Recovery)).all() == []
    assert sound(money_database) == []


def test_a_recovery_that_does_not_hold_is_cancelled(
    office: Office, claims: Filled, money_database: Database, paid: int
) -> None:
    officer = office("renshe.a")
    due = (today() + timedelta(days=30)).isoformat()
    given = {"reason": "有人反映。", "grounds": "不符合奖补条件。", "due_on": due}
    officer.submit(f"/finance/payables/{paid}/recover", given)
    worker(money_database)
    office("caizheng.b").refused("/finance/recoveries/1/cancel", {}, 403)
    page = officer.submit("/finance/recoveries/1/cancel")
    assert "追回已撤销" in page.main
    assert "追回通知书 通榆人社奖补追〔2026〕1号，已失效" in page.main
    with money_database.reading() as session:
        token = session.scalars(
            select(IssuedDocument.token).where(IssuedDocument.name == "recovery_letter")
        ).one()
    assert "已撤销" in office("qiye1").get(f"/v/{token}").main
    officer.refused("/finance/recoveries/1/demand", {}, 409)
    officer.submit(f"/finance/payables/{paid}/recover", {**given, "reason": "再次核查属实。"})
    officer.refused("/finance/recoveries/9/demand", {}, 404)
    assert balance(money_database)[3] == 3000
    assert sound(money_database) == []
