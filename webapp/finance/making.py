"""``/finance/batches/new``: 财政经办 gathers what is ready. What may not be paid is shown with its reason and cannot be ticked."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Row
from sqlalchemy.orm import Session

from webapp import numbers
from webapp.access import allow
from webapp.database import reading
from webapp.filters import money
from webapp.finance.blueprint import bp, manages, new_key, once, own_county, page
from workflows.base.errors import Conflict, Invalid
from workflows.base.privacy import mask_account
from workflows.cases.finance_views import paying_processes
from workflows.cases.paying import blocked_cases
from workflows.funds import appropriations, batches, views
from workflows.funds.bank_files import LAYOUTS
from workflows.funds.model import Payable
from workflows.organisations.actors import Actor

#: Held back without a reason of the case itself.
NOT_YET = "公示期满、异议办结后转入待拨付"


@bp.route("/batches/new", methods=["GET", "POST"])
@allow("officer")
def batch_new() -> ResponseReturnValue:
    """Choose the fund, then the rows."""
    session = reading()
    county = own_county(session, "funds.manage")
    if request.method == "POST":
        return _make(county)
    return _page(session, county)


def _make(county: str) -> ResponseReturnValue:
    fund_id = request.form.get("fund", 0, type=numbers.key)
    process, layout = request.form.get("process", ""), request.form.get("layout", "")
    chosen = numbers.keys(request.form.getlist("payable"))
    manages(reading(), appropriations.get(reading(), fund_id).county_code)
    if not chosen:
        return _page(reading(), county, {"payable": "请至少勾选一笔。"}, chosen)

    def act(session: Session, who: Actor) -> tuple[str, str]:
        batch = batches.make(
            session, who, fund_id, process, blocked=blocked_cases, payable_ids=chosen, layout=layout
        )
        said = f"已生成批次 {batch.number}，{batch.line_count} 笔，合计 {money(batch.total_fen)}。请通知其他人员复核。"
        return said, url_for("finance.batch", batch_id=batch.id)

    try:
        return once(act)
    except Invalid as error:
        return _page(reading(), county, error.errors or {"": error.message}, chosen)
    except Conflict as error:
        return _page(reading(), county, {"": error.message}, chosen, status=409)


def _page(
    session: Session,
    county: str,
    errors: dict[str, str] | None = None,
    chosen: list[int] | None = None,
    status: int = 422,
) -> ResponseReturnValue:
    titles = {one.key: one.title for one in paying_processes(session)}
    found = views.choices(session, [county])
    picked = _picked(found)
    rows = _rows(session, picked, chosen) if picked is not None else []
    ready = [one for one in rows if not one["blocked"]]
    return page(
        "finance/making.html",
        session,
        status if errors else 200,
        choices=[
            {
                "title": f"{fund.year}年　{fund.title}　{fund.document_number}",
                "process": titles.get(process, process),
                "people": people,
                "fen": fen,
                "href": url_for("finance.batch_new", fund=fund.id, process=process),
                "active": picked is not None and (fund.id, process) == (picked[0].id, picked[1]),
            }
            for fund, process, people, fen in found
        ],
        picked=picked,
        process=titles.get(picked[1], picked[1]) if picked is not None else "",
        rows=rows,
        ready=ready,
        ready_fen=sum(one["amount"] for one in ready),
        full=len(rows) >= batches.MAX_LINES,
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


def _rows(session: Session, picked: Row[Any], chosen: list[int] | None) -> list[dict[str, Any]]:
    found = views.unpaid(session, picked[0].id, picked[1], batches.MAX_LINES)
    blocked = blocked_cases(session, {one.case_id for one, _ in found})
    return [_row(one, person, blocked, chosen) for one, person in found]


def _row(
    one: Payable, person: str | None, blocked: dict[int, str], chosen: list[int] | None
) -> dict[str, Any]:
    reason = blocked.get(one.case_id) or (NOT_YET if one.state == "reserved" else "")
    return {
        "id": one.id,
        "case": one.case_number,
        "person": person,
        "payee": one.payee_name,
        "account": mask_account(one.account_number),
        "bank": one.bank_name,
        "amount": one.amount_fen,
        "blocked": reason,
        "picked": not reason and (chosen is None or one.id in chosen),
    }
