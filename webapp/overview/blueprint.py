"""The blueprint, its tabs, and the bars of its pictures."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for

bp = Blueprint("overview", __name__, url_prefix="/overview")

#: Width of a bar in the picture's units.
WIDTH = 1000
TABS = (("以工代赈项目", "overview.projects"), ("统计", "overview.counts"))


def page(template: str, **context: Any) -> str:
    """A page under the tabs of this room."""
    shown = [
        {"title": title, "href": url_for(endpoint), "active": request.endpoint == endpoint}
        for title, endpoint in TABS
    ]
    return render_template(template, tabs_shown=shown, **context)


def share(part: int, whole: int) -> int:
    """How far a bar reaches, in the picture's units."""
    return min(WIDTH, round(WIDTH * part / whole)) if whole > 0 else 0
