"""The password policy and the hashing."""

from __future__ import annotations

import re

import pytest
from argon2 import PasswordHasher

from workflows.base.errors import Invalid
from workflows.organisations import passwords
from workflows.organisations.passwords import (
    DEMO_PASSWORD,
    check_policy,
    hash_password,
    matches,
    needs_rehash,
    problems,
    temporary_password,
)


@pytest.mark.parametrize(
    "password", ["Chagan-7", "abcdefghijkm", "查干湖水面很宽Aa1", "long enough words", "Aa1!bcde"]
)
def test_good_passwords(password: str) -> None:
    assert problems(password, "renshe.a") == []


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("Aa1!bcd", "至少 12 个字符"),
        ("abcdefg1", "三类"),
        ("abcdefghijk", "至少 12 个字符"),
        ("aaaaaaaaaaaa", "不同的字符太少"),
        ("Admin@123", "太常见"),
        (DEMO_PASSWORD, "太常见"),
        ("my-RENSHE.A-77", "用户名"),
        ("x" * 100 + "abcdefghijklmnopqrstuvwxyz1234", "不能超过 128"),
    ],
)
def test_bad_passwords_are_told_what_is_wrong(password: str, says: str) -> None:
    found = problems(password, "renshe.a")
    assert len(found) == 1
    assert says in found[0]


def test_a_bad_password_is_refused_beside_its_field() -> None:
    check_policy("Chagan-7")
    with pytest.raises(Invalid) as refused:
        check_policy("short", field="new")
    assert list(refused.value.errors) == ["new"]


def test_a_short_user_name_may_occur_by_chance() -> None:
    assert problems("abcdefghijkm", "ab") == []


def test_a_hash_fits_its_password_alone() -> None:
    stored = hash_password("Chagan-7")
    assert stored.startswith("$argon2id$")
    assert "Chagan" not in stored
    assert matches(stored, "Chagan-7")
    assert matches(stored, "Ｃｈａｇａｎ－７"), "full-width letters are the same keys"
    assert not matches(stored, "chagan-7")
    assert not matches("no hash at all", "Chagan-7")


def test_a_hash_of_other_parameters_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = hash_password("Chagan-7")
    assert not needs_rehash(stored)
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert needs_rehash(stored)
    assert matches(stored, "Chagan-7")


def test_temporary_passwords_differ_can_be_read_out_and_keep_the_policy() -> None:
    made = {temporary_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        assert re.fullmatch(r"[a-z]{4}-\d{4}-[a-z]{4}-\d{4}", password)
        assert not set(password) & set("01lioq")
