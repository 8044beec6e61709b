"""``/officer/identities``: a county's lists of 脱贫人口 and 监测对象, and the import of another one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.model import Field
from webapp import numbers
from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.filters import day, time_left
from webapp.navigation import ONLY
from webapp.officer.blueprint import bp, may, page_number, place_of
from webapp.questions import Answers, as_day, read_answers
from webapp.sheets import download
from webapp.views_support import replace_args
from workflows.base.clock import now, today
from workflows.base.errors import Invalid, NotFound
from workflows.organisations.model import Division, User
from workflows.registers import identity_uploads as uploads
from workflows.registers.identities import (
    SIZE,
    SOURCE_LENGTH,
    SnapshotPage,
    category_counts,
    newest_whole,
    snapshots_of,
)
from workflows.registers.identity_list import LIST, MAX_ROWS, list_template
from workflows.registers.model import IDENTITY_CATEGORIES, IdentitySnapshot, IdentityUpload

FIELDS = (
    Field(
        key="as_of",
        label="名单日期",
        type="date",
        required=True,
        checks=("not_future",),
        hint="名单反映哪一天的情况，例如年度动态管理结束的 12 月 31 日，或者导出的当天。",
    ),
    Field(
        key="source",
        label="名单来源",
        required=True,
        max_length=SOURCE_LENGTH,
        hint="例如：全国防返贫监测信息系统导出。",
    ),
)
#: Categories as headings of narrow columns.
_SHORT = {"poverty_alleviated": "脱贫人口", "monitored": "监测对象"}
#: How long a list that was imported is reported at the top of the page.
NEWS = timedelta(days=1)


@bp.route("/officer/identities", methods=["GET", "POST"])
@allow("officer", "auditor")
def identities() -> ResponseReturnValue:
    """身份名单: what was imported, what became of the last upload, and the next one."""
    session = reading()
    place = place_of(session, "identities.view")
    if request.method == "GET":
        return _page(session, place, Answers())
    county = place_of(session, "identities.import")
    answers = read_answers(FIELDS)
    sent = request.files.get("file")
    content = sent.read() if sent is not None else b""
    name = (sent.filename if sent is not None else "") or "身份名单.xlsx"
    if not content:
        answers.errors["file"] = "请选择填好的名单（.xlsx）后再上传。"
    if not answers.errors:
        as_of = as_day(answers.values["as_of"]) or today()
        try:
            with transaction() as writing:
                uploads.upload(
                    writing,
                    actor(writing),
                    content,
                    name,
                    division_code=county,
                    as_of=as_of,
                    source=answers.values["source"],
                )
        except Invalid as error:
            answers.refuse(error.errors, error.message)
        else:
            return redirect(url_for("officer.identities"), 303)
    return _page(session, place, answers, 422)


def _page(session: Session, place: str, answers: Answers, status: int = 200) -> ResponseReturnValue:
    may_import = may("identities.import")
    found = snapshots_of(session, page_actor(), place, page_number())
    newest = newest_whole(session, place)
    counts = category_counts(session, {one.id for one in (*found.entries, newest) if one is not None})
    latest = uploads.latest_upload(session, place) if may_import else None
    if latest is not None and not answers.typed and latest.status in ("failed", "doubtful", "dropped"):
        answers.typed = {"as_of": latest.as_of.isoformat(), "source": latest.source}
    page = render_template(
        "officer/identities.html",
        fields=FIELDS,
        answers=answers,
        may_import=may_import,
        figures=_figures(newest, counts),
        found=found,
        size=SIZE,
        columns=_columns(several=any(one.division_code != place for one in found.entries)),
        rows=_rows(session, found, counts),
        max_rows=MAX_ROWS,
        latest=latest,
        **(_outcome(session, latest) if latest is not None else {}),
    )
    return page, status


def _figures(newest: IdentitySnapshot | None, counts: dict[int, dict[str, int]]) -> list[dict[str, str]]:
    """The list that holds now, in numbers."""
    if newest is None:
        return []
    return [
        {"label": "最近一份名单", "value": day(newest.as_of)},
        {"label": "共", "value": f"{newest.row_count:,} 人"},
        *({"label": label, "value": f"{people} 人"} for label, people in _people(counts[newest.id])),
    ]


def _people(counts: dict[str, int]) -> list[tuple[str, str]]:
    """Category and people, in words, those of whom there is nobody included."""
    return [(label, f"{counts.get(key, 0):,}") for key, label in IDENTITY_CATEGORIES.items()]


def _columns(*, several: bool) -> list[dict[str, Any]]:
    """The table of lists. ``several``: of several counties, as who looks after a prefecture sees them."""
    county = [{"key": "county", "title": "县（市、区）"}] if several else []
    kinds = [{"key": key, "title": title, "align": "right"} for key, title in _SHORT.items()]
    return [
        {"key": "as_of", "title": "名单日期", "format": "day", "primary": True, "nowrap": True},
        *county,
        {"key": "source", "title": "来源"},
        {"key": "people", "title": "人数", "align": "right"},
        *kinds,
        {"key": "by", "title": "导入人"},
        {"key": "at", "title": "导入时间", "nowrap": True},
    ]


def _rows(session: Session, found: SnapshotPage, counts: dict[int, dict[str, int]]) -> list[dict[str, Any]]:
    names = _names(session, [one.imported_by for one in found.entries])
    codes = {one.division_code for one in found.entries}
    places = dict(session.execute(select(Division.code, Division.name).where(Division.code.in_(codes))).all())
    return [_row(one, counts[one.id], names, places) for one in found.entries]


def _row(
    one: IdentitySnapshot, counts: dict[str, int], names: dict[int, str], places: dict[str, str]
) -> dict[str, Any]:
    whole = one.completed_at is not None
    return {
        "as_of": one.as_of,
        "county": places[one.division_code],
        "source": one.source,
        "whole": whole,
        "people": f"{one.row_count:,}",
        **{key: f"{counts.get(key, 0):,}" if whole else "" for key in IDENTITY_CATEGORIES},
        "by": names.get(one.imported_by or 0, "系统管理员"),
        "at": one.completed_at or one.imported_at,
    }


def _names(session: Session, ids: list[int | None]) -> dict[int, str]:
    rows = session.execute(select(User.id, User.name).where(User.id.in_([one for one in ids if one])))
    return dict(rows.all())


def _outcome(session: Session, latest: IdentityUpload) -> dict[str, Any]:
    """What became of the last upload; plain values beside its row."""
    by = _names(session, [latest.uploaded_by, latest.confirmed_by])
    chosen = {name: request.args.get(name, 0, type=numbers.page) for name in ("kind", "cells")}
    wrong = uploads.problems(session, latest, kind=chosen["kind"], page=chosen["cells"] or 1)
    return {
        "uploader": by.get(latest.uploaded_by, ""),
        "under_way": latest.status == "reading",
        "stuck": latest.status == "reading" and uploads.is_stuck(latest),
        "eta": time_left(uploads.begun_at(latest), latest.done, latest.total),
        "wrong": wrong,
        "wrong_count": len(latest.problems) + sum(int(count) for _, count, _ in latest.kinds),
        "wrong_size": uploads.SIZE,
        "wrong_href": lambda number: replace_args(cells=number) + "#wrong-list",
        "sheet": LIST.sheet,
        "latest_total": f"{latest.total:,}",
        "latest_people": _people(latest.people),
        "news": latest.ended_at is not None and now() - latest.ended_at < NEWS,
    }


@bp.get("/officer/identities/progress")
@allow("officer")
def identities_progress() -> ResponseReturnValue:
    """How far the reading is, for the page that waits."""
    session = reading()
    latest = uploads.latest_upload(session, place_of(session, "identities.import"))
    if latest is None:
        raise NotFound("还没有上传名单。")
    finished = latest.status != "reading"
    eta = time_left(uploads.begun_at(latest), latest.done, latest.total)
    return jsonify(
        done=latest.done,
        total=latest.total,
        text="读取完成" if finished else f"预计还需{eta}" if eta else "正在排队，马上开始",
        finished=finished,
        href=url_for("officer.identities"),
    )


@bp.post("/officer/identities/<int:upload_id>/confirm")
@allow("officer")
def identities_confirm(upload_id: int) -> ResponseReturnValue:
    """It is the list, whatever is strange about it."""
    with transaction() as session:
        uploads.confirm(session, actor(session), upload_id)
    flash("已确认，开始导入。", "success")
    return redirect(url_for("officer.identities"), 303)


@bp.post("/officer/identities/<int:upload_id>/drop")
@allow("officer")
def identities_drop(upload_id: int) -> ResponseReturnValue:
    """It is not the list."""
    with transaction() as session:
        uploads.drop(session, actor(session), upload_id)
    flash("没有导入，原来的名单不变。", "success")
    return redirect(url_for("officer.identities"), 303)


@bp.get("/officer/identities/template")
@allow("officer")
def identities_template() -> Response:
    """The empty list with its drop-downs."""
    place_of(reading(), "identities.import")
    return download(list_template(), f"{LIST.title}模板.xlsx")


ONLY["officer.identities"] = lambda: may("identities.view")
