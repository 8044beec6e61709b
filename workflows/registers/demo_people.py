"""The fictional people and firms of the demonstration: the same every time, right by their checksums, nobody's.

Nobody can hold these numbers. ID numbers and credit codes carry the area code 220899, which was never given to a county;
phones begin with 154, a range without subscribers when this was written.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from stdnum import luhn
from stdnum.cn import uscc

from workflows.base.privacy import id_check_digit

#: Six digits that no county has.
AREA = "220899"
PEOPLE = 400

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN_TEXT = (
    "秀英 桂兰 玉珍 淑华 凤云 丽娟 春梅 海燕 雪梅 冬梅 建国 志强 永福 宝山 长林 德顺 国栋 立新 金生 连喜 "
    "晓东 雨桐 佳怡 浩然 子涵 思远 文博 欣悦 明哲 嘉禾 艳秋 洪波 庆丰 占山 会芹 亚杰 振江 玉柱 广田 素芬"
)
_GIVEN = _GIVEN_TEXT.split()
#: Characters beyond the common sets and long minority names: fonts, files and masks must bear them.
_RARE_NAMES = ("王㛃", "李䶮", "赵𬭎", "孙㙓", "乌云·其其格", "敖登·格日勒", "欧阳𤧛", "陈堃")


@dataclass(frozen=True)
class DemoPerson:
    """A fictional villager. ``category`` is ``None`` for those on no list."""

    number: int
    name: str
    id_number: str
    born_on: date
    category: str | None
    village: int
    household: str
    work: str
    relocated: bool
    since: date | None
    phone: str
    bank_account: str


def people(villages: int) -> list[DemoPerson]:
    """Everybody, spread evenly over so many villages; nine of ten are on the list."""
    source = random.Random(220822)  # noqa: S311 - the same people every time, nothing secret
    return [_person(source, number, villages) for number in range(PEOPLE)]


def _person(source: random.Random, number: int, villages: int) -> DemoPerson:
    born_on = date(1967, 1, 1) + timedelta(days=source.randrange(365 * 40))
    name = source.choice(_SURNAMES) + source.choice(_GIVEN)
    # Rare names are spread thin, so that every roster has one and none is full of them.
    if number % 12 == 5:
        name = _RARE_NAMES[number // 12 % len(_RARE_NAMES)]
    category = _category(number)
    first_year = 2014 if category == "poverty_alleviated" else 2021
    since = date(first_year + source.randrange(4), 12, 31)
    return DemoPerson(
        number=number,
        name=name,
        id_number=id_number(born_on, number),
        born_on=born_on,
        category=category,
        village=number % villages,
        household=f"{number % villages + 1}{number // villages // 2:03d}",
        work=_WORK[number % len(_WORK)],
        relocated=number // villages // 2 % 6 == 0,
        since=since if category else None,
        phone=f"1540000{number:04d}",
        bank_account=bank_account(number),
    )


#: Of ten, six work near home, one elsewhere in the province, one outside, one nowhere, one cannot.
_WORK = ("county", "county", "none", "county", "province", "county", "outside", "county", "unable", "county")


def _category(number: int) -> str | None:
    """Mixed, so that any stretch of people has some of each: of twenty, fifteen, three and two."""
    place = number % 20
    if place in (9, 19):
        return None
    return "monitored" if place in (3, 11, 16) else "poverty_alleviated"


def id_number(born_on: date, serial: int) -> str:
    """A checksum-valid ID number of nobody. ``serial``: up to 999 people on one day."""
    body = f"{AREA}{born_on:%Y%m%d}{serial % 999 + 1:03d}"
    return body + id_check_digit(body)


def credit_code(serial: int) -> str:
    """A checksum-valid 统一社会信用代码 of no firm, its 组织机构代码 checksum-valid too (GB 32100, GB 11714)."""
    body = f"DEM{serial:05d}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit, 36) * weight for digit, weight in zip(body, weights, strict=True))
    check = "0X987654321"[total % 11]
    code = f"91{AREA}{body}{check}"
    return code + str(uscc.calc_check_digit(code))


def bank_account(serial: int) -> str:
    """A Luhn-valid card number under an issuer code that no bank has."""
    body = f"629999{serial:012d}"
    return body + str(luhn.calc_check_digit(body))


def listed(everybody: Sequence[DemoPerson]) -> list[DemoPerson]:
    """Those on the list of 脱贫人口 and 监测对象."""
    return [person for person in everybody if person.category is not None]
