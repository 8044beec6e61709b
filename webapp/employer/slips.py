"""``/employer/cases/<number>/slips``: the pay slips of a payroll: who has spoken, what is in dispute, and the paper to hand out."""

from __future__ import annotations

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp import numbers
from webapp.access import allow, page_actor
from webapp.database import reading
from webapp.employer.blueprint import bp, caption
from webapp.officer.files import send_bytes
from workflows.base.errors import NotFound
from workflows.base.files import PDF
from workflows.cases.access import visible_case
from workflows.cases.slip_model import SLIP_STATES
from workflows.cases.slip_views import printed_slips, slip_address, slip_page
from workflows.documents.render import render
from workflows.documents.templates import load_template

NONE = "这个申请现在没有工资条。"


@bp.get("/employer/cases/<number>/slips")
@allow("employer")
def slips(number: str) -> ResponseReturnValue:
    """Everybody's slip: confirmed, signed, in dispute with the worker's words, or not spoken yet."""
    session = reading()
    found = visible_case(session, page_actor(), number)
    chosen = request.args.get("state", "")[:12]
    page = slip_page(session, found, chosen, request.args.get("page", 1, type=numbers.page))
    if page is None:
        raise NotFound(NONE)
    choices = [("", "全部", page.counts.total)] + [
        (key, title, getattr(page.counts, key)) for key, title in SLIP_STATES.items() if key != "void"
    ]
    return render_template(
        "employer/slips.html",
        case=found,
        caption=caption(found),
        page=page,
        address=slip_address(),
        filters=[
            {
                "title": title,
                "count": count,
                "active": key == chosen,
                "href": url_for("employer.slips", number=number, state=key or None),
            }
            for key, title, count in choices
            if count or not key
        ],
    )


@bp.get("/employer/cases/<number>/slips/<int:first>.pdf")
@allow("employer")
def slips_pdf(number: str, first: int) -> Response:
    """The slips from the ``first``-th on, three to a page, to be cut apart and handed out."""
    session = reading()
    found = visible_case(session, page_actor(), number)
    context = printed_slips(session, found, first) if 0 < first <= numbers.PAGES else None
    if context is None:
        raise NotFound(NONE)
    last = first + len(context["slips"]) - 1
    content = render(load_template(found.process, "pay_slips"), context)
    return send_bytes(content, f"{context['month']}工资条（第{first}—{last}人）.pdf", PDF, download=True)
