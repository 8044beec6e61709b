"""``/finance/batches/new``: 财政经办 gathers what is ready. All of it in one act, or some units, or some cases.

What may not be paid is shown with its reason and cannot be ticked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Row
from sqlalchemy.orm import Session

from webapp import numbers
from webapp.access import allow
from webapp.database import reading
from webapp.filters import money
from webapp.finance.blueprint import bp, manages, new_key, once, own_county, page
from webapp.finance.choosing import CASES, PAGE, UNITS, Choice, Place, written
from workflows.base.errors import Conflict, Invalid
from workflows.cases.batch_choices import Waiting, still_there, sums, waiting_cases
from workflows.cases.finance_views import paying_processes
from workflows.cases.paying import blocked_cases
from workflows.funds import appropriations, batches, views
from workflows.funds.bank_files import LAYOUTS
from workflows.organisations.actors import Actor

T = TypeVar("T")
#: What is said when a page speaks of what is no longer so.
CHANGED = "页面打开之后，待拨付的款项有了变化。下面是现在的情况，请核对后再生成；已选的没有丢。"


@bp.route("/batches/new", methods=["GET", "POST"])
@allow("officer")
def batch_new() -> ResponseReturnValue:
    """Choose the fund, then all that is ready, or units, or cases. Going from page to page is a POST too: it keeps
    what is ticked."""
    session = reading()
    county = own_county(session, "funds.manage")
    if request.method == "GET":
        return _page(session, county, Place.read(request.args.get("place", "")), Choice({}))
    fund_id = request.form.get("fund", 0, type=numbers.key)
    process = request.form.get("process", "")
    manages(session, appropriations.get(session, fund_id).county_code)
    here = Place.read(request.form.get("place", ""))
    if "make" in request.form:
        return _make(county, fund_id, process, here)
    if "clear" in request.form:
        return _page(session, county, here, Choice({}))
    choice = Choice.sent(waiting_cases(session, fund_id, process))
    return _page(session, county, Place.read(request.form.get("go", "")), choice)


def _make(county: str, fund_id: int, process: str, here: Place) -> ResponseReturnValue:
    """Make the batch; whatever stands in the way is said on the page, with everything chosen."""

    def act(session: Session, who: Actor) -> tuple[str, str]:
        batch = batches.make(
            session,
            who,
            fund_id,
            process,
            blocked=blocked_cases,
            cases=_wanted(waiting_cases(session, fund_id, process)),
            layout=request.form.get("layout", ""),
        )
        said = f"已生成批次 {batch.number}，{batch.line_count} 笔，合计 {money(batch.total_fen)}。已通知其他人员复核。"
        return said, url_for("finance.batch", batch_id=batch.id)

    try:
        return once(act)
    except Invalid as error:
        problems, status = error.errors or {"": error.message}, 422
    except Conflict as error:
        problems, status = {"": error.message}, 409
    choice = Choice.sent(waiting_cases(reading(), fund_id, process))
    return _page(reading(), county, here, choice, problems, status)


def _wanted(waiting: Waiting) -> dict[int, int]:
    """The cases that the form asks for, with how many payments of each were seen; raises what stands in the way."""
    if request.form["make"] == "all":
        seen = (request.form.get("all_people"), request.form.get("all_fen"))
        if seen != (str(waiting.people), str(waiting.fen)):
            raise Conflict(CHANGED)
        return waiting.first()
    choice = Choice.sent(waiting)
    choice.keep({one.case_id for one in waiting.payable})
    if choice.changed:
        raise Conflict(CHANGED)
    if not choice.cases:
        raise Invalid("批次没有生成。", {"case": "请先勾选单位或者申请，或者用“全部”生成。"})
    return choice.cases


def _page(
    session: Session,
    county: str,
    place: Place,
    choice: Choice,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    titles = {one.key: one.title for one in paying_processes(session)}
    found = views.choices(session, [county])
    picked = _picked(found)
    waiting = waiting_cases(session, picked[0].id, picked[1]) if picked is not None else Waiting((), ())
    choice.cases = still_there(waiting, choice.cases)  # the sums below are what is seen from now on
    cases, people, fen = sums(waiting, choice.cases)
    return page(
        "finance/making.html",
        session,
        status,
        choices=[
            {
                "title": f"{fund.year}年　{fund.title}　{fund.document_number}",
                "process": titles.get(process, process),
                "people": count,
                "fen": total,
                "href": url_for("finance.batch_new", fund=fund.id, process=process),
                "active": picked is not None and (fund.id, process) == (picked[0].id, picked[1]),
            }
            for fund, process, count, total in found
        ],
        picked=picked,
        process=titles.get(picked[1], picked[1]) if picked is not None else "",
        waiting=waiting,
        most=batches.MAX_LINES,
        first=sum(waiting.first().values()),
        chosen={"cases": cases, "people": people, "fen": fen, "text": written(choice.cases)},
        list=_units(waiting, choice, place) if place.view == UNITS else _cases(waiting, choice, place),
        place=str(place),
        view=place.view,
        layouts=[(key, layout.title) for key, layout in LAYOUTS.items()],
        layout=request.form.get("layout", ""),
        key=request.form.get("command_key") or new_key(),
        errors=list((errors or {}).items()),
        problems=errors or {},
    )


def _picked(found: list[Row[Any]]) -> Row[Any] | None:
    """The fund and process that the address or the form names, or the only one there is."""
    given = request.form if request.method == "POST" else request.args
    fund, process = given.get("fund", 0, type=numbers.key), given.get("process", "")
    named = next((one for one in found if one[0].id == fund and one[1] == process), None)
    return named or (found[0] if len(found) == 1 else None)


def _slice(rows: Sequence[T], place: Place) -> tuple[Sequence[T], dict[str, Any]]:
    """The rows of a page, and the buttons that lead to the others."""
    last = max(1, -(-len(rows) // PAGE))
    number = min(place.page, last)
    return rows[(number - 1) * PAGE : number * PAGE], {
        "number": number,
        "last": last,
        "total": len(rows),
        "back": str(Place(place.view, number - 1, place.unit)) if number > 1 else "",
        "next": str(Place(place.view, number + 1, place.unit)) if number < last else "",
    }


def _units(waiting: Waiting, choice: Choice, place: Place) -> dict[str, Any]:
    """A page of units with what may be paid to each."""
    shown, pager = _slice(waiting.units(), place)
    return {
        "rows": [
            {
                "id": unit.employer_id,
                "name": unit.name,
                "cases": len(unit.cases),
                "people": unit.people,
                "amount": unit.fen,
                "picked": choice.whole(unit),
                "some": choice.some(unit) if not choice.whole(unit) else 0,
                "open": str(Place(CASES, 1, unit.employer_id)),
            }
            for unit in shown
        ],
        "shown": written({unit.employer_id: unit.people for unit in shown}),
        "unit": "",
        **pager,
    }


def _cases(waiting: Waiting, choice: Choice, place: Place) -> dict[str, Any]:
    """A page of cases: those that may be paid, then those that may not, with the reason."""
    wanted = [
        one for one in (*waiting.payable, *waiting.held) if not place.unit or one.employer_id == place.unit
    ]
    shown, pager = _slice(wanted, place)
    return {
        "rows": [
            {
                "id": one.case_id,
                "number": one.number,
                "name": one.employer,
                "people": one.people,
                "amount": one.fen,
                "blocked": one.blocked,
                "picked": one.case_id in choice.cases,
            }
            for one in shown
        ],
        "shown": written({one.case_id: one.people for one in shown if not one.blocked}),
        "unit": next((one.employer for one in wanted), "") if place.unit else "",
        **pager,
    }
