"""What an employer's person does: register, fill in, upload, hand in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.pages.person import Person
from workflows.registers.demo_people import id_number

LEGAL_ID = id_number(date(1978, 5, 6), 77)
MATERIALS = (
    "license",
    "legal_identity",
    "contracts",
    "wage_proof",
    "premises",
    "photos",
    "safety",
    "commitment",
)


class Registration:
    """The form in which a unit and its first account are registered."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def open(self) -> None:
        self.person.go("/login")
        self.person.look("01-login")
        self.person.follow("登记单位账号")
        self.person.look("02-register")

    def fill(self, unit: dict[str, str], account: dict[str, str], letter: Path) -> None:
        for label in ("统一社会信用代码", "单位名称", "经营地址", "法定代表人（负责人）"):
            self.person.write(label, unit[label])
        self.person.select("单位类型", unit["单位类型"])
        self.person.choose("经营地址所在乡镇", unit["经营地址所在乡镇"])
        for label, value in account.items():
            self.person.write(label, value)
        self.person.attach("authorisation", letter)

    def send(self) -> None:
        self.person.press("登记，送乡镇确认")


class Application:
    """The application from its task list to the confirmation."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def begin(self) -> None:
        self.person.follow("申请认定就业帮扶车间")
        self.person.look("06-start")
        self.person.press("开始填写")

    def open_section(self, title: str) -> None:
        self.person.follow(title, exact=True)
        self.person.sees_title(title)

    def next(self) -> None:
        self.person.press("下一步")

    def back(self) -> None:
        self.person.follow("上一步", exact=True)

    def saved_by_itself(self) -> None:
        """The page says that it saved what was typed, without being asked."""
        expect(self.person.page.locator("[data-autosave-status]")).to_contain_text("已自动保存")

    def download(self, name: str, target: Path) -> Path:
        with self.person.page.expect_download() as found:
            self.person.pull(name)
        found.value.save_as(target)
        return target

    def take_paper(self, title: str, target: Path) -> Path:
        """Download an issued document."""
        row = self.person.page.locator(".wg-papers li", has_text=title)
        with self.person.page.expect_download() as found:
            row.locator("a[download]").click()
        found.value.save_as(target)
        return target

    def upload_roster(self, file: Path) -> None:
        self.person.attach("file", file)
        self.person.press("上传并核对")
        self.person.sees_title("正在读取花名册")

    def upload_materials(self, files: dict[str, Path], keys: Sequence[str] = MATERIALS) -> None:
        """One file for each required material, all at once."""
        for key in keys:
            self.person.attach(key, files.get(key, files["paper"]))

    def upload_now(self, key: str) -> None:
        """Send the files chosen for one material."""
        with self.person.page.expect_navigation():
            self.person.page.locator(f"#need-{key}").get_by_role("button").last.click()

    def hand_in(self) -> None:
        self.person.press("确认无误，提交办理")


def section_employer(person: Person) -> None:
    person.write("成立日期", "2023-05-10")
    person.write("法定代表人身份证号", LEGAL_ID)
    person.write("法定代表人电话", "13804360011")
    person.write("登记地址", "示范镇幸福路12号")


def section_premises(person: Person) -> None:
    person.write("车间名称", "向阳花手工编织就业帮扶车间")
    person.choose("创建模式", "工厂式")
    person.write("所属行业", "手工编织")
    person.write("主要产品或者服务", "毛线玩偶、坐垫")
    person.select("经营地址所在村（社区）", "示范镇前进村")
    person.choose("场地权属", "租赁")
    person.write("场地面积", "420.5")
    person.choose("是否在易地搬迁集中安置区", "否")


def section_workers(person: Person) -> None:
    person.write("职工总数", "12")
    person.write("其中脱贫人口和监测对象", "6")
    person.choose("年收入按什么计算", "按近12个月实发工资")
    person.write("脱贫人口和监测对象月均工资", "1200")
    person.choose("工资支付方式", "银行转账")
    person.choose("已参加的保险", "工伤保险", "商业意外险、雇主责任险")


def section_declarations(person: Person) -> None:
    for question in ("现在是否存在拖欠工资", "近一年是否发生过安全生产事故", "是否被列入严重失信名单"):
        person.choose(question, "否")
    for box in person.page.locator(".wg-declaration input").all():
        box.check()


#: What a claim of 一次性奖补 needs.
CLAIM_MATERIALS = ("contracts", "wage_proof", "account_proof", "commitment")


def section_unit(person: Person) -> None:
    person.write("法定代表人身份证号", LEGAL_ID)


def section_claim(person: Person, people: int) -> None:
    person.write("申报人数", str(people))
    person.write("申报年度", "2026")


def section_account(person: Person) -> None:
    person.write("开户行", "示范银行通榆支行")
    person.write("对公账号", "6222600260001072444")


def section_promises(person: Person) -> None:
    for box in person.page.locator(".wg-declaration input").all():
        box.check()
