"""What every page needs from Python: the filters, the addresses of static files, and the frame around a page."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, request, url_for

from webapp.filters import FILTERS


@dataclass(frozen=True)
class NavItem:
    """One entry of the navigation. ``count`` is shown behind it; ``active`` is the page one stands on."""

    title: str
    href: str
    active: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Shell:
    """The frame around a page: who is logged in, where, and where they can go.

    A context processor hands it to the templates as ``shell``. Without one the frame of a guest is drawn.
    """

    county: str = ""
    user: str = ""
    office: str = ""
    #: Opaque key of the person: keeps what one person typed in this tab from the next who logs in.
    user_key: str = ""
    nav: Sequence[NavItem] = field(default_factory=tuple)
    home_href: str = "/"
    notices_href: str = ""
    notices: int = 0
    account_href: str = ""
    login_href: str = ""
    logout_href: str = ""
    demonstration: bool = False
    contact: str = ""


#: Fallback for pages drawn while nothing else works (500).
GUEST = Shell()

_digests: dict[str, str] = {}


def asset(filename: str) -> str:
    """Address of a static file with a digest of its content, so that browsers keep it until it changes."""
    if filename not in _digests:
        path = Path(__file__).parent / "static" / filename
        _digests[filename] = hashlib.sha256(path.read_bytes()).hexdigest()[:10]
    return url_for("static", filename=filename, v=_digests[filename])


def page_href(page: int) -> str:
    """The present address with another page number; all filters stay."""
    return replace_args(page=page)


def replace_args(**changes: Any) -> str:
    """The present address with some query arguments replaced; ``None`` takes one away."""
    arguments: dict[str, Any] = {**(request.view_args or {}), **request.args.to_dict(flat=False)}
    for name, value in changes.items():
        if value is None:
            arguments.pop(name, None)
        else:
            arguments[name] = value
    return url_for(request.endpoint or "static", **arguments)


def install(app: Flask) -> None:
    """Teach an application the filters and globals that the macros use."""
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(
        asset=asset, page_href=page_href, replace_args=replace_args, guest_shell=GUEST
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
