"""The bank answered, or a person fell out: a case whose payments have all come to their end goes on."""

from __future__ import annotations

from workflows.base.session import Database
from workflows.cases.action import begin
from workflows.cases.advance import deliver
from workflows.cases.payment_state import PAYMENTS_SETTLED, payments_open


def hear_payments(database: Database, case_id: int) -> None:
    """Send the case its message, if it waits for it. May be called twice: the second time nothing waits."""
    with database.transaction() as session:
        action = begin(session, case_id, None)
        if action.case.finished_at is None and not payments_open(action):
            deliver(session, case_id, PAYMENTS_SETTLED)
