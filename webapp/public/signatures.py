"""Signatures of files that come in. What a stranger made is read in a process of bounded time and memory."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from webapp.services import services
from workflows.base.errors import WengangError
from workflows.documents import signing
from workflows.documents.certificates import DEVELOPMENT_FILES
from workflows.documents.signing import SignatureCheck

SECONDS = 15
MEMORY = 1024 * 1024 * 1024
_CHILD = Path(__file__).with_name("_signature_child.py")


def check_own(pdf: bytes) -> SignatureCheck:
    """What the signature of a file says that is byte for byte one of ours: nothing in it is to be feared."""
    return signing.verify(pdf, trusted())


def check_signature(pdf: bytes, seconds: int = SECONDS, memory: int = MEMORY) -> SignatureCheck:
    """What the signature says. A file that takes too long or too much, or breaks the reader, has none that holds.

    A small file can unpack to gigabytes: a guest's must not be opened in the process that serves everybody.
    """
    request = {
        "seconds": seconds,
        "memory": memory,
        "trusted": [base64.b64encode(one).decode() for one in trusted()],
    }
    broken = SignatureCheck(signed=b"/ByteRange" in pdf)
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and our own file
            [sys.executable, "-I", "-X", "utf8", str(_CHILD)],
            input=json.dumps(request).encode() + b"\n" + pdf,
            capture_output=True,
            timeout=seconds + 5,
            env={},
            check=False,
        )
        found = json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        found = None
    return broken if found is None else SignatureCheck(**found)


def trusted() -> tuple[bytes, ...]:
    """The certificate that papers are signed with here; none while there is none."""
    settings = services().settings
    file = settings.signer_file or settings.data_dir / DEVELOPMENT_FILES[settings.crypto]
    if not file.exists():
        return ()
    password = settings.signer_password if settings.signer_file else ""
    return _certificate(file, password, file.stat().st_mtime)


@lru_cache(maxsize=4)
def _certificate(file: Path, password: str, _changed: float) -> tuple[bytes, ...]:
    try:
        return (signing.load_signer(file, password, file.parent).certificate,)
    except WengangError:  # the worker says what is wrong with it; here nothing is trusted
        return ()
