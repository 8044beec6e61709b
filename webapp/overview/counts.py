"""``/overview/counts``: the counts that the notice names, by county, each with where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import allow, page_actor
from webapp.database import reading
from webapp.overview.blueprint import WIDTH, bp, page, share
from webapp.sheets import Column, book, download
from workflows.base.clock import today
from workflows.cases.officer_views import policy_titles
from workflows.cases.overview_counts import CountyCounts, counties_of, county_counts, targets
from workflows.registers.model import AT_WORK, WORK

#: The first year that can be asked for: the notice's own.
FIRST_YEAR = 2022
COLUMNS: tuple[Column, ...] = (
    ("县（市、区）", "text"),
    ("名单日期", "day"),
    ("名单人数", "number"),
    ("务工人数", "number"),
    ("县内务工", "number"),
    ("县外省内务工", "number"),
    ("省外务工", "number"),
    ("未务工", "number"),
    ("无劳动能力", "number"),
    ("名单没有写明", "number"),
    ("本年新建车间", "number"),
    ("现有车间", "number"),
    ("车间吸纳人数", "number"),
    ("易地搬迁户", "number"),
    ("其中有劳动力而无人务工", "number"),
)


def _year() -> int:
    given = request.args.get("year", "")
    year = int(given) if given.isascii() and given.isdigit() and len(given) == 4 else today().year
    return min(max(year, FIRST_YEAR), today().year)


@bp.get("/counts")
@allow("officer", "auditor")
def counts() -> ResponseReturnValue:
    """统计."""
    session, year = reading(), _year()
    found = county_counts(session, counties_of(session, page_actor()), year)
    titles = {key: title for key, title in policy_titles(session).items() if _any(found, key)}
    at_work = sum(one.at_work for one in found)
    whole = max([one.people for one in targets()] + [at_work])
    most = max((one.listed for one in found), default=0)
    return page(
        "overview/counts.html",
        year=year,
        years=[(str(one), f"{one}年") for one in range(today().year, FIRST_YEAR - 1, -1)],
        rows=[_row(one, most) for one in found],
        at_work=at_work,
        listed=sum(one.listed for one in found),
        unsaid=sum(one.unsaid for one in found),
        work=[(title, sum(one.work.get(key, 0) for one in found)) for key, title in WORK.items()],
        targets=[
            {
                "target": one,
                "percent": at_work * 100 // one.people,
                "mark": share(one.people, whole),
                "bar": share(at_work, whole),
            }
            for one in targets()
        ],
        province=any(post.division_code.endswith("0000") for post in page_actor().posts)
        or (page_actor().division_code or "").endswith("0000"),
        without_new=[one.name for one in found if not one.district and not one.new_workshops],
        counties=sum(not one.district for one in found),
        new=sum(one.new_workshops for one in found),
        absorbed=sum(one.absorbed for one in found),
        workshops=sum(one.workshops for one in found),
        relocated=sum(one.relocated for one in found),
        without_work=sum(one.without_work for one in found),
        paid=[
            {
                "title": title,
                "count": sum(one.paid[key].count for one in found if key in one.paid),
                "fen": sum(one.paid[key].fen for one in found if key in one.paid),
            }
            for key, title in titles.items()
        ],
        sheet=url_for("overview.counts_sheet", year=year),
        width=WIDTH,
        day=today(),
    )


def _any(found: Sequence[CountyCounts], policy: str) -> bool:
    return any(policy in one.paid for one in found)


def _row(one: CountyCounts, most: int) -> dict[str, Any]:
    left, bar = 0, []
    for key in AT_WORK:
        width = share(one.work.get(key, 0), most)
        bar.append({"key": key, "title": WORK[key], "count": one.work.get(key, 0), "x": left, "width": width})
        left += width
    return {
        "name": one.name,
        "district": one.district,
        "listed": one.listed,
        "listed_on": one.listed_on,
        "at_work": one.at_work,
        "unsaid": one.unsaid,
        "new_workshops": one.new_workshops,
        "lacks_new": not one.district and not one.new_workshops,
        "workshops": one.workshops,
        "absorbed": one.absorbed,
        "relocated": one.relocated,
        "without_work": one.without_work,
        "fen": sum(paid.fen for paid in one.paid.values()),
        "bar": bar,
    }


@bp.get("/counts.xlsx")
@allow("officer", "auditor")
def counts_sheet() -> Response:
    """The same as a workbook: the counts, and what was paid by policy."""
    session, year = reading(), _year()
    found = county_counts(session, counties_of(session, page_actor()), year)
    titles = policy_titles(session)
    rows = [
        (
            one.name,
            one.listed_on,
            one.listed,
            one.at_work,
            *(one.work.get(key, 0) for key in WORK),
            one.unsaid,
            one.new_workshops,
            one.workshops,
            one.absorbed,
            one.relocated,
            one.without_work,
        )
        for one in found
    ]
    paid = [
        (one.name, titles.get(policy, policy), sum_.count, sum_.fen)
        for one in found
        for policy, sum_ in sorted(one.paid.items())
    ]
    columns: tuple[Column, ...] = (
        ("县（市、区）", "text"),
        ("事项", "text"),
        ("人次", "number"),
        ("已发（元）", "amount"),
    )
    content = book([("统计", COLUMNS, rows), (f"{year}年已发资金", columns, paid)])
    return download(content, f"稳岗就业统计-{year}.xlsx")
