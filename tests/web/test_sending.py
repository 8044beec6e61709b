"""Notices that leave the house, against a server that only listens."""

from __future__ import annotations

import smtplib
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest

from webapp.config import ConfigurationError, Mail, Settings
from webapp.sending import make_send

SENT: list[tuple[str, str]] = []


def short_message(number: str, text: str) -> None:
    """An adapter as an installation would bring it."""
    SENT.append((number, text))


class Server:
    """Stands for a mail server; keeps what it was told."""

    said: list[Any] = []

    def __init__(self, host: str, port: int, timeout: float, context: object = None) -> None:
        self.said.append(("connect", host, port, context is not None))

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.said.append(("quit",))

    def starttls(self, context: object) -> None:
        self.said.append(("starttls",))

    def login(self, username: str, password: str) -> None:
        self.said.append(("login", username))

    def send_message(self, message: EmailMessage) -> None:
        self.said.append(("message", message["To"], message["Subject"], message.get_content().strip()))


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    Server.said = []
    SENT.clear()
    monkeypatch.setattr(smtplib, "SMTP", Server)
    monkeypatch.setattr(smtplib, "SMTP_SSL", Server)
    return Server.said


def test_without_settings_nothing_leaves(settings: Settings) -> None:
    assert make_send(settings) is None


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_mail_leaves_as_secured_as_configured(settings: Settings, security: str, server: list[Any]) -> None:
    mail = Mail("mail.example", 25, "wengang@example", "wengang", "secret", security)
    send = make_send(replace(settings, mail=mail))
    assert send is not None
    send("mail", "zhao@example", "有新的待办", "申请 RD220822-2026-00001 需要您办理。")
    assert server[0] == ("connect", "mail.example", 25, security == "tls")
    assert (("starttls",) in server) == (security == "starttls")
    assert ("login", "wengang") in server
    assert ("message", "zhao@example", "有新的待办", "申请 RD220822-2026-00001 需要您办理。") in server
    send("phone", "13904360001", "", "没有短信接口")
    assert not SENT


def test_short_messages_go_through_an_adapter(settings: Settings) -> None:
    send = make_send(replace(settings, sms_adapter="tests.web.test_sending:short_message"))
    assert send is not None
    send("phone", "13904360001", "", "申请需要您办理。")
    send("mail", "zhao@example", "有新的待办", "没有邮件服务器")
    assert SENT == [("13904360001", "申请需要您办理。")]


@pytest.mark.parametrize("path", ["no.such.module:send", "webapp.sending:nothing"])
def test_an_adapter_that_is_not_there_is_said(settings: Settings, path: str) -> None:
    with pytest.raises(ConfigurationError, match="短信接口不存在"):
        make_send(replace(settings, sms_adapter=path))
