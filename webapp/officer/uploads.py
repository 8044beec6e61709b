"""Files that a step's form asks for: stored as soon as they come, so that no later mistake loses a photo."""

from __future__ import annotations

from flask import request
from sqlalchemy.orm import Session

from forms.model import Field
from webapp import numbers
from webapp.access import actor
from webapp.database import transaction
from webapp.officer.blueprint import item_seen
from workflows.base.errors import Invalid
from workflows.cases import attachments
from workflows.cases.model import WorkItem
from workflows.cases.officer_views import step_files
from workflows.cases.process import process_of


def file_fields(session: Session, item: WorkItem) -> list[Field]:
    """The step's fields that hold files."""
    process = process_of(session, item.case.version_id)
    return [one for one in process.form(item.step).fields if one.type == "files"]


def take(item_id: int) -> dict[str, str]:
    """Store what was uploaded and drop what was ticked 删除; returns field → message for what was not accepted."""
    uploaded = {key: files for key, files in request.files.lists() if key.endswith("-upload")}
    removed = {key: ids for key, ids in request.form.lists() if key.endswith("-remove")}
    errors: dict[str, str] = {}
    if not any(file.filename for files in uploaded.values() for file in files) and not removed:
        return errors
    with transaction() as session:
        found, _ = item_seen(session, item_id)
        fields = [one.key for one in file_fields(session, found)]
    for key in fields:
        for file in uploaded.get(f"{key}-upload", []):
            if not file.filename:
                continue
            try:
                with transaction() as session:
                    attachments.attach(session, actor(session), item_id, key, file.read(), file.filename)
            except Invalid as error:
                errors[key] = f"“{file.filename[:60]}”没有上传：{error.message}"
        dropped = set(numbers.keys(removed.get(f"{key}-remove", [])))
        with transaction() as session:
            found, _ = item_seen(session, item_id)
            for one in step_files(session, found).get(key, []):
                if one.id in dropped:
                    attachments.remove(session, actor(session), one.id)
    return errors


def fill_in(session: Session, item: WorkItem, raw: dict[str, list[str]]) -> None:
    """The ids of the files that this step really has, whatever the browser named."""
    kept = step_files(session, item)
    for one in file_fields(session, item):
        raw[one.key] = [str(file.id) for file in kept.get(one.key, [])]


def without_files(session: Session, item_id: int, raw: dict[str, list[str]]) -> dict[str, list[str]]:
    """A draft keeps what is typed; files are kept by themselves."""
    found, _ = item_seen(session, item_id)
    names = [one.key for one in file_fields(session, found)]
    own = {key for name in names for key in (name, f"{name}-remove", f"{name}-upload")}
    return {key: texts for key, texts in raw.items() if key not in own}
