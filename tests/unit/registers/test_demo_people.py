"""The fictional people: right by every check, the same every time, and nobody."""

from __future__ import annotations

from collections import Counter
from datetime import date

from stdnum.cn import uscc

from forms.identifiers import check_bank_account, check_credit_code, check_id, check_person_name, check_phone
from workflows.registers.demo_people import AREA, PEOPLE, credit_code, listed, people

TODAY = date(2026, 3, 2)


def test_everybody_passes_every_check_without_a_warning() -> None:
    for person in people(6):
        for value, error, warning in (
            check_id(person.id_number, TODAY),
            check_phone(person.phone, mobile_only=True),
            check_bank_account(person.bank_account),
            check_person_name(person.name),
        ):
            assert value
            assert not error
            assert not warning, (person, warning)


def test_nobody_can_hold_these_numbers() -> None:
    assert all(person.id_number.startswith(AREA) for person in people(6))
    assert all(AREA in credit_code(number) for number in range(20))


def test_the_same_people_every_time_each_once() -> None:
    assert people(6) == people(6)
    for numbers in (
        {person.id_number for person in people(6)},
        {person.phone for person in people(6)},
        {person.bank_account for person in people(6)},
    ):
        assert len(numbers) == PEOPLE


def test_both_categories_and_ordinary_villagers_in_every_village() -> None:
    everybody = people(6)
    assert Counter(person.category for person in everybody) == {
        "poverty_alleviated": 300,
        "monitored": 60,
        None: 40,
    }
    assert {person.village for person in listed(everybody)} == set(range(6))
    assert all((person.since is None) == (person.category is None) for person in everybody)


def test_rare_characters_are_among_the_names() -> None:
    names = "".join(person.name for person in people(6))
    assert all(character in names for character in "㛃䶮𬭎·")


def test_credit_codes_are_valid_and_differ() -> None:
    codes = [credit_code(number) for number in range(1, 41)]
    assert len(set(codes)) == 40
    for code in codes:
        assert uscc.is_valid(code)
        assert check_credit_code(code)[1] == ""
