"""Writes migrations: the difference between what the migrations make and what the models say, triggers included."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from flask_migrate import revision, upgrade
from sqlalchemy import create_engine, text

from webapp.app import create_app
from webapp.config import Settings
from webapp.database import db
from workflows.base.model import Base
from workflows.base.privacy import Keyring

VERSIONS = Path(__file__).parent / "migrations" / "versions"
#: Appended to a migration that makes append-only tables.
_TRIGGERS = """
    for table in APPEND_ONLY:
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)
"""


def append_only_tables() -> list[str]:
    """The tables whose models attach triggers that refuse changes."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        Base.metadata.create_all(connection)
        found = connection.execute(text("select distinct tbl_name from sqlite_master where type = 'trigger'"))
        names = sorted(name for (name,) in found)
    engine.dispose()
    return names


def main(arguments: list[str]) -> None:
    """``--first`` or the message of a further migration."""
    first = arguments[:1] == ["--first"]
    message = "all tables" if first else " ".join(arguments)
    if not message:
        raise SystemExit("say what changes")
    if first:
        for old in VERSIONS.glob("*.py"):
            old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.json"
        Keyring.generate().save(keys)
        app = create_app(
            Settings(
                data_dir=Path(folder),
                database_url=f"sqlite:///{folder}/empty.db",
                public_url="http://localhost",
                keys_file=keys,
                demo=True,
                queue_url="memory://",
            )
        )
        migrations = f"{app.root_path}/migrations"
        number = len(list(VERSIONS.glob("*.py"))) + 1
        with app.app_context():
            if not first:
                upgrade(directory=migrations)
            revision(directory=migrations, message=message, autogenerate=True, rev_id=f"{number:04d}")
            db.engine.dispose()
    if first:
        _add_triggers(next(VERSIONS.glob("0001_*.py")))


def _add_triggers(path: Path) -> None:
    source = path.read_text()
    tables = append_only_tables()
    source = source.replace(
        "\ndepends_on = None\n",
        f"\ndepends_on = None\n\n#: Rows of these are added and never changed.\nAPPEND_ONLY = {tuple(tables)!r}\n",
    )
    source = source.replace(
        "from alembic import op\n",
        "from alembic import op\n\nfrom workflows.audit.model import append_only_ddl\n",
    )
    source = re.sub(r"\n\n\ndef downgrade", _TRIGGERS.rstrip() + "\n\n\ndef downgrade", source)
    path.write_text(source)


if __name__ == "__main__":
    main(sys.argv[1:])
