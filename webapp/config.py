"""Settings, read once from the environment. Outside the demonstration nothing secret has a default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from workflows.base.errors import WengangError
from workflows.base.privacy import Keyring
from workflows.base.suites import SUITES


class ConfigurationError(WengangError):
    """A setting is missing or unfit. The message names the variable and what to do."""


@dataclass(frozen=True)
class Mail:
    """How notices leave by mail. ``security``: ``none``, ``starttls`` or ``tls``."""

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = ""
    security: str = "starttls"


@dataclass(frozen=True)
class Settings:
    """Everything an installation may choose.

    :param data_dir: stored files, keys and, by default, the database and the queue.
    :param database_url: SQLAlchemy URL.
    :param public_url: what QR codes and mails point to, without a slash at the end.
    :param keys_file: the keyring, outside the database.
    :param queue_url: ``""`` = an SQLite file in ``data_dir``; else ``redis://…`` or ``postgresql://…``.
    :param signer_file: PKCS#12 file of the official seal; ``None`` = the development certificate in ``data_dir``.
    :param sms_adapter: ``module:function`` that sends a short message; ``""`` = none are sent.
    :param crypto: the algorithms of new keys: ``standard`` or ``gm`` (SM4, SM3).
    :param second_factor: whether whoever moves money or administers must bring a code beside the password.
    :param metrics_token: what whoever asks for ``/metrics`` must bring; ``""`` = only this machine may ask.
    :param proxies: how many reverse proxies stand in front and set X-Forwarded-*.
    """

    data_dir: Path
    database_url: str
    public_url: str
    keys_file: Path
    demo: bool = False
    queue_url: str = ""
    mail: Mail | None = None
    signer_file: Path | None = None
    signer_password: str = ""
    sms_adapter: str = ""
    crypto: str = "standard"
    second_factor: bool = False
    metrics_token: str = ""
    proxies: int = 0
    idle_minutes: int = 30
    max_upload_bytes: int = 25 * 1024 * 1024

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read ``WENGANG_*``; raises ``ConfigurationError``."""
        env = os.environ if environment is None else environment
        demo = env.get("WENGANG_DEMO", "") in {"1", "true", "yes"}
        data_dir = Path(env.get("WENGANG_DATA_DIR") or "var").resolve()
        return cls(
            data_dir=data_dir,
            database_url=database_url(env.get("WENGANG_DATABASE_URL", ""), data_dir),
            public_url=_public_url(env.get("WENGANG_PUBLIC_URL", ""), env.get("PORT", ""), demo),
            keys_file=Path(env.get("WENGANG_KEYS_FILE") or data_dir / "keys.json").resolve(),
            demo=demo,
            queue_url=env.get("WENGANG_QUEUE_URL", ""),
            mail=_mail(env),
            signer_file=_signer(env.get("WENGANG_SIGNER_FILE", "")),
            signer_password=_secret(env, "WENGANG_SIGNER_PASSWORD"),
            sms_adapter=env.get("WENGANG_SMS_ADAPTER", ""),
            crypto=_crypto(env.get("WENGANG_CRYPTO", "")),
            second_factor=_switch(env, "WENGANG_SECOND_FACTOR", default=not demo),
            metrics_token=_secret(env, "WENGANG_METRICS_TOKEN"),
            proxies=_integer(env, "WENGANG_PROXIES", 0),
            idle_minutes=_integer(env, "WENGANG_IDLE_MINUTES", 30),
        )

    def load_keyring(self) -> Keyring:
        """The installation's keys; raises ``ConfigurationError`` when there are none or others may read them."""
        try:
            mode = self.keys_file.stat().st_mode
        except FileNotFoundError:
            raise ConfigurationError(
                f"密钥文件不存在：{self.keys_file}。请先执行 wengang init-keys，"
                "并把密钥文件与数据库分开备份；密钥丢失后，已加密的数据无法恢复。"
            ) from None
        if mode & 0o077:
            raise ConfigurationError(
                f"密钥文件 {self.keys_file} 的权限过宽，请执行 chmod 600 {self.keys_file}。"
            )
        return Keyring.load(self.keys_file)

    @property
    def files_dir(self) -> Path:
        return self.data_dir / "files"

    @property
    def secure_cookies(self) -> bool:
        """Cookies travel over HTTPS alone, except to the machine one sits at."""
        return urlsplit(self.public_url).scheme == "https"


def database_url(url: str, data_dir: Path) -> str:
    if not url:
        return f"sqlite:///{data_dir / 'wengang.db'}"
    for short in ("postgresql://", "postgres://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigurationError(
            "WENGANG_DATABASE_URL 只支持 sqlite:///绝对路径 和 postgresql://用户:口令@主机/库名。"
        )
    return url


def _public_url(url: str, port: str, demo: bool) -> str:
    if not url:
        if not demo:
            raise ConfigurationError(
                "请设置 WENGANG_PUBLIC_URL（群众和企业访问本系统的网址，例如 https://wengang.example.gov.cn）。"
                "二维码和通知中的链接都用它生成。"
            )
        url = f"http://127.0.0.1:{port or 8000}"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError("WENGANG_PUBLIC_URL 应以 https:// 开头并写明域名。")
    if not demo and parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ConfigurationError("WENGANG_PUBLIC_URL 应使用 https，登录口令和个人信息不得明文传输。")
    return url.rstrip("/")


def _mail(env: Mapping[str, str]) -> Mail | None:
    host = env.get("WENGANG_SMTP_HOST", "")
    if not host:
        return None
    security = env.get("WENGANG_SMTP_SECURITY") or "starttls"
    if security not in {"none", "starttls", "tls"}:
        raise ConfigurationError("WENGANG_SMTP_SECURITY 只能是 none、starttls 或 tls。")
    sender = env.get("WENGANG_SMTP_SENDER", "")
    if not sender:
        raise ConfigurationError("已设置 WENGANG_SMTP_HOST，请同时设置发件人地址 WENGANG_SMTP_SENDER。")
    return Mail(
        host=host,
        port=_integer(env, "WENGANG_SMTP_PORT", 465 if security == "tls" else 587),
        sender=sender,
        username=env.get("WENGANG_SMTP_USERNAME", ""),
        password=_secret(env, "WENGANG_SMTP_PASSWORD"),
        security=security,
    )


def _signer(path: str) -> Path | None:
    if not path:
        return None
    file = Path(path).resolve()
    if not file.is_file():
        raise ConfigurationError(f"WENGANG_SIGNER_FILE 指向的电子印章证书不存在：{file}。")
    return file


def _secret(env: Mapping[str, str], name: str) -> str:
    """A secret itself, or the content of the file that ``NAME_FILE`` points to."""
    path = env.get(f"{name}_FILE", "")
    if not path:
        return env.get(name, "")
    try:
        return Path(path).read_text().strip()
    except OSError:
        raise ConfigurationError(f"{name}_FILE 指向的文件无法读取：{path}。") from None


def _crypto(name: str) -> str:
    if name and name not in SUITES:
        raise ConfigurationError(f"WENGANG_CRYPTO 只能是 {' 或 '.join(SUITES)}，现在是“{name}”。")
    return name or "standard"


def _switch(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = env.get(name, "").lower()
    if text not in {"", "on", "off", "1", "0"}:
        raise ConfigurationError(f"{name} 只能是 on 或 off，现在是“{text}”。")
    return text in {"on", "1"} if text else default


def _integer(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "")
    if not text:
        return default
    if not text.isdigit():
        raise ConfigurationError(f"{name} 应为整数，现在是“{text}”。")
    return int(text)
