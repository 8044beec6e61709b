"""Notices leave the house: by mail when a server is configured, by short message when an adapter is.

An adapter is any ``module:function`` named by ``WENGANG_SMS_ADAPTER`` that takes a number and a text; providers differ,
so none is built in. Where neither is configured notices stay in the application.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from importlib import import_module

from webapp.config import ConfigurationError, Mail, Settings

#: Address kind (``mail``, ``phone``), address, subject, text. What fails raises, and the outbox tries again.
Send = Callable[[str, str, str, str], None]
Sms = Callable[[str, str], None]
_SECONDS = 20


def make_send(settings: Settings) -> Send | None:
    """How notices leave; ``None`` when they do not. Raises ``ConfigurationError`` for an adapter that is not there."""
    mail, sms = settings.mail, sms_adapter(settings.sms_adapter)
    if mail is None and sms is None:
        return None

    def send(kind: str, address: str, subject: str, text: str) -> None:
        if kind == "mail" and mail is not None:
            send_mail(mail, address, subject, text)
        elif kind == "phone" and sms is not None:
            sms(address, text)

    return send


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


def send_mail(mail: Mail, address: str, subject: str, text: str) -> None:
    """One message, over an encrypted connection unless the settings say otherwise."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, address, subject
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
