"""The way of the money on its pages: fund, batch, three acts, the bank's answer, a bounced payment corrected and paid again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select

from tests.web.client import Browser
from tests.web.money_cases import worker
from tests.web.officer_cases import Filled
from workflows.base.clock import today
from workflows.base.session import Database
from workflows.cases.check_money import check_money
from workflows.cases.model import Case
from workflows.cases.scenario_money import answer_of
from workflows.funds.batch_model import PaymentBatch
from workflows.funds.model import Appropriation, Balance, Payable

Office = Callable[[str], Browser]
Later = Callable[[timedelta], None]


def batch_number(database: Database, offset: int = 0) -> PaymentBatch:
    """The newest batch, or one before it."""
    with database.reading() as session:
        return session.scalars(
            select(PaymentBatch).order_by(PaymentBatch.id.desc()).offset(offset).limit(1)
        ).one()


def made(browser: Browser, **changes: Any) -> PaymentBatch:
    """The clerk makes a batch of all that may be paid; returns its address."""
    page = browser.get("/finance/batches/new")
    browser.submit("/finance/batches/new", {**page.form("making"), "make": "all", **changes})
    return browser.path


def answer(database: Database, *bounce: int) -> bytes:
    with database.reading() as session:
        batch = session.scalars(select(PaymentBatch).order_by(PaymentBatch.id.desc()).limit(1)).one()
        return answer_of(session, batch, bounce)


def sound(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return list(check_money(session))


def balance(database: Database) -> tuple[int, int, int, int]:
    """available, reserved, released, paid of the one appropriation, in 元."""
    with database.reading() as session:
        row = session.scalars(select(Balance).order_by(Balance.appropriation_id).limit(1)).one()
        return (
            row.available_fen // 100,
            row.reserved_fen // 100,
            row.released_fen // 100,
            row.paid_fen // 100,
        )


def send_answer(browser: Browser, path: str, content: bytes, status: int = 303, **more: str) -> Any:
    return browser.post(
        f"{path}/answer",
        {"file": (BytesIO(content), "回执.csv"), "value_date": today().isoformat(), **more},
        status,
        content_type="multipart/form-data",
    )


def test_the_money_goes_its_whole_way_with_a_bounce(
    office: Office, claims: Filled, money_database: Database
) -> None:
    clerk, checker, head = office("caizheng.clerk"), office("caizheng.b"), office("caizheng.head")
    page = clerk.get("/finance/batches/new")
    assert "1 个单位，1 件申请，3 笔，合计 3,000.00 元；另有 1 件现在不能拨付" in page.main
    assert "全部 3 笔生成批次" in page.main
    path = made(clerk)
    assert clerk.page is not None
    assert "由您经办，须由其他人员复核" in clerk.page.main
    clerk.refused(f"{path}/check", {"opinion": ""}, 403)

    page = checker.get(path)
    assert "金晓珊" in page.main
    assert "3,000.00 元" in page.main
    assert "****2444" in page.main
    assert "6222600260001072444" not in page.source
    checker.submit(f"{path}/check", {"opinion": "金额、账户无误。"})
    assert checker.page is not None
    assert "已复核，等待拨付" in checker.page.main
    clerk.refused(f"{path}/release", {}, 403)

    head.submit(f"{path}/release")
    assert head.page is not None
    assert "金玉堂" in head.page.main
    assert balance(money_database) == (44000, 3000, 3000, 0)
    file = clerk.client.get(f"{path}/file")
    assert file.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''ZF220822-2026-")
    assert "6222600260001072444" in file.data.decode("utf-8-sig")
    assert clerk.client.get(f"{path}/file").data == file.data

    send_answer(clerk, path, answer(money_database, 2))
    page = clerk.get(path)
    assert "支付成功" in page.main
    assert "户名不符" in page.main
    assert balance(money_database) == (44000, 4000, 0, 2000)

    page = clerk.get("/finance/bounced")
    assert "户名不符" in page.main
    with money_database.reading() as session:
        payable_id = session.scalars(select(Payable.id).where(Payable.state == "bounced")).one()
    right = {
        "payee_name": "通榆县晨曦服装加工有限公司",
        "account_number": "6222600260001072444",
        "bank_name": "示范银行通榆支行",
        "reason": "单位补交了开户许可证。",
    }
    page = clerk.refused(f"/finance/bounced/{payable_id}", {**right, "account_number": "12"})
    assert page.errors
    assert "单位补交了开户许可证。" in page.source
    clerk.submit(f"/finance/bounced/{payable_id}", right)
    assert clerk.page is not None
    assert "由您录入，须由其他人员确认" in clerk.page.main
    clerk.refused("/finance/corrections/1", {"agree": "yes"}, 403)
    assert "6222600260001072444" in checker.get("/finance/bounced").main
    checker.submit("/finance/corrections/1", {"agree": "yes"})
    assert checker.page is not None
    assert "没有退票" in checker.page.main

    retry = made(clerk)
    checker.submit(f"{retry}/check")
    head.submit(f"{retry}/release")
    send_answer(clerk, retry, answer(money_database))
    worker(money_database)
    assert balance(money_database) == (44000, 3000, 0, 3000)
    assert sound(money_database) == []
    with money_database.reading() as session:
        assert session.get_one(Case, claims.cases["ready"]).status == "paid"
    page = clerk.get("/finance/reconciliation")
    assert "逐分一致" in page.main
    assert page.main.count("已支付") >= 3


def test_a_form_sent_twice_does_one_thing_and_says_so_twice(
    office: Office, claims: Filled, money_database: Database
) -> None:
    clerk = office("caizheng.clerk")
    form = {**clerk.get("/finance/batches/new").form("making"), "make": ["all"]}
    first = clerk.post("/finance/batches/new", form)
    second = clerk.post("/finance/batches/new", form)
    assert first.headers["Location"] == second.headers["Location"]
    other = {**form, "layout": ["rural_bank_xlsx"]}
    assert "已经提交过" in clerk.refused("/finance/batches/new", other).main
    with money_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PaymentBatch)) == 1
    form["command_key"] = ["another"]
    assert "有了变化" in clerk.refused("/finance/batches/new", form, 409).main


def test_a_batch_is_returned_with_a_reason_and_voided(
    office: Office, claims: Filled, money_database: Database
) -> None:
    clerk, checker = office("caizheng.clerk"), office("caizheng.b")
    path = made(clerk)
    page = checker.refused(f"{path}/return", {"opinion": " "})
    assert page.errors == ["请写明哪里不对，经办人员据此重做。"]
    page = checker.submit(f"{path}/return", {"opinion": "开户行填写不全。"})
    assert "开户行填写不全。" in page.main
    assert "复核退回" in page.main
    checker.refused(f"{path}/check", {}, 409)
    second = made(clerk)
    assert second != path
    page = clerk.submit(f"{second}/cancel")
    assert "已作废" in page.main
    page = clerk.get("/finance/batches?state=cancelled")
    assert batch_number(money_database).number in page.main
    assert batch_number(money_database, 1).number not in page.main
    assert "没有这个状态的批次" in clerk.get("/finance/batches?state=settled").main
    assert clerk.client.get(f"{second}/file").status_code == 404
    assert sound(money_database) == []


def test_a_bad_answer_is_refused_whole_with_every_problem(
    office: Office, claims: Filled, money_database: Database
) -> None:
    clerk, checker, head = office("caizheng.clerk"), office("caizheng.b"), office("caizheng.head")
    path = made(clerk)
    checker.submit(f"{path}/check")
    head.submit(f"{path}/release")
    good = answer(money_database)
    text = good.decode("utf-8-sig")
    number = batch_number(money_database).number
    wrong = text.replace(f"{number},1,1000.00", f"{number},1,999.00").replace(f"{number},2,", f"{number},9,")
    send_answer(clerk, path, wrong.encode(), 422)
    assert clerk.page is not None
    assert "第 2 行：序号 1 的金额是 999.00 元，拨付的是 1,000.00 元。" in clerk.page.errors
    assert "第 3 行：本批次没有序号 9（共 3 笔）。" in clerk.page.errors
    for content, said in (
        (b"", "请选择银行回执文件"),
        (text.splitlines()[0].encode(), ""),
        ("\r\n".join(text.splitlines()[:2]).encode(), "回执少了 2 笔"),
        (text.replace(number, "ZF1").encode(), "不是本批次"),
        (b"\x00\x01nothing", ""),
    ):
        send_answer(clerk, path, content, 422)
        assert said in clerk.page.main
    send_answer(clerk, path, good, 422, value_date="2026-01-01")
    assert "支付日期应在拨付当天到今天之间。" in clerk.page.errors
    assert clerk.page.form("answer")["value_date"] == ["2026-01-01"]
    send_answer(clerk, path, good, 422, value_date="不知道")
    assert balance(money_database)[2] == 3000
    send_answer(clerk, path, good)
    send_answer(clerk, path, good, 409)
    assert "导入过" in clerk.page.main
    assert sound(money_database) == []


def test_a_fund_is_entered_changed_and_carried_over(office: Office, money_database: Database) -> None:
    clerk = office("caizheng.clerk")
    assert clerk.get("/finance/funds/new").title == "登记资金"
    given = {
        "year": "2025",
        "source": "rural_revitalisation",
        "document_number": "吉财农〔2025〕9号",
        "title": "",
        "amount": "20000",
        "processes": "one_time_reward",
        "received_on": "2025-06-01",
        "enabled_from": "2025-06-01",
        "enabled_basis": "县政府常务会议纪要〔2025〕5号",
        "command_key": "one",
    }
    page = clerk.refused("/finance/funds/new", {**given, "amount": "-5", "received_on": "2027-01-01"})
    assert len(page.errors) == 2
    assert "吉财农〔2025〕9号" in page.source
    first = clerk.post("/finance/funds/new", given)
    assert clerk.post("/finance/funds/new", given).headers["Location"] == first.headers["Location"]
    path = first.headers["Location"]
    page = clerk.refused("/finance/funds/new", {**given, "command_key": "two"})
    assert "已经登记过" in page.errors[0]
    page = clerk.get(path)
    assert "20,000.00 元" in page.main
    assert "下达来源 → 可用" in page.main
    page = clerk.refused(f"{path}/amount", {"amount": "20000", "memo": "追加"})
    assert page.errors == ["新的金额与现在的相同。"]
    assert "25,000.00" in clerk.submit(f"{path}/amount", {"amount": "25000", "memo": "追加文件"}).main
    assert clerk.refused(f"{path}/carry", {"to": "", "memo": "结转"}).errors
    with money_database.reading() as session:
        target = session.scalars(select(Appropriation).where(Appropriation.year == 2026)).one()
    page = clerk.submit(f"{path}/carry", {"to": str(target.id), "memo": "结转文件"})
    assert "结转转入" in page.main
    clerk.refused(f"{path}/carry", {"to": str(target.id), "memo": "结转文件"}, 409)
    clerk.refused(f"/finance/funds/{target.id}/amount", {"amount": "1000", "memo": "调减"}, 409)
    assert sound(money_database) == []


def test_the_overview_says_how_money_stands_and_what_is_short(
    office: Office, claims: Filled, money_database: Database, later: Later
) -> None:
    clerk = office("caizheng.clerk")
    page = clerk.get("/finance")
    assert "50,000.00 元" in page.main
    assert "待拨付的款项 3 笔" in page.main
    assert "在办申请的资金需求" in page.main
    assert "3,000.00" in page.main
    assert "缺" not in page.main
    with money_database.reading() as session:
        fund_id = session.scalars(select(Appropriation.id)).one()
    clerk.submit(f"/finance/funds/{fund_id}/amount", {"amount": "7000", "memo": "调减"})
    page = clerk.get("/finance")
    assert "在办申请预计需要的资金超过可用余额，缺 2,000.00 元" in page.main
    later(timedelta(days=200))
    page = office("caizheng.b").get("/finance")
    assert "有资金闲置超过 180 天" in page.main
    assert "慢于时间进度" in page.main
    sheet = openpyxl.load_workbook(
        BytesIO(office("caizheng.head").client.get("/finance/overview.xlsx").data)
    ).active
    assert [sheet.cell(2, 7).value, sheet.cell(2, 11).value] == [7000, 1000]
    assert sheet.cell(2, 1).value == "通榆县"


@pytest.mark.tampers
def test_reconciliation_lists_rows_says_what_is_late_and_what_disagrees(
    office: Office, claims: Filled, money_database: Database, later: Later
) -> None:
    clerk, checker, head = office("caizheng.clerk"), office("caizheng.b"), office("caizheng.head")
    assert "还没有支付明细" in clerk.get("/finance/reconciliation").main
    path = made(clerk)
    checker.submit(f"{path}/check")
    head.submit(f"{path}/release")
    page = clerk.get("/finance/reconciliation")
    assert "等待银行回执" in page.main
    assert "银行回执超期" not in page.main
    later(timedelta(days=7))
    clerk = office("caizheng.clerk")
    page = clerk.get("/finance/reconciliation")
    assert "银行回执超期，共 1 个批次" in page.main
    assert "（1 个超期）" in clerk.get("/finance").main
    assert "没有符合条件的明细" in clerk.get("/finance/reconciliation?batch=none").main
    number = batch_number(money_database).number
    book = openpyxl.load_workbook(
        BytesIO(clerk.client.get(f"/finance/reconciliation.xlsx?batch={number}&state=waiting").data)
    ).active
    assert book.max_row == 4
    assert book.cell(2, 7).value == "****2444"
    with money_database.transaction() as session:
        session.scalars(select(Balance)).one().available_fen -= 1
    assert "批次和分录不一致" in clerk.get("/finance/reconciliation").main


def test_a_batch_with_somebody_taken_out_says_which_line_stops_it(
    office: Office, claims: Filled, money_database: Database
) -> None:
    path = made(office("caizheng.clerk"))
    with money_database.reading() as session:
        row = session.scalars(select(Payable.row_id).order_by(Payable.id)).first()
    removal = f"/cases/{claims.numbers['ready']}/rows/{row}/remove"
    office("renshe.a").submit(removal, {"reason": "本人说明已离岗"})
    checker, head = office("caizheng.b"), office("caizheng.head")
    assert "这笔已剔除或者释放，批次须作废后重新生成" in checker.get(path).main
    checker.submit(f"{path}/check")
    assert "有 1 笔已被停止或者释放" in head.refused(f"{path}/release", {}, 409).main
    head.submit(f"{path}/cancel")
    made(office("caizheng.clerk"))
    assert batch_number(money_database).line_count == 2
    assert sound(money_database) == []


def test_a_correction_is_refused_and_entered_again(office: Office, money_database: Database) -> None:
    clerk, checker, head = office("caizheng.clerk"), office("caizheng.b"), office("caizheng.head")
    path = made(clerk)
    checker.submit(f"{path}/check")
    head.submit(f"{path}/release")
    send_answer(clerk, path, answer(money_database, 1))
    with money_database.reading() as session:
        payable = session.scalars(select(Payable.id).where(Payable.state == "bounced")).one()
    right = {
        "payee_name": "某某公司",
        "account_number": "6222600260001072444",
        "bank_name": "示范银行",
        "reason": "单位来电",
    }
    clerk.submit(f"/finance/bounced/{payable}", right)
    assert "****2444" in office("renshe.a").get("/finance/bounced").main
    assert right["account_number"] not in office("renshe.a").get("/finance/bounced").source
    page = checker.submit("/finance/corrections/1", {"agree": "no"})
    assert "已否决更正" in page.main
    checker.refused("/finance/corrections/1", {"agree": "yes"}, 409)
    checker.refused("/finance/corrections/9", {"agree": "yes"}, 404)
    clerk.submit(f"/finance/bounced/{payable}", right)
    clerk.get("/finance/bounced/9999", 404)
