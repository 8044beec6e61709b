"""A month of 以工代赈 in a browser: the attendance sheet, the workers on their phones, one of them in dispute, owner, township, the
notice board, 发改 and 财政, one payment that comes back, and a supplementary batch for the one who was right.

Every page on the way is looked at: accessible (axe-core), and no wider than the desk's and the phone's screen.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.browser import rosters
from tests.browser.house import House
from tests.browser.pages.employer import Application
from tests.browser.pages.finance import Treasury, bank_says
from tests.browser.pages.officer import Officer
from tests.browser.pages.person import Person
from workflows.cases.check_money import check_money
from workflows.cases.project_figures import figures_of
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenario_money import enter_funds
from workflows.cases.scenario_people import ScenarioPerson
from workflows.cases.scenario_projects import project_for
from workflows.cases.slip_model import PaySlip
from workflows.registers.demo_county import load
from workflows.registers.project_model import Project

pytestmark = pytest.mark.browser

Enter = Callable[..., Person]
UNIT, OWNER, FUND = "qiye5", "shuili.clerk", "演示财农〔2026〕31号"
PEOPLE = 3
#: Working days of February that everybody was there: 20 days at 150 元.
DAYS = [f"{day}日" for day in range(1, 21)]


def test_a_month_from_the_sheet_to_the_card(
    house: House, person: Enter, files: dict[str, Path], tmp_path: Path
) -> None:
    people = before(house)
    number = month(house, person, people, tmp_path, "本月工资")
    on_the_phone(house, person)
    hand_on(person, number)
    check_it(house, person, number, files)
    pay(house, person, tmp_path)
    again = month(house, person, people[2:], tmp_path, "补发第1批", looking=False)
    agree(house, person)
    hand_on(person, again, looking=False)
    check_it(house, person, again, files, looking=False)
    pay_supplement(house, person, tmp_path)
    closed(house, person, number)


def before(house: House) -> list[dict[str, Any]]:
    """A project of unit 5 with three people on its register, and its money; rows of the sheet by heading."""
    with house.database.transaction() as session:
        county = load(session, demonstration=True)
        rows = rosters.villagers(house.database, 80, PEOPLE)
        people = [
            ScenarioPerson(
                "daily",
                row["姓名"],
                row["身份证号"],
                {
                    "phone": row["联系电话"],
                    "card": f"622260026000107{at}444",
                    "village": row["户籍村"],
                    "job": "普工",
                    "pay_mode": "day",
                    "rate": "150",
                },
                "poverty_alleviated",
                "qualifies",
            )
            for at, row in enumerate(rows)
        ]
        project_for(session, county.employers[5], {"fund_document": FUND}, people, 1)
        enter_funds(session, county.county_code, "work_relief_payroll", 20_000_000, FUND)
    return [
        {
            "姓名": row["姓名"],
            "身份证号": row["身份证号"],
            "户籍村": row["户籍村"],
            "联系电话": row["联系电话"],
            "工种": "普工",
            "计酬方式": "按日",
            "单价": "150",
            **dict.fromkeys(DAYS, "1"),
            "银行卡（一卡通）号": one.cells["card"],
            "开户行": "示范银行通榆支行",
        }
        for row, one in zip(rows, people, strict=True)
    ]


def month(
    house: House, person: Enter, people: list[dict[str, Any]], folder: Path, batch: str, looking: bool = True
) -> str:
    """The clerk of the site fills in a month and hands it in; its number."""
    clerk = person(UNIT)
    clerk.go("/")
    clerk.follow("申报本月劳务报酬")
    clerk.press("开始填写")
    form = Application(clerk)
    form.open_section("项目")
    form.next()
    clerk.write("哪个月的工资", "2026-02")
    clerk.choose("批次", batch)
    if batch != "本月工资":
        clerk.write("补发的原因", "与工地考勤核对，该工人出勤属实。")
    if looking:
        clerk.look("w01-month")
    form.next()
    for box in clerk.page.locator(".wg-declaration input").all():
        box.check()
    form.next()
    clerk.sees_title("花名册")
    template = form.download("下载花名册模板", folder / "考勤模板.xlsx")
    form.upload_roster(rosters.fill_template(template, people, folder / "考勤.xlsx"))
    house.work()
    clerk.sees("花名册填写正确")
    if looking:
        clerk.look("w02-sheet")
    clerk.follow("下一步：材料")
    form.next()
    clerk.sees_title("检查并提交")
    if looking:
        clerk.look("w03-check")
    clerk.press("确认无误，出具工资支付表")
    clerk.sees("已提交")
    house.work()
    return clerk.page.locator(".wg-confirmation-number strong").inner_text()


def slips(house: House) -> list[tuple[str, str]]:
    """Code and end of the ID number of every slip that waits, in the order of the sheet."""
    with house.database.reading() as session:
        return [
            (slip.code, str(row.values["id_number"])[-4:])
            for slip, row in session.execute(
                select(PaySlip, RosterRow)
                .join(RosterRow, RosterRow.id == PaySlip.row_id)
                .where(PaySlip.state == "open")
                .order_by(PaySlip.id)
            ).all()
        ]


def on_the_phone(house: House, person: Enter) -> None:
    """Two workers agree; the third says that two days are missing. One mistypes first."""
    worker = person("工人", sign_in=False)
    one, two, three = slips(house)
    worker.go(f"/slip?code={one[0]}")
    worker.look("w04-slip-asked")
    worker.write("身份证号后四位", "0000")
    worker.press("查看工资条")
    worker.sees("没有找到工资条")
    worker.write("身份证号后四位", one[1])
    worker.press("查看工资条")
    worker.sees("2026年2月工资条", "20 天 × 150.00 元", "3,000.00")
    worker.look("w05-slip")
    worker.press("金额对，确认")
    worker.sees("确认成功")
    worker.look("w06-slip-agreed")
    say(worker, two)
    worker.press("金额对，确认")
    say(worker, three)
    worker.page.get_by_text("金额不对，写明哪里不对").click()
    worker.write("哪里不对", "出勤应为 22 天，少记 2 天。")
    worker.press("提交异议")
    worker.sees("异议已提交")
    worker.look("w07-slip-disputed")


def say(worker: Person, slip: tuple[str, str]) -> None:
    worker.go(f"/slip?code={slip[0]}")
    worker.write("身份证号后四位", slip[1])
    worker.press("查看工资条")


def agree(house: House, person: Enter) -> None:
    """Everybody whose slip waits agrees."""
    worker = person("工人", sign_in=False)
    for slip in slips(house):
        say(worker, slip)
        worker.press("金额对，确认")


def hand_on(person: Enter, number: str, looking: bool = True) -> None:
    """The clerk sees who has spoken, and hands the sheet on."""
    clerk = person(UNIT)
    clerk.go(f"/employer/cases/{number}")
    if looking:
        clerk.look("w08-slips-counted")
        clerk.follow("查看和打印工资条")
        clerk.sees("出勤应为 22 天，少记 2 天。")
        clerk.look("w09-slips")
        clerk.go(f"/employer/cases/{number}")
    clerk.follow("去办理")
    clerk.choose("您的选择", "工人已确认，送业主审定")
    clerk.write("劳资专管员签字", "齐五民")
    if looking:
        clerk.look("w10-hand-on")
    clerk.press("工人已确认，送业主审定")
    clerk.sees("已提交")


def check_it(house: House, person: Enter, number: str, files: dict[str, Path], looking: bool = True) -> None:
    """Owner, township, notice board, seven days, 发改."""
    house.work()
    owner = person(OWNER)
    Officer(owner).open(number)
    if looking:
        owner.sees("工人确认", "出勤应为 22 天，少记 2 天。")
        owner.look("w11-owner")
    owner.write("审定日期", today(house))
    owner.write("已核对的施工记录", "施工日志、工程量确认单")
    Officer(owner).outcome("审定同意，送乡镇核验")
    Officer(owner).rest_agreed()
    Officer(owner).decide()
    township = person("shifan.clerk")
    Officer(township).open(number)
    if looking:
        township.look("w12-township")
    township.write("核验日期", today(house))
    township.choose("已向谁核实", "村民委员会")
    Officer(township).outcome("核验属实，公示")
    Officer(township).rest_agreed()
    Officer(township).decide()
    house.work()
    Officer(township).open(number)
    township.write("张贴日期", today(house))
    township.write("张贴地点", "示范镇政务公开栏、前进村公示栏")
    Officer(township).attach("board_photos", files["photos"])
    if looking:
        township.look("w13-board")
    township.page.locator("[data-decision-button]").click()
    township.sees("已办理")
    for _ in range(9):
        house.days(1)
    ndrc = person("fagai.clerk")
    Officer(ndrc).open(number)
    if looking:
        ndrc.sees("还没有达到项目要求")
        ndrc.look("w14-ndrc")
    Officer(ndrc).outcome("审核通过，转财政拨付")
    Officer(ndrc).decide()
    house.work()


def today(house: House) -> str:
    from workflows.base.clock import today as day

    return day().isoformat()


def pay(house: House, person: Enter, folder: Path) -> None:
    """Two are paid, one of them only after the account is put right."""
    clerk, checker, head = (
        Treasury(person(name)) for name in ("caizheng.clerk", "caizheng.b", "caizheng.head")
    )
    path = clerk.make_all(2)
    checker.person.go(path)
    checker.check("笔数、金额、账户无误。")
    head.person.go(path)
    head.release("6,000.00 元")
    clerk.person.go(path)
    rows = clerk.bank_file(folder / "银行文件.csv")
    assert len(rows) == 2
    clerk.answer(bank_says(rows, folder / "回执.csv", bounced=[2]), today(house))
    clerk.person.sees("支付成功 1 笔", "退票 1 笔")
    clerk.open("退票更正")
    clerk.person.look("w15-bounced")
    clerk.correct(rows[1][2], "6222600260001072444", "示范银行通榆支行", "工人补交了本人的卡。")
    clerk.person.press("录入更正，交其他人员确认")
    checker.open("退票更正")
    checker.person.press("与依据一致，确认更正")
    path = clerk.make_all(1)
    checker.person.go(path)
    checker.check("更正的账户已核对。")
    head.person.go(path)
    head.release("3,000.00 元")
    clerk.person.go(path)
    clerk.answer(bank_says(clerk.bank_file(folder / "重发.csv"), folder / "重发回执.csv"), today(house))
    house.work()


def pay_supplement(house: House, person: Enter, folder: Path) -> None:
    clerk, checker, head = (
        Treasury(person(name)) for name in ("caizheng.clerk", "caizheng.b", "caizheng.head")
    )
    path = clerk.make_all(1)
    checker.person.go(path)
    checker.check("补发，金额无误。")
    head.person.go(path)
    head.release("3,000.00 元")
    clerk.person.go(path)
    clerk.answer(bank_says(clerk.bank_file(folder / "补发.csv"), folder / "补发回执.csv"), today(house))
    house.work()


def closed(house: House, person: Enter, number: str) -> None:
    """Everybody has the month's pay; the books agree; 发改 sees it."""
    with house.database.reading() as session:
        project = session.scalars(select(Project.id)).one()
        figures = figures_of(session, [project])[project]
        assert (figures.paid_fen, figures.owed_fen, figures.disputed) == (900_000, 0, 0)
        assert list(check_money(session)) == []
    unit = person(UNIT)
    unit.go(f"/employer/cases/{number}")
    unit.sees("已发放", "以工代赈劳务报酬发放清单", "以工代赈劳务报酬支付表")
    unit.look("w16-paid")
    ndrc = person("fagai.clerk")
    ndrc.menu("总览")
    ndrc.sees("9,000.00", "1.5%")
    ndrc.look("w17-projects")
    ndrc.page.get_by_role("navigation", name="总览").get_by_role("link", name="统计").click()
    ndrc.look("w18-counts")
