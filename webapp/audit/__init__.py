"""For auditors: what happened, and whether the record of it still holds."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("audit", __name__, url_prefix="/audit")
