"""Numbers that identify people, firms and accounts, and people's names: normal forms and what is wrong with them.

Each ``check_…`` takes cleaned text and returns (value, error, warning); value is None when there is an error.
ID numbers are held to GB 11643 (length, a real birth date, ISO 7064 mod 11-2) and nothing else: registers of area
codes reject real people born before a code was created. Credit codes are held to GB 32100 (mod 31).
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from operator import mul
from typing import TypeAlias

from stdnum.cn import uscc

from forms.model import Value
from forms.text import compact, half, is_han, mask, masked, message, name_of, quoted

Checked: TypeAlias = tuple[Value, str, str]

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_ZERO = ord("0") * sum(_ID_WEIGHTS)
_ID_SHAPE = re.compile(r"\d{17}[\dX]\Z", re.ASCII)
_ID_WRONG = re.compile(r"[^\dX]", re.ASCII)
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+?\d{1,2}\Z", re.ASCII)
_USCC_SHAPE = re.compile(r"[1-9A-HJ-NP-RTUWXY][1-9A-HJ-NP-RTUWXY]\d{6}[0-9A-HJ-NP-RTUWXY]{10}\Z", re.ASCII)
_USCC_WRONG = re.compile(r"[^0-9A-HJ-NP-RTUWXY]", re.ASCII)
_ACCOUNT = re.compile(r"\d{8,30}\Z", re.ASCII)
_VALUES = bytes((byte - 48) % 256 for byte in range(256))
_DOUBLED = bytes((2 * byte - 9 * (byte > 4)) % 256 for byte in range(256))
_MOBILE = re.compile(r"1[3-9]\d{9}\Z", re.ASCII)
_LANDLINE = re.compile(r"(0\d{2,3})[-()]*(\d{7,8})(?:[-转*]+(\d{1,6}))?\Z", re.ASCII)
_SERVICE = re.compile(r"([48]00)-?(\d{3})-?(\d{4})\Z", re.ASCII)
_DOTS = re.compile("[•・‧∙⋅．]|(?<=[\u3400-\u9fff])\\.(?=[\u3400-\u9fff])")
_APOSTROPHES = "'’‘`＇"
_MANGLED = "号码被 Excel 改成了数字"
_MANGLED_HOW = "后几位已经丢失，请先把这一列的单元格格式改为“文本”，再重新输入完整号码"

ADULT, RETIRED = 16, 60


def mangled(number: float) -> str:
    """The message for a long number that a sheet kept as a number, so that its last digits are gone."""
    return message(_MANGLED, f"单元格里是 {number:.2E}", _MANGLED_HOW)


def plain_number(text: str) -> str:
    """A number as typed, without spaces, hyphens and the apostrophe that marks text in Excel, in capitals."""
    return compact(text.strip(_APOSTROPHES)).replace("-", "").upper()


def id_check_digit(first17: str) -> str:
    """The 18th character of an ID number, ISO 7064 mod 11-2."""
    return "10X98765432"[(sum(map(mul, first17.encode(), _ID_WEIGHTS)) - _ID_ZERO) % 11]


def normal_id(text: str) -> str:
    """An ID number in its one form: half-width, no spaces, capital X, 15 digits made 18. It is not checked."""
    number = plain_number(text)
    if len(number) == 15 and number.isascii() and number.isdigit():
        first17 = f"{number[:6]}19{number[6:]}"
        return first17 + id_check_digit(first17)
    return number


def id_birth(number: str) -> date | None:
    """The birth date in an 18-character ID number; None when there is no such day."""
    return _day(number[6:14])


@lru_cache(maxsize=32768)
def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def age_on(birth: date, day: date) -> int:
    """Full years lived on that day; who is born on 29 February grows older on 1 March."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def check_id(text: str, today: date) -> Checked:
    """An ID number. Warns about a converted 15-digit number."""
    typed = number = text
    if _ID_SHAPE.match(text) is None:
        typed = plain_number(text)
        number = normal_id(typed)
        if _ID_SHAPE.match(number) is None:
            return None, _id_shape_error(number), ""
    if id_check_digit(number[:17]) != number[17]:
        hint = "末几位是 000，可能被 Excel 改过，" if number.endswith("000") else ""
        return (
            None,
            message(
                "身份证号校验不通过",
                f"填的是 {masked('id_number', number)}",
                f"{hint}可能输错了一位，请对照身份证重填",
            ),
            "",
        )
    birth = id_birth(number)
    if birth is None or birth.year < 1900 or birth > today:
        return (
            None,
            message("身份证号中的出生日期不对", f"填的是 {masked('id_number', number)}", "请对照身份证重填"),
            "",
        )
    if len(typed) == 15:
        return (
            number,
            "",
            message("15 位旧身份证号", f"已换算为 {masked('id_number', number)}", "请对照新证核对"),
        )
    return number, "", ""


def _id_shape_error(number: str) -> str:
    if _SCIENTIFIC.match(number):
        return mangled(float(number))
    wrong = _ID_WRONG.search(number)
    if wrong is not None:
        return message(
            "身份证号中有不该出现的字符",
            f"第 {wrong.start() + 1} 位是“{name_of(wrong.group())}”",
            "身份证号只有数字，末位可以是 X，请重填",
        )
    if len(number) != 18:
        return message(
            "身份证号位数不对",
            f"填的是 {mask(number, 3, 2)}，共 {len(number)} 位",
            "应为 18 位，请对照身份证重填",
        )
    return message("身份证号中有不该出现的字符", "X 只能在末位", "请对照身份证重填")


