"""Both sets of algorithms: the standards' own vectors, and one behaviour behind the interface."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from workflows.base import suites
from workflows.base.privacy import Keyring
from workflows.base.suites import SUITES

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
TEXT = "居民身份证号码 220822199001011234".encode()


def sm3(data: bytes) -> str:
    made = hashes.Hash(hashes.SM3())
    made.update(data)
    return made.finalize().hex()


def test_sm3_of_the_standard() -> None:
    """GB/T 32905-2016, appendix A."""
    assert sm3(b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abcd" * 16) == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def sm4(data: bytes, times: int) -> str:
    machine = Cipher(algorithms.SM4(KEY), modes.ECB()).encryptor()  # one block, as the standard shows it
    for _ in range(times):
        data = machine.update(data)
    return data.hex()


def test_sm4_of_the_standard() -> None:
    """GB/T 32907-2016, appendix A.1."""
    assert sm4(KEY, 1) == "681edf34d206965e86b3e94f536e4246"


@pytest.mark.long
def test_sm4_a_million_times() -> None:
    """GB/T 32907-2016, appendix A.2."""
    assert sm4(KEY, 1_000_000) == "595298c7c6fd271f0402f804c33d3f66"


def test_sm4_gcm_of_rfc_8998(monkeypatch: pytest.MonkeyPatch) -> None:
    """Appendix A.1, through our own seal."""
    monkeypatch.setattr(suites.os, "urandom", lambda _: bytes.fromhex("00001234567800000000abcd"))
    plain = bytes.fromhex("".join(two * 8 for two in ("aa", "bb", "cc", "dd", "ee", "ff", "ee", "aa")))
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = SUITES["gm"].seal(KEY, plain, bound)
    assert sealed[12:].hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert SUITES["gm"].unseal(KEY, sealed, bound) == plain


def test_hmac_sm3_is_hmac_over_sm3() -> None:
    """RFC 2104 written out over SM3: blocks of 64 bytes."""
    key, data = b"k" * 32, b"what is looked up"
    padded = key.ljust(64, b"\0")
    inner = bytes.fromhex(sm3(bytes(one ^ 0x36 for one in padded) + data))
    assert SUITES["gm"].mac(key, data).hex() == sm3(bytes(one ^ 0x5C for one in padded) + inner)


@pytest.mark.parametrize("name", SUITES)
def test_what_is_sealed_opens_with_its_key_and_unaltered_alone(name: str) -> None:
    suite, key = SUITES[name], bytes(range(32))
    sealed = suite.seal(key, TEXT, b"k1")
    assert TEXT not in sealed
    assert suite.seal(key, TEXT, b"k1") != sealed
    assert suite.unseal(key, sealed, b"k1") == TEXT
    for wrong in (
        sealed[:-1],
        sealed[:5],
        b"",
        bytes([sealed[0] ^ 1]) + sealed[1:],
        sealed[:-1] + bytes([sealed[-1] ^ 1]),
    ):
        with pytest.raises((InvalidTag, ValueError)):
            suite.unseal(key, wrong, b"k1")
    with pytest.raises(InvalidTag):
        suite.unseal(key, sealed, b"k2")
    with pytest.raises(InvalidTag):
        suite.unseal(bytes(32), sealed, b"k1")


def test_keys_of_both_suites_lie_in_one_file(tmp_path: Path) -> None:
    """An installation that began with the usual algorithms goes over to 国密 and still reads what it has."""
    before = Keyring.generate()
    old = before.encrypt(TEXT)
    after = before.with_new_key("gm")
    after.save(tmp_path / "keys.json")
    read = Keyring.load(tmp_path / "keys.json")
    assert (before.suite, read.suite) == ("standard", "gm")
    new = read.encrypt(TEXT)
    assert read.decrypt(old) == read.decrypt(new) == TEXT
    assert read.digest("220822199001011234", "id") == before.digest("220822199001011234", "id")
    assert read.without("k1").decrypt(new) == TEXT
    assert Keyring.generate("gm").digest("1", "id") != Keyring.generate("gm").digest("1", "id")
    with pytest.raises(ValueError, match="unknown"):
        before.with_new_key("rot13")
