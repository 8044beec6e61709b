"""What an installation begins with: keys, tables, the first account, the list of people."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from webapp.commands.support import opened
from webapp.config import Settings
from webapp.progress import Progress


@click.command("init-keys")
def init_keys() -> None:
    """生成密钥文件（已有的不会覆盖）。"""
    from workflows.base.privacy import Keyring

    settings = Settings.from_environment()
    if settings.keys_file.exists():
        click.echo(f"密钥文件已存在，没有改动：{settings.keys_file}", err=True)
        return
    Keyring.generate(settings.crypto).save(settings.keys_file)
    click.echo(f"已生成密钥文件：{settings.keys_file}", err=True)
    click.echo("请立即与数据库分开备份。密钥丢失后，已加密的数据无法恢复。", err=True)


@click.command()
def migrate() -> None:
    """建立或升级数据库，并发布有变化的流程。"""
    from flask_migrate import upgrade

    from webapp.app import create_app
    from webapp.startup import require_tables
    from workflows.cases.publishing import publish_all

    settings, database = opened()
    app = create_app(settings)
    with app.app_context():
        upgrade(directory=f"{app.root_path}/migrations")
    require_tables(database)
    with database.transaction() as session:
        for version in publish_all(session):
            click.echo(f"已发布流程 {version.process} 第 {version.number} 版", err=True)
    database.close()
    click.echo("数据库已是最新。", err=True)


@click.command("create-user")
@click.option("--username", required=True, help="用户名。")
@click.option("--name", required=True, help="姓名。")
@click.option("--kind", type=click.Choice(["admin", "auditor", "officer"]), required=True, help="账号类型。")
@click.option("--division", required=True, help="负责的地区代码，例如 220822。")
def create_user(username: str, name: str, kind: str, division: str) -> None:
    """开通账号，输出一次性的临时密码。首个系统管理员用它开通。"""
    from workflows.organisations.accounts import create_user as create
    from workflows.organisations.actors import SYSTEM
    from workflows.organisations.divisions import load_divisions

    _, database = opened()
    with database.transaction() as session:
        load_divisions(session)
        _, password = create(session, SYSTEM, username=username, name=name, kind=kind, division_code=division)
    database.close()
    click.echo(f"账号 {username} 已开通，首次登录须修改密码。临时密码：", err=True)
    click.echo(password)


@click.command("import-identities")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--county", required=True, help="县（市、区）代码，例如 220822。")
@click.option("--as-of", required=True, type=click.DateTime(["%Y-%m-%d"]), help="名单所反映的日期。")
@click.option("--source", required=True, help="名单来源，例如“全国防返贫监测信息系统导出”。")
@click.option("--confirm", is_flag=True, help="已核对疑问，确认就是这份名单。")
def import_identities(file: Path, county: str, as_of: datetime, source: str, confirm: bool) -> None:
    """导入脱贫人口和监测对象名单（xlsx）。有疑问的先列出，核对后加 --confirm 导入。"""
    from workflows.organisations.actors import SYSTEM
    from workflows.registers.identities import import_identities as run

    _, database = opened()
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


@click.command("identity-template")
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
