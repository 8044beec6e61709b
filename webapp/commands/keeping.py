"""Backing up, restoring, moving to another database."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import click

from webapp.commands.support import opened
from webapp.config import Settings
from webapp.config import database_url as checked_url
from webapp.progress import Progress
from workflows.base.clock import SHANGHAI


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--keys",
    "keys_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="另把密钥文件复制到这个文件夹。必须与备份分开保管。",
)
def backup(folder: Path, keys_folder: Path | None) -> None:
    """备份数据库和全部文件到 FOLDER 下的新文件夹，不影响使用。密钥不在备份里。"""
    from webapp.keeping.backup import back_up, read_manifest
    from workflows.base.errors import Invalid

    settings, database = opened()
    if keys_folder is not None and keys_folder.resolve() == folder.resolve():
        raise Invalid("密钥不能和备份放在同一个文件夹：拿到两样的人就拿到了全部数据。")
    made = back_up(settings, database, folder, Progress("正在核对"))
    database.close()
    if keys_folder is not None:
        keys_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = keys_folder / f"{made.name}-keys.json"
        shutil.copyfile(settings.keys_file, kept)
        kept.chmod(0o600)
    manifest = read_manifest(made)
    rows = sum(one["rows"] for one in manifest["database"]["tables"].values())
    click.echo(
        json.dumps(
            {"backup": str(made), "rows": rows, "files": len(manifest["files"]), "keys": manifest["keys"]},
            ensure_ascii=False,
        )
    )
    click.echo(f"已备份：{made}（{rows} 行，{len(manifest['files'])} 个文件）。", err=True)
    click.echo(f"恢复时需要密钥 {'、'.join(manifest['keys'])}，请确认密钥文件已另行保管。", err=True)


@click.command("check-backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def check_backup(folder: Path) -> None:
    """核对一份备份是否完整、未被改动。不需要数据库和密钥。"""
    from webapp.keeping.backup import examine, made_at

    manifest = examine(folder, Progress("正在核对"))
    moment = made_at(manifest).astimezone(SHANGHAI)
    click.echo(json.dumps({"ok": True, "made_at": manifest["made_at"], "keys": manifest["keys"]}))
    click.echo(f"备份完整（{moment:%Y年%m月%d日 %H:%M}）。", err=True)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def restore(folder: Path) -> None:
    """把 FOLDER 里的备份恢复到设置所指的空数据库和空数据目录，并逐表核对。"""
    from webapp.keeping.restore import restore as run

    manifest = run(Settings.from_environment(), folder, Progress("正在恢复"))
    rows = sum(one["rows"] for one in manifest["database"]["tables"].values())
    click.echo(json.dumps({"rows": rows, "files": len(manifest["files"])}))
    click.echo(f"已恢复 {rows} 行、{len(manifest['files'])} 个文件，逐表核对一致。", err=True)
    click.echo("请执行 wengang migrate、wengang check、wengang audit verify，再启动。", err=True)


@click.command()
@click.option(
    "--to", "url", required=True, help="目标数据库，例如 postgresql://wengang@/wengang。必须是空的。"
)
def move(url: str) -> None:
    """把本机 SQLite 的数据搬到 PostgreSQL，逐表核对。搬的时候不能办理业务，原数据库不变。"""
    from webapp.keeping.restore import move as run

    settings, database = opened()
    target = replace(settings, database_url=checked_url(url, settings.data_dir))
    prints = run(settings, database, target.database_url, Progress("正在迁移"))
    database.close()
    rows = sum(one.rows for one in prints.values())
    click.echo(json.dumps({"rows": rows, "tables": {name: one.sha256 for name, one in prints.items()}}))
    click.echo(f"已迁移 {rows} 行，逐表核对一致。", err=True)
    click.echo(
        f"请停止网站和后台处理，设置 WENGANG_DATABASE_URL={url} 后重新启动；在那以前写入原数据库的内容不在新库里。",
        err=True,
    )


@click.command("rotate-keys")
@click.option(
    "--retire", "old", default="", help="停用一个旧密钥（没有任何数据再使用它时），从密钥文件中删去。"
)
def rotate_keys(old: str) -> None:
    """换用新密钥，把全部数据和文件重新加密。不影响使用；中断后再执行一次即可继续。"""
    from webapp.keeping import rotation

    settings, database = opened()
    if old:
        rotation.retire(settings, database, old)
        database.close()
        click.echo(f"已停用密钥 {old}。恢复更早的备份时仍然需要它，请保留以前的密钥文件。", err=True)
        return
    done = rotation.rotate(settings, database, Progress("正在重新加密"))
    database.close()
    click.echo(json.dumps({"key": done.key, "rows": done.rows, "files": done.files, "unused": done.unused}))
    click.echo(
        f"已换用密钥 {done.key}：{done.rows} 处、{done.files} 个文件。请立即另行备份新的密钥文件。", err=True
    )
    if done.unused:
        click.echo(
            f"旧密钥 {'、'.join(done.unused)} 已没有数据使用，可以用 --retire 停用；它们仍能打开以前的备份。",
            err=True,
        )
