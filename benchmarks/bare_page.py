"""The floor of ``page_http``: Flask, SQLAlchemy, one query and one table, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask, render_template_string
from sqlalchemy import select

from benchmarks.people import ACCOUNTS
from workflows.base.privacy import Keyring, use_keyring
from workflows.base.session import Database
from workflows.cases import worklist
from workflows.organisations.model import Assignment, User

PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>待办</title></head><body><h1>待办 {{ found.count }}</h1>
<table>{% for item in found.items %}<tr><td>{{ item.case.number }}</td><td>{{ item.title }}</td>
<td>{{ item.case.employer.name }}</td><td>{{ item.due_at }}</td><td>{{ item.claimant.name if item.claimant }}</td></tr>
{% endfor %}</table></body></html>"""


def make() -> Flask:
    """The page of 县人社局's work list, for whoever asks."""
    app = Flask(__name__)
    use_keyring(Keyring.load(Path(os.environ["WENGANG_KEYS_FILE"])))
    database = Database(os.environ["BARE_URL"])
    with database.reading() as session:
        department = session.scalars(
            select(Assignment.department_id)
            .join(User, User.id == Assignment.user_id)
            .where(User.username == ACCOUNTS["hrss"])
        ).one()

    @app.get("/")
    @app.get("/login")
    def page() -> str:
        with database.reading() as session:
            return render_template_string(PAGE, found=worklist.page(session, [department]))

    return app
