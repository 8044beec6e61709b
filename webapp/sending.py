"""Notices leave the house: by mail when a server is configured, by short message when an adapter is.

An adapter is any ``module:function`` named by ``WENGANG_SMS_ADAPTER`` that takes a number and a text; providers differ,
so none is built in. Where neither is configured notices stay in the application, where they stand in any case.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from webapp.config import ConfigurationError, Mail, Settings
from workflows.base.clock import now
from workflows.base.outbox import Handler
from workflows.base.session import Database
from workflows.cases.model import Notice
from workflows.cases.notices import SEND
from workflows.organisations.model import User

log = logging.getLogger(__name__)

Sms = Callable[[str, str], None]
#: A notice's id, address and text. What fails raises, and the outbox tries again.
Send = Callable[[int, str, str], None]
SUBJECT = "稳岗通：您有新的提醒"
_SECONDS = 20
#: Channel → where a user's address stands, and where a notice says that its sending began.
_ADDRESS = {"mail": "email", "sms": "phone"}
_BEGUN = {"mail": "mail_begun_at", "sms": "sms_begun_at"}


def channels(settings: Settings) -> tuple[str, ...]:
    """By what notices leave. Raises ``ConfigurationError`` for an adapter that is not there."""
    return tuple(make_send(settings))


def make_send(settings: Settings) -> dict[str, Send]:
    """Channel → how a notice leaves by it. Raises ``ConfigurationError`` for an adapter that is not there."""
    found: dict[str, Send] = {}
    mail, sms = settings.mail, sms_adapter(settings.sms_adapter)
    if mail is not None:
        host = urlsplit(settings.public_url).hostname or "localhost"
        found["mail"] = lambda number, address, text: send_mail(
            mail, address, f"{text}\n\n{settings.public_url}\n", f"<notice-{number}@{host}>"
        )
    if sms is not None:
        found["sms"] = lambda number, address, text: sms(address, text)
    return found


def handlers(send: Mapping[str, Send]) -> dict[str, Handler]:
    """The worker's task: one notice by one channel, once.

    That its sending begins is committed before it does. A worker that died in between may have sent it: it is left at that,
    the notice stands in the application. What the server refused was not sent, and is tried again.
    """

    def leave(database: Database, payload: dict[str, Any]) -> None:
        channel, number = str(payload["channel"]), int(payload["notice"])
        with database.transaction() as session:
            notice = session.get_one(Notice, number, with_for_update=True)
            address = getattr(session.get_one(User, notice.user_id), _ADDRESS[channel])
            if not address or channel not in send:
                return
            if getattr(notice, _BEGUN[channel]) is not None:
                log.warning("notice %s may have left by %s before: not sent again", number, channel)
                return
            setattr(notice, _BEGUN[channel], now())
            text = notice.text
        try:
            send[channel](number, address, text)
        except Exception:
            with database.transaction() as session:
                setattr(session.get_one(Notice, number), _BEGUN[channel], None)
            raise

    return {SEND: leave}


def sms_adapter(path: str) -> Sms | None:
    """The function behind ``module:function``."""
    if not path:
        return None
    module, _, name = path.partition(":")
    try:
        found: Sms = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        raise ConfigurationError(f"WENGANG_SMS_ADAPTER 指向的短信接口不存在：{path}。") from None
    return found


def send_mail(mail: Mail, address: str, text: str, message_id: str) -> None:
    """One message, over an encrypted connection unless the settings say otherwise.

    :param message_id: the same for the same notice, so that a mail server may know a second copy.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, address, SUBJECT
    message["Message-ID"] = message_id
    message.set_content(text)
    context = ssl.create_default_context()
    if mail.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, mail.port, timeout=_SECONDS, context=context)
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=_SECONDS)
    with server:
        if mail.security == "starttls":
            server.starttls(context=context)
        if mail.username:
            server.login(mail.username, mail.password)
        server.send_message(message)
