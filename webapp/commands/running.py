"""The processes: site and worker."""

from __future__ import annotations

import click

from webapp import logs
from webapp.config import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址。")
@click.option("--port", default=8000, show_default=True, envvar="PORT", help="端口。")
@click.option("--processes", default=2, show_default=True, help="进程数。")
@click.option("--threads", default=8, show_default=True, help="每个进程的线程数。")
def serve(host: str, port: int, processes: int, threads: int) -> None:
    """启动网站。"""
    from webapp.serving import serve as run

    logs.configure()
    run(Settings.from_environment(), host, port, processes, threads)


@click.command()
@click.option("--threads", default=2, show_default=True, help="同时处理的任务数。")
def worker(threads: int) -> None:
    """启动后台处理：生成文书、读取名单、到期处理、每日封存。"""
    from webapp.worker import make_worker

    logs.configure()
    made = make_worker(Settings.from_environment(), threads)
    made.run()
    made.database.close()
