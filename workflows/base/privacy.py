"""Personal data: encrypted at rest, found again by HMAC, masked on screen (PIPL art. 28, 51).

ID numbers, phones and accounts are stored under a named key (AES-256-GCM, or SM4-GCM); what must be searchable has an HMAC
beside it, under a key of its own that does not rotate with the others. Keys live outside the database.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from workflows.base.suites import SUITES


class Keyring:
    """Named encryption keys (the newest encrypts, all decrypt) and one HMAC key.

    :param keys: key name → 32 bytes; the last named is used for new texts.
    :param index_key: 32 bytes for HMACs.
    :param suites: key name → its algorithms (:data:`workflows.base.suites.SUITES`); ``standard`` where nothing is said.
    :param index_suite: those of the HMACs: they stay what they were when the installation began.
    """

    def __init__(
        self,
        keys: dict[str, bytes],
        index_key: bytes,
        suites: Mapping[str, str] | None = None,
        index_suite: str = "standard",
    ) -> None:
        if not keys or any(len(key) != 32 for key in keys.values()) or len(index_key) != 32:
            raise ValueError("keys of 32 bytes are needed")
        self._keys = dict(keys)
        self._newest = list(keys)[-1]
        self._index_key = index_key
        self._suites = {name: (suites or {}).get(name, "standard") for name in keys}
        self._index_suite = index_suite
        if not {*self._suites.values(), index_suite} <= set(SUITES):
            raise ValueError("an unknown set of algorithms")

    @classmethod
    def generate(cls, suite: str = "standard") -> Keyring:
        """New keys for a new installation."""
        return cls({"k1": os.urandom(32)}, os.urandom(32), {"k1": suite}, suite)

    @classmethod
    def load(cls, path: Path) -> Keyring:
        data = json.loads(path.read_text())
        return cls(
            {name: base64.b64decode(key) for name, key in data["keys"].items()},
            base64.b64decode(data["index_key"]),
            data.get("suites"),
            data.get("index_suite", "standard"),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The encryption keys, the newest last."""
        return tuple(self._keys)

    @property
    def suite(self) -> str:
        """The algorithms under which new texts are sealed."""
        return self._suites[self._newest]

    def with_new_key(self, suite: str | None = None) -> Keyring:
        """The same keys and a new one, which encrypts from now on.

        :param suite: its algorithms; those of the present key when left out.
        """
        number = 1 + max((int(name[1:]) for name in self._keys if name[1:].isdigit()), default=0)
        name = f"k{number:04d}"
        suites = {**self._suites, name: suite or self.suite}
        return Keyring({**self._keys, name: os.urandom(32)}, self._index_key, suites, self._index_suite)

    def without(self, name: str) -> Keyring:
        """The keys but for an old one. Raises ``ValueError`` for the newest and for a stranger."""
        if name not in self._keys or name == self._newest:
            raise ValueError(name)
        kept = {one: key for one, key in self._keys.items() if one != name}
        return Keyring(kept, self._index_key, self._suites, self._index_suite)

    def save(self, path: Path, *, replace: bool = False) -> None:
        """Write the keys to ``path``, readable by the owner alone.

        :param replace: put it in the place of the present file, whole or not at all; otherwise a file that is there is refused:
            lost keys are lost data.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(
            {
                "keys": {name: base64.b64encode(key).decode() for name, key in self._keys.items()},
                "index_key": base64.b64encode(self._index_key).decode(),
                "suites": self._suites,
                "index_suite": self._index_suite,
            }
        )
        draft = path.with_name(f"{path.name}.{os.getpid()}.new") if replace else path
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)

    def fingerprints(self) -> list[str]:
        """Each key's name with the beginning of its SHA-256: enough to know which file belongs to which backup."""
        return [
            f"{name}:{hashlib.sha256(b'fingerprint' + key).hexdigest()[:12]}"
            for name, key in (*self._keys.items(), ("index", self._index_key))
        ]

    def encrypt(self, plain: bytes) -> bytes:
        """Sealed under the newest key, its name in front."""
        name = self._newest.encode()
        sealed = SUITES[self.suite].seal(self._keys[self._newest], plain, name)
        return bytes([len(name)]) + name + sealed

    def decrypt(self, sealed: bytes) -> bytes:
        """The plain text. Raises ``KeyError`` for a key that is not here, ``InvalidTag`` for what was altered."""
        name = sealed[1 : 1 + sealed[0]]
        key = self._keys[name.decode()]
        return SUITES[self._suites[name.decode()]].unseal(key, sealed[1 + sealed[0] :], name)

    @staticmethod
    def name_of(sealed: bytes) -> str:
        """Under which key a text was sealed."""
        return sealed[1 : 1 + sealed[0]].decode()

    @staticmethod
    def mark(name: str) -> str:
        """How every stored text under this key begins: its name in base64, as far as whole characters tell it."""
        head = bytes([len(name)]) + name.encode()
        return base64.b64encode(head[: len(head) // 3 * 3]).decode()

    def digest(self, text: str, purpose: str) -> str:
        """HMAC to find ``text`` again; ``purpose`` keeps a phone's digest apart from an account's of the same digits."""
        return SUITES[self._index_suite].mac(self._index_key, f"{purpose}\0{text}".encode()).hex()

    def derive(self, purpose: str) -> bytes:
        """32 bytes for another use (session cookies), bound to this installation."""
        return SUITES[self._index_suite].mac(self._index_key, f"derive\0{purpose}".encode())


class _Current:
    """The process's keyring, and the file from which it learns of new keys while it runs."""

    def __init__(self) -> None:
        self.keyring: Keyring | None = None
        self.path: Path | None = None
        self.seen = self.looked = 0.0

    def refresh(self, *, now: bool = False) -> bool:
        """Read the file again if it changed, looking once a second at most; whether it did."""
        if self.path is None or (not now and time.monotonic() - self.looked < 1):
            return False
        self.looked = time.monotonic()
        changed = self.path.stat().st_mtime_ns
        if changed == self.seen:
            return False
        self.keyring, self.seen = Keyring.load(self.path), changed
        return True


_current = _Current()


def use_keyring(keyring: Keyring, path: Path | None = None) -> None:
    """Set the process's keyring, once, at start-up.

    :param path: its file: when that is replaced (``wengang rotate-keys``), this process follows within a second.
    """
    _current.keyring, _current.path = keyring, path
    _current.seen = path.stat().st_mtime_ns if path else 0
    _current.looked = time.monotonic()


def keyring() -> Keyring:
    """The process's keyring; raises ``RuntimeError`` when start-up set none."""
    _current.refresh()
    if _current.keyring is None:
        raise RuntimeError("no keyring: call use_keyring() at start-up")
    return _current.keyring


def unseal(sealed: bytes) -> bytes:
    """What was encrypted; under a key that came a moment ago, too. Raises ``KeyError`` for one that is nowhere."""
    try:
        return keyring().decrypt(sealed)
    except KeyError:
        if not _current.refresh(now=True):
            raise
        return keyring().decrypt(sealed)


class EncryptedText(TypeDecorator[str]):
    """Text encrypted at rest. Not comparable in SQL: search by a digest column beside it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else base64.b64encode(keyring().encrypt(value.encode())).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else unseal(base64.b64decode(value)).decode()


class EncryptedJson(TypeDecorator[Any]):
    """JSON encrypted at rest: answers, roster rows, document contexts."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return base64.b64encode(keyring().encrypt(text.encode())).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(unseal(base64.b64decode(value)))


def normalise_id(number: str) -> str:
    """An ID number as it is compared: 18 digits, ``X`` upper case; a 15-digit one gets its century and check digit.

    GB 11643-1999: weights 7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2, remainder mod 11 → ``10X98765432``.
    """
    text = "".join(number.split()).upper()
    if len(text) == 15 and text.isdigit():
        body = text[:6] + "19" + text[6:]
        text = body + id_check_digit(body)
    return text


def id_check_digit(body: str) -> str:
    """The 18th character for the first 17 digits (GB 11643-1999)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]


def digest_id(number: str) -> str:
    """HMAC of a normalised ID number: the only thing ``people`` are unique on."""
    return keyring().digest(normalise_id(number), "id")


def mask_id(number: str) -> str:
    """``220822********1234``: county and the last four."""
    return f"{number[:6]}********{number[-4:]}" if len(number) >= 15 else "*" * len(number)


def mask_phone(number: str) -> str:
    """``138****5678``."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 7 else "*" * len(number)


def mask_account(number: str) -> str:
    """``****1234``."""
    return f"****{number[-4:]}" if len(number) > 4 else "*" * len(number)


def mask_name(name: str) -> str:
    """``王*``, ``王*明``: enough to recognise oneself."""
    if len(name) <= 1:
        return "*"
    return name[0] + "*" * (len(name) - 1) if len(name) == 2 else name[0] + "*" * (len(name) - 2) + name[-1]
