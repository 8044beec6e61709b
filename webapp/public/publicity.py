"""Running 公示: the list, and the page of each, which keeps nothing once it ended."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from flask import Response, render_template, request

from webapp.access import everyone
from webapp.database import reading
from webapp.public.blueprint import bp, fleeting, form, page_number
from workflows.cases.public_views import (
    PublicityNotice,
    counties_publishing,
    publicity_notice,
    running_publicities,
)

#: Gone: it was here and is no longer.
GONE = 410


@bp.get("/publicity")
@everyone
def publicities() -> Response:
    """What is public now, by county."""
    session = reading()
    county = request.args.get("county", "")[:12]
    page = running_publicities(session, county, page_number())
    return fleeting(
        render_template(
            "public/publicities.html", page=page, counties=counties_publishing(session), county=county
        )
    )


@bp.get("/publicity/<token>")
@everyone
def publicity(token: str) -> Response:
    """One 公示 with the objection form, or that it has ended."""
    notice = publicity_notice(reading(), token)
    if notice.running is None:
        return ended(notice)
    return running_page(notice, token, key=secrets.token_hex(16))


def running_page(
    notice: PublicityNotice,
    token: str,
    *,
    key: str,
    typed: Mapping[str, Sequence[str]] | None = None,
    errors: Mapping[str, str] | None = None,
    message: str = "",
    status: int = 200,
) -> Response:
    """The page while it runs; with what was typed and what is wrong with it, when it is shown again."""
    page = render_template(
        "public/publicity.html",
        notice=notice,
        shown=notice.running,
        token=token,
        form=form("objection"),
        key=key,
        typed=typed or {},
        errors=errors or {},
        summary=[*([("", message)] if message else []), *(errors or {}).items()],
    )
    return fleeting(page, status)


def ended(notice: PublicityNotice, typed: Sequence[str] = (), status: int = GONE) -> Response:
    """That it has ended, and where to turn to; ``typed``: what somebody wanted to say, to be copied."""
    return fleeting(render_template("public/publicity_ended.html", notice=notice, typed=typed), status)
