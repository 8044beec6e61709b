"""Settings from the environment: nothing secret has a default outside the demonstration."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapp.config import ConfigurationError, Mail, Settings
from workflows.base.privacy import Keyring

HOME = {"WENGANG_PUBLIC_URL": "https://wengang.example.gov.cn/"}


def test_the_demonstration_needs_nothing_but_a_folder(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {"WENGANG_DEMO": "1", "WENGANG_DATA_DIR": str(tmp_path), "PORT": "9000"}
    )
    assert settings.demo
    assert settings.database_url == f"sqlite:///{tmp_path}/wengang.db"
    assert settings.public_url == "http://127.0.0.1:9000"
    assert settings.keys_file == tmp_path / "keys.json"
    assert not settings.secure_cookies


def test_outside_the_demonstration_the_address_is_required_and_encrypted() -> None:
    with pytest.raises(ConfigurationError, match="请设置 WENGANG_PUBLIC_URL"):
        Settings.from_environment({})
    with pytest.raises(ConfigurationError, match="应使用 https"):
        Settings.from_environment({"WENGANG_PUBLIC_URL": "http://wengang.example.gov.cn"})
    with pytest.raises(ConfigurationError, match="https://"):
        Settings.from_environment({"WENGANG_PUBLIC_URL": "wengang.example.gov.cn"})
    settings = Settings.from_environment(HOME)
    assert settings.public_url == "https://wengang.example.gov.cn"
    assert settings.secure_cookies
    assert not Settings.from_environment({"WENGANG_PUBLIC_URL": "http://localhost:8000"}).secure_cookies


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("postgresql://u:p@db/wengang", "postgresql+psycopg://u:p@db/wengang"),
        ("postgres://db/wengang", "postgresql+psycopg://db/wengang"),
        ("postgresql+psycopg://db/wengang", "postgresql+psycopg://db/wengang"),
        ("sqlite:////data/wengang.db", "sqlite:////data/wengang.db"),
    ],
)
def test_databases_by_their_usual_urls(given: str, meant: str) -> None:
    assert Settings.from_environment(HOME | {"WENGANG_DATABASE_URL": given}).database_url == meant


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"WENGANG_DATABASE_URL": "mysql://db/wengang"}, "只支持"),
        ({"WENGANG_PROXIES": "one"}, "应为整数"),
        ({"WENGANG_SMTP_HOST": "mail"}, "WENGANG_SMTP_SENDER"),
        (
            {"WENGANG_SMTP_HOST": "mail", "WENGANG_SMTP_SENDER": "a@b", "WENGANG_SMTP_SECURITY": "ssl"},
            "只能是",
        ),
        ({"WENGANG_SIGNER_FILE": "/nowhere/seal.p12"}, "不存在"),
        ({"WENGANG_SIGNER_PASSWORD_FILE": "/nowhere/password"}, "无法读取"),
    ],
)
def test_an_unfit_setting_is_named(setting: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Settings.from_environment(HOME | setting)


def test_mail_and_seal(tmp_path: Path) -> None:
    (tmp_path / "seal.p12").write_bytes(b"seal")
    (tmp_path / "password").write_text("abc\n")
    settings = Settings.from_environment(
        HOME
        | {
            "WENGANG_SMTP_HOST": "mail.example.gov.cn",
            "WENGANG_SMTP_SENDER": "wengang@example.gov.cn",
            "WENGANG_SMTP_SECURITY": "tls",
            "WENGANG_SIGNER_FILE": str(tmp_path / "seal.p12"),
            "WENGANG_SIGNER_PASSWORD_FILE": str(tmp_path / "password"),
        }
    )
    assert settings.mail == Mail("mail.example.gov.cn", 465, "wengang@example.gov.cn", security="tls")
    assert settings.signer_file == tmp_path / "seal.p12"
    assert settings.signer_password == "abc"


def test_keys_must_exist_and_be_private(tmp_path: Path) -> None:
    settings = Settings.from_environment(HOME | {"WENGANG_DATA_DIR": str(tmp_path)})
    with pytest.raises(ConfigurationError, match="wengang init-keys"):
        settings.load_keyring()
    Keyring.generate().save(settings.keys_file)
    settings.load_keyring()
    settings.keys_file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        settings.load_keyring()
