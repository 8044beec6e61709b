"""Sample data for the page that shows every component: one form with a field of each type, invented people and cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from forms.definition import FormDefinition, load_form
from webapp.views_support import NavItem, Shell

FORM = """
title: 办理结论
sections:
  - key: employer
    title: 单位情况
    hint: 与营业执照一致。
    fields:
      - {key: name, label: 单位名称, type: text, required: true, hint: 填写营业执照上的全称}
      - {key: credit, label: 统一社会信用代码, type: credit_code, required: true, hint: 18 位，在营业执照左上角}
      - {key: legal_id, label: 法定代表人身份证号, type: id_number, required: true}
      - {key: phone, label: 联系电话, type: phone, hint: 手机或带区号的固定电话}
      - {key: account, label: 开户银行账号, type: bank_account}
      - {key: founded, label: 成立日期, type: date, required: true, max: today}
      - {key: staff, label: 职工总数, type: integer, required: true, unit: 人, min: 1}
      - {key: area, label: 场地面积, type: decimal, unit: 平方米}
      - {key: wage, label: 月均工资, type: money, required: true, hint: 最近三个月应发工资的平均数}
      - {key: place, label: 经营地所在乡镇, type: division, required: true, options_from: divisions}
  - key: workshop
    title: 车间情况
    fields:
      - key: mode
        label: 创建模式
        type: choice
        required: true
        options:
          - {value: factory, label: 工厂式}
          - {value: home, label: 居家式}
          - {value: base, label: 基地式}
          - {value: fusion, label: 融合式}
      - key: kinds
        label: 参加的保险
        type: multichoice
        hint: 可以多选
        options: [工伤保险, 基本养老保险, 意外伤害保险]
      - {key: resettled, label: 是否在易地搬迁安置区, type: boolean, required: true}
      - {key: settlement, label: 安置区名称, type: text, max_length: 20, show_if: {field: resettled, equals: true}}
      - {key: story, label: 带动就业情况, type: textarea, max_length: 500, hint: 写明岗位、用工方式和吸纳人数}
      - {key: papers, label: 场地证明和现场照片, type: files, required: true, accept: [pdf, image], max: 9}
      - {key: faults, label: 需要补正的内容, type: defects, options_from: targets}
      - {key: promise, label: 本单位承诺以上内容真实，愿意接受核查，并承担不实申报的责任, type: declaration}
  - key: decision
    title: 受理
    fields:
      - {key: lacks, label: 需要补正的内容, type: defects, options_from: targets, show_if: {field: outcome, equals: correct}}
outcomes:
  - key: accept
    label: 受理，送县级审核
    next: 县人社局和县乡村振兴局同时审核，各有 5 个工作日
    tone: primary
    phrases: [材料齐全，符合受理条件，予以受理。, 经现场了解，情况属实，予以受理。]
  - key: correct
    label: 一次性告知补正
    next: 退回用人单位补正，期间停止计时
    opinion: required
    phrases: [材料不齐，请按清单一次补齐。]
    requires: [lacks]
  - key: refuse
    label: 不予受理，办结本件
    next: 向用人单位送达不予受理通知书，本件办结，不能恢复
    tone: danger
    opinion: required
    phrases: [经营地不在本县，不属于本县受理范围。]
