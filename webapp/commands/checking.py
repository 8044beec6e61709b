"""Whether the rows say the same, and whether any was altered."""

from __future__ import annotations

import json
import sys

import click
from sqlalchemy import func, select

from webapp.commands.support import opened, report
from webapp.progress import Progress
from workflows.base.files import StoredFile


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


@click.command("sweep-files")
@click.option("--delete", is_flag=True, help="删除。不加时只列出数量和大小。")
def sweep_files(delete: bool) -> None:
    """找出没有任何记录引用、且超过一天的文件（程序中断时留下的）。"""
    from workflows.base.installation import installation

    _, database = opened()
    with database.reading() as session:
        found = installation().files.orphans(session)
        kept = session.scalar(select(func.count()).select_from(StoredFile)) or 0
    database.close()
    size = sum(path.stat().st_size for path in found)
    click.echo(json.dumps({"files": len(found), "bytes": size, "deleted": delete and kept > 0}))
    if delete and not kept:
        click.echo("没有删除：数据库里没有任何文件记录，请先确认数据库和数据目录是同一套。", err=True)
        sys.exit(1)
    for path in found if delete else ():
        path.unlink(missing_ok=True)
    click.echo(f"没有记录引用的文件 {len(found)} 个{'，已删除' if delete else ''}。", err=True)
