"""Whatever a visitor comes to by following links."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit

from tests.web.client import Browser


def crawl(
    browser: Browser, start: str, most: int, files: dict[str, bytes] | None = None
) -> tuple[set[str], dict[str, str]]:
    """Follow links from a page; every address met, and the text of every page.

    :param files: takes what is no page: address → content.
    """
    met, pages, waiting = {start}, {}, [start]
    shapes: dict[str, int] = {}
    while waiting and len(pages) < most:
        path = waiting.pop(0)
        answer = browser.client.get(path)
        if answer.status_code in {301, 302, 303}:
            found = [answer.headers["Location"]]
        elif answer.mimetype != "text/html":
            if files is not None and answer.status_code == 200:
                files[path] = answer.data
            continue
        else:
            pages[path] = answer.text
            found = re.findall(r'(?:href|action|src)="([^"]*)"', answer.text)
        for one in found:
            target = urljoin(path, one.replace("&amp;", "&").split("#")[0])
            if target in met or urlsplit(target).netloc not in ("", "localhost"):
                continue
            met.add(target)
            shape = re.sub(r"\d+", "0", target)
            shapes[shape] = shapes.get(shape, 0) + 1
            if shapes[shape] <= 3 and "/static" not in target and "/logout" not in target:
                waiting.append(target)
    return {unquote(one) for one in met}, pages