def check_worker_age(number: str, today: date) -> tuple[str, str]:
    """(error, warning) about the age of the holder of a valid ID number: under 16 blocks, from 60 on warns."""
    birth = id_birth(number)
    age = age_on(birth, today) if birth else ADULT
    if age < ADULT:
        return message("未满 16 周岁", f"按身份证号现年 {age} 周岁", "不能列为务工人员，请核对身份证号"), ""
    if age >= RETIRED:
        return "", message(
            "已满 60 周岁", f"按身份证号现年 {age} 周岁", "请核对是否仍在岗、签的是劳动合同还是用工协议"
        )
    return "", ""


@lru_cache(maxsize=1024)
def check_credit_code(text: str) -> Checked:
    """统一社会信用代码. Codes of village collectives (N…) are valid, which stdnum's whole check refuses."""
    code = plain_number(text)
    if len(code) != 18:
        return (
            None,
            message(
                "统一社会信用代码位数不对",
                f"填的是{quoted(code)}，共 {len(code)} 位",
                "应为 18 位，请对照营业执照重填",
            ),
            "",
        )
    wrong = _USCC_WRONG.search(code)
    if wrong is not None:
        return (
            None,
            message(
                "统一社会信用代码中有不该出现的字符",
                f"第 {wrong.start() + 1} 位是“{name_of(wrong.group())}”",
                "代码不用字母 I、O、S、V、Z，请对照营业执照重填",
            ),
            "",
        )
    if _USCC_SHAPE.match(code) is None or uscc.calc_check_digit(code[:17]) != code[17]:
        return (
            None,
            message(
                "统一社会信用代码校验不通过",
                f"填的是{quoted(code)}",
                "可能输错了一位，请对照营业执照重填",
            ),
            "",
        )
    return code, "", ""


def check_phone(text: str, *, mobile_only: bool = False) -> Checked:
    """A mobile number, or a landline with its area code."""
    if _MOBILE.match(text):
        return text, "", ""
    number = compact(text.strip(_APOSTROPHES)).upper()
    if _SCIENTIFIC.match(number):
        return None, mangled(float(number)), ""
    digits = number.replace("-", "").removeprefix("+").removeprefix("86")
    if _MOBILE.match(digits):
        return digits, "", ""
    if mobile_only:
        return None, message("手机号不对", _found_phone(number), "应为 1 开头的 11 位手机号"), ""
    landline = _LANDLINE.match(number.replace("(", "", 1) if number.startswith("(") else number)
    if landline is not None:
        area, local, extension = landline.groups()
        return f"{area}-{local}" + (f"-{extension}" if extension else ""), "", ""
    service = _SERVICE.match(number)
    if service is not None:
        return "-".join(service.groups()), "", ""
    todo = "应为 11 位手机号，或带区号的固定电话，如 0438-3212345"
    if number.isdigit() and len(number) in (7, 8):
        return (
            None,
            message("固定电话缺少区号", _found_phone(number), "请在前面加上区号，如 0438-3212345"),
            "",
        )
    return None, message("电话号码不对", _found_phone(number), todo), ""


def _found_phone(number: str) -> str:
    return f"填的是 {masked('phone', number)}，共 {len(number)} 个字符"


def luhn_holds(digits: str) -> bool:
    """Whether the last digit is the one that ISO/IEC 7812 asks for."""
    plain = digits.encode().translate(_VALUES)
    return (sum(plain[::-2]) + sum(plain[-2::-2].translate(_DOUBLED))) % 10 == 0


def check_bank_account(text: str) -> Checked:
    """A bank account. A wrong Luhn digit only warns: passbooks and corporate accounts do not follow it."""
    if _ACCOUNT.match(text) and luhn_holds(text):
        return text, "", ""
    number = plain_number(text)
    if _SCIENTIFIC.match(number):
        return None, mangled(float(number)), ""
    shown = f"填的是 {masked('bank_account', number)}，共 {len(number)} 位"
    if not (number.isascii() and number.isdigit()):
        return None, message("银行账号中有数字以外的字符", shown, "请只填数字"), ""
    if not 8 <= len(number) <= 30:
        return None, message("银行账号位数不对", shown, "应为 8 至 30 位数字，请对照卡片或存折重填"), ""
    if not luhn_holds(number):
        warning = message(
            "银行账号不符合银行卡的校验规则",
            f"填的是 {masked('bank_account', number)}",
            "如是存折或对公账户可不改，如是银行卡请核对",
        )
        return number, "", warning
    return number, "", ""


def check_person_name(text: str) -> Checked:
    """A person's name: ideographs of every plane and the dot of minority names; Latin letters only warn."""
    name = _DOTS.sub("·", text)
    han = [is_han(char) for char in name]
    if all(han):
        return (name, "", "") if len(name) > 1 else (None, _short_name(name), "")
    if any(han):
        name = "".join(char for char in name if char != " ")
    warning = ""
    for char in name:
        code = ord(char)
        if is_han(char) or char == "·" or 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
            continue
        if 0xE000 <= code <= 0xF8FF or 0xF0000 <= code <= 0x10FFFD:
            warning = message(
                "姓名中有自造字",
                f"“{char}”（U+{code:04X}）在别的电脑和打印的文书上显示不出来",
                "请改用输入法中的生僻字重填",
            )
        elif (half(char).isalpha() and half(char).isascii()) or (char in " -'." and not any(han)):
            warning = warning or message(
                "姓名中有字母", f"填的是{quoted(name)}", "如不是外国人或证件上的写法，请改为汉字"
            )
        else:
            return (
                None,
                message(
                    "姓名中有不该出现的字符",
                    f"{quoted(name)}中的“{name_of(char)}”",
                    "请按身份证上的姓名重填",
                ),
                "",
            )
    if len(name.strip("·")) < 2 or name != name.strip("·"):
        return None, _short_name(name), ""
    return name, "", warning


def _short_name(name: str) -> str:
    return message("姓名不完整", f"填的是{quoted(name)}", "请按身份证上的姓名填写全名")
