"""The floor of ``case_throughput``: the five steps written by hand, as fast as an honest program can be.

A state machine in plain Python and prepared SQLAlchemy Core statements on the same tables, in the same kind of
transaction. It keeps the promises that a row shows: numbers without gaps, the lock on the case, stale and closed items
refused, incompatible steps refused, one effect for one key, opinions encrypted, the same events in the same hash chain.
It does without everything else: no diagram, no permission table, no drafts, no timers; configuration is read once.
``tests/database/test_bench_floor.py`` compares its rows with the real ones.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from benchmarks.people import Clerks
from workflows.audit.digest import canonical, event_hash
from workflows.audit.model import Event
from workflows.base.calendar import WorkingCalendar
from workflows.base.clock import now, today
from workflows.base.errors import Conflict, Forbidden
from workflows.base.outbox import OutboxRow
from workflows.base.session import Database
from workflows.cases.commands import body_digest
from workflows.cases.model import NO_LIMIT, Case, Command, Decision, WorkItem
from workflows.cases.process import newest
from workflows.cases.starting import rules_on
from workflows.documents.numbering import next_number
from workflows.organisations.divisions import chain_codes

#: Step → title, lane, form, stage, status of the case while it is open, working days.
STEPS: Mapping[str, tuple[str, str, str, str, str, int]] = {
    "submit": ("提交申请", "lane_employer", "request", "apply", "draft", 0),
    "township": ("乡镇受理", "lane_township", "review", "accept", "accepting", 5),
    "hrss": ("人社审核", "lane_hrss", "review", "review", "reviewing", 10),
    "rural": ("乡村振兴审核", "lane_rural", "review", "review", "reviewing", 10),
    "finance": ("财政拨付", "lane_finance", "payment", "pay", "paying", 5),
}
INCOMPATIBLE = ({"submit", "township"}, {"hrss", "finance"}, {"rural", "finance"})
REVIEWS = ("hrss", "rural")

_cases, _items, _decisions = Case.__table__, WorkItem.__table__, Decision.__table__
_INSERT_CASE = insert(Case).returning(Case.id)
_INSERT_ITEM = insert(_items)
_INSERT_DECISION = insert(Decision).returning(Decision.id)
_INSERT_EVENT = insert(Event.__table__)
_INSERT_COMMAND = insert(Command.__table__)
_INSERT_OUTBOX = insert(OutboxRow.__table__)
_LOCK = (
    select(
        *(_cases.c[name] for name in ("id", *Case.__audited__, "chain_seq", "chain_head", "county_code")),
        _cases.c.submitted_at,
        *(
            _items.c[name].label(f"item_{name}")
            for name in (
                "step",
                "round",
                "version",
                "closed_at",
                "department_id",
                "employer_id",
                "claimed_by",
            )
        ),
    )
    .join_from(_items, _cases)
    .where(_items.c.id == bindparam("item_id"))
    .with_for_update()
)
_DECIDED = (
    select(_decisions.c.step, _decisions.c.round, _decisions.c.outcome, _decisions.c.actor_id)
    .where(_decisions.c.case_id == bindparam("case_id"))
    .order_by(_decisions.c.id)
)
_CLOSE_ITEM = (
    update(_items)
    .where(_items.c.id == bindparam("item_id"))
    .values(closed_at=bindparam("at"), closed_as="done", version=_items.c.version + 1)
)
_CHANGED = ("status", "stage", "submitted_at", "changed_at", "finished_at", "end", "chain_seq", "chain_head")
_UPDATE_CASE = (
    update(_cases)
    .where(_cases.c.id == bindparam("case_id"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGED})
)
_UPDATE_CHAIN = (
    update(_cases)
    .where(_cases.c.id == bindparam("case_id"))
    .values(chain_seq=bindparam("seq"), chain_head=bindparam("head"))
)


@dataclass
class Chain:
    """The events of one transaction, linked; written together."""

    name: str
    seq: int
    head: str
    actor_id: int | None
    department_id: int | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, kind: str, payload: dict[str, Any], covered: tuple[str, int, Mapping[str, Any]] | None = None
    ) -> None:
        salt = secrets.token_hex(16)
        covers = [[covered[0], str(covered[1]), _digest(covered[2], salt)]] if covered else []
        body: dict[str, Any] = {
            "stream": self.name,
            "seq": self.seq + 1,
            "at": now(),
            "kind": kind,
            "actor_id": self.actor_id,
            "department_id": self.department_id,
            "payload": payload,
            "covers": covers,
            "salt": salt,
            "previous": self.head,
        }
        self.head = event_hash(**body)
        self.seq += 1
        self.events.append({**body, "hash": self.head})


def _digest(row: Mapping[str, Any], salt: str) -> str:
    return "1:" + hashlib.sha256(f"{salt}\0{canonical(row)}".encode()).hexdigest()


class Floor:
    """One client's state machine."""

    def __init__(self, database: Database, clerks: Clerks) -> None:
        self.database = database
        self.clerks = clerks
        with database.reading() as session:
            process = newest(session, clerks.process)
            self.version_id, self.prefix = process.version_id, process.config["number_prefix"]
            codes = list(chain_codes(session, clerks.township))
            self.rules = rules_on(session, process, codes, today())
            self.calendar = WorkingCalendar.read(session)

    def start(self) -> int:
        """Open a case with its first item."""
        at, year = now(), today().year
        with self.database.transaction() as session:
            serial = next_number(session, f"case:{self.prefix}:{self.clerks.county}", year)
            connection = session.connection()
            row = {
                "number": f"{self.prefix}{self.clerks.county}-{year}-{serial:05d}",
                "process": self.clerks.process,
                "version_id": self.version_id,
                "employer_id": self.clerks.employer_id,
                "division_code": self.clerks.township,
                "rules": self.rules,
                "status": "draft",
                "end": None,
            }
            more = {
                "county_code": self.clerks.county,
                "stage": "apply",
                "state": b"",
                "passed": [],
                "waiting": [],
                "started_by": self.clerks.actors["submit"].user_id,
                "started_at": at,
                "changed_at": at,
                "chain_seq": 0,
                "chain_head": "",
            }
            case_id: int = connection.execute(_INSERT_CASE, {**row, **more}).scalar_one()
            connection.execute(_INSERT_ITEM, [self._item(case_id, "submit", 1, at, None)])
            chain = Chain(f"case:{case_id}", 0, "", self.clerks.actors["submit"].user_id)
            chain.add("case-started", {"process": self.clerks.process, "version": 1}, ("cases", case_id, row))
            connection.execute(_INSERT_EVENT, chain.events)
            connection.execute(_UPDATE_CHAIN, {"case_id": case_id, "seq": chain.seq, "head": chain.head})
        return case_id

    def decide(
        self, item_id: int, outcome: str, answers: Mapping[str, Any], seen_version: int, key: str
    ) -> None:
        """Decide an item and open what comes next."""
        at = now()
        digest = body_digest([item_id, outcome, answers, None])
        with self.database.transaction() as session:
            connection = session.connection()
            found = connection.execute(_LOCK, {"item_id": item_id}).one()
            step, actor_id = found.item_step, self.clerks.actors[found.item_step].user_id
            decided = connection.execute(_DECIDED, {"case_id": found.id}).all()
            self._guard(found, decided, seen_version, actor_id)
            chain = Chain(
                f"case:{found.id}", found.chain_seq, found.chain_head, actor_id, found.item_department_id
            )
            decision_id = self._decision(connection, chain, found, item_id, outcome, answers, at)
            connection.execute(_CLOSE_ITEM, {"item_id": item_id, "at": at})
            new = {name: getattr(found, name) for name in Case.__audited__}
            submitted = found.submitted_at
            if submitted is None:
                submitted = at
                new["rules"] = self.rules
                chain.add("case-submitted", {}, ("cases", found.id, new))
            opening, ended = _next(step, outcome, decided)
            rounds = [(name, sum(one.step == name for one in decided) + 1) for name in opening]
            items = [self._item(found.id, name, number, at, decided) for name, number in rounds]
            if items:
                connection.execute(_INSERT_ITEM, items)
            self._move(connection, chain, found.id, new, opening, ended)
            connection.execute(_INSERT_EVENT, chain.events)
            stage = STEPS[opening[0]][3] if opening else STEPS[step][3]
            connection.execute(
                _UPDATE_CASE,
                {
                    "case_id": found.id,
                    "new_status": new["status"],
                    "new_stage": stage,
                    "new_submitted_at": submitted,
                    "new_changed_at": at,
                    "new_finished_at": at if ended else None,
                    "new_end": new["end"],
                    "new_chain_seq": chain.seq,
                    "new_chain_head": chain.head,
                },
            )
            result = {"case_id": found.id, "case_number": found.number, "decision_id": decision_id}
            connection.execute(
                _INSERT_COMMAND,
                {
                    "key": key,
                    "actor_id": actor_id,
                    "digest": digest,
                    "case_id": found.id,
                    "result": {**result, "advanced": True},
                    "at": at,
                },
            )

    def _guard(
        self, found: Row[Any], decided: Sequence[Row[Any]], seen_version: int, actor_id: int | None
    ) -> None:
        step = found.item_step
        if found.item_closed_at is not None or found.item_version != seen_version:
            raise Conflict("已由他人办理。")
        actor = self.clerks.actors[step]
        theirs = found.item_department_id in actor.department_ids
        if not theirs and found.item_employer_id not in actor.employer_ids:
            raise Forbidden("这项工作不由您的岗位办理。")
        if found.item_claimed_by not in (None, actor_id):
            raise Conflict("已由他人领取。")
        acted = {one.step for one in decided if one.actor_id == actor_id}
        if any(step in pair and pair - {step} <= acted for pair in INCOMPATIBLE):
            raise Forbidden("同一人员不能办理这两步。")

    def _decision(
        self,
        connection: Connection,
        chain: Chain,
        found: Row[Any],
        item_id: int,
        outcome: str,
        answers: Mapping[str, Any],
        at: datetime,
    ) -> int:
        row = {
            "case_id": found.id,
            "work_item_id": item_id,
            "step": found.item_step,
            "form": STEPS[found.item_step][2],
            "round": found.item_round,
            "outcome": outcome,
            "opinion": answers.get("opinion", ""),
            "answers": {key: value for key, value in answers.items() if key != "opinion"},
            "actor_id": chain.actor_id,
            "department_id": found.item_department_id,
            "decided_at": at,
        }
        decision_id: int = connection.execute(_INSERT_DECISION, row).scalar_one()
        payload = {"step": found.item_step, "outcome": outcome, "round": found.item_round, "item": item_id}
        chain.add("step-decided", payload, ("decisions", decision_id, row))
        return decision_id

    def _move(
        self,
        connection: Connection,
        chain: Chain,
        case_id: int,
        new: dict[str, Any],
        opening: Sequence[str],
        ended: bool,
    ) -> None:
        status = "paid" if ended else STEPS[opening[0]][4] if opening else new["status"]
        if status != new["status"]:
            new["status"] = status
            chain.add("status-set", {"status": status}, ("cases", case_id, new))
        if not ended:
            return
        key = f"{case_id}-{chain.seq}-employer"
        notice = {"key": key, "case": case_id, "to": "employer", "text": "已拨付。"}
        at = now()
        values = {"kind": "notice", "key": f"notice:{key}", "payload": notice, "created_at": at, "due_at": at}
        connection.execute(_INSERT_OUTBOX, {**values, "attempts": 0})
        new["end"] = "end"
        chain.add("case-finished", {"end": "end", "status": status}, ("cases", case_id, new))

    def _item(
        self, case_id: int, step: str, number: int, at: datetime, decided: Sequence[Row[Any]] | None
    ) -> dict[str, Any]:
        title, lane, _, _, _, days = STEPS[step]
        before = [one.actor_id for one in decided or () if one.step == step]
        office = step != "submit"
        return {
            "case_id": case_id,
            "task_id": str(uuid.uuid4()),
            "step": step,
            "lane": lane,
            "title": title,
            "round": number,
            "department_id": self.clerks.offices[step] if office else None,
            "employer_id": None if office else self.clerks.employer_id,
            "claimed_by": before[-1] if before and office else None,
            "claimed_at": at if before and office else None,
            "opened_at": at,
            "due_at": self.calendar.deadline(at, days, "working") if days else NO_LIMIT,
            "version": 1,
        }


def _next(step: str, outcome: str, decided: Sequence[Row[Any]]) -> tuple[Sequence[str], bool]:
    """The steps that open, and whether the case is at its end."""
    if step == "submit":
        return ("township",), False
    if step == "township":
        return (REVIEWS if outcome == "agree" else ("submit",)), False
    if step == "finance":
        return (), True
    other = REVIEWS[1 - REVIEWS.index(step)]
    mine = sum(one.step == step for one in decided)
    theirs = [one.outcome for one in decided if one.step == other]
    if len(theirs) == mine:  # the other office has not decided this round
        return (), False
    return (("finance",) if outcome == theirs[-1] == "agree" else ("submit",)), False
