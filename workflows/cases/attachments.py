"""Materials of a case: uploaded for a requirement, removed only by marking, each covered by an event."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from forms.sheet_guard import USE_TEMPLATE, SheetRefused, check_file
from workflows.base.errors import Invalid, NotFound
from workflows.base.files import JPEG, PDF, PNG, XLSX, StoredFile
from workflows.base.installation import installation
from workflows.cases.access import require_case
from workflows.cases.action import begin
from workflows.cases.model import Attachment, Case, WorkItem
from workflows.cases.turns import guard_turn
from workflows.organisations.actors import Actor

#: Files that one round of a step may add. Not the case: its tenth site check needs photos like its first.
MAX_FILES = 100
#: What forms and processes call a kind of file → its media types.
_KINDS = {"pdf": (PDF,), "image": (JPEG, PNG)}


def attach(
    session: Session, actor: Actor, item_id: int, material: str, content: bytes, name: str
) -> Attachment:
    """Add a file to a case, as a material or to a form's file field. What it is, is seen from its content.

    :param material: a key of process.yaml ``materials`` or of a ``files`` field of the step's form; its ``accept`` says
        what may be uploaded there: PDF and pictures unless it names something else.
    """
    item = session.get(WorkItem, item_id)
    if item is None:
        raise NotFound("没有这项工作。")
    action = begin(session, item.case_id, actor.user_id, item.department_id)
    session.refresh(item)
    guard_turn(session, actor, item)
    require_case(session, actor, "attachment.upload", action.case, item)
    known = {str(one["key"]): tuple(one.get("accept", ())) for one in action.process.materials} | {
        field.key: field.accept
        for section in action.process.form(item.step).sections
        for field in section.fields
        if field.type == "files"
    }
    if material not in known:
        raise Invalid("没有这项材料要求。")
    if _added(session, item) >= MAX_FILES:
        raise Invalid(f"一次办理最多上传 {MAX_FILES} 个文件，请合并后上传。")
    file = _store(session, actor, content, name, known[material] or ("pdf", "image"))
    row = Attachment(
        case_id=item.case_id,
        work_item_id=item.id,
        material=material,
        file_id=file.id,
        sha256=file.sha256,
        added_at=action.at,
        added_by=actor.user_id,
    )
    session.add(row)
    action.record("material-added", (row,), material=material, file=file.id)
    return row


def _store(session: Session, actor: Actor, content: bytes, name: str, accept: Sequence[str]) -> StoredFile:
    """Keep a file whose content is of an accepted kind. A spreadsheet is looked at as rosters are: no macros, no bombs."""
    store = installation().files
    if "sheet" in accept and content.startswith(b"PK\x03\x04"):
        try:
            check_file(content)
        except SheetRefused as error:
            raise Invalid(error.message.replace(USE_TEMPLATE, "请另存为 PDF 再上传")) from None
        return store.put(session, content, name, XLSX, actor.user_id)
    allowed = frozenset(kind for one in accept for kind in _KINDS.get(one, ()))
    try:
        return store.attach(session, content, name, actor.user_id, allowed)
    except Invalid as error:
        if "sheet" not in accept:
            raise
        raise Invalid(error.message.replace("只接受 ", "只接受 Excel（xlsx）、", 1)) from None


def _added(session: Session, item: WorkItem) -> int:
    """How many files stand that were added in this round of a step, by whichever of its offices."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Attachment)
            .join(WorkItem, WorkItem.id == Attachment.work_item_id)
            .where(
                WorkItem.case_id == item.case_id,
                WorkItem.task_id == item.task_id,
                Attachment.removed_at.is_(None),
            )
        )
        or 0
    )


def remove(session: Session, actor: Actor, attachment_id: int) -> None:
    """Mark a material as removed; only while the step that added it is open, or open again after a 撤回."""
    row = session.get(Attachment, attachment_id)
    if row is None or row.removed_at is not None or row.work_item_id is None:
        raise NotFound("没有这个文件。")
    item = session.get_one(WorkItem, row.work_item_id)
    action = begin(session, row.case_id, actor.user_id, item.department_id)
    session.refresh(item)
    again = next((one for one in action.open_items if item.id in taken_back(session, one)), item)
    guard_turn(session, actor, again)
    require_case(session, actor, "attachment.upload", action.case, again)
    row.removed_at = action.at
    action.record("material-removed", (row,), material=row.material, file=row.file_id)


def taken_back(session: Session, item: WorkItem) -> set[int]:
    """The items of an employer's step that were handed in and taken back before this one, in the same round: no office
    has acted on their files, so they are this one's own."""
    if item.employer_id is None:
        return set()
    return set(
        session.scalars(
            select(WorkItem.id).where(
                WorkItem.case_id == item.case_id,
                WorkItem.employer_id == item.employer_id,
                WorkItem.step == item.step,
                WorkItem.round == item.round,
                WorkItem.closed_as == "withdrawn",
            )
        )
    )


def listed(session: Session, case_id: int) -> list[Attachment]:
    """The materials of a case that were not removed, by requirement and time."""
    return list(
        session.scalars(
            select(Attachment)
            .where(Attachment.case_id == case_id, Attachment.removed_at.is_(None))
            .options(joinedload(Attachment.file))
            .order_by(Attachment.material, Attachment.id)
        )
    )


def of_step(session: Session, item: WorkItem) -> list[Attachment]:
    """The files that answer what a step's form asks: those added in this round of it, by whichever of its offices; what
    the employer handed in and took back is of the same round. An earlier round's evidence is no evidence of this one."""
    own = (
        (WorkItem.step == item.step) & (WorkItem.round == item.round)
        if item.department_id is None
        else WorkItem.task_id == item.task_id
    )
    return list(
        session.scalars(
            select(Attachment)
            .join(WorkItem, WorkItem.id == Attachment.work_item_id)
            .where(Attachment.case_id == item.case_id, Attachment.removed_at.is_(None), own)
            .options(joinedload(Attachment.file))
            .order_by(Attachment.id)
        )
    )


def opened(session: Session, actor: Actor, attachment_id: int) -> tuple[StoredFile, bytes]:
    """A material's file and bytes, for those who may see the case."""
    row = session.get(Attachment, attachment_id)
    if row is None:
        raise NotFound("没有这个文件。")
    require_case(session, actor, "attachment.download", session.get_one(Case, row.case_id))
    return row.file, installation().files.read(row.file)
