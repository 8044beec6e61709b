"""Lists of 脱贫人口 and 监测对象 sent on a page: kept, read by the worker, and imported once nothing is wrong or doubtful.

One list of a county is under way at a time. What was wrong with the last one stays until another is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from forms.rows import kind_of
from forms.sheet_guard import SheetRefused, check_file
from workflows.audit.record import record, stream
from workflows.base import outbox
from workflows.base.clock import now
from workflows.base.errors import Conflict, Invalid, NotFound, WengangError
from workflows.base.files import XLSX
from workflows.base.installation import installation
from workflows.base.session import Database
from workflows.organisations.accounts import user_of
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import chain_codes
from workflows.organisations.permissions import Facts, allowed, require
from workflows.registers.identities import ImportResult, check_asked, find_snapshot, import_identities
from workflows.registers.identity_list import Fault
from workflows.registers.membership import load_actor
from workflows.registers.model import IdentityProblem, IdentityUpload

#: What the worker is asked to do.
KIND = "read_identities"
#: A list that is still not read by then has met with something: another may be sent over it.
STUCK = timedelta(minutes=5)
#: Cells listed on a page.
SIZE = 50
#: Rows written in one transaction, so that other writers get their turn.
CHUNK = 500

_ENDED = {
    "reading": "这份名单已由他人确认，正在导入。",
    "imported": "这份名单已由他人确认导入。",
    "dropped": "这份名单已由他人决定不导入。",
    "replaced": "已有新的名单上传，这份不再导入。",
    "failed": "这份名单没有导入成功，请改正后重新上传。",
}


def upload(
    session: Session,
    actor: Actor,
    content: bytes,
    name: str,
    *,
    division_code: str,
    as_of: date,
    source: str,
) -> IdentityUpload:
    """Keep a list and leave its reading to the worker; the page shows how far it is.

    :param division_code: the county whose list it is.
    :param as_of: the day on which it was true; not in the future.
    :param source: where it came from, in words.
    :raises Invalid: with ``as_of``, ``source`` or ``file`` in its errors.
    :raises Conflict: while another list of the county is being read.
    """
    require(actor, "identities.import", Facts(division_chain=chain_codes(session, division_code)))
    check_asked(as_of, source)
    try:
        check_file(content)
    except SheetRefused as error:
        text = error.message if content else "请选择填好的名单（.xlsx）后再上传。"
        raise Invalid("名单没有上传。", {"file": text}) from None
    chain = stream(session, "registers")  # locked first: of two who send at once the second sees the first
    _refuse_repeated(session, division_code, as_of, content)
    covers = []
    before = latest_upload(session, division_code)
    if before is not None and before.status == "reading" and not is_stuck(before):
        raise Conflict("本县的另一份名单正在读取，请等它读完再上传。")
    if before is not None and before.status in ("reading", "doubtful"):
        before.status, before.ended_at = "replaced", now()
        covers.append(before)
    of_the_county = select(IdentityUpload.id).where(IdentityUpload.division_code == division_code)
    session.execute(delete(IdentityProblem).where(IdentityProblem.upload_id.in_(of_the_county)))
    file = installation().files.put(session, content, name, XLSX, actor.user_id)
    row = IdentityUpload(
        division_code=division_code,
        as_of=as_of,
        source=source.strip(),
        file_id=file.id,
        uploaded_at=now(),
        uploaded_by=actor.user_id,
    )
    session.add(row)
    session.flush()
    record(
        session,
        chain,
        "identities-uploaded",
        actor_id=actor.user_id,
        payload={"upload": row.id, "sha256": file.sha256},
        covers=[row, *covers],
    )
    outbox.put(session, KIND, str(row.id), {"upload": row.id})
    return row


def _refuse_repeated(session: Session, division_code: str, as_of: date, content: bytes) -> None:
    known = find_snapshot(session, division_code, as_of, hashlib.sha256(content).hexdigest())
    if known is None or known.completed_at is None:
        return
    day = f"{as_of.year}年{as_of.month}月{as_of.day}日"
    raise Invalid(
        "名单没有上传。",
        {"file": f"这份文件已经作为 {day}的名单导入过，共 {known.row_count:,} 人，不用再导入。"},
    )


def latest_upload(session: Session, division_code: str) -> IdentityUpload | None:
    """The last list that was sent for a county, whatever became of it."""
    return session.scalars(
        select(IdentityUpload)
        .where(IdentityUpload.division_code == division_code)
        .order_by(IdentityUpload.id.desc())
        .limit(1)
    ).one_or_none()


def begun_at(row: IdentityUpload) -> datetime:
    """When the reading that is under way was asked for."""
    return row.confirmed_at or row.uploaded_at


def is_stuck(row: IdentityUpload) -> bool:
    """Whether a list has been read for so long that something must have happened."""
    return now() - begun_at(row) > STUCK


# What the worker does ------------------------------------------------------------------------------------------------


def read(database: Database, upload_id: int) -> None:
    """Read a list and import it, unless something is wrong or doubtful. Begun anew after a crash, it has one effect."""
    with database.transaction() as session:
        row = session.get_one(IdentityUpload, upload_id)
        if row.status != "reading":
            return
        session.execute(delete(IdentityProblem).where(IdentityProblem.upload_id == upload_id))
        actor = load_actor(session, user_of(session, row.confirmed_by or row.uploaded_by))
        file, confirmed = row.file, row.confirmed_at is not None
        division_code, as_of, source = row.division_code, row.as_of, row.source
        session.expunge(file)

    def progress(done: int, total: int) -> None:
        with database.transaction() as session:
            session.execute(
                update(IdentityUpload).where(IdentityUpload.id == upload_id).values(done=done, total=total)
            )

    try:
        result = import_identities(
            database,
            actor,
            installation().files.read(file),
            division_code=division_code,
            as_of=as_of,
            source=source,
            confirmed=confirmed,
            progress=progress,
        )
    except WengangError as error:
        result = ImportResult(None, 0, problems=(Fault(error.message),))
    if result.repeated:
        result = ImportResult(None, 0, problems=(Fault("这份文件已经导入过，没有重复导入。"),))
    _end(database, upload_id, actor, result, _keep(database, upload_id, result.problems))


def _keep(database: Database, upload_id: int, faults: Sequence[Fault]) -> list[list[str | int]]:
    """Store what is wrong with cells; returns its kinds: title, how many, the first one's row."""
    cells = [one for one in faults if one.row]
    found: dict[str, list[Fault]] = {}
    for one in cells:
        found.setdefault(kind_of(one.column, one.message), []).append(one)
    titles = sorted(found, key=lambda title: (-len(found[title]), found[title][0].row))
    place = {title: number for number, title in enumerate(titles)}
    for start in range(0, len(cells), CHUNK):
        with database.transaction() as session:
            session.execute(
                insert(IdentityProblem),
                [
                    {
                        "upload_id": upload_id,
                        "kind": place[kind_of(one.column, one.message)],
                        "row": one.row,
                        "letter": one.letter,
                        "column": one.column,
                        "message": one.message,
                    }
                    for one in cells[start : start + CHUNK]
                ],
            )
    return [[title, len(found[title]), found[title][0].row] for title in titles]


