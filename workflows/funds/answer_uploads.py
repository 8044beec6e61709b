"""A bank's answer too large to wait for: handed in on the page, read and booked by the worker, which says how far it is.

Five thousand lines take one to three seconds, most of it for the digests of as many grants and for the database. Up to
``AT_ONCE`` lines the page does it itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from workflows.base import outbox
from workflows.base.clock import now, today
from workflows.base.errors import Conflict, Forbidden, Invalid, WengangError
from workflows.base.files import XLSX, FileStore
from workflows.base.session import Database
from workflows.funds.answer_file import read_answer
from workflows.funds.answers import book, guard_new
from workflows.funds.appropriations import require_manager
from workflows.funds.bank_files import CSV
from workflows.funds.batch_model import AnswerUpload, PaymentBatch
from workflows.funds.batches import get as get_batch
from workflows.funds.ledger import lock
from workflows.funds.telling import tell
from workflows.organisations.actors import Actor

#: Lines of a batch whose answer the page itself takes over.
AT_ONCE = 500
#: Outbox: an answer waits to be read.
READ_ANSWER = "read_answer"
LIVING = ("waiting", "reading", "booking")


def is_large(batch: PaymentBatch) -> bool:
    """Whether the worker takes over the answer to this batch."""
    return batch.line_count > AT_ONCE


def hand_in(
    session: Session, actor: Actor, batch_id: int, content: bytes, store: FileStore, *, value_date: date
) -> AnswerUpload:
    """Keep the file and leave it to the worker. What can be said at once is refused at once.

    :param value_date: the day the bank paid.
    :raises Conflict: an answer to this batch is being taken over, or was.
    :raises Invalid: the day is wrong; ``errors`` by field.
    """
    batch = get_batch(session, batch_id)
    require_manager(session, actor, batch.county_code)
    if actor.user_id is None:
        raise Forbidden("银行回执须由财政部门的人员导入。")
    lock(session, batch.appropriation_id)
    session.refresh(batch)
    running = latest(session, batch.id)
    if running is not None and running.state in LIVING:
        raise Conflict(f"批次 {batch.number} 有一份回执正在核对，请等它完成。")
    media_type = XLSX if content[:2] == b"PK" else CSV
    file = store.put(session, content, f"{batch.number}-回执", media_type, actor.user_id)
    guard_new(session, batch, file.sha256, value_date)
    row = AnswerUpload(
        batch_id=batch.id,
        file_id=file.id,
        value_date=value_date,
        total=batch.line_count,
        uploaded_by=actor.user_id,
    )
    session.add(row)
    session.flush()
    outbox.put(session, READ_ANSWER, str(row.id), {"upload": row.id})
    return row


def latest(session: Session, batch_id: int) -> AnswerUpload | None:
    """The last answer handed in for a batch, whatever became of it."""
    return session.scalars(
        select(AnswerUpload)
        .where(AnswerUpload.batch_id == batch_id)
        .order_by(AnswerUpload.id.desc())
        .limit(1)
    ).one_or_none()


def take_over(
    database: Database, store: FileStore, upload_id: int, actor_of: Callable[[Session, int], Actor]
) -> None:
    """The worker's part. Begun anew after a crash: until the one transaction that books it, nothing was written but how
    far it was.

    :param actor_of: the actor of a user: whoever handed it in must still look after this money when it is booked.
    """
    with database.reading() as session:
        row = session.get_one(AnswerUpload, upload_id)
        if row.state not in LIVING:
            return
        content, total = store.read(row.file), row.total

    def progress(done: int, read_total: int) -> None:
        _note(database, upload_id, "reading", total * min(done, read_total) // max(2 * read_total, 1))

    try:
        answered = read_answer(content, today(), progress)
        _note(database, upload_id, "booking", total // 2)
        with database.transaction() as session:
            row = session.get_one(AnswerUpload, upload_id)
            if row.state not in LIVING:
                return
            actor = actor_of(session, row.uploaded_by)
            batch = get_batch(session, row.batch_id)
            book(session, actor, batch, answered, row.file, value_date=row.value_date)
            row.state, row.done, row.finished_at = "done", row.total, now()
    except WengangError as error:
        _refuse(database, upload_id, error)


def _note(database: Database, upload_id: int, state: str, done: int) -> None:
    with database.transaction() as session:
        session.execute(
            update(AnswerUpload)
            .where(AnswerUpload.id == upload_id, AnswerUpload.state.in_(LIVING))
            .values(state=state, done=done)
        )


def _refuse(database: Database, upload_id: int, error: WengangError) -> None:
    """Keep all that is wrong, for the page; whoever handed it in is told."""
    lines = error.errors.get("file", "").split("\n") if isinstance(error, Invalid) else []
    with database.transaction() as session:
        row = session.get_one(AnswerUpload, upload_id)
        row.state, row.finished_at = "refused", now()
        row.problems = [line for line in lines if line] or [error.message]
        tell(session, "answer-refused", row.id)
