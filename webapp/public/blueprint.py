"""The blueprint, and what several of its pages need."""

from __future__ import annotations

from functools import lru_cache

from flask import Blueprint, Response, make_response, request

from forms.library import FormLibrary
from forms.model import FormDefinition
from forms.web import Parsed, parse
from webapp import numbers, rates
from workflows.base.clock import today

bp = Blueprint("public", __name__)


@lru_cache(maxsize=8)
def form(name: str) -> FormDefinition:
    """A form of ``forms/public``."""
    return FormLibrary().get("public", name)


def posted(name: str) -> Parsed:
    """What was sent for a form of ``forms/public``, checked."""
    return parse(form(name), request.form.to_dict(flat=False), today=today())


def page_number() -> int:
    """A page number from the address; 1 for anything else."""
    return request.args.get("page", 1, type=numbers.page)


def fleeting(page: str, status: int = 200) -> Response:
    """A page that nobody may keep: no search engine, no cache. What is public now need not be so tomorrow."""
    response = make_response(page, status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Cache-Control"] = "no-store"
    return response


def too_often(purpose: str, limit: int, seconds: int, subject: str | None = None) -> str:
    """Count an attempt; the message when there were too many. The page stays, and what was typed on it."""
    try:
        rates.limited(purpose, limit, seconds, subject)
    except rates.TooMany as error:
        return error.message
    return ""
