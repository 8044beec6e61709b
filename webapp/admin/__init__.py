"""Administration: offices, users, posts, working calendar, parameters, failed jobs. No case is seen from here."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("admin", __name__, url_prefix="/admin")
