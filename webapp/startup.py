"""What every process does first, be it web, worker or a command: keys, files, the installation's own address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import inspect

from webapp import sending
from webapp.config import ConfigurationError, Settings
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.model import Base
from workflows.base.privacy import Keyring, use_keyring
from workflows.base.session import Database
from workflows.documents import signing
from workflows.documents.issue import Sign


def prepare(settings: Settings) -> tuple[Keyring, FileStore]:
    """Set keys and installation for this process; raises ``ConfigurationError``."""
    keyring = settings.load_keyring()
    use_keyring(keyring, settings.keys_file)
    store = FileStore(settings.files_dir)
    use_installation(Installation(settings.public_url, settings.demo, store, sending.channels(settings)))
    return keyring, store


def open_database(settings: Settings) -> Database:
    """The database without a web. Statements that fail do not log their values."""
    return Database(settings.database_url, hide_parameters=True)


def require_tables(database: Database) -> None:
    """Refuse a database that the migrations call current although it lacks what the models need.

    Until the first release there is one migration, written anew at each change: a folder of an earlier day says that it
    is up to date. Raises ``ConfigurationError``.
    """
    with database.engine.connect() as connection:
        there = inspect(connection)
        names = set(there.get_table_names())
        lacking = sorted(
            table.name
            for table in Base.metadata.sorted_tables
            if table.name not in names
            or not {column.name for column in table.columns}
            <= {column["name"] for column in there.get_columns(table.name)}
        )
    if lacking:
        raise ConfigurationError(
            f"数据库由较早的开发版本建立，缺少表或者列：{'、'.join(lacking)}。正式发布前的数据库不能升级："
            "请换一个数据目录（WENGANG_DATA_DIR）或者空的数据库，或者把原来的移走，再重新启动。"
        )


def signer(settings: Settings) -> Sign:
    """How documents are signed: with the configured seal; in the demonstration with a certificate made on the spot.

    Raises ``ConfigurationError`` outside the demonstration when no seal is configured.
    """
    if settings.signer_file is None and not settings.demo:
        raise ConfigurationError(
            "请设置 WENGANG_SIGNER_FILE（电子印章证书，PKCS#12 文件）和 WENGANG_SIGNER_PASSWORD_FILE。"
            "没有正式证书不能签发文书。"
        )
    key = signing.load_signer(
        settings.signer_file, settings.signer_password, settings.data_dir, settings.crypto
    )

    def sign(pdf: bytes, reason: str, when: datetime) -> bytes:
        return signing.sign(pdf, key, reason, "", when)

    return sign
