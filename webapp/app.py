"""The application, put together from its parts."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import (
    access,
    database,
    errors,
    glance,
    logs,
    measures,
    navigation,
    numbers,
    security,
    services,
    views_support,
)
from webapp.blueprints import BLUEPRINTS
from webapp.config import Settings
from webapp.queue import make_queue, nudger
from webapp.startup import prepare

MIGRATIONS = "migrations"
#: The longest a session lasts, used or not.
LONGEST_SESSION = timedelta(hours=12)


def create_app(settings: Settings | None = None) -> Flask:
    """An application for these settings (those of the environment when left out).

    Raises ``ConfigurationError`` in Chinese when something is missing.
    """
    settings = settings or Settings.from_environment()
    keyring, store = prepare(settings)
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=keyring.derive("cookies").hex(),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},  # a failing statement must not log its values
        # the prefix makes browsers refuse one that came over plain HTTP or from another host
        SESSION_COOKIE_NAME="__Host-wengang" if settings.secure_cookies else "wengang",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=LONGEST_SESSION,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a long form must not die of its age
        WTF_CSRF_SSL_STRICT=settings.secure_cookies,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        BOOTSTRAP_SERVE_LOCAL=True,
        JSON_AS_ASCII=False,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's own provider has it
    if settings.proxies:
        count = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    services.install(
        app,
        services.Services(settings=settings, store=store, nudge=nudger(make_queue(settings))),
    )
    numbers.install(app)
    glance.install(app)
    logs.install(app)
    measures.install(app)
    database.install(app)
    CSRFProtect(app)
    Bootstrap5(app)
    Migrate(app, database.db, directory=f"{app.root_path}/{MIGRATIONS}", compare_type=True)
    views_support.install(app)
    navigation.install(app)
    access.install(app)
    security.install(app, settings)
    errors.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app
