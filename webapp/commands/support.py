"""What commands share: settings and database, errors in people's words, findings as JSON."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import click

from webapp import logs
from webapp.config import Settings
from workflows.base.errors import Invalid, WengangError
from workflows.base.session import Database


class ChineseGroup(click.Group):
    """Errors meant for people are said in their words, without a stack; exit status 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except WengangError as error:
            click.echo(error.message, err=True)
            if isinstance(error, Invalid):
                for message in error.errors.values():
                    click.echo(f"  {message}", err=True)
            context.exit(1)


def opened(level: int = logging.WARNING) -> tuple[Settings, Database]:
    """Settings and database for a command that runs beside web and worker."""
    from webapp.startup import open_database, prepare

    logs.configure(level)
    settings = Settings.from_environment()
    prepare(settings)
    return settings, open_database(settings)


def report(findings: list[Any], good: str) -> None:
    """Findings as JSON on stdout, in words on stderr; exit status 1 when there are any."""
    click.echo(
        json.dumps({"ok": not findings, "findings": [one.as_dict() for one in findings]}, ensure_ascii=False)
    )
    for one in findings[:50]:
        click.echo(f"{one.subject}：{one.message}", err=True)
    if findings:
        click.echo(f"共 {len(findings)} 处不符。", err=True)
        sys.exit(1)
    click.echo(good, err=True)
