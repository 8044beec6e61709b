"""What a serviceTask or businessRuleTask names: ``urn:wengang:operation:NAME?arg=value&…`` or ``urn:wengang:decision:ID``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

_URN = re.compile(r"^urn:wengang:(operation|decision):([a-z][a-z0-9_]*)(?:\?(.*))?$", re.DOTALL)


@dataclass(frozen=True)
class Implementation:
    """``kind``: operation or decision. Arguments are texts."""

    kind: str
    name: str
    arguments: Mapping[str, str]


def read_implementation(text: str) -> Implementation | None:
    """Read the attribute; ``None`` when it is not of our form (an argument named twice included)."""
    found = _URN.match(text.strip())
    if found is None:
        return None
    kind, name, query = found.groups()
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        return None
    arguments = dict(pairs)
    if len(arguments) != len(pairs) or (kind == "decision" and pairs):
        return None
    return Implementation(kind, name, arguments)
