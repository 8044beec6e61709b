"""Files that come with a form: each stored as soon as it comes, so that no other mistake loses it."""

from __future__ import annotations

from collections.abc import Sequence

from flask import flash, request

from webapp import numbers
from webapp.access import actor
from webapp.database import transaction
from workflows.base.errors import Invalid
from workflows.cases import attachments
from workflows.cases.filling import Filling, own_item


def take(item_id: int, keys: Sequence[str]) -> dict[str, str]:
    """Take away what was ticked 删除, store what was chosen; returns key → message for what was not accepted."""
    errors: dict[str, str] = {}
    stored = removed = 0
    for key in keys:
        ticked = set(numbers.keys(request.form.getlist(f"{key}-remove")))
        if ticked:
            removed += _remove(item_id, key, ticked)
        refused = []
        for file in request.files.getlist(f"{key}-upload"):
            if not file.filename:
                continue
            try:
                with transaction() as session:
                    who = actor(session)
                    own_item(session, who, item_id)
                    attachments.attach(session, who, item_id, key, file.read(), file.filename)
                    stored += 1
            except Invalid as error:
                refused.append(f"“{file.filename[:60]}”没有上传：{error.message}")
        if refused:
            errors[key] = " ".join(refused)
    said = [f"已上传 {stored} 个文件"] if stored else []
    said += [f"已删除 {removed} 个文件"] if removed else []
    if said:
        flash("，".join(said) + "。", "success")
    return errors


def _remove(item_id: int, key: str, ticked: set[int]) -> int:
    with transaction() as session:
        who = actor(session)
        found = Filling(session, own_item(session, who, item_id))
        mine = [one for one in found.files(key) if one.removable and one.id in ticked]
        for one in mine:
            attachments.remove(session, who, one.id)
        return len(mine)
