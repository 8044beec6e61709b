"""The processes: site and worker."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import click

from webapp import logs
from webapp.config import Settings

_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder there that somebody else made is not used


def _ours(folder: Path) -> bool:
    return folder.stat(follow_symlinks=False).st_uid == os.geteuid() and not folder.is_symlink()


def measures_folder(data_dir: Path) -> Path:
    """Where processes of one installation keep their figures.

    The files are mapped into memory, where a disk that is full kills whoever writes (SIGBUS): so they lie in memory, where there is
    such a place.
    """
    name = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    folder = _MEMORY / f"wengang-{os.geteuid()}-{name}"
    if not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK) or (folder.exists() and not _ours(folder)):
        return data_dir / "metrics"
    return folder


def share_measures(settings: Settings) -> None:
    """Let web and worker on this machine keep their figures side by side, for ``/metrics`` to add up.

    Must come before anything that counts is imported. Files of processes that are gone for good are removed; what a recycled
    process of a running web counted stays.
    """
    folder = measures_folder(settings.data_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    if not any(alive(file) for file in folder.glob("*.db")):
        for file in folder.glob("*.db"):
            file.unlink(missing_ok=True)


def alive(file: Path) -> bool:
    """Whether the process whose figures these are still runs. The library names files KIND_PID.db."""
    number = file.stem.rpartition("_")[2]
    try:
        os.kill(int(number), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:  # somebody else's process
        pass
    return True


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址。")
@click.option("--port", default=8000, show_default=True, envvar="PORT", help="端口。")
@click.option("--processes", default=2, show_default=True, help="进程数。")
@click.option("--threads", default=8, show_default=True, help="每个进程的线程数。")
def serve(host: str, port: int, processes: int, threads: int) -> None:
    """启动网站。"""
    logs.configure()
    settings = Settings.from_environment()
    share_measures(settings)
    from webapp.serving import serve as run

    run(settings, host, port, processes, threads)


@click.command()
@click.option("--threads", default=2, show_default=True, help="同时处理的任务数。")
def worker(threads: int) -> None:
    """启动后台处理：生成文书、读取名单、到期处理、每日封存。"""
    logs.configure()
    settings = Settings.from_environment()
    share_measures(settings)
    from webapp.worker import make_worker

    made = make_worker(settings, threads)
    made.run()
    made.database.close()
