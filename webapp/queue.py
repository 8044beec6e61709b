"""The queue between web and worker: a nudge, nothing more. What is to be done stands in the outbox table."""

from __future__ import annotations

import logging
from collections.abc import Callable

from huey import Huey, MemoryHuey, PostgresHuey, RedisHuey, SqliteHuey
from huey.exceptions import ConfigurationError as MissingClient

from webapp.config import ConfigurationError, Settings

log = logging.getLogger(__name__)

NAME = "wengang"
DRAIN = "drain"


def make_queue(settings: Settings) -> Huey:
    """The queue that ``WENGANG_QUEUE_URL`` names; an SQLite file in the data folder by default."""
    url = settings.queue_url
    if not url:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return SqliteHuey(NAME, filename=str(settings.data_dir / "queue.db"), results=False)
    if url.startswith(("redis://", "rediss://")):
        try:
            return RedisHuey(NAME, url=url, results=False)
        except MissingClient:
            raise ConfigurationError("使用 redis:// 队列需要另外安装 redis 软件包。") from None
    if url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        return PostgresHuey(NAME, dsn=url.replace("postgresql+psycopg://", "postgresql://"), results=False)
    if url == "memory://":
        return MemoryHuey(NAME, results=False)
    raise ConfigurationError("WENGANG_QUEUE_URL 只支持 redis:// 和 postgresql://；不设置时使用本机队列文件。")


def nudger(queue: Huey) -> Callable[[], None]:
    """A function that tells the worker to look at the outbox.

    A nudge that cannot be given is only noted: the worker looks by itself every few seconds.
    """

    @queue.task(name=DRAIN)
    def drain() -> None:
        """The web only names the task; the worker has the one that works."""

    def nudge() -> None:
        try:
            if queue.pending_count() < 2:
                drain()
        except Exception:  # whatever the queue's server says: the commit stands, the sweep finds it
            log.warning("the queue did not take a nudge", exc_info=True)

    return nudge
