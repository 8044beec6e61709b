"""Numbers that come from outside, in addresses and forms. What no row and no page can have is never asked of a database."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter

#: A key has at most this many digits: less than either database's largest integer.
DIGITS = 18
#: Pages of a list.
PAGES = 100_000


def key(text: str) -> int:
    """A row's key; ``ValueError`` for what cannot be one. For ``request.args.get(…, type=key)``."""
    if not text.isascii() or not text.isdigit() or len(text) > DIGITS:
        raise ValueError("no key")
    return int(text)


def page(text: str) -> int:
    """A page's number, from 1; ``ValueError`` for what cannot be one."""
    number = key(text)
    if not 1 <= number <= PAGES:
        raise ValueError("no page")
    return number


def keys(texts: list[str]) -> list[int]:
    """The keys among texts."""
    found = []
    for text in texts:
        try:
            found.append(key(text))
        except ValueError:
            continue
    return found


class Key(IntegerConverter):
    """``<int:…>`` in an address: one too large for a key is an address that does not exist."""

    regex = rf"\d{{1,{DIGITS}}}"


def install(app: Flask) -> None:
    """Before any route is registered."""
    app.url_map.converters["int"] = Key
