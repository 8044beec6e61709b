"""What every process does first, be it web, worker or a command: keys, files, the installation's own address."""

from __future__ import annotations

from datetime import datetime

from webapp.config import ConfigurationError, Settings
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.privacy import Keyring, use_keyring
from workflows.base.session import Database
from workflows.documents import signing
from workflows.documents.issue import Sign


def prepare(settings: Settings) -> tuple[Keyring, FileStore]:
    """Set keys and installation for this process; raises ``ConfigurationError``."""
    keyring = settings.load_keyring()
    use_keyring(keyring)
    store = FileStore(settings.files_dir)
    use_installation(Installation(public_url=settings.public_url, demonstration=settings.demo, files=store))
    return keyring, store


def open_database(settings: Settings) -> Database:
    """The database without a web. Statements that fail do not log their values."""
    return Database(settings.database_url, hide_parameters=True)


def signer(settings: Settings) -> Sign:
    """How documents are signed: with the configured seal; in the demonstration with a certificate made on the spot.

    Raises ``ConfigurationError`` outside the demonstration when no seal is configured.
    """
    if settings.signer_file is None and not settings.demo:
        raise ConfigurationError(
            "请设置 WENGANG_SIGNER_FILE（电子印章证书，PKCS#12 文件）和 WENGANG_SIGNER_PASSWORD_FILE。"
            "没有正式证书不能签发文书。"
        )
    key = signing.load_signer(settings.signer_file, settings.signer_password, settings.data_dir)

    def sign(pdf: bytes, reason: str, when: datetime) -> bytes:
        return signing.sign(pdf, key, reason, "", when)

    return sign
