"""Whether the rows say the same, and whether any was altered."""

from __future__ import annotations

import click

from webapp.commands.support import opened, report
from webapp.progress import Progress


@click.command()
def check() -> None:
    """检查流程状态、待办、期限、意见和编号是否一致。"""
    from workflows.cases.check import check as run

    _, database = opened()
    findings = run(database, Progress("正在检查"))
    database.close()
    report(findings, "全部一致。")


@click.group()
def audit() -> None:
    """操作记录。"""


@audit.command()
def verify() -> None:
    """核验全部操作记录是否完整、未被改动。"""
    from workflows.cases.check import verify_everything

    _, database = opened()
    findings = verify_everything(database, Progress("正在核验"))
    database.close()
    report(findings, "全部记录完整，没有被改动。")
