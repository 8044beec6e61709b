"""For auditors: what happened, and whether the record of it still holds."""

from webapp.audit import routes
from webapp.audit.blueprint import bp

__all__ = ["bp", "routes"]
