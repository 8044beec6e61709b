"""Diagrams and rules, tried before they are put to use."""

from __future__ import annotations

import sys

import click

from workflows.base.errors import CatalogueError


@click.group()
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
