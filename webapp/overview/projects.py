"""``/overview/projects``: planned and paid, whom, what is owed since when, who has it; by county, then one by one."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from forms.amounts import hundredths
from webapp import numbers
from webapp.access import allow, page_actor
from webapp.database import reading
from webapp.overview.blueprint import bp, page, share
from webapp.sheets import Column, book, download
from workflows.base.clock import today
from workflows.cases.project_overview import (
    MOST,
    PAGE,
    CountySum,
    ProjectLine,
    Wanted,
    county_sums,
    project_page,
)
from workflows.registers.project_model import RATIO_BASES

STATUSES = {"running": "实施中", "closed": "已办结"}
COUNTY_COLUMNS: tuple[Column, ...] = (
    ("县（市、区）", "text"),
    ("项目（个）", "number"),
    ("实施中（个）", "number"),
    ("计划劳务报酬（元）", "amount"),
    ("已发（元）", "amount"),
    ("已发占计划（%）", "number"),
    ("已批准未到账（元）", "amount"),
    ("登记工人", "number"),
    ("其中脱贫人口和监测对象", "number"),
    ("最早未发的月份已过（天）", "number"),
)
PROJECT_COLUMNS: tuple[Column, ...] = (
    ("县（市、区）", "text"),
    ("项目", "text"),
    ("编号", "text"),
    ("状态", "text"),
    ("业主单位", "text"),
    ("施工单位", "text"),
    ("计划劳务报酬（元）", "amount"),
    ("已发（元）", "amount"),
    ("占比（%）", "text"),
    ("要求（%）", "text"),
    ("占比的基数", "text"),
    ("登记工人", "number"),
    ("其中脱贫人口和监测对象", "number"),
    ("已批准未到账（元）", "amount"),
    ("有异议未补发（人次）", "number"),
    ("最早未发的月份已过（天）", "number"),
    ("现在由谁办理", "text"),
)


def _wanted() -> Wanted:
    given = {key: request.args.get(key, "").strip()[:12] for key in ("county", "status", "late")}
    return Wanted(
        given["county"], given["status"] if given["status"] in STATUSES else "", given["late"] == "1"
    )


@bp.get("/projects")
@allow("officer", "auditor")
def projects() -> ResponseReturnValue:
    """以工代赈项目总览."""
    session, me, wanted = reading(), page_actor(), _wanted()
    everywhere = county_sums(session, me, Wanted())
    sums = everywhere if wanted == Wanted() else county_sums(session, me, wanted)
    found = project_page(session, me, wanted, request.args.get("page", 1, type=numbers.page))
    return page(
        "overview/projects.html",
        wanted=wanted,
        narrowed=wanted != Wanted(),
        counties=[("", "全部县（市、区）"), *((one.code, one.name) for one in everywhere)],
        statuses=[("", "全部状态"), *STATUSES.items()],
        sums=[_county(one) for one in sums],
        total=_total(sums),
        lines=[_line(one) for one in found.lines],
        number=found.number,
        count=found.total,
        size=PAGE,
        sheet=url_for("overview.projects_sheet", **request.args.to_dict()),
        day=today(),
    )


def _county(one: CountySum) -> dict[str, Any]:
    return {
        "sum": one,
        "name": one.name,
        "projects": one.projects,
        "running": one.running,
        "planned_fen": one.planned_fen,
        "paid_fen": one.paid_fen,
        "owed_fen": one.owed_fen,
        "people": one.people,
        "poor": one.poor,
        "late_days": one.late_days,
        "progress": one.progress,
        "paid_width": share(one.paid_fen, one.planned_fen),
        "owed_x": share(one.paid_fen, one.planned_fen),
        "owed_width": share(one.owed_fen, one.planned_fen),
    }


def _total(sums: list[CountySum]) -> dict[str, int]:
    keys = ("projects", "running", "planned_fen", "paid_fen", "owed_fen", "people", "poor")
    return {key: sum(getattr(one, key) for one in sums) for key in keys}


def _line(one: ProjectLine) -> dict[str, Any]:
    project, figures = one.project, one.figures
    return {
        "id": project.id,
        "name": project.name,
        "number": project.number,
        "county": one.county,
        "status": STATUSES[project.status],
        "running": project.status == "running",
        "owner": project.owner.name,
        "contractor": project.contractor.name,
        "planned_fen": project.planned_labour_fen,
        "paid_fen": figures.paid_fen,
        "owed_fen": figures.owed_fen,
        "ratio": f"{hundredths(figures.ratio)}%",
        "required": f"{hundredths(project.required_ratio)}%",
        "base": RATIO_BASES[project.ratio_base],
        "short": one.short,
        "people": figures.people,
        "poor": figures.poor,
        "disputed": figures.disputed,
        "late_days": one.late_days,
        "late": one.late,
        "unpaid_since": one.unpaid_since,
        "holders": one.holders,
        "paid_width": share(figures.paid_fen, project.planned_labour_fen),
    }


@bp.get("/projects.xlsx")
@allow("officer", "auditor")
def projects_sheet() -> Response:
    """The same as a workbook: a sheet by county, a sheet of projects."""
    session, me, wanted = reading(), page_actor(), _wanted()
    counties = [
        (
            one.name,
            one.projects,
            one.running,
            one.planned_fen,
            one.paid_fen,
            one.progress,
            one.owed_fen,
            one.people,
            one.poor,
            one.late_days,
        )
        for one in county_sums(session, me, wanted)
    ]
    rows = [
        (
            line.county,
            line.project.name,
            line.project.number,
            STATUSES[line.project.status],
            line.project.owner.name,
            line.project.contractor.name,
            line.project.planned_labour_fen,
            line.figures.paid_fen,
            hundredths(line.figures.ratio),
            hundredths(line.project.required_ratio),
            RATIO_BASES[line.project.ratio_base],
            line.figures.people,
            line.figures.poor,
            line.figures.owed_fen,
            line.figures.disputed,
            line.late_days,
            "；".join(f"{one.office}：{one.title}（{one.days} 天）" for one in line.holders),
        )
        for line in project_page(session, me, wanted, size=MOST).lines
    ]
    content = book([("按县汇总", COUNTY_COLUMNS, counties), ("项目", PROJECT_COLUMNS, rows)])
    return download(content, f"以工代赈项目-{today():%Y%m%d}.xlsx")
