"""Who has to act next is told by the worker: what is said and to whom stands in ``workflows.cases.money_notices``."""

from __future__ import annotations

from sqlalchemy.orm import Session

from workflows.base import outbox

#: Outbox: something about money waits for somebody.
MONEY_NOTICE = "money_notice"


def tell(session: Session, what: str, row_id: int) -> None:
    """Note that somebody is to be told, in the caller's transaction.

    :param what: a key of ``workflows.cases.money_notices.SAID``.
    :param row_id: the batch, the correction or the recovery that it is about.
    """
    outbox.put(session, MONEY_NOTICE, f"{what}-{row_id}", {"what": what, "row": row_id})
