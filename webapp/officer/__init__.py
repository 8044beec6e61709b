"""The officers' pages: work list, deciding, cases, the registers, employers' first accounts; and the notices of everybody."""

from webapp.officer import (
    cases,
    deciding,
    employers,
    grants,
    handing,
    identities,
    notices,
    payments,
    register,
    starting,
    unmasking,
    worklist,
)
from webapp.officer.blueprint import bp

__all__ = [
    "bp",
    "cases",
    "deciding",
    "employers",
    "grants",
    "handing",
    "identities",
    "notices",
    "payments",
    "register",
    "starting",
    "unmasking",
    "worklist",
]
