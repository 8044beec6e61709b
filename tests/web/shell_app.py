"""A small application that draws the macros alone: no database, no login. For tests of the look only."""

from __future__ import annotations

from typing import Any

from flask import Flask, render_template, render_template_string
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect

from webapp import styleguide, views_support

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'"


def create_shell_app() -> Flask:
    """Routes: ``/`` the style guide."""
    app = Flask("webapp")
    app.config.update(SECRET_KEY="only-for-tests", BOOTSTRAP_SERVE_LOCAL=True, TESTING=True)
    Bootstrap5(app)
    CSRFProtect(app)
    views_support.install(app)

    @app.get("/")
    def guide() -> str:
        return render_template("styleguide/index.html", **styleguide.context())

    @app.after_request
    def policy(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app


def render(source: str, **context: Any) -> str:
    """Render a template text in the small application."""
    app = create_shell_app()
    with app.test_request_context("/?q=%E7%BC%9D%E7%BA%AB&page=3"):
        return render_template_string(source, **context)
