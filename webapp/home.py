"""``/``: sends everybody to the page they begin with."""

from __future__ import annotations

from flask import Blueprint, redirect
from flask.typing import ResponseReturnValue

from webapp.access import everyone
from webapp.navigation import home_href

bp = Blueprint("home", __name__)


@bp.get("/")
@everyone
def index() -> ResponseReturnValue:
    return redirect(home_href(), 303)
