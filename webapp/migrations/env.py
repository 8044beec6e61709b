"""How Alembic meets the database: through the application's engine, in one transaction where the database can."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy.types import TypeDecorator

from webapp import models
from workflows.base.session import WRITE

assert models.MODELS  # noqa: S101 - imported for the tables it names


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Our column types as the plain ones beneath: a migration must not change when the code does."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


def run() -> None:
    database = current_app.extensions["migrate"].db
    with database.engine.connect().execution_options(**WRITE) as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_item=render_item,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
