"""Notices that leave the house, against a server that only listens."""

from __future__ import annotations

import smtplib
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select

from tests.web.world import World
from webapp import sending
from webapp.config import ConfigurationError, Mail, Settings
from webapp.sending import make_send
from webapp.startup import prepare
from webapp.worker import make_worker
from workflows.base.outbox import OutboxRow
from workflows.base.session import Database
from workflows.cases.model import Notice
from workflows.cases.notices import SEND, write
from workflows.organisations.model import User

MAIL = Mail("mail.example", 25, "wengang@example", "wengang", "secret", "none")
ADAPTER = "tests.web.test_sending:short_message"
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
        self.said.append(
            (
                "message",
                message["To"],
                message["Subject"],
                message.get_content().strip(),
                message["Message-ID"],
            )
        )


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    Server.said = []
    SENT.clear()
    monkeypatch.setattr(smtplib, "SMTP", Server)
    monkeypatch.setattr(smtplib, "SMTP_SSL", Server)
    return Server.said


@pytest.fixture
def notice(web_database: Database, world: World) -> int:
    """A notice for 赵晓梅, who has a mail address and a phone."""
    with web_database.transaction() as session:
        session.get_one(User, world.users["zhao"]).email = "zhao@example"
        session.get_one(User, world.users["zhao"]).phone = "13904360001"
        write(session, [world.users["zhao"]], None, "told", "您已开通账号。")
        return session.scalars(select(Notice.id).where(Notice.text == "您已开通账号。")).one()


def told(settings: Settings, database: Database, notice: int, channel: str) -> None:
    sending.handlers(make_send(settings))[SEND](database, {"notice": notice, "channel": channel})


def begun(database: Database, notice: int) -> bool:
    with database.reading() as session:
        return session.get_one(Notice, notice).mail_begun_at is not None


def test_without_settings_nothing_leaves(settings: Settings) -> None:
    assert make_send(settings) == {}
    assert sending.channels(settings) == ()


def test_a_notice_is_sent_by_every_channel_that_is_configured(
    settings: Settings, web_database: Database, world: World, server: list[Any]
) -> None:
    """From the notice that a use case writes to what leaves."""
    configured = replace(settings, mail=MAIL, sms_adapter=ADAPTER)
    prepare(configured)
    with web_database.transaction() as session:
        session.get_one(User, world.users["zhao"]).phone = "13904360001"
        write(session, [world.users["zhao"], world.users["qian"]], None, "told", "您已开通账号。")
    working = make_worker(replace(configured, demo=True))
    working.drain()
    working.drain()
    working.database.close()
    assert SENT == [("13904360001", "您已开通账号。")]
    assert not [one for one in server if one[0] == "message"]  # nobody gave an address
    with web_database.reading() as session:
        left = session.scalars(select(OutboxRow).where(OutboxRow.kind == SEND)).all()
        assert len(left) == 4
        assert all(one.done_at for one in left)


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_mail_leaves_as_secured_as_configured(
    settings: Settings, security: str, server: list[Any], web_database: Database, notice: int
) -> None:
    told(replace(settings, mail=replace(MAIL, security=security)), web_database, notice, "mail")
    assert server[0] == ("connect", "mail.example", 25, security == "tls")
    assert (("starttls",) in server) == (security == "starttls")
    assert ("login", "wengang") in server
    ((_, to, subject, text, number),) = [one for one in server if one[0] == "message"]
    assert (to, subject, number) == ("zhao@example", "稳岗通：您有新的提醒", f"<notice-{notice}@localhost>")
    assert text == "您已开通账号。\n\nhttp://localhost"


def test_nothing_leaves_twice(
    settings: Settings, web_database: Database, notice: int, server: list[Any]
) -> None:
    """A worker that was killed after the sending began may have sent it."""
    for _ in range(3):
        told(replace(settings, mail=MAIL), web_database, notice, "mail")
    assert len([one for one in server if one[0] == "message"]) == 1


def test_what_the_server_refused_is_tried_again(
    settings: Settings,
    web_database: Database,
    notice: int,
    server: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configured = replace(settings, mail=MAIL)
    with monkeypatch.context() as patch:
        patch.setattr(Server, "login", lambda *_: (_ for _ in ()).throw(OSError))
        with pytest.raises(OSError):  # noqa: PT011  # there are no words in it
            told(configured, web_database, notice, "mail")
    assert not begun(web_database, notice)
    told(configured, web_database, notice, "mail")
    assert begun(web_database, notice)
    assert len([one for one in server if one[0] == "message"]) == 1


def test_a_channel_that_was_switched_off_meanwhile_is_passed_over(
    settings: Settings, web_database: Database, notice: int
) -> None:
    told(settings, web_database, notice, "sms")
    assert SENT == []


@pytest.mark.parametrize("path", ["no.such.module:send", "webapp.sending:nothing"])
def test_an_adapter_that_is_not_there_is_said(settings: Settings, path: str) -> None:
    with pytest.raises(ConfigurationError, match="短信接口不存在"):
        make_send(replace(settings, sms_adapter=path))