def _end(
    database: Database, upload_id: int, actor: Actor, result: ImportResult, kinds: list[list[str | int]]
) -> None:
    with database.transaction() as session:
        chain = stream(session, "registers")
        row = session.get_one(IdentityUpload, upload_id)
        if row.status != "reading":  # somebody sent another meanwhile, or a second worker was faster
            return
        row.status = "failed" if result.problems else "doubtful" if result.doubts else "imported"
        row.problems = [one.message for one in result.problems if not one.row]
        row.kinds = kinds
        row.doubts, row.people = list(result.doubts), dict(result.people)
        row.snapshot_id = result.snapshot_id
        row.total = row.done = result.rows
        row.ended_at = now()
        record(
            session,
            chain,
            "identities-read",
            actor_id=actor.user_id,
            payload={"upload": row.id, "status": row.status},
            covers=[row],
        )


# What a person says of doubts ----------------------------------------------------------------------------------------


def confirm(session: Session, actor: Actor, upload_id: int) -> IdentityUpload:
    """It is the list, whatever is strange about it: the worker goes on."""
    row = _decided(session, actor, upload_id)
    row.status, row.done, row.ended_at = "reading", 0, None
    row.confirmed_at, row.confirmed_by = now(), actor.user_id
    _note(session, actor, row, "identities-confirmed")
    outbox.put(session, KIND, f"{row.id}-confirmed", {"upload": row.id})
    return row


def drop(session: Session, actor: Actor, upload_id: int) -> IdentityUpload:
    """It is not the list: nothing is imported."""
    row = _decided(session, actor, upload_id)
    row.status = "dropped"
    _note(session, actor, row, "identities-dropped")
    return row


def _decided(session: Session, actor: Actor, upload_id: int) -> IdentityUpload:
    """A doubtful list, locked, that the actor may decide on."""
    row = session.get(IdentityUpload, upload_id)
    if row is None:
        raise NotFound("没有这份名单。")
    facts = Facts(division_chain=chain_codes(session, row.division_code))
    if not allowed(actor, "identities.view", facts):
        raise NotFound("没有这份名单。")
    require(actor, "identities.import", facts)
    stream(session, "registers")  # locks: of two who decide at once the second sees what the first said
    session.refresh(row)
    if row.status != "doubtful":
        raise Conflict(_ENDED[row.status])
    return row


def _note(session: Session, actor: Actor, row: IdentityUpload, kind: str) -> None:
    record(
        session,
        stream(session, "registers"),
        kind,
        actor_id=actor.user_id,
        payload={"upload": row.id},
        covers=[row],
    )


# What a page shows ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problems:
    """A page of wrong cells. ``kind``: the one chosen, from 1, or 0 for all; ``total``: cells of it."""

    cells: Sequence[IdentityProblem]
    kind: int
    page: int
    total: int


def problems(session: Session, row: IdentityUpload, *, kind: int = 0, page: int = 1) -> Problems:
    """What is wrong with the cells of a list, fifty at a time.

    :param kind: the number of a kind, from 1, to see that one alone.
    :param page: from 1.
    """
    kind = kind if 0 < kind <= len(row.kinds) else 0
    asked = [IdentityProblem.upload_id == row.id]
    if kind:
        asked.append(IdentityProblem.kind == kind - 1)
    total = session.scalar(select(func.count()).select_from(IdentityProblem).where(*asked)) or 0
    page = min(max(1, page), max(1, -(-total // SIZE)))
    cells = session.scalars(
        select(IdentityProblem)
        .where(*asked)
        .order_by(IdentityProblem.id)
        .limit(SIZE)
        .offset((page - 1) * SIZE)
    )
    return Problems(cells.all(), kind, page, total)
