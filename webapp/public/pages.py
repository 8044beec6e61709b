"""The first page of a guest, the list of policies, and what search engines are asked to leave alone."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from webapp.access import everyone
from webapp.database import reading
from webapp.public.blueprint import bp
from workflows.base import yaml_text
from workflows.cases.public_views import offices_by_county, running_publicities

#: 公示 come down when they end; papers and cases are for those who hold them.
ROBOTS = """User-agent: *
Disallow: /publicity
Disallow: /progress
Disallow: /verify
Disallow: /v/
Disallow: /slip
Disallow: /login
Disallow: /account
"""


@lru_cache(maxsize=1)
def policy_list() -> dict[str, Any]:
    """政策清单 as data: what the notice offers whom, article by article."""
    text = Path(__file__).with_name("policies.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml_text.load(text)
    return found


@bp.get("/public")
@everyone
def index() -> ResponseReturnValue:
    """What this is, and the doors."""
    session = reading()
    return render_template(
        "public/index.html",
        policies=policy_list(),
        counties=offices_by_county(session),
        running=running_publicities(session).items[:3],
    )


@bp.get("/policies")
@everyone
def policies() -> ResponseReturnValue:
    """政策清单."""
    return render_template("public/policies.html", policies=policy_list())


@bp.get("/robots.txt")
@everyone
def robots() -> ResponseReturnValue:
    return Response(ROBOTS, mimetype="text/plain")
