"""Migrations from empty make exactly what the models say: tables, indexes, constraints, triggers; on both databases."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import upgrade
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from tests.conftest import TEST_KEYRING
from webapp.app import create_app
from webapp.config import Settings
from webapp.database import db
from webapp.migrating import append_only_tables
from webapp.models import MODELS
from workflows.base.model import Base


@pytest.fixture
def fresh_settings(tmp_path: Path) -> Settings:
    keys = tmp_path / "keys.json"
    TEST_KEYRING.save(keys)
    return Settings(
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'migrated.db'}",
        public_url="http://localhost",
        keys_file=keys,
        demo=True,
        queue_url="memory://",
    )


@contextmanager
def migrated(settings: Settings) -> Iterator[Engine]:
    app = create_app(settings)
    with app.app_context():
        upgrade(directory=f"{app.root_path}/migrations")
        yield db.engine
        db.session.remove()
        db.engine.dispose()


@contextmanager
def made(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


def shape(engine: Engine) -> dict[str, object]:
    """What a comparison of metadata does not see: checks, partial indexes, triggers."""
    look = inspect(engine)
    tables = [name for name in look.get_table_names() if name != "alembic_version"]
    found: dict[str, object] = {
        f"{table} checks": sorted(
            (str(one["name"]), " ".join(one["sqltext"].split())) for one in look.get_check_constraints(table)
        )
        for table in tables
    }
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.execute(
                text(
                    "select name, sql from sqlite_master where type in ('index', 'trigger') and sql is not null"
                )
            )
        else:
            rows = connection.execute(
                text(
                    "select indexname, indexdef from pg_indexes where schemaname = 'public' and tablename <> 'alembic_version' "
                    "union all select tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal"
                )
            )
        found["indexes and triggers"] = sorted((name, " ".join(sql.split())) for name, sql in rows)
    return found


def compare(migrated_engine: Engine, model_engine: Engine) -> None:
    with migrated_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == [], "run script/make-migration"
    assert shape(migrated_engine) == shape(model_engine)


def test_on_sqlite(fresh_settings: Settings, tmp_path: Path) -> None:
    assert MODELS
    with migrated(fresh_settings) as ours, made(f"sqlite:///{tmp_path / 'made.db'}") as models:
        compare(ours, models)


@pytest.mark.postgres
def test_on_postgresql(fresh_settings: Settings, postgres_house: object) -> None:
    names = [f"migrations_{uuid.uuid4().hex}" for _ in range(2)]
    try:
        for name in names:
            postgres_house._execute(f"CREATE DATABASE {name}")
        settings = replace(fresh_settings, database_url=postgres_house.url(names[0]))
        with migrated(settings) as ours, made(postgres_house.url(names[1])) as models:
            compare(ours, models)
    finally:
        for name in names:
            postgres_house._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_migrating_again_changes_nothing(fresh_settings: Settings) -> None:
    with migrated(fresh_settings):
        pass
    with migrated(fresh_settings) as engine:
        assert inspect(engine).has_table("cases")


def test_what_is_append_only_stays_so(fresh_settings: Settings) -> None:
    assert {"events", "anchors", "decisions"} <= set(append_only_tables())
    with migrated(fresh_settings) as engine, engine.begin() as connection:
        connection.execute(
            text(
                "insert into anchors (day, heads, previous, hash, made_at) "
                "values ('2026-01-01', '[]', '', 'x', '2026-01-01')"
            )
        )
        for statement in ("update anchors set hash = 'y'", "delete from anchors"):
            with pytest.raises(DBAPIError, match="append-only"):
                connection.execute(text(statement))
