"""Pages as a browser asks for them: somebody of the demonstration county signed in, and how long a page takes."""

from __future__ import annotations

import time
from pathlib import Path

from flask.testing import FlaskClient

from webapp.app import create_app
from webapp.config import Settings
from workflows.base.privacy import keyring
from workflows.base.session import Database
from workflows.organisations.passwords import DEMO_PASSWORD


def browser(database: Database, folder: Path, username: str) -> FlaskClient:
    """A browser in which an account of the demonstration is signed in.

    :raises RuntimeError: signing in failed.
    """
    keys = folder / "keys.json"
    if not keys.exists():
        keyring().save(keys)
    settings = Settings(
        data_dir=folder,
        database_url=database.url,
        public_url="http://localhost",
        keys_file=keys,
        queue_url="memory://",
        demo=True,
    )
    client = create_app(settings).test_client()
    page = client.get("/login").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post(
        "/login", data={"csrf_token": token, "username": username, "password": DEMO_PASSWORD}
    )
    if answer.status_code not in (302, 303):
        raise RuntimeError(f"signing in failed: {answer.status_code}")
    return client


def seconds(client: FlaskClient, path: str) -> float:
    """How long a page takes; raises ``RuntimeError`` when it is not there."""
    begun = time.perf_counter()
    answer = client.get(path)
    taken = time.perf_counter() - begun
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    return taken
