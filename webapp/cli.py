"""The ``wengang`` command. Every command says what it does in Chinese; results go to stdout, progress to stderr."""

from __future__ import annotations

import click

from webapp.commands import catalogue, checking, demonstration, keeping, running, setting_up
from webapp.commands.support import ChineseGroup


@click.group(cls=ChineseGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """稳岗通的管理命令。设置从环境变量读取，见 docs/operations.md。"""


for one in (
    running.serve,
    running.worker,
    setting_up.init_keys,
    setting_up.migrate,
    setting_up.create_user,
    setting_up.import_identities,
    setting_up.identity_template,
    checking.check,
    checking.audit,
    checking.sweep_files,
    keeping.backup,
    keeping.check_backup,
    keeping.restore,
    keeping.move,
    keeping.rotate_keys,
    catalogue.catalogue,
    demonstration.demo,
):
    main.add_command(one)


if __name__ == "__main__":
    main()
