"""The blueprint of the auditors."""

from flask import Blueprint

bp = Blueprint("audit", __name__, url_prefix="/audit")
