"""One case in a browser, from an employer who is not yet known to a certificate that a stranger verifies.

Every page on the way is looked at: accessible (axe-core), and no wider than the desk's and the phone's screen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from tests.browser import rosters
from tests.browser.house import House
from tests.browser.pages import employer as paper
from tests.browser.pages.employer import Application, Registration
from tests.browser.pages.officer import Officer
from tests.browser.pages.person import Person
from workflows.registers.demo_people import credit_code

pytestmark = pytest.mark.browser

PASSWORD = "Maoxian-wanou-26"
UNIT = {
    "统一社会信用代码": credit_code(77),
    "单位名称": "通榆县向阳花手工编织有限公司（演示）",
    "单位类型": "企业",
    "经营地址所在乡镇": "示范镇",
    "经营地址": "前进村二组",
    "法定代表人（负责人）": "向桂花",
}
ACCOUNT = {
    "经办人姓名": "向晓燕",
    "经办人手机号": "13804360012",
    "用户名": "xiangyanghua",
    "密码": PASSWORD,
    "再次填写密码": PASSWORD,
}
Enter = Callable[..., Person]


def test_from_registration_to_a_verified_certificate(
    house: House, person: Enter, files: dict[str, Path], tmp_path: Path
) -> None:
    clerk = person("单位", sign_in=False)
    register(house, person, clerk, files)
    number = apply(house, clerk, files, tmp_path)
    correct(house, person, clerk, number, files)
    review(house, person, number)
    inspect_twice(house, person, clerk, number, files)
    meet(house, person, number)
    publicise_and_object(house, person, clerk, number)
    issue(house, person, number)
    verify(house, person, clerk, number, tmp_path)


def register(house: House, person: Enter, clerk: Person, files: dict[str, Path]) -> None:
    """A unit registers, with a mistake first; its township reads the 授权书 and confirms."""
    form = Registration(clerk)
    form.open()
    form.fill(UNIT | {"统一社会信用代码": "91220899DEM000770X"}, ACCOUNT, files["paper"])
    form.send()
    clerk.sees("登记没有提交，请更正")
    clerk.look("03-register-wrong")
    form.fill(UNIT, {key: ACCOUNT[key] for key in ("密码", "再次填写密码")}, files["paper"])
    form.send()
    clerk.sees("等待确认", "示范镇")
    clerk.look("04-register-pending")
    township = person("shifan.clerk")
    township.menu("单位确认")
    township.look("05-township-employers")
    township.press("与授权书一致，确认向晓燕的账号")
    township.sees("已确认向晓燕")


def apply(house: House, clerk: Person, files: dict[str, Path], folder: Path) -> str:
    """The application: sections forth and back, a roster with mistakes, materials, answers checked, handed in."""
    house.work()
    clerk.go("/")
    clerk.look("06-employer-home")
    form = Application(clerk)
    form.begin()
    clerk.look("07-task-list")
    clerk.sees("依据有效", "还没有花名册")
    expect(clerk.main()).not_to_contain_text("不符合")  # nobody has failed who is not named yet
    form.open_section("单位信息")
    clerk.look("08-section-employer")
    paper.section_employer(clerk)
    form.saved_by_itself()
    form.next()
    clerk.sees_title("经营与场地")
    form.back()
    expect(clerk.page.get_by_label("成立日期")).to_have_value("2023-05-10")
    form.next()
    clerk.look("09-section-premises")
    paper.section_premises(clerk)
    form.next()
    clerk.look("10-section-workers")
    paper.section_workers(clerk)
    form.next()
    clerk.sees_title("对公账户")
    clerk.look("11-section-account")
    form.next()
    clerk.look("12-section-declarations")
    paper.section_declarations(clerk)
    form.next()
    hand_in_roster(house, clerk, form, folder)
    clerk.follow("下一步：材料")
    clerk.look("17-materials")
    form.upload_materials(files)
    form.next()
    clerk.sees_title("检查并提交")
    clerk.look("18-check-answers")
    form.hand_in()
    clerk.sees("已提交")
    clerk.look("19-handed-in")
    number = clerk.page.locator(".wg-confirmation-number strong").inner_text()
    clerk.follow("查看办理进度")
    clerk.look("20-employer-case")
    clerk.follow("看流程图")
    clerk.look("21-employer-diagram")
    return number


def hand_in_roster(house: House, clerk: Person, form: Application, folder: Path) -> None:
    """Four rows of six are wrong; what is uploaded then replaces only those."""
    clerk.sees_title("花名册")
    clerk.look("13-roster-empty")
    template = form.download("下载花名册模板", folder / "模板.xlsx")
    right = rosters.villagers(house.database, 60, 6)
    number = right[0]["身份证号"]
    wrong = [
        right[0] | {"身份证号": number[:-1] + ("1" if number[-1] != "1" else "2")},
        right[1] | {"合同起": "去年八月", "联系电话": "1380"},
        right[2] | {"类别": "贫困户", "近12个月实发工资": "九千六"},
        right[3] | {"合同止": "2025-07-01"},
        *right[4:],
    ]
    form.upload_roster(rosters.fill_template(template, wrong, folder / "花名册.xlsx"))
    clerk.look("14-roster-reading")
    house.work()
    expect(clerk.page.get_by_text("填写正确").first).to_be_visible()
    clerk.look("15-roster-errors")
    clerk.sees("第 5 行“身份证号”", "去年八月", "贫困户", "九千六")
    marked = form.download("下载标注了问题的花名册", folder / "标注.xlsx")
    assert marked.stat().st_size > 5000
    form.upload_roster(rosters.fill_template(template, right[:4], folder / "改正.xlsx"))
    house.work()
    clerk.sees("花名册填写正确")
    clerk.look("16-roster-right")
    clerk.sees("6 人")


def correct(house: House, person: Enter, clerk: Person, number: str, files: dict[str, Path]) -> None:
    """The township names two defects at once; the employer finds each beside its field, and is accepted."""
    house.work()
    township = person("shifan.clerk")
    officer = Officer(township)
    township.go("/work")
    township.look("22-work-list")
    officer.open(number)
    township.look("23-acceptance")
    township.choose("已向谁核实", "村民委员会（社区居委会）")
    officer.outcome("材料需要补正，通知申请单位")
    officer.defect(1, "营业执照（登记证书）", "照片看不清，登记住所认不出", "重新拍照上传")
    officer.add_row()
    officer.defect(2, "经营地址", "没有写到门牌号", "写明门牌号")
    officer.opinion("请按所列内容一次补齐。")
    township.look("24-acceptance-defects")
    officer.decide()
    township.look("25-decided")

    house.days(1)
    clerk.go("/")
    clerk.look("26-home-correction")
    clerk.follow("去办理")
    clerk.sees("照片看不清", "写明门牌号")
    clerk.look("27-correction-tasks")
    form = Application(clerk)
    form.open_section("经营与场地")
    beside = clerk.page.locator("[data-field='business_address']")
    expect(beside).to_contain_text("补正意见")
    expect(beside).to_contain_text("没有写到门牌号")
    clerk.look("28-correction-remark")
    clerk.write("经营地址", "前进村二组18号")
    clerk.press("先保存，以后再填")
    clerk.follow("材料", exact=True)
    expect(clerk.page.locator("#need-license")).to_contain_text("照片看不清")
    clerk.look("29-correction-materials")
    clerk.attach("license", files["photos"])
    form.upload_now("license")
    clerk.sees("已上传 1 个文件")
    clerk.follow("按通知补正材料")
    form.open_section("补正、修改说明")
    clerk.write("说明（选填）", "营业执照已重新拍照上传；经营地址已写明门牌号。")
    form.next()
    clerk.follow("按通知补正材料")
    clerk.follow("检查并提交")
    form.hand_in()
    clerk.sees("已提交")

    house.work()
    officer.open(number, "受理审查")
    township.sees("营业执照已重新拍照上传")
    township.look("30-acceptance-again")
    township.choose("已向谁核实", "村民委员会（社区居委会）", "驻村工作队、第一书记")
    officer.outcome("同意受理，送人社局、乡村振兴局审核")
    officer.opinion("经村民委员会和驻村工作队核实，情况属实，予以受理。")
    officer.decide()


def review(house: House, person: Enter, number: str) -> None:
    """Both offices review side by side."""
    house.days(1)
    hrss = person("renshe.a")
    Officer(hrss).open(number)
    hrss.look("31-hrss-review")
    hrss.page.get_by_role("group", name="意见").first.get_by_label("同意", exact=True).check()
    hrss.press("保存本页逐人意见")
    hrss.write("核对合同（协议）份数", "6")
    hrss.choose("工资核对方式", "银行流水", "签字工资表")
    hrss.choose("是否发现拖欠工资", "否")
    Officer(hrss).outcome("审核通过")
    Officer(hrss).rest_agreed()
    Officer(hrss).decide()
    hrss.look("32-hrss-decided")
    rural = person("xiangcun.a")
    Officer(rural).open(number)
    rural.write("核对依据", "全国防返贫监测信息系统，2026年3月导出")
    rural.choose("是否入户或者电话核实", "是")
    Officer(rural).outcome("核对通过")
    Officer(rural).rest_agreed()
    Officer(rural).opinion("人员身份属实，核对通过。")
    Officer(rural).decide()


def inspect_twice(house: House, person: Enter, clerk: Person, number: str, files: dict[str, Path]) -> None:
    """The visit finds a defect; the employer mends it; the second visit passes. Two offices sign each."""
    house.days(1)
    hrss, rural = person("renshe.a"), person("xiangcun.a")
    visit(hrss, number, files, 9)
    Officer(hrss).outcome("需要整改，整改后复查")
    Officer(hrss).defect(1, "安全生产、消防材料", "车间只有一具灭火器", "每百平方米配一具")
    hrss.look("33-site-check")
    Officer(hrss).decide()
    Officer(rural).open(number)
    rural.look("34-countersign")
    Officer(rural).outcome("同意并签署")
    Officer(rural).decide()

    house.days(1)
    clerk.go("/")
    clerk.follow("去办理")
    clerk.sees("车间只有一具灭火器")
    clerk.look("35-rectification")
    clerk.write("逐条整改情况", "已按每百平方米一具补充灭火器，共五具。")
    clerk.write("整改完成日期", "2026-03-05")
    clerk.attach("evidence", files["photos"])
    clerk.press("整改完成，申请复查")
    clerk.sees("已提交")

    house.days(1)
    visit(hrss, number, files, 10)
    Officer(hrss).outcome("核查符合，送会审")
    Officer(hrss).opinion("整改已经完成，同意送会审。")
    Officer(hrss).decide()
    Officer(rural).open(number)
    Officer(rural).outcome("同意并签署")
    Officer(rural).decide()


def visit(hrss: Person, number: str, files: dict[str, Path], on_duty: int) -> None:
    """What 人社 writes down on the spot."""
    Officer(hrss).open(number)
    hrss.write("核查日期", "2026-03-05")
    hrss.write("县人社局核查人员", "任可心")
    hrss.write("县乡村振兴局核查人员", "田小满")
    hrss.attach("photos", files["photos"])
    hrss.write("现场在岗人数", str(on_duty))
    hrss.write("抽查脱贫人口和监测对象", "2")
    hrss.write("抽查情况", "抽查两人，岗位、工资与花名册一致。")
    hrss.write("核查情况", "厂房、设备正常使用。")


def meet(house: House, person: Enter, number: str) -> None:
    """The meeting agrees; the publicity begins."""
    house.work()
    head = person("renshe.head")
    Officer(head).open(number)
    head.look("36-meeting")
    head.write("会审日期", "2026-03-06")
    head.write("参加人员", "县人社局任建华（主持）、任可心，县乡村振兴局田守信")
    head.write("会议纪要", "逐项核对认定标准，一致同意认定。")
    Officer(head).outcome("同意认定，开始公示")
    Officer(head).opinion("经会审，符合认定标准，同意认定，予以公示。")
    Officer(head).decide()
    head.look("37-meeting-decided")


def publicise_and_object(house: House, person: Enter, clerk: Person, number: str) -> None:
    """A citizen objects on the public page; the objection is acknowledged, investigated and rejected."""
    house.days(2)
    citizen = person("群众", sign_in=False)
    citizen.go("/public")
    citizen.look("38-public-home")
    citizen.menu("公示")
    citizen.look("39-publicities")
    citizen.follow("向阳花手工编织")
    citizen.look("40-publicity")
    citizen.press("提交异议")
    citizen.sees("异议没有提交成功")
    citizen.look("41-objection-wrong")
    citizen.write("异议内容", "听说名单里有一个人去年秋天就外出打工了，请核实。")
    citizen.choose("您希望怎样提出", "实名，办结后由受理单位联系您答复")
    citizen.write("您的姓名", "钱守义")
    citizen.write("您的电话", "13943600001")
    citizen.press("提交异议")
    citizen.sees("异议已提交")
    citizen.look("42-objected")
    objection = citizen.page.locator(".wg-confirmation-number strong").inner_text()

    house.work()
    hrss, other, head = person("renshe.a"), person("renshe.b"), person("renshe.head")
    Officer(hrss).open(objection)
    hrss.look("43-acknowledge")
    hrss.choose("异议涉及", "人员身份、人数")
    hrss.choose("是否已与异议人联系", "是")
    Officer(hrss).outcome("受理，开始调查")
    Officer(hrss).decide()
    Officer(other).open(objection)
    other.write("调查日期", "2026-03-08")
    other.write("调查人员", "任思齐、任可心")
    other.write("查明的事实", "名单六人均在岗，银行流水逐月发放工资。")
    other.write("被异议单位的说明", "该人秋收时回家半个月，之后回到车间。")
    other.choose("处理建议", "异议不成立")
    Officer(other).outcome("调查完毕，报负责人作结论")
    other.look("44-investigate")
    Officer(other).decide()
    Officer(head).open(objection)
    head.look("45-conclude")
    Officer(head).outcome("异议不成立，答复异议人")
    head.write("认定的事实和理由", "经查，所反映人员在岗，工资有银行流水。")
    Officer(head).decide()
    house.work()

    citizen.menu("进度查询")
    citizen.write("办件编号", objection)
    citizen.write("联系电话后四位", "0001")
    citizen.press("查询")
    citizen.sees("异议不成立")
    citizen.look("46-progress")
    clerk.go(f"/employer/cases/{number}")
    clerk.sees("公示中", "异议不成立")
    clerk.look("47-employer-publicity")


def issue(house: House, person: Enter, number: str) -> None:
    """The period ends; both heads sign; the papers come out."""
    house.days(7)
    head, rural = person("renshe.head"), person("xiangcun.head")
    Officer(head).open(number)
    head.look("48-joint-issue")
    head.page.get_by_label("已核对文稿、审批表和证书内容。").check()
    Officer(head).outcome("签发，发文、发证并登记")
    Officer(head).decide()
    Officer(rural).open(number)
    Officer(rural).outcome("同意并签署")
    Officer(rural).decide()
    house.work()
    head.go(f"/cases/{number}")
    head.look("49-case-finished")
    head.follow("流程图")
    head.look("50-case-diagram")
    head.menu("车间名录")
    head.look("51-workshops")


def verify(house: House, person: Enter, clerk: Person, number: str, folder: Path) -> None:
    """The employer takes the certificate home; a stranger follows its QR address and shows the file."""
    clerk.go(f"/employer/cases/{number}")
    clerk.sees("已认定")
    clerk.look("52-employer-recognised")
    certificate = Application(clerk).take_paper("就业帮扶车间认定证书", folder / "认定证书.pdf")
    printed = re.sub(r"\s", "", PdfReader(BytesIO(certificate.read_bytes())).pages[0].extract_text())
    found = re.search(re.escape(house.address) + r"/v/[0-9a-f]{40}", printed)
    assert found, printed
    stranger = person("陌生人", sign_in=False)
    stranger.go(found.group())
    expect(stranger.page.locator(".wg-verify-word")).to_contain_text("有效")
    stranger.look("53-verified")
    stranger.attach("file", certificate)
    stranger.press("上传并核验")
    stranger.sees("有效", "一致")
    stranger.look("54-file-verified")
    altered = folder / "改过的证书.pdf"
    altered.write_bytes(certificate.read_bytes() + b"\n")
    stranger.attach("file", altered)
    stranger.press("上传并核验")
    stranger.look("55-file-altered")
    expect(stranger.page.locator(".wg-verify-word")).not_to_contain_text("有效")
    stranger.menu("车间名录")
    stranger.sees("向阳花手工编织就业帮扶车间")
    stranger.look("56-register")
