"""The fictional county."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from webapp import logs
from webapp.commands.support import opened
from webapp.progress import Progress


@click.group()
def demo() -> None:
    """演示数据。只在演示环境（WENGANG_DEMO=1）可用。"""


@demo.command()
@click.option(
    "--scale",
    type=click.Choice(["county", "province"]),
    help="另外装入一年的奖补：county 一个县 300 家单位、6000 人、12 批；province 全省每个县都有。",
)
def load(scale: str | None) -> None:
    """载入演示县：单位、人员、名单、用人单位，以及各个环节的办件。重复执行不会重复载入。"""
    from webapp import demo_cases, demo_rewards, demo_scale, demo_wages
    from webapp.startup import signer
    from workflows.base.installation import installation
    from workflows.registers import demo_county

    settings, database = opened()
    click.echo("正在载入演示县……", err=True)
    with database.transaction() as session:
        county = demo_county.load(session, demonstration=settings.demo, store=installation().files)
        session.expunge_all()
    demo_cases.load(database, signer(settings), county, Progress("正在办理演示办件"))
    demo_rewards.load(database, signer(settings), county)
    demo_wages.load(database, signer(settings), county)
    if scale:
        demo_scale.load(database, signer(settings), county, scale, Progress("正在装入一年的批次"))
    database.close()
    click.echo("演示县已载入。", err=True)


@demo.command("run")
@click.argument("process")
@click.option("--scenario", default="", help="情景，默认第一个。")
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="文书写到哪个文件夹。",
)
def run_one(process: str, scenario: str, output: Path) -> None:
    """不开浏览器走完一件，写出文书，最后一行是 JSON。"""
    from webapp.demonstration import as_line, run

    logs.configure(logging.WARNING)
    click.echo("正在建立临时演示县并办理……", err=True)
    result = run(process, scenario, output)
    for step in result["steps"]:
        click.echo(f"  {step['office']}　{step['work_item']}　{step['outcome']}", err=True)
    click.echo(as_line(result))


@demo.command()
def accounts() -> None:
    """列出演示账号。"""
    from workflows.organisations.passwords import DEMO_PASSWORD
    from workflows.registers.demo_cast import ACCOUNTS

    click.echo(f"密码都是 {DEMO_PASSWORD}")
    for one in ACCOUNTS:
        click.echo(f"  {one.username:<20}{one.name}　{one.role}")
