"""The public register of recognised workshops."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from webapp.access import everyone
from webapp.database import reading
from webapp.public.blueprint import bp, page_number
from workflows.cases.public_views import counties_registered, division_names
from workflows.registers.model import WORKSHOP_MODES, WORKSHOP_STATUSES
from workflows.registers.workshops import Filter, listing

#: Tone of a status tag.
TONES = {"active": "good", "rectifying": "waiting", "revoked": "bad"}


@bp.get("/workshops-register")
@everyone
def register() -> ResponseReturnValue:
    """Everybody who was ever recognised, those whose recognition was revoked marked so."""
    session = reading()
    wanted = Filter(
        county_code=request.args.get("county", "")[:12],
        mode=_one_of(WORKSHOP_MODES, request.args.get("mode", "")),
        status=_one_of(WORKSHOP_STATUSES, request.args.get("status", "")),
        text=request.args.get("text", "").replace("\0", "")[:60],
    )
    page = listing(session, wanted, page_number())
    return render_template(
        "public/register.html",
        wanted=wanted,
        filtered=wanted != Filter(),
        page=page,
        names=division_names(session, (one.county_code for one in page.entries)),
        counties=counties_registered(session),
        modes=WORKSHOP_MODES,
        statuses=WORKSHOP_STATUSES,
        tones=TONES,
    )


def _one_of(known: dict[str, str], value: str) -> str:
    return value if value in known else ""
