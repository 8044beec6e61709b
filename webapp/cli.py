"""The ``wengang`` command. Every command says what it does in Chinese; results go to stdout, progress to stderr."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from webapp import logs
from webapp.config import Settings
from webapp.progress import Progress
from workflows.base.errors import CatalogueError, Invalid, WengangError
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


@click.group(cls=ChineseGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """稳岗通的管理命令。设置从环境变量读取，见 docs/operations.md。"""


def _open(level: int = logging.WARNING) -> tuple[Settings, Database]:
    """Settings and database for a command that runs beside web and worker."""
    from webapp.startup import open_database, prepare

    logs.configure(level)
    settings = Settings.from_environment()
    prepare(settings)
    return settings, open_database(settings)


# Running ---------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址。")
@click.option("--port", default=8000, show_default=True, envvar="PORT", help="端口。")
@click.option("--processes", default=2, show_default=True, help="进程数。")
@click.option("--threads", default=8, show_default=True, help="每个进程的线程数。")
def serve(host: str, port: int, processes: int, threads: int) -> None:
    """启动网站。"""
    from webapp.serving import serve as run

    logs.configure()
    run(Settings.from_environment(), host, port, processes, threads)


@main.command()
@click.option("--threads", default=2, show_default=True, help="同时处理的任务数。")
def worker(threads: int) -> None:
    """启动后台处理：生成文书、读取名单、到期处理、每日封存。"""
    from webapp.worker import make_worker

    logs.configure()
    made = make_worker(Settings.from_environment(), threads)
    made.run()
    made.database.close()


# Setting up ------------------------------------------------------------------------------------------------------


@main.command("init-keys")
def init_keys() -> None:
    """生成密钥文件（已有的不会覆盖）。"""
    from workflows.base.privacy import Keyring

    settings = Settings.from_environment()
    if settings.keys_file.exists():
        click.echo(f"密钥文件已存在，没有改动：{settings.keys_file}", err=True)
        return
    Keyring.generate().save(settings.keys_file)
    click.echo(f"已生成密钥文件：{settings.keys_file}", err=True)
    click.echo("请立即与数据库分开备份。密钥丢失后，已加密的数据无法恢复。", err=True)


@main.command()
def migrate() -> None:
    """建立或升级数据库，并发布有变化的流程。"""
    from flask_migrate import upgrade

    from webapp.app import create_app
    from webapp.startup import require_tables
    from workflows.cases.publishing import publish_all

    settings, database = _open()
    app = create_app(settings)
    with app.app_context():
        upgrade(directory=f"{app.root_path}/migrations")
    require_tables(database)
    with database.transaction() as session:
        for version in publish_all(session):
            click.echo(f"已发布流程 {version.process} 第 {version.number} 版", err=True)
    database.close()
    click.echo("数据库已是最新。", err=True)


@main.command("create-user")
@click.option("--username", required=True, help="用户名。")
@click.option("--name", required=True, help="姓名。")
@click.option("--kind", type=click.Choice(["admin", "auditor", "officer"]), required=True, help="账号类型。")
@click.option("--division", required=True, help="负责的地区代码，例如 220822。")
def create_user(username: str, name: str, kind: str, division: str) -> None:
    """开通账号，输出一次性的临时密码。首个系统管理员用它开通。"""
    from workflows.organisations.accounts import create_user as create
    from workflows.organisations.actors import SYSTEM
    from workflows.organisations.divisions import load_divisions

    _, database = _open()
    with database.transaction() as session:
        load_divisions(session)
        _, password = create(session, SYSTEM, username=username, name=name, kind=kind, division_code=division)
    database.close()
    click.echo(f"账号 {username} 已开通，首次登录须修改密码。临时密码：", err=True)
    click.echo(password)


@main.command("import-identities")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--county", required=True, help="县（市、区）代码，例如 220822。")
@click.option("--as-of", required=True, type=click.DateTime(["%Y-%m-%d"]), help="名单所反映的日期。")
@click.option("--source", required=True, help="名单来源，例如“全国防返贫监测信息系统导出”。")
@click.option("--confirm", is_flag=True, help="已核对疑问，确认就是这份名单。")
def import_identities(file: Path, county: str, as_of: datetime, source: str, confirm: bool) -> None:
    """导入脱贫人口和监测对象名单（xlsx）。有疑问的先列出，核对后加 --confirm 导入。"""
    from workflows.organisations.actors import SYSTEM
    from workflows.registers.identities import import_identities as run

    _, database = _open()
    result = run(
        database,
        SYSTEM,
        file.read_bytes(),
        division_code=county,
        as_of=as_of.date(),
        source=source,
        confirmed=confirm,
        progress=Progress("正在导入"),
    )
    database.close()
    for line in (*result.problems, *result.doubts):
        click.echo(line, err=True)
    if result.problems:
        click.echo(f"没有导入：名单有 {len(result.problems)} 处问题，改正后重新导入。", err=True)
        sys.exit(1)
    if result.doubts:
        click.echo("没有导入：请先核对上面的疑问，确认就是这份名单的，加 --confirm 重新执行。", err=True)
        sys.exit(1)
    click.echo(f"{'这份名单以前导入过' if result.repeated else '已导入'}，共 {result.rows} 人。", err=True)


@main.command("identity-template")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def identity_template(file: Path) -> None:
    """写出脱贫人口和监测对象名单的空白模板（xlsx）。"""
    from workflows.registers.identity_list import list_template

    try:
        with file.open("xb") as target:  # never over a list that somebody has filled in
            target.write(list_template())
    except FileExistsError:
        click.echo(f"文件已经存在，没有覆盖：{file}", err=True)
        sys.exit(1)
    except OSError:
        click.echo(f"写不了这个文件，请检查文件夹是否存在、是否有权限：{file}", err=True)
        sys.exit(1)
    click.echo(f"已写出模板：{file}", err=True)


# Checking --------------------------------------------------------------------------------------------------------


def _report(findings: list[Any], good: str) -> None:
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


@main.command()
def check() -> None:
    """检查流程状态、待办、期限、意见和编号是否一致。"""
    from workflows.cases.check import check as run

    _, database = _open()
    findings = run(database, Progress("正在检查"))
    database.close()
    _report(findings, "全部一致。")


@main.group()
def audit() -> None:
    """操作记录。"""


@audit.command()
def verify() -> None:
    """核验全部操作记录是否完整、未被改动。"""
    from workflows.cases.check import verify_everything

    _, database = _open()
    findings = verify_everything(database, Progress("正在核验"))
    database.close()
    _report(findings, "全部记录完整，没有被改动。")


@main.group()
def catalogue() -> None:
    """流程目录。"""


@catalogue.command()
def lint() -> None:
    """检查每个流程的图、规则、表单和文书模板。"""
    from workflows.cases.publishing import problems_of, process_keys

    wrong = 0
    for key in process_keys():
        try:
            problems = [str(one) for one in problems_of(key)]
        except CatalogueError as error:
            problems = error.problems
        for problem in problems:
            click.echo(problem)
        wrong += len(problems)
        click.echo(f"{key}：{'没有问题' if not problems else f'{len(problems)} 处问题'}", err=True)
    if wrong:
        sys.exit(1)


# The demonstration -----------------------------------------------------------------------------------------------


@main.group()
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

    settings, database = _open()
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


if __name__ == "__main__":
    main()
