"""Two sets of algorithms behind one interface: the usual ones, and 国密 (SM4, SM3). Which a key belongs to stands in the keys file.

SM4 is GB/T 32907-2016, SM3 GB/T 32905-2016, SM4-GCM as RFC 8998 has it; both come from OpenSSL through ``cryptography``.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import hmac as keyed
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE, _TAG = 12, 16


class Suite(Protocol):
    """How texts are sealed, and how a digest is made under a key. Keys are 32 bytes."""

    def seal(self, key: bytes, plain: bytes, bound: bytes) -> bytes:
        """Nonce and sealed text; ``bound`` is not in it, and must be the same when it is opened."""
        ...

    def unseal(self, key: bytes, sealed: bytes, bound: bytes) -> bytes:
        """The plain text. Raises ``InvalidTag`` when anything was altered or the key is another."""
        ...

    def mac(self, key: bytes, data: bytes) -> bytes:
        """32 bytes that nobody makes without the key."""
        ...


class Standard:
    """AES-256-GCM and HMAC-SHA256."""

    def seal(self, key: bytes, plain: bytes, bound: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(key).encrypt(nonce, plain, bound)

    def unseal(self, key: bytes, sealed: bytes, bound: bytes) -> bytes:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)

    def mac(self, key: bytes, data: bytes) -> bytes:
        return hmac.new(key, data, hashlib.sha256).digest()


class Commercial:
    """商用密码: SM4-GCM and HMAC-SM3. SM4 takes 128 bits: the first half of the key."""

    def seal(self, key: bytes, plain: bytes, bound: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        sealer = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce)).encryptor()
        sealer.authenticate_additional_data(bound)
        return nonce + sealer.update(plain) + sealer.finalize() + sealer.tag

    def unseal(self, key: bytes, sealed: bytes, bound: bytes) -> bytes:
        nonce, body, tag = sealed[:_NONCE], sealed[_NONCE:-_TAG], sealed[-_TAG:]
        if len(sealed) < _NONCE + _TAG:
            raise InvalidTag
        opener = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce, tag)).decryptor()
        opener.authenticate_additional_data(bound)
        return opener.update(body) + opener.finalize()

    def mac(self, key: bytes, data: bytes) -> bytes:
        made = keyed.HMAC(key, hashes.SM3())
        made.update(data)
        return made.finalize()


SUITES: Mapping[str, Suite] = {"standard": Standard(), "gm": Commercial()}