"""

LISTS: dict[str, Any] = {
    "divisions": [
        ("大安市", [("220882101", "月亮泡镇"), ("220882102", "安广镇")]),
        ("通榆县", [("220822100", "开通镇"), ("220822101", "瞻榆镇")]),
    ],
    "targets": [
        ("填写内容", [("area", "场地面积"), ("wage", "月均工资")]),
        ("材料", [("lease", "场地证明"), ("contracts", "劳动合同")]),
    ],
}

LONG_NAME = "通榆县向海蒙古族乡兴隆山镇联合农牧民专业合作社联合社有限责任公司第二缝纫加工分公司"


def form() -> FormDefinition:
    """The sample form."""
    return load_form(FORM, "styleguide.yaml")


def shell() -> Shell:
    """The frame of an officer in the demonstration county."""
    return Shell(
        county="通榆县（演示）",
        user="李文静",
        office="县人力资源和社会保障局",
        user_key="sample",
        nav=(
            NavItem("待办", "#", active=True, count=1001),
            NavItem("办件查询", "#"),
            NavItem("公示", "#", count=3),
            NavItem("车间名录", "#"),
            NavItem("人员身份核对", "#"),
        ),
        notices_href="#",
        notices=4,
        account_href="#",
        logout_href="#",
        login_href="#",
        demonstration=True,
        contact="咨询电话 0436-4220000",
    )


DIAGRAM = """<svg xmlns="http://www.w3.org/2000/svg" width="900" height="120" viewBox="0 0 900 120" role="img"
aria-label="受理、审核、现场核查、会审"><text x="20" y="30" font-size="14">流程示意</text></svg>"""


def case(at: datetime) -> dict[str, Any]:
    """A case under way, as the views hand it to the macros."""
    return {
        "stages": [
            {"title": "受理", "state": "done", "note": "11月16日"},
            {"title": "审核", "state": "current", "note": "至11月25日"},
            {"title": "核查", "state": "todo"},
            {"title": "会审", "state": "todo"},
            {"title": "公示", "state": "todo"},
            {"title": "发证", "state": "todo"},
        ],
        "reasons": [
            {
                "title": "政策依据在有效期内",
                "conclusion": "有依据",
                "tone": "good",
                "facts": [("受理日期", "2026年11月16日"), ("依据", "吉人社联〔2026〕3号（演示）")],
                "citation": "吉人社联〔2026〕3号 第二条",
            },
            {
                "title": "吸纳脱贫人口、监测对象不少于 3 人",
                "conclusion": "2 人，不足 3 人",
                "tone": "bad",
                "facts": [("花名册", "5 人"), ("三项条件都满足", "2 人")],
                "citation": "吉人社联〔2022〕81号 二（六）",
                "annotation": "另有 1 人合同期 2 个月，1 人不在脱贫人口名单。",
            },
            {
                "title": "劳动合同期限不少于 3 个月",
                "conclusion": "符合",
                "tone": "good",
                "facts": [("最短", "6 个月"), ("间断务工", "1 人")],
                "citation": "吉人社联〔2022〕81号 二（六）",
                "unusual": True,
            },
        ],
        "opinions": [
            {
                "office": "开通镇人民政府",
                "title": "受理申请",
                "person": "王志刚",
                "at": at - timedelta(days=3),
                "outcome": "受理",
                "opinion": "材料齐全，经现场了解，情况属实，予以受理。",
            },
            {
                "office": "县乡村振兴局",
                "title": "核对人员身份",
                "person": "赵敏",
                "at": at,
                "outcome": "退回修改",
                "opinion": "张桂兰的身份证号与脱贫人口名单不一致，请核对。",
                "round": 2,
            },
            {"office": "县人力资源和社会保障局", "pending": "正在审核，至 11月25日"},
        ],
        "people": [
            {
                "key": 1,
                "name": "张桂兰",
                "id": "220822********1234",
                "wage": 286050,
                "verdict": "agree",
                "mark": "",
            },
            {
                "key": 2,
                "name": "李树林",
                "id": "220822********4417",
                "wage": 120000,
                "verdict": "refuse",
                "reason": "合同期不足 3 个月",
                "mark": "wg-row-wrong",
            },
            {
                "key": 3,
                "name": "乌云其木格",
                "id": "220822********0026",
                "wage": 300000,
                "mark": "wg-row-warning",
            },
        ],
        "events": [
            {
                "title": "审核劳动合同和工资",
                "now": "办理中，至 11月25日",
                "office": "县人力资源和社会保障局",
                "person": "李文静",
            },
            {
                "title": "受理申请",
                "at": at - timedelta(days=3),
                "office": "开通镇人民政府",
                "person": "王志刚",
                "outcome": "受理",
                "tone": "progress",
                "opinion": "材料齐全，经现场了解，情况属实，予以受理。",
                "links": [("受理通知书", "#")],
            },
            {"title": "提交申请", "at": at - timedelta(days=5), "office": LONG_NAME, "person": "孙丽"},
        ],
        "diagram": DIAGRAM,
        "roster_errors": [
            {
                "title": "身份证号校验不通过",
                "count": 2,
                "what_to_do": "对照身份证原件逐位核对，最后一位是 X 的用大写。",
                "errors": [
                    {
                        "row": 7,
                        "column": "身份证号",
                        "name": "张桂兰",
                        "found": "22082219750101123",
                        "message": "少一位，只有 17 位",
                        "expected": "18 位身份证号",
                    },
                    {"row": 12, "column": "身份证号", "found": "", "message": "没有填写"},
                ],
            },
            {
                "title": "年满 60 周岁",
                "count": 21,
                "level": "warning",
                "errors": [{"row": 9, "name": "李树林", "found": "1963年2月1日", "message": "请确认仍在岗"}],
                "more": 20,
            },
        ],
    }


def context() -> dict[str, Any]:
    """Everything that ``styleguide/index.html`` shows."""
    at = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
    return {
        "shell": shell(),
        "form": form(),
        "case": case(at),
        "lists": LISTS,
        "at": at,
        "long_name": LONG_NAME,
        "values": {
            "name": LONG_NAME,
            "credit": "91220822MA0Y5B6X1T",
            "legal_id": "220822197501011234",
            "phone": "13800001234",
            "staff": ["三十"],
            "area": "1250.5",
            "wage": 286050,
            "founded": "2021-03-15",
            "place": "220822101",
            "mode": "factory",
            "kinds": ["工伤保险", "意外伤害保险"],
            "resettled": True,
            "papers": ["a1", "a2"],
            "faults-0-field": "lease",
            "faults-0-problem": "租赁合同缺少出租方签字",
            "faults-1-action": "补传第 3 页",
        },
        "errors": {
            "staff": "职工总数应当是整数，填的是“三十”，请填写数字，例如 30",
            "papers": "没有上传现场照片，请至少上传 1 张",
            "faults-1-problem": "没有填写，请写明存在什么问题",
        },
        "warnings": {"wage": "高于本县同行业平均水平，请核对后再提交"},
        "remarks": {
            "area": {
                "text": "与租赁合同上的 1,000 平方米不一致，请核对后更正，或者补传补充协议。",
                "who": "开通镇 王志刚",
            }
        },
        "files": {
            "papers": [
                {"id": "a1", "name": "厂房租赁合同.pdf", "size": 1834022, "href": "#"},
                {
                    "id": "a2",
                    "name": "现场照片（缝纫车间东侧全景，2026年11月20日拍摄，手机原图）.jpg",
                    "size": 3912044,
                    "href": "#",
                },
            ]
        },
        "items": [
            {
                "number": "RD〔2026〕0138",
                "who": LONG_NAME,
                "what": "审核劳动合同和工资",
                "since": at,
                "light": ("overdue", "超期 2 天", "11月19日"),
                "holder": "李文静",
                "amount": 12345600,
            },
            {
                "number": "RD〔2026〕0141",
                "who": "通榆县鹤乡服饰有限公司",
                "what": "审核劳动合同和工资",
                "since": at,
                "light": ("soon", "今天到期", "11月23日"),
                "holder": "",
                "amount": 1000000,
            },
            {
                "number": "RD〔2026〕0144",
                "who": "瞻榆镇杂粮加工厂",
                "what": "现场核查",
                "since": at,
                "light": ("normal", "还剩 4 天", "11月27日"),
                "holder": "赵敏",
                "amount": 300050,
            },
            {
                "number": "RD〔2026〕0147",
                "who": "开通镇柳编合作社",
                "what": "补正",
                "since": at,
                "light": ("paused", "计时暂停", ""),
                "holder": "",
                "amount": 0,
            },
        ],
    }
