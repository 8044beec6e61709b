"""ID numbers, credit codes, phones, accounts and names: the normal form, and what is wrong in plain words."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.identifiers import (
    age_on,
    check_bank_account,
    check_credit_code,
    check_id,
    check_person_name,
    check_phone,
    check_worker_age,
    id_birth,
    id_check_digit,
    luhn_holds,
    normal_id,
)
from tests.unit.forms.people import TODAY, id_number

births = st.dates(min_value=date(1930, 1, 1), max_value=date(2010, 12, 31))
areas = st.integers(min_value=110000, max_value=829999)
serials = st.integers(min_value=0, max_value=999)


@given(areas, births, serials)
def test_any_area_code_is_accepted(area: int, born: date, serial: int) -> None:
    """Registers of area codes reject real people born before a code was created: 220322, 220381, 220602."""
    first17 = f"{area}{born:%Y%m%d}{serial:03d}"
    number = first17 + id_check_digit(first17)
    assert check_id(number, TODAY) == (number, "", "")
    assert id_birth(number) == born


@given(areas, births, serials)
def test_every_spelling_has_one_normal_form(area: int, born: date, serial: int) -> None:
    first17 = f"{area}{born:%Y%m%d}{serial:03d}"
    number = first17 + id_check_digit(first17)
    wide = "".join(chr(ord(char) + 0xFEE0) for char in number)
    for spelling in (number.lower(), wide, f" {number[:6]} {number[6:14]} {number[14:]} ", f"'{number}"):
        assert normal_id(spelling) == number
        assert check_id(spelling, TODAY)[0] == number
    if born.year < 2000:
        assert normal_id(number[:6] + number[8:17]) == number


@given(areas, births, serials, st.integers(min_value=0, max_value=16), st.integers(min_value=1, max_value=9))
def test_one_wrong_digit_is_always_found(area: int, born: date, serial: int, place: int, shift: int) -> None:
    first17 = f"{area}{born:%Y%m%d}{serial:03d}"
    number = first17 + id_check_digit(first17)
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    value, error, _ = check_id(wrong, TODAY)
    assert value is None
    assert error.startswith("身份证号校验不通过：填的是 ")
    assert wrong not in error


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        (
            "220822199001011234",
            "身份证号校验不通过：填的是 220822********1234，可能输错了一位，请对照身份证重填",
        ),
        ("2208221990", "身份证号位数不对：填的是 220*****90，共 10 位，应为 18 位，请对照身份证重填"),
        (
            "22082219900101O23",
            "身份证号中有不该出现的字符：第 15 位是“O”，身份证号只有数字，末位可以是 X，请重填",
        ),
        ("2208221990X1011234", "身份证号中有不该出现的字符：X 只能在末位，请对照身份证重填"),
    ],
)
def test_wrong_id_numbers(typed: str, error: str) -> None:
    assert check_id(typed, TODAY) == (None, error, "")


def test_a_number_that_excel_cut_off_says_so() -> None:
    error = check_id("220822199001011000", TODAY)[1]
    assert "末几位是 000，可能被 Excel 改过" in error
    assert check_id("2.2082E+17", TODAY)[1] == (
        "号码被 Excel 改成了数字：单元格里是 2.21E+17，后几位已经丢失，"
        "请先把这一列的单元格格式改为“文本”，再重新输入完整号码"
    )


@pytest.mark.parametrize("born", ["18500101", "20270101", "19901301", "19900230"])
def test_impossible_births(born: str) -> None:
    assert check_id(id_number(1, born), TODAY)[1].startswith(
        "身份证号中的出生日期不对：填的是 220822********"
    )


def test_an_old_number_is_converted_with_a_word() -> None:
    value, error, warning = check_id("220822900101001", TODAY)
    assert value == id_number(1)
    assert error == ""
    assert warning.startswith("15 位旧身份证号：已换算为 220822********")


def test_age_is_counted_on_the_day() -> None:
    assert age_on(date(2010, 11, 24), TODAY) == 16
    assert age_on(date(2010, 11, 25), TODAY) == 15
    assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17


@pytest.mark.parametrize(
    ("born", "error", "warning"),
    [
        ("20101125", "未满 16 周岁：按身份证号现年 15 周岁", ""),
        ("20101124", "", ""),
        ("19661125", "", ""),
        ("19661124", "", "已满 60 周岁：按身份证号现年 60 周岁"),
    ],
)
def test_working_age(born: str, error: str, warning: str) -> None:
    found = check_worker_age(id_number(1, born), TODAY)
    assert found[0].startswith(error)
    assert bool(found[0]) == bool(error)
    assert found[1].startswith(warning)
    assert bool(found[1]) == bool(warning)


USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code(first17: str) -> str:
    """GB 32100 as the standard writes it: weights 3^i mod 31."""
    total = sum(USCC.index(char) * pow(3, place, 31) for place, char in enumerate(first17))
    return first17 + USCC[(31 - total % 31) % 31]


@given(
    st.sampled_from(["91", "92", "93", "51", "12", "N2", "Y1"]),
    st.integers(min_value=110000, max_value=659999),
    st.text(alphabet=USCC, min_size=9, max_size=9),
)
def test_credit_codes_of_every_kind(kind: str, area: int, body: str) -> None:
    """N2 are village collectives, whose letter stdnum's own shape refuses."""
    code = credit_code(f"{kind}{area}{body}")
    assert check_credit_code(code) == (code, "", "")
    assert check_credit_code(code.lower())[0] == code
    wrong = code[:-1] + USCC[(USCC.index(code[-1]) + 1) % 31]
    assert check_credit_code(wrong)[1].startswith("统一社会信用代码校验不通过：填的是“")


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("9122", "统一社会信用代码位数不对：填的是“9122”，共 4 位，应为 18 位，请对照营业执照重填"),
        (
            "91220822MA0YI12345",
            "统一社会信用代码中有不该出现的字符：第 13 位是“I”，代码不用字母 I、O、S、V、Z，请对照营业执照重填",
        ),
        (
            "912208A2MA0Y012345",
            "统一社会信用代码校验不通过：填的是“912208A2MA0Y012345”，可能输错了一位，请对照营业执照重填",
        ),
    ],
)
def test_wrong_credit_codes(typed: str, error: str) -> None:
    assert check_credit_code(typed) == (None, error, "")


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("13812345678", "13812345678"),
        ("+86 138-1234-5678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("0438-3212345", "0438-3212345"),
        ("04383212345", "0438-3212345"),
        ("（0438）3212345", "0438-3212345"),
        ("0431-88912345转801", "0431-88912345-801"),
        ("400-123-4567", "400-123-4567"),
    ],
)
def test_phones(typed: str, value: str) -> None:
    assert check_phone(typed) == (value, "", "")


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        (
            "1381234567",
            "电话号码不对：填的是 138***4567，共 10 个字符，应为 11 位手机号，或带区号的固定电话，如 0438-3212345",
        ),
        ("3212345", "固定电话缺少区号：填的是 *******，共 7 个字符，请在前面加上区号，如 0438-3212345"),
        ("1.38E+10", "号码被 Excel 改成了数字：单元格里是 1.38E+10"),
    ],
)
def test_wrong_phones(typed: str, error: str) -> None:
    assert check_phone(typed)[1].startswith(error)


