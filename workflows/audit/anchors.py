"""The daily anchor: one hash over all heads that moved, chained to the day before, exported out of reach."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.audit.digest import canonical
from workflows.audit.model import Anchor
from workflows.base.clock import now, today


def anchor_hash(day: date, heads: list[list[Any]], previous: str) -> str:
    """SHA-256 over a day, its heads and the anchor before."""
    return hashlib.sha256(canonical([day, heads, previous]).encode()).hexdigest()


def make_anchor(session: Session, heads: Iterable[tuple[str, int, str]]) -> Anchor | None:
    """Seal today's heads; ``None`` when today is sealed already.

    :param heads: every chain as it stands: name, sequence, hash. Those that did not move since the last anchor that
        names them are left out.
    """
    day = today()
    earlier = list(session.scalars(select(Anchor).order_by(Anchor.id)))
    if earlier and earlier[-1].day >= day:
        return None
    sealed = {name: (seq, head) for anchor in earlier for name, seq, head in anchor.heads}
    moved: list[list[Any]] = sorted(
        [name, seq, head] for name, seq, head in heads if seq and sealed.get(name) != (seq, head)
    )
    previous = earlier[-1].hash if earlier else ""
    anchor = Anchor(
        day=day, heads=moved, previous=previous, hash=anchor_hash(day, moved, previous), made_at=now()
    )
    session.add(anchor)
    session.flush()
    return anchor
