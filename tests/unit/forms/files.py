"""Crafting spreadsheets that no decent program would write."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping


def repacked(data: bytes, changes: Mapping[str, bytes | Callable[[bytes], bytes] | None]) -> bytes:
    """The xlsx with parts replaced, changed by a function, added, or (None) left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            change = changes.get(name, old.read(name))
            if change is not None:
                new.writestr(name, change(old.read(name)) if callable(change) else change)
        for name, change in changes.items():
            if name not in old.namelist():
                assert isinstance(change, bytes), f"{name} is not there to be changed"
                new.writestr(name, change)
    return out.getvalue()


def zipped(parts: Mapping[str, bytes]) -> bytes:
    """A zip of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


def replacing(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """A change of one part; the old text must be there."""

    def change(content: bytes) -> bytes:
        assert old in content, content[:2000]
        return content.replace(old, new)

    return change


SHEET = "xl/worksheets/sheet1.xml"
