"""The money in a browser: from a fund that the county enables and a roster that is uploaded to a batch that is reconciled.

One person was paid by another unit before and is held until 人社 and 财政 both say why not; one payment bounces, its
account is corrected by one and confirmed by another. 经办, 复核 and 拨付 are three people at pages of their own. Every page
on the way is looked at: accessible (axe-core), and no wider than the desk's and the phone's screen.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.browser import rosters
from tests.browser.house import House
from tests.browser.pages import employer as paper
from tests.browser.pages.employer import Application
from tests.browser.pages.finance import Treasury, bank_says
from tests.browser.pages.officer import Officer
from tests.browser.pages.person import Person
from workflows.cases.check_money import check_money
from workflows.organisations.actors import SYSTEM
from workflows.organisations.settings import set_parameter
from workflows.registers import workshops
from workflows.registers.demo_county import load
from workflows.registers.past_grants import PastGrant, enter

pytestmark = pytest.mark.browser

Enter = Callable[..., Person]
PEOPLE = 4


def test_from_a_roster_to_a_reconciled_batch(
    house: House, person: Enter, files: dict[str, Path], tmp_path: Path
) -> None:
    people = rosters.claimants(house.database, 60, PEOPLE)
    held = people[1]
    before(house, held)
    fund(person)
    number = claim(house, person, people, files, tmp_path)
    review(house, person, number, held["姓名"])
    approve(house, person, number)
    publicise(house, person)
    pay(house, person, tmp_path)
    correct(house, person)
    pay_again(house, person, tmp_path)
    reconcile(house, person, number)
    recover(house, person, number)


def before(house: House, held: dict[str, str]) -> None:
    """What the county has when the story begins: a recognised workshop, an earlier payment of another unit, and an
    office meeting for claims above 3000 元."""
    with house.database.transaction() as session:
        county = load(session, demonstration=True)
        unit, other = county.employers[1], county.employers[2]
        workshops.register(
            session,
            workshops.WorkshopData(
                employer_id=unit.id,
                name="晨曦服装加工帮扶车间",
                mode="factory",
                number="通人社就帮认〔2025〕1号",
                address=unit.address,
                division_code=unit.division_code,
                worker_count=PEOPLE,
                recognised_on=date(2025, 8, 1),
                review_due=date(2026, 8, 1),
            ),
            actor_id=None,
        )
        earlier = PastGrant(
            held["身份证号"],
            held["姓名"],
            "workshop_reward",
            other.name,
            other.credit_code,
            100_000,
            date(2024, 6, 30),
            "通人社发〔2024〕8号",
        )
        enter(session, SYSTEM, [earlier], county_code=county.county_code)
        set_parameter(
            session,
            SYSTEM,
            process="one_time_reward",
            key="meeting_over_fen",
            division_code=county.county_code,
            value=300_000,
            basis="局党组会议制度",
            valid_from=date(2026, 3, 1),
        )


def fund(person: Enter) -> None:
    """财政 enters what was appropriated, and enables it once the county has decided."""
    clerk = person("caizheng.clerk")
    treasury = Treasury(clerk)
    treasury.open()
    clerk.look("m01-money-empty")
    treasury.enter_fund("吉财农〔2026〕12号", "50000")
    clerk.look("m02-fund-new")
    clerk.press("登记并下达")
    clerk.sees("还没有启用")
    clerk.look("m03-fund-entered")
    treasury.enable("2026-03-02", "通榆县政府常务会议纪要〔2026〕5号")
    clerk.look("m04-fund-enable")
    clerk.press("启用这笔资金")
    clerk.sees("通榆县政府常务会议纪要〔2026〕5号")
    clerk.look("m05-fund-enabled")


def claim(
    house: House, person: Enter, people: list[dict[str, str]], files: dict[str, Path], folder: Path
) -> str:
    """The employer claims for four people."""
    clerk = person("qiye1")
    clerk.go("/")
    clerk.follow("申报一次性奖补")
    clerk.look("m06-claim-start")
    clerk.press("开始填写")
    form = Application(clerk)
    form.open_section("单位和车间")
    paper.section_unit(clerk)
    form.next()
    paper.section_claim(clerk, PEOPLE)
    form.next()
    paper.section_account(clerk)
    form.next()
    paper.section_promises(clerk)
    form.next()
    clerk.sees_title("花名册")
    template = form.download("下载花名册模板", folder / "奖补模板.xlsx")
    form.upload_roster(rosters.fill_template(template, people, folder / "奖补花名册.xlsx"))
    house.work()
    clerk.sees("花名册填写正确")
    clerk.sees("暂缓")
    clerk.look("m07-claim-roster")
    clerk.follow("下一步：材料")
    form.upload_materials(files, paper.CLAIM_MATERIALS)
    form.next()
    clerk.sees_title("检查并提交")
    clerk.look("m08-claim-check")
    clerk.press("确认无误，提交")
    clerk.sees("已提交")
    return clerk.page.locator(".wg-confirmation-number strong").inner_text()


def review(house: House, person: Enter, number: str, held: str) -> None:
    """The township, 人社 and 乡村振兴 agree; 人社 and 财政 each say why the held person may be paid."""
    house.work()
    township = person("shifan.clerk")
    Officer(township).open(number)
    township.write("核实日期", "2026-03-02")
    township.choose("已向谁核实", "务工人员本人", "到车间查看")
    Officer(township).outcome("核实属实，送人社局、乡村振兴局")
    Officer(township).rest_agreed()
    Officer(township).decide()
    hrss = person("renshe.a")
    Officer(hrss).open(number)
    hrss.sees("暂缓")
    Officer(hrss).lift(held, "前一单位已停产，本人在那里没有实际务工")
    hrss.look("m09-hrss-review")
    hrss.write("核对合同（协议）份数", str(PEOPLE))
    hrss.choose("工资核对方式", "银行流水")
    Officer(hrss).outcome("初审通过")
    Officer(hrss).rest_agreed()
    Officer(hrss).decide()
    rural = person("xiangcun.a")
    Officer(rural).open(number)
    rural.write("核对依据", "全国防返贫监测信息系统，2026年3月导出")
    Officer(rural).outcome("核验通过")
    Officer(rural).rest_agreed()
    Officer(rural).decide()
    finance = person("caizheng.b")
    Officer(finance).open(number)
    finance.look("m10-lift")
    Officer(finance).lift(held, "已核对国库集中支付记录，前一单位的款项已退回")
    finance.write("核对了哪些支付记录", "国库集中支付系统、一卡通发放记录")
    Officer(finance).outcome("逐人处理完毕，送复核")
    Officer(finance).decide()
    finance.look("m11-lifted")


def approve(house: House, person: Enter, number: str) -> None:
    """复核 above the threshold records the office meeting, and reserves the money."""
    head = person("renshe.head")
    Officer(head).open(number)
    head.sees("须经局会议研究", "4,000.00 元", "3,000.00 元", "局党组会议制度")
    head.look("m12-recheck")
    Officer(head).outcome("复核通过，预占资金并公示")
    head.page.locator("[data-decision-button]").click()
    head.sees("没有填写：请填写会议日期")
    head.look("m13-recheck-no-meeting")
    head.write("会议日期", "2026-03-02")
    head.write("参加人员", "局长任建华（主持），任可心、任思齐")
    head.write("会议纪要编号", "通人社局纪〔2026〕3号")
    Officer(head).outcome("复核通过，预占资金并公示")
    Officer(head).decide()
    head.look("m14-reserved")


def publicise(house: House, person: Enter) -> None:
    """Name, village and amount stand in public for ten days."""
    house.work()
    citizen = person("群众", sign_in=False)
    citizen.go("/public")
    citizen.menu("公示")
    citizen.follow("晨曦服装加工")
    citizen.sees("拟奖补人数", "4 人", "4,000.00 元")
    citizen.look("m15-publicity")
    for _ in range(11):
        house.days(1)


def pay(house: House, person: Enter, folder: Path) -> None:
    """经办, 复核, 拨付: three people, each told by the one before; the bank sends one payment back."""
    clerk, checker, head = (
        Treasury(person(name)) for name in ("caizheng.clerk", "caizheng.b", "caizheng.head")
    )
    clerk.open()
    clerk.person.sees("待拨付的款项", "4 笔")
    clerk.person.look("m16-money-waits")
    clerk.open("支付批次")
    clerk.person.follow("生成批次")
    clerk.person.look("m17-making")
    clerk.person.press("用选中的生成批次")
    clerk.person.sees("请先勾选单位或者申请")
    clerk.person.look("m18-making-nothing")
    path = clerk.make_all(PEOPLE)
    clerk.person.sees("由您经办，须由其他人员复核")
    clerk.person.look("m19-made")
    house.work()
    checker.person.go("/notices")
    checker.person.look("m20-told")
    checker.newest_notice()
    checker.person.look("m21-check")
    checker.check("笔数、金额、账户无误。")
    house.work()
    head.newest_notice()
    head.person.look("m22-release")
    head.release("4,000.00 元")
    head.person.look("m23-released")
    house.work()
    clerk.newest_notice()
    rows = clerk.bank_file(folder / "银行文件.csv")
    assert len(rows) == PEOPLE
    assert {row[3] for row in rows} == {"6222600260001072444"}
    wrong = bank_says(rows[:2], folder / "不全的回执.csv")
    clerk.answer(wrong, "2026-03-13")
    clerk.person.sees("回执少了 2 笔")
    clerk.person.look("m24-answer-wrong")
    clerk.answer(bank_says(rows, folder / "回执.csv", bounced=[2]), "2026-03-13")
    clerk.person.sees("支付成功 3 笔", "退票 1 笔")
    clerk.person.look("m25-answered")
    clerk.person.go(path)
    clerk.person.sees("户名不符")


def correct(house: House, person: Enter) -> None:
    """One enters the right account, another confirms it."""
    clerk, checker = Treasury(person("caizheng.clerk")), Treasury(person("caizheng.b"))
    house.work()
    clerk.newest_notice()
    clerk.person.sees_title("退票更正")
    clerk.person.look("m26-bounced")
    clerk.correct(
        "通榆县晨曦服装加工有限公司（演示）", "12", "示范银行通榆支行营业部", "单位补交了开户许可证。"
    )
    clerk.person.press("录入更正，交其他人员确认")
    clerk.person.look("m27-correct-wrong")
    clerk.person.write("收款账号", "6222600260001072444")
    clerk.person.press("录入更正，交其他人员确认")
    clerk.person.sees("由您录入，须由其他人员确认")
    house.work()
    checker.newest_notice()
    checker.person.look("m28-confirm")
    checker.person.press("与依据一致，确认更正")
    checker.person.sees("没有退票")


def pay_again(house: House, person: Enter, folder: Path) -> None:
    """Only what failed is paid again."""
    clerk, checker, head = (
        Treasury(person(name)) for name in ("caizheng.clerk", "caizheng.b", "caizheng.head")
    )
    path = clerk.make_all(1)
    checker.person.go(path)
    checker.check("更正的账户已核对。")
    head.person.go(path)
    head.release("1,000.00 元")
    clerk.person.go(path)
    rows = clerk.bank_file(folder / "重付文件.csv")
    assert len(rows) == 1
    clerk.answer(bank_says(rows, folder / "重付回执.csv"), "2026-03-13")
    clerk.person.sees("支付成功 1 笔")
    house.work()


def reconcile(house: House, person: Enter, number: str) -> None:
    """Batches, ledger and answers agree to the fen; the claim is closed, its papers are out."""
    clerk = person("caizheng.clerk")
    Treasury(clerk).open("对账")
    clerk.sees("逐分一致", "已支付 4 笔", "退票 1 笔")
    clerk.look("m29-reconciled")
    Treasury(clerk).open()
    clerk.look("m30-money-paid")
    with house.database.reading() as session:
        assert list(check_money(session)) == []
    unit = person("qiye1")
    unit.go(f"/employer/cases/{number}")
    unit.sees("已发放", "一次性奖补发放清单")
    unit.look("m31-employer-paid")
    auditor = person("shenji")
    auditor.go("/finance/reconciliation")
    auditor.sees("逐分一致")
    auditor.look("m32-auditor")


def recover(house: House, person: Enter, number: str) -> None:
    """A later finding: 人社 decides, the letter goes out, 财政 notes what came back."""
    hrss, finance = person("renshe.a"), person("caizheng.b")
    hrss.go(f"/cases/{number}")
    hrss.follow("决定追回")
    hrss.look("m33-recover")
    hrss.write("查明的事实", "2026年3月13日核查，该人员没有在单位务工，工资流水由他人代签。")
    hrss.write("追回的依据", "不属于吸纳就业，不符合奖补条件。")
    hrss.write("退回期限", "2026-04-30")
    hrss.press("决定追回")
    house.work()
    hrss.go("/finance/recoveries")
    hrss.look("m34-recovery-decided")
    unit = person("qiye1")
    unit.go(f"/employer/cases/{number}")
    unit.sees("追回一次性奖补资金通知书")
    hrss.press("登记已送达")
    house.work()
    Treasury(finance).newest_notice()
    finance.sees_title("追回")
    finance.follow("登记收回")
    finance.write("收款凭证号", "收字第1号")
    finance.look("m35-receive")
    finance.press("登记收回 1,000.00 元")
    finance.sees("已收回", "收字第1号")
    finance.look("m36-received")
    with house.database.reading() as session:
        assert list(check_money(session)) == []
