"""Who plays in the demonstration county: townships, offices, employers and one account for each role. All fictional."""

from __future__ import annotations

from dataclasses import dataclass

COUNTY, NEIGHBOUR, PROVINCE = "220822", "220881", "220000"
#: Township code → name and villages. Codes from …901 on are not given to any township.
TOWNSHIPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "220822901": ("示范镇", ("前进村", "春光村", "和顺村")),
    "220822902": ("向阳乡", ("东风村", "团结村", "新立村")),
    "220881901": ("示例镇", ("永安村",)),
}


@dataclass(frozen=True)
class Account:
    """One line of the table of demonstration accounts. ``office``: kind and division; ``unit``: number of the employer."""

    username: str
    name: str
    kind: str
    division: str
    role: str
    office: str = ""
    post: str = ""
    unit: int = 0


def _officers(
    prefix: str, office: str, where: str, title: str, *people: tuple[str, str, str]
) -> list[Account]:
    return [
        Account(
            f"{prefix}.{ending}",
            name,
            "officer",
            where,
            f"{title}{'负责人' if post == 'head' else '经办人'}",
            office,
            post,
        )
        for ending, name, post in people
    ]


#: All accounts, one for each role and more where a step needs two people. Names are fictional.
ACCOUNTS: tuple[Account, ...] = (
    *_officers(
        "shifan",
        "township",
        "220822901",
        "示范镇人民政府",
        ("clerk", "江一帆", "clerk"),
        ("head", "江海平", "head"),
    ),
    *_officers(
        "xiangyang",
        "township",
        "220822902",
        "向阳乡人民政府",
        ("clerk", "向小禾", "clerk"),
        ("head", "向春生", "head"),
    ),
    *_officers(
        "renshe",
        "hrss",
        COUNTY,
        "县人社局",
        ("a", "任可心", "clerk"),
        ("b", "任思齐", "clerk"),
        ("head", "任建华", "head"),
    ),
    *_officers(
        "xiangcun",
        "rural",
        COUNTY,
        "县乡村振兴局",
        ("a", "田小满", "clerk"),
        ("b", "田秋实", "clerk"),
        ("head", "田守信", "head"),
    ),
    *_officers("fagai", "ndrc", COUNTY, "县发改局", ("clerk", "方向明", "clerk"), ("head", "方志远", "head")),
    *_officers(
        "shuili",
        "owner",
        COUNTY,
        "县水利局（项目业主）",
        ("clerk", "水清河", "clerk"),
        ("head", "水长流", "head"),
    ),
    *_officers(
        "caizheng",
        "finance",
        COUNTY,
        "县财政局",
        ("clerk", "金晓珊", "clerk"),
        ("b", "金慎之", "clerk"),
        ("head", "金玉堂", "head"),
    ),
    *_officers("sheng", "hrss", PROVINCE, "省人社厅", ("renshe", "任省之", "clerk")),
    Account("shenji", "沈明鉴", "auditor", COUNTY, "审计人员"),
    Account("guanli", "管志远", "admin", COUNTY, "系统管理员"),
    Account("qiye1", "陈一诺", "employer", COUNTY, "用人单位首个账号", unit=1),
    Account("qiye1.clerk", "陈二妮", "employer", COUNTY, "用人单位经办人", unit=1),
    *(
        Account(
            f"qiye{unit}",
            f"齐{'一二三四五六七八'[unit - 1]}民",
            "employer",
            COUNTY,
            "用人单位首个账号",
            unit=unit,
        )
        for unit in range(2, 9)
    ),
    Account("qiye9", "齐新苗", "employer", COUNTY, "用人单位账号，待乡镇确认", unit=9),
    *_officers("taonan", "township", "220881901", "洮南市示例镇人民政府", ("shili", "陶一鸣", "clerk")),
    *_officers("taonan", "hrss", NEIGHBOUR, "洮南市人社局", ("renshe", "陶可人", "clerk")),
    *_officers("taonan", "rural", NEIGHBOUR, "洮南市乡村振兴局", ("xiangcun", "陶然", "clerk")),
    *_officers("taonan", "finance", NEIGHBOUR, "洮南市财政局", ("caizheng", "陶朱华", "clerk")),
    Account("taonan.shenji", "陶审之", "auditor", NEIGHBOUR, "洮南市审计人员"),
    Account("taonan.guanli", "陶维新", "admin", NEIGHBOUR, "洮南市系统管理员"),
    Account("taonan.qiye", "陶永安", "employer", NEIGHBOUR, "洮南市用人单位首个账号", unit=10),
)

#: Office kind, division and name.
OFFICES = (
    ("township", "220822901", "示范镇人民政府"),
    ("township", "220822902", "向阳乡人民政府"),
    ("hrss", COUNTY, "通榆县人力资源和社会保障局"),
    ("rural", COUNTY, "通榆县乡村振兴局"),
    ("ndrc", COUNTY, "通榆县发展和改革局"),
    ("finance", COUNTY, "通榆县财政局"),
    ("owner", COUNTY, "通榆县水利局"),
    ("hrss", PROVINCE, "吉林省人力资源和社会保障厅"),
    ("township", "220881901", "示例镇人民政府"),
    ("hrss", NEIGHBOUR, "洮南市人力资源和社会保障局"),
    ("rural", NEIGHBOUR, "洮南市乡村振兴局"),
    ("finance", NEIGHBOUR, "洮南市财政局"),
)


@dataclass(frozen=True)
class Unit:
    """A fictional employer. ``legal``: which of the villagers represents it."""

    number: int
    name: str
    kind: str
    village: str
    legal: int
    contact: str


UNITS = (
    Unit(1, "通榆县晨曦服装加工有限公司（演示）", "company", "220822901201", 9, "陈一诺"),
    Unit(2, "通榆县绿野杂粮种植专业合作社（演示）", "cooperative", "220822902201", 19, "齐二民"),
    Unit(3, "通榆县巧手草编家庭农场（演示）", "family_farm", "220822901202", 29, "齐三民"),
    Unit(4, "通榆县鹤乡食品有限公司（演示）", "company", "220822902202", 39, "齐四民"),
    Unit(5, "通榆县惠民农民劳务专业合作社（演示）", "labour_cooperative", "220822901203", 49, "齐五民"),
    Unit(6, "通榆县瑞和手套厂（演示）", "individual", "220822902203", 59, "齐六民"),
    Unit(7, "示范镇前进村股份经济合作社（演示）", "collective", "220822901201", 69, "齐七民"),
    Unit(8, "通榆县向海木业有限公司（演示）", "company", "220822902201", 79, "齐八民"),
    Unit(9, "通榆县新苗针织有限公司（演示）", "company", "220822901202", 89, "齐新苗"),
    Unit(10, "洮南市永安粉条加工厂（演示）", "individual", "220881901201", 99, "陶永安"),
)
