"""The daily anchor: one hash over all heads that moved, chained to the day before, exported out of reach."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.audit.digest import canonical
from workflows.audit.model import Anchor, Event
from workflows.base.clock import now, today

#: A chain as it stands: name, sequence, hash.
Head: TypeAlias = tuple[str, int, str]
#: How far back events are asked for before the last anchor: clocks of machines differ, and a commit may be late.
MARGIN = timedelta(days=2)


def anchor_hash(day: date, heads: list[list[Any]], previous: str) -> str:
    """SHA-256 over a day, its heads and the anchor before."""
    return hashlib.sha256(canonical([day, heads, previous]).encode()).hexdigest()


def make_anchor(session: Session, heads: Callable[[Collection[str] | None], Iterable[Head]]) -> Anchor | None:
    """Seal the heads that moved since the last anchor; ``None`` when today is sealed already.

    What moved is asked of the events since then, so that a day costs what happened on it, not what ever happened. Once a month
    every chain is looked at: a clock that was set far back could have hidden one.

    :param heads: chains as they stand, those of some names or all of them.
    """
    day = today()
    last = session.scalars(select(Anchor).order_by(Anchor.id.desc()).limit(1)).first()
    if last is not None and last.day >= day:
        return None
    since = (
        None
        if last is None or (last.day.year, last.day.month) != (day.year, day.month)
        else last.made_at - MARGIN
    )
    names = (
        None
        if since is None
        else set(session.scalars(select(Event.stream).where(Event.at >= since).distinct()))
    )
    sealed = _sealed(session, since)
    moved: list[list[Any]] = sorted(
        [name, seq, head] for name, seq, head in heads(names) if seq and sealed.get(name) != (seq, head)
    )
    previous = last.hash if last else ""
    anchor = Anchor(
        day=day, heads=moved, previous=previous, hash=anchor_hash(day, moved, previous), made_at=now()
    )
    session.add(anchor)
    session.flush()
    return anchor


def _sealed(session: Session, since: datetime | None) -> dict[str, tuple[int, str]]:
    """What the anchors made since then say of each chain; all of them, one after the other, without a time."""
    wanted = select(Anchor.heads).order_by(Anchor.id).execution_options(yield_per=20)
    if since is not None:
        wanted = wanted.where(Anchor.made_at >= since)
    return {name: (seq, head) for found in session.scalars(wanted) for name, seq, head in found}
