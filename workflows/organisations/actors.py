"""Who acts: a plain value, loaded once per request, that permissions and use cases ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from workflows.organisations.model import Assignment, User


@dataclass(frozen=True)
class Post:
    """A post held today. ``substitute_for``: the user whose absence it fills."""

    department_id: int
    kind: str
    division_code: str
    post: str
    substitute_for: int | None = None


@dataclass(frozen=True)
class Membership:
    """A confirmed membership of an employer. ``role``: ``owner`` (may confirm others) or ``clerk``."""

    employer_id: int
    role: str


@dataclass(frozen=True)
class Actor:
    """Someone, or the system, who does something.

    :param kind: ``officer``, ``employer``, ``auditor``, ``admin``, ``public`` (not signed in) or ``system``.
    :param division_code: for auditors and administrators, what they look after.
    """

    user_id: int | None
    name: str
    kind: str
    posts: tuple[Post, ...] = ()
    employers: tuple[Membership, ...] = ()
    division_code: str | None = None

    @property
    def employer_ids(self) -> tuple[int, ...]:
        return tuple(one.employer_id for one in self.employers)

    @property
    def department_ids(self) -> frozenset[int]:
        return frozenset(one.department_id for one in self.posts)

    @property
    def stands_for(self) -> frozenset[int]:
        """The actor and everyone the actor substitutes today: whose claimed items are the actor's own."""
        absent = {one.substitute_for for one in self.posts if one.substitute_for is not None}
        return frozenset(absent if self.user_id is None else absent | {self.user_id})

    def holds(self, department_id: int | None, post: str | None = None) -> bool:
        """Whether the actor has a post (or this post) in the department."""
        return any(
            one.department_id == department_id and (post is None or one.post == post) for one in self.posts
        )


#: The worker, timers and start-up.
SYSTEM = Actor(None, "系统", "system")
#: Anybody who has not signed in.
PUBLIC = Actor(None, "社会公众", "public")


def posts_of(session: Session, user_id: int, day: date) -> tuple[Post, ...]:
    """The posts a user holds on ``day``; a substitute's among them."""
    rows = session.scalars(
        select(Assignment)
        .where(
            Assignment.user_id == user_id,
            Assignment.valid_from <= day,
            or_(Assignment.valid_to.is_(None), Assignment.valid_to >= day),
        )
        .order_by(Assignment.id)
        .options(joinedload(Assignment.department))
    )
    return tuple(
        Post(
            row.department_id,
            row.department.kind,
            row.department.division_code,
            row.post,
            row.substitute_for,
        )
        for row in rows
    )


def actor_of(session: Session, user: User, day: date, employers: Iterable[Membership] = ()) -> Actor:
    """The actor a user is on ``day``.

    :param employers: the confirmed memberships; the registers, a room above, know them.
    """
    return Actor(
        user_id=user.id,
        name=user.name,
        kind=user.kind,
        posts=posts_of(session, user.id, day) if user.kind == "officer" else (),
        employers=tuple(employers) if user.kind == "employer" else (),
        division_code=user.division_code if user.kind in ("auditor", "admin") else None,
    )
