"""SM2 signatures (GB/T 32918.2-2016) by the machine's ``openssl``: the ``cryptography`` package has SM3 and SM4, but no SM2.

A signature costs a process of some 15 ms. Keys and passwords go to it through pipes: never on a disk, in an argument or in
the environment.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from workflows.documents.errors import SigningError

#: SM2 with SM3, SM3 and the curve: GM/T 0006-2012.
SM2_WITH_SM3 = "1.2.156.10197.1.501"
SM3 = "1.2.156.10197.1.401"
CURVE = "1.2.156.10197.1.301"
#: Whom a key belongs to is part of what is signed; where nothing else is agreed it is this text: GM/T 0009-2012, section 10.
IDENTITY = "1234567812345678"

SECONDS = 10
#: What a pipe takes without a reader, with room to spare. Keys, files of keys and signatures are far smaller.
_LARGEST = 32_768
_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----\n?", re.DOTALL)
_PLAIN = ("-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{IDENTITY}")


@dataclass(frozen=True)
class Sm2Key:
    """A private key, in PEM without a password."""

    pem: bytes = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """The signature of SM3(Z ‖ ``data``) in DER. Its random number is new each time: no two are alike.

        :raises SigningError: ``openssl`` is missing or does not take the key.
        """
        signature = _openssl(
            "pkeyutl", "-sign", "-inkey", "{key}", *_PLAIN, given={"key": self.pem}, data=data
        )
        if signature is None:
            raise SigningError(
                "SM2 签名没有成功。请检查签名证书是不是 SM2 证书，本机的 OpenSSL 是不是 3.0 或更高版本。"
            )
        return signature

    def public(self) -> bytes:
        """The public key, SubjectPublicKeyInfo in DER."""
        return _asked("pkey", "-in", "{key}", "-pubout", "-outform", "DER", given={"key": self.pem})


def new_key() -> Sm2Key:
    """A key made by chance."""
    return Sm2Key(_asked("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2"))


def holds(public: bytes, data: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (DER) is the one of ``data`` under ``public`` (SubjectPublicKeyInfo in DER).

    :raises SigningError: ``openssl`` is missing.
    """
    if max(len(public), len(signature)) > _LARGEST:
        return False
    words = (
        "pkeyutl",
        "-verify",
        "-pubin",
        "-keyform",
        "DER",
        "-inkey",
        "{public}",
        "-sigfile",
        "{signature}",
    )
    return _openssl(*words, *_PLAIN, given={"public": public, "signature": signature}, data=data) is not None


def read_key(pem: bytes, password: str) -> Sm2Key:
    """A key from PEM, perhaps under a password.

    :raises SigningError: it is none, or the password is wrong.
    """
    return Sm2Key(
        _asked("pkey", "-in", "{key}", "-passin", "fd:{word}", given={"key": pem, "word": _line(password)})
    )


def read_pkcs12(content: bytes, password: str) -> tuple[Sm2Key, list[bytes]]:
    """Key and certificates (PEM, in the file's order) of a PKCS#12 file.

    :raises SigningError: it is none, or the password is wrong.
    """
    given = {"file": content, "word": _line(password)}
    words = ("pkcs12", "-in", "{file}", "-nodes", "-passin", "fd:{word}")
    # Tools of certificate authorities still lock certificates with RC2, which OpenSSL 3 opens only when it is told to.
    read = _openssl(*words, given=given) or _asked(*words, "-legacy", given=given)
    blocks = [(found[1], found[0]) for found in _BLOCK.finditer(read)]
    keys = [block for kind, block in blocks if kind.endswith(b"PRIVATE KEY")]
    if not keys:
        raise SigningError("签名证书文件里缺少私钥或者证书，请使用含私钥的证书文件。")
    return Sm2Key(keys[0]), [block for kind, block in blocks if kind == b"CERTIFICATE"]


def make_pkcs12(key: Sm2Key, certificates: bytes, password: str = "") -> bytes:
    """A PKCS#12 file of a key and its certificates (PEM, its own first)."""
    # The pair comes on standard input: a path would be read twice, and a pipe is empty the second time.
    given = {"word": _line(password)}
    return _asked("pkcs12", "-export", "-passout", "fd:{word}", given=given, data=key.pem + certificates)


def _asked(*words: str, given: Mapping[str, bytes] | None = None, data: bytes = b"") -> bytes:
    answer = _openssl(*words, given=given or {}, data=data)
    if answer is None:
        raise SigningError("签名证书文件打不开，请检查口令和文件格式。")
    return answer


def _openssl(*words: str, given: Mapping[str, bytes], data: bytes = b"") -> bytes | None:
    """What it answers, ``None`` when it refuses. ``{name}`` in a word is a path to read ``given[name]`` from, after
    ``fd:`` its number; ``data`` comes on standard input.
    """
    program = shutil.which("openssl")
    if program is None:
        raise SigningError("SM2 签名证书需要 OpenSSL 程序，请在本机安装软件包 openssl（3.0 或更高版本）。")
    with _pipes(given) as numbers:
        paths = {name: f"/dev/fd/{number}" for name, number in numbers.items()}
        arguments = [
            word.format(**(numbers if word.startswith("fd:") else paths)) if "{" in word else word
            for word in words
        ]
        try:
            done = subprocess.run(  # noqa: S603 - words of our own; what others made goes through pipes
                [program, *arguments],
                input=data,
                capture_output=True,
                timeout=SECONDS,
                pass_fds=tuple(numbers.values()),
                env={},
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SigningError("本机的 OpenSSL 没有按时回答，请稍后再试。") from error
    return done.stdout if done.returncode == 0 else None


@contextmanager
def _pipes(given: Mapping[str, bytes]) -> Iterator[dict[str, int]]:
    """Each content in a pipe of its own: name → the number to read from."""
    numbers: dict[str, int] = {}
    try:
        for name, content in given.items():
            if len(content) > _LARGEST:
                raise SigningError("签名证书文件太大，请检查文件是否正确。")
            numbers[name], into = os.pipe()
            os.write(into, content)
            os.close(into)
        yield numbers
    finally:
        for number in numbers.values():
            os.close(number)


def _line(password: str) -> bytes:
    return password.encode() + b"\n"
