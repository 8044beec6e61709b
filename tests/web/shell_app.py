"""A small application that draws the macros alone: no database, no login. For tests of the look and of the scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flask import Flask, Response, jsonify, render_template, render_template_string, request
from flask.typing import ResponseReturnValue
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect

from webapp import styleguide, views_support
from webapp.security import POLICY

DRAFT = """
{% extends "layout/base.html" %}
{% from "components/form.html" import actions, autosave_status, csrf, default_submit, form_section %}
{% block title %}填写{% endblock %}
{% block content %}
<form method="post" action="/draft" id="draft" data-autosave-url="/save">
{{ csrf() }}{{ default_submit() }}
{% for section in form.sections[:2] %}{{ form_section(section, options=lists) }}{% endfor %}
{{ autosave_status() }}{{ actions("保存，进入下一步") }}
</form>
{% endblock %}
"""

DECISION = """
{% extends "layout/base.html" %}
{% from "components/decision.html" import decision_panel %}
{% block title %}受理{% endblock %}
{% block content %}
<div class="wg-decide"><div><h2>依据</h2></div>
{{ decision_panel(form.outcomes, "/decide", fields=[form.field("lacks")], options={"lacks": lists.faults}) }}</div>
{% endblock %}
"""


@dataclass
class Played:
    """What the server does next, and what reached it."""

    status: int = 200
    saved: list[dict[str, list[str]]] = field(default_factory=list)
    decided: list[dict[str, list[str]]] = field(default_factory=list)


def create_shell_app() -> Flask:
    """Routes: ``/`` the style guide, ``/draft`` with ``/save``, ``/decide``. ``app.extensions["played"]`` steers."""
    app = Flask("webapp")
    app.config.update(SECRET_KEY="only-for-tests", BOOTSTRAP_SERVE_LOCAL=True, TESTING=True)
    Bootstrap5(app)
    CSRFProtect(app)
    views_support.install(app)
    played = app.extensions["played"] = Played()
    sample: dict[str, Any] = {
        "shell": styleguide.shell(),
        "form": styleguide.form(),
        "lists": {"place": styleguide.LISTS["divisions"], "faults": styleguide.LISTS["targets"]},
    }

    @app.get("/")
    def guide() -> str:
        return render_template("styleguide/index.html", **styleguide.context())

    @app.route("/draft", methods=["GET", "POST"])
    def draft() -> ResponseReturnValue:
        if request.method == "POST" and played.status == 401:
            return render_template_string(
                '{% extends "layout/base.html" %}{% block title %}登录{% endblock %}', error_title="请先登录"
            ), 401
        return render_template_string(DRAFT, **sample)

    @app.post("/save")
    def save() -> ResponseReturnValue:
        if played.status != 200:
            return jsonify(error="登录已失效", login="/login"), played.status
        played.saved.append(request.form.to_dict(flat=False))
        return jsonify(saved_at="14:05")

    @app.get("/decide")
    def decision() -> str:
        return render_template_string(DECISION, **sample)

    @app.post("/decide")
    def decide() -> ResponseReturnValue:
        played.decided.append(request.form.to_dict(flat=False))
        return "", 204  # the page stays, so that a second click finds the same button

    @app.after_request
    def policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app


@cache
def shell_app() -> Flask:
    """One such application for all tests that only draw: templates are compiled once."""
    return create_shell_app()


def render(source: str, **context: Any) -> str:
    """Render a template text in the small application."""
    app = shell_app()
    with app.test_request_context("/?q=%E7%BC%9D%E7%BA%AB&page=3"):
        return render_template_string(source, **context)
