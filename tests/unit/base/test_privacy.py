"""Keys, encryption at rest, digests and masks."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from workflows.base import privacy
from workflows.base.privacy import (
    EncryptedJson,
    EncryptedText,
    Keyring,
    digest_id,
    mask_account,
    mask_id,
    mask_name,
    mask_phone,
    normalise_id,
)

OLD, NEW, INDEX = bytes(32), bytes(range(32)), bytes(range(32, 64))


@given(st.binary(max_size=200))
def test_what_is_encrypted_comes_back_and_never_looks_the_same(plain: bytes) -> None:
    ring = Keyring({"k1": NEW}, INDEX)
    sealed = ring.encrypt(plain)
    assert ring.decrypt(sealed) == plain
    assert sealed != ring.encrypt(plain)
    assert len(plain) < 8 or plain not in sealed


def test_a_changed_byte_is_noticed() -> None:
    ring = Keyring.generate()
    sealed = bytearray(ring.encrypt(b"220899197111250060"))
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        ring.decrypt(bytes(sealed))


def test_after_a_rotation_old_texts_are_read_and_digests_stay() -> None:
    before = Keyring({"k1": OLD}, INDEX)
    after = Keyring({"k1": OLD, "k2": NEW}, INDEX)
    assert after.decrypt(before.encrypt(b"text")) == b"text"
    assert b"k2" in after.encrypt(b"text")[:4]
    assert before.digest("text", "id") == after.digest("text", "id")
    with pytest.raises(KeyError):
        before.decrypt(after.encrypt(b"text"))


def test_digests_of_different_purposes_and_installations_differ() -> None:
    ring = Keyring({"k1": OLD}, INDEX)
    assert ring.digest("15400000001", "phone") != ring.digest("15400000001", "account")
    assert ring.digest("x", "id") != Keyring({"k1": OLD}, OLD).digest("x", "id")
    assert ring.derive("session") != ring.derive("device")
    assert len(ring.derive("session")) == 32


@pytest.mark.parametrize(("keys", "index"), [({}, INDEX), ({"k1": b"short"}, INDEX), ({"k1": NEW}, b"short")])
def test_keys_of_the_wrong_length_are_refused(keys: dict[str, bytes], index: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring(keys, index)


def test_keys_are_saved_for_their_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secret" / "keys.json"
    ring = Keyring.generate()
    ring.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring.load(path).decrypt(ring.encrypt(b"text")) == b"text"
    with pytest.raises(FileExistsError):
        Keyring.generate().save(path)


def test_without_a_keyring_nothing_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy._current, "keyring", None)
    with pytest.raises(RuntimeError, match="use_keyring"):
        digest_id("220899197111250060")


def test_columns_encrypt_what_they_are_given_and_leave_nothing_as_nothing() -> None:
    text, json = EncryptedText(), EncryptedJson()
    dialect = None
    stored = text.process_bind_param("王㛃", dialect)  # type: ignore[arg-type]  # the dialect is not looked at
    assert stored is not None
    assert "王" not in stored
    assert text.process_result_value(stored, dialect) == "王㛃"  # type: ignore[arg-type]
    kept = json.process_bind_param({"b": 1, "a": ["王㛃"]}, dialect)  # type: ignore[arg-type]
    assert list(json.process_result_value(kept, dialect)) == ["b", "a"]  # type: ignore[arg-type]
    for column in (text, json):
        assert column.process_bind_param(None, dialect) is None  # type: ignore[arg-type]
        assert column.process_result_value(None, dialect) is None  # type: ignore[arg-type]


def test_one_person_has_one_digest_however_the_number_is_written() -> None:
    number = "22089919711125006X"
    assert normalise_id(" 22089919711125006x ") == number
    assert digest_id("220899 19711125 006x") == digest_id(number)


def test_fifteen_digits_are_the_same_person_as_eighteen() -> None:
    assert normalise_id("220899711125006")[:17] == "22089919711125006"
    assert digest_id("220899711125006") == digest_id(normalise_id("220899711125006"))
    assert normalise_id("22089971112500A") == "22089971112500A", "no number: left as it is"


@pytest.mark.parametrize(
    ("mask", "plain", "shown"),
    [
        (mask_id, "220822199001011234", "220822********1234"),
        (mask_id, "2208", "****"),
        (mask_phone, "13812345678", "138****5678"),
        (mask_phone, "12345", "*****"),
        (mask_account, "6217000000001234", "****1234"),
        (mask_account, "1234", "****"),
        (mask_name, "王", "*"),
        (mask_name, "王明", "王*"),
        (mask_name, "王小明", "王*明"),
        (mask_name, "乌云·其其格", "乌****格"),
    ],
)
def test_masks(mask: object, plain: str, shown: str) -> None:
    assert callable(mask)
    assert mask(plain) == shown
