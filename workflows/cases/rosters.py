"""Rosters: uploaded by the employer, read by the worker, staged in short transactions, swapped in whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from forms.corrections import merge_correction
from forms.rows import Row
from forms.sheets import read_roster
from forms.web import parse_draft
from workflows.base import outbox
from workflows.base.clock import today
from workflows.base.errors import Conflict, Invalid, NotFound, WengangError
from workflows.base.files import MAX_BYTES, XLSX
from workflows.base.installation import installation
from workflows.base.privacy import digest_id
from workflows.base.session import Database
from workflows.cases import days
from workflows.cases.access import require_case
from workflows.cases.action import Action, begin
from workflows.cases.facts import CaseView
from workflows.cases.lists import lists_for
from workflows.cases.model import Case, Draft, WorkItem
from workflows.cases.process import Process, process_of
from workflows.cases.roster_digest import RosterDigest, digested
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.row_facts import RowInput, apply_row_rules, case_inputs
from workflows.cases.verdicts import current_roster
from workflows.organisations.actors import Actor
from workflows.registers import work_days
from workflows.registers.people import people_for

#: Rows written in one transaction, so that other writers get their turn.
CHUNK = 500


def upload(
    session: Session, actor: Actor, item_id: int, content: bytes, name: str, *, whole: bool = False
) -> Roster:
    """Keep the file and leave its reading to the worker; the page shows how far it is.

    :param whole: the file stands for the whole roster, even where it could be a correction of wrong rows.
    """
    item = session.get(WorkItem, item_id)
    if item is None:
        raise NotFound("没有这项工作。")
    action = begin(session, item.case_id, actor.user_id)
    session.refresh(item)
    require_case(session, actor, "roster.upload", action.case, item)
    if action.process.step(item.step).roster != "edit" or action.process.roster is None:
        raise Conflict("这一步不能上传花名册。")
    if not content:
        raise Invalid("没有选择文件。", {"roster": "请选择填好的花名册（.xlsx）后再上传。"})
    if len(content) > MAX_BYTES:
        raise Invalid("文件过大。", {"roster": f"文件超过 {MAX_BYTES // 1024 // 1024} 兆，请拆分后再上传。"})
    file = installation().files.put(session, content, name, XLSX, actor.user_id)
    roster = Roster(
        case_id=item.case_id,
        file_id=file.id,
        status="reading",
        uploaded_at=action.at,
        uploaded_by=actor.user_id,
        problems=[],
        judged_by={},
    )
    session.add(roster)
    session.flush()
    action.record("roster-uploaded", (roster,), item=item.id, sha256=file.sha256)
    outbox.put(session, "read_roster", str(roster.id), {"roster": roster.id, "whole": whole})
    return roster


def latest_upload(session: Session, case_id: int) -> Roster | None:
    """The last roster uploaded, whatever became of it."""
    return session.scalars(
        select(Roster).where(Roster.case_id == case_id).order_by(Roster.id.desc()).limit(1)
    ).one_or_none()


def read(database: Database, roster_id: int, *, whole: bool = False) -> None:
    """The worker's part: read, judge, stage, swap in. Begun anew after a crash: what was staged goes first."""
    with database.transaction() as session:
        roster = session.get_one(Roster, roster_id)
        if roster.status != "reading":
            return
        session.execute(delete(RosterRow).where(RosterRow.roster_id == roster_id))
        work_days.forget(session, roster.case_id, roster_id)
        case = session.get_one(Case, roster.case_id)
        process = process_of(session, case.version_id)
        if roster.file is None or process.roster is None:
            raise NotFound("花名册文件不在存储目录中。")
        content = installation().files.read(roster.file)
        lists = lists_for(session, case, process)
        previous = current_roster(session, case.id)
        # Rows are kept only beside bad ones: without any, thousands are not deciphered in vain.
        correcting = previous is not None and previous.bad and not whole
        kept = stored_rows(session, previous.id) if previous is not None and correcting else []
        case_id = case.id

    def progress(done: int, total: int) -> None:
        with database.transaction() as session:
            session.execute(update(Roster).where(Roster.id == roster_id).values(total=total, done=done // 2))

    try:
        reading = read_roster(process.roster, content, today=today(), lists=lists, progress=progress)
    except WengangError as error:
        _fail(database, roster_id, [error.message])
        return
    if reading.problems or not reading.rows:
        _fail(
            database,
            roster_id,
            reading.problems or ["花名册里没有人员，请在模板标题行下面逐行填写后再上传。"],
        )
        return
    rows, notes = _merged(process, kept, reading.rows)
    judged_by: list[dict[str, Any]] = []
    digest = RosterDigest()
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        with database.transaction() as session:
            case = session.get_one(Case, case_id)
            view = CaseView.of(session, case, process, answers=typed_answers(session, case, process))
            judged_by.append(case_inputs(process, view))
            _stage(session, process, view, roster_id, chunk, digest)
            session.execute(
                update(Roster)
                .where(Roster.id == roster_id)
                .values(total=len(rows), done=len(rows) // 2 + (start + len(chunk)) // 2)
            )
    # answers that changed between two chunks: half the rows were judged by others, and all are when it is handed in
    same = judged_by[0] if all(one == judged_by[0] for one in judged_by) else {}
    _swap_in(database, roster_id, rows, notes, same, digest)


def _merged(process: Process, kept: Sequence[Row], new: list[Row]) -> tuple[list[Row], list[str]]:
    """A corrected upload replaces the bad rows and keeps the good ones; and what is to be said of it."""
    if not kept or process.roster is None:
        return new, []
    correction = merge_correction(process.roster, list(kept), new)
    numbers = "、".join(str(number) for number in correction.differing[:20])
    more = f"等 {len(correction.differing)} 行" if len(correction.differing) > 20 else "行"
    notes = [
        f"第 {numbers} {more}原来填写正确，这次填的不一样，没有采用。确实要改的，请选“全部换成这份文件”后重新上传。"
    ]
    return correction.rows, notes if correction.differing else []


def _stage(
    session: Session,
    process: Process,
    view: CaseView,
    roster_id: int,
    rows: Sequence[Row],
    digest: RosterDigest,
) -> None:
    key = process.roster.match_on if process.roster and process.roster.match_on else "id_number"
    name_key = process.roster.name_column if process.roster and process.roster.name_column else "name"
    known = people_for(
        session,
        [
            (str(row.values[key]), str(row.values.get(name_key, "")))
            for row in rows
            if row.ok and row.values.get(key)
        ],
    )
    digests = [digest_id(str(row.values[key])) if row.values.get(key) else None for row in rows]
    inputs = [
        RowInput(row.values, known.get(one) if one else None) if row.ok else None
        for row, one in zip(rows, digests, strict=True)
    ]
    outcomes = iter(apply_row_rules(process, view, [one for one in inputs if one is not None]))
    stored = []
    for row, one, judged in zip(rows, digests, inputs, strict=True):
        outcome = next(outcomes) if judged is not None else None
        columns = {
            "roster_id": roster_id,
            "number": row.number,
            "values": row.values,
            "raw": row.raw,
            "person_id": known.get(one) if one else None,
            "id_digest": one,
            "errors": row.errors,
            "warnings": row.warnings,
            "across": row.across,
            "bad": not row.ok,
            "result": outcome.result if outcome else "",
            "facts": outcome.facts if outcome else {},
            "fired": outcome.fired if outcome else [],
        }
        digest.add(**columns)
        stored.append(columns)
    session.execute(insert(RosterRow), stored)
    if process.config.get("days"):
        keys = days.row_ids(session, roster_id, [row.number for row in rows])
        read = [
            (keys[row.number], known.get(one) if one else None, row.values)
            for row, one in zip(rows, digests, strict=True)
            if row.ok
        ]
        days.stage_rows(view, roster_id, read)


def _swap_in(
    database: Database,
    roster_id: int,
    rows: Sequence[Row],
    notes: list[str],
    judged_by: dict[str, Any],
    digest: RosterDigest,
) -> None:
    with database.transaction() as session:
        roster = session.get_one(Roster, roster_id)
        action = begin(session, roster.case_id, roster.uploaded_by)
        editing = session.scalars(
            select(WorkItem).where(
                WorkItem.case_id == roster.case_id,
                WorkItem.closed_at.is_(None),
                WorkItem.employer_id.is_not(None),
            )
        ).first()
        if editing is None or action.process.step(editing.step).roster != "edit":
            _set_aside(action, roster, "failed", ["读取完成前申请已经提交或撤回，这次上传没有采用。"])
            return
        latest = latest_upload(session, roster.case_id)
        if latest is not None and latest.id != roster.id:
            _set_aside(action, roster, "replaced", [])
            return
        previous = current_roster(session, roster.case_id)
        covers = [roster]
        if previous is not None:
            previous.status = "replaced"
            covers.append(previous)
        work_days.forget_replaced(session, roster.case_id, roster.id)
        roster.status = "current"
        roster.problems = notes
        roster.total = roster.done = len(rows)
        roster.bad = sum(not row.ok for row in rows)
        roster.good = len(rows) - roster.bad
        roster.digest, roster.judged = digest.read, digest.judged
        roster.judged_by = judged_by
        action.record("roster-read", tuple(covers), rows=roster.total, bad=roster.bad)


def _fail(database: Database, roster_id: int, problems: Sequence[str]) -> None:
    with database.transaction() as session:
        roster = session.get_one(Roster, roster_id)
        action = begin(session, roster.case_id, roster.uploaded_by)
        _set_aside(action, roster, "failed", problems)


def _set_aside(action: Action, roster: Roster, status: str, problems: Sequence[str]) -> None:
    """An upload that came to nothing is on record, too: a row that no event covers counts as smuggled in."""
    roster.status = status
    roster.problems = list(problems)[:50]
    action.record("roster-set-aside", (roster,), status=status)


def typed_answers(session: Session, case: Case, process: Process) -> dict[str, dict[str, Any]]:
    """What the employer has typed so far in its open step, by form: rules judge drafts too."""
    item = session.scalars(
        select(WorkItem).where(
            WorkItem.case_id == case.id, WorkItem.closed_at.is_(None), WorkItem.employer_id.is_not(None)
        )
    ).first()
    if item is None:
        return {}
    step = process.step(item.step)
    draft = session.get(Draft, item.id)
    held = dict(CaseView.of(session, case, process).answers(step.form))
    if draft is not None:
        held |= parse_draft(process.forms[step.form], draft.raw, today=today(), held=held).values
    return {step.form: held}


def stored_rows(session: Session, roster_id: int) -> list[Row]:
    """A stored roster's rows as the forms room knows them."""
    return [
        Row(
            number=row.number,
            values=dict(row.values),
            raw=dict(row.raw),
            errors=dict(row.errors),
            warnings=dict(row.warnings),
            across=[list(one) for one in row.across],
        )
        for row in session.scalars(
            select(RosterRow).where(RosterRow.roster_id == roster_id).order_by(RosterRow.number)
        )
    ]


def rejudge(
    action: Action, answers: Mapping[str, Mapping[str, Any]] | None = None, *, anew: bool = False
) -> None:
    """Run the row rules again when the answers they read are no longer those of the last run.

    :param anew: run them in any case.
    :param answers: form → what is typed so far, while it is a draft.
    """
    roster = current_roster(action.session, action.case.id)
    if roster is None:
        return
    view = CaseView.of(action.session, action.case, action.process, answers=answers)
    inputs = case_inputs(action.process, view)
    if inputs == roster.judged_by and not anew:
        return
    digest = RosterDigest()
    for rows in _batches(action.session, roster.id):
        good = [row for row in rows if not row.bad]
        outcomes = apply_row_rules(
            action.process, view, [RowInput(row.values, row.person_id) for row in good]
        )
        for row, outcome in zip(good, outcomes, strict=True):
            row.result, row.facts, row.fired = outcome.result, outcome.facts, outcome.fired
        digest.add_rows(rows)
        action.session.flush()
    if inputs.get("month") != roster.judged_by.get("month"):
        days.stage_anew(view, roster)
    roster.judged, roster.judged_by = digest.judged, inputs
    action.record("rows-judged", (roster,), rows=digest.count)


def _batches(session: Session, roster_id: int) -> Iterator[list[RosterRow]]:
    last = 0
    while rows := list(session.scalars(digested(roster_id).where(RosterRow.id > last).limit(CHUNK))):
        yield rows
        last = rows[-1].id
