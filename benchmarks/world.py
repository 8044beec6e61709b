"""Where benchmarks take place: fresh databases with the demonstration county, and the people who act there.

Both databases are as durable as in production: a commit waits for the disk.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from tests.databases import PostgresHouse, SqliteHouse
from workflows.base.clock import SHANGHAI, frozen
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.privacy import Keyring, use_keyring
from workflows.base.session import Database
from workflows.cases.publishing import publish_all, publish_process
from workflows.registers.demo_county import load

PROCESS = "five_steps"
CATALOGUE = Path(__file__).parent / "catalogue"
KINDS = ("sqlite", "postgres")
#: When the county was set up, before every case.
BEFORE = datetime(2026, 1, 5, 9, 0, tzinfo=SHANGHAI)


def prepare_process(folder: Path) -> None:
    """Keys and file store of this process: every client calls it. Keys of benchmarks are worth nothing elsewhere."""
    use_keyring(Keyring({"bench": bytes(range(32))}, bytes(range(32, 64))))
    use_installation(Installation("http://127.0.0.1:8000", True, FileStore(folder / "files")))


@dataclass
class World:
    """Databases of both kinds on the machine's disk, gone when it closes. PostgreSQL starts when first asked for."""

    folder: Path
    _houses: dict[str, SqliteHouse | PostgresHouse] = field(default_factory=dict)

    @contextmanager
    def county(self, kind: str) -> Iterator[Database]:
        """A fresh copy of the demonstration county with the processes of the catalogue and the five steps."""
        with self._house(kind).fresh("county", publish_county) as database:
            yield database

    def _house(self, kind: str) -> SqliteHouse | PostgresHouse:
        if kind not in self._houses:
            make: dict[str, Callable[[], SqliteHouse | PostgresHouse]] = {
                "sqlite": lambda: SqliteHouse(self.folder),
                "postgres": lambda: PostgresHouse(self.folder, durable=True),
            }
            self._houses[kind] = make[kind]()
        return self._houses[kind]

    def close(self) -> None:
        for house in self._houses.values():
            if isinstance(house, PostgresHouse):
                house.stop()


@contextmanager
def world() -> Iterator[World]:
    """A world in a temporary folder; ``TMPDIR`` chooses the disk."""
    with ExitStack() as stack:
        made = World(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wengang-bench-"))))
        prepare_process(made.folder)
        stack.callback(made.close)
        yield made


def publish_county(database: Database) -> None:
    """Fill an empty database: the demonstration county, the catalogue's processes and the five steps."""
    with frozen(BEFORE), database.transaction() as session:
        load(session, demonstration=True)
        publish_all(session)
        publish_process(session, PROCESS, bpmn=CATALOGUE / "bpmn", forms=CATALOGUE / "forms")
    analyse(database)


def analyse(database: Database) -> None:
    """Tell the planner how much there is. Without it PostgreSQL keeps the plans it made for empty tables."""
    vacuum = "VACUUM ANALYZE" if database.engine.dialect.name == "postgresql" else "ANALYZE"
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(vacuum))