def test_where_only_a_mobile_will_do() -> None:
    assert check_phone("0438-3212345", mobile_only=True)[1].startswith("手机号不对：填的是 043*****2345")


@given(st.text(alphabet="0123456789", min_size=7, max_size=18))
def test_luhn_is_the_standards(digits: str) -> None:
    doubled = [int(char) * (2 if place % 2 == 0 else 1) for place, char in enumerate(reversed(digits))]
    check = -sum(one // 10 + one % 10 for one in doubled) % 10
    assert [luhn_holds(digits + last) for last in "0123456789"].index(True) == check
    value, error, warning = check_bank_account(digits + str(check))
    assert (value, error, warning) == (digits + str(check), "", "")


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("6222 02ab 1234", "银行账号中有数字以外的字符：填的是 ********1234，共 12 位，请只填数字"),
        ("1234567", "银行账号位数不对：填的是 ***4567，共 7 位，应为 8 至 30 位数字，请对照卡片或存折重填"),
        ("6.22202E+18", "号码被 Excel 改成了数字：单元格里是 6.22E+18"),
    ],
)
def test_wrong_accounts(typed: str, error: str) -> None:
    assert check_bank_account(typed)[1].startswith(error)


def test_a_wrong_luhn_digit_only_warns() -> None:
    value, error, warning = check_bank_account("6222 0212 3456 7890")
    assert value == "6222021234567890"
    assert error == ""
    assert warning.startswith(
        "银行账号不符合银行卡的校验规则：填的是 ************7890，如是存折或对公账户可不改"
    )
    assert check_bank_account("7992 7398 713") == ("79927398713", "", "")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("王小明", "王小明"),
        ("王 明", "王明"),
        ("𠮷田𪚥", "𠮷田𪚥"),
        ("〇一", "〇一"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("阿依古丽.买买提", "阿依古丽·买买提"),
        ("葛\U000e0100城", "葛\U000e0100城"),
    ],
)
def test_names(typed: str, name: str) -> None:
    assert check_person_name(typed) == (name, "", "")


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("张3", "姓名中有不该出现的字符：“张3”中的“3”，请按身份证上的姓名重填"),
        ("张三(小)", "姓名中有不该出现的字符：“张三(小)”中的“(”，请按身份证上的姓名重填"),
        ("王", "姓名不完整：填的是“王”，请按身份证上的姓名填写全名"),
        ("王·", "姓名不完整：填的是“王·”，请按身份证上的姓名填写全名"),
        ("A", "姓名不完整：填的是“A”，请按身份证上的姓名填写全名"),
    ],
)
def test_wrong_names(typed: str, error: str) -> None:
    assert check_person_name(typed) == (None, error, "")


def test_doubtful_names_only_warn() -> None:
    assert check_person_name("John Smith")[2].startswith("姓名中有字母：填的是“John Smith”")
    assert check_person_name("张A")[2].startswith("姓名中有字母：填的是“张A”")
    assert check_person_name("王\ue000")[2].startswith("姓名中有自造字：“\ue000”（U+E000）")
