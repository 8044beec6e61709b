"""Pages of 财政: appropriations, payment batches, bounced payments, reconciliation, recoveries."""

from webapp.finance import (
    acting,
    batches,
    bounced,
    closing,
    funds,
    making,
    overview,
    reconciliation,
    recoveries,
)
from webapp.finance.blueprint import bp

__all__ = [
    "acting",
    "batches",
    "bounced",
    "bp",
    "closing",
    "funds",
    "making",
    "overview",
    "reconciliation",
    "recoveries",
]
